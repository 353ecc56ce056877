"""Lines too long to be held: what is told of them, and the records that can be cut out of a list in one of them.

Programs that write all they have as one JSON value write one line, however long.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from leadglass.imports.found import LONGEST

__all__ = ["CutList", "LongLine"]

_TOO_LONG = f"longer than {LONGEST >> 20} MiB without a line end"
_BEGIN = re.compile(r'(?:\xef\xbb\xbf)?\s*(?:\[|\{[^\[]{0,65536}"(?:matches|hits)"\s*:\s*\[)(?=\s*\{)')
"""An array of objects, by itself or as what an API found."""
_BETWEEN = re.compile(r"[\s,]*")
_DECODER = json.JSONDecoder()


class LongLine:
    """One line that nothing is taken of. Why a part of a line cannot be used is told as text, once."""

    def __init__(self) -> None:
        self._told = False

    def add(self, _data: bytes, /) -> Iterator[bytes | str]:
        """More of the line; what comes out of it."""
        if not self._told:
            self._told = True
            yield _TOO_LONG

    def end(self) -> Iterator[str]:
        """The line has ended."""
        return iter(())


class CutList(LongLine):
    """One line of JSON; the objects of the list that it holds come out one by one, as bytes."""

    def __init__(self) -> None:
        super().__init__()
        self._rest = ""
        self._begun = False
        self._ended = False

    def add(self, data: bytes, /) -> Iterator[bytes | str]:
        """More of the line; the objects that are whole now."""
        if self._ended:
            return
        # What is looked at is ASCII; each byte of anything else counts as a character and goes back as it came.
        self._rest += data.decode("latin-1")
        if not self._begun and not self._begin():
            self._ended = True
            yield from super().add(data)
            return
        yield from self._objects()
        if len(self._rest) > LONGEST:
            self._ended, self._rest = True, ""
            yield f"a record longer than {LONGEST >> 20} MiB"

    def end(self) -> Iterator[str]:
        """The line has ended, and so should have the list."""
        if not self._ended:
            yield "the file ends within this record"

    def _begin(self) -> bool:
        begin = _BEGIN.match(self._rest)
        self._rest = self._rest[begin.end() :] if begin else ""
        self._begun = begin is not None
        return self._begun

    def _objects(self) -> Iterator[bytes | str]:
        at = 0
        while at < len(self._rest):
            start = _BETWEEN.match(self._rest, at).end()  # type: ignore[union-attr]  # it matches nothing, too
            end = _end_of_object(self._rest, start)
            if end is None:
                yield from self._other(self._rest[start : start + 1])
                break
            yield self._rest[start:end].encode("latin-1")
            at = end
        self._rest = "" if self._ended else self._rest[at:]

    def _other(self, first: str) -> Iterator[str]:
        """What stands where an object should: one that is not whole yet, the end of the list, or neither."""
        self._ended = first not in ("", "{")
        if first not in ("", "{", "]"):
            yield "not JSON"


def _end_of_object(text: str, start: int) -> int | None:
    """Where the object that begins at ``start`` ends; None if none begins there, or its end is not there yet."""
    if not text.startswith("{", start):
        return None
    try:
        return _DECODER.raw_decode(text, start)[1]
    except (ValueError, RecursionError):
        return None
