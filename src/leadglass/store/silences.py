"""Silences that somebody has entered: each has an owner, a reason and a last day."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import insert, select, update

from leadglass.errors import UsageError
from leadglass.model.alert import AlertKind, Silence
from leadglass.store.database import Database
from leadglass.store.schema import silences

__all__ = ["add", "end", "read"]


def add(database: Database, silence: Silence, now: float) -> None:
    """Keep it."""
    row = {
        "id": silence.id,
        "owner": silence.owner,
        "reason": silence.reason,
        "until": silence.until.isoformat(),
        "kinds": json.dumps(silence.kinds),
        "address": silence.address,
        "port": silence.port,
        "system": silence.system,
        "risk": silence.risk,
        "added_at": int(now),
        "ended_by": "",
    }
    with database.write() as connection:
        connection.execute(insert(silences).values(row))


def end(database: Database, identifier: str, by: str, now: float) -> Silence:
    """End it before its day; the silence. ``UsageError`` if there is none, or it was ended already."""
    theirs = silences.c.id == identifier, silences.c.ended_at.is_(None)
    with database.write() as connection:
        row = connection.execute(select(silences).where(*theirs)).first()
        if row is None:
            raise UsageError(
                f"there is no silence {identifier!r}",
                where=database.where,
                then="leadglass watch silence list names them",
            )
        connection.execute(update(silences).where(*theirs).values(ended_at=int(now), ended_by=by))
    return _silence(row)


def read(database: Database) -> Sequence[Silence]:
    """Those that nobody has ended, also those whose last day has gone by; oldest first."""
    query = select(silences).where(silences.c.ended_at.is_(None)).order_by(silences.c.id)
    with database.read() as connection:
        return [_silence(row) for row in connection.execute(query)]


def _silence(row: Any) -> Silence:
    return Silence(
        id=row.id,
        owner=row.owner,
        reason=row.reason,
        until=dt.date.fromisoformat(row.until),
        kinds=tuple(AlertKind(kind) for kind in json.loads(row.kinds)),
        address=row.address,
        port=row.port,
        system=row.system,
        risk=row.risk,
    )
