"""How far schedules have become orders, and who watches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite

from leadglass.model.order import Order
from leadglass.store.database import Database
from leadglass.store.orders import put, revive
from leadglass.store.schema import watch_marks, watchers

__all__ = ["Watcher", "beat", "gone", "mark_of", "plan", "watchers_of"]

_KEPT = 86_400.0
"""Seconds after which one that fell silent is forgotten."""


@dataclass(frozen=True, slots=True)
class Watcher:
    """Somebody who watches."""

    worker: str
    began: int
    seen_at: float
    """POSIX seconds by the store's clock: when it last said so."""
    silent: float
    """Seconds since then."""


def mark_of(database: Database, schedule: str) -> int | None:
    """Up to when, in POSIX seconds, its moments have become orders; None: it was never planned."""
    query = select(watch_marks.c.planned_to).where(watch_marks.c.schedule == schedule)
    with database.read() as connection:
        return connection.execute(query).scalar()


def plan(database: Database, schedule: str, orders: Sequence[Order], planned_to: int, now: float) -> int:
    """Give ``orders`` and move the mark, all in one; how many of them were new."""
    with database.write() as connection:
        given = sum(put(connection, order) or revive(connection, order, now) for order in orders)
        make = postgresql.insert if database.is_postgres else sqlite.insert
        row = make(watch_marks).values(schedule=schedule, planned_to=planned_to)
        connection.execute(
            row.on_conflict_do_update(index_elements=["schedule"], set_={"planned_to": planned_to})
        )
    return given


def beat(database: Database, worker: str, now: float) -> None:
    """Say that ``worker`` watches."""
    with database.write() as connection:
        moment = database.moment(connection)
        make = postgresql.insert if database.is_postgres else sqlite.insert
        row = make(watchers).values(worker=worker, began=int(now), seen_at=moment)
        connection.execute(row.on_conflict_do_update(index_elements=["worker"], set_={"seen_at": moment}))
        connection.execute(delete(watchers).where(watchers.c.seen_at < moment - _KEPT))


def gone(database: Database, worker: str) -> None:
    """Say that it watches no more."""
    with database.write() as connection:
        connection.execute(delete(watchers).where(watchers.c.worker == worker))


def watchers_of(database: Database) -> Sequence[Watcher]:
    """Those that watch or did a day ago, the latest sign of life first."""
    with database.read() as connection:
        moment = database.moment(connection)
        rows = connection.execute(select(watchers).order_by(watchers.c.seen_at.desc()))
        return [Watcher(row.worker, row.began, row.seen_at, moment - row.seen_at) for row in rows]
