"""How dcmqrscp cuts a line of its configuration into values, with the place of each.

Measured against dcmqrscp 3.6.7 and read in its documentation (``dcmqrcnf``): white space, ``=`` and ``,`` stand between
values; a value that begins with any of ``" ' ( )`` goes to the next of them, whichever it is; a line that begins
with white space begins with an empty value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["LONGEST", "Word", "lines", "number", "shown", "values"]

LONGEST = 511
"""Characters of a line that dcmqrscp reads at once; what follows is a line of its own to it."""

_GAPS = re.compile(r"[\s=,]*")
_TO_GAP = re.compile(r"[^\s=,]*")
_TO_QUOTE = re.compile(r"[^\"'()]*")
_QUOTES = frozenset("\"'()")
_NUMBER = re.compile(r"\s*([+-]?[0-9]{1,9})")


@dataclass(frozen=True, slots=True)
class Word:
    """A value and where it stands; ``start`` and ``end`` enclose its quotes."""

    text: str
    start: int
    end: int


def lines(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each line without its end, long ones cut as dcmqrscp cuts them."""
    at = 0
    while at < len(text):
        feed = text.find("\n", at)
        end = len(text) if feed < 0 else feed
        for piece in range(at, max(end, at + 1), LONGEST):
            yield piece, min(piece + LONGEST, end)
        at = end + 1


def values(text: str, start: int, end: int) -> Iterator[Word]:
    """The values of a line, or of what is left of it. It ends at a quote that is not closed."""
    at = start
    while at < end:
        quoted = text[at] in _QUOTES
        match = (_TO_QUOTE if quoted else _TO_GAP).match(text, at + quoted, end)
        assert match is not None
        if quoted and match.end() == end:
            return
        yield Word(match.group(), at, match.end() + quoted)
        at = _after_gaps(text, match.end() + quoted, end)


def number(text: str) -> int | None:
    """What C's ``%d`` makes of it: leading digits, and None where there are none."""
    match = _NUMBER.match(text)
    return None if match is None else int(match[1])


def shown(text: str) -> str:
    """A word of a file, safe to put into a message: printable, and not long."""
    kept = text if len(text) <= 48 else f"{text[:45]}..."
    return kept if kept.isprintable() else ascii(kept)[1:-1]


def _after_gaps(text: str, at: int, end: int) -> int:
    match = _GAPS.match(text, at, end)
    assert match is not None
    return match.end()
