"""What is one's own: the password, sessions, tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from leadglass.model.account import Permission
from leadglass.store import accounts, web_sessions
from leadglass.store.web_sessions import Session, Token
from leadglass.web import passwords, signin
from leadglass.web.doors import Doors, Who
from leadglass.web.pages.telling import Moment, moment
from leadglass.web.rendering import page
from leadglass.web.secrets import api_token, digest_of
from leadglass.web.visit import Visit, Visiting

__all__ = ["doors"]

doors = Doors(include_in_schema=False)

_Word = Annotated[str, Form(max_length=1000)]
_DAY = 86_400
_MOST_DAYS = 365
_MOST_TOKENS = 50
"""Of one account that count."""


@dataclass(frozen=True, slots=True)
class _SessionLine:
    id: str
    is_this: bool
    browser: str
    address: str
    began: Moment
    seen: Moment


@dataclass(frozen=True, slots=True)
class _TokenLine:
    id: str
    label: str
    scopes: str
    made: Moment
    used: Moment | None
    ends: Moment
    state: str


@doors.get("/account", Who.SIGNED_IN)
def account(visit: Visiting) -> Response:
    """Show it."""
    return _shown(visit)


@doors.post("/account/password", Who.SIGNED_IN, "change the own password", fresh=True)
def change_password(visit: Visiting, request: Request, password: _Word = "", again: _Word = "") -> Response:
    """Let another one count, here and from now on; everywhere else it is signed out."""
    kept = accounts.account_of(visit.site.database, visit.name)
    if kept is None or kept.password_hash is None:
        raise HTTPException(409, "an identity provider vouches for this account; it has no password here")
    wrong = (
        "the two passwords are not the same"
        if password != again
        else passwords.refusal_of(password, visit.name)
    )
    if wrong:
        visit.deed.outcome = "refused"
        return _shown(visit, 422, wrong=wrong)
    accounts.set_password(visit.site.database, visit.name, passwords.hashed(visit.site, password))
    answer = RedirectResponse("/account", 303)
    signin.begin(visit, kept.account, request, answer)
    return answer


@doors.post("/account/sessions/{session}/end", Who.SIGNED_IN, "sign out a session")
def end_session(visit: Visiting, session: str) -> Response:
    """End one of the own sessions."""
    if not web_sessions.end_session(visit.site.database, visit.name, session):
        raise HTTPException(404, "you have no such session")
    return RedirectResponse("/account", 303)


@doors.post("/account/sign-out-everywhere", Who.SIGNED_IN, "sign out everywhere")
def sign_out_everywhere(visit: Visiting) -> Response:
    """End all of them, this one as well."""
    visit.deed.detail = f"{web_sessions.end_sessions(visit.site.database, visit.name)} sessions"
    answer = RedirectResponse("/sign-in", 303)
    signin.leave(visit, answer)
    return answer


@doors.post("/account/tokens", Who.SIGNED_IN, "make a token", fresh=True)
def make_token(
    visit: Visiting,
    label: _Word = "",
    days: Annotated[int, Form()] = 90,
    scope: Annotated[list[Permission], Form()] = [],  # noqa: B006 - FastAPI copies it
) -> Response:
    """Let a program in with no more than one may oneself; its secret is shown this once."""
    now, name = visit.site.now(), label.strip()
    wrong = _mistake(visit, name, days, scope)
    if wrong:
        visit.deed.outcome = "refused"
        return _shown(visit, 422, wrong=wrong)
    secret = api_token(visit.site.randomness)
    token = Token(visit.site.identifier(), visit.name, name, frozenset(scope), now, now + days * _DAY)
    web_sessions.add_token(visit.site.database, digest_of(secret), token)
    visit.deed.on, visit.deed.detail = token.id, f"{_listed(token)}, {days} days"
    return _shown(visit, token=secret)


@doors.post("/account/tokens/{token}/revoke", Who.SIGNED_IN, "revoke a token")
def revoke_token(visit: Visiting, token: str) -> Response:
    """Let one of the own tokens count no more."""
    if not web_sessions.revoke_token(visit.site.database, token, visit.name):
        raise HTTPException(404, "you have no such token")
    return RedirectResponse("/account", 303)


def _mistake(visit: Visit, name: str, days: int, scope: Sequence[Permission]) -> str | None:
    if not 1 <= len(name) <= 100 or not name.isprintable():
        return "say in up to 100 characters what the token is for"
    if not 1 <= days <= _MOST_DAYS:
        return f"a token ends after 1 to {_MOST_DAYS} days"
    if not scope or not set(scope) <= visit.visitor.permissions:
        return "a token is for something, and for no more than you may do yourself"
    now = visit.site.now()
    counting = [one for one in web_sessions.tokens(visit.site.database, visit.name) if _counts(one, now)]
    return f"{_MOST_TOKENS} tokens are enough; revoke one first" if len(counting) >= _MOST_TOKENS else None


def _shown(visit: Visit, status: int = 200, wrong: str = "", token: str = "") -> Response:
    store, now = visit.site.database, visit.site.now()
    kept = accounts.account_of(store, visit.name)
    return page(
        "account.html",
        visit,
        status,
        wrong=wrong,
        token=token,
        has_password=kept is not None and kept.password_hash is not None,
        sessions=[_session(visit, one, now) for one in web_sessions.sessions(store, visit.name)],
        tokens=[_token(one, now) for one in web_sessions.tokens(store, visit.name)],
        permissions=sorted(visit.visitor.permissions),
        shortest=passwords.SHORTEST,
        most_days=_MOST_DAYS,
    )


def _session(visit: Visit, one: Session, now: int) -> _SessionLine:
    return _SessionLine(
        id=one.id,
        is_this=one.id == visit.visitor.credential,
        browser=one.browser,
        address=one.address,
        began=moment(one.began_at, now),
        seen=moment(one.seen_at, now),
    )


def _token(one: Token, now: int) -> _TokenLine:
    return _TokenLine(
        id=one.id,
        label=one.label,
        scopes=_listed(one),
        made=moment(one.made_at, now),
        used=None if one.used_at is None else moment(one.used_at, now),
        ends=moment(one.expires_at, now),
        state="counts" if _counts(one, now) else "revoked" if one.revoked_at is not None else "ended",
    )


def _counts(one: Token, now: int) -> bool:
    return one.revoked_at is None and one.expires_at > now


def _listed(one: Token) -> str:
    return ", ".join(sorted(one.scopes))
