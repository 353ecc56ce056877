"""The first flight of a server up to TLS 1.2, read as it comes: everything in it is plain.

The order of messages is fixed (RFC 5246 7.3), each comes at most once, and nothing may follow
ServerHelloDone before the client answers; we never do. So the reader knows when it is finished, and
a peer cannot keep it busy.
"""

from __future__ import annotations

from typing import TypeAlias

from leadglass.errors import RemoteProtocolError
from leadglass.wire.tls.messages import (
    Message,
    ServerHello,
    ServerHelloDone,
    Skipped,
    alert,
    certificate_request,
    certificates,
    server_hello,
)
from leadglass.wire.tls.records import ContentType, NotTls, Record, RecordReader

__all__ = ["MAX_MESSAGE", "Event", "FlightReader"]

MAX_MESSAGE = 256 * 1024
"""Bytes in one handshake message."""

Event: TypeAlias = Message | NotTls

_HELLO_REQUEST = 0
_SERVER_HELLO, _CERTIFICATE, _CERTIFICATE_REQUEST, _SERVER_HELLO_DONE = 2, 11, 13, 14

_ORDER = {
    _SERVER_HELLO: 0,
    23: 1,
    _CERTIFICATE: 2,
    22: 3,
    12: 4,
    _CERTIFICATE_REQUEST: 5,
    _SERVER_HELLO_DONE: 6,
}
"""Place of each message in the flight (RFC 5246 7.3; 23 supplemental data, RFC 4680; 22
CertificateStatus, RFC 6066 8; 12 ServerKeyExchange)."""

_MAX_INTERRUPTIONS = 8
"""Warnings and HelloRequests that a peer may send; OpenSSL's own limit for warnings is 5 in a row."""


class FlightReader:
    """Reads one server's first flight.

    ``feed`` takes bytes in any pieces, ``next`` gives the events that are complete: how the bytes were
    cut makes no difference. The flight is ``finished`` with ServerHelloDone, with an alert that ends the
    connection, and with ``NotTls``; what follows is ignored. ``highest`` is the version that was offered,
    at most 0x0303: TLS 1.3 encrypts its flight, so it is never offered with a hello made by hand.
    """

    def __init__(self, *, highest: int = 0x0303) -> None:
        self._highest = highest
        self._records = RecordReader()
        self._handshake = bytearray()
        self._version = 0
        self._place = -1
        self._interruptions = 0
        self.finished = False

    def feed(self, data: bytes) -> None:
        """More bytes from the peer."""
        if not self.finished:
            self._records.feed(data)

    def next(self) -> Event | None:
        """The next event; None: more bytes are needed, or the flight is finished.

        ``RemoteProtocolError`` if the bytes break TLS; nothing can be read after that.
        """
        while not self.finished:
            message = self._message()
            if message is not None:
                return message
            piece = self._records.next()
            if piece is None:
                return None
            event = self._take(piece)
            if event is not None:
                return event
        return None

    def _take(self, piece: Record | NotTls) -> Event | None:
        if isinstance(piece, NotTls):
            self.finished = True
            return piece
        if piece.content_type is ContentType.ALERT:
            return self._alert(piece.payload)
        if piece.content_type is not ContentType.HANDSHAKE:
            raise RemoteProtocolError(
                f"a {piece.content_type.name} record came in the middle of the first flight"
            )
        self._handshake += piece.payload
        return None

    def _alert(self, payload: bytes) -> Event:
        event = alert(payload)
        self._interrupted()
        self.finished = event.ends
        return event

    def _message(self) -> Message | None:
        """The next complete handshake message (RFC 5246 7.4): type, 3 bytes of length, body."""
        if len(self._handshake) < 4:
            return None
        kind, size = self._handshake[0], int.from_bytes(self._handshake[1:4])
        if size > MAX_MESSAGE:
            raise RemoteProtocolError(f"a handshake message announces {size} bytes")
        if len(self._handshake) < 4 + size:
            return None
        body = bytes(self._handshake[4 : 4 + size])
        del self._handshake[: 4 + size]
        return self._decode(kind, body)

    def _decode(self, kind: int, body: bytes) -> Message:
        if kind == _HELLO_REQUEST:
            self._interrupted()
            return Skipped(kind, len(body))
        self._advance(kind)
        if kind == _SERVER_HELLO:
            return self._chosen(server_hello(body))
        if kind == _CERTIFICATE:
            return certificates(body)
        if kind == _CERTIFICATE_REQUEST:
            return certificate_request(body, self._version)
        if kind == _SERVER_HELLO_DONE:
            return self._done(body)
        return Skipped(kind, len(body))

    def _advance(self, kind: int) -> None:
        place = _ORDER.get(kind)
        if place is None or place <= self._place or (self._place < 0 and place > 0):
            raise RemoteProtocolError(f"handshake message {kind} is out of place in the first flight")
        self._place = place

    def _chosen(self, hello: ServerHello) -> ServerHello:
        if not 0x0300 <= hello.version <= self._highest:
            raise RemoteProtocolError(
                f"ServerHello chose version 0x{hello.version:04X}, which was not offered"
            )
        self._version = hello.version
        return hello

    def _done(self, body: bytes) -> ServerHelloDone:
        if body:
            raise RemoteProtocolError("ServerHelloDone is not empty")
        self.finished = True
        return ServerHelloDone()

    def _interrupted(self) -> None:
        self._interruptions += 1
        if self._interruptions > _MAX_INTERRUPTIONS:
            raise RemoteProtocolError("the peer interrupts its first flight again and again")
