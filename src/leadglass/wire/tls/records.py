"""TLS records: a stream cut into pieces, and what is no TLS at all told apart (RFC 8446 5.1).

Only plaintext records are read here. A peer that never meant to speak TLS shows it in its first
two bytes, which is an answer and no error; a peer that does, and then breaks the framing, is met
with ``RemoteProtocolError``.
"""

from __future__ import annotations

import enum
from typing import NamedTuple, TypeAlias

from leadglass.errors import RemoteProtocolError

__all__ = ["MAX_PAYLOAD", "MAX_TOTAL", "ContentType", "NotTls", "Record", "RecordReader", "is_tls"]

MAX_PAYLOAD = 2**14 + 2048
"""Bytes in one record: TLSCiphertext of RFC 5246 6.2.3, the loosest of all versions."""

MAX_TOTAL = 512 * 1024
"""Bytes read from one peer before its first flight must be over; real ones stay under 20 KB."""

_HEADER = 5


class ContentType(enum.IntEnum):
    """What a record carries (RFC 5246 6.2.1)."""

    CHANGE_CIPHER_SPEC = 20
    ALERT = 21
    HANDSHAKE = 22
    APPLICATION_DATA = 23


_TYPES = frozenset(ContentType)


class Record(NamedTuple):
    """One record as it stood on the wire. ``version`` is 0x0300 to 0x0304."""

    content_type: ContentType
    version: int
    payload: bytes


class NotTls(NamedTuple):
    """The peer speaks something else: its first bytes are no TLS record (an SSLv2 reply included)."""

    head: bytes
    """The bytes that tell: the first, if it is no content type, else the first two."""


Piece: TypeAlias = Record | NotTls


def is_tls(head: bytes) -> bool | None:
    """Whether a stream that begins with ``head`` can be TLS; None while one more byte is needed.

    A record begins with a content type of 20 to 23 and major version 3 (RFC 5246 6.2.1).
    """
    if head and head[0] not in _TYPES:
        return False
    return None if len(head) < 2 else head[1] == 3


class RecordReader:
    """Cuts one peer's bytes into records.

    ``feed`` takes bytes in any pieces; ``next`` gives what is complete. How the bytes were cut makes
    no difference to what comes out.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._total = 0
        self._begun = False
        self._over = False

    def feed(self, data: bytes) -> None:
        """More bytes from the peer. What exceeds ``MAX_TOTAL`` is not kept; ``next`` will say so."""
        room = MAX_TOTAL - self._total
        self._total += len(data)
        if not self._over:
            self._buffer += data[:room] if room > 0 else b""

    def next(self) -> Piece | None:
        """The next record; None: more bytes are needed. After ``NotTls`` only None follows.

        ``RemoteProtocolError`` if the bytes break the framing; it is raised again at each call.
        """
        if self._over:
            return None
        if not self._begun:
            spoken = is_tls(bytes(self._buffer[:2]))
            if spoken is False:
                return self._not_tls()
            self._begun = spoken is True
        record = self._record() if self._begun else None
        if record is None and self._total > MAX_TOTAL:
            raise RemoteProtocolError(f"the peer sent more than {MAX_TOTAL} bytes in its first flight")
        return record

    def _not_tls(self) -> NotTls:
        self._over = True
        head = bytes(self._buffer[: 2 if self._buffer[0] in _TYPES else 1])
        self._buffer.clear()
        return NotTls(head)

    def _record(self) -> Record | None:
        if len(self._buffer) < _HEADER:
            return None
        kind, major, minor = self._buffer[0], self._buffer[1], self._buffer[2]
        size = int.from_bytes(self._buffer[3:_HEADER])
        if kind not in _TYPES or major != 3 or minor > 4:
            raise RemoteProtocolError("a TLS record has an unknown content type or version")
        if not 0 < size <= MAX_PAYLOAD:
            raise RemoteProtocolError(f"a TLS record announces {size} bytes")
        if len(self._buffer) < _HEADER + size:
            return None
        payload = bytes(self._buffer[_HEADER : _HEADER + size])
        del self._buffer[: _HEADER + size]
        return Record(ContentType(kind), major << 8 | minor, payload)
