"""How one element is coded and where it ends (PS3.5 clause 7 and annex A): its header, and sequences skipped.

Where an element ends is decided here and nowhere else. Readers that disagree about that read two
data sets out of the same bytes, and a gateway that decides about one must not deliver the other.
Therefore items of a sequence must fill it exactly, however its length is given; a delimiter may only
stand where a length is undefined; and a VR that the standard does not name ends the reading. Odd
lengths are let through: PS3.5 7.1.1 forbids them, devices write them, and all readers agree on them.
"""

from __future__ import annotations

from collections.abc import Mapping
from struct import Struct
from typing import NamedTuple, TypeAlias

from leadglass.wire.fields import malformed
from leadglass.wire.sequences import SEQUENCES
from leadglass.wire.uids import (
    DEFLATED_EXPLICIT_VR_LE,
    EXPLICIT_VR_BE,
    IMPLICIT_VR_LE,
    JPIP_HTJ2K_REFERENCED_DEFLATE,
    JPIP_REFERENCED_DEFLATE,
)

__all__ = [
    "CONTENT",
    "DELIMITERS",
    "FRAGMENTS",
    "GROUP",
    "ITEM",
    "LEAF",
    "LONG",
    "LOWEST",
    "MAY_BE_ITEM",
    "SEQUENCE",
    "SEQUENCE_END",
    "SHORT",
    "TAG",
    "TAG_AND_VR",
    "UNDEFINED",
    "Header",
    "Nest",
    "Syntax",
    "header",
    "misplaced",
    "shown",
    "syntax_of",
    "vrs",
    "within",
]


class Syntax(NamedTuple):
    """The part of a transfer syntax that says how elements are coded."""

    explicit: bool
    """Each element names its VR."""
    little: bool
    """Little endian."""


_IMPLICIT = Syntax(explicit=False, little=True)
_EXPLICIT = Syntax(explicit=True, little=True)
_SYNTAXES = {IMPLICIT_VR_LE: _IMPLICIT, EXPLICIT_VR_BE: Syntax(explicit=True, little=False)}
_DEFLATED = frozenset({DEFLATED_EXPLICIT_VR_LE, JPIP_REFERENCED_DEFLATE, JPIP_HTJ2K_REFERENCED_DEFLATE})


def syntax_of(transfer_syntax_uid: str) -> Syntax | None:
    """How a data set in this transfer syntax is coded; None if it is deflated and cannot be walked.

    Every encapsulated syntax is explicit little endian (PS3.5 A.4), and so is taken to be one that we
    do not know: what is not will not add up.
    """
    if transfer_syntax_uid in _DEFLATED:
        return None
    return _SYNTAXES.get(transfer_syntax_uid, _EXPLICIT)


UNDEFINED = 0xFFFFFFFF
"""A length that is not said: a delimiter ends the value (PS3.5 7.1.1)."""
LOWEST = 0x00080000
"""The least tag of a data set; those below are of commands and file meta information (PS3.5 7.1)."""
DELIMITERS = 0xFFFE0000
"""No element of a data set has this tag or one above (PS3.5 7.1 and 7.5)."""
ITEM = 0xFFFEE000
_ITEM_END = 0xFFFEE00D
SEQUENCE_END = 0xFFFEE0DD
_STRUCTURE = frozenset({ITEM, _ITEM_END, SEQUENCE_END})
MAY_BE_ITEM = 0xFE
"""No value that begins with a smaller byte begins with an item, in either byte order."""
_PRIVATE = 0x00010000
"""The groups of private elements are odd (PS3.5 7.8)."""
_PIXEL_DATA = 0x7FE00010
_DEEPEST = 16
"""Sequences within sequences; the deepest templates of PS3.16 in use have fewer than ten levels."""


def vrs(names: str) -> Mapping[bytes, str]:
    """VRs by the two bytes that say them."""
    return {name.encode(): name for name in names.split()}


