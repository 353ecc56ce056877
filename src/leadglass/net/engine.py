"""The one engine: many conversations over many connections, in one thread.

It performs what conversations ask for (send, wake, close) and nothing else: it knows no
protocol. It asks the gate for a permit at each connect, keeps the pace, and opens one
connection at a time per endpoint, because a visit hands out one conversation at a time.
"""

from __future__ import annotations

import errno
import heapq
import itertools
import math
import socket
from collections import deque
from collections.abc import Callable, Iterator

from leadglass.errors import ResourceError, ScopeDenied
from leadglass.net.dial import dial, loss_of
from leadglass.net.pace import Pace, RoundTrip, TokenBucket
from leadglass.net.poller import FAILED, HANGUP, READ, WRITE, Poller, best_poller
from leadglass.net.roster import Roster
from leadglass.ports.conversation import Conversation, Gate, Loss, Step, Visit
from leadglass.ports.world import Clock

__all__ = ["Engine"]

_CHUNK = 16384
_TICK = 0.05
"""Seconds between two looks at who has waited too long, and the longest wait for the network."""
_RETRY = 0.1
"""Seconds to wait when this machine has run out of descriptors or local ports."""
_READS = 16
"""Reads from one connection in one turn: a peer that sends without end keeps nobody else waiting."""
_OPENINGS = 64
"""Connections opened in one turn: answers that have come are not kept waiting for more questions."""
_READABLE = READ | HANGUP

_CONNECTING, _OPEN, _CLOSING, _DONE = range(4)
"""Stages of a connection. One that closes has something to send first."""


class _Flight:
    """One open connection."""

    __slots__ = ("conversation", "dies_at", "fd", "out", "sock", "stage", "visit", "wake_at")

    def __init__(
        self,
        sock: socket.SocketType,
        visit: Visit,
        conversation: Conversation,
        wake_at: float,
        dies_at: float,
    ) -> None:
        self.sock = sock
        self.fd = sock.fileno()
        self.visit = visit
        self.conversation = conversation
        self.wake_at = wake_at
        self.dies_at = dies_at
        self.out = b""
        self.stage = _CONNECTING


