"""Orders to scan: given once, taken by one, ended once, whoever dies in between.

Whoever takes an order holds it under a lease that it renews; a lease that ran out lets another one go on
with it. One order of a scope is carried out at a time: two scans side by side would keep to its limits each,
and together not, and would be held against the same scan before them. What ends an order and what is alerted
because of it is one transaction (``finish``, ``miss``).
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, exists, or_, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from leadglass.errors import UsageError
from leadglass.model.order import Order, OrderState, Why
from leadglass.store.alerts import News, publish
from leadglass.store.database import Database
from leadglass.store.schema import orders

__all__ = [
    "Held",
    "find",
    "finish",
    "give",
    "give_back",
    "last",
    "latest",
    "miss",
    "note_scan",
    "overdue",
    "put",
    "put_off",
    "release_all",
    "renew",
    "revive",
    "take",
    "waiting",
]

_ENDED = tuple(
    state.value for state in (OrderState.DONE, OrderState.FAILED, OrderState.MISSED, OrderState.DROPPED)
)


@dataclass(frozen=True, slots=True)
class Held:
    """An order that is ours to run."""

    order: Order
    token: str
    """What proves that it is ours."""
    is_taken_over: bool
    """Somebody had begun it before."""


_TAKING = 0x1EAD61A57
"""PostgreSQL's advisory lock: one takes at a time."""


# ---- giving


def give(database: Database, order: Order) -> bool:
    """Write it down; False if its schedule has one for that moment already, whoever gave it."""
    with database.write() as connection:
        return put(connection, order)


def put(connection: Connection, order: Order) -> bool:
    """``give``, in a transaction that is open."""
    # On PostgreSQL, two that give at the same time have both seen nothing so far.
    inserting = (
        postgresql.insert(orders) if connection.dialect.name == "postgresql" else sqlite.insert(orders)
    )
    giving = inserting.values(_row(order)).on_conflict_do_nothing().returning(orders.c.id)
    return connection.execute(giving).first() is not None


# ---- taking


def take(database: Database, worker: str, now: float, token: str, lease: float) -> Held | None:
    """The order that is due longest, for ``lease`` seconds; None if none is, or all are of scopes being scanned.

    ``now`` is POSIX time as whoever watches has it; leases go by the store's clock. An order whose holder has
    fallen silent is taken over, however late it is.
    """
    with database.write() as connection:
        if database.is_postgres:  # two that take at the same time would each see a scope that is free
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _TAKING})
        moment = database.moment(connection)
        fresh = and_(
            orders.c.state == OrderState.WAITING.value, orders.c.due_at <= now, orders.c.until >= now
        )
        orphaned = and_(orders.c.state == OrderState.RUNNING.value, orders.c.lease_until < moment)
        query = select(orders).where(or_(fresh, orphaned), ~_being_scanned(moment))
        first = query.order_by(orders.c.due_at, orders.c.id).limit(1)
        row = connection.execute(first.with_for_update(skip_locked=True)).first()
        if row is None:
            return None
        taken_over = row.state == OrderState.RUNNING.value
        held = {"token": token, "worker": worker, "lease_until": moment + lease}
        began = row.began_at if taken_over else int(now)
        connection.execute(
            update(orders)
            .where(orders.c.id == row.id)
            .values(state=OrderState.RUNNING.value, began_at=began, **held)
        )
    order = dataclasses.replace(_order(row), state=OrderState.RUNNING, began_at=began)
    return Held(order, token, taken_over)


def renew(database: Database, held: Held, lease: float) -> bool:
    """Hold it for ``lease`` seconds from now; False if it is somebody else's meanwhile."""
    with database.write() as connection:
        until = database.moment(connection) + lease
        return connection.execute(update(orders).where(_ours(held)).values(lease_until=until)).rowcount == 1


def note_scan(database: Database, held: Held, scan: str) -> bool:
    """Write down which scan it became; False if it is somebody else's meanwhile."""
    with database.write() as connection:
        return connection.execute(update(orders).where(_ours(held)).values(scan=scan)).rowcount == 1


def give_back(database: Database, held: Held) -> None:
    """Let somebody else go on with it at once."""
    with database.write() as connection:
        connection.execute(update(orders).where(_ours(held)).values(lease_until=0.0))


def put_off(database: Database, held: Held, due_at: float) -> bool:
    """Let it wait until ``due_at``, as if nobody had begun it; False if it is somebody else's meanwhile."""
    waits = {"state": OrderState.WAITING.value, "due_at": int(due_at), "token": None, "lease_until": None}
    with database.write() as connection:
        return connection.execute(update(orders).where(_ours(held)).values(waits)).rowcount == 1


def revive(connection: Connection, order: Order, now: float) -> bool:
    """Let the order for the same moment wait again if it was missed in what is the future now: a clock was wrong."""
    theirs = orders.c.schedule == order.schedule, orders.c.moment == order.moment
    wrong = and_(*theirs, orders.c.state == OrderState.MISSED.value, orders.c.ended_at > now)
    waits = {"state": OrderState.WAITING.value, "ended_at": None, "trouble": ""}
    times = {"due_at": order.due_at, "until": order.until}
    return connection.execute(update(orders).where(wrong).values(waits | times)).rowcount == 1


