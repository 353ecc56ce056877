"""A byte stream to a configured service that is known by name, over TLS or plain, on an event loop.

For short questions to services such as an identity provider; see ``services`` for what a service is.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator

from leadglass.errors import TransportError
from leadglass.net.reach import reach
from leadglass.net.services import Service

__all__ = ["stream"]

_FAREWELL = 0.5
"""Seconds for the goodbyes of TLS and TCP; what was asked is answered by then, or given up."""


@contextlib.asynccontextmanager
async def stream(
    purpose: str, host: str, port: int, *, tls: ssl.SSLContext | None, patience: float
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Reader and writer of a connection to ``host``, an address or a name, closed at the end.

    ``TransportError`` if there is none within ``patience`` seconds, or none that ``tls`` trusts;
    what goes wrong later is for the caller.
    """
    try:
        async with asyncio.timeout(patience):
            reader, writer = await _open(purpose, host, port, tls, patience)
    except TimeoutError as exc:
        raise TransportError(
            f"{purpose} did not answer within {patience:g} s", where=f"{host}:{port}"
        ) from exc
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(_FAREWELL):
                await writer.wait_closed()
        writer.transport.abort()


async def _open(
    purpose: str, host: str, port: int, tls: ssl.SSLContext | None, patience: float
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    sock = await _reach_any(purpose, host, port, patience)
    try:
        return await asyncio.open_connection(sock=sock, ssl=tls, server_hostname=host if tls else None)
    except OSError as exc:
        sock.close()
        why = getattr(exc, "verify_message", "") or exc
        raise TransportError(
            f"{purpose} offers no TLS that is trusted ({why})", where=f"{host}:{port}"
        ) from exc
    except BaseException:
        sock.close()
        raise


async def _reach_any(purpose: str, host: str, port: int, patience: float) -> socket.socket:
    """The first of the name's addresses that answers."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:
        raise TransportError(f"{purpose} has no address ({exc})", where=host) from exc
    failure = TransportError(f"{purpose} has no address", where=host)
    for address in dict.fromkeys(str(entry[4][0]) for entry in found):
        try:
            return await reach(Service(purpose, address, port), patience)
        except TransportError as exc:
            failure = exc
    raise failure
