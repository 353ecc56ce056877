"""Records out of the store, exactly as they were when they were seen.

What endpoints share (the verdict's body) is fetched and parsed once for many rows; what is kept in
memory does not grow with a scan. A reader sees the database as it was when it began.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from sqlalchemy import Connection, Executable, Row, Select, select, update

from leadglass.model.endpoint import Endpoint
from leadglass.model.key import unpack
from leadglass.model.record import ScanRecord, Tlp, placed, read_body
from leadglass.model.record_line import LineMaker
from leadglass.model.record_parts import ScopeNote, VantageFacts
from leadglass.model.rung import Rung
from leadglass.model.verdict import Access, Position, Severity
from leadglass.store.database import Database
from leadglass.store.scans import Plan, StoredScan, find
from leadglass.store.schema import observations, places, scans, vantages, verdicts

__all__ = [
    "PAGE",
    "AnyRow",
    "AnySelect",
    "Maker",
    "Shelf",
    "Tally",
    "lines",
    "listing",
    "names_of",
    "put_together",
    "records",
    "scope_of",
    "streamed",
    "tally",
]

PAGE = 1000
"""Rows fetched at once. A parsed look takes about 35 kB, and each row of a page may have its own."""

_T = TypeVar("_T")
_V = TypeVar("_V")
_L = TypeVar("_L")
AnyRow: TypeAlias = "Row[*tuple[Any, ...]]"
AnySelect: TypeAlias = "Select[*tuple[Any, ...]]"


@dataclass(frozen=True, slots=True)
class Tally:
    """How many endpoints of a scan were seen, and what came of it. Mappings hold only what occurred, worst first."""

    endpoints: int
    access: Mapping[Access, int]
    severity: Mapping[Severity, int]


class Maker(Protocol[_V, _L]):
    """Puts together what is written of an endpoint, from parts that are made once for many."""

    def vantage(self, vantage: VantageFacts, /) -> _V:
        """The part that says from where."""
        ...

    def look(self, rung: Rung, body: str, /) -> _L:
        """The part that says how deep, and what was seen: ``body`` as in ``model.record.read_body``."""
        ...

    def line(self, observed_at: int, address: str, port: int, vantage: _V, look: _L, /) -> str:
        """All of it, for one endpoint; ``observed_at`` in POSIX seconds."""
        ...


class Shelf(Generic[_T]):
    """What rows point to, by id: fetched for a page at once, kept for the next pages while there is room."""

    def __init__(
        self, connection: Connection, query: AnySelect, make: Callable[[AnyRow], _T], room: int = PAGE
    ) -> None:
        """``query`` gives the id first; it is narrowed to those wanted."""
        self._connection = connection
        self._query = query
        self._id = query.selected_columns[0]
        self._make = make
        self._room = room
        self._kept: dict[int, _T] = {}

    def holding(self, ids: Iterable[int | None]) -> Mapping[int, _T]:
        """A mapping that has all of ``ids``, until it is asked for others."""
        wanted = {number for number in ids if number is not None}
        missing = wanted - self._kept.keys()
        if missing:
            if len(self._kept) + len(missing) > self._room:
                self._kept = {number: made for number, made in self._kept.items() if number in wanted}
            for row in self._connection.execute(self._query.where(self._id.in_(missing))):
                self._kept[row[0]] = self._make(row)
        return self._kept


def records(db: Database, scan: StoredScan, tlp: Tlp | None = None) -> Iterator[ScanRecord]:
    """The records of ``scan``, marked ``tlp``, in the order of their endpoints."""
    scope, names = scope_of(scan.plan), names_of(scan.plan)
    for page, seen_from, looks in _pages(
        db, scan, lambda row: (Rung(row.rung), read_body(row.body, where=db.where))
    ):
        for endpoint, vantage, observed_at, verdict in page:
            address, port = unpack(endpoint)
            rung, look = looks[verdict]
            yield placed(
                look,
                scan=scan.plan.ulid,
                observed_at=observed_at,
                endpoint=Endpoint(address, port, names.get(address)),
                vantage=seen_from[vantage],
                rung=rung,
                scope=scope,
                tlp=tlp,
            )


def lines(db: Database, scan: StoredScan, tlp: Tlp | None = None) -> Iterator[str]:
    """The lines of ``records``, much sooner: put together from stored text."""
    return put_together(db, scan, LineMaker(scan.plan.ulid, scope_of(scan.plan), tlp, names_of(scan.plan)))


def put_together(db: Database, scan: StoredScan, maker: Maker[_V, _L]) -> Iterator[str]:
    """What ``maker`` makes of each endpoint of ``scan``, in the order of their endpoints."""
    line = maker.line
    for page, seen_from, looks in _pages(db, scan, lambda row: maker.look(Rung(row.rung), row.body)):
        parts = {number: maker.vantage(vantage) for number, vantage in seen_from.items()}
        for endpoint, vantage, observed_at, verdict in page:
            address, port = unpack(endpoint)
            yield line(observed_at, address, port, parts[vantage], looks[verdict])


def tally(db: Database, scan: StoredScan) -> Tally:
    """What was seen, counted. Reads the whole scan."""
    # Not by GROUP BY, for which SQLite sorts all rows in memory.
    rows = select(observations.c.verdict).where(observations.c.scan == scan.id)
    access: Counter[Access] = Counter()
    severity: Counter[Severity] = Counter()
    with db.read() as connection:
        query = select(verdicts.c.id, verdicts.c.access, verdicts.c.severity)
        words = Shelf(connection, query, lambda row: (Access(row.access), Severity(row.severity)))
        for page in streamed(connection, rows):
            counted = Counter(row[0] for row in page)
            known = words.holding(counted)
            for verdict, number in counted.items():
                access[known[verdict][0]] += number
                severity[known[verdict][1]] += number
    return Tally(
        access.total(),
        {word: access[word] for word in Access if access[word]},
        {word: severity[word] for word in Severity if severity[word]},
    )


def listing(db: Database) -> Iterator[tuple[StoredScan, Tally]]:
    """All scans, latest first, with what was seen; a scan that is complete is counted once."""
    with db.read() as connection:
        latest = connection.execute(select(scans.c.ulid).order_by(scans.c.began.desc(), scans.c.id.desc()))
        ulids = latest.scalars().all()
    for ulid in ulids:
        scan = find(db, ulid)
        yield scan, _kept_tally(db, scan) if scan.state == "complete" else tally(db, scan)


def _kept_tally(db: Database, scan: StoredScan) -> Tally:
    with db.read() as connection:
        kept = connection.execute(select(scans.c.tally).where(scans.c.id == scan.id)).scalar()
    if kept is not None:
        endpoints, access, severity = json.loads(kept)
        return Tally(
            endpoints,
            {Access(word): number for word, number in access.items()},
            {Severity(word): number for word, number in severity.items()},
        )
    counted = tally(db, scan)
    with db.write() as connection:
        kept = json.dumps([counted.endpoints, counted.access, counted.severity])
        connection.execute(update(scans).where(scans.c.id == scan.id).values(tally=kept))
    return counted


def scope_of(plan: Plan) -> ScopeNote | None:
    """By whose leave the scan was made."""
    return None if plan.scope_note is None else ScopeNote.model_validate_json(plan.scope_note)


def names_of(plan: Plan) -> dict[str, str]:
    """The first name of the scope that each address was resolved from, as it was pinned for the scan."""
    names: dict[str, str] = {}
    for name, addresses in json.loads(plan.pins).items():
        for address in addresses:
            names.setdefault(address, name)
    return names


def streamed(connection: Connection, query: Executable) -> Iterator[Sequence[AnyRow]]:
    """The rows of ``query``, page by page, without the rest in memory; other queries may run in between."""
    with connection.execute(query, execution_options={"yield_per": PAGE}) as result:
        yield from result.partitions()


def _pages(
    db: Database, scan: StoredScan, make: Callable[[AnyRow], _T]
) -> Iterator[tuple[Sequence[AnyRow], Mapping[int, VantageFacts], Mapping[int, _T]]]:
    """Pages of (endpoint, vantage, moment, verdict), with what vantages and verdicts stand for."""
    seen = observations.c
    rows = (
        select(seen.endpoint, seen.vantage, seen.observed_at, seen.verdict)
        .where(seen.scan == scan.id)
        .order_by(seen.endpoint, seen.place)
    )
    with db.read() as connection:
        seen_from = {row[0]: _vantage(row) for row in connection.execute(_VANTAGES)}
        shelf = Shelf(connection, select(verdicts.c.id, verdicts.c.rung, verdicts.c.body), make)
        for page in streamed(connection, rows):
            yield page, seen_from, shelf.holding(row.verdict for row in page)


_VANTAGES = select(vantages.c.id, vantages.c.source, vantages.c.position, places.c.name).join_from(
    vantages, places
)


def _vantage(row: AnyRow) -> VantageFacts:
    return VantageFacts(source=row.source or None, position=Position(row.position), name=row.name or None)
