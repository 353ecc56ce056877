"""The engine against real sockets on loopback: what it promises conversations, hosts and people."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from leadglass.errors import LocalProtocolError, ScopeDenied
from leadglass.model.endpoint import Endpoint, Permit
from leadglass.model.rung import Rung
from leadglass.net.dial import dial
from leadglass.net.engine import Engine
from leadglass.net.pace import Pace, TokenBucket
from leadglass.net.poller import EpollPoller, Poller, SelectorPoller
from leadglass.ports.conversation import CLOSE, Conversation, Loss, Step
from leadglass.wiring import clock

PATIENCE = 0.4


class OpenGate:
    """Permits everything, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[Endpoint, Rung]] = []

    def permit(self, endpoint: Endpoint, rung: Rung, moment: float) -> Permit:
        self.asked.append((endpoint, rung))
        return Permit(endpoint, rung, moment + 60)


class ClosedGate:
    def permit(self, endpoint: Endpoint, rung: Rung, moment: float) -> Permit:
        raise ScopeDenied("not here")


class Greeting:
    """Says hello, waits for the echo, says goodbye."""

    rung = Rung.ASSOCIATE

    def __init__(self, hello: bytes = b"hello") -> None:
        self.hello = hello
        self.got = b""
        self.end: Loss | str | None = None

    def connected(self, now: float) -> Step:
        return Step(self.hello, now + PATIENCE)

    def received(self, data: bytes, now: float) -> Step:
        self.got += data
        if len(self.got) >= len(self.hello):
            self.end = "answered"
            return Step(b"bye", close=True)
        return Step()

    def woken(self, now: float) -> Step:
        self.end = "silent"
        return CLOSE

    def stopped(self, now: float) -> Step:
        self.end = "stopped"
        return Step(b"bye", close=True)

    def lost(self, loss: Loss, now: float) -> None:
        self.end = loss


class OneVisit:
    def __init__(self, endpoint: Endpoint, *conversations: Greeting, pause: float = 0.0) -> None:
        self.endpoint = endpoint
        self.conversations = list(conversations) or [Greeting()]
        self._todo = iter(self.conversations)
        self._pause = pause
        self.not_before = 0.0
        self.sources: list[str] = []
        self.failures: list[Loss] = []
        self.denials: list[str] = []

    def next(self, now: float) -> Conversation | None:
        conversation = next(self._todo, None)
        if conversation is None or self.denials or self.failures:
            return None
        self.not_before = now + self._pause if self.sources else 0.0
        return conversation

    def source(self, address: str) -> None:
        self.sources.append(address)

    def failed(self, loss: Loss) -> None:
        self.failures.append(loss)

    def denied(self, why: str) -> None:
        self.denials.append(why)


class Server:
    """A selector loop on 127.0.0.1 that does to each connection what ``behave`` says."""

    def __init__(self, behave: Callable[[socket.socket, bytes], None], address: str = "127.0.0.1") -> None:
        self._behave = behave
        self._listener = socket.create_server((address, 0), backlog=2048)
        self._selector = selectors.DefaultSelector()
        self._listener.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._stop, self._stopper = socket.socketpair()
        self._selector.register(self._stop, selectors.EVENT_READ)
        self.endpoint = Endpoint(address, self._listener.getsockname()[1])
        self.received: dict[int, bytes] = {}
        self.open = 0
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._stop:
                    return
                if key.fileobj is self._listener:
                    self._accept()
                else:
                    assert isinstance(key.fileobj, socket.socket)
                    self._read(key.fileobj, key.data)

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        self.open += 1
        self._selector.register(connection, selectors.EVENT_READ, len(self.received))
        self.received[len(self.received)] = b""

    def _read(self, connection: socket.socket, number: int) -> None:
        try:
            data = connection.recv(65536)
        except ConnectionResetError:
            data = b""
        self.received[number] += data
        if data:
            with contextlib.suppress(OSError):
                self._behave(connection, data)
        if not data or connection.fileno() < 0:
            self.open -= 1
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(connection)
            connection.close()

    def close(self) -> None:
        self._stopper.send(b"x")
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            assert isinstance(key.fileobj, socket.socket)
            key.fileobj.close()
        self._selector.close()
        self._stopper.close()


