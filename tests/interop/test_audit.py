"""Audit messages on their way to a collector: a real one, and some that nobody would want."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import DEEP
from tests.interop.local_servers import raw_server
from tests.peers.certificates import Certificates
from tests.peers.machines import until
from tests.peers.places import LOOPBACK, free_port
from tests.peers.rsyslog import collected, collector
from tests.peers.running import Peer
from tests.unit.guard.audit.samples import AT, EVENTS, GUARD
from tests.unit.guard.audit.structure import faults

from leadglass.guard.audit.bodies import event_of, to_bodies
from leadglass.guard.audit.forwarder import Forwarder, Tempo
from leadglass.guard.audit.framing import framed, severity
from leadglass.guard.audit.line import Collector
from leadglass.guard.audit.messages import to_xml
from leadglass.ledger.chain import read_entry
from leadglass.net.services import Service
from leadglass.store.spool import Spool, open_spool
from leadglass.store.spooled import START, files_of, lines_of, position_of

WRITER = "worker-0"
QUICK = Tempo(batch=50, linger=0.05, poll=0.01, patience=2.0, shortest_rest=0.02, longest_rest=0.1)


class Dice:
    """Randomness that is always in the middle."""

    def token(self, size: int) -> bytes:
        return b"\x80" * size


def opened(folder: Path, writer: str = WRITER) -> Spool:
    return open_spool(folder, writer, AT.timestamp, reserve=0)


def numbered(i: int) -> dict[str, Any]:
    """The body of an event that can be told from the others."""
    return dict(to_bodies(replace(EVENTS["query"], reason=f"number {i}"))[0])


def spooled(folder: Path, count: int) -> None:
    """A spool with so many entries."""
    with opened(folder) as spool:
        for i in range(count):
            spool.append(numbered(i))


def plain(port: int) -> Collector:
    return Collector(Service("audit", "127.0.0.1", port))


def over_tls(papers: Certificates, port: int, *, enrolled: bool = True) -> Collector:
    context = ssl.create_default_context(cafile=papers.authority)
    if enrolled:
        context.load_cert_chain(papers.client, papers.client_key)
    return replace(plain(port), tls=context, name="archive.example")


def expected(folder: Path, writer: str = WRITER) -> list[bytes]:
    """The messages that the entries in a spool make."""
    entries = [read_entry(line) for line in lines_of(files_of(writer, folder))]
    return [
        framed(xml, level=severity(event), at=entry.at, host=GUARD.host, process=writer).partition(b" ")[2]
        for entry in entries
        if entry is not None
        for event in [event_of(entry.body)]
        for xml in to_xml(event, GUARD)
    ]


def counted(messages: list[bytes]) -> bytes:
    """Messages as a stream has them."""
    return b"".join(b"%d %b" % (len(message), message) for message in messages)


@contextlib.contextmanager
def forwarding(folder: Path, to: Collector, tempo: Tempo = QUICK) -> Iterator[Forwarder]:
    """Forward what is in ``folder`` meanwhile, and end orderly."""
    forwarder = Forwarder(folder, GUARD, to, Dice(), tempo)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_until_complete, args=[forwarder.run()])
    thread.start()
    try:
        yield forwarder
    finally:
        loop.call_soon_threadsafe(forwarder.stop)
        thread.join()
        loop.close()


# ---- a real collector


@pytest.fixture(scope="module")
def rsyslog(tmp_path_factory: pytest.TempPathFactory, papers: Certificates) -> Iterator[Peer]:
    """A collector that several tests send to."""
    home = tmp_path_factory.mktemp("rsyslog")
    with collector(LOOPBACK, home, papers, port=free_port(LOOPBACK)) as peer:
        yield peer


@pytest.mark.peer("rsyslog")
def test_every_event_arrives_at_rsyslog_over_tls_intact_in_order_and_once(
    tmp_path: Path, papers: Certificates, rsyslog: Peer
) -> None:
    with opened(tmp_path) as spool:
        for event in (*EVENTS.values(), *EVENTS.values()):
            for body in to_bodies(event):
                spool.append(body)
        with forwarding(tmp_path, over_tls(papers, rsyslog.port)) as forwarder:
            for i in range(200):
                spool.append(numbered(i))
            wanted = spool.head
            until(lambda: position_of(tmp_path, WRITER).head == wanted, "everything is sent")

    messages = collected(rsyslog.home)
    assert messages == expected(tmp_path)
    assert all(faults(message.partition(b"\xef\xbb\xbf")[2]) == [] for message in messages)
    assert (forwarder.sent, forwarder.failures, forwarder.trouble) == (wanted.n, 0, "")


@pytest.mark.peer("rsyslog")
def test_a_collector_that_refuses_us_confirms_nothing(
    tmp_path: Path, papers: Certificates, rsyslog: Peer
) -> None:
    spooled(tmp_path, 5)
    before = len(collected(rsyslog.home))
    with forwarding(tmp_path, over_tls(papers, rsyslog.port, enrolled=False)) as forwarder:
        until(lambda: forwarder.failures >= 3, "it is refused")

    assert (forwarder.sent, position_of(tmp_path, WRITER)) == (0, START)
    assert forwarder.trouble.startswith(f"audit at 127.0.0.1:{rsyslog.port}: ")
    assert len(collected(rsyslog.home)) == before


@pytest.mark.peer("rsyslog")
def test_a_collector_with_another_name_gets_nothing(
    tmp_path: Path, papers: Certificates, rsyslog: Peer
) -> None:
    spooled(tmp_path, 1)
    before = len(collected(rsyslog.home))
    other = replace(over_tls(papers, rsyslog.port), name="other.example")
    with forwarding(tmp_path, other) as forwarder:
        until(lambda: forwarder.failures >= 2, "it is refused")

    assert "certificate verify failed" in forwarder.trouble
    assert len(collected(rsyslog.home)) == before


@pytest.mark.peer("rsyslog")
def test_a_collector_that_is_killed_and_comes_back_has_everything_in_the_end(
    tmp_path: Path, papers: Certificates
) -> None:
    port, home, folder = free_port(LOOPBACK), tmp_path / "rsyslog", tmp_path / "audit"
    with opened(folder) as spool, forwarding(folder, over_tls(papers, port)) as forwarder:
        for _ in range(5 if DEEP else 1):
            with collector(LOOPBACK, home, papers, port=port) as peer:
                before = len(collected(home))
                write_until(spool, lambda: len(collected(home)) > before)  # noqa: B023  # called here only
                for _ in range(30):
                    spool.append(numbered(spool.head.n))
                os.kill(peer.pid, signal.SIGKILL)
            write_until(spool, lambda: forwarder.failures > 1)
        with collector(LOOPBACK, home, papers, port=port):
            until(lambda: position_of(folder, WRITER).head == spool.head, "everything is sent")

    messages = collected(home)
    once = list(dict.fromkeys(messages))
    assert once == expected(folder)
    assert len(messages) - len(once) <= (5 if DEEP else 1) * QUICK.batch
    assert forwarder.failures == 0


def write_until(spool: Spool, enough: Callable[[], bool]) -> None:
    """Go on writing until something is so."""

    def write() -> bool:
        spool.append(numbered(spool.head.n))
        return enough()

    until(write, "enough is written")


@pytest.mark.peer("rsyslog")
def test_a_collector_on_this_machine_needs_no_tls(tmp_path: Path) -> None:
    port, home, folder = free_port(LOOPBACK), tmp_path / "rsyslog", tmp_path / "audit"
    with (
        collector(LOOPBACK, home, None, port=port),
        opened(folder) as spool,
        opened(folder, "worker-1") as other,
        forwarding(folder, plain(port)) as forwarder,
    ):
        for i in range(70):
            spool.append(numbered(i))
            other.append(numbered(1000 + i))
        until(lambda: forwarder.sent == 140, "everything is sent")

    messages = collected(home)
    assert len(messages) == 140
    for writer in (WRITER, "worker-1"):
        mine = [message for message in messages if f" leadglass {writer} ".encode() in message]
        assert mine == expected(folder, writer)


# ---- collectors that nobody would want


@contextlib.contextmanager
def against(
    folder: Path, behave: Callable[[socket.socket], None], tempo: Tempo = QUICK
) -> Iterator[Forwarder]:
    """Forward to a collector that does with each connection what ``behave`` does."""
    port = free_port(LOOPBACK)
    with raw_server(("127.0.0.1", port), behave), forwarding(folder, plain(port), tempo) as forwarder:
        yield forwarder


def all_of(connection: socket.socket) -> bytes:
    """Everything up to the end of the other side."""
    return b"".join(iter(lambda: connection.recv(1 << 16), b""))


def some_of(connection: socket.socket, size: int) -> bytes:
    """So many octets, and no more."""
    got = b""
    while len(got) < size and (more := connection.recv(size - len(got))):
        got += more
    return got


def reset(connection: socket.socket) -> None:
    """End it as a system does for a program that was killed before it had read everything."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def test_what_a_collector_leaves_unread_is_sent_again(tmp_path: Path) -> None:
    spooled(tmp_path, 40)
    got: list[bytes] = []

    def behave(connection: socket.socket) -> None:
        if len(got) < 2:
            got.append(some_of(connection, [1, 20_000][len(got)]))
        else:
            got.append(all_of(connection))

    with against(tmp_path, behave) as forwarder:
        until(lambda: forwarder.sent == 40, "everything is sent")

    wanted = counted(expected(tmp_path))
    assert [len(part) for part in got] == [1, 20_000, len(wanted)]
    assert all(wanted.startswith(part) for part in got)
    assert forwarder.failures == 0


