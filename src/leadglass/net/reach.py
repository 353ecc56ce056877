"""Connections to configured services for callers on an event loop; see ``services``.

A module of its own, because a scan's member processes do without asyncio.
"""

from __future__ import annotations

import asyncio
import socket

from leadglass.errors import TransportError
from leadglass.net.services import Service

__all__ = ["reach"]


async def reach(service: Service, patience: float) -> socket.socket:
    """A connected, non-blocking socket; ``TransportError`` if there is none within ``patience`` seconds."""
    family = socket.AF_INET6 if ":" in service.host else socket.AF_INET
    sock = socket.socket(family, service.transport.value)
    sock.setblocking(False)
    try:
        async with asyncio.timeout(patience):
            await asyncio.get_running_loop().sock_connect(sock, (service.host, service.port))
    except TimeoutError as exc:
        sock.close()
        raise TransportError(f"did not answer within {patience:g} s", where=str(service)) from exc
    except OSError as exc:
        sock.close()
        raise TransportError(f"cannot be reached ({exc})", where=str(service)) from exc
    except BaseException:
        sock.close()
        raise
    return sock
