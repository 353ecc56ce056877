"""One request over HTTP to a service that the operator configured: no redirect, no compression, bounded.

For an identity provider's documents, the health of a guard, another Leadglass. The caller judges status and body.
"""

from __future__ import annotations

import contextlib
import math
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import h11

from leadglass.errors import RemoteProtocolError, TransportError
from leadglass.net.secured import context_for, reached, secured

__all__ = ["Answer", "Asked", "Stream", "fetch", "streamed"]

_SECONDS = 10.0
"""For the connection, for the handshake, for each piece of an answer, and for one that is taken whole."""
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
    largest: int = _LARGEST
    """Bytes of an answer that is taken whole."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Stream:
    """What is coming back."""

    status: int
    pieces: Iterator[bytes]


def fetch(asked: Asked) -> Answer:
    """Ask once. ``TransportError``: no answer; ``RemoteProtocolError``: none that HTTP knows, or too long a one."""
    body = bytearray()
    with streamed(asked, in_all=_SECONDS) as stream:
        for piece in stream.pieces:
            body += piece
            if len(body) > asked.largest:
                raise RemoteProtocolError(f"{asked.purpose} answers with more than {asked.largest} bytes")
    return Answer(stream.status, bytes(body))


@contextlib.contextmanager
def streamed(asked: Asked, in_all: float = math.inf) -> Iterator[Stream]:
    """Ask once, and take the answer piece by piece, however long it is; it may last ``in_all`` seconds."""
    parts = urlsplit(asked.url)
    host, is_secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if is_secure else 80)
    sock = reached(asked.purpose, host, port, _SECONDS)
    if is_secure:
        sock = secured(sock, context_for(asked.ca_file), host, f"{asked.purpose} at {host}:{port}")
    with sock:
        try:
            events = _events(sock, asked, time.monotonic() + in_all)
            yield Stream(_status(events, asked.purpose), _pieces(events, asked.purpose))
        except OSError as exc:
            raise TransportError(f"{asked.purpose} broke off ({exc})", where=f"{host}:{port}") from exc
        except h11.RemoteProtocolError as exc:
            raise RemoteProtocolError(f"{asked.purpose} does not answer in HTTP") from exc


def _events(sock: socket.socket, asked: Asked, until: float) -> Iterator[object]:
    http = h11.Connection(h11.CLIENT)
    pieces = [http.send(_request(asked)), http.send(h11.Data(asked.body)), http.send(h11.EndOfMessage())]
    sock.sendall(b"".join(piece or b"" for piece in pieces))
    while True:
        event = http.next_event()
        if event is h11.NEED_DATA:
            http.receive_data(_received(sock, until, asked.purpose))
        elif not isinstance(event, h11.InformationalResponse):
            yield event


def _status(events: Iterator[object], purpose: str) -> int:
    event = next(events)
    if isinstance(event, h11.Response):
        return event.status_code
    raise RemoteProtocolError(f"{purpose} closed without an answer")


def _pieces(events: Iterator[object], purpose: str) -> Iterator[bytes]:
    for event in events:
        if isinstance(event, h11.EndOfMessage):
            return
        if not isinstance(event, h11.Data):
            raise RemoteProtocolError(f"{purpose} closed in the middle of its answer")
        yield bytes(event.data)


def _received(sock: socket.socket, until: float, purpose: str) -> bytes:
    left = min(_SECONDS, until - time.monotonic())
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
