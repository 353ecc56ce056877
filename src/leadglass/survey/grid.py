"""What is said, as paragraphs and small tables, before anybody knows whether it goes to a terminal or a page."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

__all__ = ["Grid", "Line", "folded", "grid"]


class Grid(NamedTuple):
    """A small table: the first column is text, the others are numbers in words."""

    rows: tuple[tuple[str, ...], ...]
    has_head: bool
    """The first row names the columns."""

    def lines(self) -> Iterator[str]:
        """It in columns of characters."""
        widths = [max(map(len, column)) for column in zip(*self.rows, strict=True)]
        for first, *others in self.rows:
            cells = [first.ljust(widths[0]), *(c.rjust(w) for c, w in zip(others, widths[1:], strict=True))]
            yield f"  {'   '.join(cells)}".rstrip()


Line: TypeAlias = str | Grid
"""A paragraph or a table; "" parts paragraphs."""


def grid(rows: Iterable[Sequence[str]], *, has_head: bool = True) -> Grid:
    """The table of ``rows``, all of the same length."""
    return Grid(tuple(tuple(row) for row in rows), has_head)


def folded(lines: Iterable[Line], width: int) -> Iterator[str]:
    """``lines`` for a terminal of ``width`` columns: paragraphs folded, tables as they are."""
    for line in lines:
        if isinstance(line, Grid):
            yield from line.lines()
        else:
            yield from textwrap.wrap(line, width, break_on_hyphens=False) or [""]
