"""Hands out the shards of a scan to the processes that ask, and writes down what they send back.

The store decides: a shard is ours while its lease lasts, and what was seen in it counts when it was
written under that lease. So it does not matter who dies when: what was not written is asked again.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from leadglass.errors import ResourceError
from leadglass.ports.world import Clock
from leadglass.scan.messages import Drop, Hungry, Message, Result, SoFar, Stop, Task, Trouble, Turn
from leadglass.scope.scope import Scope
from leadglass.store.work import Shard, Work

__all__ = ["LEASE", "Crew", "Errands", "Foreman", "Outcome"]

LEASE = 12.0
"""Seconds that a worker may be silent before others take over what it holds."""
_RENEWALS = 4
"""Renewals in the time of a lease."""
_TICK = 0.1
"""Longest wait for a message, in seconds."""
_PAUSE = 0.5
"""Seconds until the store is asked again for a shard, or tried again after it failed."""
_NOTES = 1.0
"""Seconds between two notes of how far the shards in hand are."""
_AHEAD = 2
"""Shards that a process has at once, so that it never waits for the next."""
_GOODBYE = 15.0
"""Seconds that processes have to end."""


class Outcome(enum.Enum):
    """Why a foreman is done."""

    COMPLETE = enum.auto()
    """Nothing is left to do from this place."""
    STOPPED = enum.auto()
    """Somebody said so."""
    CLOSED = enum.auto()
    """The scope's hours are over."""


class Crew(Protocol):
    """The processes that ask."""

    size: int

    def send(self, member: int, message: Message) -> None:
        """Tell a member something; one that has gone hears nothing."""
        ...

    def receive(self, timeout: float) -> tuple[int, Message | None] | None:
        """What a member says, waiting at most ``timeout`` seconds; None from a member: it has gone."""
        ...


@dataclass(frozen=True, slots=True)
class Errands:
    """What a foreman leaves to others."""

    seen: Callable[[int], None]
    """Told how many endpoints more were asked; less than none if it was in vain, and they are asked again."""
    task: Callable[[Shard], Task]
    """What a shard means to a member."""
    left: Callable[[], bool]
    """Whether this place has anything left to do, or to take over."""
    patient: bool
    """Whether the store may come back by itself: it is another machine."""


