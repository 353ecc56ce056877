"""Text in the character sets of DICOM (PS3.5 6.1, PS3.3 C.12.1.1.2), strictly: what cannot be read is None.

A policy compares what is read here. Bytes that the declared character sets do not explain are
therefore no text at all, rather than text with holes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

__all__ = ["PADDING", "single", "texts"]

PADDING = b"\0 "
_ESC = b"\x1b"
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_PIECE = re.compile(rb"\x1b[^\x1b]*|[^\x1b]+")

_CODECS: Mapping[str, str] = {
    "": "ascii",
    "ISO_IR 6": "ascii",
    "ISO_IR 13": "shift_jis",
    "ISO_IR 100": "latin_1",
    "ISO_IR 101": "iso8859_2",
    "ISO_IR 109": "iso8859_3",
    "ISO_IR 110": "iso8859_4",
    "ISO_IR 126": "iso8859_7",
    "ISO_IR 127": "iso8859_6",
    "ISO_IR 138": "iso8859_8",
    "ISO_IR 144": "iso8859_5",
    "ISO_IR 148": "iso8859_9",
    "ISO_IR 166": "iso8859_11",
    "ISO_IR 192": "utf_8",
    "ISO_IR 203": "iso8859_15",
    "GB18030": "gb18030",
    "GBK": "gbk",
    # Only with code extensions: until one is announced, their text is ASCII.
    "ISO_IR 58": "ascii",
    "ISO_IR 87": "ascii",
    "ISO_IR 149": "ascii",
    "ISO_IR 159": "ascii",
}
"""Defined terms -> codecs; those of code extensions are looked up with ``ISO_IR`` for ``ISO 2022 IR``."""

_EXTENSIONS: Mapping[bytes, tuple[str, bytes]] = {
    b"(B": ("ascii", b""),
    b"(J": ("shift_jis", b""),
    b")I": ("shift_jis", b""),
    b"-A": ("latin_1", b""),
    b"-B": ("iso8859_2", b""),
    b"-C": ("iso8859_3", b""),
    b"-D": ("iso8859_4", b""),
    b"-F": ("iso8859_7", b""),
    b"-G": ("iso8859_6", b""),
    b"-H": ("iso8859_8", b""),
    b"-L": ("iso8859_5", b""),
    b"-M": ("iso8859_9", b""),
    b"-T": ("iso8859_11", b""),
    b"-b": ("iso8859_15", b""),
    b"$B": ("iso2022_jp", b"\x1b$B"),
    b"$(D": ("iso2022_jp_2", b"\x1b$(D"),
    b"$)A": ("gb2312", b""),
    b"$)C": ("euc_kr", b""),
}
"""Escape sequences of PS3.3 tables C.12-3 and C.12-4 -> codec, and the prefix with which it takes the piece."""


def texts(raw: bytes, charset: bytes = b"") -> tuple[str, ...] | None:
    r"""The values of a text element, stripped, empty ones left out; None if they cannot be read.

    ``raw`` is the element's value and ``charset`` that of Specific Character Set (0008,0005). A value
    with a control character cannot be read: it must not reach a policy or a log.
    """
    text = _decoded(raw.strip(PADDING), charset)
    if text is None or (not text.isprintable() and _CONTROL.search(text)):
        return None
    if "\\" not in text:
        return (text,) if text else ()
    return tuple(value for part in text.split("\\") if (value := part.strip()))


def single(raw: bytes | None, charset: bytes = b"") -> str | None:
    """The value of a text element that has exactly one; else None."""
    found = texts(raw, charset) if raw else None
    return found[0] if found is not None and len(found) == 1 else None


def _decoded(raw: bytes, charset: bytes) -> str | None:
    if raw.isascii() and _ESC not in raw:
        return raw.decode("ascii")
    first = charset.split(b"\\", 1)[0].strip(PADDING).decode("latin-1").replace("ISO 2022 IR", "ISO_IR")
    codec = _CODECS.get(first)
    try:
        return "".join(_piece(found, codec) for found in _PIECE.findall(raw)) if codec else None
    except UnicodeDecodeError:
        return None


def _piece(raw: bytes, codec: str) -> str:
    if not raw.startswith(_ESC):
        return raw.decode(codec)
    size = 4 if raw[1:2] == b"$" and raw[2:3] in {b"(", b")"} else 3
    extension, prefix = _EXTENSIONS.get(raw[1:size], ("ascii", raw[:1]))
    return (prefix + raw[size:]).decode(extension)