def test_a_collector_that_leaves_before_the_end_has_confirmed_nothing(tmp_path: Path) -> None:
    spooled(tmp_path, 1)
    size = len(counted(expected(tmp_path)))

    def behave(connection: socket.socket) -> None:
        some_of(connection, size)  # and then leaves in good order, but too early

    with against(tmp_path, behave, replace(QUICK, linger=5.0)) as forwarder:
        until(lambda: forwarder.failures >= 3, "it has left")
        assert (forwarder.sent, position_of(tmp_path, WRITER)) == (0, START)
        assert "it left" in forwarder.trouble


def test_a_connection_that_breaks_at_the_end_has_confirmed_nothing(tmp_path: Path) -> None:
    spooled(tmp_path, 1)

    def behave(connection: socket.socket) -> None:
        all_of(connection)
        reset(connection)

    with against(tmp_path, behave) as forwarder:
        until(lambda: forwarder.failures >= 2, "it broke")

    assert (forwarder.sent, position_of(tmp_path, WRITER)) == (0, START)


def test_a_collector_that_stands_still_stops_us_and_not_the_spool(tmp_path: Path) -> None:
    spooled(tmp_path, 1500)
    over = threading.Event()

    def behave(connection: socket.socket) -> None:
        connection.recv(1 << 16)
        over.wait(5)

    with against(tmp_path, behave, replace(QUICK, batch=100_000, patience=0.2)) as forwarder:
        until(lambda: forwarder.failures >= 2, "patience ends")
        with opened(tmp_path) as spool:
            spool.append(numbered(0))
        over.set()

    assert (forwarder.sent, position_of(tmp_path, WRITER)) == (0, START)


