"""Builds data sets byte by byte, well-formed or not, without our own encoder."""

from __future__ import annotations

import struct

from leadglass.wire.elements import Syntax

__all__ = [
    "BIG",
    "EXPLICIT",
    "IMPLICIT",
    "SYNTAXES",
    "UNDEFINED",
    "element",
    "item",
    "item_end",
    "sequence_end",
]

IMPLICIT = Syntax(explicit=False, little=True)
EXPLICIT = Syntax(explicit=True, little=True)
BIG = Syntax(explicit=True, little=False)
SYNTAXES = (IMPLICIT, EXPLICIT, BIG)
UNDEFINED = 0xFFFFFFFF
_LONG = ("OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV")


def element(syntax: Syntax, tag: int, vr: str, value: bytes = b"", *, length: int | None = None) -> bytes:
    """An element; ``length`` lets it lie."""
    order = "<" if syntax.little else ">"
    size = len(value) if length is None else length
    head = struct.pack(order + "HH", tag >> 16, tag & 0xFFFF)
    if not syntax.explicit:
        return head + struct.pack(order + "L", size) + value
    if vr in _LONG:
        return head + vr.encode() + struct.pack(order + "HL", 0, size) + value
    return head + vr.encode() + struct.pack(order + "H", size) + value


def _structure(syntax: Syntax, number: int, length: int) -> bytes:
    return struct.pack("<HHL" if syntax.little else ">HHL", 0xFFFE, number, length)


def item(syntax: Syntax, content: bytes = b"", *, length: int | None = None) -> bytes:
    """An item; with a length of ``UNDEFINED`` its delimiter is yours to add."""
    return _structure(syntax, 0xE000, len(content) if length is None else length) + content


def item_end(syntax: Syntax, length: int = 0) -> bytes:
    return _structure(syntax, 0xE00D, length)


def sequence_end(syntax: Syntax, length: int = 0) -> bytes:
    return _structure(syntax, 0xE0DD, length)
