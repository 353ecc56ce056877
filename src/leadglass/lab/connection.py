"""Carries out what a session wants on one TCP connection, within limits that no client can stretch.

Whoever does not read is not read from; a connection has a lifetime; and there are only so many.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Iterator

from leadglass.lab.session import Act, End, MakeSession, Session

__all__ = ["Connection", "Limits"]

_LINGER_ZERO = struct.pack("ii", 1, 0)
"""SO_LINGER on, no seconds: close sends RST."""


class Limits:
    """The connections that are open, and how many there may be; shared by all servers of a lab."""

    def __init__(self, most: int = 512, lifetime: float = 60.0) -> None:
        self.most = most
        self.lifetime = lifetime
        """Seconds that one connection may last, whatever happens on it."""
        self.open: set[asyncio.Transport] = set()

    def hang_up(self) -> None:
        """End all connections at once."""
        for transport in tuple(self.open):
            transport.abort()


class Connection(asyncio.Protocol):
    """One client."""

    def __init__(self, make: MakeSession, limits: Limits) -> None:
        self._make = make
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self._session: Session | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._death: asyncio.TimerHandle | None = None
        self._wake_at: float | None = None
        self._paused = False

    # The contract with asyncio.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is there; one too many is sent away."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if len(self._limits.open) >= self._limits.most:
            transport.abort()
            return
        self._limits.open.add(transport)
        self._death = self._loop.call_later(self._limits.lifetime, transport.abort)
        with self._hanging_up_on_mistakes():
            self._session = self._make()
            self._do(self._session.connected(self._loop.time()))

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        if self._session is not None:
            with self._hanging_up_on_mistakes():
                self._do(self._session.received(data, self._loop.time()))

    def pause_writing(self) -> None:
        """The client does not read: what it wants has to wait."""
        self._paused = True
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        """It reads again."""
        self._paused = False
        self._transport.resume_reading()
        self._set_timer()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Nothing more can be done here."""
        self._session = None
        self._limits.open.discard(self._transport)
        for timer in (self._timer, self._death):
            if timer is not None:
                timer.cancel()

    # Inside.

    def _do(self, act: Act) -> None:
        if act.send:
            self._transport.write(act.send)
        if act.end is End.OPEN:
            self._wake_at = act.wake_at
            self._set_timer()
            return
        self._session = None
        if act.end is End.RESET:
            raw = self._transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
            self._transport.abort()
        else:
            self._transport.close()

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._wake_at is not None and not self._paused:
            self._timer = self._loop.call_at(self._wake_at, self._woken)

    def _woken(self) -> None:
        self._timer = None
        if self._session is not None:
            with self._hanging_up_on_mistakes():
                self._do(self._session.woken(self._loop.time()))

    @contextlib.contextmanager
    def _hanging_up_on_mistakes(self) -> Iterator[None]:
        """An exception of a session is our mistake: it goes on to the loop, and the client goes away."""
        with contextlib.ExitStack() as stack:
            stack.callback(self._transport.abort)
            yield
            stack.pop_all()