SHORT = vrs("AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US")
"""VRs with a length of two bytes in explicit VR (PS3.5 table 7.1-2), as they are written."""
LONG = vrs("OB OD OF OL OV OW SQ SV UC UN UR UT UV")
"""VRs with two reserved bytes and a length of four (PS3.5 table 7.1-1)."""

TAG = {True: Struct("<HHL"), False: Struct(">HHL")}
"""Group, element and a length of four bytes, by ``Syntax.little``."""
GROUP = {True: Struct("<HH"), False: Struct(">HH")}
"""Group and element."""
TAG_AND_VR = {True: Struct("<HH2sH"), False: Struct(">HH2sH")}
_LENGTH = {True: Struct("<L"), False: Struct(">L")}

LEAF, SEQUENCE, FRAGMENTS, CONTENT = range(4)
"""What bytes are: an opaque value; items that hold elements; items that hold encapsulated pixel data
(PS3.5 A.4); the elements within an item."""

Header: TypeAlias = tuple[int, str, int, int, int]
"""Tag, VR ("" in implicit VR), where the value begins, its length, and what it is."""


def header(data: bytes | bytearray | memoryview, at: int, have: int, syntax: Syntax) -> Header | None:
    """The header of the element at ``data[at]``; None if it needs bytes beyond ``data[:have]``."""
    if have - at < 8:
        return None
    if syntax.explicit:
        return _explicit(data, at, have, syntax)
    group, number, length = TAG[syntax.little].unpack_from(data, at)
    tag = group << 16 | number
    if tag >= DELIMITERS:
        raise malformed(misplaced(tag))
    return _with_kind(data, have, syntax, (tag, "", at + 8, length, LEAF))


def _explicit(data: bytes | bytearray | memoryview, at: int, have: int, syntax: Syntax) -> Header | None:
    group, number, code, length = TAG_AND_VR[syntax.little].unpack_from(data, at)
    tag = group << 16 | number
    if tag >= DELIMITERS:
        raise malformed(misplaced(tag))
    vr = SHORT.get(code)
    if vr is not None:
        return tag, vr, at + 8, length, LEAF
    vr = LONG.get(code)
    if vr is None:
        raise malformed(f"element {shown(tag)} has no VR of the standard")
    if have - at < 12:
        return None
    (length,) = _LENGTH[syntax.little].unpack_from(data, at + 8)
    found = (tag, vr, at + 12, length, LEAF)
    if vr in {"SQ", "UN"} or length == UNDEFINED:
        return _with_kind(data, have, syntax, found)
    return found


def _with_kind(
    data: bytes | bytearray | memoryview, have: int, syntax: Syntax, found: Header
) -> Header | None:
    """``found`` with what its value is; None if too little of the value is there to say."""
    tag, vr, value_at, length, _ = found
    kind = LEAF
    if length == UNDEFINED:
        kind = _undefined(tag, vr)
    elif length and (vr == "SQ" or tag in SEQUENCES):
        kind = SEQUENCE
    elif length >= 8:
        # A private sequence, or one younger than our list: who knows it reads items.
        if have - value_at < 8:
            return None
        if data[value_at] >= MAY_BE_ITEM and _begins_with_item(
            data, value_at, little=vr == "UN" or syntax.little
        ):
            kind = SEQUENCE
    return tag, vr, value_at, length, kind


def _begins_with_item(data: bytes | bytearray | memoryview, at: int, *, little: bool) -> bool:
    group, number, _ = TAG[little].unpack_from(data, at)
    return group << 16 | number in _STRUCTURE


def _undefined(tag: int, vr: str) -> int:
    """What an element of undefined length is; the standard lets few be."""
    # In implicit VR some readers search the value of what they know to be no sequence for the delimiter,
    # and may find one within an item. So a standard tag must be known as a sequence.
    if vr in {"SQ", "UN"} or (not vr and (tag in SEQUENCES or tag & _PRIVATE)):
        return SEQUENCE
    if vr in {"OB", "OW"} and tag == _PIXEL_DATA:
        return FRAGMENTS
    raise malformed(f"element {shown(tag)} has no length, and is no sequence")


