"""C-MOVEs that were permitted, for all processes of a guard; and the keys that they share."""

from __future__ import annotations

import json

from sqlalchemy import delete, select, text, update

from leadglass.store.database import Database
from leadglass.store.schema import guard_keys, guard_moves

__all__ = ["keep_move", "kept_move", "shared_key"]

_LOCK = text(
    "INSERT INTO guard_moves (destination, originator, message_id, principal, studies, until)"
    " VALUES (:destination, :originator, :message_id, :principal, '{}', :until)"
    " ON CONFLICT (destination, originator, message_id) DO UPDATE SET"
    " principal = excluded.principal, until = excluded.until"
)
"""First of all the row is ours: another process may be keeping a move with the same numbers."""
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
    """Keep one until ``until`` (POSIX seconds), beside what is in force with the same numbers.

    Clients count their messages from 1 in each association, and have several at the same time.
    """
    row = {
        "destination": destination,
        "originator": originator,
        "message_id": message_id,
        "principal": principal,
        "until": until,
    }
    columns = guard_moves.c
    own = (
        columns.destination == destination,
        columns.originator == originator,
        columns.message_id == message_id,
    )
    with database.write() as connection:
        now = database.moment(connection)
        connection.execute(delete(guard_moves).where(columns.until < now))
        connection.execute(_LOCK, row)
        before = json.loads(connection.execute(select(columns.studies).where(*own)).scalar_one())
        lasting = {uid: end for uid, end in before.items() if end >= now}
        kept = json.dumps(lasting | dict.fromkeys(sorted(studies), until))
        connection.execute(update(guard_moves).where(*own).values(studies=kept))


def kept_move(
    database: Database, destination: str, originator: str, message_id: int
) -> tuple[str, frozenset[str]] | None:
    """Who asked last, and the studies of all that are in force; None if there is none."""
    columns = guard_moves.c
    with database.read() as connection:
        now = database.moment(connection)
        row = connection.execute(
            select(columns.principal, columns.studies).where(
                columns.destination == destination,
                columns.originator == originator,
                columns.message_id == message_id,
                columns.until >= now,
            )
        ).one_or_none()
    if row is None:
        return None
    return row.principal, frozenset(uid for uid, end in json.loads(row.studies).items() if end >= now)


def shared_key(database: Database, name: str, fresh: bytes) -> bytes:
    """The key of this name; ``fresh`` becomes it if there is none."""
    with database.write() as connection:
        connection.execute(_KEEP_KEY, {"name": name, "value": fresh.hex()})
        value: str = connection.execute(
            select(guard_keys.c.value).where(guard_keys.c.name == name)
        ).scalar_one()
    return bytes.fromhex(value)