def echo(connection: socket.socket, data: bytes) -> None:
    connection.sendall(data)


def ignore(connection: socket.socket, data: bytes) -> None:
    pass


@contextlib.contextmanager
def serving(behave: Callable[[socket.socket, bytes], None]) -> Iterator[Server]:
    server = Server(behave)
    try:
        yield server
    finally:
        server.close()


def run(
    *visits: OneVisit, gate: object = None, pace: Pace | None = None, poller: Poller | None = None
) -> list[OneVisit]:
    done: list[OneVisit] = []
    engine = Engine(gate or OpenGate(), clock(), pace or Pace(rate=1e6), poller)  # type: ignore[arg-type]
    engine.run(iter(visits), done.append)  # type: ignore[arg-type]
    return done


def _connections_to(port: int) -> int:
    """Established TCP connections of this machine to 127.0.0.1:port, as the kernel sees them."""
    rows = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    return sum(row[2] == f"0100007F:{port:04X}" and row[3] == "01" for row in rows)


@pytest.mark.parametrize("poller", [EpollPoller, SelectorPoller])
def test_a_conversation_is_carried_out_over_either_poller(poller: Callable[[], Poller]) -> None:
    with serving(echo) as server:
        visits = [OneVisit(server.endpoint) for _ in range(50)]
        done = run(*visits, poller=poller(), pace=Pace(rate=1e6, per_host=50))

    assert sorted(map(id, done)) == sorted(map(id, visits))
    assert {v.conversations[0].end for v in visits} == {"answered"}
    assert {v.sources[0] for v in visits} == {"127.0.0.1"}
    assert set(server.received.values()) == {b"hellobye"}


@pytest.mark.parametrize("poller", [EpollPoller, SelectorPoller])
def test_more_than_the_socket_buffers_hold_is_sent_whole(poller: Callable[[], Poller]) -> None:
    large = bytes(8_000_000)
    with serving(echo) as server:
        visit = OneVisit(server.endpoint, Greeting(large))
        run(visit, poller=poller(), pace=Pace(rate=1e6))

    assert visit.conversations[0].end in ("answered", "silent")
    assert server.received[0].startswith(large[:100_000])


def test_a_closed_port_and_a_dead_address_are_told_apart() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        closed = Endpoint("127.0.0.1", probe.getsockname()[1])
    visit = OneVisit(closed)
    run(visit)

    assert visit.failures == [Loss.REFUSED]
    assert visit.sources == []


def test_a_full_backlog_is_unanswered() -> None:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    address = listener.getsockname()
    fillers = [socket.socket() for _ in range(4)]
    for filler in fillers:
        filler.setblocking(False)
        filler.connect_ex(address)
    visit = OneVisit(Endpoint(*address))
    run(visit, pace=Pace(rate=1e6, connect_timeout=0.3))
    for sock in (listener, *fillers):
        sock.close()

    assert visit.failures == [Loss.UNANSWERED]


def test_silence_ends_when_the_conversation_said_so() -> None:
    with serving(ignore) as server:
        visit = OneVisit(server.endpoint)
        before = time.monotonic()
        run(visit)

    assert visit.conversations[0].end == "silent"
    assert time.monotonic() - before < 5 * PATIENCE


def test_a_reset_and_an_end_are_told_apart() -> None:
    def reset(connection: socket.socket, data: bytes) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.close()

    def half(connection: socket.socket, data: bytes) -> None:
        connection.sendall(b"he")
        connection.shutdown(socket.SHUT_WR)

    with serving(reset) as resetting, serving(half) as ending:
        first, second = OneVisit(resetting.endpoint), OneVisit(ending.endpoint)
        run(first, second)

    assert first.conversations[0].end is Loss.RESET
    assert (second.conversations[0].end, second.conversations[0].got) == (Loss.EOF, b"he")