def release_all(database: Database) -> None:
    """Let go of everything that is held: for whoever knows that he is the only one here."""
    running = orders.c.state == OrderState.RUNNING.value
    with database.write() as connection:
        connection.execute(update(orders).where(running).values(lease_until=0.0))


# ---- ending


def finish(
    database: Database,
    held: Held,
    state: OrderState,
    now: float,
    *,
    trouble: str = "",
    news: News | None = None,
) -> bool:
    """End it, with all that follows from it: alerts, and orders to look again. False if it is not ours any more."""
    with database.write() as connection:
        ended = {"state": state.value, "ended_at": int(now), "trouble": trouble, "lease_until": None}
        is_ours = connection.execute(update(orders).where(_ours(held)).values(ended)).rowcount == 1
        if is_ours and news is not None:
            _publish(connection, news)
    return is_ours


def overdue(database: Database, now: float) -> Sequence[Order]:
    """Those that nobody has begun in time, oldest first."""
    query = select(orders).where(_late(now)).order_by(orders.c.due_at, orders.c.id).limit(1000)
    with database.read() as connection:
        return [_order(row) for row in connection.execute(query)]


def miss(database: Database, order: Order, now: float, trouble: str, news: News) -> bool:
    """Write down that nobody began it, with what follows from that; False if somebody has begun or missed it."""
    with database.write() as connection:
        ended = {"state": OrderState.MISSED.value, "ended_at": int(now), "trouble": trouble}
        is_late = and_(_late(now), orders.c.id == order.id)
        has_missed = connection.execute(update(orders).where(is_late).values(ended)).rowcount == 1
        if has_missed:
            _publish(connection, news)
    return has_missed


# ---- looking


def waiting(database: Database) -> Sequence[Order]:
    """Those that wait or run, the next one first."""
    query = select(orders).where(orders.c.state.not_in(_ENDED)).order_by(orders.c.due_at, orders.c.id)
    with database.read() as connection:
        return [_order(row) for row in connection.execute(query)]


def latest(database: Database, most: int = 50, schedule: str | None = None) -> Sequence[Order]:
    """The last ``most`` that were given, the latest first; those of one schedule only, if it is named."""
    query = select(orders).order_by(orders.c.due_at.desc(), orders.c.id.desc()).limit(most)
    with database.read() as connection:
        chosen = query if schedule is None else query.where(orders.c.schedule == schedule)
        return [_order(row) for row in connection.execute(chosen)]


def last(database: Database, schedule: str, scope_file: str) -> Order | None:
    """The last order for all of a scope that was done for ``schedule``."""
    query = (
        select(orders)
        .where(orders.c.schedule == schedule, orders.c.scope_file == scope_file, orders.c.ports == "[]")
        .where(orders.c.state == OrderState.DONE.value, orders.c.scan.is_not(None))
        .order_by(orders.c.ended_at.desc(), orders.c.id.desc())
    )
    with database.read() as connection:
        row = connection.execute(query.limit(1)).first()
    return None if row is None else _order(row)


def narrow_since(database: Database, whole: Order) -> Sequence[Order]:
    """The orders for some endpoints alone that were done for the schedule of ``whole`` since that was, oldest first."""
    query = (
        select(orders)
        .where(orders.c.schedule == whole.schedule, orders.c.scope_file == whole.scope_file)
        .where(orders.c.ports != "[]", orders.c.ended_at >= whole.ended_at)
        .where(orders.c.state == OrderState.DONE.value, orders.c.scan.is_not(None))
        .order_by(orders.c.ended_at, orders.c.id)
    )
    with database.read() as connection:
        return [_order(row) for row in connection.execute(query)]


def find(database: Database, identifier: str) -> Order:
    """The order called so; ``UsageError`` if there is none."""
    with database.read() as connection:
        row = connection.execute(select(orders).where(orders.c.id == identifier)).first()
    if row is None:
        raise UsageError(f"there is no order {identifier!r}", where=database.where)
    return _order(row)


# ---- rows


def _publish(connection: Connection, news: News) -> None:
    publish(connection, news)
    for order in news.orders:
        put(connection, order)


def _ours(held: Held) -> ColumnElement[bool]:
    is_running = orders.c.state == OrderState.RUNNING.value
    return and_(orders.c.id == held.order.id, orders.c.token == held.token, is_running)


def _being_scanned(moment: float) -> ColumnElement[bool]:
    """Whether somebody holds an order of the same scope."""
    other = orders.alias("other").c
    held = and_(other.state == OrderState.RUNNING.value, other.lease_until >= moment)
    return exists().where(held, other.scope_file == orders.c.scope_file)


def _late(now: float) -> ColumnElement[bool]:
    return and_(orders.c.state == OrderState.WAITING.value, orders.c.until < now)


def _row(order: Order) -> dict[str, Any]:
    names = (field.name for field in dataclasses.fields(order))
    return {
        **{name: getattr(order, name) for name in names},
        "why": order.why.value,
        "state": order.state.value,
        "ports": json.dumps(order.ports),
    }


def _order(row: Any) -> Order:
    values = {field.name: getattr(row, field.name) for field in dataclasses.fields(Order)}
    ports = tuple((address, port) for address, port in json.loads(row.ports))
    return Order(**{**values, "why": Why(row.why), "state": OrderState(row.state), "ports": ports})
