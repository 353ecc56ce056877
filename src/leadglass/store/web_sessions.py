"""Who is signed in at the dashboard, what programs show at the API, and sign-ins that a provider is busy with.

Secrets are kept as digests: whoever reads the database cannot sign in with what he finds.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, insert, select, update

from leadglass.model.account import Account, Permission, Role
from leadglass.store.database import Database
from leadglass.store.guard_roll import keep
from leadglass.store.schema import accounts, web_flows, web_sessions, web_tokens

__all__ = [
    "Flow",
    "Session",
    "Token",
    "add_token",
    "begin_flow",
    "begin_session",
    "confirm",
    "end_flow",
    "end_session",
    "end_sessions",
    "revoke_token",
    "session_of",
    "sessions",
    "token_of",
    "tokens",
]

_SELDOM = 60
"""Seconds between two notes of when something was last used: reading a page is no reason to write."""


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody is signed in. Times are POSIX seconds."""

    id: str
    """A ULID, to speak of it; it opens nothing."""
    account: str
    began_at: int
    seen_at: int
    confirmed_at: int
    """When the password was last given."""
    until: int
    address: str
    browser: str


@dataclass(frozen=True, slots=True)
class Token:
    """What a program shows. Times are POSIX seconds."""

    id: str
    account: str
    label: str
    scopes: frozenset[Permission]
    made_at: int
    expires_at: int
    used_at: int | None = None
    revoked_at: int | None = None


@dataclass(frozen=True, slots=True)
class Flow:
    """A sign-in that an identity provider is busy with."""

    nonce: str
    verifier: str
    """Of PKCE (RFC 7636)."""
    next: str


# ---- sessions


def begin_session(database: Database, digest: str, session: Session) -> None:
    """Somebody signed in. What has ended by then is forgotten."""
    row = {name: getattr(session, name) for name in Session.__dataclass_fields__}
    with database.write() as connection:
        now = int(database.moment(connection))
        connection.execute(delete(web_sessions).where(web_sessions.c.until <= now))
        connection.execute(insert(web_sessions).values(row | {"digest": digest}))


def session_of(database: Database, digest: str, idle: int) -> tuple[Session, Account] | None:
    """Who is signed in by the secret with this digest; None: nobody, or not any more.

    ``idle`` is after how many seconds without a visit a session has ended.
    """
    query = select(web_sessions, accounts).join_from(
        web_sessions, accounts, web_sessions.c.account == accounts.c.name
    )
    with database.read() as connection:
        now = int(database.moment(connection))
        alive = web_sessions.c.until > now, web_sessions.c.seen_at > now - idle, accounts.c.disabled == 0
        row = connection.execute(query.where(web_sessions.c.digest == digest, *alive)).first()
    if row is None:
        return None
    if now - row.seen_at >= _SELDOM:
        with database.write() as connection:
            connection.execute(
                update(web_sessions).where(web_sessions.c.digest == digest).values(seen_at=now)
            )
    return _session(row), _account(row)


def confirm(database: Database, digest: str, new_digest: str) -> None:
    """The password was given once more: from now on another secret counts for the same session."""
    with database.write() as connection:
        now = int(database.moment(connection))
        values = {"digest": new_digest, "confirmed_at": now, "seen_at": now}
        connection.execute(update(web_sessions).where(web_sessions.c.digest == digest).values(values))


def sessions(database: Database, account: str) -> Sequence[Session]:
    """The sessions of one account, latest first."""
    query = select(web_sessions).where(web_sessions.c.account == account)
    with database.read() as connection:
        now = int(database.moment(connection))
        rows = connection.execute(
            query.where(web_sessions.c.until > now).order_by(web_sessions.c.seen_at.desc(), web_sessions.c.id)
        )
        return [_session(row) for row in rows]


def end_session(database: Database, account: str, session: str) -> bool:
    """Sign out one session of an account; whether it was one of his."""
    theirs = web_sessions.c.account == account, web_sessions.c.id == session
    with database.write() as connection:
        return bool(connection.execute(delete(web_sessions).where(*theirs)).rowcount)


