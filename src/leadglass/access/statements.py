"""A file of policies cut into its policies, each with the line on which it begins.

Cedar's own messages name no line, and its parser recurses: a thousand nested brackets end the
process, and ``has a.b.c`` grows with the square of its length. So each policy is cut out here and
handed over alone, if it is of a reasonable size.
Nothing here knows what a policy says.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

from leadglass.errors import ConfigError

__all__ = ["Statement", "statements"]

_LONGEST_FILE = 1 << 20
_LONGEST = 16_384
"""Characters in one policy. Cedar's parser was seen to run out of stack at twice as many."""
_DEEPEST = 40
"""Brackets within brackets. Cedar's parser was seen to run out of stack at some hundreds."""

_MOST_DOTS = 400
"""Dots outside strings. Eight thousand in a row were seen to take all memory."""

_BLANK = re.compile(r"(?:\s|//[^\n]*)*")
_MARK = re.compile(r'"(?:[^"\\]|\\.)*"|//[^\n]*|[;.\[\](){}]', re.DOTALL)
_STEP = {"[": 1, "(": 1, "{": 1, "]": -1, ")": -1, "}": -1}


@dataclass(frozen=True, slots=True)
class Statement:
    """One policy as it was written, with the semicolon."""

    file: str
    line: int
    """Of its first character that is neither blank nor comment, from 1."""
    text: str

    @property
    def place(self) -> str:
        """``file:line``."""
        return f"{self.file}:{self.line}"


def statements(file: str, text: str) -> Iterator[Statement]:
    """The policies of a file in their order; ``ConfigError`` for one that is too large to be parsed.

    What follows the last semicolon comes out as a statement too, unless it is blank.
    """
    if len(text) > _LONGEST_FILE:
        raise ConfigError(f"more than {_LONGEST_FILE} characters", where=file, then="split the file")
    start, line = 0, 1
    for end in _ends(text):
        begin = _begin(text, start, end)
        line += text.count("\n", start, begin)
        if begin < end:
            yield _sized(Statement(file, line, text[begin:end]))
        line += text.count("\n", begin, end)
        start = end


def _ends(text: str) -> Iterator[int]:
    yield from (mark.end() for mark in _MARK.finditer(text) if mark[0] == ";")
    yield len(text)


def _begin(text: str, start: int, end: int) -> int:
    blank = _BLANK.match(text, start, end)
    return blank.end() if blank else start


def _sized(statement: Statement) -> Statement:
    marks = [mark[0] for mark in _MARK.finditer(statement.text)]
    deepest = max(itertools.accumulate(_STEP.get(mark, 0) for mark in marks), default=0)
    if len(statement.text) > _LONGEST or deepest > _DEEPEST or marks.count(".") > _MOST_DOTS:
        raise ConfigError(
            f"a policy of more than {_LONGEST} characters, {_DEEPEST} brackets within each other"
            f" or {_MOST_DOTS} dots",
            where=statement.place,
            then="write it as several policies",
        )
    return statement
