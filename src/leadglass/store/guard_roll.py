"""Who is enrolled with the guard: devices, services, workstations, and their certificates.

Each change counts ``guard_roll.version`` up in its own transaction, and does so first: the row that
it locks there makes changes follow each other. A guard asks for the version every second, and reads
the roll as a whole when it is another one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, func, insert, select, text, update

from leadglass.errors import UsageError
from leadglass.model.access import Kind
from leadglass.model.enrolment import Enrolled, Roll, User
from leadglass.store.database import Database
from leadglass.store.schema import (
    guard_certificates,
    guard_emergencies,
    guard_entries,
    guard_roll,
    guard_users,
)

__all__ = [
    "Issued",
    "Member",
    "Revoked",
    "add_certificate",
    "bump",
    "enrol",
    "enrolled",
    "keep",
    "listed",
    "members",
    "read_roll",
    "revoke",
    "revoked",
    "roll_version",
]

_BUMP = text(
    "INSERT INTO guard_roll (id, version) VALUES (1, 1)"
    " ON CONFLICT (id) DO UPDATE SET version = guard_roll.version + 1"
)

_LISTS = ("titles", "networks", "roles", "institutions", "modalities", "labels", "users")
"""Columns of an entry that hold JSON lists."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate as the roll knows it; times are POSIX seconds."""

    fingerprint: str
    """SHA-256, hexadecimal."""
    serial: int
    issued_at: int
    not_after: int


@dataclass(frozen=True, slots=True)
class Revoked:
    """A certificate that is valid no more before its time."""

    serial: int
    at: int
    not_after: int


@dataclass(frozen=True, slots=True)
class Member:
    """An entry with its history, for people to look at."""

    entry: Enrolled
    enrolled_at: int
    revoked_at: int | None
    not_after: int | None
    """When the last of its valid certificates ends; None: it has none."""


# ---- read


def roll_version(database: Database) -> int:
    """A number that grows whenever the roll is another one."""
    with database.read() as connection:
        return _version(connection, database.moment(connection))


def read_roll(database: Database) -> Roll:
    """Everybody who is enrolled, with the certificates that are valid at this moment."""
    with database.read() as connection:
        now = database.moment(connection)
        valid = _valid(connection, now)
        return Roll(
            version=_version(connection, now),
            enrolled={
                row["name"]: _entry(row, frozenset(valid.get(row["name"], ())))
                for row in connection.execute(_present()).mappings()
            },
            users={row["name"]: _user(row) for row in connection.execute(select(guard_users)).mappings()},
            revoked=frozenset(connection.execute(_revoked_fingerprints()).scalars()),
            emergencies=_emergencies(connection, now),
        )


def enrolled(database: Database, name: str) -> Enrolled:
    """The entry called ``name``; ``UsageError`` if nobody is enrolled under that."""
    with database.read() as connection:
        return _entry(_known(connection, name), frozenset())


def members(database: Database) -> list[Member]:
    """Everybody who is or was enrolled, by name."""
    with database.read() as connection:
        valid = _valid(connection, database.moment(connection))
        rows = connection.execute(select(guard_entries).order_by(guard_entries.c.name)).mappings()
        return [_member(row, valid.get(row["name"], {})) for row in rows]


def revoked(database: Database) -> list[Revoked]:
    """All revoked certificates, in the order in which that happened."""
    columns = guard_certificates.c
    query = select(columns.serial, columns.revoked_at, columns.not_after)
    query = query.where(columns.revoked_at.is_not(None)).order_by(columns.revoked_at, columns.serial)
    with database.read() as connection:
        return [Revoked(int(serial, 16), at, end) for serial, at, end in connection.execute(query)]


# ---- change


def enrol(database: Database, entry: Enrolled, certificate: Issued | None) -> None:
    """Put ``entry`` on the roll, with its first certificate unless it needs none.

    ``UsageError`` if that name, or one of its AE titles in whatever case, is taken. A name that was
    revoked is free again; its certificates stay revoked.
    """
    with database.write() as connection:
        bump(connection)
        now = int(database.moment(connection))
        _require_free(connection, entry)
        row = {**_row(entry), "enrolled_at": now, "revoked_at": None}
        known = select(guard_entries.c.name).where(guard_entries.c.name == entry.name)
        if connection.execute(known).first() is None:
            connection.execute(insert(guard_entries).values(row))
        else:
            connection.execute(update(guard_entries).where(guard_entries.c.name == entry.name).values(row))
        if certificate is not None:
            _add(connection, entry.name, certificate)
    keep(database)


def add_certificate(database: Database, name: str, certificate: Issued) -> None:
    """One more certificate for ``name``; those it has stay valid. ``UsageError`` as ``enrolled``."""
    with database.write() as connection:
        bump(connection)
        _known(connection, name)
        _add(connection, name, certificate)
    keep(database)


