"""Data sets as far as the lab's archives need them: text and sequences, implicit or explicit VR.

The lab answers queries, so unlike the probes it has to read an identifier. It reads strictly
(ascending tags, lengths within bounds), keeps the text of elements it knows, and skips the content
of sequences, whatever their length (PS3.5 7.1 and 7.5).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from struct import Struct
from typing import TypeAlias

from leadglass.wire.fields import malformed, text

__all__ = ["VR", "Elements", "Tag", "Value", "decode", "encode"]

Tag: TypeAlias = tuple[int, int]
Value: TypeAlias = "str | Sequence[Elements]"
Elements: TypeAlias = Mapping[Tag, Value]

VR: Mapping[Tag, str] = {
    (0x0008, 0x0005): "CS",
    (0x0008, 0x0016): "UI",
    (0x0008, 0x0018): "UI",
    (0x0008, 0x0020): "DA",
    (0x0008, 0x0030): "TM",
    (0x0008, 0x0050): "SH",
    (0x0008, 0x0052): "CS",
    (0x0008, 0x0054): "AE",
    (0x0008, 0x0060): "CS",
    (0x0008, 0x0061): "CS",
    (0x0008, 0x0080): "LO",
    (0x0008, 0x0090): "PN",
    (0x0008, 0x1030): "LO",
    (0x0008, 0x103E): "LO",
    (0x0010, 0x0010): "PN",
    (0x0010, 0x0020): "LO",
    (0x0010, 0x0030): "DA",
    (0x0010, 0x0040): "CS",
    (0x0010, 0x2201): "LO",
    (0x0010, 0x2292): "LO",
    (0x0010, 0x2297): "PN",
    (0x0020, 0x000D): "UI",
    (0x0020, 0x000E): "UI",
    (0x0020, 0x0010): "SH",
    (0x0020, 0x0011): "IS",
    (0x0020, 0x0013): "IS",
    (0x0020, 0x1206): "IS",
    (0x0020, 0x1208): "IS",
    (0x0040, 0x0001): "AE",
    (0x0040, 0x0002): "DA",
    (0x0040, 0x0003): "TM",
    (0x0040, 0x0100): "SQ",
    (0x0040, 0x1001): "SH",
}
"""The elements that the lab keeps and returns (PS3.6 clause 6)."""

_MOST_ELEMENTS = 256
_DEEPEST = 8
_UNDEFINED = 0xFFFFFFFF
_ITEM = (0xFFFE, 0xE000)
_ITEM_END = (0xFFFE, 0xE00D)
_SEQUENCE_END = (0xFFFE, 0xE0DD)
_TAG_AND_LENGTH = Struct("<HHL")
_EXPLICIT_SHORT = Struct("<HH2sH")
_LONG_VRS = frozenset((b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"UC", b"UN", b"UR", b"UT"))
"""Explicit VRs whose length has four bytes after two reserved ones (PS3.5 7.1.2)."""


def decode(data: bytes, *, explicit: bool) -> dict[Tag, str]:
    """The text elements of a little endian data set, known ones only; ``RemoteProtocolError`` if malformed.

    Sequences that are known are present as "", so that they can be asked for.
    """
    reader = _Reader(data, explicit=explicit)
    found: dict[Tag, str] = {}
    last: Tag = (0, 0)
    count = 0
    while reader.left:
        tag, value = reader.element(0)
        count += 1
        if tag <= last or count > _MOST_ELEMENTS:
            raise malformed("the elements of an identifier are out of order or too many")
        last = tag
        if tag in VR:
            found[tag] = "" if VR[tag] == "SQ" else value.decode("latin-1").strip(" \0")
    return found


def encode(elements: Elements, *, explicit: bool) -> bytes:
    """A little endian data set; every tag must be in ``VR``."""
    return b"".join(_element(tag, elements[tag], explicit=explicit) for tag in sorted(elements))


def _element(tag: Tag, value: Value, *, explicit: bool) -> bytes:
    vr = VR[tag]
    if isinstance(value, str):
        body = text(value, f"element ({tag[0]:04X},{tag[1]:04X})")
        if len(body) % 2:
            body += b"\0" if vr == "UI" else b" "
    else:
        body = b"".join(_item(item, explicit=explicit) for item in value)
    if not explicit:
        return _TAG_AND_LENGTH.pack(*tag, len(body)) + body
    if vr.encode() in _LONG_VRS:
        return _EXPLICIT_SHORT.pack(*tag, vr.encode(), 0) + len(body).to_bytes(4, "little") + body
    return _EXPLICIT_SHORT.pack(*tag, vr.encode(), len(body)) + body


def _item(elements: Elements, *, explicit: bool) -> bytes:
    body = encode(elements, explicit=explicit)
    return _TAG_AND_LENGTH.pack(*_ITEM, len(body)) + body


class _Reader:
    """Reads elements from front to back."""

    def __init__(self, data: bytes, *, explicit: bool) -> None:
        self._data = data
        self._explicit = explicit
        self._at = 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def element(self, depth: int) -> tuple[Tag, bytes]:
        """The next element; the value of one with undefined length is skipped and empty."""
        tag, length = self._header()
        if length == _UNDEFINED:
            self._skip_items(depth + 1)
            return tag, b""
        return tag, self._take(length)

    def _header(self) -> tuple[Tag, int]:
        group, number, length = _TAG_AND_LENGTH.unpack(self._take(8))
        if not self._explicit or group == 0xFFFE:
            return (group, number), length
        vr = length.to_bytes(4, "little")[:2]
        if not (vr.isalpha() and vr.isupper()):
            raise malformed("an element has no value representation")
        if vr in _LONG_VRS:
            return (group, number), int.from_bytes(self._take(4), "little")
        return (group, number), length >> 16

    def _skip_items(self, depth: int) -> None:
        """Items, each with or without a length, up to the sequence delimiter (PS3.5 7.5.2)."""
        if depth > _DEEPEST:
            raise malformed("sequences are nested too deep")
        while True:
            tag, length = self._header()
            if tag == _SEQUENCE_END:
                return
            if tag != _ITEM:
                raise malformed("a sequence holds something that is no item")
            if length != _UNDEFINED:
                self._take(length)
            else:
                self._skip_item(depth)

    def _skip_item(self, depth: int) -> None:
        while True:
            at = self._at
            tag, _ = self._header()
            if tag == _ITEM_END:
                return
            self._at = at
            self.element(depth)

    def _take(self, size: int) -> bytes:
        if size > self.left:
            raise malformed("an identifier is cut short")
        at, self._at = self._at, self._at + size
        return self._data[at : self._at]
