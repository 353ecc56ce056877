"""Accounts of the dashboard, the links that set a password once, and passwords that were wrong lately."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from leadglass.errors import UsageError
from leadglass.model.account import Account, Role
from leadglass.store.database import Database
from leadglass.store.guard_roll import keep
from leadglass.store.schema import accounts, web_attempts, web_links, web_sessions, web_tokens

__all__ = [
    "Kept",
    "account_of",
    "account_of_subject",
    "add_account",
    "attempt",
    "change_account",
    "every_account",
    "forgive",
    "give_link",
    "link_of",
    "set_password",
    "use_link",
]

_MOST_ATTEMPTS = 100_000
"""Counts that are kept; the longest untouched are forgotten first."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An account, with what its password is compared with."""

    account: Account
    password_hash: str | None


# ---- accounts


def add_account(database: Database, account: Account, password_hash: str | None = None) -> None:
    """Let somebody in; ``UsageError`` if there is one of that name or subject already."""
    row = _row(account) | {"password_hash": password_hash, "added_at": 0}
    with database.write() as connection:
        if _find(connection, account.name) is not None:
            raise UsageError(f"there is an account {account.name!r} already")
        _require_free_subject(connection, account)
        row["added_at"] = int(database.moment(connection))
        connection.execute(insert(accounts).values(row))
    keep(database)


def change_account(database: Database, account: Account) -> None:
    """Give an account another role, name or state: whoever is signed in with it has to do so anew.

    Tokens of one that is disabled are revoked. ``UsageError`` if there is none of that name, or if nobody
    would be left who may look after accounts.
    """
    with database.write() as connection:
        before = _find(connection, account.name)
        if before is None:
            raise _absent(account.name)
        _require_free_subject(connection, account)
        connection.execute(update(accounts).where(accounts.c.name == account.name).values(_row(account)))
        if not _administrators(connection):
            raise UsageError("this is the last administrator", then="make another one first")
        _sign_out(connection, account.name)
        if account.disabled:
            now = int(database.moment(connection))
            theirs = web_tokens.c.account == account.name, web_tokens.c.revoked_at.is_(None)
            connection.execute(update(web_tokens).where(*theirs).values(revoked_at=now))
    keep(database)


def set_password(database: Database, name: str, password_hash: str) -> None:
    """Let another password count: whoever is signed in with the old one is not any more."""
    with database.write() as connection:
        _set_password(connection, name, password_hash)
    keep(database)


def account_of(database: Database, name: str) -> Kept | None:
    """The account called so."""
    with database.read() as connection:
        return _find(connection, name)


def account_of_subject(database: Database, subject: str) -> Account | None:
    """The account that an identity provider vouches for."""
    with database.read() as connection:
        row = connection.execute(select(accounts).where(accounts.c.subject == subject)).first()
    return None if row is None else _kept(row).account


def every_account(database: Database) -> Sequence[Account]:
    """All of them, by name."""
    with database.read() as connection:
        return [_kept(row).account for row in connection.execute(select(accounts).order_by(accounts.c.name))]


# ---- links that work once


def give_link(database: Database, digest: str, account: str | None, seconds: int) -> None:
    """Let the secret with this digest set the password of ``account`` (None: make the first one), once.

    Any earlier link for the same is void. ``UsageError`` if there is no such account.
    """
    with database.write() as connection:
        if account is not None and _find(connection, account) is None:
            raise _absent(account)
        now = int(database.moment(connection))
        same = web_links.c.account.is_(None) if account is None else web_links.c.account == account
        connection.execute(delete(web_links).where(same | (web_links.c.until <= now)))
        row = {"digest": digest, "account": account, "until": now + seconds}
        connection.execute(insert(web_links).values(row))
    keep(database)


def link_of(database: Database, digest: str) -> tuple[bool, str | None]:
    """Whether a link would work now, and for which account (None: it makes the first)."""
    with database.read() as connection:
        row = _link(connection, database, digest)
        if row is None or (row.account is None and _any(connection)):
            return False, None
        return True, row.account


def use_link(database: Database, digest: str, first: Account, password_hash: str) -> str | None:
    """Do what a link is for and let it be void; the account's name, or None if it does not work (any more).

    ``first`` is the account that is made if the link is for the first one.
    """
    with database.write() as connection:
        row = _link(connection, database, digest)
        if row is None:
            return None
        # Whoever deletes it has it: of two at once, one finds nothing.
        if not connection.execute(delete(web_links).where(web_links.c.digest == digest)).rowcount:
            return None
        name = str(row.account) if row.account is not None else first.name
        if row.account is not None:
            _set_password(connection, name, password_hash)
        elif _any(connection):
            return None
        else:
            now = int(database.moment(connection))
            connection.execute(
                insert(accounts).values(_row(first) | {"password_hash": password_hash, "added_at": now})
            )
    keep(database)
    return name


