"""The first screen, the list of scans and the trend: little to read, whatever there is."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from sqlalchemy import BigInteger, ColumnElement, Connection, case, func, literal, select, tuple_

from leadglass.model.key import pack
from leadglass.model.verdict import Position
from leadglass.store import cursors
from leadglass.store.current import summary_of
from leadglass.store.cursors import Cursor
from leadglass.store.database import Database
from leadglass.store.reading import AnyRow, AnySelect, read_tally
from leadglass.store.scans import DONE
from leadglass.store.schema import places, scans, shards, verdicts
from leadglass.store.schema_current import current_endpoints, current_servers
from leadglass.store.server_rows import EXPOSED, Count, Overview, Page, ScanRow, ServerRow, Todo
from leadglass.store.servers import server_row
from leadglass.store.urgency import urgency_below
from leadglass.store.work import asked_by, share_of

__all__ = ["overview", "positions", "scan_row", "scans_page", "trend"]

_WORST = 10
_TODO = 3
_UNFINISHED = 20
_TREND = 100
_QUESTION = cursors.digest_of("scans")


def overview(database: Database) -> Overview:
    """Whether anything is exposed, since when, and what to do first; as of the last ``current.refresh``."""
    with database.read() as connection:
        summary = summary_of(connection)
        ended = _scans(database, connection, scans.c.state == "complete", 1)
        unfinished = _scans(database, connection, scans.c.state == "open", _UNFINISHED)
        worst = _worst(connection)
        todo = _todo(connection, worst)
    severity = summary.severity() if summary else {}
    return Overview(
        as_of=summary.as_of if summary else None,
        servers=summary.servers if summary else 0,
        severity=severity,
        access=summary.access() if summary else {},
        exposed=sum(number for word, number in severity.items() if word.rank <= EXPOSED.rank),
        since=summary.since if summary else None,
        worst=tuple(worst),
        todo=tuple(todo),
        last=ended[0] if ended else None,
        unfinished=tuple(unfinished),
    )


def scans_page(database: Database, cursor: str | None = None, limit: int = 50) -> Page[ScanRow]:
    """Scans, the latest first; ``UsageError`` for a cursor that is none."""
    begin = None if cursor is None else cursors.read(cursor, _QUESTION, (int, int))
    backwards = begin is not None and begin.backwards
    with database.read() as connection:
        found = _scans(database, connection, _beyond(begin), limit + 1, upwards=backwards)
        number = connection.execute(select(func.count()).select_from(scans).where(_SHOWN)).scalar_one()
        has_more = len(found) > limit
        rows = found[:limit][::-1] if backwards else found[:limit]
        ends = _keys(connection, [row.ulid for row in (rows[:1] + rows[-1:])])
    return Page(
        tuple(rows),
        Count(number, is_exact=True),
        _at(ends[-1], back=False) if rows and (has_more or backwards) else None,
        _at(ends[0], back=True) if rows and (has_more if backwards else begin is not None) else None,
    )


def scan_row(database: Database, ulid: str) -> ScanRow | None:
    """The scan that is called so, in full; None if there is none."""
    with database.read() as connection:
        found = _scans(database, connection, scans.c.ulid == ulid, 1)
    return found[0] if found else None


def positions(database: Database, latest: int) -> frozenset[Position]:
    """From where the ``latest`` scans looked."""
    query = select(scans.c.position).where(_SHOWN).order_by(scans.c.began.desc(), scans.c.id.desc())
    with database.read() as connection:
        return frozenset(map(Position, connection.execute(query.limit(latest)).scalars()))


def trend(database: Database, scope: str | None = None) -> tuple[ScanRow, ...]:
    """The latest scans that are complete (of ``scope``, if it is named), the oldest first."""
    with database.read() as connection:
        complete = scans.c.state == "complete"
        of = complete if scope is None else complete & (scans.c.scope_name == scope)
        return tuple(reversed(_scans(database, connection, of, _TREND)))


# ---- scans

_SHOWN = scans.c.state.in_(("open", "complete"))


def _beyond(begin: Cursor | None) -> ColumnElement[bool]:
    if begin is None:
        return _SHOWN
    key = tuple_(scans.c.began, scans.c.id)
    bound = tuple_(*(literal(part, BigInteger()) for part in begin.key))
    return _SHOWN & (key > bound if begin.backwards else key < bound)


def _at(key: tuple[int, int], *, back: bool) -> str:
    return cursors.written(Cursor(key, back), _QUESTION)


def _keys(connection: Connection, ulids: Sequence[str]) -> list[tuple[int, int]]:
    rows = connection.execute(select(scans.c.ulid, scans.c.began, scans.c.id).where(scans.c.ulid.in_(ulids)))
    keys = {row.ulid: (row.began, row.id) for row in rows}
    return [keys[ulid] for ulid in ulids]


def _scans(
    database: Database,
    connection: Connection,
    which: ColumnElement[bool],
    limit: int,
    *,
    upwards: bool = False,
) -> list[ScanRow]:
    order = (scans.c.began, scans.c.id) if upwards else (scans.c.began.desc(), scans.c.id.desc())
    rows = connection.execute(select(scans).where(which, _SHOWN).order_by(*order).limit(limit)).all()
    ids = [row.id for row in rows]
    done: dict[int, dict[str, _Part]] = {number: {} for number in ids}
    for row in connection.execute(_progress(ids, database.moment(connection))):
        done[row.scan][row.name or ""] = (row.number, row.done, int(row.asked))
    return [_scan(row, done[row.id]) for row in rows]


_Part: TypeAlias = tuple[int, int, int]
"""Of a scan: shards, how many of them are done, endpoints that were asked."""


def _progress(ids: Sequence[int], now: float) -> AnySelect:
    """Of each scan and each place that has done something: how far it is."""
    is_done = case((shards.c.state == DONE, 1), else_=0)
    return (
        select(
            shards.c.scan,
            places.c.name,
            func.count().label("number"),
            func.sum(is_done).label("done"),
            func.sum(asked_by(now)).label("asked"),
        )
        .outerjoin(places, places.c.id == shards.c.done_from)
        .where(shards.c.scan.in_(ids))
        .group_by(shards.c.scan, places.c.name)
    )


def _scan(row: AnyRow, shards_of: Mapping[str, _Part]) -> ScanRow:
    asked = sum(asked for *_, asked in shards_of.values())
    passes = max(1, len(json.loads(row.wanted)))
    return ScanRow(
        ulid=row.ulid,
        kind=row.kind,
        state=row.state,
        began=row.began,
        ended=row.ended,
        scope=row.scope_name,
        places=tuple(sorted(name for name, (_, done, _) in shards_of.items() if done)),
        shards=sum(number for number, *_ in shards_of.values()),
        shards_done=sum(done for _, done, _ in shards_of.values()),
        endpoints=row.endpoints,
        progress=1.0 if row.state == "complete" else share_of(asked, row.endpoints * passes),
        tally=None if row.tally is None else read_tally(row.tally),
    )


# ---- what to do first


def _worst(connection: Connection) -> list[ServerRow]:
    server = current_servers.c
    query = select(current_servers).where(server.urgency < urgency_below(EXPOSED))
    query = query.order_by(server.urgency, server.family, server.address).limit(_WORST)
    return [server_row(row) for row in connection.execute(query)]


def _todo(connection: Connection, worst: Sequence[ServerRow]) -> list[Todo]:
    """The first advice for each of the worst, each advice once."""
    found: dict[str, Todo] = {}
    for server in worst:
        advice = _advice(connection, server)
        if advice is not None:
            found.setdefault(advice, Todo(server, advice))
    return list(found.values())[:_TODO]


def _advice(connection: Connection, server: ServerRow) -> str | None:
    address = pack(server.address, 0)[:-2]
    here = current_endpoints.c
    query = (
        select(verdicts.c.body)
        .join(current_endpoints, here.verdict == verdicts.c.id)
        .where(here.family == (4 if len(address) == 4 else 6), here.address == address)
        .order_by(here.urgency, here.port, here.place)
        .limit(1)
    )
    advice = json.loads(connection.execute(query).scalar() or "{}").get("advice", [])
    return str(advice[0]) if advice else None
