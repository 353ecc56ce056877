"""Where the body of an HTTP message ends (RFC 9112 clause 6), as it streams by.

A reader is fed what comes behind the head and tells the body's pieces; ``done`` says that it is
complete, ``excess`` that something came behind it.
"""

from __future__ import annotations

import re
from typing import Protocol

from leadglass.errors import RemoteProtocolError

__all__ = ["Body", "Chunked", "Counted", "UntilClose", "chunk_head"]

_LONGEST_LINE = 4 * 1024
_MOST_TRAILERS = 32
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})\Z")
_SIZE_EXTENDED = re.compile(rb"([0-9A-Fa-f]{1,15})(?:[ \t]*;[\t\x20-\x7e]*|[ \t]*)\Z")
_TRAILER = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*\Z")


class Body(Protocol):
    """A body that is being read."""

    done: bool
    excess: bool

    def feed(self, data: bytes) -> list[bytes]:
        """Pieces of the body; ``RemoteProtocolError`` if the bytes break the grammar."""
        ...

    def close(self) -> None:
        """Nothing more will come; ``RemoteProtocolError`` if something is missing."""
        ...


class Counted:
    """A body of so many bytes."""

    def __init__(self, length: int) -> None:
        self._left = length
        self.done = not length
        self.excess = False

    def feed(self, data: bytes) -> list[bytes]:
        """Pieces of the body."""
        if len(data) > self._left:
            self.excess = True
            data = data[: self._left]
        self._left -= len(data)
        self.done = not self._left
        return [data] if data else []

    def close(self) -> None:
        """Nothing more will come."""
        if not self.done:
            raise RemoteProtocolError("a body that ends before its length")


class UntilClose:
    """A body that ends with the connection."""

    def __init__(self) -> None:
        self.done = False
        self.excess = False

    def feed(self, data: bytes) -> list[bytes]:
        """Pieces of the body."""
        return [data] if data else []

    def close(self) -> None:
        """Nothing more will come: the body is complete."""
        self.done = True


class Chunked:
    """A body in chunks (RFC 9112 7.1)."""

    def __init__(self, *, strict: bool) -> None:
        """``strict``: without extensions and trailers, which nobody who talks DICOMweb sends."""
        self._size = _SIZE if strict else _SIZE_EXTENDED
        self._trailers = 0 if strict else _MOST_TRAILERS
        self._held = b""
        self._left = 0
        """Bytes of the present chunk that are still to come."""
        self._behind_chunk = False
        """The line end of a chunk is due."""
        self._behind_last = False
        self.done = False
        self.excess = False

    def feed(self, data: bytes) -> list[bytes]:
        """Pieces of the body."""
        pieces: list[bytes] = []
        if self._held:
            data = self._held + data
            self._held = b""
        at = 0
        while at < len(data) and not self.done:
            if self._left:
                piece = data[at : at + self._left]
                pieces.append(piece)
                at += len(piece)
                self._left -= len(piece)
                self._behind_chunk = not self._left
                continue
            end = data.find(b"\r\n", at, at + _LONGEST_LINE)
            if end < 0:
                self._keep(data[at:])
                break
            self._line(data[at:end])
            at = end + 2
        self.excess = self.excess or (self.done and at < len(data))
        return pieces

    def _keep(self, rest: bytes) -> None:
        if len(rest) >= _LONGEST_LINE or (self._behind_chunk and rest != b"\r"):
            raise RemoteProtocolError("a chunk that does not end as it should")
        self._held = rest

    def _line(self, line: bytes) -> None:
        if self._behind_chunk:
            if line:
                raise RemoteProtocolError("a chunk that does not end as it should")
            self._behind_chunk = False
        elif self._behind_last:
            self._trailer(line)
        else:
            match = self._size.match(line)
            if match is None:
                raise RemoteProtocolError("a chunk without a size")
            self._left = int(match[1], 16)
            self._behind_last = not self._left

    def _trailer(self, line: bytes) -> None:
        if not line:
            self.done = True
            return
        self._trailers -= 1
        if self._trailers < 0 or not _TRAILER.match(line):
            raise RemoteProtocolError("trailers that break the grammar, or too many")

    def close(self) -> None:
        """Nothing more will come."""
        if not self.done:
            raise RemoteProtocolError("a body that ends before its last chunk")


def chunk_head(size: int) -> bytes:
    """What stands before a chunk of ``size`` bytes; behind it comes a line end."""
    return b"%x\r\n" % size
