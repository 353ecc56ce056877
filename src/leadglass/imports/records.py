"""JSON values out of a file, one at a time: JSON Lines, and arrays of objects however they are laid out in lines.

A line is taken for itself first, so that a broken one costs nothing but itself. Only where an object opens with
a brace alone on its line, as pretty-printers write it, are lines gathered until the brace that closes it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from leadglass.imports.found import LONGEST, Broken, Found, Json, UnfitError
from leadglass.imports.lines import numbered
from leadglass.imports.long_lines import CutList

__all__ = ["each_record", "records"]

T = TypeVar("T")

_BETWEEN = b" \t\r,"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def each_record(
    pieces: Iterable[bytes],
    split: Callable[[Json], Iterable[T]],
    parse: Callable[[T], Iterable[Found]],
    *,
    ending: bytes | None = None,
) -> Iterator[Found | Broken]:
    """What ``parse`` finds in each part that ``split`` takes a value into; each part is broken for itself.

    ``ending`` begins a line that says no more than that the file is complete.
    """
    for record in records(pieces, ending):
        if isinstance(record, Broken):
            yield record
            continue
        number, value = record
        yield from _parts(number, value, split, parse)


def _parts(
    number: int, value: Json, split: Callable[[Json], Iterable[T]], parse: Callable[[T], Iterable[Found]]
) -> Iterator[Found | Broken]:
    for part in split(value):
        try:
            yield from parse(part)
        except UnfitError as unfit:
            yield Broken(number, str(unfit))


def records(pieces: Iterable[bytes], ending: bytes | None = None) -> Iterator[tuple[int, Json] | Broken]:
    """The values with the number of the line that each begins on; an array counts as its items."""
    gathered = _Gathered()
    for line in numbered(pieces, CutList):
        if isinstance(line, Broken):
            gathered.spoil()
            yield line
            continue
        number, raw = line
        if number == 1:
            raw = raw.removeprefix(_BYTE_ORDER_MARK)
        if gathered.opened:
            yield from gathered.add(raw)
            continue
        text = _bare(raw)
        if text == b"{":
            gathered.open(number, raw)
        elif text and not (ending is not None and text.startswith(ending)):
            yield from _values(number, text)
    yield from gathered.end()


def _bare(text: bytes) -> bytes:
    """Without the commas and the one bracket that an array around it leaves on the line."""
    text = text.strip(_BETWEEN)
    if text.startswith(b"[") and not text.endswith(b"]"):
        return text[1:].strip(_BETWEEN)
    if text.endswith(b"]") and not text.startswith(b"["):
        return text[:-1].strip(_BETWEEN)
    return text


def _values(number: int, text: bytes) -> Iterator[tuple[int, Json] | Broken]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        yield Broken(number, "not JSON")
        return
    if isinstance(value, list):
        yield from ((number, item) for item in value)
    else:
        yield number, value


class _Gathered:
    """The lines of one object that was laid out over several."""

    def __init__(self) -> None:
        self.opened = False
        self._first = 0
        self._closing = b""
        self._lines: list[bytes] = []
        self._size = 0
        self._spoilt = False

    def open(self, number: int, line: bytes) -> None:
        """``line`` is the opening brace; the closing one stands under it."""
        indent = line[: len(line) - len(line.lstrip())]
        self._first, self._closing, self._lines = number, indent + b"}", [b"{"]
        self.opened, self._size, self._spoilt = True, 0, False

    def spoil(self) -> None:
        """Something within was broken and has been told; the rest of the object goes with it."""
        self._spoilt, self._lines = True, []

    def add(self, line: bytes) -> Iterator[tuple[int, Json] | Broken]:
        """One more line; the object, when this was its last."""
        if line.startswith(self._closing):
            self.opened = False
            if not self._spoilt:
                yield from _values(self._first, b"\n".join((*self._lines, b"}")))
            return
        self._size += len(line) + 1
        if self._spoilt:
            return
        self._lines.append(line)
        if self._size > LONGEST:
            self.spoil()
            yield Broken(self._first, f"a record longer than {LONGEST >> 20} MiB")

    def end(self) -> Iterator[Broken]:
        """The file has ended."""
        if self.opened and not self._spoilt:
            yield Broken(self._first, "the file ends within this record")
