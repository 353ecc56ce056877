"""Intervals drawn as dots with whiskers: one SVG that needs nothing else.

Positions are worked out here, the template only writes them. Every number that is drawn stands beside its row in
words, so the picture loses nothing in grey, and nothing when it is read aloud.
"""

from __future__ import annotations

import functools
import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from leadglass.survey.interval import Interval

__all__ = ["Figure", "Row", "svg"]

_WIDTH = 760
_LEFT = 266
"""Where the axis begins; labels stand to its left."""
_RIGHT = 560
"""Where it ends; values stand to its right."""
_TOP = 24
_STEP = 30
_LABEL = 40
"""Characters of a label that have room."""
_LINE = 112
"""Characters of a note that have room."""
_TICKS = 6
"""About as many marks on the axis."""


@dataclass(frozen=True, slots=True)
class Row:
    """One estimate."""

    label: str
    interval: Interval
    point: float | None
    """None for bounds, which have none."""
    value: str
    """What is said beside it."""


@dataclass(frozen=True, slots=True)
class Figure:
    """Estimates of the same thing on one axis, which begins at 0."""

    title: str
    rows: tuple[Row, ...]
    note: str = ""
    is_share: bool = True
    """The axis is in percent; else it counts."""
    limit: float | None = None
    """The axis never ends beyond: 1 for shares if not given."""


class _Mark(NamedTuple):
    x: float
    says: str


class _Drawn(NamedTuple):
    label: str
    value: str
    y: float
    low: float
    high: float
    point: float | None


def svg(figure: Figure) -> str:
    """The drawing of ``figure``."""
    title = textwrap.wrap(_plain(figure.title), 84) or [""]
    top = _TOP + 20 * len(title)
    end = _end(figure)
    unit = (_RIGHT - _LEFT) / end
    rows = [
        _drawn(row, top + _STEP * number + _STEP / 2, unit, end) for number, row in enumerate(figure.rows)
    ]
    bottom = top + _STEP * len(rows) + 4
    note = textwrap.wrap(_plain(figure.note), _LINE)
    return _template().render(
        title=title,
        rows=rows,
        marks=[_Mark(round(_LEFT + unit * x, 2), _mark(x, figure)) for x in _ticks(end)],
        note=note,
        width=_WIDTH,
        left=_LEFT,
        right=_RIGHT,
        top=top,
        bottom=bottom,
        height=bottom + 34 + 17 * len(note),
        said="; ".join(f"{row.label}: {row.value}" for row in rows),
    )


def _drawn(row: Row, y: float, unit: float, end: float) -> _Drawn:
    def place(value: float) -> float:
        return round(_LEFT + unit * min(value, end), 2)

    point = None if row.point is None else place(row.point)
    low, high = place(row.interval.low), place(row.interval.high)
    return _Drawn(_cut(_plain(row.label)), _plain(row.value), y, low, high, point)


def _end(figure: Figure) -> float:
    """Where the axis ends: at the next mark after everything."""
    highest = max((max(row.interval.high, row.point or 0.0) for row in figure.rows), default=0.0)
    if highest <= 0:
        return 1.0
    step = _tick(highest)
    end = math.ceil(highest / step - 1e-9) * step
    limit = figure.limit if figure.limit is not None else 1.0 if figure.is_share else end
    return min(end, max(limit, highest))


def _tick(highest: float) -> float:
    """The distance of marks: 1, 2 or 5 times a power of ten."""
    rough = highest / _TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)


def _ticks(end: float) -> Sequence[float]:
    step = _tick(end)
    return [number * step for number in range(int(end / step + 1e-9) + 1)]


def _mark(value: float, figure: Figure) -> str:
    if not figure.is_share:
        return f"{value:,.0f}" if value == round(value) else f"{value:,.3g}"
    return f"{value * 100:.6g} %"


def _plain(text: str) -> str:
    """Text without what cannot be seen: it may come from a file."""
    return "".join(c if c.isprintable() else "?" for c in text)


def _cut(label: str) -> str:
    return label if len(label) <= _LABEL else f"{label[: _LABEL - 3]}..."


@functools.cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("leadglass.survey"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("figure.svg.j2")
