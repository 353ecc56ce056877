"""A file cut into numbered lines, none of them longer than ``LONGEST``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from leadglass.imports.found import LONGEST, Broken, DamagedError, UnfitError

__all__ = ["each_line", "numbered"]

T = TypeVar("T")

_TOO_LONG = f"longer than {LONGEST >> 20} MiB without a line end"


def numbered(pieces: Iterable[bytes]) -> Iterator[tuple[int, bytes] | Broken]:
    """Lines without their ends, counted from 1; where the file is damaged, a last ``Broken``."""
    number, rest, skipping = 1, b"", False
    try:
        for piece in pieces:
            whole = (rest + piece).split(b"\n")
            rest = whole.pop()
            for line in whole:
                if len(line) > LONGEST and not skipping:
                    yield Broken(number, _TOO_LONG)
                elif not skipping:
                    yield number, line
                skipping = False
                number += 1
            if skipping:
                rest = b""
            elif len(rest) > LONGEST:
                yield Broken(number, _TOO_LONG)
                skipping, rest = True, b""
    except DamagedError as damage:
        yield Broken(number, str(damage))
        return
    if rest and not skipping:
        yield number, rest


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
