"""An order to scan: what a schedule or a person wants done, and what became of it."""

from __future__ import annotations

import enum
from dataclasses import dataclass

__all__ = ["Order", "OrderState", "Why"]


class Why(enum.StrEnum):
    """Who wants it."""

    SCHEDULE = "schedule"
    RETEST = "retest"
    """Something was said to be fixed, or an alert asks for a second look."""
    PERSON = "person"
    """Somebody asked for it, at the dashboard or the API."""


class OrderState(enum.StrEnum):
    """How far it is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    """It was begun and did not end: ``Order.trouble`` says why."""
    MISSED = "missed"
    """Nobody began it by ``Order.until``."""
    DROPPED = "dropped"
    """It was to settle an alert that something else has settled: ``Order.trouble`` says so."""


@dataclass(frozen=True, slots=True)
class Order:
    """One scan that somebody wants. Times are POSIX seconds."""

    id: str
    """A ULID."""
    schedule: str
    """The schedule that it belongs to; "" for none. One schedule has one order for one moment, whoever enters it."""
    scope_file: str
    scope_text: str
    """The scope as it read when the order was given; it is read again, and must still permit, when it runs."""
    why: Why
    due_at: int
    until: int
    """It is begun by then, or missed."""
    ports: tuple[tuple[str, int], ...] = ()
    """Only these addresses and ports of the scope; none: all of it."""
    moment: int | None = None
    """The moment of its schedule that it stands for, before jitter; None for one that stands for none."""
    asked_by: str = ""
    """The account of whoever asked, for ``Why.PERSON``."""
    state: OrderState = OrderState.WAITING
    scan: str | None = None
    """The ULID of the scan that it became."""
    began_at: int | None = None
    ended_at: int | None = None
    trouble: str = ""
    """One line: why it failed, was missed or was dropped."""
