"""One request over HTTP to a service that the operator configured: no redirect, no compression, bounded.

For an identity provider's documents, the health of a guard, another Leadglass, a webhook, a time stamp. The caller
judges status and body.
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

__all__ = ["Answer", "Asked", "Stream", "answered", "connected", "fetch", "streamed", "whole"]

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
    seconds: float = 10.0
    """For the connection, for the handshake, for each piece of an answer, and for one that is taken whole."""

    @property
    def server(self) -> tuple[str, int]:
        """Its host and port."""
        parts = urlsplit(self.url)
        return parts.hostname or "", parts.port or (443 if self.is_secure else 80)

    @property
    def is_secure(self) -> bool:
        """Whether it is asked over TLS."""
        return urlsplit(self.url).scheme == "https"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Stream:
    """What is coming back."""

    status: int
    kind: str
    """Its content type, without parameters and in small letters; empty if none is told."""
    pieces: Iterator[bytes]


def fetch(asked: Asked) -> Answer:
    """Ask once. ``TransportError``: no answer; ``RemoteProtocolError``: none that HTTP knows, or too long a one."""
    with streamed(asked, in_all=asked.seconds) as stream:
        return Answer(stream.status, whole(stream, asked))


def whole(stream: Stream, asked: Asked) -> bytes:
    """Everything that comes; ``RemoteProtocolError`` if that is more than was asked for."""
    body = bytearray()
    for piece in stream.pieces:
        body += piece
        if len(body) > asked.largest:
            raise RemoteProtocolError(f"{asked.purpose} answers with more than {asked.largest:,} bytes")
    return bytes(body)


@contextlib.contextmanager
def streamed(asked: Asked, in_all: float = math.inf) -> Iterator[Stream]:
    """Ask once, and take the answer piece by piece, however long it is; it may last ``in_all`` seconds."""
    with connected(asked) as sock, answered(sock, asked, in_all) as stream:
        yield stream


def connected(asked: Asked) -> socket.socket:
    """A connection on which nothing has been asked yet; ``TransportError``, or ``ConfigError`` for its authorities."""
    host, port = asked.server
    context = context_for(asked.ca_file) if asked.is_secure else None
    sock = reached(asked.purpose, host, port, asked.seconds)
    if context is None:
        return sock
    return secured(sock, context, host, f"{asked.purpose} at {host}:{port}")


@contextlib.contextmanager
def answered(sock: socket.socket, asked: Asked, in_all: float = math.inf) -> Iterator[Stream]:
    """What comes back on ``sock``; ``TransportError`` and ``RemoteProtocolError`` as ``fetch``."""
    try:
        events = _events(sock, asked, time.monotonic() + in_all)
        response = _response(events, asked.purpose)
        yield Stream(response.status_code, _kind(response), _pieces(events, asked.purpose))
    except TimeoutError as exc:
        raise TransportError(f"{asked.purpose} did not answer within {asked.seconds:g} s") from exc
    except OSError as exc:
        where = "{}:{}".format(*asked.server)
        raise TransportError(f"{asked.purpose} broke off ({exc})", where=where) from exc
    except h11.RemoteProtocolError as exc:
        raise RemoteProtocolError(f"{asked.purpose} does not answer in HTTP") from exc


def _events(sock: socket.socket, asked: Asked, until: float) -> Iterator[object]:
    http = h11.Connection(h11.CLIENT)
    pieces = [http.send(_request(asked)), http.send(h11.Data(asked.body)), http.send(h11.EndOfMessage())]
    sock.sendall(b"".join(piece or b"" for piece in pieces))
    while True:
        event = http.next_event()
        if event is h11.NEED_DATA:
            http.receive_data(_received(sock, until, asked))
        elif not isinstance(event, h11.InformationalResponse):
            yield event


def _response(events: Iterator[object], purpose: str) -> h11.Response:
    event = next(events)
    if isinstance(event, h11.Response):
        return event
    raise RemoteProtocolError(f"{purpose} closed without an answer")


def _kind(response: h11.Response) -> str:
    told: bytes = dict(response.headers).get(b"content-type", b"")
    return told.partition(b";")[0].strip().lower().decode("latin-1")


def _pieces(events: Iterator[object], purpose: str) -> Iterator[bytes]:
    for event in events:
        if isinstance(event, h11.EndOfMessage):
            return
        if not isinstance(event, h11.Data):
            raise RemoteProtocolError(f"{purpose} closed in the middle of its answer")
        yield bytes(event.data)


def _received(sock: socket.socket, until: float, asked: Asked) -> bytes:
    left = min(asked.seconds, until - time.monotonic())
    if left <= 0:
        raise TimeoutError
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
