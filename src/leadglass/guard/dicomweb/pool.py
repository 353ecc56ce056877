"""Connections to the archive's web server: opened when a request is ready, kept a moment for the next one.

A connection that is in use belongs to one client, and is closed the moment that client has gone.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from typing import Protocol

from leadglass.errors import TransportError
from leadglass.guard.channel import Channel
from leadglass.net.reach import reach
from leadglass.net.services import Service

__all__ = ["Connection", "Pool", "User"]

_PATIENCE = 5.0
"""Seconds for a connection, and as many for a TLS handshake."""
_MOST_IDLE = 16
_MOST_USED = 40
"""At once; more have to wait. Orthanc serves fifty, and is not to be taken from everybody else."""


class User(Protocol):
    """Whoever has a connection."""

    def archive_received(self, data: memoryview) -> None:
        """The archive sent something. The view is valid during the call only."""
        ...

    def archive_drained(self) -> None:
        """More may be sent to it again."""
        ...

    def archive_closed(self) -> None:
        """It has closed."""
        ...


class Connection:
    """One connection to the archive (``channel.Owner``)."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.channel: Channel | None = None
        self.user: User | None = None
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._loop = asyncio.get_running_loop()
        self._until = 0.0
        """Seconds of the loop up to which it is kept where nobody has it."""
        self._timer: asyncio.TimerHandle | None = None
        self.over = False

    def opened(self) -> None:
        """The connection is there."""
        if not self.ready.done():
            self.ready.set_result(None)

    def received(self, data: memoryview) -> None:
        """For whoever has it; nobody asked for what comes otherwise."""
        if self.user is not None:
            self.user.archive_received(data)
        else:
            self.abort()

    def drained(self) -> None:
        """More may be sent."""
        if self.user is not None:
            self.user.archive_drained()

    def closed(self, why: str) -> None:
        """The archive has ended it, or we have."""
        self.over = True
        if not self.ready.done():
            self.ready.set_exception(TransportError(why or "closed the connection", where=self._pool.where))
            self.ready.exception()  # it may be that nobody waits
        self._pool.gone(self)
        self._stop_timer()
        user, self.user = self.user, None
        if user is not None:
            user.archive_closed()

    def abort(self) -> None:
        """End it at once."""
        if self.channel is not None:
            self.channel.abort()

    def keep(self, idle: float) -> None:
        """Nobody has it for now; end it if that lasts longer than ``idle`` seconds.

        A timer goes on running while somebody has it: to look at the time when it rings costs less
        than a timer for every request.
        """
        self._until = self._loop.time() + idle
        if self._timer is None or self._timer.when() > self._until:
            self._stop_timer()
            self._timer = self._loop.call_at(self._until, self._ring)

    def _ring(self) -> None:
        self._timer = None
        if self.user is not None or self.over:
            return
        if self._loop.time() >= self._until:
            self.abort()
        else:
            self._timer = self._loop.call_at(self._until, self._ring)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Pool:
    """The connections of one process to one archive."""

    def __init__(self, service: Service, tls: ssl.SSLContext | None = None, name: str | None = None) -> None:
        """With ``tls``, the certificate must be one of its authorities' and, with ``name``, be that host's."""
        self._service = service
        self._tls = tls
        self._name = name
        self._idle: list[Connection] = []
        self._used = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self.where = str(service)

    def kept(self, user: User) -> Connection | None:
        """A kept connection for ``user``, None if there is none, or others wait for their turn."""
        if not self._idle or self._used >= _MOST_USED:
            return None
        self._used += 1
        # The last one in has the longest to live.
        connection = self._idle.pop()
        connection.user = user
        return connection

    async def take(self, user: User) -> Connection:
        """A new connection for ``user``; ``TransportError`` if there is none to be had."""
        await self._turn()
        try:
            connection = await self._open()
        except BaseException:
            self._release()
            raise
        connection.user = user
        return connection

    def give_back(self, connection: Connection, idle: float) -> None:
        """``connection`` is not needed any more; it may be kept for ``idle`` seconds."""
        self._release()
        connection.user = None
        if connection.over or connection.channel is None:
            return
        if idle <= 0 or len(self._idle) >= _MOST_IDLE:
            connection.abort()
            return
        connection.channel.resume()
        connection.keep(idle)
        self._idle.append(connection)

    def gone(self, connection: Connection) -> None:
        """It is over."""
        if connection in self._idle:
            self._idle.remove(connection)

    def close(self) -> None:
        """End those that nobody uses."""
        for connection in tuple(self._idle):
            connection.abort()

    async def _turn(self) -> None:
        """Wait until there are not too many."""
        while self._used >= _MOST_USED:
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            await turn
        self._used += 1

    def _release(self) -> None:
        self._used -= 1
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return

    async def _open(self) -> Connection:
        sock = await reach(self._service, _PATIENCE)
        connection = Connection(self)
        connection.channel = channel = Channel(sock, connection)
        if self._tls is None:
            channel.start()
        else:
            channel.start_tls(self._tls, server=False, name=self._name, patience=_PATIENCE)
        try:
            await connection.ready
        except BaseException:
            connection.abort()
            raise
        if connection.over:
            raise TransportError("closed the connection at once", where=self.where)
        return connection