class Engine:
    """Runs visits, each of them one connection at a time, within the gate and the pace."""

    def __init__(
        self, gate: Gate, clock: Clock, pace: Pace | None = None, poller: Poller | None = None
    ) -> None:
        self._gate = gate
        self._clock = clock
        self._pace = pace or Pace()
        self._poller = poller or best_poller()
        self._must_tell = self._poller.must_be_told
        self._flights: dict[int, _Flight] = {}
        self._later: list[tuple[float, int, Visit, Conversation]] = []
        self._ready: deque[tuple[Visit, Conversation]] = deque()
        self._roster = Roster(self._pace)
        self._unread: dict[_Flight, int] = {}
        """Connections with more to read than one turn allows: an edge-triggered poller tells it once."""
        self._bucket = TokenBucket(self._pace.rate, clock.monotonic())
        self._round_trip = RoundTrip(self._pace.connect_timeout)
        self._serial = itertools.count()
        self._begun = 0
        self._sweep_at = self._sampled_at = self._gives_up_at = 0.0
        self._source: Iterator[Visit | None] = iter(())
        self._source_rests_until = 0.0
        """Infinity once there is nothing more in it."""
        self._stopping = False
        self._new_rate: float | None = None
        self.connections = 0
        """Connections opened so far, for the progress display and the record of gentleness."""

    def run(self, visits: Iterator[Visit | None], done: Callable[[Visit], None]) -> None:
        """Run every visit to its end, calling ``done`` with each as it completes.

        ``visits`` gives None when it has nothing just now; it is asked again soon. Returns when all are
        complete, or after ``stop``, when those in flight have said goodbye and are dropped: an
        unfinished visit is never reported.
        """
        self._source = visits
        self._done = done
        try:
            while not self._stopping and self._turn():
                pass
        finally:
            self._hang_up()
            self._poller.close()

    def stop(self) -> None:
        """End soon; safe to call from a signal handler or another thread."""
        self._stopping = True

    def turn(self, rate: float) -> None:
        """Open ``rate`` new connections a second from now on, 0 for none; safe to call from another thread."""
        self._new_rate = rate

    # One turn of the loop.

    def _turn(self) -> bool:
        now = self._clock.monotonic()
        if self._new_rate is not None:
            rate, self._new_rate = self._new_rate, None
            self._bucket.turn(rate, now)
        self._admit(now)
        if not self._begun and not self._roster.waiting and self._source_rests_until == math.inf:
            return False
        ready = self._poller.ready(self._patience(now))
        now = self._clock.monotonic()
        if self._unread:
            self._read_on(now)
        flights = self._flights
        for fd, mask in ready:
            flight = flights.get(fd)
            if flight is None:
                continue
            if flight.stage == _CONNECTING or flight.out:
                self._write_on(flight, mask, now)
            if mask & _READABLE and self._read(flight, mask, now):
                self._unread[flight] = mask
        if now >= self._sweep_at:
            self._sweep_at = now + _TICK
            self._sweep(now)
        return True

    def _patience(self, now: float) -> float:
        if self._unread:
            return 0.0
        if self._ready:
            return min(_TICK, self._bucket.wait(now))
        if self._begun < self._pace.in_flight and self._more(now):
            return 0.0
        return _TICK

    def _more(self, now: float) -> bool:
        """Whether another visit may be there for the taking."""
        return self._source_rests_until <= now and self._roster.waiting < self._pace.in_flight

    # Beginning visits and connections.

    def _admit(self, now: float) -> None:
        while self._later and self._later[0][0] <= now:
            _, _, visit, conversation = heapq.heappop(self._later)
            self._ready.append((visit, conversation))
        allowed = min(self._bucket.tokens(now), _OPENINGS)
        if allowed < 1:
            return
        moment, before = self._clock.posix(), self.connections
        until = before + allowed
        self._gives_up_at = now + self._round_trip.connect_timeout
        while self.connections < until:
            if self._ready:
                visit, conversation = self._ready.popleft()
                self._open(visit, conversation, now, moment)
            elif self._begun >= self._pace.in_flight or not self._begin_another(now, moment):
                break
        self._bucket.spend(self.connections - before)

    def _begin_another(self, now: float, moment: float) -> bool:
        """Take up one more visit; False when there is none to take now."""
        roster = self._roster
        visit = roster.freed(now) if roster.waiting else None
        if visit is None:
            visit = self._next_visit(now)
            if visit is None:
                return False
        if roster.enter(visit, now):
            self._begun += 1
            conversation = self._due(visit, now)
            if conversation is not None:
                self._open(visit, conversation, now, moment)
        return True

    def _next_visit(self, now: float) -> Visit | None:
        if not self._more(now):
            return None
        try:
            visit = next(self._source)
        except StopIteration:
            self._source_rests_until = math.inf
            return None
        if visit is None:
            self._source_rests_until = now + _TICK
        return visit

    def _advance(self, visit: Visit, now: float) -> None:
        conversation = self._due(visit, now)
        if conversation is not None:
            self._ready.append((visit, conversation))

    def _due(self, visit: Visit, now: float) -> Conversation | None:
        """What ``visit`` has to ask now; None if it comes later, or is complete."""
        conversation = visit.next(now)
        if conversation is None:
            self._begun -= 1
            self._roster.leave(visit)
            self._done(visit)
        elif visit.not_before > now:
            self._roster.rest(visit.endpoint.address, visit.not_before)
            heapq.heappush(self._later, (visit.not_before, next(self._serial), visit, conversation))
            conversation = None
        return conversation

    def _open(self, visit: Visit, conversation: Conversation, now: float, moment: float) -> None:
        try:
            permit = self._gate.permit(visit.endpoint, conversation.rung, moment)
            sock = dial(permit, moment)
        except ScopeDenied as exc:
            visit.denied(str(exc))
            self._advance(visit, now)
            return
        except ResourceError:
            self._wait_for_resources(visit, conversation, now)
            return
        self.connections += 1
        if not isinstance(sock, socket.SocketType):
            visit.failed(sock)
            self._advance(visit, now)
            return
        flight = _Flight(sock, visit, conversation, self._gives_up_at, now + self._pace.lifetime)
        self._flights[flight.fd] = flight
        self._poller.watch(flight.fd)

    def _wait_for_resources(self, visit: Visit, conversation: Conversation, now: float) -> None:
        if not self._flights:
            raise ResourceError(
                "not one socket can be opened", then="free descriptors or local ports, then resume"
            )
        heapq.heappush(self._later, (now + _RETRY, next(self._serial), visit, conversation))

    # What happens on a connection.

    def _write_on(self, flight: _Flight, mask: int, now: float) -> None:
        """There is room to write, at last or for the first time."""
        if flight.stage == _CONNECTING:
            self._opened(flight, mask, now)
        elif mask & WRITE:
            self._write(flight, flight.out, now)

    def _opened(self, flight: _Flight, mask: int, now: float) -> None:
        code = flight.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) if mask & FAILED else 0
        if code and code != errno.ECONNRESET:
            self._lost(flight, loss_of(code), now)
            return
        flight.stage = _OPEN
        if self._sampled_at != now:  # one of those that opened in this turn will do
            self._sampled_at = now
            self._round_trip.sample(now - flight.dies_at + self._pace.lifetime)
        flight.visit.source(flight.sock.getsockname()[0])
        step = flight.conversation.connected(now)
        if code:  # The peer accepted, and reset before we could speak: it is there.
            self._lost(flight, Loss.RESET, now)
            return
        self._apply(flight, step, now)
        if self._must_tell and flight.stage != _DONE:
            self._poller.want_write(flight.fd, bool(flight.out))

    def _read(self, flight: _Flight, mask: int, now: float) -> bool:
        """Hand on what has come; True if there may be more."""
        if flight.stage == _DONE:
            return False
        try:
            data = flight.sock.recv(_CHUNK)
        except BlockingIOError:
            return False
        except OSError as exc:
            self._lost(flight, loss_of(exc.errno or 0), now)
            return False
        if not data:
            self._lost(flight, Loss.EOF, now)
            return False
        if flight.stage == _OPEN:
            self._apply(flight, flight.conversation.received(data, now), now)
        return mask & HANGUP != 0 or len(data) == _CHUNK

    def _read_on(self, now: float) -> None:
        """A few more reads from each connection that may have more."""
        unread, self._unread = self._unread, {}
        for flight, mask in unread.items():
            if all(self._read(flight, mask, now) for _ in range(_READS)):
                self._unread[flight] = mask

    def _apply(self, flight: _Flight, step: Step, now: float) -> None:
        send, wake_at = step.send, step.wake_at
        if wake_at is not None:
            wake_at += self._round_trip.allowance
            flight.wake_at = wake_at if wake_at < flight.dies_at else flight.dies_at  # noqa: FURB136 - see ``Scope``
        if step.close:
            flight.stage = _CLOSING
        if send:
            self._write(flight, flight.out + send if flight.out else send, now)
        elif step.close and not flight.out:
            self._finish(flight, now)

    def _write(self, flight: _Flight, out: bytes, now: float) -> None:
        """Send ``out``; what does not go now waits in ``flight.out``."""
        try:
            sent = flight.sock.send(out)
        except BlockingIOError:
            sent = 0
        except OSError as exc:
            self._lost(flight, loss_of(exc.errno or 0), now)
            return
        if sent < len(out):
            flight.out = out[sent:]
            if self._must_tell:
                self._poller.want_write(flight.fd, True)
            return
        flight.out = b""
        if flight.stage == _CLOSING:
            self._finish(flight, now)

    def _lost(self, flight: _Flight, loss: Loss, now: float) -> None:
        if flight.stage == _CONNECTING:
            flight.visit.failed(loss)
        elif flight.stage == _OPEN:
            flight.conversation.lost(loss, now)
        self._finish(flight, now)

    def _finish(self, flight: _Flight, now: float) -> None:
        self._drop(flight)
        self._advance(flight.visit, now)

    def _drop(self, flight: _Flight) -> None:
        flight.stage = _DONE
        del self._flights[flight.fd]
        if self._must_tell:
            self._poller.forget(flight.fd)
        flight.sock.close()

    # Time.

    def _sweep(self, now: float) -> None:
        # Looking at each flight costs less than a timer for each: most end long before their time.
        for flight in [flight for flight in self._flights.values() if flight.wake_at <= now]:
            self._wake(flight, now)

    def _wake(self, flight: _Flight, now: float) -> None:
        if flight.stage == _CONNECTING:
            self._lost(flight, Loss.UNANSWERED, now)
        elif flight.stage == _CLOSING or now >= flight.dies_at:
            self._cut(flight, now)
        else:
            flight.wake_at = flight.dies_at
            self._apply(flight, flight.conversation.woken(now), now)

    def _cut(self, flight: _Flight, now: float) -> None:
        """The end of a connection whose peer will not let it end."""
        if flight.stage == _OPEN:
            self._goodbye(flight, now)
        self._finish(flight, now)

    def _goodbye(self, flight: _Flight, now: float) -> None:
        step = flight.conversation.stopped(now)
        if step.send and not flight.out:
            try:
                flight.sock.send(step.send)
            except OSError:
                return  # The peer is gone already; there is nobody left to tell.

    def _hang_up(self) -> None:
        now = self._clock.monotonic()
        for flight in list(self._flights.values()):
            if flight.stage == _OPEN:
                self._goodbye(flight, now)
            self._drop(flight)
