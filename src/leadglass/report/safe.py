"""Text from elsewhere, made safe to look at.

Evidence is cleaned where it is made, but a scope, a name or a record read back from a file may hold
anything: terminal escapes, a line end that forges a row, a mark that turns the reading
direction. What cannot be seen is shown as an escape instead of being obeyed or dropped.
"""

from __future__ import annotations

import re
import unicodedata

__all__ = ["columns", "cut", "padded", "visible"]

_PLAIN = re.compile(r"[\x20-\x7e]*")


def visible(text: str) -> str:
    r"""``text`` with everything unprintable (C0, C1, bidi, zero-width, lone surrogates) as ``\x1b``, ``\u202e``."""
    if _PLAIN.fullmatch(text):
        return text
    return "".join(c if c.isprintable() else _escape(c) for c in text)


def columns(text: str) -> int:
    """How many columns a terminal needs for visible ``text`` (UAX 11 wide is 2, combining is 0)."""
    return len(text) if text.isascii() else sum(_columns(c) for c in text)


def cut(text: str, width: int) -> str:
    """``text`` in at most ``width`` columns; three dots stand for what is missing."""
    if columns(text) <= width:
        return text
    while text and columns(text) > width - 3:
        text = text[:-1]
    return f"{text}..."[: max(width, 0)]


def padded(text: str, width: int) -> str:
    """``text`` followed by the spaces that fill ``width`` columns."""
    return text + " " * (width - columns(text))


def _escape(char: str) -> str:
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _columns(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
