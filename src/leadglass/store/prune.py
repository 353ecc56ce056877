"""Forgets what is older than its user wants to keep: the store is a list of targets.

In transactions of bounded size, so that scans go on beside it; what was begun and interrupted is
finished by the next call. Deleted rows are overwritten, and a SQLite file gives its space back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Select,
    Table,
    delete,
    func,
    or_,
    select,
    text,
    true,
    update,
)

from leadglass.store.database import Database
from leadglass.store.schema import endpoints, listed, listed_hosts, observations, scans, shards, shares
from leadglass.store.schema_current import (
    current_changes,
    current_endpoints,
    current_marks,
    current_servers,
    current_summary,
)
from leadglass.store.sightings import PRUNING

__all__ = ["Pruned", "prune"]

_BATCH = 20_000
"""Rows in one transaction."""

_PAGES = 2000
"""Pages of a SQLite file given back in one transaction."""

_ORPHANS = (
    # SQLite gives the numbers of what is gone to others.
    """
    DELETE FROM current_facts WHERE verdict IN (
        SELECT verdict FROM current_facts EXCEPT SELECT verdict FROM observations
        EXCEPT SELECT changed_from FROM observations WHERE changed_from IS NOT NULL
        EXCEPT SELECT verdict FROM endpoints
    )
    """,
    """
    DELETE FROM verdicts WHERE id IN (
        SELECT id FROM verdicts EXCEPT SELECT verdict FROM observations
        EXCEPT SELECT changed_from FROM observations WHERE changed_from IS NOT NULL
        EXCEPT SELECT verdict FROM endpoints
    )
    """,
    "DELETE FROM evidence WHERE id IN (SELECT id FROM evidence EXCEPT SELECT evidence FROM verdicts)",
    "DELETE FROM vantages WHERE id IN (SELECT id FROM vantages EXCEPT SELECT vantage FROM observations)",
)


@dataclass(frozen=True, slots=True)
class Pruned:
    """How much went away, or would."""

    scans: int
    observations: int
    endpoints: int


def prune(database: Database, before: int, *, dry: bool = False) -> Pruned:
    """Forget the scans that ended before ``before`` (POSIX seconds), and what only they refer to.

    A scan that never ended counts by its last finished shard, or by its beginning; one that somebody works
    at stays. ``dry``: only count.
    """
    with database.read() as connection:
        doomed = connection.execute(_old(before, database.moment(connection))).scalars().all()
        # Only these, of those that stay, may hold what is older than they are themselves.
        straddling = (scans.c.began < before) | (scans.c.kind == "import")
        staying = select(scans.c.id).where(straddling, scans.c.id.not_in(doomed))
        unseen = _is_unseen(before, connection.execute(staying).scalars().all())
        if dry:
            theirs = observations.c.scan.in_(doomed)
            gone = _count(connection, observations, theirs)
            return Pruned(len(doomed), gone, _count(connection, endpoints, unseen))
    gone = sum(_forget(database, scan) for scan in doomed)
    swept = _sweep(database, endpoints, endpoints.c.endpoint, unseen)
    if doomed or swept:
        _forget_current(database, before)
    _orphans(database)
    if not database.is_postgres:
        _shrink(database)
    return Pruned(len(doomed), gone, swept)


# ---- which


def _old(before: int, now: float) -> Select[int]:
    last = select(func.max(shards.c.done_at)).where(shards.c.scan == scans.c.id).scalar_subquery()
    until = func.coalesce(scans.c.ended, last, scans.c.began)
    live = select(shares.c.worker).where(shares.c.scan == scans.c.id, shares.c.lease_until >= now).exists()
    leased = select(shards.c.number).where(shards.c.scan == scans.c.id, shards.c.lease_until >= now).exists()
    unfinished = scans.c.state == "pruning"
    return select(scans.c.id).where(or_(unfinished, (until < before) & ~live & ~leased)).order_by(scans.c.id)


def _is_unseen(before: int, staying: Sequence[int]) -> ColumnElement[bool]:
    """Endpoints that nobody has seen since ``before``, and that no scan of ``staying`` has looked at."""
    still = (
        select(observations.c.endpoint)
        .where(observations.c.scan.in_(staying))
        .where(observations.c.endpoint == endpoints.c.endpoint, observations.c.place == endpoints.c.place)
        .exists()
    )
    return (endpoints.c.last_seen < before) & ~still


def _count(connection: Connection, table: Table, which: ColumnElement[bool]) -> int:
    return int(connection.execute(select(func.count()).select_from(table).where(which)).scalar_one())


# ---- away with them


def _forget(database: Database, scan: int) -> int:
    """Remove ``scan`` with all that is its own; how many observations that were."""
    with database.write() as connection:
        connection.execute(update(scans).where(scans.c.id == scan).values(state="pruning"))
        connection.execute(delete(shares).where(shares.c.scan == scan))
        connection.execute(delete(shards).where(shards.c.scan == scan))
        connection.execute(delete(current_changes).where(current_changes.c.scan == scan))
    count = _sweep(database, observations, observations.c.endpoint, observations.c.scan == scan)
    _sweep(database, listed, listed.c.host, listed.c.scan == scan)
    _sweep(database, listed_hosts, listed_hosts.c.address, listed_hosts.c.scan == scan)
    with database.write() as connection:
        connection.execute(delete(scans).where(scans.c.id == scan))
    return count


def _forget_current(database: Database, before: int) -> None:
    """Remove what pages would still show. ``current.refresh`` puts back what of it stays."""
    for table in (current_endpoints, current_servers):
        _sweep(database, table, table.c.address, table.c.last_seen < before)
    with database.write() as connection:
        for table in (current_marks, current_summary):
            connection.execute(delete(table))


def _sweep(database: Database, table: Table, key: Column[Any], which: ColumnElement[bool]) -> int:
    """Delete the rows ``which`` of ``table`` in the order of its ``key``, batch by batch; how many there were."""
    count = 0
    rest: ColumnElement[bool] = true()
    while True:
        with database.write() as connection:
            last = select(key).where(which, rest).order_by(key).limit(1)
            end = connection.execute(last.offset(_BATCH - 1)).scalar()
            batch = delete(table).where(which, rest)
            count += connection.execute(batch if end is None else batch.where(key <= end)).rowcount
        if end is None:
            return count
        rest = key > end


def _orphans(database: Database) -> None:
    """Remove verdicts, evidence and vantages that nothing points to. Writers wait for it."""
    with database.write() as connection:
        if database.is_postgres:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": PRUNING})
        for statement in _ORPHANS:
            connection.execute(text(statement))


def _shrink(database: Database) -> None:
    """Give free pages back step by step: a VACUUM would need as much disk again, and hold everybody up."""
    free = database.run("PRAGMA freelist_count")[0][0]
    left = free + 1
    while 0 < free < left:  # a file that was made otherwise keeps them
        left = free
        free = database.run(f"PRAGMA incremental_vacuum({_PAGES})", "PRAGMA freelist_count")[0][0]
    database.run("PRAGMA wal_checkpoint(TRUNCATE)")
