"""What was done at the dashboard: a chain of entries that is only appended to, and searched by who and what."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import insert, select, text, update

from leadglass.ledger.chain import GENESIS, Chain, Head, read_entry
from leadglass.ledger.verify import Broken, Verified, verify
from leadglass.store.database import Database
from leadglass.store.guard_roll import keep
from leadglass.store.reading import streamed
from leadglass.store.schema import actions, actions_head

__all__ = ["Action", "Done", "Question", "actions_done", "check_actions", "head_of_actions", "note_action"]

_HOLD = text(
    "INSERT INTO actions_head (id, n, digest) VALUES (1, 0, :genesis)"
    " ON CONFLICT (id) DO UPDATE SET n = actions_head.n"
).bindparams(genesis=GENESIS.digest)
"""Holds the row of the head, so that entries follow one another whoever writes them."""


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that somebody did, or tried to do. No secrets."""

    who: str
    """The account; "" for a stranger."""
    via: str
    """``session``, ``token ID``, ``command`` or ``nothing``."""
    what: str
    """By a name that stays, such as ``sign-in``."""
    on: str
    outcome: str
    """``done``, ``refused`` or ``failed``."""
    address: str
    """Where from."""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """An action with its place in the chain."""

    n: int
    at: str
    """RFC 3339, UTC, microseconds."""
    action: Action


@dataclass(frozen=True, slots=True)
class Question:
    """What is looked for; None: anything."""

    who: str | None = None
    what: str | None = None
    since: int | None = None
    """POSIX seconds, as ``until``: up to that moment, and not it."""
    until: int | None = None
    before: int | None = None
    """Only entries with a smaller number: the next page."""
    most: int = 100


def note_action(database: Database, action: Action) -> Head:
    """Append ``action``; where the chain stands then."""
    with database.write() as connection:
        connection.execute(_HOLD)
        row = connection.execute(select(actions_head.c.n, actions_head.c.digest)).one()
        chain = Chain(Head(row.n, row.digest))
        moment = database.moment(connection)
        line = chain.append(asdict(action), dt.datetime.fromtimestamp(moment, dt.UTC))
        connection.execute(
            insert(actions).values(
                n=chain.head.n,
                line=line.decode().removesuffix("\n"),
                at=int(moment),
                who=action.who,
                what=action.what,
            )
        )
        connection.execute(update(actions_head).values(n=chain.head.n, digest=chain.head.digest))
    keep(database)
    return chain.head


def actions_done(database: Database, question: Question) -> Sequence[Done]:
    """What is looked for, latest first. An entry that was altered is not shown: ``check_actions`` tells of it."""
    columns = actions.c
    query = select(columns.line).order_by(columns.n.desc()).limit(question.most)
    for column, wanted in ((columns.who, question.who), (columns.what, question.what)):
        query = query if wanted is None else query.where(column == wanted)
    query = query if question.since is None else query.where(columns.at >= question.since)
    query = query if question.until is None else query.where(columns.at < question.until)
    query = query if question.before is None else query.where(columns.n < question.before)
    with database.read() as connection:
        return [done for line in connection.execute(query).scalars() if (done := _done(f"{line}\n".encode()))]


def head_of_actions(database: Database) -> Head:
    """Where the chain stands, as it is kept beside it."""
    with database.read() as connection:
        row = connection.execute(select(actions_head.c.n, actions_head.c.digest)).first()
    return GENESIS if row is None else Head(row.n, row.digest)


def check_actions(database: Database, *anchors: Head) -> Verified | Broken:
    """Whether the chain is whole, up to the head that is kept and any other that is known."""
    return verify(_lines(database), head_of_actions(database), *anchors)


def _lines(database: Database) -> Iterator[bytes]:
    with database.read() as connection:
        for page in streamed(connection, select(actions.c.line).order_by(actions.c.n)):
            yield from (f"{row.line}\n".encode() for row in page)


def _done(line: bytes) -> Done | None:
    entry = read_entry(line)
    if entry is None:
        return None
    body = entry.body
    known = {name: str(body.get(name, "")) for name in Action.__dataclass_fields__}
    return Done(entry.n, entry.at, Action(**known))
