"""The addresses of a scope as numbers from 0, so that they can be shuffled and cut without a list."""

from __future__ import annotations

import ipaddress
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import NamedTuple

from leadglass.model.key import pack
from leadglass.model.rung import Rung
from leadglass.scope.table import Cell, Table

__all__ = ["Host", "Hosts", "literal"]

_SHALLOWEST = Rung.CONNECT
"""What may be asked less than this is not visited."""


class Host(NamedTuple):
    """An address and the ports that may be asked there, ascending."""

    address: str
    ports: Sequence[int]
    packed: bytes
    """The address in network order, 4 or 16 bytes: the head of ``model.key``."""
    cell: Cell | None = None
    """The rules for it, where they are at hand."""

    @classmethod
    def of(cls, address: str, ports: Iterable[int]) -> Host:
        """The host at a canonical ``address`` with just these ports."""
        return cls(address, tuple(ports), pack(address, 0)[:-2])


class Hosts:
    """Every address of a table that may be connected to, each once, excluded ones left out."""

    __slots__ = ("_cells", "_first", "_ports", "_starts", "_versions", "count", "endpoints")

    def __init__(self, table: Table) -> None:
        self.count = 0
        """Addresses."""
        self.endpoints = 0
        """Addresses times ports."""
        self._starts: list[int] = []
        self._first: list[int] = []
        self._versions: list[int] = []
        self._ports: list[Sequence[int]] = []
        self._cells: list[Cell] = []
        for version, span, cell in table.segments():
            self._add(version, span.first, span.last - span.first + 1, cell)

    def at(self, number: int) -> Host:
        """The host with this number, 0 .. count-1."""
        index = bisect_right(self._starts, number) - 1
        value = self._first[index] + number - self._starts[index]
        version = self._versions[index]
        packed = value.to_bytes(4 if version == 4 else 16, "big")
        return Host(literal(version, value), self._ports[index], packed, self._cells[index])

    def _add(self, version: int, first: int, size: int, cell: Cell) -> None:
        ports = _asked(cell)
        if len(ports):
            self._cells.append(cell)
            self._starts.append(self.count)
            self._first.append(first)
            self._versions.append(version)
            self._ports.append(ports)
            self.count += size
            self.endpoints += size * len(ports)


def literal(version: int, value: int) -> str:
    """The canonical literal of an address given as a number."""
    if version == 4:
        return f"{value >> 24}.{value >> 16 & 255}.{value >> 8 & 255}.{value & 255}"
    return str(ipaddress.IPv6Address(value))


def _asked(cell: Cell) -> Sequence[int]:
    """The ports of a cell that may be connected to: a range where it is one, else two bytes each."""
    found: list[range] = []
    for first, last in cell.ports():
        grant = cell.grant(first)
        assert grant is not None
        if grant.depth >= _SHALLOWEST:
            found.append(range(first, last + 1))
    return found[0] if len(found) == 1 else array("H", chain.from_iterable(found))
