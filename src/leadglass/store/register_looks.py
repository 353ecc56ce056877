"""A stored scan as the register wants it: what each address showed, from whichever place, one page in memory."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import func, select

from leadglass.model.key import unpack
from leadglass.model.register import SILENT, SeenPort
from leadglass.model.verdict import Access, Severity
from leadglass.store.database import Database
from leadglass.store.reading import AnyRow, Shelf, names_of, streamed
from leadglass.store.scans import StoredScan
from leadglass.store.schema import evidence, observations, verdicts

__all__ = ["Look", "looks"]

_PORT = 2
"""Bytes at the end of an endpoint's key."""
_KEYS = (6, 18)
"""Bytes of a key: of IPv4, of IPv6. Together they would not be in the order of addresses."""


@dataclass(frozen=True, slots=True)
class Look:
    """What one address showed in one scan."""

    address: str
    name: str | None
    """The DNS name that it was resolved from."""
    at: int
    """POSIX seconds: the last look."""
    ports: tuple[SeenPort, ...]
    """Those that answered, by number; as the worst of the places saw each."""
    identity: str | None
    """See ``look.identity_of``, hexadecimal."""


def looks(database: Database, scan: StoredScan) -> Iterator[Look]:
    """Every address that ``scan`` looked at, silent ones too."""
    names = names_of(scan.plan)
    for size in _KEYS:
        rows = _rows(database, scan, size)
        for key, group in itertools.groupby(rows, key=lambda row: row[0][:-_PORT]):
            address = unpack(key + bytes(_PORT))[0]
            yield _look(address, names.get(address), [row[1:] for row in group])


def _rows(
    database: Database, scan: StoredScan, size: int
) -> Iterator[tuple[bytes, int, SeenPort, str | None]]:
    """Key, moment, port and identity, in the order of keys."""
    seen, said = observations.c, verdicts.c
    rows = (
        select(seen.endpoint, seen.observed_at, seen.verdict)
        .where(seen.scan == scan.id, func.length(seen.endpoint) == size)
        .order_by(seen.endpoint, seen.place)
    )
    columns = select(said.id, said.access, said.severity, said.product, said.version, evidence.c.identity)
    with database.read() as connection:
        shelf = Shelf(connection, columns.join_from(verdicts, evidence), _verdict)
        for page in streamed(connection, rows):
            known = shelf.holding(row.verdict for row in page)
            for endpoint, at, verdict in page:
                shown, identity = known[verdict]
                port = SeenPort(int.from_bytes(endpoint[-_PORT:]), *shown)
                yield bytes(endpoint), at, port, identity


def _verdict(row: AnyRow) -> tuple[tuple[Access, Severity, str | None, str | None], str | None]:
    identity = None if row.identity is None else bytes(row.identity).hex()
    return (Access(row.access), Severity(row.severity), row.product, row.version), identity


def _look(address: str, name: str | None, rows: list[tuple[int, SeenPort, str | None]]) -> Look:
    ports: dict[int, SeenPort] = {}
    for _, port, _ in rows:
        before = ports.get(port.port)
        if port.access not in SILENT and (before is None or port.access.rank < before.access.rank):
            ports[port.port] = port
    return Look(
        address,
        name,
        max(at for at, _, _ in rows),
        tuple(ports[number] for number in sorted(ports)),
        next((identity for _, _, identity in rows if identity is not None), None),
    )
