"""The one engine: many conversations over many connections, in one thread.

It performs what conversations ask for (send, wake, close) and nothing else: it knows no
protocol. It asks the gate for a permit at each connect, keeps the pace, and opens one
connection at a time per endpoint, because a visit hands out one conversation at a time.
"""

from __future__ import annotations

import errno
import heapq
import itertools
import socket
from collections import deque
from collections.abc import Callable, Iterator

from leadglass.errors import ResourceError, ScopeDenied
from leadglass.net.dial import dial, loss_of
from leadglass.net.pace import Pace, TokenBucket
from leadglass.net.poller import READ, WRITE, Poller, best_poller
from leadglass.ports.conversation import Conversation, Gate, Loss, Step, Visit
from leadglass.ports.world import Clock

__all__ = ["Engine"]

_CHUNK = 65536
_HANGUP = 0x2018
"""EPOLLRDHUP, EPOLLHUP, EPOLLERR: read on until the end is seen, there may be no further edge."""
_TICK = 0.25
"""Longest wait in seconds, so that ``stop`` from a signal handler is noticed."""
_GRAIN = 0.001
"""A connection is woken at most this often, in seconds."""
_RETRY = 0.1
"""Seconds to wait when this machine has run out of descriptors or local ports."""


class _Flight:
    """One open connection."""

    __slots__ = (
        "closing",
        "conversation",
        "dies_at",
        "done",
        "fd",
        "opened",
        "out",
        "sock",
        "timer_at",
        "visit",
        "wake_at",
    )

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
        self.timer_at = wake_at
        self.dies_at = dies_at
        self.out = b""
        self.opened = False
        self.closing = False
        self.done = False


