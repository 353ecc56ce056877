"""Posts a message to an address that the operator configured: signed, bounded, and never led elsewhere.

The signature is an HMAC-SHA256 (RFC 2104) over the time, a full stop and the body, so that a receiver can tell
who sent it and that it is not an old one sent again. A redirect is a refusal: it is not followed.
"""

from __future__ import annotations

import hashlib
import hmac
import socket
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import h11

from leadglass.errors import TransportError
from leadglass.net.mail import Delivery
from leadglass.net.secured import context_for, reached, secured

__all__ = ["SIGNATURE", "Hook", "post", "signature"]

SIGNATURE = "Leadglass-Signature"
_PURPOSE = "webhook"
_SECONDS = 15.0
"""For the connection, for the handshake, and for the answer in all."""
_LARGEST = 1 << 16
"""Bytes of an answer that are read."""


@dataclass(frozen=True, slots=True)
class Hook:
    """Where to, and with which secret."""

    url: str
    secret: bytes = field(repr=False)
    ca_file: str | None = None


def signature(secret: bytes, body: bytes, at: int) -> str:
    """The value of the header: ``t=TIME,v1=HEX``."""
    digest = hmac.new(secret, b"%d." % at + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def post(hook: Hook, body: bytes, identifier: str, at: int) -> tuple[Delivery, str]:
    """Post ``body`` (JSON), once; what became of it, and why.

    ``identifier`` is the same for the same message, so that a receiver can tell one that comes again; ``at`` is
    POSIX seconds. ``TransportError`` if there was no connection: it has not left. ``ConfigError`` for unreadable
    authorities.
    """
    parts = urlsplit(hook.url)
    host, is_secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if is_secure else 80)
    context = context_for(hook.ca_file) if is_secure else None
    sock = reached(_PURPOSE, host, port, _SECONDS)
    if context is not None:
        sock = secured(sock, context, host, f"{_PURPOSE} at {host}:{port}")
    with sock:
        return _exchange(sock, _request(hook, body, identifier, at), body)


def _target(url: str) -> str:
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _request(hook: Hook, body: bytes, identifier: str, at: int) -> h11.Request:
    headers = [
        ("Host", urlsplit(hook.url).netloc),
        ("User-Agent", "leadglass-watch"),
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        ("Idempotency-Key", identifier),
        (SIGNATURE, signature(hook.secret, body, at)),
        ("Connection", "close"),
    ]
    return h11.Request(method="POST", target=_target(hook.url), headers=headers)


def _exchange(sock: socket.socket, request: h11.Request, body: bytes) -> tuple[Delivery, str]:
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=_LARGEST)
    data = [connection.send(request), connection.send(h11.Data(body)), connection.send(h11.EndOfMessage())]
    try:
        sock.sendall(b"".join(piece or b"" for piece in data))
        status = _status(sock, connection)
    except (OSError, h11.RemoteProtocolError, TransportError) as exc:
        return Delivery.UNKNOWN, f"no answer ({str(exc) or type(exc).__name__})"[:200]
    if 200 <= status < 300:
        return Delivery.LEFT, ""
    return Delivery.REFUSED, f"it answers {status}" + (", a redirect" if 300 <= status < 400 else "")


def _status(sock: socket.socket, connection: h11.Connection) -> int:
    """The status of the final answer; what follows its head is nobody's concern."""
    until, seen = time.monotonic() + _SECONDS, 0
    while True:
        event = connection.next_event()
        if isinstance(event, h11.Response):
            return event.status_code
        if event is h11.NEED_DATA:
            left = until - time.monotonic()
            if left <= 0 or seen > _LARGEST:
                raise TransportError("too slow, or too much")
            sock.settimeout(left)
            received = sock.recv(1 << 14)
            seen += len(received)
            connection.receive_data(received)
        elif not isinstance(event, h11.InformationalResponse):
            raise TransportError("it left without an answer")
