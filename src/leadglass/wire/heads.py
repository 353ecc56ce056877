"""The beginning of a data set that comes in pieces (C-STORE, STOW-RS): what a decision needs, read in passing.

Pieces may be cut anywhere and be of any size. Nothing is read twice, so that a peer that sends byte
by byte costs itself more than us.
"""

from __future__ import annotations

from collections.abc import Mapping

from leadglass.errors import LocalProtocolError
from leadglass.wire.coding import (
    DELIMITERS,
    GROUP,
    LEAF,
    LOWEST,
    MAY_BE_ITEM,
    SHORT,
    TAG,
    TAG_AND_VR,
    Nest,
    Syntax,
    header,
    misplaced,
    shown,
    within,
)
from leadglass.wire.fields import malformed
from leadglass.wire.sequences import SEQUENCES

__all__ = ["HeadReader"]

_ENDLESS = 1 << 63
"""Behind the head, only lengths bound a data set."""


class HeadReader:
    """Collects some of the leading elements of a data set; afterwards checks the rest, if it is fed.

    The head is complete once an element with a tag of ``stop`` or above has begun, or the data set has
    ended. Its elements must ascend strictly. Go on feeding after that, and the rest is checked as
    it passes: it may not fall back below ``stop``, and all must add up. Without this a second Study
    Instance UID can stand at the end, where some archives find it and take it for the true one.
    """

    __slots__ = (
        "_at",
        "_base",
        "_bound",
        "_checking",
        "_complete",
        "_data",
        "_ended",
        "_floor",
        "_limit",
        "_nest",
        "_pending",
        "_stop",
        "_syntax",
        "_values",
        "_vrs",
        "_wanted",
    )

    def __init__(self, syntax: Syntax, wanted: frozenset[int], stop: int, limit: int = 256 * 1024) -> None:
        """``limit``: bytes in the head; ``wanted``: tags below ``stop``."""
        if not LOWEST < stop <= DELIMITERS or max(wanted, default=0) >= stop:
            raise LocalProtocolError(f"a head up to {shown(stop)} cannot hold all that is wanted of it")
        self._syntax = syntax
        self._wanted = wanted
        self._stop = stop
        self._bound = self._limit = limit
        self._floor = LOWEST  # the least tag that may come next
        self._data: bytes | bytearray | memoryview = b""
        self._base = 0  # where in the data set ``_data`` begins
        self._at = 0  # where in the data set to go on
        self._nest: Nest | None = None
        self._pending: tuple[int, int] | None = None  # tag and beginning of a wanted value
        self._values: dict[int, bytes] = {}
        self._vrs: dict[int, str] = {}
        self._complete = False
        self._checking = False  # more has been fed since
        self._ended = False

    @property
    def complete(self) -> bool:
        """Whether the head has been read."""
        return self._complete

    @property
    def values(self) -> Mapping[int, bytes]:
        """The values of the wanted elements so far; of a sequence its items, with the delimiter if it has one."""
        return self._values

    @property
    def vrs(self) -> Mapping[int, str]:
        """The VRs of the same elements; "" in implicit VR."""
        return self._vrs

    @property
    def held(self) -> list[bytes]:
        """All that was fed until the head was complete, to be sent on; gone once more is fed after that.

        Where fragments were cut means nothing (PS3.8 annex E), so it is not kept.
        """
        return [bytes(self._data)] if self._data and not self._checking else []

    def feed(self, fragment: bytes | memoryview, *, last: bool) -> bool:
        """The next fragment of the data set, ``last`` if there is none after it; whether the head is complete.

        ``RemoteProtocolError`` if the bytes do not add up, or the head has more than ``limit`` of them.
        """
        if self._ended:
            raise LocalProtocolError("a data set goes on after its last fragment")
        self._ended = last
        if self._complete and not self._data and self._nest is None and self._within(len(fragment)):
            if last:
                self._finish()
            return True
        if self._complete:
            self._check(fragment)
        else:
            self._collect(fragment)
        if last:
            self._finish()
        return self._complete

    def _within(self, size: int) -> bool:
        """Whether the next bytes are all of one opaque value, pixels mostly; then they are passed over."""
        if self._base + size > self._at:
            return False
        self._checking = True
        self._base += size
        return True

    def _collect(self, fragment: bytes | memoryview) -> None:
        # A head in many pieces is collected in a bytearray: amortised, not copied for each piece.
        if isinstance(self._data, bytearray):
            self._data += fragment
        elif self._data:
            self._data = bytearray(b"".join((self._data, fragment)))
        else:
            self._data = bytes(fragment)
        self._read()

    def _check(self, fragment: bytes | memoryview) -> None:
        """More of what follows the head; nothing is kept but the beginning of a header."""
        self._checking = True
        if self._data:
            self._read()
            self._drop()
        try:
            self._data = b"".join((self._data, fragment)) if self._data else fragment
            self._read()
        finally:
            self._drop()

    def _drop(self) -> None:
        """Let go of what was read."""
        read = self._at - self._base
        self._base += min(read, len(self._data))
        self._data = bytes(self._data[read:])

    def _finish(self) -> None:
        if not self._complete:
            self._complete = True
        elif self._data:
            self._read()
        if self._nest is not None or self._at != self._base + len(self._data):
            raise malformed("a data set ends within an element")

    def _read(self) -> None:
        """Read on, to the end of what there is or of the head."""
        end = self._base + len(self._data)
        while self._at <= end:
            if self._nest is not None:
                done = self._nest.advance(self._data, self._base)
                self._at = self._nest.at
                if not done:
                    return
                self._nest = None
            elif self._pending is not None:
                self._take(*self._pending)
            elif not self._next(end):
                return

    def _take(self, tag: int, value_at: int) -> None:
        # Only of the head, where the base is 0.
        self._values[tag] = bytes(self._data[value_at : self._at])
        self._pending = None

    def _next(self, end: int) -> bool:
        """Some plain elements and one that is not; False if bytes are missing, or the head is complete."""
        (self._skim_explicit if self._syntax.explicit else self._skim_implicit)(end)
        at = self._at - self._base
        if end - self._at < 4:
            return False
        if not self._complete and self._is_over(at):
            return False
        found = header(self._data, at, end - self._base, self._syntax)
        if found is None:
            return False
        tag, vr, value_at, length, kind = found
        if tag < self._floor:
            raise malformed(misplaced(tag))
        self._at = self._base + value_at
        if not self._complete:
            self._floor = tag + 1
            if tag in self._wanted:
                self._pending = tag, self._at
                self._vrs[tag] = vr
        if kind == LEAF:
            self._pass(length)
        else:
            self._nest = Nest(self._at, length, self._bound, kind, within(vr, self._syntax))
        return True

    def _skim_implicit(self, end: int) -> None:
        """Pass over elements that need no care: opaque, whole, and in order; wanted ones are taken in passing."""
        data, at, floor = self._data, self._at - self._base, self._floor
        wanted, unpack = self._wanted, TAG[self._syntax.little].unpack_from
        ceiling = DELIMITERS if self._complete else self._stop
        end = min(end, self._bound) - self._base
        while end - at > 8:
            group, number, length = unpack(data, at)
            tag = group << 16 | number
            then = at + 8 + length
            if then > end or not floor <= tag < ceiling or tag in SEQUENCES:
                break
            if length >= 8 and data[at + 8] >= MAY_BE_ITEM:
                break
            if tag in wanted:
                self._values[tag] = bytes(data[at + 8 : then])
                self._vrs[tag] = ""
            at = then
            floor = self._stop if self._complete else tag + 1
        self._at, self._floor = at + self._base, floor

    def _skim_explicit(self, end: int) -> None:
        """The same, where VRs tell what is opaque; wanted ones are taken in passing."""
        data, at, floor = self._data, self._at - self._base, self._floor
        wanted, unpack = self._wanted, TAG_AND_VR[self._syntax.little].unpack_from
        ceiling = DELIMITERS if self._complete else self._stop
        end = min(end, self._bound) - self._base
        while end - at > 8:
            group, number, code, length = unpack(data, at)
            tag = group << 16 | number
            then = at + 8 + length
            if then > end or not floor <= tag < ceiling or code not in SHORT:
                break
            if tag in wanted:
                self._values[tag] = bytes(data[at + 8 : then])
                self._vrs[tag] = SHORT[code]
            at = then
            floor = self._stop if self._complete else tag + 1
        self._at, self._floor = at + self._base, floor

    def _is_over(self, at: int) -> bool:
        if self._at + 4 > self._limit:
            raise malformed(f"the head of a data set has more than {self._limit} bytes")
        group, number = GROUP[self._syntax.little].unpack_from(self._data, at)
        tag = group << 16 | number
        if tag < self._stop:
            return False
        if tag >= DELIMITERS:
            raise malformed(misplaced(tag))
        self._complete = True
        self._floor = self._stop
        self._bound = _ENDLESS
        return True

    def _pass(self, length: int) -> None:
        self._at += length
        if self._at > self._bound:
            raise malformed(f"the head of a data set has more than {self._limit} bytes")
