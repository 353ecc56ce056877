"""Every address cut into stretches that are treated alike, so that one bisection finds the rule.

Targets may overlap: where two name the same endpoint, the shallower depth holds, because a target may
only lower a limit. Exclusions win over every target.
"""

from __future__ import annotations

import ipaddress
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from leadglass.model.rung import Rung
from leadglass.scope.special import Network, Span

__all__ = ["Cell", "Conflict", "Cover", "Grant", "Hole", "Profile", "Table", "number"]

_OCTETS = {str(value): value for value in range(256)}
"""Canonical octets only: what other programs would read as octal is no address here."""

_END = {4: 1 << 32, 6: 1 << 128}


@dataclass(frozen=True, slots=True)
class Grant:
    """What one endpoint may be asked, and under which name it is called."""

    depth: Rung
    called_ae: str | None


class Profile(NamedTuple):
    """What a target allows on its port ranges (first, last)."""

    ports: tuple[tuple[int, int], ...]
    grant: Grant


class Cover(NamedTuple):
    """A stretch of addresses that a target names."""

    version: int
    span: Span
    profile: Profile


class Hole(NamedTuple):
    """A stretch of addresses that is excluded."""

    version: int
    span: Span
    reason: str

    @classmethod
    def of(cls, network: Network, reason: str) -> Hole:
        """The hole that leaves out all of ``network``."""
        first, last = int(network.network_address), int(network.broadcast_address)
        return cls(network.version, Span(first, last), reason)


@dataclass(frozen=True, slots=True)
class Cell:
    """One way of treating an address. ``starts[i]`` is the first port that ``grants[i]`` is for."""

    starts: tuple[int, ...]
    grants: tuple[Grant | None, ...]
    excluded: str | None = None

    def grant(self, port: int) -> Grant | None:
        """What may be asked at ``port``; None if nothing."""
        return self.grants[bisect_right(self.starts, port) - 1]

    def ports(self) -> Iterator[tuple[int, int]]:
        """The port ranges (first, last) with a grant, ascending."""
        for index, grant in enumerate(self.grants):
            if grant is not None:
                yield self.starts[index], self.starts[index + 1] - 1


_Active: TypeAlias = Counter[Profile | str]


class Conflict(ValueError):
    """Two targets give the same endpoint two called titles."""

    def __init__(self, first: str, second: str) -> None:
        self.titles = (first, second)
        super().__init__(f"the same endpoint is called {first!r} by one target and {second!r} by another")


class Table:
    """Addresses to cells; ``find`` costs one bisection."""

    __slots__ = ("_four", "_six")

    def __init__(self, covers: Sequence[Cover], holes: Sequence[Hole]) -> None:
        cells: dict[frozenset[Profile | str], Cell | None] = {}
        self._four = _line(4, covers, holes, cells)
        self._six = _line(6, covers, holes, cells)

    def find(self, address: str) -> Cell | None:
        """The cell of a canonical address; None if no target names it, or it is no address."""
        value = number(address)
        if value is None:
            return None
        starts, cells = self._six if ":" in address else self._four
        return cells[bisect_right(starts, value) - 1]

    def segments(self) -> Iterator[tuple[int, Span, Cell]]:
        """(IP version, addresses, cell) of everything that may be touched, ascending, each address once."""
        for version, (starts, cells) in ((4, self._four), (6, self._six)):
            ends = [*starts[1:], _END[version]]
            for start, end, cell in zip(starts, ends, cells, strict=True):
                if cell is not None and cell.excluded is None:
                    yield version, Span(start, end - 1), cell


def number(address: str) -> int | None:
    """A canonical literal as an integer; None for anything that is not exactly one.

    Strict, because what is judged here is handed to the kernel as text: both must read the same.
    """
    if ":" in address:
        try:
            six = ipaddress.IPv6Address(address)
        except ValueError:
            return None
        return int(six) if six.scope_id is None else None
    try:
        a, b, c, d = address.split(".")
        return _OCTETS[a] << 24 | _OCTETS[b] << 16 | _OCTETS[c] << 8 | _OCTETS[d]
    except (ValueError, KeyError):
        return None


_Line: TypeAlias = tuple[list[int], list[Cell | None]]


def _line(
    version: int,
    covers: Sequence[Cover],
    holes: Sequence[Hole],
    cells: dict[frozenset[Profile | str], Cell | None],
) -> _Line:
    """Sweep over the edges of all spans, keeping count of what covers the present stretch."""
    edges: dict[int, list[tuple[Profile | str, int]]] = {0: []}
    for cover in covers:
        if cover.version == version:
            _edge(edges, cover.span, cover.profile)
    for hole in holes:
        if hole.version == version:
            _edge(edges, hole.span, hole.reason)
    starts: list[int] = []
    found: list[Cell | None] = []
    active: _Active = Counter()
    for at in sorted(edges):
        for item, step in edges[at]:
            active[item] += step
        cell = _cell(active, cells)
        if not found or cell is not found[-1]:
            starts.append(at)
            found.append(cell)
    return starts, found


def _edge(edges: dict[int, list[tuple[Profile | str, int]]], span: Span, item: Profile | str) -> None:
    edges.setdefault(span.first, []).append((item, 1))
    edges.setdefault(span.last + 1, []).append((item, -1))


def _cell(active: _Active, cells: dict[frozenset[Profile | str], Cell | None]) -> Cell | None:
    for item in [item for item, count in active.items() if count == 0]:
        del active[item]
    key = frozenset(active)
    if key not in cells:
        cells[key] = _merged(key)
    return cells[key]


def _merged(items: frozenset[Profile | str]) -> Cell | None:
    reasons = sorted(item for item in items if isinstance(item, str))
    profiles = [item for item in items if not isinstance(item, str)]
    if reasons:
        return Cell((0,), (None,), reasons[0])
    if not profiles:
        return None
    edges = sorted({0} | {edge for p in profiles for first, last in p.ports for edge in (first, last + 1)})
    return Cell(tuple(edges), tuple(_grant(edge, profiles) for edge in edges))


def _grant(port: int, profiles: Iterable[Profile]) -> Grant | None:
    grants = [p.grant for p in profiles if any(first <= port <= last for first, last in p.ports)]
    if not grants:
        return None
    titles = sorted({grant.called_ae for grant in grants if grant.called_ae is not None})
    if len(titles) > 1:
        raise Conflict(titles[0], titles[1])
    return Grant(min(grant.depth for grant in grants), titles[0] if titles else None)
