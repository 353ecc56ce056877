"""Notes that people write beside a server, a system of the register or an alert."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, insert, select

from leadglass.store.database import Database
from leadglass.store.schema import notes

__all__ = ["Beside", "Note", "add_note", "notes_beside", "remove_note"]


class Beside(enum.StrEnum):
    """What a note stands beside."""

    SERVER = "server"
    """An address, canonical."""
    SYSTEM = "system"
    """A system of the register, by its name."""
    ALERT = "alert"
    """By its identifier."""


@dataclass(frozen=True, slots=True)
class Note:
    """What somebody wrote."""

    id: str
    """A ULID."""
    kind: Beside
    about: str
    """Up to 200 characters."""
    author: str
    at: int
    """POSIX seconds."""
    text: str


def add_note(database: Database, note: Note) -> None:
    """Keep a note."""
    row = {name: getattr(note, name) for name in Note.__dataclass_fields__}
    with database.write() as connection:
        connection.execute(insert(notes).values(row | {"kind": note.kind.value}))


def notes_beside(database: Database, kind: Beside, about: str) -> Sequence[Note]:
    """The notes beside one thing, oldest first."""
    query = select(notes).where(notes.c.kind == kind.value, notes.c.about == about).order_by(notes.c.id)
    with database.read() as connection:
        return [
            Note(row.id, Beside(row.kind), row.about, row.author, row.at, row.text)
            for row in connection.execute(query)
        ]


def remove_note(database: Database, note: str, author: str | None = None) -> bool:
    """Take a note away, of ``author`` if that is given; whether there was one."""
    which = [notes.c.id == note]
    if author is not None:
        which.append(notes.c.author == author)
    with database.write() as connection:
        return bool(connection.execute(delete(notes).where(*which)).rowcount)
