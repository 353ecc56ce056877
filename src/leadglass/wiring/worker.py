"""One more worker: takes part in whatever scans others begin in the same database, until told to stop.

It is woken by the queue, and looks by itself now and then, because a wake-up may be lost with the worker
that had it. It stays through everything that may mend itself: a database that is away, hours that are over.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
from collections.abc import Callable

from leadglass import wiring
from leadglass.errors import LeadglassError, ResourceError, ScopeError
from leadglass.scan.foreman import Foreman, Outcome
from leadglass.store.database import Database
from leadglass.store.scans import StoredScan, complete, open_scans
from leadglass.store.wakeups import Listener
from leadglass.wiring.session import run, scope_in

__all__ = ["Worker"]

_LOOK = 15.0
"""Seconds after which it looks for scans without having been woken."""
_PAUSE = 5.0
"""Seconds until it tries again what failed."""
_QUIET = 60.0
"""Seconds in which the same trouble is not told again."""
_GOODBYE = 3.0
"""Seconds that the listener has to end."""
_ANSWERED = 1.0
"""Seconds between two looks whether anybody is left to answer a wake-up."""
_LOUD = ("procrastinate", "psycopg", "asyncio")
"""Libraries that log each lost connection, with its traceback. What a user needs to know is said in one line."""


class Worker:
    """Works at the scans in ``database`` as the vantage point ``place``; ``say`` takes what a user should know."""

    def __init__(self, database: Database, place: str, say: Callable[[str], None]) -> None:
        self._database = database
        self._place = place
        self._say = say
        self._clock = wiring.clock()
        # A queue that a signal handler may put into; None: told to stop.
        self._bell: queue.SimpleQueue[threading.Event | None] = queue.SimpleQueue()
        self._unanswered: list[threading.Event] = []
        self._foreman: Foreman | None = None
        self._stopping = False
        self._ended = False
        self._quiet_until = 0.0
        self._left_out: dict[int, str] = {}
        """Scans that may not be worked at now, and why."""

    def run(self) -> None:
        """Work until ``stop``; ``ConfigError`` if the database can no longer be used."""
        for name in _LOUD:
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        listener = Listener(self._database, self._place, self._woken, self._lost)
        thread = threading.Thread(target=listener.run, daemon=True)
        thread.start()
        try:
            while not self._stopping:
                self._rest(deaf=not self._drained())
        finally:
            self._ended = True
            self._answer()
            listener.stop()
            thread.join(_GOODBYE)

    def stop(self) -> None:
        """End soon, keeping what is complete and giving back the rest; safe to call from a signal handler."""
        self._stopping = True
        self._bell.put(None)
        if self._foreman is not None:
            self._foreman.stop()

    # Waking.

    def _woken(self) -> None:
        """Return when whatever there was to do when this was called is done; called in the listener's thread."""
        answered = threading.Event()
        self._bell.put(answered)
        while not (self._ended or answered.wait(_ANSWERED)):
            pass

    def _rest(self, *, deaf: bool) -> None:
        """Wait until woken, or told to stop, or for a while. After trouble, wake-ups change nothing."""
        until = self._clock.monotonic() + (_PAUSE if deaf else _LOOK)
        while not self._stopping and (left := until - self._clock.monotonic()) > 0:
            with contextlib.suppress(queue.Empty):
                ring = self._bell.get(timeout=left)
                if ring is not None:
                    self._unanswered.append(ring)
            if self._unanswered and not deaf:
                return

    def _answer(self) -> None:
        for ring in self._unanswered:
            ring.set()
        self._unanswered.clear()

    # Working.

    def _drained(self) -> bool:
        """Work at each scan until nothing is left for this place; False if that failed for now."""
        try:
            for stored in open_scans(self._database, self._place):
                if self._stopping:
                    break
                if self._may_be_worked_at(stored):
                    self._work_at(stored)
        except ResourceError as error:
            self._lost(error)
            return False
        self._answer()
        return True

    def _work_at(self, stored: StoredScan) -> None:
        counts: list[int] = []
        outcome = run(self._database, stored, self._place, counts.append, self._begin)
        self._foreman = None
        if outcome is Outcome.COMPLETE:
            complete(self._database, stored)
            self._say(f"scan {stored.plan.ulid}: {sum(counts):,} endpoints from here, none left")
        else:
            self._may_be_worked_at(stored)

    def _begin(self, foreman: Foreman) -> None:
        self._foreman = foreman
        if self._stopping:
            foreman.stop()

    def _may_be_worked_at(self, stored: StoredScan) -> bool:
        """Whether the scope permits it now; says once why not."""
        why = self._why_not(stored)
        if why is None:
            self._left_out.pop(stored.id, None)
        elif self._left_out.get(stored.id) != why:
            self._left_out[stored.id] = why
            self._say(f"scan {stored.plan.ulid}: {why}")
        return why is None

    def _why_not(self, stored: StoredScan) -> str | None:
        try:
            scope = scope_in(stored.plan)
        except ScopeError as error:
            return f"left out: {error}"
        if not scope.stretch(self._clock.posix()).is_open:
            return f"left for now: outside the hours {scope.limits.hours_text}"
        return None

    def _lost(self, error: LeadglassError) -> None:
        """Say what is wrong, once: it is tried again until it is right."""
        now = self._clock.monotonic()
        is_new, self._quiet_until = now >= self._quiet_until, now + _QUIET
        if is_new and not self._stopping:
            self._say(str(type(error)(error.what, where=error.where, then="trying again until it works")))
