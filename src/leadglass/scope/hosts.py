"""The addresses of a scope as numbers from 0, so that they can be shuffled and cut without a list."""

from __future__ import annotations

import ipaddress
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from leadglass.model.rung import Rung
from leadglass.scope.table import Cell, Grant, Table

__all__ = ["Host", "Hosts", "Segment", "literal"]

_SHALLOWEST = Rung.CONNECT
"""What may be asked less than this is not visited."""
_KNOWN = 16_384
"""Addresses whose rules stay at hand, by the text that was made of them: more than are asked at once."""
_OCTETS = tuple(map(str, range(256)))


class Segment:
    """Addresses in a row that are treated alike."""

    __slots__ = ("asked", "cell", "count", "length", "shift")

    def __init__(self, version: int, shift: int, cell: Cell) -> None:
        self.cell = cell
        self.length = 4 if version == 4 else 16
        """Bytes of an address."""
        self.shift = shift
        """What makes the number of a host its address."""
        self.asked = tuple(_asked(cell))
        """Ports that may be connected to, ascending, with what may be asked there."""
        self.count = sum(len(ports) for ports, _ in self.asked)
        """Ports of each address."""


Host: TypeAlias = tuple[str, bytes, Segment]
"""Canonical address; the same in network order, 4 or 16 bytes, as the head of ``model.key``; its rules."""


class Hosts:
    """Every address of a table that may be connected to, each once, excluded ones left out.

    What it makes a literal of is ``known`` by that, with its cell, for as long as somebody may ask for it.
    """

    __slots__ = ("_known", "_segments", "_starts", "count", "endpoints")

    def __init__(self, table: Table, known: dict[str, Cell]) -> None:
        self.count = 0
        """Addresses."""
        self.endpoints = 0
        """Addresses times ports."""
        self._known = known
        self._starts: list[int] = []
        self._segments: list[Segment] = []
        for version, span, cell in table.segments():
            self._add(Segment(version, span.first - self.count, cell), span.last - span.first + 1)

    def at(self, number: int) -> Host:
        """The host with this number, 0 .. count-1."""
        segment = self._segments[bisect_right(self._starts, number) - 1]
        packed = (number + segment.shift).to_bytes(segment.length, "big")
        address = literal(packed)
        known = self._known
        if len(known) >= _KNOWN:
            known.clear()
        known[address] = segment.cell
        return address, packed, segment

    def _add(self, segment: Segment, size: int) -> None:
        if segment.count:
            self._starts.append(self.count)
            self._segments.append(segment)
            self.count += size
            self.endpoints += size * segment.count


def literal(packed: bytes) -> str:
    """The canonical literal of an address in network order."""
    if len(packed) == 4:
        a, b, c, d = packed
        return f"{_OCTETS[a]}.{_OCTETS[b]}.{_OCTETS[c]}.{_OCTETS[d]}"
    return str(ipaddress.IPv6Address(packed))


def _asked(cell: Cell) -> Iterator[tuple[Sequence[int], Grant]]:
    for first, last in cell.ports():
        grant = cell.grant(first)
        assert grant is not None
        if grant.depth >= _SHALLOWEST:
            yield range(first, last + 1), grant
