"""Data sets walked, element by element, without being built (PS3.5 clause 7).

Spans of bytes come out, and values stay as they were sent: what a value means is its reader's
business. A data set may be a patient's; the guard, which decides about it, may walk one, and of the
probes only ``probe.sample``, which needs the owner's written word (a test says so). What does not add up is a ``RemoteProtocolError``, and its message
holds tags and nothing of a value.

``coding`` says where one element ends, ``heads`` reads the beginning of a data set that comes in pieces.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from leadglass.errors import LocalProtocolError
from leadglass.wire.coding import (
    CONTENT,
    DELIMITERS,
    ITEM,
    LEAF,
    LONG,
    LOWEST,
    MAY_BE_ITEM,
    SEQUENCE_END,
    SHORT,
    TAG,
    TAG_AND_VR,
    UNDEFINED,
    Nest,
    Syntax,
    header,
    misplaced,
    shown,
    syntax_of,
    vrs,
    within,
)
from leadglass.wire.fields import malformed
from leadglass.wire.heads import HeadReader
from leadglass.wire.sequences import SEQUENCES

__all__ = [
    "HeadReader",
    "Span",
    "Syntax",
    "encode_element",
    "items",
    "syntax_of",
    "syntax_within",
    "text_values",
    "uid_values",
    "walk",
]


class Span(NamedTuple):
    """Where one element lies."""

    tag: int
    """0xGGGGEEEE."""
    vr: str
    """"" in implicit VR."""
    start: int
    """``data[start:end]`` is the whole element."""
    value_at: int
    """``data[value_at:end]`` is its value; of a sequence its items, with the delimiter if its length is undefined."""
    end: int


_new = tuple.__new__  # a quarter of the time of Span(...)


def walk(data: bytes | memoryview, syntax: Syntax, start: int = 0, end: int | None = None) -> Iterator[Span]:
    """The elements of the data set ``data[start:end]``, top level only, in strictly ascending order.

    Sequences are skipped, and checked while skipped: items must add up, not more than 16 deep.
    ``RemoteProtocolError`` at the first element that is out of order, of a group that data sets do not
    have (below 0008, PS3.5 7.1), or does not fit. All positions are in ``data``.
    """
    stop = len(data) if end is None else end
    if not 0 <= start <= stop <= len(data):
        raise LocalProtocolError(f"bytes {start} to {stop} of {len(data)} cannot be walked")
    return (_walk_explicit if syntax.explicit else _walk_implicit)(data, start, stop, syntax)


def _walk_implicit(data: bytes | memoryview, at: int, stop: int, syntax: Syntax) -> Iterator[Span]:
    unpack = TAG[syntax.little].unpack_from
    last = LOWEST - 1
    while at < stop:
        if stop - at >= 8:
            group, number, length = unpack(data, at)
            tag = group << 16 | number
            value_at = at + 8
            end = value_at + length
            opaque = tag not in SEQUENCES and (length < 8 or end > stop or data[value_at] < MAY_BE_ITEM)
            if last < tag < DELIMITERS and end <= stop and opaque:
                yield _new(Span, (tag, "", at, value_at, end))
                at, last = end, tag
                continue
        span = _careful(data, at, stop, last, syntax)
        yield span
        at, last = span.end, span.tag


def _walk_explicit(data: bytes | memoryview, at: int, stop: int, syntax: Syntax) -> Iterator[Span]:
    unpack = TAG_AND_VR[syntax.little].unpack_from
    last = LOWEST - 1
    while at < stop:
        if stop - at >= 8:
            group, number, code, length = unpack(data, at)
            tag = group << 16 | number
            value_at = at + 8
            end = value_at + length
            if last < tag < DELIMITERS and end <= stop and code in SHORT:
                yield _new(Span, (tag, SHORT[code], at, value_at, end))
                at, last = end, tag
                continue
        span = _careful(data, at, stop, last, syntax)
        yield span
        at, last = span.end, span.tag


def _careful(data: bytes | memoryview, at: int, stop: int, last: int, syntax: Syntax) -> Span:
    """One element of any kind, or the error that tells what is wrong with it."""
    found = header(data, at, stop, syntax)
    if found is None:
        raise malformed("the last element of a data set is cut short")
    tag, vr, value_at, length, kind = found
    if tag <= last:
        raise malformed(misplaced(tag))
    if kind == LEAF:
        end = value_at + length
        if end > stop:
            raise malformed(f"element {shown(tag)} is longer than its data set")
    else:
        nest = Nest(value_at, length, stop, kind, within(vr, syntax))
        nest.advance(data, 0)
        end = nest.at
    return Span(tag, vr, at, value_at, end)


def syntax_within(span: Span, syntax: Syntax) -> Syntax:
    """How the items of the sequence ``span`` are coded: not as the rest, if its VR is UN (PS3.5 6.2.2)."""
    return within(span.vr, syntax)


def items(data: bytes | memoryview, span: Span, syntax: Syntax) -> Iterator[tuple[int, int]]:
    """Where the content of each item of a sequence begins and ends in ``data`` (PS3.5 7.5).

    ``syntax`` is that of the data set; the content is in ``syntax_within``. ``RemoteProtocolError``
    if the element is no sequence or its items do not add up.
    """
    if span.vr not in {"", "SQ", "UN"}:
        raise malformed(f"element {shown(span.tag)} is no sequence but of VR {span.vr}")
    if not 0 <= span.value_at <= span.end <= len(data):
        raise LocalProtocolError(f"{span} lies outside of {len(data)} bytes")
    inner = within(span.vr, syntax)
    at = span.value_at
    while at < span.end:
        start, end, at = _item(data, at, span, inner)
        if end >= 0:
            yield start, end


def _item(data: bytes | memoryview, at: int, span: Span, inner: Syntax) -> tuple[int, int, int]:
    """Where the item at ``at`` begins, ends (-1: it is the delimiter) and the next one begins."""
    start, bound = at + 8, span.end
    if start <= bound:
        group, number, length = TAG[inner.little].unpack_from(data, at)
        tag = group << 16 | number
        if tag == ITEM and length == UNDEFINED:
            nest = Nest(start, length, bound, CONTENT, inner)
            nest.advance(data, 0)
            return start, nest.at - 8, nest.at
        if tag == ITEM and start + length <= bound:
            return start, start + length, start + length
        if tag == SEQUENCE_END and not length and start == bound:
            return start, -1, bound
    raise malformed(f"the items of {shown(span.tag)} do not add up")


_SPACE = frozenset(vrs("AE AS CS DA DS DT IS LO LT PN SH ST TM UC UR UT").values())
"""VRs that are padded with a space (PS3.5 6.2)."""
_NUL = frozenset({"", "OB", "UI", "UN"})
"""VRs that are padded with a NUL; without a VR it is not known what stands there, as with UN."""
_KNOWN = frozenset(SHORT.values()) | frozenset(LONG.values())


def encode_element(tag: int, vr: str, value: bytes, syntax: Syntax) -> bytes:
    """One element of defined length; ``vr`` may be "" in implicit VR.

    The value is padded to even length as its VR asks; numbers in it must be in the byte order of
    ``syntax`` already. ``LocalProtocolError`` for a tag, VR or value that cannot be written.
    """
    if not LOWEST <= tag < DELIMITERS:
        raise LocalProtocolError(f"{tag:#010x} is not the tag of an element")
    if vr not in _KNOWN and (vr or syntax.explicit):
        raise LocalProtocolError(f"{vr!r} is not a VR")
    padded = _padded(tag, vr, value)
    if not syntax.explicit:
        return TAG[syntax.little].pack(tag >> 16, tag & 0xFFFF, len(padded)) + padded
    code = vr.encode()
    pack = TAG_AND_VR[syntax.little].pack
    if code in LONG:
        length = len(padded).to_bytes(4, "little" if syntax.little else "big")
        return pack(tag >> 16, tag & 0xFFFF, code, 0) + length + padded
    if len(padded) > 0xFFFF:
        raise LocalProtocolError(f"element {shown(tag)} of VR {vr} cannot hold {len(padded)} bytes")
    return pack(tag >> 16, tag & 0xFFFF, code, len(padded)) + padded


def _padded(tag: int, vr: str, value: bytes) -> bytes:
    if len(value) >= UNDEFINED - 1:
        raise LocalProtocolError(f"element {shown(tag)} cannot hold {len(value)} bytes")
    if len(value) % 2 == 0:
        return value
    if vr in _SPACE:
        return value + b" "
    if vr in _NUL:
        return value + b"\0"
    raise LocalProtocolError(f"element {shown(tag)} of VR {vr} cannot hold {len(value)} bytes, an odd number")


def text_values(raw: bytes | memoryview) -> tuple[str, ...]:
    """The values of a text element, each without padding at its ends; none of an empty element.

    Latin-1 whatever the character set says, so it is for comparing what is ASCII. Where the second byte
    of a character may be a backslash (GBK, GB18030), a value falls apart and equals nothing. In LT, ST
    and UT a backslash is a character.
    """
    whole = bytes(raw).decode("latin-1").strip(_PADDING)
    return tuple([value.strip(_PADDING) for value in whole.split("\\")]) if whole else ()


def uid_values(raw: bytes | memoryview) -> tuple[str, ...]:
    """The UIDs of an element of VR UI; none of an empty one. ``RemoteProtocolError`` for anything else.

    The grammar is PS3.5 9.1's with one exception: numbers may begin with a zero, because devices
    write such UIDs and archives keep them. Nothing but digits between single dots, two numbers
    at least, 64 characters at most; padding only behind the last.
    """
    whole = bytes(raw).decode("latin-1").rstrip(_PADDING)
    if len(whole) <= _LONGEST_UID and _UID.fullmatch(whole):  # mostly there is one
        return (whole,)
    values = tuple(whole.split("\\")) if whole else ()
    for value in values:
        if len(value) > _LONGEST_UID or _UID.fullmatch(value) is None:
            raise malformed("what should be a UID is none")
    return values


_PADDING = " \0"

_UID = re.compile(r"[0-9]+(?:\.[0-9]+)+")
_LONGEST_UID = 64
