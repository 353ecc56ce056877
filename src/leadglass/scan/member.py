"""One of the processes that ask: stretches of hosts in, sightings out.

It knows neither database nor user. It asks host after host of the stretches it is given, in the
order of the scan's permutation, and sends a stretch back when all of it is complete. What is not
complete when it must stop goes back by number, so that somebody asks it again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import TypeAlias

from leadglass.judge.judge import judge
from leadglass.model.endpoint import Endpoint
from leadglass.model.evidence import Evidence
from leadglass.model.key import pack
from leadglass.model.look import Look, look_of
from leadglass.model.rung import Rung
from leadglass.net.engine import Engine
from leadglass.ports.conversation import Visit
from leadglass.ports.world import Clock
from leadglass.probe.ladder import EndpointVisit
from leadglass.scan.messages import (
    Drop,
    Hungry,
    Message,
    Rows,
    SoFar,
    Stop,
    Task,
    Turn,
    encode,
    stretches,
)
from leadglass.scan.run import Scan
from leadglass.scope.hosts import Segment
from leadglass.scope.permutation import Permutation

__all__ = ["Member"]

_JUDGED = 4096
"""Looks remembered; a scan of millions of endpoints meets few different answers."""


_Asked: TypeAlias = Sequence[tuple[Sequence[int], Rung, str]]
"""Of one host: ports, how deep they are asked, and the title that is called there."""


class _Stretch:
    """One task while it is worked on."""

    __slots__ = ("asked", "dropped", "exhausted", "next", "open", "rows", "task", "told")

    def __init__(self, task: Task) -> None:
        self.task = task
        self.asked = self.told = 0
        """Endpoints that are complete, and how many of them the foreman has heard of."""
        self.next = task.first
        self.open: dict[int, int] = {}
        """Endpoints to come of each host, by position. A host is kept when all of its endpoints are complete."""
        self.rows = Rows()
        self.exhausted = False
        self.dropped = False


class _Visit(EndpointVisit):
    """A visit that knows where it belongs."""

    __slots__ = ("of",)

    of: tuple[_Stretch, int, bytes]
    """The stretch, the position in it, the packed address."""


class _Judged:
    """The look at some evidence, and its number in the rows that had it last."""

    __slots__ = ("evidence", "look", "number", "rows")

    def __init__(self, evidence: tuple[Evidence, ...], look: Look) -> None:
        self.evidence = evidence
        self.look = look
        self.rows: Rows | None = None
        self.number = 0


class Member:
    """Works off the orders that ``order`` is given, until ``Stop``; ``send`` takes what it has to say."""

    def __init__(
        self,
        scan: Scan,
        permutation: Permutation,
        *,
        engine: Engine,
        clock: Clock,
        send: Callable[[bytes], None],
        tool: str,
    ) -> None:
        self._scan = scan
        self._engine = engine
        self._hosts = scan.scope.hosts()
        self._permutation = permutation
        self._clock = clock
        self._send = send
        self._orders: deque[Message] = deque()
        self._tasks: deque[_Stretch] = deque()
        self._at_work: dict[int, _Stretch] = {}
        self._stopping = False
        self._asked: dict[Segment, _Asked] = {}
        self._looks: dict[tuple[int, Rung, int], _Judged] = {}
        self._look = lru_cache(maxsize=_JUDGED)(self._judged)
        self._tool = tool
        self._told_at = int(clock.posix())

    def order(self, message: Message) -> None:
        """Take an order; safe to call from another thread."""
        if isinstance(message, Turn):
            self._engine.turn(message.rate)
        elif isinstance(message, Stop):
            self._stopping = True
            self._engine.stop()
        else:
            self._orders.append(message)

    def run(self) -> None:
        """Ask until told to stop, and until what can still be kept was sent."""
        self._engine.run(self._visits(), self._done)
        for stretch in list(self._at_work.values()):
            self._give_back(stretch)
        for stretch in self._tasks:
            self._give_back(stretch)

    # Orders.

    def _obey(self) -> None:
        while self._orders:
            message = self._orders.popleft()
            if isinstance(message, Task):
                self._tasks.append(_Stretch(message))
            elif isinstance(message, Drop):
                self._drop(frozenset(message.shards))

    def _drop(self, shards: frozenset[int]) -> None:
        for stretch in [*self._tasks, *self._at_work.values()]:
            if stretch.task.shard in shards:
                stretch.dropped = True
                self._at_work.pop(stretch.task.shard, None)
        self._tasks = deque(stretch for stretch in self._tasks if not stretch.dropped)

    # Visits out.

    def _visits(self) -> Iterator[_Visit | None]:
        questions, names = self._scan.questions, self._scan.scope.named_addresses
        while self._goes_on():
            self._obey()
            if not self._tasks:
                self._tell_at(int(self._clock.posix()))
                yield None
                continue
            stretch = self._begun()
            for address, packed, asked, count in self._hosts_of(stretch.task):
                if self._orders:
                    self._obey()
                if self._stopping or stretch.dropped:
                    break
                position = stretch.next
                stretch.next = position + 1
                stretch.open[position] = count
                name, of = names.get(address), (stretch, position, packed)
                for ports, rung, called_ae in asked:
                    for port in ports:
                        visit = _Visit(Endpoint(address, port, name), rung, questions, called_ae)
                        visit.of = of
                        yield visit
            stretch.exhausted = True
            self._sent_if_complete(stretch)

    def _goes_on(self) -> bool:
        return not self._stopping

    def _begun(self) -> _Stretch:
        stretch = self._tasks.popleft()
        self._at_work[stretch.task.shard] = stretch
        if not self._tasks:
            self._send(encode(Hungry()))
        return stretch

    def _hosts_of(self, task: Task) -> Iterator[tuple[str, bytes, _Asked, int]]:
        """The hosts at the task's positions: address, the same packed, what they are asked, at how many ports."""
        if task.listed is not None:
            for address, ports in task.listed:
                listed = [
                    ((port,), *self._scan.depth_and_title(self._scan.scope.grant(address, port)))
                    for port in ports
                ]
                yield address, _packed(address), listed, len(listed)
            return
        for number in self._permutation.stretch(task.first, task.after):
            address, packed, segment = self._hosts.at(number)
            asked = self._asked.get(segment)
            if asked is None:
                asked = [(ports, *self._scan.depth_and_title(grant)) for ports, grant in segment.asked]
                self._asked[segment] = asked
            yield address, packed, asked, segment.count

    def _packed_at(self, task: Task, position: int) -> bytes:
        if task.listed is None:
            return self._hosts.at(self._permutation.at(position))[1]
        return _packed(task.listed[position - task.first][0])

    # Sightings back.

    def _done(self, visit: Visit) -> None:
        assert isinstance(visit, _Visit)
        stretch, position, packed = visit.of
        rows, port = stretch.rows, visit.endpoint.port
        look = self._look_at(visit.evidence, visit.rung, port, rows)
        moment = int(self._clock.posix())
        rows.add(packed, port, moment, visit.seen_from, look)
        if visit.denial is not None:
            return  # The host stays open: somebody asks it again when that is permitted.
        stretch.asked += 1
        if moment != self._told_at:
            self._tell_at(moment)
        left = stretch.open[position] - 1
        if left:
            stretch.open[position] = left
        else:
            del stretch.open[position]
            if stretch.exhausted:
                self._sent_if_complete(stretch)

    def _tell_at(self, moment: int) -> None:
        """Say how far the stretches are, at most once in each second."""
        if moment == self._told_at:
            return
        self._told_at = moment
        grown = [stretch for stretch in self._at_work.values() if stretch.asked != stretch.told]
        for stretch in grown:
            stretch.told = stretch.asked
        if grown:
            self._send(encode(SoFar(tuple((stretch.task.shard, stretch.asked) for stretch in grown))))

    def _sent_if_complete(self, stretch: _Stretch) -> None:
        if not stretch.open and not stretch.dropped and stretch.next == stretch.task.after:
            del self._at_work[stretch.task.shard]
            self._send(stretch.rows.encoded(stretch.task.shard))

    def _give_back(self, stretch: _Stretch) -> None:
        task, unfinished = stretch.task, sorted(stretch.open)
        rest = [*stretches(unfinished)]
        if stretch.next < task.after:
            rest.append((stretch.next, task.after))
        if unfinished:
            stretch.rows.leave_out({self._packed_at(task, position) for position in unfinished})
        self._send(stretch.rows.encoded(task.shard, rest))

    def _look_at(self, evidence: tuple[Evidence, ...], rung: Rung, port: int, rows: Rows) -> int:
        """The number in ``rows`` of the look at this."""
        # Endpoints that end alike share one tuple of evidence, and a number is quicker to hash than what it holds.
        key = (id(evidence), rung, port)
        judged = self._looks.get(key)
        if judged is None:
            if len(self._looks) >= _JUDGED:
                self._looks.clear()
            judged = self._looks[key] = _Judged(evidence, self._look(evidence, rung, port))
        if judged.rows is not rows:
            judged.rows, judged.number = rows, rows.number(judged.look)
        return judged.number

    def _judged(self, evidence: tuple[Evidence, ...], rung: Rung, port: int) -> Look:
        verdict = judge(evidence, rung=rung, position=self._scan.scope.position, port=port)
        return look_of(evidence, verdict, rung, self._tool)


def _packed(address: str) -> bytes:
    return pack(address, 0)[:-2]
