"""DICOM servers that answer C-ECHO at given addresses, for a network namespace without a way out.

The lab itself serves loopback only. This is served nowhere else but where ``leadglass firewall test`` tries its
rules: inside namespaces that it made, which lead to nothing but each other.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import socket
import threading
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from leadglass.errors import ResourceError
from leadglass.lab.archive import Archive
from leadglass.lab.connection import Connection, Limits
from leadglass.lab.dicom import DicomSession, Manners

__all__ = ["Stage"]

_BACKLOG = 64


class Stage:
    """One server for each of ``endpoints``, while the context lasts; ``ResourceError`` if one cannot listen."""

    def __init__(self, endpoints: Iterable[tuple[str, int]]) -> None:
        self._endpoints = tuple(endpoints)
        self._loop = asyncio.new_event_loop()
        self._limits = Limits()
        self._servers: list[asyncio.Server] = []
        self._thread = threading.Thread(target=self._loop.run_forever, name="leadglass-stage", daemon=True)

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as opened:
            opened.callback(self._loop.close)
            sockets = [opened.enter_context(_listening(*endpoint)) for endpoint in self._endpoints]
            self._loop.run_until_complete(self._serve(sockets))
            opened.pop_all()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop)
        self._thread.join()
        self._loop.close()

    async def _serve(self, sockets: Iterable[socket.socket]) -> None:
        make = functools.partial(DicomSession, Manners(), Archive())
        for sock in sockets:
            connection = functools.partial(Connection, make, self._limits)
            self._servers.append(await self._loop.create_server(connection, sock=sock))

    def _stop(self) -> None:
        for server in self._servers:
            server.close()
        self._limits.hang_up()
        self._loop.call_soon(self._loop.stop)


def _listening(address: str, port: int) -> socket.socket:
    six = ":" in address
    sock = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if six:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.setblocking(False)
        sock.bind((address, port))
        sock.listen(_BACKLOG)
    except OSError as exc:
        sock.close()
        raise ResourceError(f"cannot listen ({exc.strerror})", where=f"{address} port {port}") from exc
    return sock
