"""What a decision may stand on: parts of a study and of the circumstances, first as they are, then in Cedar's form.

As they are, they make the key under which a decision is remembered, and Cedar is shown what the key
says and nothing else: a remembered decision cannot depend on something that the key leaves out.

What could not be had is left out, and so is what no archive should send: a value without end, text
that is no text, a date that is none. A policy then finds nothing there, and an unlabelled study is
denied.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from leadglass.access.addresses import address
from leadglass.access.names import physician_key
from leadglass.model.access import Circumstances, Principal

__all__ = ["CONTEXT", "STUDY", "Json", "Part", "context", "part", "principal_attributes", "study_attributes"]

Json: TypeAlias = Any
"""What ``json.dumps`` takes."""
Part: TypeAlias = Any
"""A part as it is: hashable."""

_LONGEST = 1024
"""Characters in a value; the longest of an attribute by the standard is a PN of 3 x 64 (PS3.5 6.2)."""
_MOST = 256
"""Values in a set."""
_DA = re.compile(r"[0-9]{8}")


def _text(value: str | None) -> Json:
    return value if value and _sound(value) else None


def _name(value: str | None) -> Json:
    return _text(physician_key(value)) if value and len(value) <= _LONGEST else None


def _words(values: Iterable[str]) -> Json:
    words = sorted(values)
    return words if 0 < len(words) <= _MOST and all(map(_sound, words)) else None


def _names(values: frozenset[str]) -> Json:
    return _words(frozenset(map(physician_key, values))) if len(values) <= _MOST else None


def _sound(text: str) -> bool:
    # A lone surrogate stands for a byte that could not be decoded; Cedar refuses it.
    return len(text) <= _LONGEST and not any("\ud800" <= character <= "\udfff" for character in text)


def _date(value: str | None) -> Json:
    if value is None or not _DA.fullmatch(value):
        return None
    try:
        return _day(dt.date(int(value[:4]), int(value[4:6]), int(value[6:])))
    except ValueError:
        return None


def _day(value: dt.date) -> Json:
    # Written as if it were UTC: a study's date has no zone, and it is compared with today's.
    return _extension("datetime", value.isoformat())


def _moment(value: dt.datetime) -> Json:
    return _extension("datetime", value.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))


def _address(value: str) -> Json:
    return _extension("ip", str(address(value)))


def _extension(function: str, argument: str) -> Json:
    return {"__extn": {"fn": function, "arg": argument}}


def _as_it_is(value: Json) -> Json:
    return value


STUDY: Mapping[str, Callable[[Any], Json]] = {
    "patient_id": _text,
    "accession_number": _text,
    "study_date": _date,
    "modalities": _words,
    "institution": _text,
    "referring_physician": _name,
    "performing_physicians": _names,
    "labels": _words,
    "station": _text,
}
"""The attributes of a study, by the name that policies and ``Study`` have for them, and how Cedar takes them."""

CONTEXT: Mapping[str, Callable[[Any], Json]] = {
    "address": _address,
    "moment": _moment,
    "today": _day,
    "hour": _as_it_is,
    "weekday": _as_it_is,
    "certificate": _as_it_is,
    "device": _as_it_is,
    "emergency": _as_it_is,
}
"""The parts of the context, and how Cedar takes them."""

_ON_THE_WALL: Mapping[str, Callable[[dt.datetime], Part]] = {
    "today": dt.datetime.date,
    "hour": lambda moment: moment.hour,
    "weekday": dt.datetime.isoweekday,
}


def part(name: str, circumstances: Circumstances, zone: dt.tzinfo) -> Part:
    """One part of the context as it is; None where there is none."""
    on_the_wall = _ON_THE_WALL.get(name)
    if on_the_wall is not None:
        return on_the_wall(circumstances.moment.astimezone(zone))
    value = getattr(circumstances, name)
    # An empty reason is none. An empty address is no address, and nothing is decided without one.
    return value if value or name == "address" else None


def context(parts: Mapping[str, Part]) -> dict[str, Json]:
    """Those parts that there are, as Cedar takes them; ``ValueError`` where the address is none."""
    return {name: CONTEXT[name](value) for name, value in parts.items() if value is not None}


def study_attributes(values: Mapping[str, Part]) -> dict[str, Json]:
    """Those attributes that could be had, as Cedar takes them."""
    taken = ((name, STUDY[name](value)) for name, value in values.items())
    return {name: value for name, value in taken if value is not None}


def principal_attributes(principal: Principal) -> dict[str, Json]:
    """All attributes of a principal. An empty word is left out, so that it equals no other."""
    sets = ("roles", "titles", "institutions", "modalities", "labels")
    return {
        "name": principal.name,
        "physician_names": sorted(filter(None, map(physician_key, principal.physician_names))),
        **{name: sorted(filter(None, getattr(principal, name))) for name in sets},
    }
