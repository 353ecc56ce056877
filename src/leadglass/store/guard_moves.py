"""C-MOVEs that were permitted, for all processes of a guard; and the keys that they share."""

from __future__ import annotations

import json

from sqlalchemy import delete, select, text

from leadglass.store.database import Database
from leadglass.store.schema import guard_keys, guard_moves

__all__ = ["keep_move", "kept_move", "shared_key"]

_KEEP = text(
    "INSERT INTO guard_moves (destination, originator, message_id, principal, studies, until)"
    " VALUES (:destination, :originator, :message_id, :principal, :studies, :until)"
    " ON CONFLICT (destination, originator, message_id) DO UPDATE SET"
    " principal = excluded.principal, studies = excluded.studies, until = excluded.until"
)
_KEEP_KEY = text("INSERT INTO guard_keys (name, value) VALUES (:name, :value) ON CONFLICT (name) DO NOTHING")


def keep_move(  # noqa: PLR0917  # the columns
    database: Database,
    destination: str,
    originator: str,
    message_id: int,
    principal: str,
    studies: frozenset[str],
    until: float,
) -> None:
    """Keep one until ``until`` (POSIX seconds); it takes the place of one with the same numbers."""
    row = {
        "destination": destination,
        "originator": originator,
        "message_id": message_id,
        "principal": principal,
        "studies": json.dumps(sorted(studies)),
        "until": until,
    }
    with database.write() as connection:
        connection.execute(delete(guard_moves).where(guard_moves.c.until < database.moment(connection)))
        connection.execute(_KEEP, row)


def kept_move(
    database: Database, destination: str, originator: str, message_id: int
) -> tuple[str, frozenset[str]] | None:
    """Who asked for it, and the studies; None if there is none in force."""
    columns = guard_moves.c
    with database.read() as connection:
        row = connection.execute(
            select(columns.principal, columns.studies).where(
                columns.destination == destination,
                columns.originator == originator,
                columns.message_id == message_id,
                columns.until >= database.moment(connection),
            )
        ).one_or_none()
    return None if row is None else (row.principal, frozenset(json.loads(row.studies)))


def shared_key(database: Database, name: str, fresh: bytes) -> bytes:
    """The key of this name; ``fresh`` becomes it if there is none."""
    with database.write() as connection:
        connection.execute(_KEEP_KEY, {"name": name, "value": fresh.hex()})
        value: str = connection.execute(
            select(guard_keys.c.value).where(guard_keys.c.name == name)
        ).scalar_one()
    return bytes.fromhex(value)
