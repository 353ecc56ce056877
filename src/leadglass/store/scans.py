"""Scans: what was asked, whether it is finished, and the shards that it is cut into."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    RowMapping,
    Table,
    bindparam,
    func,
    insert,
    or_,
    select,
    text,
    update,
)

from leadglass.errors import UsageError
from leadglass.model.key import pack, unpack
from leadglass.model.rung import Rung
from leadglass.model.verdict import Position
from leadglass.store.bulk import pour
from leadglass.store.database import Database
from leadglass.store.names import place_of
from leadglass.store.schema import listed, listed_hosts, places, scans, shards

__all__ = [
    "DONE",
    "LEASED",
    "WAITING",
    "Plan",
    "State",
    "StoredScan",
    "add_listed",
    "begin",
    "complete",
    "find",
    "latest",
    "listed_of",
    "open_scans",
]

WAITING, LEASED, DONE = 0, 1, 2
"""The states of a shard."""

State = Literal["filling", "open", "complete", "pruning"]
"""Of a scan. One that is filling still takes in its list of targets, one that is pruning goes away: nobody
may work at either, and the latter is shown to nobody."""

_MOST_SHARDS = 100_000
_ULID = re.compile(r"[0-9A-HJKMNP-TV-Z]{4,26}")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

_CUT = text(
    """
    WITH RECURSIVE pieces (piece) AS (
        SELECT 0 UNION ALL SELECT piece + 1 FROM pieces WHERE piece + 1 < :count
    )
    INSERT INTO shards (scan, number, place, first, after, state)
    SELECT :scan, :number + piece, :place, :size * piece,
           CASE WHEN piece + 1 = :count THEN :hosts ELSE :size * (piece + 1) END, 0
    FROM pieces
    """
).bindparams(
    *(bindparam(name, type_=BigInteger()) for name in ("count", "scan", "number", "place", "size", "hosts"))
)

# A query for each row, not a join: PostgreSQL would read the whole table for each batch.
_KNOWN_HOSTS = text(
    "SELECT f.address,"
    " (SELECT h.number FROM listed_hosts h WHERE h.scan = :scan AND h.address = f.address)"
    " FROM found_hosts f"
)
_ADD_HOSTS = text(
    "INSERT INTO listed_hosts (scan, address, number) SELECT :scan, address, number FROM found_hosts"
)
_ADD_PORTS = text(
    "INSERT INTO listed (scan, host, port) SELECT :scan, host, port FROM found_ports WHERE true"
    " ON CONFLICT DO NOTHING"
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What one scan will do."""

    ulid: str
    began: int
    """POSIX seconds."""
    tool_version: str
    command: str
    """The words that it was called with."""
    position: Position
    deepest: Rung
    rate: float
    """New connections a second, all workers together."""
    scope_name: str
    scope_note: str | None
    """JSON of ``record_parts.ScopeNote``."""
    scope_digest: bytes
    scope_text: str
    scope_file: str | None
    pins: str
    """JSON: the names of the scope, and the addresses they were pinned to."""
    permutation_key: bytes
    invented_sop_class: str
    hosts: int
    """How many the permutation runs over; 0 if they are listed, until the list is in."""
    endpoints: int
    """How many may be asked."""
    is_listed: bool
    """Whether another tool has found the targets, or they are all of the scope."""
    wanted: tuple[str, ...]
    """The places that it shall be seen from, each of them all of it; none: from anywhere, once."""
    shard_hosts: int
    """How many hosts make a shard. ``begin`` raises it where there would be too many shards."""
    kind: str = "scan"
    """``scan`` or ``import``."""


@dataclass(frozen=True, slots=True)
class StoredScan:
    """A scan as the store has it."""

    id: int
    plan: Plan
    state: State
    ended: int | None
    """POSIX seconds; None while it goes on."""


_BATCH = 10_000
"""Listed targets in one transaction."""

_QUESTION = 1000
"""Numbers in one IN."""

_found_hosts = Table(
    "found_hosts",
    MetaData(),
    Column("address", LargeBinary),
    Column("number", BigInteger),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DELETE ROWS",
)
_found_ports = Table(
    "found_ports",
    MetaData(),
    Column("host", BigInteger),
    Column("port", Integer),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DELETE ROWS",
)

_COLUMNS = tuple(field.name for field in fields(Plan) if field.name != "shard_hosts")