# ---- wrong passwords


def attempt(database: Database, limits: Mapping[str, int], memory: float) -> bool:
    """Count an attempt as wrong until it turns out right; False: one of ``limits`` was reached, nothing is counted.

    ``limits`` says for each key how many wrong ones there may be in ``memory`` seconds. An attempt is counted before
    anything is compared: many at once are not more than many in turn.
    """
    columns = web_attempts.c
    with database.write() as connection:
        now = database.moment(connection)
        connection.execute(delete(web_attempts).where(columns.last <= now - memory))
        counting = connection.begin_nested()
        for key in sorted(limits):  # in one order, so that two who count do not wait for each other
            _count(connection, key, now, is_postgres=database.is_postgres)
        rows = connection.execute(select(columns.key, columns.wrong).where(columns.key.in_(limits)))
        free = all(wrong <= limits[key] for key, wrong in rows)
        # Who is locked out begins anew after that time, however often others try meanwhile.
        counting.commit() if free else counting.rollback()
    return free


def forgive(database: Database, begin_anew: Sequence[str], one_less: Sequence[str] = ()) -> None:
    """The attempt was right: what ``begin_anew`` counts is forgotten, ``one_less`` is not, but for this one."""
    columns = web_attempts.c
    with database.write() as connection:
        connection.execute(delete(web_attempts).where(columns.key.in_(begin_anew)))
        theirs = columns.key.in_(one_less), columns.wrong > 0
        connection.execute(update(web_attempts).where(*theirs).values(wrong=columns.wrong - 1))


def _count(connection: Connection, key: str, now: float, *, is_postgres: bool) -> None:
    dialect = postgresql if is_postgres else sqlite
    begin = dialect.insert(web_attempts).values(key=key, wrong=1, last=now)
    again = begin.on_conflict_do_update(
        index_elements=["key"], set_={"wrong": web_attempts.c.wrong + 1, "last": now}
    )
    connection.execute(again)
    kept = connection.execute(select(func.count()).select_from(web_attempts)).scalar_one()
    if kept > _MOST_ATTEMPTS:
        oldest = select(web_attempts.c.key).order_by(web_attempts.c.last).limit(kept - _MOST_ATTEMPTS)
        connection.execute(delete(web_attempts).where(web_attempts.c.key.in_(oldest)))


# ---- rows


def _row(account: Account) -> dict[str, object]:
    return {
        "name": account.name,
        "full_name": account.full_name,
        "role": account.role.value,
        "subject": account.subject,
        "disabled": int(account.disabled),
    }


def _kept(row: Any) -> Kept:
    account = Account(
        name=row.name,
        role=Role(row.role),
        full_name=row.full_name,
        disabled=bool(row.disabled),
        subject=row.subject,
    )
    return Kept(account, row.password_hash)


def _find(connection: Connection, name: str) -> Kept | None:
    row = connection.execute(select(accounts).where(accounts.c.name == name)).first()
    return None if row is None else _kept(row)


def _any(connection: Connection) -> bool:
    return connection.execute(select(accounts.c.name).limit(1)).first() is not None


def _administrators(connection: Connection) -> bool:
    query = select(accounts.c.name).where(
        accounts.c.role == Role.ADMINISTRATOR.value, accounts.c.disabled == 0
    )
    return connection.execute(query.limit(1)).first() is not None


def _require_free_subject(connection: Connection, account: Account) -> None:
    if account.subject is None:
        return
    query = select(accounts.c.name).where(
        accounts.c.subject == account.subject, accounts.c.name != account.name
    )
    if connection.execute(query).first() is not None:
        raise UsageError("the provider's account belongs to another one here")


def _set_password(connection: Connection, name: str, password_hash: str) -> None:
    theirs = accounts.c.name == name
    if not connection.execute(update(accounts).where(theirs).values(password_hash=password_hash)).rowcount:
        raise _absent(name)
    _sign_out(connection, name)


def _sign_out(connection: Connection, name: str) -> None:
    connection.execute(delete(web_sessions).where(web_sessions.c.account == name))


def _link(connection: Connection, database: Database, digest: str) -> Any:
    now = int(database.moment(connection))
    return connection.execute(
        select(web_links).where(web_links.c.digest == digest, web_links.c.until > now)
    ).first()


def _absent(name: str) -> UsageError:
    return UsageError(f"there is no account {name!r}", then="leadglass serve account list shows who there is")