class Foreman:
    """Runs one scan from one place until nothing is left, or until told to stop."""

    def __init__(
        self,
        work: Work,
        crew: Crew,
        scope: Scope,
        clock: Clock,
        errands: Errands,
    ) -> None:
        self._work = work
        self._crew = crew
        self._scope = scope
        self._clock = clock
        self._errands = errands
        self._held: dict[int, Shard] = {}
        self._with: dict[int, int] = {}
        """Shard number to the member that has it."""
        self._asked: dict[int, int] = {}
        """Endpoints asked so far of each shard that is held, as its member told."""
        self._news: set[int] = set()
        """The shards of which the store is to hear that."""
        self._hungry = deque([*range(crew.size)] * _AHEAD)
        self._results: deque[Result] = deque()
        self._gone: set[int] = set()
        self._trouble: ResourceError | None = None
        self._stopping = False
        self._is_complete = self._found_none = self._has_share = False
        self._ask_at = self._renew_at = self._note_at = 0.0
        self._lease_ends = clock.monotonic() + LEASE

    def stop(self) -> None:
        """End soon, keeping what is complete; safe to call from a signal handler."""
        self._stopping = True

    def run(self) -> Outcome:
        """Work until there is nothing left; ``ResourceError`` when the store or a process fails for good."""
        try:
            outcome = self._until_done()
        except ResourceError as exc:
            outcome, self._trouble = Outcome.STOPPED, exc
        self._wind_up()
        if self._trouble is not None:
            raise self._trouble
        return outcome

    def _until_done(self) -> Outcome:
        while True:
            self._hear(_TICK if self._held else _TICK / 4)
            if self._stopping or self._trouble:
                return Outcome.STOPPED
            if not self._scope.stretch(self._clock.posix()).is_open:
                return Outcome.CLOSED
            for act in (self._renew, self._write, self._note, self._hand_out, self._conclude):
                self._in_time(act)
            if self._is_complete:
                return Outcome.COMPLETE

    # What members say.

    def _hear(self, timeout: float) -> bool:
        """Take in one message and all that have come meanwhile; False if there was none."""
        heard = self._crew.receive(timeout)
        if heard is None:
            return False
        while heard is not None:
            self._take_in(*heard)
            heard = self._crew.receive(0.0)
        return True

    def _take_in(self, member: int, message: Message | None) -> None:
        match message:
            case Hungry():
                self._hungry.append(member)
            case Result():
                self._results.append(message)
            case SoFar(asked=asked):
                self._hear_of(asked)
            case Trouble(what=what, then=then):
                self._trouble = ResourceError(what, then=then or "leadglass scan --resume goes on with it")
            case None:
                self._gone.add(member)
                if not self._stopping and self._trouble is None:
                    self._trouble = ResourceError(
                        "a scanning process ended by itself", then="leadglass scan --resume goes on with it"
                    )

    def _hear_of(self, asked: Sequence[tuple[int, int]]) -> None:
        for shard, endpoints in asked:
            if shard in self._held:
                self._count(shard, endpoints)
                self._news.add(shard)

    def _count(self, shard: int, endpoints: int) -> None:
        """So many endpoints of ``shard`` are asked by now."""
        self._errands.seen(endpoints - self._asked.get(shard, 0))
        self._asked[shard] = endpoints

    def _forget(self, shard: int) -> None:
        self._held.pop(shard, None)
        self._asked.pop(shard, None)
        self._news.discard(shard)

    # What the store is told.

    def _in_time(self, act: Callable[[], None]) -> None:
        """Do something with the store; if it fails, it is tried again as long as our leases last."""
        now = self._clock.monotonic()
        try:
            act()
        except ResourceError:
            if now >= self._lease_ends or not self._errands.patient:
                raise
            self._ask_at = self._renew_at = self._note_at = now + _PAUSE

    def _renew(self) -> None:
        now = self._clock.monotonic()
        if now < self._renew_at or not self._held:
            return
        renewal = self._work.renew(list(self._held.values()))
        # Who got nothing yet asks soon again whether others have made room.
        self._renew_at = now + (LEASE / _RENEWALS if renewal.rate else _PAUSE)
        self._has_share, self._lease_ends = True, now + LEASE
        for member in range(self._crew.size):
            self._crew.send(member, Turn(renewal.rate / self._crew.size, self._lease_ends))
        if renewal.lost:
            self._drop(renewal.lost)

    def _drop(self, lost: frozenset[int]) -> None:
        for number in lost:
            self._count(number, 0)
            self._forget(number)
            self._crew.send(self._with[number], Drop((number,)))
            self._hungry.append(self._with[number])

    def _write(self) -> None:
        while self._results:
            result = self._results[0]
            shard = self._held.get(result.shard)
            is_kept = shard is not None and self._work.finish(shard, result.sightings, result.rest)
            self._count(result.shard, len(result.sightings) if is_kept else 0)
            self._forget(result.shard)
            self._results.popleft()

    def _note(self) -> None:
        now = self._clock.monotonic()
        if not self._news or now < self._note_at:
            return
        self._work.note([(self._held[number], self._asked[number]) for number in sorted(self._news)])
        self._news.clear()
        self._note_at = now + _NOTES

    def _hand_out(self) -> None:
        now = self._clock.monotonic()
        while self._hungry and now >= self._ask_at:
            shard = self._work.take()
            if shard is None:
                self._ask_at, self._found_none = now + _PAUSE, True
                return
            task = self._errands.task(shard)  # If the store fails here, the shard's lease just runs out.
            member = self._hungry.popleft()
            self._held[shard.number], self._with[shard.number] = shard, member
            self._crew.send(member, task)

    def _conclude(self) -> None:
        """Nothing was free and nothing is in hand: see, once each time, whether others still have something."""
        if self._found_none and not (self._held or self._results):
            self._is_complete = not self._errands.left()
            self._found_none = False
            if not self._is_complete:
                self._rest()

    def _rest(self) -> None:
        """Let those who have something use our share of the rate."""
        self._lease_ends = self._clock.monotonic() + LEASE
        if self._has_share:
            for member in range(self._crew.size):
                self._crew.send(member, Turn(0.0, self._lease_ends))
            self._work.leave()
            self._has_share, self._renew_at = False, 0.0

    # The end.

    def _wind_up(self) -> None:
        self._stopping = True
        for member in range(self._crew.size):
            self._crew.send(member, Stop())
        deadline = self._clock.monotonic() + _GOODBYE
        while len(self._gone) < self._crew.size and self._clock.monotonic() < deadline:
            self._hear(_TICK)
        try:
            self._write()
            self._work.leave()
        except ResourceError as exc:
            self._trouble = self._trouble or exc
