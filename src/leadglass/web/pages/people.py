"""Accounts and tokens of others, for administrators."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from leadglass.model.account import Account, Permission, Role
from leadglass.store import accounts, web_sessions
from leadglass.web import signin
from leadglass.web.doors import Doors
from leadglass.web.pages.telling import moment
from leadglass.web.rendering import page
from leadglass.web.secrets import digest_of, secret
from leadglass.web.visit import Visit, Visiting

__all__ = ["LINK_SECONDS", "doors"]

doors = Doors(include_in_schema=False)

LINK_SECONDS = 86_400
"""How long somebody has to choose a password by a link."""
_Word = Annotated[str, Form(max_length=1000)]
_HOME = "/settings/accounts"


@doors.get(_HOME, Permission.ADMINISTER)
def people(visit: Visiting) -> Response:
    """Show every account, and every token that counts."""
    return _shown(visit)


@doors.post(_HOME, Permission.ADMINISTER, "add an account", fresh=True)
def add(
    visit: Visiting,
    request: Request,
    role: Annotated[Role, Form()],
    name: _Word = "",
    full_name: _Word = "",
) -> Response:
    """Let somebody in, with a link that sets the password."""
    called = name.strip().casefold()
    if not signin.is_name(called):
        visit.deed.outcome = "refused"
        return _shown(visit, 422, wrong="a name has small letters, digits and . _ @ + - in it, up to 64")
    visit.deed.on, visit.deed.detail = called, role.value
    accounts.add_account(visit.site.database, Account(called, role, full_name.strip()[:200]))
    return _shown(visit, link=_link(visit, request, called), whose=called)


@doors.post(_HOME + "/{name}/role", Permission.ADMINISTER, "change the role of an account", fresh=True)
def change_role(visit: Visiting, name: str, role: Annotated[Role, Form()]) -> Response:
    """Give it another role: it has to sign in anew."""
    visit.deed.on, visit.deed.detail = name, role.value
    accounts.change_account(visit.site.database, replace(_account(visit, name), role=role))
    return RedirectResponse(_HOME, 303)


@doors.post(_HOME + "/{name}/disable", Permission.ADMINISTER, "disable an account", fresh=True)
def disable(visit: Visiting, name: str) -> Response:
    """Let nobody in by it; its tokens are revoked."""
    accounts.change_account(visit.site.database, replace(_account(visit, name), disabled=True))
    return RedirectResponse(_HOME, 303)


@doors.post(_HOME + "/{name}/enable", Permission.ADMINISTER, "enable an account", fresh=True)
def enable(visit: Visiting, name: str) -> Response:
    """Let somebody in by it again."""
    accounts.change_account(visit.site.database, replace(_account(visit, name), disabled=False))
    return RedirectResponse(_HOME, 303)


@doors.post(_HOME + "/{name}/link", Permission.ADMINISTER, "give a link that sets a password", fresh=True)
def give_link(visit: Visiting, request: Request, name: str) -> Response:
    """Make one; it is shown this once."""
    return _shown(visit, link=_link(visit, request, _account(visit, name).name), whose=name)


@doors.post("/settings/tokens/{token}/revoke", Permission.ADMINISTER, "revoke a token of others", fresh=True)
def revoke(visit: Visiting, token: str) -> Response:
    """Let anybody's token count no more."""
    if not web_sessions.revoke_token(visit.site.database, token):
        raise HTTPException(404, "there is no such token")
    return RedirectResponse(_HOME, 303)


def _account(visit: Visit, name: str) -> Account:
    kept = accounts.account_of(visit.site.database, name)
    if kept is None:
        raise HTTPException(404, "there is no such account")
    return kept.account


def _link(visit: Visit, request: Request, name: str) -> str:
    """It begins as the address does by which whoever asks has come."""
    shown = secret(visit.site.randomness)
    accounts.give_link(visit.site.database, digest_of(shown), name, LINK_SECONDS)
    return f"{request.base_url}welcome?link={shown}"


def _shown(visit: Visit, status: int = 200, wrong: str = "", link: str = "", whose: str = "") -> Response:
    store, now = visit.site.database, visit.site.now()
    every = web_sessions.tokens(store)
    counting = [one for one in every if one.revoked_at is None and one.expires_at > now]
    return page(
        "accounts.html",
        visit,
        status,
        wrong=wrong,
        link=link,
        whose=whose,
        accounts=accounts.every_account(store),
        roles=list(Role),
        tokens=[(one, ", ".join(sorted(one.scopes)), moment(one.expires_at, now)) for one in counting],
    )
