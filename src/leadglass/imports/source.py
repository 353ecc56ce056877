"""The bytes of a file in pieces, unpacked where they are gzip, with a look at the first ones before they go.

Memory does not depend on what the file holds: pieces are small, however well they were packed.
"""

from __future__ import annotations

import zlib
from collections.abc import Generator, Iterator
from typing import BinaryIO

from leadglass.errors import ResourceError
from leadglass.imports.found import DamagedError

__all__ = ["HEAD", "Source"]

HEAD = 1 << 20
"""Bytes that may be looked at to tell the format."""
_PIECE = 1 << 16
_GZIP = b"\x1f\x8b"
_WITH_GZIP_HEADER = 31
"""``wbits`` of zlib for the largest window and a gzip header (RFC 1952)."""


class Source:
    """Iterable once; ``DamagedError`` where compressed data end early or are damaged."""

    def __init__(self, stream: BinaryIO, where: str) -> None:
        self._stream = stream
        self._where = where
        self._pieces = self._unpacked()
        self._held: list[bytes] = []
        self.damage: DamagedError | None = None
        """What broke while the head was looked at."""

    def head(self) -> bytes:
        """The first bytes, at least ``HEAD`` of them if there are as many; they are still read afterwards."""
        while self.damage is None and sum(map(len, self._held)) < HEAD:
            try:
                piece = next(self._pieces, b"")
            except DamagedError as damage:
                self.damage = damage
                break
            if not piece:
                break
            self._held.append(piece)
        return b"".join(self._held)

    def __iter__(self) -> Iterator[bytes]:
        held, self._held = self._held, []
        yield from held
        if self.damage is not None:
            raise self.damage
        yield from self._pieces

    def _unpacked(self) -> Iterator[bytes]:
        first = self._read()
        while len(first) == 1 and (more := self._read()):
            first += more
        if first.startswith(_GZIP):
            yield from self._gunzipped(first)
            return
        while first:
            yield first
            first = self._read()

    def _gunzipped(self, packed: bytes) -> Iterator[bytes]:
        """One gzip member after the other, as gzip files may be joined (RFC 1952 2.2)."""
        while packed:
            rest = yield from self._member(packed)
            packed = self._beyond_padding(rest)

    def _member(self, packed: bytes) -> Generator[bytes, None, bytes]:
        """Unpack one member; returns what was read beyond it."""
        unpacker = zlib.decompressobj(wbits=_WITH_GZIP_HEADER)
        while True:
            try:
                piece = unpacker.decompress(packed, _PIECE)
            except zlib.error as exc:
                raise DamagedError("the compressed data are damaged from here on") from exc
            if piece:
                yield piece
            if unpacker.eof:
                return unpacker.unused_data
            packed = unpacker.unconsumed_tail or self._read()
            if not packed and not piece:
                raise DamagedError("the compressed data end early")

    def _beyond_padding(self, rest: bytes) -> bytes:
        """What follows after zeros, with which files are filled up to a block; nothing at the end."""
        rest = rest.lstrip(b"\0")
        while not rest:
            piece = self._read()
            if not piece:
                break
            rest = piece.lstrip(b"\0")
        return rest

    def _read(self) -> bytes:
        try:
            return self._stream.read(_PIECE)
        except OSError as exc:
            raise ResourceError(
                f"reading stopped: {exc.strerror or exc}",
                where=self._where,
                then="check the file and its disk",
            ) from exc
