"""Signing in and out: an account by its password, a session by a new secret each time."""

from __future__ import annotations

import re

from fastapi import Request, Response

from leadglass.model.account import Account
from leadglass.report.safe import visible
from leadglass.store import accounts, web_sessions
from leadglass.store.web_sessions import Session
from leadglass.web import cookies, limits, passwords
from leadglass.web.secrets import digest_of, secret
from leadglass.web.visit import Visit

__all__ = ["NAME", "account_by_password", "begin", "confirmed", "is_name", "leave", "local_path"]

NAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,63}")
_LONGEST_PATH = 2000


def is_name(text: str) -> bool:
    """Whether it can be the name of an account."""
    return NAME.fullmatch(text) is not None


def account_by_password(visit: Visit, name: str, password: str) -> Account | None:
    """The account, if name and password belong together; as much work for names that nobody has.

    429 after too many wrong ones. What was typed as a name is written down only if it is one: people
    type passwords there.
    """
    site, typed = visit.site, name.strip().casefold()[:200]
    kept = accounts.account_of(site.database, typed) if is_name(typed) else None
    visit.deed.on = "an unknown account" if kept is None else typed
    limits.require_turn(site, typed, visit.visitor.address)
    right = passwords.is_right(password, None if kept is None else kept.password_hash)
    if kept is None or not right or kept.password_hash is None or kept.account.disabled:
        return None
    limits.forgive(site, typed, visit.visitor.address)
    visit.deed.who = kept.account.name
    return kept.account


def begin(
    visit: Visit, account: Account, request: Request, answer: Response, confirmed_at: int | None = None
) -> None:
    """Sign in: a secret that nobody has seen before, whatever the browser came with (session fixation).

    ``confirmed_at``: POSIX seconds, when he showed who he is; None: just now.
    """
    site, now, shown = visit.site, visit.site.now(), secret(visit.site.randomness)
    if visit.visitor.credential:
        web_sessions.end_session(site.database, visit.name, visit.visitor.credential)
    made = Session(
        id=site.identifier(),
        account=account.name,
        began_at=now,
        seen_at=now,
        confirmed_at=now if confirmed_at is None else confirmed_at,
        until=now + site.settings.absolute,
        address=visit.visitor.address[:45],
        browser=visible(request.headers.get("user-agent", ""))[:200],
    )
    web_sessions.begin_session(site.database, digest_of(shown), made)
    cookies.give_session(site, answer, shown)


def confirmed(visit: Visit, answer: Response) -> None:
    """The password was given once more: the same session goes on under another secret."""
    shown = secret(visit.site.randomness)
    web_sessions.confirm(visit.site.database, visit.visitor.digest, digest_of(shown))
    cookies.give_session(visit.site, answer, shown)


def leave(visit: Visit, answer: Response) -> None:
    """Sign out here: the session ends in the store, not only in the browser."""
    web_sessions.end_session(visit.site.database, visit.name, visit.visitor.credential)
    cookies.clear(visit.site, answer)


def local_path(text: str) -> str:
    """Where to go on: ``text`` if it is a path of this server, else the first page (open redirect)."""
    # Browsers read a backslash as a slash, and two slashes as another host.
    is_path = text.startswith("/") and not text.startswith("//") and "\\" not in text
    is_plain = text.isascii() and text.isprintable() and len(text) <= _LONGEST_PATH
    return text if is_path and is_plain else "/"