def begin(database: Database, plan: Plan) -> StoredScan:
    """Write ``plan`` down and cut its shards: for each wanted place one pass over all hosts.

    A scan of listed targets is not cut before ``add_listed`` has taken them in.
    """
    state: State = "filling" if plan.is_listed else "open"
    with database.write() as connection:
        values = {**_row(plan), "state": state}
        number = connection.execute(insert(scans).values(values).returning(scans.c.id)).scalar_one()
        size = plan.shard_hosts if plan.is_listed else _cut(connection, number, plan, plan.hosts)
        return _stored(connection, number, size)


def _cut(connection: Connection, scan: int, plan: Plan, hosts: int) -> int:
    """Cut ``hosts`` hosts into the shards of ``scan``; how many hosts a shard has."""
    wanted: Sequence[int | None] = [place_of(connection, name) for name in plan.wanted] or [None]
    size = max(plan.shard_hosts, -(-hosts * len(wanted) // (_MOST_SHARDS - len(wanted) + 1)), 1)
    count = -(-hosts // size)
    for turn, place in enumerate(wanted if count else []):
        piece = {"count": count, "scan": scan, "number": turn * count, "place": place}
        connection.execute(_CUT, {**piece, "size": size, "hosts": hosts})
    return size


def find(database: Database, ulid: str) -> StoredScan:
    """The scan that ``ulid`` names: whole, by at least four characters of its beginning or end, or ``last``.

    ``UsageError`` if there is none, or more than one.
    """
    with database.read() as connection:
        rows = connection.execute(_named(ulid)).scalars().all()
        if len(rows) != 1:
            said = f"more than one scan is called {ulid!r}" if rows else f"there is no scan {ulid!r}"
            raise UsageError(said, where=database.where, then="see `leadglass scan list`")
        return _stored(connection, rows[0])


def _named(ulid: str) -> Any:
    newest = select(scans.c.id).where(scans.c.state != "pruning")
    newest = newest.order_by(scans.c.began.desc(), scans.c.id.desc())
    if ulid == "last":
        return newest.limit(1)
    if not _ULID.fullmatch(ulid.upper()):
        raise UsageError(
            f"{ulid!r} names no scan", then="give four characters or more of its identifier, or last"
        )
    column = scans.c.ulid
    return newest.where(or_(column.startswith(ulid.upper()), column.endswith(ulid.upper()))).limit(2)


def latest(database: Database, state: State, scope_digest: bytes | None = None) -> StoredScan | None:
    """The scan in that ``state`` that began last; with ``scope_digest``, of that scope."""
    query = select(scans.c.id).where(scans.c.state == state, scans.c.kind == "scan")
    if scope_digest is not None:
        query = query.where(scans.c.scope_digest == scope_digest)
    with database.read() as connection:
        newest = connection.execute(query.order_by(scans.c.began.desc(), scans.c.id.desc()).limit(1)).scalar()
        return None if newest is None else _stored(connection, newest)


def open_scans(database: Database, place: str) -> list[StoredScan]:
    """The scans with unfinished shards that a worker at ``place`` may take, oldest first."""
    mine = select(places.c.id).where(places.c.name == place).scalar_subquery()
    unfinished = (
        select(shards.c.number)
        .where(shards.c.scan == scans.c.id, shards.c.state.in_((WAITING, LEASED)))
        .where(or_(shards.c.place.is_(None), shards.c.place == mine))
        .exists()
    )
    query = select(scans.c.id).where(scans.c.state == "open", unfinished).order_by(scans.c.began, scans.c.id)
    with database.read() as connection:
        return [_stored(connection, number) for number in connection.execute(query).scalars().all()]


def complete(database: Database, scan: StoredScan) -> bool:
    """Mark ``scan`` complete if each of its shards is done; whether it is complete now."""
    unfinished = select(shards.c.number).where(shards.c.scan == scan.id, shards.c.state != DONE).exists()
    with database.write() as connection:
        now = int(database.moment(connection))
        ending = update(scans).where(scans.c.id == scan.id, scans.c.state == "open", ~unfinished)
        connection.execute(ending.values(state="complete", ended=now))
        state = connection.execute(select(scans.c.state).where(scans.c.id == scan.id)).scalar()
        return state == "complete"


# ---- targets that another tool found


def add_listed(database: Database, scan: StoredScan, found: Iterable[tuple[str, int]]) -> tuple[int, int]:
    """Take in the targets of ``scan`` that another tool found, each once, and cut its shards.

    ``found`` are canonical addresses and ports, in any order and number. Hosts are numbered from 0 as they
    appear. Returns how many hosts and how many endpoints there are.
    """
    hosts = endpoints = 0
    for batch in _batches(found):
        with database.write() as connection:
            numbers, hosts = _number_hosts(connection, scan.id, batch, hosts)
            pairs = {(numbers[key[:-2]], key[-2] << 8 | key[-1]) for key in batch}
            pour(connection, _found_ports, sorted(pairs))
            endpoints += connection.execute(_ADD_PORTS, {"scan": scan.id}).rowcount
    with database.write() as connection:
        _cut(connection, scan.id, scan.plan, hosts)
        ready = update(scans).where(scans.c.id == scan.id, scans.c.state == "filling")
        connection.execute(ready.values(state="open", hosts=hosts, endpoints=endpoints))
    return hosts, endpoints


def listed_of(
    database: Database, scan: StoredScan, numbers: Sequence[int]
) -> dict[int, tuple[str, tuple[int, ...]]]:
    """Address and ports of each of the listed hosts ``numbers`` of ``scan``; a number that is none is left out."""
    ports: dict[int, list[int]] = {}
    addresses: dict[int, str] = {}
    with database.read() as connection:
        for start in range(0, len(numbers), _QUESTION):
            some = numbers[start : start + _QUESTION]
            named = select(listed_hosts.c.number, listed_hosts.c.address)
            for number, address in connection.execute(
                named.where(listed_hosts.c.scan == scan.id, listed_hosts.c.number.in_(some))
            ):
                addresses[number] = unpack(address + b"\0\0")[0]
            asked = select(listed.c.host, listed.c.port).order_by(listed.c.host, listed.c.port)
            for number, port in connection.execute(
                asked.where(listed.c.scan == scan.id, listed.c.host.in_(some))
            ):
                ports.setdefault(number, []).append(port)
    return {number: (address, tuple(ports.get(number, ()))) for number, address in addresses.items()}


def _batches(found: Iterable[tuple[str, int]]) -> Iterator[list[bytes]]:
    keys = (pack(address, port) for address, port in found)
    while batch := list(itertools.islice(keys, _BATCH)):
        yield batch


def _number_hosts(
    connection: Connection, scan: int, keys: Sequence[bytes], first: int
) -> tuple[dict[bytes, int], int]:
    """The number of each host among ``keys``, where new ones begin with ``first``; and what comes after them."""
    order = list(dict.fromkeys(key[:-2] for key in keys))
    pour(connection, _found_hosts, [(address, None) for address in order])
    rows = connection.execute(_KNOWN_HOSTS, {"scan": scan})
    known: dict[bytes, int] = {address: number for address, number in rows if number is not None}
    new = {
        address: number
        for number, address in enumerate((address for address in order if address not in known), first)
    }
    pour(connection, _found_hosts, list(new.items()))
    connection.execute(_ADD_HOSTS, {"scan": scan})
    return known | new, first + len(new)


# ---- rows


def _row(plan: Plan) -> Mapping[str, object]:
    """The columns of ``plan``."""
    row: dict[str, object] = {name: getattr(plan, name) for name in _COLUMNS}
    # A file's name and the words of a command may hold bytes that are no text.
    texts = {
        name: _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", value)
        for name, value in row.items()
        if type(value) is str
    }
    return {
        **row,
        **texts,
        "position": plan.position.value,
        "deepest": int(plan.deepest),
        "is_listed": int(plan.is_listed),
        "wanted": json.dumps(plan.wanted),
    }


def _stored(connection: Connection, number: int, size: int | None = None) -> StoredScan:
    row = connection.execute(select(scans).where(scans.c.id == number)).mappings().one()
    if size is None:
        size = connection.execute(_size_of(number)).scalar() or 0
    return StoredScan(number, _plan(row, size), row["state"], row["ended"])


def _size_of(scan: int) -> Any:
    """Every shard but the last of a pass has the size that was cut; leftovers are smaller."""
    return select(func.max(shards.c.after - shards.c.first)).where(shards.c.scan == scan)


def _plan(row: RowMapping, size: int) -> Plan:
    wanted: Sequence[str] = json.loads(row["wanted"])
    columns = {
        **{name: row[name] for name in _COLUMNS},
        "position": Position(row["position"]),
        "deepest": Rung(row["deepest"]),
        "is_listed": bool(row["is_listed"]),
        "wanted": tuple(wanted),
    }
    return Plan(shard_hosts=size, **columns)
