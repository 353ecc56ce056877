"""Numbers as people read them, and sentences that may be quoted as they stand."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import math
from collections.abc import Mapping
from typing import Any

from leadglass.survey.interval import Interval
from leadglass.survey.proportion import Proportion

__all__ = ["as_json", "count", "days", "ends", "percent", "quote", "selection", "span", "span_of_counts"]


def percent(share: float, *, precise: bool = False) -> str:
    """A share in percent: whole percents from ten on, one digit below, two significant ones below one."""
    value = share * 100
    if value in {0, 100}:
        return f"{value:.0f} %"
    if precise:
        return f"{value:.2f} %" if value >= 0.1 else f"{value:.2g} %"
    if value >= 10:
        # What is not all must not be called so.
        return f"{value:.0f} %" if value < 99.5 else f"{min(value, 99.9):.1f} %"
    return f"{value:.1f} %" if value >= 1 else f"{value:.2g} %"


def ends(interval: Interval) -> tuple[str, str]:
    """Both ends of an interval of shares, with as many digits as they need to differ."""
    low, high = percent(interval.low), percent(interval.high)
    if low != high or interval.width == 0:
        return low, high
    digits = min(max(-math.floor(math.log10(interval.width * 100)), 1), 9)
    return f"{interval.low * 100:.{digits}f} %", f"{interval.high * 100:.{digits}f} %"


def span(interval: Interval) -> str:
    """An interval of shares."""
    return " to ".join(ends(interval))


def span_of_counts(interval: Interval) -> str:
    """An interval of whole things."""
    if math.isinf(interval.high):
        return f"{interval.low:,.0f} or more"
    return f"{interval.low:,.0f} to {interval.high:,.0f}"


def count(number: int, what: str, plural: str = "") -> str:
    """A number of things; the ``plural`` is ``what`` with an s unless given."""
    return f"{number:,} {what if number == 1 else plural or what + 's'}"


def days(first: dt.date, last: dt.date) -> str:
    """A stretch of days."""
    return f"{first.isoformat()} to {last.isoformat()}"


def selection(sampled: int) -> str:
    """What must be said of a sample of which nobody said that it was drawn at random."""
    first = "one" if sampled == 1 else f"{sampled:,}"
    return (
        "Nobody said that those reviewed were drawn at random, so the interval leaves out selection. The first"
        f" {first} of a list, or those that were easiest to look at, may differ from the rest by more than any"
        " interval tells."
    )


def quote(found: Proportion, *, drawn: bool) -> str:
    """What may be printed in a newspaper as it stands."""
    held = f"{found.positive:,} held private data" if found.positive else "none held private data"
    if found.sampled == found.population:
        all_of_them = "The only server was" if found.sampled == 1 else f"All {found.sampled:,} servers were"
        return f"{all_of_them} reviewed; {held}."
    many = count(found.sampled, "server")
    many = many if found.population is None else f"{found.sampled:,} of the {found.population:,} servers"
    low, high = ends(found.exact)
    between = f"between {low} and {high} of all servers hold private data{_number(found)}"
    certainty = f"with {percent(found.level)} confidence"
    if drawn:
        begin = f"Of {many}, drawn at random, {held}."
        return f"{begin} That allows to say, {certainty}, that {between}."
    verb = "was" if found.sampled == 1 else "were"
    return (
        f"{many} {verb} reviewed; {held}. If they had been drawn at random, that would allow to say,"
        f" {certainty}, that {between}; nothing says that they were, so it may be fewer or more."
    )


def _number(found: Proportion) -> str:
    if found.population is None:
        return ""
    counts = found.projected(found.exact)
    return f", that is {counts.low:,.0f} to {counts.high:,.0f} of {found.population:,}"


def as_json(value: object) -> Any:
    """Any result as JSON: dataclasses as objects with their properties, sets as sorted lists, no infinity."""
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dt.date):
        return value.isoformat()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        named = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        shown = {
            name: getattr(value, name)
            for name, member in vars(type(value)).items()
            if isinstance(member, property) and not name.startswith("_")
        }
        return {key: as_json(part) for key, part in (named | shown).items()}
    if isinstance(value, Mapping):
        return {_key(key): as_json(part) for key, part in value.items()}
    if isinstance(value, frozenset | set):
        return sorted(as_json(part) for part in value)
    if isinstance(value, tuple | list):
        return [as_json(part) for part in value]
    return value


def _key(key: object) -> str:
    """A name of a mapping: sets and pairs of names as ``a+b``."""
    if isinstance(key, frozenset):
        return "+".join(sorted(map(str, key)))
    if isinstance(key, tuple):
        return (
            " ".join(_key(frozenset(part)) if isinstance(part, tuple) else str(part) for part in key)
            or "none"
        )
    return str(key.value) if isinstance(key, enum.Enum) else str(key)
