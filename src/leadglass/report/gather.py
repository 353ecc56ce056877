"""Records gathered for the reports that people read, worst first, in bounded memory.

A table of ten million closed ports helps nobody: closed and filtered endpoints are only counted
unless they are few, and of the others the worst ``LIMIT`` are described. What was left
out is counted, so that the report can say so.
"""

from __future__ import annotations

import heapq
import ipaddress
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby
from typing import TypeAlias

from leadglass.model.record import ScanRecord
from leadglass.model.verdict import Access, Severity

__all__ = ["FEW", "LIMIT", "SILENT", "Gatherer", "Host", "by_host"]

LIMIT = 1000
FEW = 4
SILENT = frozenset({Access.CLOSED, Access.FILTERED})

Rank: TypeAlias = tuple[int, ...]
Entry: TypeAlias = tuple[Rank, int, ScanRecord]
"""Negated rank, negated order of arrival (no two are equal), record."""


@dataclass(frozen=True, slots=True)
class Host:
    """One address and its endpoints, worst first. Its verdict is its worst endpoint."""

    address: str
    records: tuple[ScanRecord, ...]

    @property
    def worst(self) -> ScanRecord:
        """The endpoint where a stranger can do most."""
        return min(self.records, key=lambda record: record.access.rank)

    @property
    def severity(self) -> Severity:
        """The worst severity of its endpoints."""
        return min((record.severity for record in self.records), key=lambda severity: severity.rank)

    @property
    def names(self) -> tuple[str, ...]:
        """The names it was reached by."""
        return tuple(sorted({record.endpoint.name for record in self.records if record.endpoint.name}))


@dataclass(slots=True)
class Gatherer:
    """Takes records in any order."""

    _loud: list[Entry] = field(default_factory=list)
    _silent: list[Entry] = field(default_factory=list)
    _left_out: Counter[Access] = field(default_factory=Counter)
    _added: int = 0

    def add(self, record: ScanRecord) -> None:
        """Keep the record if it is among the worst, count it otherwise."""
        self._added += 1
        if record.access not in SILENT:
            self._keep(self._loud, record, LIMIT)
        elif len(self._silent) > FEW:
            self._left_out[record.access] += (
                1  # they are too many to be shown, so nobody asks for their order
            )
        else:
            self._keep(self._silent, record, FEW + 1)

    def records(self) -> tuple[ScanRecord, ...]:
        """What is described one by one, worst first."""
        silent = self._silent if len(self._silent) <= FEW else []
        kept = [record for *_, record in (*self._loud, *silent)]
        return tuple(sorted(kept, key=_rank))

    def counted(self) -> dict[Access, int]:
        """How many endpoints of each word are not among ``records``."""
        counts = Counter(self._left_out)
        if len(self._silent) > FEW:
            counts.update(record.access for *_, record in self._silent)
        return {access: counts[access] for access in Access if counts[access]}

    def _keep(self, heap: list[Entry], record: ScanRecord, limit: int) -> None:
        """A heap whose first entry is the mildest, because ranks are negated."""
        entry = (tuple(-step for step in _rank(record)), -self._added, record)
        if len(heap) < limit:
            heapq.heappush(heap, entry)
        else:
            *_, mildest = heapq.heappushpop(heap, entry)
            self._left_out[mildest.access] += 1


def by_host(records: Iterable[ScanRecord]) -> tuple[Host, ...]:
    """The records grouped by address, the host with the worst endpoint first."""
    ordered = sorted(records, key=lambda record: (_place(record), _rank(record)))
    groups = groupby(ordered, key=lambda record: record.endpoint.address)
    hosts = [Host(address, tuple(group)) for address, group in groups]
    return tuple(sorted(hosts, key=lambda host: _rank(host.records[0])))


def _rank(record: ScanRecord) -> Rank:
    """Worst first, then by address and port."""
    return (record.severity.rank, record.access.rank, *_place(record), record.endpoint.port)


def _place(record: ScanRecord) -> Rank:
    address = ipaddress.ip_address(record.endpoint.address)
    return (address.version, int(address))
