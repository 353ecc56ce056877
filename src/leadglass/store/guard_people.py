"""Persons whom the guard knows by passcode, and break-glass: changes to the roll like any other."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Update, delete, insert, select, update

from leadglass.errors import UsageError
from leadglass.model.enrolment import User
from leadglass.store.database import Database
from leadglass.store.guard_roll import bump, keep, listed
from leadglass.store.schema import guard_emergencies, guard_users

__all__ = ["Emergency", "add_user", "begin_emergency", "emergencies", "end_emergency", "remove_user"]


@dataclass(frozen=True, slots=True)
class Emergency:
    """Break-glass, once; times are POSIX seconds."""

    name: str
    reason: str
    began: int
    until: int
    ended: int | None
    """When somebody ended it before its time."""


def add_user(database: Database, user: User) -> None:
    """Put a person on the roll, or replace what is known of the one with that name."""
    row: dict[str, object] = {
        "name": user.name,
        "password_hash": user.password_hash,
        "roles": listed(user.roles),
        "physician_names": listed(user.physician_names),
        "institutions": listed(user.institutions),
        "labels": listed(user.labels),
    }
    with database.write() as connection:
        bump(connection)
        row["added_at"] = int(database.moment(connection))
        connection.execute(delete(guard_users).where(guard_users.c.name == user.name))
        connection.execute(insert(guard_users).values(row))
    keep(database)


def remove_user(database: Database, name: str) -> None:
    """Take a person off the roll; ``UsageError`` if there is nobody of that name."""
    with database.write() as connection:
        bump(connection)
        if not connection.execute(delete(guard_users).where(guard_users.c.name == name)).rowcount:
            raise UsageError(f"there is no user {name!r}", then="leadglass guard list shows who there is")
    keep(database)


def begin_emergency(database: Database, name: str, reason: str, seconds: int) -> Emergency:
    """Let break-glass be in force for the principal called ``name``; one that is in force is replaced."""
    with database.write() as connection:
        bump(connection)
        now = int(database.moment(connection))
        begun = Emergency(name, reason, now, now + seconds, None)
        connection.execute(_end(name, now))
        connection.execute(
            insert(guard_emergencies).values(name=name, reason=reason, began=now, until=begun.until)
        )
    keep(database)
    return begun


def end_emergency(database: Database, name: str) -> None:
    """End break-glass for ``name``; ``UsageError`` if it is not in force."""
    with database.write() as connection:
        bump(connection)
        if not connection.execute(_end(name, int(database.moment(connection)))).rowcount:
            raise UsageError(f"break-glass is not in force for {name!r}")
    keep(database)


def emergencies(database: Database) -> list[Emergency]:
    """Every time that break-glass was begun, latest first."""
    columns = guard_emergencies.c
    query = select(columns.name, columns.reason, columns.began, columns.until, columns.ended)
    with database.read() as connection:
        return [Emergency(*row) for row in connection.execute(query.order_by(columns.id.desc()))]


def _end(name: str, now: int) -> Update:
    columns = guard_emergencies.c
    in_force = update(guard_emergencies).where(
        columns.name == name, columns.ended.is_(None), columns.until > now
    )
    return in_force.values(ended=now)
