"""On which line of a TOML text a key stands.

``tomllib`` tells the line of what is not TOML, but not of what is well written and wrong. This
reader is only asked about texts that ``tomllib`` has accepted, so it follows structure and
checks nothing.

A path is what one would index the parsed document with: ``("targets", 1, "ports", 0)``. The line of
a key is where the key is written; the line of an element of an array is where the element begins.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import TypeAlias

__all__ = ["Path", "line_of", "lines"]

Path: TypeAlias = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"""(?!")|' r"'''.*?'''(?!')|" r'"(?:[^"\\\n]|\\.)*"|' r"'[^'\n]*'",
    re.DOTALL,
)
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^,\]}#\n]*")


def lines(text: str) -> Mapping[Path, int]:
    """The line, from 1, of every key and every array element of a valid TOML ``text``."""
    reader = _Reader(text.replace("\r\n", "\n"))
    reader.document()
    return reader.found


def line_of(found: Mapping[Path, int], path: Path) -> int:
    """The line of ``path``, or of the nearest thing around it that is written down; 1 at last."""
    for length in range(len(path), 0, -1):
        if path[:length] in found:
            return found[path[:length]]
    return 1


class _Reader:
    """One pass over the text, noting where things are."""

    def __init__(self, text: str) -> None:
        self.found: dict[Path, int] = {}
        self._text = text
        self._at = 0
        self._line = 1
        self._lengths: dict[Path, int] = {}
        """How many tables each array of tables has so far."""

    def document(self) -> None:
        table: Path = ()
        self._skip(_BLANK)
        while self._at < len(self._text):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._skip(_BLANK)

    def _header(self) -> Path:
        is_array = self._text.startswith("[[", self._at)
        self._move(2 if is_array else 1)
        line = self._line
        path: Path = ()
        keys = self._keys()
        for key in keys[:-1]:
            path = self._note((*path, key), line)
        path = (*path, keys[-1])
        self._move(2 if is_array else 1)
        if not is_array:
            return self._note(path, line)
        self._lengths[path] = self._lengths.get(path, 0) + 1
        return self._note(path, line)

    def _note(self, path: Path, line: int) -> Path:
        """Write the line down, once; a path to an array of tables goes on in its last table."""
        self.found.setdefault(path, line)
        if path in self._lengths:
            path = (*path, self._lengths[path] - 1)
            self.found.setdefault(path, line)
        return path

    def _pair(self, table: Path) -> None:
        path, line = table, self._line
        for key in self._keys():
            path = self._note((*path, key), line)
        self._move(1)  # the equals sign
        self._skip(_SPACE)
        self._value(path)

    def _keys(self) -> list[str]:
        keys: list[str] = []
        while True:
            self._skip(_SPACE)
            keys.append(self._key())
            self._skip(_SPACE)
            if self._text[self._at] != ".":
                return keys
            self._move(1)

    def _key(self) -> str:
        bare = _BARE.match(self._text, self._at)
        if bare:
            return self._skip(_BARE)
        return str(tomllib.loads(f"key = {self._skip(_STRING)}")["key"])

    def _value(self, path: Path) -> None:
        opening = self._text[self._at]
        if opening == "[":
            self._array(path)
        elif opening == "{":
            self._inline_table(path)
        elif not self._skip(_STRING):
            self._skip(_SCALAR)

    def _array(self, path: Path) -> None:
        self._move(1)
        self._skip(_BLANK)
        index = 0
        while self._text[self._at] != "]":
            self.found[(*path, index)] = self._line
            self._value((*path, index))
            self._skip_comma()
            index += 1
        self._move(1)

    def _inline_table(self, path: Path) -> None:
        self._move(1)
        self._skip(_BLANK)
        while self._text[self._at] != "}":
            self._pair(path)
            self._skip_comma()
        self._move(1)

    def _skip_comma(self) -> None:
        self._skip(_BLANK)
        if self._text[self._at] == ",":
            self._move(1)
            self._skip(_BLANK)

    def _skip(self, pattern: re.Pattern[str]) -> str:
        """Move past what ``pattern`` matches here, and return it; empty if it matches nothing."""
        match = pattern.match(self._text, self._at)
        taken = match[0] if match else ""
        self._line += taken.count("\n")
        self._at += len(taken)
        return taken

    def _move(self, count: int) -> None:
        self._at += count
