"""One connection to a collector, up to the proof that it has read everything.

Syslog has no acknowledgement (RFC 5425, RFC 6587), and what TCP has accepted may never be read. But the
end of a connection tells: a receiver that closes after our own end was heard has read all that came
before it, because a system answers a close that leaves something unread with a reset (RFC 1122 4.2.2.13).
So everything is sent, the sending side is closed, and an orderly end by the receiver is the proof. Where
it sends TLS's own close_notify the proof is also an authentic one; not all receivers do.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import socket
import ssl
import struct
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Self

from leadglass.errors import TransportError
from leadglass.net.reach import reach
from leadglass.net.services import Service

__all__ = ["Collector", "Line"]

_SIOCOUTQ = 0x5411
"""Octets that the peer's system has not acknowledged (tcp(7))."""


@dataclass(frozen=True, slots=True)
class Collector:
    """Where audit messages are sent."""

    service: Service
    tls: ssl.SSLContext | None = None
    """With our certificate and the authorities we trust; None only for a collector on this machine."""
    name: str | None = None
    """The host name that its certificate must have; None: its address."""


class Line:
    """An open connection. Errors are ``TransportError``; whatever happened, ``drop`` ends it."""

    def __init__(self, sock: socket.socket, collector: Collector, patience: float) -> None:
        self._sock = sock
        self._where = str(collector.service)
        self._patience = patience
        self._loop = asyncio.get_running_loop()
        self._tls = None if collector.tls is None else _Tls(collector)
        self._end: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, collector: Collector, patience: float) -> Self:
        """Connect, and shake hands; each step within ``patience`` seconds."""
        line = cls(await reach(collector.service, patience), collector, patience)
        try:
            async with line._explained():
                await line._shake_hands()
        except BaseException:
            await line.drop()
            raise
        line._end = asyncio.ensure_future(line._listen())
        return line

    async def send(self, data: bytes) -> None:
        """Send all of it; waits while the receiver does not read, and keeps nothing."""
        async with self._explained():
            self._require_open()
            await self._loop.sock_sendall(self._sock, data if self._tls is None else self._tls.encrypt(data))

    async def idle(self, seconds: float) -> None:
        """Wait, unless the receiver leaves."""
        assert self._end is not None
        await asyncio.wait({self._end}, timeout=seconds)
        async with self._explained():
            self._require_open()

    async def confirm(self) -> None:
        """End the connection; returns only if the receiver has read everything."""
        assert self._end is not None
        async with self._explained():
            self._require_open()
            if self._tls is not None:
                await self._loop.sock_sendall(self._sock, self._tls.goodbye())
            self._sock.shutdown(socket.SHUT_WR)
            await self._end
        if self._unacknowledged():
            raise TransportError("left before it had everything", where=self._where)

    async def drop(self) -> None:
        """Close it at once."""
        if self._end is not None:
            # The event loop watches the descriptor until then, and it may soon be another connection's.
            self._end.cancel()
            await asyncio.gather(self._end, return_exceptions=True)
        self._sock.close()

    async def _shake_hands(self) -> None:
        if self._tls is None:
            return
        while (more := self._tls.shake_hands()) is not None:
            await self._loop.sock_sendall(self._sock, more)
            if self._tls.is_ready:
                return
            received = await self._loop.sock_recv(self._sock, 1 << 14)
            if not received:
                raise ConnectionResetError("it left during the TLS handshake")
            self._tls.incoming.write(received)

    async def _listen(self) -> None:
        """Until the receiver ends its side: it has nothing to say but that, and alerts."""
        while received := await self._loop.sock_recv(self._sock, 1 << 14):
            if self._tls is not None:
                self._tls.hear(received)

    def _require_open(self) -> None:
        assert self._end is not None
        if self._end.done():
            self._end.result()
            raise ConnectionResetError("it left")

    def _unacknowledged(self) -> int:
        if sys.platform != "linux":
            return 0
        answer = fcntl.ioctl(self._sock.fileno(), _SIOCOUTQ, bytes(4))
        return int(struct.unpack("i", answer)[0])

    @contextlib.asynccontextmanager
    async def _explained(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._patience):
                yield
        except TimeoutError as error:
            raise TransportError(f"did not go on within {self._patience:g} s", where=self._where) from error
        except ssl.SSLError as error:
            raise TransportError(_words(error), where=self._where) from error
        except OSError as error:
            raise TransportError(
                f"the connection broke ({error.strerror or error})", where=self._where
            ) from error


class _Tls:
    """The TLS side, over memory, so that each step can be seen."""

    def __init__(self, collector: Collector) -> None:
        assert collector.tls is not None
        self.incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        name = collector.name or collector.service.host
        self._object = collector.tls.wrap_bio(self.incoming, self._outgoing, server_hostname=name)
        self.is_ready = False

    def shake_hands(self) -> bytes:
        """A step of the handshake: what is to be sent."""
        with contextlib.suppress(ssl.SSLWantReadError):
            self._object.do_handshake()
            self.is_ready = True
        return self._outgoing.read()

    def encrypt(self, data: bytes) -> bytes:
        self._object.write(data)
        return self._outgoing.read()

    def hear(self, received: bytes) -> None:
        """Take in what came: tickets, key updates, an end, or an alert, which is an ``SSLError``."""
        self.incoming.write(received)
        with contextlib.suppress(ssl.SSLWantReadError, ssl.SSLZeroReturnError):
            while self._object.read(1 << 14):
                pass

    def goodbye(self) -> bytes:
        """The close_notify alert."""
        with contextlib.suppress(ssl.SSLWantReadError):
            self._object.unwrap()
        return self._outgoing.read()


def _words(error: ssl.SSLError) -> str:
    reason = error.reason or str(error)
    detail = getattr(error, "verify_message", "")
    return f"TLS: {reason.lower().replace('_', ' ')}" + (f" ({detail})" if detail else "")