def revoke(database: Database, name: str, reason: str) -> int:
    """Take ``name`` off the roll with all its certificates; how many those were. ``UsageError`` as ``enrolled``."""
    columns = guard_certificates.c
    with database.write() as connection:
        bump(connection)
        _known(connection, name)
        now = int(database.moment(connection))
        connection.execute(update(guard_entries).where(guard_entries.c.name == name).values(revoked_at=now))
        theirs = update(guard_certificates).where(columns.entry == name, columns.revoked_at.is_(None))
        count = connection.execute(theirs.values(revoked_at=now, reason=reason)).rowcount
    keep(database)
    return count


def bump(connection: Connection) -> None:
    """Count one change; others who would change something wait until this transaction is over."""
    connection.execute(_BUMP)


def keep(database: Database) -> None:
    """Have a SQLite file written through to the disk: after a power cut, a revocation must still stand."""
    if not database.is_postgres:
        database.run("PRAGMA wal_checkpoint(PASSIVE)")


def listed(values: Sequence[str]) -> str:
    """A list as a column holds it."""
    return json.dumps(values, ensure_ascii=False)


# ---- rows


def _version(connection: Connection, now: float) -> int:
    """Changes, and certificates past their end: revoked ones too, so that it never goes back."""
    ended = select(func.count()).select_from(guard_certificates).where(guard_certificates.c.not_after <= now)
    changes = connection.execute(select(guard_roll.c.version)).scalar() or 0
    return changes + connection.execute(ended).scalar_one()


def _present() -> Select[Any]:
    return select(guard_entries).where(guard_entries.c.revoked_at.is_(None))


def _revoked_fingerprints() -> Select[Any]:
    columns = guard_certificates.c
    return select(columns.fingerprint).where(columns.revoked_at.is_not(None))


def _valid(connection: Connection, now: float) -> Mapping[str, Mapping[str, int]]:
    """By entry, the certificates that are neither revoked nor past their end, with that."""
    columns = guard_certificates.c
    query = select(columns.entry, columns.fingerprint, columns.not_after)
    found: dict[str, dict[str, int]] = {}
    for entry, fingerprint, end in connection.execute(
        query.where(columns.revoked_at.is_(None), columns.not_after > now)
    ):
        found.setdefault(entry, {})[fingerprint] = end
    return found


def _emergencies(connection: Connection, now: float) -> dict[str, tuple[str, float]]:
    columns = guard_emergencies.c
    query = select(columns.name, columns.reason, columns.until).order_by(columns.id)
    in_force = query.where(columns.ended.is_(None), columns.until > now)
    return {name: (reason, float(until)) for name, reason, until in connection.execute(in_force)}


def _known(connection: Connection, name: str) -> RowMapping:
    row = connection.execute(_present().where(guard_entries.c.name == name)).mappings().first()
    if row is None:
        raise UsageError(f"nobody is enrolled as {name!r}", then="leadglass guard list shows who is")
    return row


def _require_free(connection: Connection, entry: Enrolled) -> None:
    wanted = {title.casefold(): title for title in entry.titles}
    for other, title in _titles(connection):
        if other == entry.name:
            then = f"leadglass guard revoke {entry.name}, or choose another name"
            raise UsageError(f"{entry.name} is enrolled already", then=then)
        if title.casefold() in wanted:
            # Some archives do not tell titles apart by case, so neither may two entries.
            raise UsageError(f"the AE title {title} belongs to {other}", then="give each its own title")


def _titles(connection: Connection) -> Iterator[tuple[str, str]]:
    for row in connection.execute(_present()).mappings():
        for title in json.loads(row["titles"]):
            yield row["name"], title


def _add(connection: Connection, name: str, certificate: Issued) -> None:
    connection.execute(
        insert(guard_certificates).values(
            fingerprint=certificate.fingerprint,
            entry=name,
            serial=f"{certificate.serial:x}",
            issued_at=certificate.issued_at,
            not_after=certificate.not_after,
        )
    )


def _row(entry: Enrolled) -> dict[str, object]:
    return {
        **{column: listed(getattr(entry, column)) for column in _LISTS},
        "name": entry.name,
        "kind": entry.kind.value,
        "address": entry.address,
        "address_tls": int(entry.address_tls),
        "plain": int(entry.plain),
        "until": None if entry.until is None else int(entry.until),
    }


def _entry(row: RowMapping, certificates: frozenset[str]) -> Enrolled:
    lists: dict[str, tuple[str, ...]] = {column: tuple(json.loads(row[column])) for column in _LISTS}
    return Enrolled(
        name=row["name"],
        kind=Kind(row["kind"]),
        address=row["address"],
        address_tls=bool(row["address_tls"]),
        plain=bool(row["plain"]),
        certificates=certificates,
        until=None if row["until"] is None else float(row["until"]),
        **lists,
    )


def _member(row: RowMapping, certificates: Mapping[str, int]) -> Member:
    return Member(
        entry=_entry(row, frozenset(certificates)),
        enrolled_at=row["enrolled_at"],
        revoked_at=row["revoked_at"],
        not_after=max(certificates.values(), default=None),
    )


def _user(row: RowMapping) -> User:
    return User(
        name=row["name"],
        password_hash=row["password_hash"],
        **{
            column: tuple(json.loads(row[column]))
            for column in ("roles", "physician_names", "institutions", "labels")
        },
    )
