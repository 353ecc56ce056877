"""A relay on loopback that writes down every message which passes to a server, and can misbehave on demand.

It stands between a guard and its archive, so that a test can say what reached the archive and what
did not, without root and without asking the archive.
"""

from __future__ import annotations

import contextlib
import itertools
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.peers.places import LOOPBACK, free_port

from leadglass.wire import dimse, pdata, pdu
from leadglass.wire.framing import PduReader
from leadglass.wire.limits import Limits

__all__ = ["Passed", "Tap", "wiretap"]

_CHUNK = 1 << 16
_LIMITS = Limits(data_set=1 << 26)


class Passed(NamedTuple):
    """One message that reached the server."""

    at: float
    """``time.monotonic()``."""
    connection: int
    command: dimse.Message
    data_set: bytes | None


@dataclass(slots=True)
class Tap:
    """What passed, so far."""

    port: int
    """Where the relay listens."""
    messages: list[Passed] = field(default_factory=list)
    """Complete messages to the server, in order."""
    begun: list[pdu.AAssociateRQ] = field(default_factory=list)
    """Associations that were asked for."""
    octets: int = 0
    """Bytes to the server."""
    callers: dict[int, str] = field(default_factory=dict)
    """The calling titles on the connections that are open, by connection."""
    aborts: int = 0
    """A-ABORTs to the server."""
    numbers: Iterator[int] = field(default_factory=itertools.count)
    """For connections to come."""
    frozen: threading.Event = field(default_factory=threading.Event)
    """While set, nothing passes to the server, though it is written down."""

    def since(self, number: int) -> list[Passed]:
        """The messages after the first ``number``."""
        return self.messages[number:]

    def await_closed(self, calling: str, patience: float = 10.0) -> float:
        """Wait until no connection of ``calling`` is left; how long that took, in seconds."""
        began = time.monotonic()
        while calling in self.callers.values():
            if time.monotonic() - began > patience:
                raise AssertionError(f"an association of {calling} with the archive is still open")
            time.sleep(0.005)
        return time.monotonic() - began


class _Reader:
    """Reads along in one connection."""

    def __init__(self, tap: Tap, number: int) -> None:
        self._tap = tap
        self.number = number
        self._reader = PduReader(_LIMITS)
        self._reader.maximum_p_data = 1 << 24
        self._assembler = pdata.MessageAssembler(_LIMITS)

    def feed(self, data: bytes) -> None:
        self._tap.octets += len(data)
        self._reader.feed(data)
        while (framed := self._reader.next_pdu()) is not None:
            value = pdu.decode(framed[0], framed[1], _LIMITS)
            if isinstance(value, pdu.AAssociateRQ):
                self._tap.begun.append(value)
                self._tap.callers[self.number] = value.calling_ae_title
            elif isinstance(value, pdu.AAbort):
                self._tap.aborts += 1
            elif isinstance(value, pdu.PDataTF):
                self._data(value)

    def _data(self, value: pdu.PDataTF) -> None:
        for pdv in value.pdvs:
            done = self._assembler.feed(pdv)
            if done is not None:
                passed = Passed(time.monotonic(), self.number, done.command, done.data_set)
                self._tap.messages.append(passed)


@contextlib.contextmanager
def wiretap(server: tuple[str, int], port: int | None = None) -> Iterator[Tap]:
    """Relay to ``server`` while the block runs."""
    tap = Tap(port or free_port(LOOPBACK))
    listener = socket.create_server(("127.0.0.1", tap.port), backlog=64)
    threads: list[threading.Thread] = []

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                _start(threads, lambda client=client: _serve(tap, client, server, threads))  # type: ignore[misc]

    _start(threads, accept)
    try:
        yield tap
    finally:
        tap.frozen.clear()
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for thread in threads:
            thread.join(5)


def _start(threads: list[threading.Thread], work: Callable[[], None]) -> None:
    thread = threading.Thread(target=work, daemon=True)
    threads.append(thread)
    thread.start()


def _serve(tap: Tap, client: socket.socket, server: tuple[str, int], threads: list[threading.Thread]) -> None:
    reader = _Reader(tap, next(tap.numbers))
    try:
        with client, socket.create_connection(server, timeout=10) as upstream:
            for end in (client, upstream):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
                end.settimeout(60)
            _start(threads, lambda: _pass(upstream, client, None, None))
            _pass(client, upstream, reader.feed, tap.frozen)
    except OSError:
        client.close()
    finally:
        tap.callers.pop(reader.number, None)


def _pass(
    source: socket.socket,
    target: socket.socket,
    read: Callable[[bytes], None] | None,
    frozen: threading.Event | None,
) -> None:
    """Everything from one end to the other; in the end both are closed."""
    with contextlib.suppress(OSError):
        while data := source.recv(_CHUNK):
            # Without it, Nagle's algorithm in the server costs 40 ms a response.
            source.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
            if read is not None:
                read(data)
            while frozen is not None and frozen.is_set() and not _gone(source):
                time.sleep(0.01)
            target.sendall(data)
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


def _gone(source: socket.socket) -> bool:
    """Whether the other side has closed, even if there is more to read."""
    poll = select.poll()
    poll.register(source, select.POLLRDHUP)
    return bool(poll.poll(0))