def end_sessions(database: Database, account: str, but: str = "") -> int:
    """Sign an account out everywhere, ``but`` in one session; of how many."""
    theirs = web_sessions.c.account == account, web_sessions.c.id != but
    with database.write() as connection:
        return int(connection.execute(delete(web_sessions).where(*theirs)).rowcount)


# ---- tokens


def add_token(database: Database, digest: str, token: Token) -> None:
    """Let a program in."""
    row = {
        "digest": digest,
        "id": token.id,
        "account": token.account,
        "label": token.label,
        "scopes": json.dumps(sorted(token.scopes)),
        "made_at": token.made_at,
        "expires_at": token.expires_at,
    }
    with database.write() as connection:
        connection.execute(insert(web_tokens).values(row))
    keep(database)


def token_of(database: Database, digest: str) -> tuple[Token, Account] | None:
    """Whose token the secret with this digest is; None: nobody's, or not any more."""
    query = select(web_tokens, accounts).join_from(
        web_tokens, accounts, web_tokens.c.account == accounts.c.name
    )
    with database.read() as connection:
        now = int(database.moment(connection))
        alive = web_tokens.c.expires_at > now, web_tokens.c.revoked_at.is_(None), accounts.c.disabled == 0
        row = connection.execute(query.where(web_tokens.c.digest == digest, *alive)).first()
    if row is None:
        return None
    if row.used_at is None or now - row.used_at >= _SELDOM:
        with database.write() as connection:
            connection.execute(update(web_tokens).where(web_tokens.c.digest == digest).values(used_at=now))
    return _token(row), _account(row)


def tokens(database: Database, account: str | None = None) -> Sequence[Token]:
    """The tokens of an account (None: of all), latest first; those that ended as well."""
    query = select(web_tokens).order_by(web_tokens.c.id.desc())
    if account is not None:
        query = query.where(web_tokens.c.account == account)
    with database.read() as connection:
        return [_token(row) for row in connection.execute(query)]


def revoke_token(database: Database, token: str, account: str | None = None) -> bool:
    """Let a token count no more; whether there was one, of ``account`` if that is given."""
    columns = web_tokens.c
    which = [columns.id == token, columns.revoked_at.is_(None)]
    if account is not None:
        which.append(columns.account == account)
    with database.write() as connection:
        now = int(database.moment(connection))
        found = bool(connection.execute(update(web_tokens).where(*which).values(revoked_at=now)).rowcount)
    keep(database)
    return found


# ---- sign-ins by a provider


def begin_flow(database: Database, digest: str, flow: Flow, seconds: int) -> None:
    """Remember what the provider was asked; what nobody came back for is forgotten."""
    with database.write() as connection:
        now = int(database.moment(connection))
        connection.execute(delete(web_flows).where(web_flows.c.until <= now))
        row = {"digest": digest, "nonce": flow.nonce, "verifier": flow.verifier, "next": flow.next}
        connection.execute(insert(web_flows).values(row | {"until": now + seconds}))


def end_flow(database: Database, digest: str) -> Flow | None:
    """What was asked, once; None if it was not, too long ago, or came back before."""
    with database.write() as connection:
        now = int(database.moment(connection))
        query = delete(web_flows).where(web_flows.c.digest == digest, web_flows.c.until > now)
        row = connection.execute(
            query.returning(web_flows.c.nonce, web_flows.c.verifier, web_flows.c.next)
        ).first()
    return None if row is None else Flow(*row)


# ---- rows


def _session(row: Any) -> Session:
    return Session(*(getattr(row, name) for name in Session.__dataclass_fields__))


def _account(row: Any) -> Account:
    return Account(row.name, Role(row.role), row.full_name, bool(row.disabled), row.subject)


def _token(row: Any) -> Token:
    scopes = frozenset(Permission(word) for word in json.loads(row.scopes))
    return Token(
        row.id, row.account, row.label, scopes, row.made_at, row.expires_at, row.used_at, row.revoked_at
    )
