"""Moments, addresses, choices and pages as templates want them: small frozen values, ready to be shown.

What a peer or a person wrote stays text here; ``rendering`` makes it safe to look at.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from leadglass.model.endpoint import Endpoint
from leadglass.model.verdict import Severity
from leadglass.report.words import count

__all__ = [
    "Crumb",
    "Empty",
    "Link",
    "Moment",
    "Option",
    "Pages",
    "Sorting",
    "address_of",
    "ago",
    "date_of",
    "day",
    "lasting",
    "moment",
    "named",
    "options",
    "server_path",
    "shortened",
    "system_path",
    "with_query",
    "worst_of",
]

_DAY = 86_400
_STEPS = ((60, 60, "minute"), (3_600, 3_600, "hour"), (_DAY, _DAY, "day"))
_LONG_AGO = 30 * _DAY


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment, for machines and for people."""

    iso: str
    """RFC 3339, UTC."""
    full: str
    """Date and time."""
    says: str
    """How long ago, or the date if it is long ago."""


@dataclass(frozen=True, slots=True)
class Link:
    """Something that has a page."""

    name: str
    href: str


@dataclass(frozen=True, slots=True)
class Crumb:
    """One step on the way to a page."""

    name: str
    href: str = ""
    """ "" for the page itself."""


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of a form."""

    value: str
    name: str
    is_chosen: bool = False


@dataclass(frozen=True, slots=True)
class Sorting:
    """The head of a column, and the way to sort by it."""

    name: str
    href: str = ""
    direction: str = ""
    """As ``aria-sort`` has it: ``ascending`` or ``descending``; "" where it is not sorted by."""
    is_number: bool = False


@dataclass(frozen=True, slots=True)
class Empty:
    """Why there is nothing, and what to do next."""

    says: str
    next: str
    href: str = ""
    act: str = ""


@dataclass(frozen=True, slots=True)
class Pages:
    """The ways on from one page of a long list; "" where there is none."""

    says: str
    previous: str = ""
    next: str = ""


def moment(at: int, now: int) -> Moment:
    """``at`` as seen from ``now``, both POSIX seconds."""
    when = dt.datetime.fromtimestamp(at, dt.UTC)
    return Moment(when.strftime("%Y-%m-%dT%H:%M:%SZ"), when.strftime("%Y-%m-%d %H:%M UTC"), ago(at, now))


def ago(at: int, now: int) -> str:
    """How long ago ``at`` was, in words; the date if that is more than a month away."""
    away = abs(now - at)
    if away > _LONG_AGO:
        return day(at)
    if away < _STEPS[0][0]:
        return "just now" if at <= now else "in a moment"
    return f"{lasting(away)} ago" if at <= now else f"in {lasting(away)}"


def lasting(seconds: int) -> str:
    """A span of time in its largest whole unit."""
    named = [count(seconds // unit, name) for least, unit, name in _STEPS if seconds >= least]
    return named[-1] if named else "less than a minute"


def date_of(at: int) -> dt.date:
    """The day (UTC) of POSIX seconds, as a date."""
    return dt.datetime.fromtimestamp(at, dt.UTC).date()


def day(at: int) -> str:
    """The day (UTC) of POSIX seconds."""
    return dt.datetime.fromtimestamp(at, dt.UTC).strftime("%Y-%m-%d")


def address_of(endpoint: Endpoint) -> str:
    """Address and port as people write them."""
    host = f"[{endpoint.address}]" if ":" in endpoint.address else endpoint.address
    return f"{host}:{endpoint.port}"


def server_path(address: str) -> str:
    """The page of the server at ``address``."""
    return f"/servers/{quote(address, safe=':')}"


def system_path(name: str) -> str:
    """The page of a system of the register."""
    return f"/register/systems/{quote(name, safe='')}"


def with_query(path: str, query: Mapping[str, str]) -> str:
    """``path`` with those of ``query`` that are not empty."""
    given = urlencode({name: value for name, value in query.items() if value})
    return f"{path}?{given}" if given else path


def options(words: Iterable[str], chosen: str, anything: str = "") -> tuple[Option, ...]:
    """One option a word, ``chosen`` being chosen; before them ``anything``, for no choice, if it is given."""
    none = [Option("", anything, not chosen)] if anything else []
    return (*none, *(Option(str(word), named(word), str(word) == chosen) for word in words))


def named(word: str) -> str:
    """A word as people write it: ours without its hyphens, others as they are."""
    return word.replace("-", " ") if isinstance(word, enum.Enum) else word


def shortened(text: str, most: int) -> str:
    """``text`` in at most ``most`` characters; three dots stand for what is missing."""
    return text if len(text) <= most else f"{text[: most - 3]}..."


def worst_of(severities: Sequence[Severity]) -> Severity:
    """The worst of them; none, if there are none."""
    return min(severities, key=lambda severity: severity.rank, default=Severity.NONE)
