"""Serves the application: a socket, TLS, uvicorn with its limits on."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Iterator

import uvicorn
from fastapi import FastAPI

from leadglass.errors import ResourceError
from leadglass.settings.serve import ServeSettings
from leadglass.web.connections import Connection

__all__ = ["Server"]

_BACKLOG = 128
_LONGEST_HEAD = 16 << 10
_KEPT = 15
"""Seconds for which an idle connection is kept."""
_GOODBYE = 5
"""Seconds for which answers that are under way may go on after the end."""


class _Uvicorn(uvicorn.Server):
    """Leaves signals to whoever started it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Server:
    """One listening socket with the application behind it."""

    def __init__(self, app: FastAPI, settings: ServeSettings, tls: ssl.SSLContext | None) -> None:
        """``ResourceError`` if the address cannot be had."""
        config = uvicorn.Config(
            app,
            loop="asyncio",  # the same everywhere, whether uvloop is there or not
            http=Connection,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            limit_concurrency=settings.most_connections,
            timeout_keep_alive=_KEPT,
            timeout_graceful_shutdown=_GOODBYE,
            h11_max_incomplete_event_size=_LONGEST_HEAD,
        )
        config.load()
        config.ssl = tls
        self._socket = _listening(settings)
        self._uvicorn = _Uvicorn(config)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._socket.getsockname()[1])

    def run(self) -> None:
        """Answer until ``stop``."""
        with contextlib.closing(self._socket):
            self._uvicorn.run(sockets=[self._socket])

    def stop(self) -> None:
        """Take nothing new, and end."""
        self._uvicorn.should_exit = True


def _listening(settings: ServeSettings) -> socket.socket:
    host, port = settings.bind
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as exc:
        raise ResourceError(
            f"cannot listen ({exc.strerror or exc})", where=str(settings.bind), then="choose another --bind"
        ) from exc
    # Connections have it from here. asyncio sets it only where it knows the protocol, which such a socket does not tell;
    # without it the body of each answer waits 40 ms for the client's word on the head.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening
