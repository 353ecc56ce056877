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

from sqlalchemy import Connection, Executable, Row, Select, func, select, update

from leadglass.judge.stated import overruled
from leadglass.model.endpoint import Endpoint
from leadglass.model.key import unpack
from leadglass.model.record import ScanRecord, Tlp, placed, read_body
from leadglass.model.record_line import LineMaker
from leadglass.model.record_parts import ScopeNote, VantageFacts
from leadglass.model.rung import Rung
from leadglass.model.statement import standing
from leadglass.model.verdict import Access, Position, Severity
from leadglass.store.database import Database
from leadglass.store.scans import Plan, StoredScan, find
from leadglass.store.schema import observations, places, scans, vantages, verdicts
from leadglass.store.statements import Standing, standing_in

__all__ = [
    "PAGE",
    "AnyRow",
    "AnySelect",
    "Maker",
    "Shelf",
    "Spot",
    "Tally",
    "kept_tally",
    "lines",
    "listing",
    "names_of",
    "overlaid",
    "put_together",
    "read_tally",
    "records",
    "scope_of",
    "streamed",
    "tally",
    "vantages_in",
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


class Spot(Protocol):
    """A row that says where and from where."""

    @property
    def endpoint(self) -> bytes:
        """See ``model.key``."""
        ...

    @property
    def vantage(self) -> int:
        """Its number."""
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
    for page, seen_from in _pages(db, scan, lambda rung, body: (Rung(rung), read_body(body, where=db.where))):
        for endpoint, vantage, observed_at, (rung, look) in page:
            address, port = unpack(endpoint)
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
    for page, seen_from in _pages(db, scan, lambda rung, body: maker.look(Rung(rung), body)):
        parts = {number: maker.vantage(vantage) for number, vantage in seen_from.items()}
        for endpoint, vantage, observed_at, look in page:
            address, port = unpack(endpoint)
            yield line(observed_at, address, port, parts[vantage], look)


def tally(db: Database, scan: StoredScan) -> Tally:
    """What was seen, counted, with the words of owners laid over it. Reads the whole scan."""
    return _counted(db, scan, with_owners=True)


def _counted(db: Database, scan: StoredScan, *, with_owners: bool) -> Tally:
    access: Counter[Access] = Counter()
    severity: Counter[Severity] = Counter()
    with db.read() as connection:
        query = select(verdicts.c.id, verdicts.c.access, verdicts.c.severity)
        words = Shelf(connection, query, lambda row: (Access(row.access), Severity(row.severity)))
        for counted in _by_verdict(connection, scan, is_grouped=db.is_postgres):
            known = words.holding(counted)
            for verdict, number in counted.items():
                access[known[verdict][0]] += number
                severity[known[verdict][1]] += number
        if with_owners:
            severity.update(_moved(connection, scan))
    return Tally(
        access.total(),
        {word: access[word] for word in Access if access[word]},
        {word: severity[word] for word in Severity if severity[word]},
    )


def _by_verdict(connection: Connection, scan: StoredScan, *, is_grouped: bool) -> Iterator[Mapping[int, int]]:
    """How many endpoints show each verdict, in parts that add up."""
    verdict = observations.c.verdict
    rows = select(verdict).where(observations.c.scan == scan.id)
    if is_grouped:  # SQLite would sort all rows in memory for it
        for page in streamed(connection, rows.add_columns(func.count()).group_by(verdict)):
            yield {row[0]: row[1] for row in page}
    else:
        for page in streamed(connection, rows):
            yield Counter(row[0] for row in page)


def _moved(connection: Connection, scan: StoredScan) -> Counter[Severity]:
    """What the words of owners add to the counts of severities, and take from them."""
    moved: Counter[Severity] = Counter()
    seen_from = vantages_in(connection)
    for address, said in standing_in(connection).items():
        rows = connection.execute(_on(address, scan)).all()
        for row in rows:
            _, body = overlaid(row, (row.rung, row.body), {address: said}, seen_from)
            moved[Severity(row.severity)] -= 1
            moved[read_body(body).severity] += 1
    return moved


def _on(address: bytes, scan: StoredScan) -> AnySelect:
    """What was seen of an address, with the bodies."""
    seen = observations.c
    return (
        select(seen.endpoint, seen.vantage, verdicts.c.rung, verdicts.c.body, verdicts.c.severity)
        .join_from(observations, verdicts, seen.verdict == verdicts.c.id)
        .where(
            seen.scan == scan.id,
            seen.endpoint.between(address + bytes(2), address + b"\xff\xff"),
            func.length(seen.endpoint) == len(address) + 2,
        )
    )


def listing(db: Database) -> Iterator[tuple[StoredScan, Tally]]:
    """All scans, latest first, with what was seen; a scan that is complete is counted once."""
    with db.read() as connection:
        latest = connection.execute(select(scans.c.ulid).order_by(scans.c.began.desc(), scans.c.id.desc()))
        ulids = latest.scalars().all()
    for ulid in ulids:
        scan = find(db, ulid)
        yield scan, kept_tally(db, scan) if _is_fixed(db, scan) else tally(db, scan)


def _is_fixed(db: Database, scan: StoredScan) -> bool:
    """Whether its counts change no more: owners may still say what changes them."""
    with db.read() as connection:
        return scan.state == "complete" and not standing_in(connection)


def kept_tally(db: Database, scan: StoredScan) -> Tally:
    """What was seen in ``scan``, which is complete: counted once, without the words of owners, and kept."""
    with db.read() as connection:
        kept = connection.execute(select(scans.c.tally).where(scans.c.id == scan.id)).scalar()
    if kept is not None:
        return read_tally(kept)
    counted = _counted(db, scan, with_owners=False)
    with db.write() as connection:
        kept = json.dumps([counted.endpoints, counted.access, counted.severity])
        connection.execute(update(scans).where(scans.c.id == scan.id).values(tally=kept))
    return counted


def read_tally(kept: str) -> Tally:
    """A tally as it is kept."""
    endpoints, access, severity = json.loads(kept)
    return Tally(
        endpoints,
        {Access(word): number for word, number in access.items()},
        {Severity(word): number for word, number in severity.items()},
    )


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
        yield from result.partitions(PAGE)  # words that are text have no pages of their own


def _pages(
    db: Database, scan: StoredScan, make: Callable[[int, str], _T]
) -> Iterator[tuple[Iterator[tuple[bytes, int, int, _T]], Mapping[int, VantageFacts]]]:
    """Pages of (endpoint, vantage, moment, what is made of rung and body), with what vantages stand for."""
    seen = observations.c
    rows = (
        select(seen.endpoint, seen.vantage, seen.observed_at, seen.verdict)
        .where(seen.scan == scan.id)
        .order_by(seen.endpoint, seen.place)
    )
    looks = select(verdicts.c.id, verdicts.c.rung, verdicts.c.body)
    with db.read() as connection:
        seen_from = vantages_in(connection)
        stated = standing_in(connection)
        shelf = Shelf(connection, looks, lambda row: make(row.rung, row.body))
        plain = Shelf(connection, looks, lambda row: (row.rung, row.body))
        for page in streamed(connection, rows):
            made = shelf.holding(row.verdict for row in page)
            told = [row for row in page if bytes(row.endpoint[:-2]) in stated] if stated else ()
            if not told:
                yield ((*row[:3], made[row[3]]) for row in page), seen_from
                continue
            bodies = plain.holding(row.verdict for row in told)
            laid = {
                (row.endpoint, row.vantage): make(*overlaid(row, bodies[row.verdict], stated, seen_from))
                for row in told
            }
            yield ((*row[:3], laid.get(row[:2]) or made[row[3]]) for row in page), seen_from


def overlaid(
    row: Spot, look: tuple[int, str], stated: Standing, seen_from: Mapping[int, VantageFacts]
) -> tuple[int, str]:
    """Rung and body with what the owner says laid over them; ``row`` has endpoint and vantage."""
    rung, body = look
    statement = standing(stated.get(bytes(row.endpoint[:-2]), ()), unpack(bytes(row.endpoint))[1])
    if statement is None:
        return look
    return rung, overruled(read_body(body), statement, seen_from[row.vantage].position).body()


_VANTAGES = select(vantages.c.id, vantages.c.source, vantages.c.position, places.c.name).join_from(
    vantages, places
)


def vantages_in(connection: Connection) -> dict[int, VantageFacts]:
    """All of them, by number."""
    return {row[0]: _vantage(row) for row in connection.execute(_VANTAGES)}


def _vantage(row: AnyRow) -> VantageFacts:
    return VantageFacts(source=row.source or None, position=Position(row.position), name=row.name or None)
