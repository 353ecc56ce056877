"""Sends syslog messages to a collector that the operator configured: RFC 5424, over TLS (RFC 5425) or TCP (RFC 6587).

Syslog has no acknowledgement. What stands for one is the orderly end of the connection: a receiver that closes
after it heard our end has read what came before it, because otherwise its system answers with a reset
(RFC 1122 4.2.2.13).
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass

from leadglass.net.mail import Delivery
from leadglass.net.secured import context_for, reached, secured

__all__ = ["SyslogCollector", "send"]

_PURPOSE = "syslog collector"
_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class SyslogCollector:
    """Where messages go. ``ca_file`` and the rest only with ``tls``."""

    host: str
    port: int
    tls: bool = True
    ca_file: str | None = None
    certificate: str | None = None
    key: str | None = None


def send(collector: SyslogCollector, messages: Sequence[bytes]) -> tuple[Delivery, str]:
    """Send ``messages``, each with its length in front of it, over one connection; what became of them.

    ``TransportError`` if there was no connection: nothing has left. ``ConfigError`` for unreadable certificates.
    """
    where = f"{_PURPOSE} at {collector.host}:{collector.port}"
    context = None
    if collector.tls:
        context = context_for(collector.ca_file, collector.certificate, collector.key)
    sock = reached(_PURPOSE, collector.host, collector.port, _SECONDS)
    if context is not None:
        sock = secured(sock, context, collector.host, where)
    with sock:
        try:
            sock.sendall(b"".join(b"%d %b" % (len(message), message) for message in messages))
            _confirm(sock)
        except OSError as exc:
            return Delivery.UNKNOWN, f"the connection broke ({exc})"[:200]
    return Delivery.LEFT, ""


def _confirm(sock: socket.socket) -> None:
    """End our side, and wait until the collector ends its own."""
    if isinstance(sock, ssl.SSLSocket):
        # Many collectors just close, without saying so in TLS: the end of TCP tells as much.
        with contextlib.suppress(ssl.SSLEOFError, ssl.SSLZeroReturnError):
            sock.unwrap().close()
        return
    sock.shutdown(socket.SHUT_WR)
    while sock.recv(1 << 12):
        pass