def within(vr: str, syntax: Syntax) -> Syntax:
    """How the items of a sequence are coded: one of VR UN is in implicit little endian (PS3.5 6.2.2)."""
    return _IMPLICIT if vr == "UN" else syntax


def misplaced(tag: int) -> str:
    """What is wrong with an element that may not follow the one before it."""
    if LOWEST <= tag < DELIMITERS:
        return f"element {shown(tag)} is out of order"
    return f"element {shown(tag)} is of a group that data sets do not have"


def shown(tag: int) -> str:
    """A tag as the standard prints it."""
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


class _Level(NamedTuple):
    """A sequence or an item that is being skipped."""

    bound: int
    """Where it ends, or where it must have ended at the latest if its length is undefined."""
    undefined: bool
    kind: int
    syntax: Syntax


class Nest:
    """Skips one sequence or item and all within it; stops where bytes are missing, and goes on there later.

    Positions count from the beginning of a stream; ``base`` says where in it ``data`` begins.
    """

    __slots__ = ("_levels", "at")

    def __init__(self, at: int, length: int, bound: int, kind: int, syntax: Syntax) -> None:
        """For a sequence, or the content of an item, that begins at ``at`` and may not pass ``bound``."""
        self.at = at
        """Where it goes on; the end once there is nothing left to do."""
        self._levels: list[_Level] = []
        self._open(length, bound, kind, syntax)

    def advance(self, data: bytes | bytearray | memoryview, base: int) -> bool:
        """Whether the end of the sequence is known; it may lie behind ``data``."""
        levels = self._levels
        while levels:
            level = levels[-1]
            have = min(base + len(data), level.bound)
            if self.at == level.bound and not level.undefined:
                levels.pop()
            elif not self._step(data, base, have, level):
                if have == level.bound:
                    raise malformed("a sequence or one of its items is cut short")
                return False
        return True

    def _step(self, data: bytes | bytearray | memoryview, base: int, have: int, level: _Level) -> bool:
        if have - self.at < 8:
            return False
        if level.kind == CONTENT:
            return self._element(data, base, have, level)
        group, number, length = TAG[level.syntax.little].unpack_from(data, self.at - base)
        tag = group << 16 | number
        self.at += 8
        if tag == ITEM:
            self._item(length, level)
        elif tag == SEQUENCE_END and level.undefined and not length:
            self._levels.pop()
        else:
            raise malformed(f"{shown(tag)} stands where an item should be")
        return True

    def _item(self, length: int, level: _Level) -> None:
        if level.kind == SEQUENCE:
            self._open(length, level.bound, CONTENT, level.syntax)
        else:
            self._pass(length, level.bound)

    def _element(self, data: bytes | bytearray | memoryview, base: int, have: int, level: _Level) -> bool:
        at, syntax = self.at - base, level.syntax
        group, number, length = TAG[syntax.little].unpack_from(data, at)
        if group << 16 | number == _ITEM_END and level.undefined and not length:
            self.at += 8
            self._levels.pop()
            return True
        found = header(data, at, have - base, syntax)
        if found is None:
            return False
        _, vr, value_at, length, kind = found
        self.at = base + value_at
        if kind == LEAF:
            self._pass(length, level.bound)
        else:
            self._open(length, level.bound, kind, within(vr, syntax))
        return True

    def _pass(self, length: int, bound: int) -> None:
        self.at += length
        if self.at > bound or length == UNDEFINED:
            raise malformed("an element or item is longer than what it stands in")

    def _open(self, length: int, bound: int, kind: int, syntax: Syntax) -> None:
        undefined = length == UNDEFINED
        if not undefined:
            bound = self._fits(length, bound)
        if kind != CONTENT and len(self._levels) >= 2 * _DEEPEST:
            raise malformed(f"more than {_DEEPEST} sequences within each other")
        self._levels.append(_Level(bound, undefined, kind, syntax))

    def _fits(self, length: int, bound: int) -> int:
        end = self.at + length
        if end > bound:
            raise malformed("a sequence or item is longer than what it stands in")
        return end
