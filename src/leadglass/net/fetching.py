"""One request over HTTP to a service that the operator configured: no redirect, no compression, bounded.

For an identity provider's documents and the health of a guard. The caller judges status and body.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import h11

from leadglass.errors import RemoteProtocolError, TransportError
from leadglass.net.secured import context_for, reached, secured

__all__ = ["Answer", "Asked", "fetch"]

_SECONDS = 10.0
"""For the connection, for the handshake, and for the answer in all."""
_LARGEST = 256 << 10
_PIECE = 1 << 14


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of whom."""

    purpose: str
    """In messages, e.g. ``identity provider``."""
    url: str
    method: str = "GET"
    body: bytes = b""
    headers: Mapping[str, str] | None = None
    ca_file: str | None = None
    """Who vouches for its certificate, PEM; None: the system's authorities."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    body: bytes


def fetch(asked: Asked) -> Answer:
    """Ask once. ``TransportError``: no answer; ``RemoteProtocolError``: none that HTTP knows, or too long a one."""
    parts = urlsplit(asked.url)
    host, is_secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if is_secure else 80)
    sock = reached(asked.purpose, host, port, _SECONDS)
    if is_secure:
        sock = secured(sock, context_for(asked.ca_file), host, f"{asked.purpose} at {host}:{port}")
    with sock:
        try:
            return _exchange(sock, asked)
        except OSError as exc:
            raise TransportError(f"{asked.purpose} broke off ({exc})", where=f"{host}:{port}") from exc
        except h11.RemoteProtocolError as exc:
            raise RemoteProtocolError(f"{asked.purpose} does not answer in HTTP") from exc


def _exchange(sock: socket.socket, asked: Asked) -> Answer:
    http = h11.Connection(h11.CLIENT)
    pieces = [http.send(_request(asked)), http.send(h11.Data(asked.body)), http.send(h11.EndOfMessage())]
    sock.sendall(b"".join(piece or b"" for piece in pieces))
    until, status, body = time.monotonic() + _SECONDS, 0, bytearray()
    while True:
        match http.next_event():
            case h11.NEED_DATA:
                http.receive_data(_received(sock, until, asked.purpose))
            case h11.Response(status_code=code):
                status = code
            case h11.Data(data=data):
                body += data
                if len(body) > _LARGEST:
                    raise RemoteProtocolError(f"{asked.purpose} answers with more than {_LARGEST} bytes")
            case h11.EndOfMessage():
                return Answer(status, bytes(body))
            case h11.InformationalResponse():
                continue
            case _:
                raise RemoteProtocolError(f"{asked.purpose} closed without an answer")


def _received(sock: socket.socket, until: float, purpose: str) -> bytes:
    left = until - time.monotonic()
    if left <= 0:
        raise TransportError(f"{purpose} did not answer within {_SECONDS:g} s")
    sock.settimeout(left)
    return sock.recv(_PIECE)


def _request(asked: Asked) -> h11.Request:
    parts = urlsplit(asked.url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {
        "Host": parts.netloc,
        "User-Agent": "leadglass",
        "Accept-Encoding": "identity",
        "Connection": "close",
        **({"Content-Length": str(len(asked.body))} if asked.body else {}),
        **(asked.headers or {}),
    }
    return h11.Request(method=asked.method, target=target, headers=list(headers.items()))
