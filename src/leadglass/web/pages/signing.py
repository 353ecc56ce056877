"""Signing in and out, giving the password once more, and the links that set one."""

from __future__ import annotations

from typing import Annotated

from fastapi import Form, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from leadglass.model.account import Account, Role
from leadglass.store import accounts
from leadglass.web import passwords, signin
from leadglass.web.doors import Doors, Who
from leadglass.web.rendering import page
from leadglass.web.secrets import digest_of
from leadglass.web.visit import Via, Visit, Visiting

__all__ = ["doors"]

doors = Doors(include_in_schema=False)

_Word = Annotated[str, Form(max_length=1000)]
_Path = Annotated[str, Form(max_length=4000)]
_LONGEST_SECRET = 64


# ---- in and out


@doors.get("/sign-in", Who.ANYBODY, has_form=True)
def sign_in_page(visit: Visiting, next: str = "/") -> Response:  # noqa: A002 - the query calls it so
    """Ask for name and password."""
    if visit.visitor.via is Via.SESSION:
        return _on(signin.local_path(next))
    return _form("sign-in.html", visit, next)


@doors.post("/sign-in", Who.ANYBODY, "sign in")
def sign_in(
    visit: Visiting,
    request: Request,
    name: _Word = "",
    password: _Word = "",
    next: _Path = "/",  # noqa: A002
) -> Response:
    """Let somebody in, or say that name and password do not belong together and not which is wrong."""
    account = signin.account_by_password(visit, name, password)
    if account is None:
        visit.deed.outcome = "refused"
        return _form("sign-in.html", visit, next, 401, wrong="The name or the password is wrong.")
    answer = _on(signin.local_path(next))
    signin.begin(visit, account, request, answer)
    return answer


@doors.post("/sign-out", Who.SIGNED_IN, "sign out")
def sign_out(visit: Visiting) -> Response:
    """End this session."""
    answer = _on("/sign-in")
    signin.leave(visit, answer)
    return answer


# ---- once more


@doors.get("/confirm", Who.SIGNED_IN)
def confirm_page(visit: Visiting, next: str = "/account") -> Response:  # noqa: A002
    """Ask for the password of whoever is signed in."""
    return _form("confirm.html", visit, next)


@doors.post("/confirm", Who.SIGNED_IN, "give the password once more")
def confirm(visit: Visiting, password: _Word = "", next: _Path = "/account") -> Response:  # noqa: A002
    """Go on, for a quarter of an hour, with what changes accounts."""
    if signin.account_by_password(visit, visit.name, password) is None:
        visit.deed.outcome = "refused"
        return _form("confirm.html", visit, next, 401, wrong="The password is wrong.")
    answer = _on(signin.local_path(next))
    signin.confirmed(visit, answer)
    return answer


# ---- links


@doors.get("/welcome", Who.ANYBODY, has_form=True)
def welcome_page(visit: Visiting, link: str = "") -> Response:
    """Ask for what a link sets: the first administrator, or a new password."""
    works, name = accounts.link_of(visit.site.database, digest_of(link[:_LONGEST_SECRET]))
    if not works:
        raise HTTPException(404, _VOID)
    return page("welcome.html", visit, link=link, name=name, wrong="", typed="", full_name="")


@doors.post("/welcome", Who.ANYBODY, "set a password by a link")
def welcome(
    visit: Visiting,
    request: Request,
    *,
    link: _Word = "",
    name: _Word = "",
    full_name: _Word = "",
    password: _Word = "",
    again: _Word = "",
) -> Response:
    """Set it, let the link be void, and sign in."""
    works, whose = accounts.link_of(visit.site.database, digest_of(link[:_LONGEST_SECRET]))
    if not works:
        raise HTTPException(404, _VOID)
    called = whose or name.strip().casefold()
    wrong = _mistake(called, password, again)
    if wrong:
        visit.deed.outcome, visit.deed.on = "refused", whose or ""
        values = {"link": link, "name": whose, "wrong": wrong, "typed": name, "full_name": full_name}
        return page("welcome.html", visit, 422, **values)
    first = Account(called, Role.ADMINISTRATOR, full_name.strip()[:200])
    kept = passwords.hashed(visit.site, password)
    set_for = accounts.use_link(visit.site.database, digest_of(link), first, kept)
    if set_for is None:
        raise HTTPException(404, _VOID)
    visit.deed.who = visit.deed.on = set_for
    return _welcomed(visit, request, set_for)


_VOID = "this link does not work: it was used before, is too old, or a later one took its place"


def _welcomed(visit: Visit, request: Request, name: str) -> Response:
    kept = accounts.account_of(visit.site.database, name)
    if kept is None or kept.account.disabled:
        return _on("/sign-in")
    answer = _on("/")
    signin.begin(visit, kept.account, request, answer)
    return answer


def _mistake(name: str, password: str, again: str) -> str | None:
    if not signin.is_name(name):
        return "a name has small letters, digits and . _ @ + - in it, up to 64, and begins with a letter or digit"
    if password != again:
        return "the two passwords are not the same"
    return passwords.refusal_of(password, name)


def _form(template: str, visit: Visit, to: str, status: int = 200, wrong: str = "") -> HTMLResponse:
    return page(template, visit, status, next=signin.local_path(to), wrong=wrong)


def _on(path: str) -> RedirectResponse:
    return RedirectResponse(path, 303)
