"""What the watch judges by: what a scan saw of an endpoint, now and before, and what the register says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from leadglass.model.alert import AlertKind, Silence
from leadglass.model.endpoint import Endpoint
from leadglass.model.verdict import Severity
from leadglass.store.watch_looks import Sight

__all__ = ["Certified", "Claim", "Frame", "Shift"]


@dataclass(frozen=True, slots=True)
class Shift:
    """An endpoint that is not as it was."""

    endpoint: Endpoint
    before: Sight | None
    """None: nobody had looked."""
    after: Sight
    was_known: bool
    """Another port of the same address answered before."""


@dataclass(frozen=True, slots=True)
class Certified:
    """An endpoint that showed a certificate."""

    endpoint: Endpoint
    not_after: dt.datetime
    seen_at: int


@dataclass(frozen=True, slots=True)
class Claim:
    """One thing that is not as the register has it."""

    key: str
    """What makes two of them the same."""
    kind: AlertKind
    severity: Severity
    summary: str
    system: str | None


@dataclass(frozen=True, slots=True)
class Frame:
    """In what an alert is raised."""

    schedule: str
    scope: str
    scan: str | None
    now: int
    today: dt.date
    fail_on: Severity
    head: str
    """Of the register's chain."""
    silences: Sequence[Silence]
    new_id: Callable[[], str]
    system_at: Callable[[Endpoint], str | None]
    """The system of the register that is declared there."""
