"""The geometry of the HTML report's pictures: counts in, rectangles and places out.

Lengths are in units of the drawing's own coordinate system. A share that occurs is never drawn
so thin that it cannot be seen; the number beside it is what counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from leadglass.model.verdict import Access, Severity
from leadglass.report.gather import Host

__all__ = ["Bar", "Cell", "Matrix", "Segment", "bars", "matrix", "segments"]

_THINNEST = 6.0
_ENDPOINT = 64.0
"""How long the bar of a single endpoint is at most: two endpoints are not a flood."""
_MOST_HOSTS = 40


class Segment(NamedTuple):
    """One severity's part of a bar."""

    severity: Severity
    number: int
    x: float
    width: float


class Bar(NamedTuple):
    """One access word's bar, cut up by severity."""

    access: Access
    number: int
    segments: tuple[Segment, ...]


class Cell(NamedTuple):
    """What one host showed of one access word."""

    row: int
    column: int
    severity: Severity
    number: int


class Matrix(NamedTuple):
    """Hosts against access words; both worst first."""

    hosts: tuple[Host, ...]
    words: tuple[Access, ...]
    cells: tuple[Cell, ...]
    hidden: int
    """Hosts that are not drawn."""


def segments(counts: Mapping[Severity, int], length: float) -> tuple[Segment, ...]:
    """One bar of ``length``, worst first from the left; empty when nothing was counted."""
    present = [severity for severity in Severity if counts.get(severity)]
    total = sum(counts[severity] for severity in present)
    spare = length - _THINNEST * len(present)
    drawn, x = [], 0.0
    for severity in present:
        width = _THINNEST + spare * counts[severity] / total
        drawn.append(Segment(severity, counts[severity], round(x, 2), round(width, 2)))
        x += width
    return tuple(drawn)


def bars(counts: Mapping[tuple[Access, Severity], int], length: float) -> tuple[Bar, ...]:
    """One bar an access word that occurs; the longest has ``length`` at most."""
    totals = Counter[Access]()
    for (access, _), number in counts.items():
        totals[access] += number
    longest = max(totals.values(), default=1)
    unit = min(length / longest, _ENDPOINT)
    return tuple(
        Bar(access, totals[access], segments(_of(access, counts), _long_enough(totals[access], unit)))
        for access in Access
        if totals[access]
    )


def matrix(hosts: Sequence[Host]) -> Matrix:
    """The worst hosts against the access words that occur among them."""
    drawn = tuple(hosts[:_MOST_HOSTS])
    occurring = {record.access for host in drawn for record in host.records}
    words = tuple(access for access in Access if access in occurring)
    cells = tuple(cell for row, host in enumerate(drawn) for cell in _cells(row, host, words))
    return Matrix(drawn, words, cells, len(hosts) - len(drawn))


def _of(access: Access, counts: Mapping[tuple[Access, Severity], int]) -> dict[Severity, int]:
    return {severity: counts.get((access, severity), 0) for severity in Severity}


def _long_enough(number: int, unit: float) -> float:
    """For every severity to be seen."""
    return max(unit * number, min(number, len(Severity)) * _THINNEST)


def _cells(row: int, host: Host, words: Sequence[Access]) -> Iterable[Cell]:
    for column, word in enumerate(words):
        severities = [record.severity for record in host.records if record.access is word]
        if severities:
            worst = min(severities, key=lambda severity: severity.rank)
            yield Cell(row, column, worst, len(severities))