def test_one_endpoint_gets_one_connection_at_a_time() -> None:
    class Watching(Greeting):
        def connected(self, now: float) -> Step:
            self.open = _connections_to(server.endpoint.port)
            return super().connected(now)

    watching = [Watching() for _ in range(6)]
    with serving(echo) as server:
        run(OneVisit(server.endpoint, *watching))

    assert [(c.end, c.open) for c in watching] == [("answered", 1)] * 6


def test_one_host_gets_no_more_connections_than_the_pace_allows() -> None:
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(serving(ignore)) for _ in range(12)]
        before = time.monotonic()
        done = run(*(OneVisit(s.endpoint) for s in servers), pace=Pace(rate=1e6, per_host=4))

    assert len(done) == 12
    assert time.monotonic() - before >= 3 * PATIENCE  # three waves of four silent servers


def test_a_pause_is_kept() -> None:
    with serving(echo) as server:
        visit = OneVisit(server.endpoint, Greeting(), Greeting(), pause=0.3)
        before = time.monotonic()
        run(visit)

    assert time.monotonic() - before >= 0.3
    assert [c.end for c in visit.conversations] == ["answered", "answered"]


def test_the_rate_is_kept() -> None:
    with serving(echo) as server:
        before = time.monotonic()
        run(*(OneVisit(server.endpoint) for _ in range(30)), pace=Pace(rate=50))

    assert time.monotonic() - before >= 27 / 50  # two are saved up at the start


def test_the_gate_is_asked_at_each_connect_and_a_refusal_opens_nothing() -> None:
    with serving(echo) as server:
        gate = OpenGate()
        run(OneVisit(server.endpoint, Greeting(), Greeting()), gate=gate)
        refused = OneVisit(server.endpoint)
        run(refused, gate=ClosedGate())

    assert gate.asked == [(server.endpoint, Rung.ASSOCIATE)] * 2
    assert refused.denials == ["not here"]
    assert len(server.received) == 2


def test_stop_says_goodbye_to_what_is_in_flight_and_reports_only_what_is_complete() -> None:
    with serving(ignore) as server:
        engine = Engine(OpenGate(), clock(), Pace(rate=1e6))
        done: list[object] = []
        visit = OneVisit(server.endpoint)
        threading.Timer(PATIENCE / 4, engine.stop).start()
        engine.run(iter([visit]), done.append)
        deadline = time.monotonic() + 2
        while server.open and time.monotonic() < deadline:
            pass

    assert visit.conversations[0].end == "stopped"
    assert done == []
    assert server.received == {0: b"hellobye"}


def test_a_peer_that_never_stops_sending_is_cut_off() -> None:
    def flood(connection: socket.socket, data: bytes) -> None:
        connection.setblocking(True)
        connection.settimeout(1)
        for _ in range(200):
            connection.sendall(bytes(65536))

    class Patient(Greeting):
        def received(self, data: bytes, now: float) -> Step:
            self.got = data[:1]
            return Step()

        def woken(self, now: float) -> Step:
            return Step(wake_at=now + 0.05)

    with serving(flood) as server:
        visit = OneVisit(server.endpoint, Patient())
        before = time.monotonic()
        run(visit, pace=Pace(rate=1e6, lifetime=0.5))

    assert visit.conversations[0].end in ("stopped", Loss.RESET, Loss.EOF)
    assert time.monotonic() - before < 3


def test_dial_takes_literals_only_and_honours_the_end_of_a_permit() -> None:
    with pytest.raises(LocalProtocolError):
        dial(Permit(Endpoint("localhost", 1), Rung.CONNECT, 10.0), 5.0)
    with pytest.raises(ScopeDenied):
        dial(Permit(Endpoint("127.0.0.1", 1), Rung.CONNECT, 10.0), 10.5)


def test_the_bucket_saves_up_a_twentieth_of_a_second() -> None:
    bucket = TokenBucket(100, now=0.0)
    taken = bucket.tokens(1000.0)
    bucket.spend(taken)

    assert taken == 5
    assert bucket.wait(1000.0) == pytest.approx(0.01)
