"""The register: a chain of entries that is only appended to, and what the entries come to.

An entry says what one thing is from now on, or that it is gone; the latest entry of each thing counts. So
the state is a fold over the chain, kept beside it in the same transaction and made anew whenever somebody wants.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import Connection, delete, insert, select, text, update

from leadglass.errors import ConfigError, ResourceError
from leadglass.ledger.canonical import Json, canonical
from leadglass.ledger.chain import GENESIS, Chain, Entry, Head, read_entry
from leadglass.store.database import Database
from leadglass.store.guard_roll import keep
from leadglass.store.reading import streamed
from leadglass.store.schema import register_entries, register_head, register_state

__all__ = [
    "Change",
    "State",
    "entries_after",
    "fold",
    "head_of",
    "history",
    "lines_of",
    "read_state",
    "rebuild",
    "write_down",
]

Key: TypeAlias = tuple[str, str]
State: TypeAlias = Mapping[Key, Mapping[str, Any]]
"""By kind and name, what a thing is."""

_HOLD = text(
    "INSERT INTO register_head (id, n, digest) VALUES (1, 0, :genesis)"
    " ON CONFLICT (id) DO UPDATE SET n = register_head.n"
).bindparams(genesis=GENESIS.digest)
"""Holds the row of the head, so that entries follow one another whoever writes them."""

_MEMBERS = frozenset({"by", "name", "now", "what", "why"})
_MOST = 500
"""Rows in one statement."""


@dataclass(frozen=True, slots=True)
class Change:
    """What one thing is from now on."""

    what: str
    """Its kind, up to 8 characters."""
    name: str
    """Up to 200 characters; unique among its kind."""
    now: Mapping[str, Json] | None
    """None: it is gone."""
    why: str = ""
    """Where it comes from, in one line."""

    @property
    def key(self) -> Key:
        """Kind and name."""
        return self.what, self.name


# ---- change


def write_down(database: Database, by: str, changes: Sequence[Change], *, after: Head | None = None) -> Head:
    """Append ``changes`` in their order, one entry each, all or none; where the chain stands then.

    ``by`` is who made them; the moment is the database's. ``after`` is where the chain stood when they were thought
    out: ``ResourceError`` if somebody has written since, whose change they might undo. ``LocalProtocolError`` for
    what has no place in a ledger.
    """
    with database.write() as connection:
        connection.execute(_HOLD)
        chain = Chain(_head(connection))
        if after is not None and after != chain.head:
            raise ResourceError(
                "somebody else changed the register meanwhile", where=database.where, then="call again"
            )
        at = dt.datetime.fromtimestamp(database.moment(connection), dt.UTC)
        rows = [
            {"n": chain.head.n, "line": line.decode().removesuffix("\n")}
            for line in (chain.append(_body(by, change), at) for change in changes)
        ]
        if rows:
            connection.execute(insert(register_entries), rows)
            connection.execute(update(register_head).values(n=chain.head.n, digest=chain.head.digest))
            _put(connection, {change.key: change.now for change in changes})
    keep(database)
    return chain.head


def rebuild(database: Database) -> None:
    """Make the state anew from the entries; ``ConfigError`` if one of them cannot be read."""
    with database.write() as connection:
        connection.execute(_HOLD)
        rows = connection.execute(select(register_entries.c.line).order_by(register_entries.c.n)).scalars()
        state = fold(f"{line}\n".encode() for line in rows)
        connection.execute(delete(register_state))
        _put(connection, state)
    keep(database)


# ---- read


def read_state(database: Database) -> State:
    """What the entries come to, as it is kept."""
    columns = register_state.c
    with database.read() as connection:
        query = select(columns.what, columns.name, columns.body)
        return {(what, name): _parsed(body, database) for what, name, body in connection.execute(query)}


def head_of(database: Database) -> Head:
    """Where the chain stands, as it is kept beside it."""
    with database.read() as connection:
        return _head(connection)


def lines_of(database: Database) -> Iterator[bytes]:
    """The entries as ``ledger.verify`` reads them, a page in memory."""
    query = select(register_entries.c.line).order_by(register_entries.c.n)
    with database.read() as connection:
        for page in streamed(connection, query):
            yield from (f"{row.line}\n".encode() for row in page)


def history(database: Database, *keys: Key) -> Iterator[Entry]:
    """The entries about ``keys`` in their order; of all, if none is named. Reads the whole chain."""
    named = {b'"name":' + canonical(name) for _, name in keys} or {b""}
    for line in lines_of(database):
        # Most lines are of something else, and to read one takes far longer than to look for a name in it.
        entry = read_entry(line) if any(name in line for name in named) else None
        if entry is not None:
            body = entry.body
            if not keys or (body.get("what"), body.get("name")) in keys:
                yield entry


def entries_after(database: Database, head: Head) -> Sequence[Entry] | None:
    """The entries since the chain stood at ``head``, in their order; None: it never stood there."""
    columns = register_entries.c
    query = select(columns.line).where(columns.n >= head.n).order_by(columns.n)
    with database.read() as connection:
        lines = connection.execute(query).scalars().all()
    found = [entry for line in lines if (entry := read_entry(f"{line}\n".encode())) is not None]
    return found[1:] if found and found[0].head == head else None


def fold(lines: Iterable[bytes]) -> State:
    """What entries come to; ``ConfigError`` if one of them cannot be read."""
    state: dict[Key, Mapping[str, Any]] = {}
    for number, line in enumerate(lines, 1):
        entry = read_entry(line)
        body = {} if entry is None else entry.body
        if not body.keys() >= _MEMBERS:
            raise ConfigError(f"entry {number} is not as it was written", then="leadglass register verify")
        key = body["what"], body["name"]
        state.pop(key, None)
        if body["now"] is not None:
            state[key] = body["now"]
    return state


# ---- rows


def _parsed(body: str, database: Database) -> Mapping[str, Any]:
    try:
        found: Mapping[str, Any] = json.loads(body)
    except (ValueError, RecursionError) as exc:
        raise ConfigError(
            "what is shown of the register was altered",
            where=database.where,
            then="leadglass register verify --rebuild makes it anew",
        ) from exc
    return found


def _head(connection: Connection) -> Head:
    row = connection.execute(select(register_head.c.n, register_head.c.digest)).first()
    return GENESIS if row is None else Head(row.n, row.digest)


def _body(by: str, change: Change) -> Mapping[str, Json]:
    return {"by": by, "name": change.name, "now": change.now, "what": change.what, "why": change.why}


def _put(connection: Connection, state: Mapping[Key, Mapping[str, Any] | None]) -> None:
    """Replace the rows of all that ``state`` names."""
    columns = register_state.c
    for what, name in state:
        connection.execute(delete(register_state).where(columns.what == what, columns.name == name))
    rows = [
        {"what": what, "name": name, "body": canonical(now).decode()}
        for (what, name), now in state.items()
        if now is not None
    ]
    for start in range(0, len(rows), _MOST):
        connection.execute(insert(register_state), rows[start : start + _MOST])
