"""A file whose text stands in a scalar of this one: where its characters are here."""

from __future__ import annotations

import itertools

from leadglass.configs.source import Source
from leadglass.configs.yaml_nodes import Scalar

__all__ = ["Nested"]


class Nested:
    """The places of a block scalar's text. Of another style, or folded, everything is where the scalar begins."""

    def __init__(self, source: Source, scalar: Scalar) -> None:
        self.text = scalar.value
        self._start = scalar.span[0]
        self._inside = Source("", scalar.value)
        self._lines = _lines(source, scalar) if scalar.style == "|" and scalar.site is None else []

    def offset(self, inside: int) -> int:
        """Where a character of the text stands in the file."""
        place = self._inside.place(inside)
        if place.line > len(self._lines):
            return self._start
        return self._lines[place.line - 1] + place.column - 1


def _lines(source: Source, scalar: Scalar) -> list[int]:
    """Where each line of a literal block begins, behind its indentation."""
    raw = source.text[scalar.start : scalar.end].splitlines(keepends=True)
    starts = list(itertools.accumulate((len(line) for line in raw), initial=scalar.start))
    wanted = scalar.value.splitlines()
    found = []
    for start, line, want in zip(starts[1:], raw[1:], wanted, strict=False):
        bare = line.rstrip("\r\n")
        if not bare.endswith(want):
            return []
        found.append(start + len(bare) - len(want))
    return found
