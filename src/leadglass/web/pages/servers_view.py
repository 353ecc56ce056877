"""The list of servers: what is asked for in the address of the page, and what is shown of the answer."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from leadglass.model.verdict import Access, Kind, Severity
from leadglass.report.words import count
from leadglass.store.server_rows import EXACTLY_UP_TO, Page, ServerRow, Sort, Wanted
from leadglass.web.pages.lines import ServerLine, server_line
from leadglass.web.pages.telling import Empty, Option, Pages, Sorting, day, options, with_query

__all__ = ["Asked", "Filter", "ServersView", "asked", "view"]

_MOST = 100
"""Characters of a word in a filter."""
_LAST_PORT = 65_535
_E = TypeVar("_E", bound=enum.StrEnum)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address of the page asks for."""

    wanted: Wanted
    sort: Sort
    cursor: str | None
    """None: the first page."""
    query: Mapping[str, str]
    """As it was asked, without the cursor and what could not be read."""

    @property
    def is_filtered(self) -> bool:
        """Whether anything is left out."""
        return self.wanted != Wanted()


@dataclass(frozen=True, slots=True)
class Filter:
    """The form, filled in as it was sent."""

    severities: tuple[Option, ...]
    accesses: tuple[Option, ...]
    natures: tuple[Option, ...]
    scopes: tuple[Option, ...]
    text: str
    product: str
    port: str
    network: str
    changed_since: str
    sort: str
    is_open: bool
    """Whether one of the lesser fields is filled in."""


@dataclass(frozen=True, slots=True)
class ServersView:
    """The page."""

    lines: tuple[ServerLine, ...]
    filter: Filter
    columns: tuple[Sorting, ...]
    pages: Pages
    is_filtered: bool
    nothing: Empty


def asked(query: Mapping[str, str]) -> Asked:
    """What ``query`` asks for; what makes no sense there is left out, so that any address shows a page."""
    given = {name: value.strip()[:_MOST] for name, value in query.items() if value.strip()}
    access = _word(Access, given.get("access", ""))
    wanted = Wanted(
        at_least=_word(Severity, given.get("at_least", "")),
        access=frozenset({access}) if access else frozenset(),
        nature=_word(Kind, given.get("nature", "")),
        product=given.get("product"),
        port=_port(given.get("port", "")),
        scan=given.get("scan"),
        scope=given.get("scope"),
        network=given.get("network"),
        changed_since=_since(given.get("changed_since", "")),
        text=given.get("text", ""),
    )
    sort = _word(Sort, given.get("sort", "")) or Sort.SEVERITY
    return Asked(wanted, sort, query.get("cursor") or None, _kept(given, wanted, sort))


def view(asked_for: Asked, page: Page[ServerRow], scopes: Iterable[str], now: int) -> ServersView:
    """The page that shows ``page``."""
    return ServersView(
        lines=tuple(server_line(row, now) for row in page.rows),
        filter=_filter(asked_for, scopes),
        columns=tuple(_columns(asked_for)),
        pages=_pages(asked_for, page),
        is_filtered=asked_for.is_filtered,
        nothing=_NONE_MATCHES if asked_for.is_filtered else _NONE_KNOWN,
    )


_NONE_MATCHES = Empty("No server matches.", "Ask for less, or look at all of them.", "/servers", "Show all")
_NONE_KNOWN = Empty(
    "No server is known yet.", "Order a scan of a server of your own.", "/scans", "To the scans"
)


def _kept(given: Mapping[str, str], wanted: Wanted, sort: Sort) -> Mapping[str, str]:
    understood = {
        "at_least": wanted.at_least,
        "access": wanted.access,
        "nature": wanted.nature,
        "port": wanted.port is not None,
        "changed_since": wanted.changed_since is not None,
        "sort": sort is not Sort.SEVERITY,
    }
    taken = {*understood, "product", "scan", "scope", "network", "text"}
    return {name: value for name, value in given.items() if name in taken and understood.get(name, True)}


def _word(words: type[_E], text: str) -> _E | None:
    return words(text) if text in {word.value for word in words} else None


def _port(text: str) -> int | None:
    number = int(text) if text.isascii() and text.isdigit() else 0
    return number if 0 < number <= _LAST_PORT else None


def _since(text: str) -> int | None:
    try:
        return int(dt.datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=dt.UTC).timestamp())
    except ValueError:
        return None


def _filter(asked_for: Asked, scopes: Iterable[str]) -> Filter:
    wanted, query = asked_for.wanted, asked_for.query
    lesser = ("access", "nature", "scope", "product", "port", "network", "changed_since")
    return Filter(
        severities=options(Severity, wanted.at_least or "", "any"),
        accesses=options(Access, next(iter(wanted.access), ""), "any"),
        natures=options(Kind, wanted.nature or "", "any"),
        scopes=options(dict.fromkeys((*scopes, *filter(None, [wanted.scope]))), wanted.scope or "", "any"),
        text=wanted.text,
        product=wanted.product or "",
        port=query.get("port", ""),
        network=wanted.network or "",
        changed_since="" if wanted.changed_since is None else day(wanted.changed_since),
        sort=query.get("sort", ""),
        is_open=any(name in query for name in lesser),
    )


def _columns(asked_for: Asked) -> Iterable[Sorting]:
    named = (
        ("Severity", Sort.SEVERITY, "descending"),
        ("Server", Sort.ADDRESS, "ascending"),
        ("What a stranger can do", None, ""),
        ("So since", None, ""),
        ("First seen", Sort.FIRST_SEEN, "descending"),
        ("Last seen", Sort.LAST_SEEN, "descending"),
    )
    for name, sort, direction in named:
        is_it = sort is asked_for.sort
        href = "" if sort is None else with_query("/servers", {**asked_for.query, "sort": sort})
        yield Sorting(name, href, direction if is_it else "")


def _pages(asked_for: Asked, page: Page[ServerRow]) -> Pages:
    number = page.count
    many = count(number.number, "server") if number.is_exact else f"more than {EXACTLY_UP_TO:,} servers"
    return Pages(many, _turned(asked_for, page.previous), _turned(asked_for, page.next))


def _turned(asked_for: Asked, cursor: str | None) -> str:
    return "" if cursor is None else with_query("/servers", {**asked_for.query, "cursor": cursor})
