"""Data sets read into values and written anew: keys, sequences, one replaced element.

Values stay bytes. In implicit VR no element says that it is a sequence, so it is also told by its
value, which begins with an item (PS3.5 7.5): an archive's dictionary may know more than ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, NamedTuple, TypeAlias

from leadglass.errors import RemoteProtocolError
from leadglass.guard.identifiers import keys
from leadglass.wire.elements import Span, Syntax, encode_element, items, uid_values, walk
from leadglass.wire.sequences import SEQUENCES

__all__ = [
    "LARGEST",
    "Element",
    "Elements",
    "byte_order",
    "data_set",
    "holds_items",
    "is_key",
    "is_sequence",
    "read",
    "read_items",
    "read_whole",
    "sequence",
    "single_uid",
    "substitute",
    "uids",
    "values",
    "without_private_value",
]

LARGEST = 64 * 1024
"""Bytes in a client's identifier; real ones have some hundred."""
_DEEPEST = 4
"""Sequences within sequences; a worklist has two."""
_MOST_ITEMS = 64
"""Items of one sequence in an identifier; a key has one."""
_GROUPS = range(0x0008, 0x5000)
"""Even groups that hold keys. Below are command and file meta elements (PS3.4 C.4.1.1.3), above overlays,
waveforms and pixels: an image must not come as the answer to a query."""
_PRIVATE_GROUPS = range(0x0009, 0xFFFF)
_PRIVATE_CREATOR = range(0x0010, 0x0100)
_BULK_OR_ADDRESS = frozenset(
    {
        0x0008_1190,  # Retrieve URL: the archive's own address
        0x0042_0011,  # Encapsulated Document
    }
)
_ITEM = {True: b"\xfe\xff\x00\xe0", False: b"\xff\xfe\xe0\x00"}
"""The tag of an item, by ``Syntax.little``."""
_STARTS = frozenset({*_ITEM.values(), b"\xfe\xff\xdd\xe0", b"\xff\xfe\xe0\xdd"})
"""How the value of a sequence begins: an item or the delimiter, little or big endian."""
_NUMBERS = frozenset(["AT", "FD", "FL", "OD", "OF", "OL", "OV", "OW", "SL", "SS", "SV", "UL", "US", "UV"])


class Element(NamedTuple):
    """One element without its tag; ``vr`` is "" in implicit VR."""

    vr: str
    value: bytes


Elements: TypeAlias = Mapping[int, Element]
"""A data set by tag."""


def is_sequence(tag: int, vr: str, value: bytes) -> bool:
    """Whether an element is a sequence: by its VR, by its tag, or because its value begins with an item."""
    return vr == "SQ" or tag in SEQUENCES or value[:4] in _STARTS


def holds_items(data: bytes) -> bool:
    """Whether a data set may have sequences that are not empty."""
    return b"\xff" in data and any(start in data for start in _STARTS)


def is_key(tag: int) -> bool:
    """Whether a tag may be asked for at all; group lengths may not, they would be wrong."""
    group = tag >> 16
    groups = _PRIVATE_GROUPS if group % 2 else _GROUPS
    return group in groups and tag & 0xFFFF != 0 and tag not in _BULK_OR_ADDRESS


def without_private_value(tag: int, element: Element) -> Element:
    """A private key returns but does not match, since nobody knows what; its creator must stand (PS3.5 7.8.1)."""
    if not tag >> 16 & 1 or tag & 0xFFFF in _PRIVATE_CREATOR:
        return element
    return Element(element.vr, b"")


def read(data: bytes, syntax: Syntax) -> dict[int, Element]:
    """All elements by tag, in ascending order; ``RemoteProtocolError`` for what is no data set."""
    return {span.tag: _whole(Element(span.vr, data[span.value_at : span.end])) for span in walk(data, syntax)}


def _whole(element: Element) -> Element:
    """``element``, if it can be written again: text of odd length can be padded, half a number cannot."""
    if len(element.value) % 2 and element.vr in _NUMBERS:
        raise RemoteProtocolError(f"a value of VR {element.vr} has an odd length")
    return element


def read_whole(data: bytes, syntax: Syntax, depth: int = 0) -> dict[int, Element]:
    """As ``read``, with sequences read and written anew down to their last item, however they were coded.

    ``RemoteProtocolError`` if they nest too deep or have too many items.
    """
    if depth > _DEEPEST:
        raise RemoteProtocolError(f"sequences are nested deeper than {_DEEPEST}")
    found: dict[int, Element] = {}
    for span in walk(data, syntax):
        value = data[span.value_at : span.end]
        if is_sequence(span.tag, span.vr, value):
            if span.vr not in {"", "SQ"}:
                continue  # UN: within it another syntax holds, and nobody asks for such a key
            inner = (
                read_whole(item, syntax, depth + 1) for item in read_items(data, span, syntax, _MOST_ITEMS)
            )
            value = sequence([data_set(item, syntax) for item in inner], syntax)
        found[span.tag] = _whole(Element(span.vr, value))
    return found


def values(data: bytes, syntax: Syntax, wanted: frozenset[int]) -> dict[int, bytes]:
    """The values of the ``wanted`` elements that there are."""
    return {span.tag: data[span.value_at : span.end] for span in walk(data, syntax) if span.tag in wanted}


def data_set(elements: Mapping[int, Element], syntax: Syntax) -> bytes:
    """The elements in ascending order; of those the guard knows, the VR may be left out in implicit VR."""
    return b"".join(
        [
            encode_element(tag, vr or keys.VR.get(tag, ""), value, syntax)
            for tag, (vr, value) in sorted(elements.items())
        ]
    )


def sequence(contents: Iterable[bytes], syntax: Syntax) -> bytes:
    """The value of a sequence with these items, each with its length."""
    order, header = byte_order(syntax), _ITEM[syntax.little]
    return b"".join(header + len(content).to_bytes(4, order) + content for content in contents)


def byte_order(syntax: Syntax) -> Literal["little", "big"]:
    """Of numbers."""
    return "little" if syntax.little else "big"


def read_items(data: bytes, span: Span, syntax: Syntax, most: int) -> Iterator[bytes]:
    """The items of a sequence; ``RemoteProtocolError`` if there are more than ``most``."""
    for number, (start, end) in enumerate(items(data, span, syntax)):
        if number == most:
            raise RemoteProtocolError(f"a sequence has more than {most} items")
        yield data[start:end]


def uids(value: bytes) -> tuple[str, ...] | None:
    """The UIDs of a value, by the grammar; None if it breaks it (a wildcard does) or there are too many."""
    try:
        return uid_values(value)
    except RemoteProtocolError:
        return None


def single_uid(value: bytes | None) -> str | None:
    """The UID of a value that holds exactly one; else None."""
    if not value:
        return None
    try:
        found = uid_values(value)
    except RemoteProtocolError:
        return None
    return found[0] if len(found) == 1 else None


def substitute(identifier: bytes, syntax: Syntax, tag: int, instead: Mapping[str, str]) -> bytes:
    """``identifier`` with UIDs of one element replaced, in their order; all else stays as it is, byte by byte.

    This is how a study that a client may not see becomes one that does not exist: ``instead`` gives a
    UID minted for it, which names nothing.
    """
    for span in walk(identifier, syntax):
        if span.tag == tag:
            named = uid_values(identifier[span.value_at : span.end])
            value = "\\".join(instead.get(uid, uid) for uid in named).encode("ascii")
            changed = encode_element(tag, span.vr, value, syntax)
            return identifier[: span.start] + changed + identifier[span.end :]
    return identifier
