"""Text in lines of a width, also where a language has no spaces."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

__all__ = ["columns", "folded"]

_PIECE = re.compile(r"[^\s\u3000-\u9fff\uf900-\uffef]+\s*|\S[\s]*")
_NOT_FIRST = frozenset("、。,.」』)・:;!?ー々")
"""What a line may not begin with (JIS X 4051)."""


def columns(text: str) -> int:
    """How many columns of a terminal ``text`` takes (UAX 11)."""
    return sum(_columns(char) for char in text)


def folded(text: str, width: int, first: str = "", rest: str = "") -> Iterator[str]:
    """``text`` in lines of at most ``width`` columns, unless a word is longer; ``first`` and ``rest`` stand before."""
    line, head = "", first
    for piece in _pieces(text):
        if line and columns(head) + columns(line) + columns(piece.rstrip()) > width:
            yield head + line.rstrip()
            line, head = "", rest
        line += piece
    yield (head + line).rstrip()


def _pieces(text: str) -> Iterator[str]:
    """What may not be parted: words, and wide characters with what must stay behind them."""
    held = ""
    for piece in _PIECE.findall(text):
        if held and piece[0] not in _NOT_FIRST:
            yield held
            held = ""
        held += piece
    if held:
        yield held


def _columns(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