def test_a_collector_that_does_not_end_has_confirmed_nothing(tmp_path: Path) -> None:
    spooled(tmp_path, 1)
    over = threading.Event()

    def behave(connection: socket.socket) -> None:
        all_of(connection)
        over.wait(5)

    with against(tmp_path, behave, replace(QUICK, patience=0.1)) as forwarder:
        until(lambda: forwarder.failures >= 1, "patience ends")
        assert "did not go on within 0.1 s" in forwarder.trouble
        assert (forwarder.sent, position_of(tmp_path, WRITER)) == (0, START)
        over.set()


def test_one_process_sends_at_a_time(tmp_path: Path) -> None:
    got: list[bytes] = []
    port = free_port(LOOPBACK)
    with (
        opened(tmp_path) as spool,
        raw_server(("127.0.0.1", port), lambda connection: got.append(all_of(connection))),
        forwarding(tmp_path, plain(port)) as first,
    ):
        for i in range(20):
            spool.append(numbered(i))
        until(lambda: first.sent == 20, "the first sends")
        with forwarding(tmp_path, plain(port)) as second:
            until(lambda: second.failures > 1, "the second waits")
            spool.append(numbered(20))
            until(lambda: first.sent == 21, "the first goes on")
            assert second.sent == 0

    assert b"".join(got) == counted(expected(tmp_path))


def test_who_comes_next_goes_on_where_the_last_one_was(tmp_path: Path) -> None:
    got: list[bytes] = []
    for count in (20, 1):
        spooled(tmp_path, count)
        with against(tmp_path, lambda connection: got.append(all_of(connection))) as forwarder:
            until(lambda: forwarder.sent == count, "everything is sent")  # noqa: B023  # called here only

    assert b"".join(got) == counted(expected(tmp_path))


def test_what_is_there_at_the_end_is_sent_before_it(tmp_path: Path) -> None:
    got: list[bytes] = []
    with (
        opened(tmp_path) as spool,
        against(tmp_path, lambda connection: got.append(all_of(connection)), replace(QUICK, poll=9.0)),
    ):
        for i in range(120):
            spool.append(numbered(i))

    assert b"".join(got) == counted(expected(tmp_path))


def test_a_damaged_entry_is_told_and_does_not_stop_the_others(tmp_path: Path) -> None:
    spooled(tmp_path, 3)
    (path,) = files_of(WRITER, tmp_path)
    path.write_bytes(path.read_bytes().replace(b"number 1", b"number 7"))
    got: list[bytes] = []

    with against(tmp_path, lambda connection: got.append(all_of(connection))) as forwarder:
        until(lambda: forwarder.sent == 3, "everything is sent")

    (text,) = got
    assert (
        text.index(b"number 0") < text.index(b"an entry behind entry 1 is damaged") < text.index(b"number 2")
    )
    assert b"number 7" not in text


def test_a_writer_that_cannot_be_read_does_not_stop_the_others(tmp_path: Path) -> None:
    spooled(tmp_path, 3)
    with opened(tmp_path, "broken") as spool:
        spool.append(numbered(0))
    (tmp_path / "cursor-broken.json").write_text("{")
    got: list[bytes] = []

    with against(tmp_path, lambda connection: got.append(all_of(connection))) as forwarder:
        until(lambda: forwarder.sent == 3, "the others are sent")

    assert b"".join(got) == counted(expected(tmp_path))
    assert "not what the guard wrote" in forwarder.unreadable["broken"]
