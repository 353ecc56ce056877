"""A file cut into numbered lines, none of them longer than ``LONGEST``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import TypeVar

from leadglass.imports.found import LONGEST, Broken, DamagedError, UnfitError
from leadglass.imports.long_lines import LongLine

__all__ = ["each_line", "numbered"]

T = TypeVar("T")


def numbered(
    pieces: Iterable[bytes], open_long: Callable[[], LongLine] = LongLine
) -> Iterator[tuple[int, bytes] | Broken]:
    """Lines without their ends, counted from 1; where the file is damaged, a last ``Broken``.

    Of a line that is too long comes what the one that ``open_long`` makes cuts out of it, under its number.
    """
    number, rest, long = 1, b"", None
    try:
        for piece in pieces:
            *whole, rest = (rest + piece).split(b"\n")
            for line in whole:
                if long is None and len(line) <= LONGEST:
                    yield number, line
                else:
                    long = long or open_long()
                    yield from _told(number, chain(long.add(line), long.end()))
                long = None
                number += 1
            if long is not None or len(rest) > LONGEST:
                long = long or open_long()
                yield from _told(number, long.add(rest))
                rest = b""
    except DamagedError as damage:
        yield Broken(number, str(damage))
        return
    if long is not None:
        yield from _told(number, long.end())
    elif rest:
        yield number, rest


def _told(number: int, parts: Iterable[bytes | str]) -> Iterator[tuple[int, bytes] | Broken]:
    for part in parts:
        yield Broken(number, part) if isinstance(part, str) else (number, part)


def each_line(pieces: Iterable[bytes], parse: Callable[[bytes], Iterable[T]]) -> Iterator[T | Broken]:
    """What ``parse`` finds on each line; a line at which it raises ``UnfitError`` is broken."""
    for line in numbered(pieces):
        if isinstance(line, Broken):
            yield line
            continue
        number, text = line
        try:
            yield from parse(text)
        except UnfitError as unfit:
            yield Broken(number, str(unfit))