class Engine:
    """Runs visits, each of them one connection at a time, within the gate and the pace."""

    def __init__(
        self, gate: Gate, clock: Clock, pace: Pace | None = None, poller: Poller | None = None
    ) -> None:
        self._gate = gate
        self._clock = clock
        self._pace = pace or Pace()
        self._poller = poller or best_poller()
        self._flights: dict[int, _Flight] = {}
        self._timers: list[tuple[float, int, _Flight]] = []
        self._later: list[tuple[float, int, Visit, Conversation]] = []
        self._ready: deque[tuple[Visit, Conversation]] = deque()
        self._hosts: dict[str, int] = {}
        self._parked: dict[str, deque[Visit]] = {}
        self._freed: deque[Visit] = deque()
        self._parked_count = 0
        self._serial = itertools.count()
        self._stopping = False
        self.connections = 0
        """Connections opened so far, for the progress display and the record of gentleness."""

    def run(self, visits: Iterator[Visit], done: Callable[[Visit], None]) -> None:
        """Run every visit to its end, calling ``done`` with each as it completes.

        Returns when all are complete, or after ``stop``, when those in flight have said goodbye
        and are dropped: an unfinished visit is never reported.
        """
        self._source: Iterator[Visit] | None = visits
        self._done = done
        self._bucket = TokenBucket(self._pace.rate, self._clock.monotonic())
        try:
            while not self._stopping and self._turn():
                pass
        finally:
            self._hang_up()
            self._poller.close()

    def stop(self) -> None:
        """End soon; safe to call from a signal handler."""
        self._stopping = True

    # One turn of the loop.

    def _turn(self) -> bool:
        now = self._clock.monotonic()
        self._admit(now)
        if not (self._flights or self._ready or self._later or self._freed or self._source):
            return False
        for fd, mask in self._poller.ready(self._patience(now)):
            flight = self._flights.get(fd)
            if flight is not None:
                self._serve(flight, mask, self._clock.monotonic())
        self._expire(self._clock.monotonic())
        return True

    def _patience(self, now: float) -> float:
        until = _TICK
        if self._timers:
            until = min(until, self._timers[0][0] - now)
        if self._later:
            until = min(until, self._later[0][0] - now)
        if self._waiting() and len(self._flights) < self._pace.in_flight:
            until = min(until, self._bucket.wait(now))
        return max(0.0, until)

    def _waiting(self) -> bool:
        more = self._source is not None and self._parked_count < self._pace.in_flight
        return bool(self._ready or self._freed or more)

    # Beginning visits and connections.

    def _admit(self, now: float) -> None:
        while self._later and self._later[0][0] <= now:
            _, _, visit, conversation = heapq.heappop(self._later)
            self._ready.append((visit, conversation))
        while len(self._flights) < self._pace.in_flight:
            if not self._ready and not self._begin_another(now):
                return
            if self._ready:
                if not self._bucket.take(now):
                    return
                self._open(*self._ready.popleft(), now)

    def _begin_another(self, now: float) -> bool:
        """Take up one more visit; False when there is none to take now."""
        if self._freed:
            self._begin(self._freed.popleft(), now)
            return True
        if self._source is None or self._parked_count >= self._pace.in_flight:
            return False
        visit = next(self._source, None)
        if visit is None:
            self._source = None
            return False
        self._begin(visit, now)
        return True

    def _begin(self, visit: Visit, now: float) -> None:
        host = visit.endpoint.address
        busy = self._hosts.get(host, 0)
        if busy >= self._pace.per_host:
            self._parked.setdefault(host, deque()).append(visit)
            self._parked_count += 1
            return
        self._hosts[host] = busy + 1
        self._advance(visit, now)

    def _advance(self, visit: Visit, now: float) -> None:
        ask = visit.next(now)
        if ask is None:
            self._complete(visit)
        elif ask.not_before > now:
            heapq.heappush(self._later, (ask.not_before, next(self._serial), visit, ask.conversation))
        else:
            self._ready.append((visit, ask.conversation))

    def _complete(self, visit: Visit) -> None:
        host = visit.endpoint.address
        busy = self._hosts[host] - 1
        if busy:
            self._hosts[host] = busy
        else:
            del self._hosts[host]
        self._unpark(host)
        self._done(visit)

    def _unpark(self, host: str) -> None:
        parked = self._parked.get(host)
        if parked is None:
            return
        self._freed.append(parked.popleft())
        self._parked_count -= 1
        if not parked:
            del self._parked[host]

    def _open(self, visit: Visit, conversation: Conversation, now: float) -> None:
        moment = self._clock.posix()
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
        if isinstance(sock, Loss):
            visit.failed(sock)
            self._advance(visit, now)
            return
        flight = _Flight(
            sock, visit, conversation, now + self._pace.connect_timeout, now + self._pace.lifetime
        )
        self._flights[flight.fd] = flight
        self._poller.watch(flight.fd)
        heapq.heappush(self._timers, (flight.timer_at, next(self._serial), flight))

    def _wait_for_resources(self, visit: Visit, conversation: Conversation, now: float) -> None:
        if not self._flights:
            raise ResourceError(
                "not one socket can be opened", then="free descriptors or local ports, then resume"
            )
        heapq.heappush(self._later, (now + _RETRY, next(self._serial), visit, conversation))

    # What happens on a connection.

    def _serve(self, flight: _Flight, mask: int, now: float) -> None:
        if not flight.opened:
            self._opened(flight, now)
        elif flight.out and mask & WRITE:
            self._flush(flight, now)
        if mask & (READ | _HANGUP) and flight.opened and not flight.done:
            self._read(flight, mask, now)

    def _opened(self, flight: _Flight, now: float) -> None:
        code = flight.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code and code != errno.ECONNRESET:
            self._lost(flight, loss_of(code), now)
            return
        flight.opened = True
        flight.visit.source(flight.sock.getsockname()[0])
        step = flight.conversation.connected(now)
        if code:  # The peer accepted, and reset before we could speak: it is there.
            self._lost(flight, Loss.RESET, now)
            return
        self._apply(flight, step, now)
        if not flight.done:
            self._poller.want_write(flight.fd, bool(flight.out))

    def _read(self, flight: _Flight, mask: int, now: float) -> None:
        while not flight.done:
            try:
                data = flight.sock.recv(_CHUNK)
            except BlockingIOError:
                return
            except OSError as exc:
                self._lost(flight, loss_of(exc.errno or 0), now)
                return
            if not data:
                self._lost(flight, Loss.EOF, now)
                return
            if not flight.closing:
                self._apply(flight, flight.conversation.received(data, now), now)
            if len(data) < _CHUNK and not mask & _HANGUP:
                return

    def _apply(self, flight: _Flight, step: Step, now: float) -> None:
        send, wake_at, close = step
        if wake_at is not None:
            self._set_timer(flight, wake_at)
        if close:
            flight.closing = True
        if send:
            flight.out += send
            self._flush(flight, now)
        elif close and not flight.out:
            self._finish(flight, now)

    def _flush(self, flight: _Flight, now: float) -> None:
        try:
            sent = flight.sock.send(flight.out)
        except BlockingIOError:
            sent = 0
        except OSError as exc:
            self._lost(flight, loss_of(exc.errno or 0), now)
            return
        if sent == len(flight.out):
            flight.out = b""
            if flight.closing:
                self._finish(flight, now)
        else:
            flight.out = flight.out[sent:]
            self._poller.want_write(flight.fd, True)

    def _lost(self, flight: _Flight, loss: Loss, now: float) -> None:
        if not flight.opened:
            flight.visit.failed(loss)
        elif not flight.closing:
            flight.conversation.lost(loss, now)
        self._finish(flight, now)

    def _finish(self, flight: _Flight, now: float) -> None:
        self._drop(flight)
        self._advance(flight.visit, now)

    def _drop(self, flight: _Flight) -> None:
        flight.done = True
        del self._flights[flight.fd]
        self._poller.forget(flight.fd)
        flight.sock.close()

    # Time.

    def _set_timer(self, flight: _Flight, wake_at: float) -> None:
        flight.wake_at = wake_at = min(wake_at, flight.dies_at)
        if wake_at < flight.timer_at:
            # A later wake-up is found when the earlier timer fires; only an earlier one needs a new timer.
            flight.timer_at = wake_at
            heapq.heappush(self._timers, (wake_at, next(self._serial), flight))

    def _expire(self, now: float) -> None:
        timers = self._timers
        while timers and timers[0][0] <= now:
            when, _, flight = heapq.heappop(timers)
            if flight.done or when != flight.timer_at:
                continue
            if flight.wake_at <= now:
                self._wake(flight, now)
            if not flight.done:
                flight.timer_at = max(flight.wake_at, now + _GRAIN)
                heapq.heappush(timers, (flight.timer_at, next(self._serial), flight))

    def _wake(self, flight: _Flight, now: float) -> None:
        if not flight.opened:
            self._lost(flight, Loss.UNANSWERED, now)
        elif flight.closing or now >= flight.dies_at:
            self._cut(flight, now)
        else:
            flight.wake_at = flight.dies_at
            self._apply(flight, flight.conversation.woken(now), now)

    def _cut(self, flight: _Flight, now: float) -> None:
        """The end of a connection whose peer will not let it end."""
        if not flight.closing:
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
            if flight.opened and not flight.closing:
                self._goodbye(flight, now)
            self._drop(flight)
