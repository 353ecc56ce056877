"""One of the processes that ask: stretches of hosts in, sightings out.

It knows neither database nor user. It asks host after host of the stretches it is given, in the
order of the scan's permutation, and sends a stretch back when all of it is complete. What is not
complete when it must stop goes back by number, so that somebody asks it again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from functools import lru_cache

from leadglass.judge.judge import judge
from leadglass.model.endpoint import Endpoint
from leadglass.model.evidence import Evidence
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
    Stop,
    Task,
    Turn,
    encode,
    stretches,
)
from leadglass.scan.run import Scan
from leadglass.scope.hosts import Host
from leadglass.scope.permutation import Permutation

__all__ = ["Member"]

_JUDGED = 4096
"""Looks remembered; a scan of millions of endpoints meets few different answers."""


class _Stretch:
    """One task while it is worked on."""

    __slots__ = ("dropped", "exhausted", "next", "open", "rows", "task")

    def __init__(self, task: Task) -> None:
        self.task = task
        self.next = task.first
        self.open: dict[int, _HostVisit] = {}
        """Hosts by position, until all of their endpoints are complete."""
        self.rows = Rows()
        self.exhausted = False
        self.dropped = False


class _HostVisit:
    """One host, until all of its endpoints are complete: what is kept is kept of all of them."""

    __slots__ = ("denied", "left", "packed", "position", "seen", "stretch")

    def __init__(self, stretch: _Stretch, position: int, packed: bytes, left: int) -> None:
        self.stretch = stretch
        self.position = position
        self.packed = packed
        self.left = left
        self.denied = False
        self.seen: list[tuple[bytes, int, str | None, Look]] = []


class _Visit(EndpointVisit):
    """A visit that knows its host."""

    of: _HostVisit


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
        self._looks: dict[tuple[int, Rung, int], tuple[tuple[Evidence, ...], Look]] = {}
        self._look = lru_cache(maxsize=_JUDGED)(self._judged)
        self._tool = tool

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
        while not self._stopping:
            self._obey()
            if not self._tasks:
                yield None
                continue
            stretch = self._tasks.popleft()
            self._at_work[stretch.task.shard] = stretch
            if not self._tasks:
                self._send(encode(Hungry()))
            yield from self._of_stretch(stretch)
            stretch.exhausted = True
            self._sent_if_complete(stretch)

    def _of_stretch(self, stretch: _Stretch) -> Iterator[_Visit]:
        scan = self._scan
        for position in range(stretch.task.first, stretch.task.after):
            if self._orders:
                self._obey()
            if self._stopping or stretch.dropped:
                return
            host = self._host(stretch.task, position)
            stretch.next = position + 1
            place = _HostVisit(stretch, position, host.packed, len(host.ports))
            stretch.open[position] = place
            name = scan.scope.name_of(host.address)
            for port in host.ports:
                cell = host.cell
                grant = scan.scope.grant(host.address, port) if cell is None else cell.grant(port)
                rung, called_ae = scan.depth_and_title(grant)
                visit = _Visit(Endpoint(host.address, port, name), rung, scan.questions, called_ae)
                visit.of = place
                yield visit

    def _host(self, task: Task, position: int) -> Host:
        if task.listed is None:
            return self._hosts.at(self._permutation.at(position))
        address, ports = task.listed[position - task.first]
        return Host.of(address, ports)

    # Sightings back.

    def _done(self, visit: Visit) -> None:
        assert isinstance(visit, _Visit)
        place = visit.of
        if visit.denial is not None:
            place.denied = True
        endpoint = visit.endpoint
        key = place.packed + endpoint.port.to_bytes(2, "big")
        look = self._look_at(visit.evidence, visit.rung, endpoint.port)
        place.seen.append((key, int(self._clock.posix()), visit.seen_from, look))
        place.left -= 1
        if not place.left:
            self._host_done(place)

    def _host_done(self, place: _HostVisit) -> None:
        stretch = place.stretch
        if place.denied:
            return  # It stays open: somebody asks it again when that is permitted.
        del stretch.open[place.position]
        for row in place.seen:
            stretch.rows.add(*row)
        if stretch.exhausted:
            self._sent_if_complete(stretch)

    def _sent_if_complete(self, stretch: _Stretch) -> None:
        if not stretch.open and not stretch.dropped and stretch.next == stretch.task.after:
            del self._at_work[stretch.task.shard]
            self._send(stretch.rows.encoded(stretch.task.shard))

    def _give_back(self, stretch: _Stretch) -> None:
        rest = [*stretches(sorted(stretch.open))]
        if stretch.next < stretch.task.after:
            rest.append((stretch.next, stretch.task.after))
        self._send(stretch.rows.encoded(stretch.task.shard, rest))

    def _look_at(self, evidence: tuple[Evidence, ...], rung: Rung, port: int) -> Look:
        # Endpoints that end alike share one tuple of evidence, and a number is quicker to hash than what it holds.
        key = (id(evidence), rung, port)
        known = self._looks.get(key)
        if known is None:
            if len(self._looks) >= _JUDGED:
                self._looks.clear()
            known = self._looks[key] = (evidence, self._look(evidence, rung, port))
        return known[1]

    def _judged(self, evidence: tuple[Evidence, ...], rung: Rung, port: int) -> Look:
        verdict = judge(evidence, rung=rung, position=self._scan.scope.position, port=port)
        return look_of(evidence, verdict, rung, self._tool)
