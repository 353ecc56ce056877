"""Connections to what the operator configured by name: never to a target.

A target is reached with a permit, through ``dial``. A service is reached because somebody wrote it
down: the nameserver of this machine, an archive behind the guard, a log collector.
"""

from __future__ import annotations

import enum
import socket
from dataclasses import dataclass

from leadglass.errors import TransportError

__all__ = ["Service", "Transport", "connect"]


class Transport(enum.Enum):
    """How a service is spoken to."""

    TCP = socket.SOCK_STREAM
    UDP = socket.SOCK_DGRAM


@dataclass(frozen=True, slots=True)
class Service:
    """One configured service; ``host`` is an IPv4 or IPv6 literal."""

    purpose: str
    """What it is for, in messages, e.g. ``DNS``."""
    host: str
    port: int
    transport: Transport = Transport.TCP

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.purpose} at {host}:{self.port}"


def connect(service: Service, timeout: float) -> socket.socket:
    """A connected, non-blocking socket; ``TransportError`` if there is none within ``timeout`` seconds."""
    family = socket.AF_INET6 if ":" in service.host else socket.AF_INET
    sock = socket.socket(family, service.transport.value)
    try:
        sock.settimeout(timeout)
        sock.connect((service.host, service.port))
        sock.setblocking(False)
    except OSError as exc:
        sock.close()
        raise TransportError(f"cannot be reached ({exc})", where=str(service)) from exc
    return sock
