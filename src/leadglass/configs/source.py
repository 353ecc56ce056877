"""The text of a file, the places in it, and changes to it."""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from leadglass.errors import ConfigError
from leadglass.model.finding import Edit, Place

__all__ = ["LARGEST", "Source", "decoded", "edited"]

LARGEST = 10 << 20
"""Bytes: a configuration file that is larger is refused."""

_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True)
class Source:
    """A file: its path as the user knows it, and its text with the line ends it has."""

    path: str
    text: str = field(repr=False)

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(end.end() for end in _LINE_END.finditer(self.text))]

    def place(self, offset: int) -> Place:
        """Line and column of the character at ``offset``."""
        line = max(bisect.bisect_right(self._starts, offset), 1)
        return Place(self.path, line, offset - self._starts[line - 1] + 1)

    def offset(self, line: int, column: int = 1) -> int:
        """The character at a line and column, both from 1."""
        return self._starts[min(line, len(self._starts)) - 1] + column - 1

    def edit(self, start: int, end: int, text: str) -> Edit:
        """A change to this file."""
        return Edit(self.path, start, end, text)

    def fault(self, what: str, offset: int, *, then: str = "") -> ConfigError:
        """The error of a file that cannot be read, at its place."""
        return ConfigError(what, where=str(self.place(offset)), then=then)


def decoded(path: str, raw: bytes) -> Source:
    """The file as text: UTF-8, with or without a mark, or UTF-16 with one; ``ConfigError`` otherwise."""
    if len(raw) > LARGEST:
        raise ConfigError(f"larger than {LARGEST >> 20} MiB", where=path, then="no configuration is")
    encoding = "utf-16" if raw[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
    try:
        return Source(path, raw.decode(encoding))
    except UnicodeDecodeError as exc:
        raise ConfigError(
            f"not text: byte {exc.start} is not {exc.encoding.upper()}", where=path, then="save it as UTF-8"
        ) from None


def edited(text: str, edits: Iterable[Edit]) -> str:
    """The text with all changes made. Changes that overlap are a ``ValueError``; equal ones are made once."""
    parts: list[str] = []
    done = 0
    for edit in sorted(set(edits)):
        if edit.start < done:
            raise ValueError(f"two changes overlap at {edit.start}")
        parts += text[done : edit.start], edit.text
        done = edit.end
    return "".join((*parts, text[done:]))
