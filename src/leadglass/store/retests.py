"""Second looks that nobody needs any more: what they were to decide has been decided."""

from __future__ import annotations

import json

from sqlalchemy import Connection, select, update

from leadglass.model.alert import OPENINGS
from leadglass.model.key import pack
from leadglass.model.order import OrderState, Why
from leadglass.store.schema import alerts, orders

__all__ = ["drop_needless"]

_DECIDED = "the alert that it was for has been closed"


def drop_needless(connection: Connection, schedule: str, now: int) -> None:
    """Take back the second looks of ``schedule`` that wait, as far as no alert is open there any more.

    One that a person asked for stays, and so does one that somebody has begun.
    """
    columns = orders.c
    waits = columns.state == OrderState.WAITING.value
    ours = waits & (columns.schedule == schedule) & (columns.why == Why.RETEST.value)
    waiting = connection.execute(select(columns.id, columns.ports).where(ours, columns.asked_by == "")).all()
    needed = _open_spots(connection, schedule) if waiting else frozenset()
    for row in waiting:
        wanted = [tuple(spot) for spot in json.loads(row.ports)]
        left = [spot for spot in wanted if pack(*spot) in needed]
        if left != wanted:
            changed = {"ports": json.dumps(left)} if left else _dropped(now)
            connection.execute(update(orders).where(columns.id == row.id, waits).values(changed))


def _open_spots(connection: Connection, schedule: str) -> frozenset[bytes]:
    columns, kinds = alerts.c, [kind.value for kind in OPENINGS]
    query = select(columns.endpoint).where(columns.open_key.is_not(None), columns.schedule == schedule)
    rows = connection.execute(query.where(columns.kind.in_(kinds), columns.endpoint.is_not(None)))
    return frozenset(bytes(row.endpoint) for row in rows)


def _dropped(now: int) -> dict[str, object]:
    return {"state": OrderState.DROPPED.value, "ended_at": now, "trouble": _DECIDED}
