"""Keeps the tables up to date that pages are read from, beside whoever shows them."""

from __future__ import annotations

import threading
from collections.abc import Callable

from leadglass import wiring
from leadglass.errors import LeadglassError
from leadglass.store.current import refresh
from leadglass.store.database import Database

__all__ = ["keep_current"]

_SOONEST = 2.0
"""Seconds between two looks at what scans have found."""
_SHARE = 10
"""Each refresh is followed by so many times what it took: a scan that goes on is not read without pause."""


def keep_current(database: Database, end: threading.Event, say: Callable[[str], None]) -> None:
    """Take in what scans find, until ``end``. What fails is said once, and tried again."""
    said, clock = "", wiring.clock()
    while not end.is_set():
        began = clock.monotonic()
        try:
            refresh(database)
            said = ""
        except LeadglassError as exc:
            if str(exc) != said:
                said = str(exc)
                say(f"the lists of servers are not up to date: {exc}")
        end.wait(max(_SOONEST, _SHARE * (clock.monotonic() - began)))
