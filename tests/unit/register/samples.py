"""A small practice: what is declared, and what scans saw."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from leadglass.model.register import (
    Management,
    Manager,
    Outcome,
    Register,
    Review,
    Risk,
    ScanTaken,
    Seen,
    SeenPort,
    System,
)
from leadglass.model.verdict import Access, Position, Severity
from leadglass.register.codec import Thing, key_of

TODAY = dt.date(2026, 11, 21)
SCAN = "01JD5Y0000000000000000000A"
AT = 1_795_237_200
"""2026-11-21T05:00:00Z."""


def system(name: str = "archive", **different: Any) -> System:
    said: dict[str, Any] = {
        "owner": "Radiology",
        "manager": Manager(Management.IN_HOUSE, "IT"),
        "addresses": ("192.0.2.10",),
        "ports": (104,),
    }
    return System(name, **{**said, **different})


def port(number: int = 104, access: Access = Access.WANTS_TITLE, **different: Any) -> SeenPort:
    return SeenPort(number, access, different.pop("severity", Severity.LOW), **different)


def seen(address: str = "192.0.2.10", *ports: SeenPort, **different: Any) -> Seen:
    said: dict[str, Any] = {"position": Position.INSIDE, "scan": SCAN, "since": AT, "ports": ports}
    return Seen(address, **{**said, **different})


def review(name: str = "archive", on: dt.date = TODAY, **different: Any) -> Review:
    said: dict[str, Any] = {"reviewer": "Ada", "outcome": Outcome.PASSED}
    return Review(name, on, **{**said, **different})


def register(things: Iterable[Thing] = ()) -> Register:
    kinds: dict[type, dict[str, Any]] = {System: {}, Review: {}, Risk: {}, Seen: {}, ScanTaken: {}}
    for thing in things:
        kinds[type(thing)][key_of(thing)[1]] = thing
    return Register(*kinds.values())


def taken(**different: Any) -> ScanTaken:
    said: dict[str, Any] = {
        "scan": SCAN,
        "began": AT,
        "position": Position.INSIDE,
        "scope": "x",
        "is_complete": True,
    }
    return ScanTaken(**{**said, **different})
