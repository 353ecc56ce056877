"""Who stands before a door, and whether its rule lets him pass.

Programs show a token (``Authorization: Bearer``) and pages a cookie; neither works at the other's doors. So no
browser can be made to use the API, and no token that leaks into a page opens one.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias
from urllib.parse import quote

from fastapi import HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException as StarletteHTTPException

from leadglass.errors import LeadglassError
from leadglass.model.account import Permission, Role, may
from leadglass.store import web_sessions
from leadglass.web import actions, cookies, csrf
from leadglass.web.rules import Declared, Rule, Who
from leadglass.web.secrets import csrf_of, digest_of, is_api_token, secret
from leadglass.web.site import Site
from leadglass.web.visit import Via, Visit, Visitor

__all__ = ["FRESH", "Handler", "admitted", "require"]

Handler: TypeAlias = Callable[[Request], Coroutine[Any, Any, Response]]

FRESH = 900
"""Seconds for which a password counts as given a moment ago."""
_SAFE = frozenset({"GET", "HEAD"})


def admitted(declared: Declared, handler: Handler) -> Handler:
    """``handler`` for those only whom the rule of ``declared`` lets pass; what they do is written down."""

    async def enter(request: Request) -> Response:
        site: Site = request.app.state.site
        visitor = await run_in_threadpool(_program if declared.is_api else _person, site, request)
        visit = request.state.visit = Visit(site, visitor)
        stranger = ""
        if declared.has_form and not visitor.csrf:
            stranger = secret(site.randomness)
            visit = request.state.visit = Visit(site, visitor.with_csrf(csrf_of(stranger)))
        answer = await _pass(declared, handler, request, visit)
        if stranger:
            cookies.give_stranger(site, answer, stranger)
        return answer

    return enter


async def _pass(declared: Declared, handler: Handler, request: Request, visit: Visit) -> Response:
    outcome = "failed"
    try:
        await _require_all(declared, request, visit.visitor)
        answer = await handler(request)
        outcome = actions.outcome_of(answer.status_code)
    except StarletteHTTPException as exc:
        outcome = actions.outcome_of(exc.status_code)
        raise
    except (RequestValidationError, LeadglassError):
        outcome = "refused"
        raise
    finally:
        if declared.action:
            on = " ".join(str(value) for value in request.path_params.values())
            await run_in_threadpool(
                actions.write_down, visit.site, visit, declared.action, on, visit.deed.outcome or outcome
            )
    return answer


async def _require_all(declared: Declared, request: Request, visitor: Visitor) -> None:
    require(declared.rule, visitor)
    if not declared.is_api and request.method not in _SAFE:
        csrf.require_our_page(request)
        csrf.require_token(await csrf.token_in(request), visitor.csrf)
    if declared.fresh:
        _require_fresh(request, visitor)


def require(rule: Rule, visitor: Visitor) -> None:
    """Nothing if ``rule`` lets ``visitor`` pass; 401 for a stranger, 403 for whoever may not."""
    if rule is Who.ANYBODY:
        return
    if visitor.via is Via.NOTHING:
        raise HTTPException(
            401, "sign in first, or give a token that counts: it may be unknown, expired or revoked"
        )
    if rule is not Who.SIGNED_IN and rule not in visitor.permissions:
        raise HTTPException(403, f"this asks for the permission {rule.value!r}, which you do not have")


def _require_fresh(request: Request, visitor: Visitor) -> None:
    site: Site = request.app.state.site
    if visitor.confirmed_at > site.now() - FRESH:
        return
    home = "/settings/accounts" if request.url.path.startswith("/settings") else "/account"
    back = request.url.path if request.method in _SAFE else home
    raise HTTPException(
        303, "give your password once more", {"Location": f"/confirm?next={quote(back, safe='')}"}
    )


# ---- who it is


def _person(site: Site, request: Request) -> Visitor:
    """Whoever shows the cookie of a session."""
    shown = cookies.session_secret(site, request)
    found = web_sessions.session_of(site.database, digest_of(shown), site.settings.idle) if shown else None
    if found is None:
        stranger = cookies.stranger_secret(site, request)
        return Visitor(_address(request), csrf=csrf_of(stranger) if stranger else "")
    session, account = found
    return Visitor(
        address=_address(request),
        via=Via.SESSION,
        account=account,
        permissions=_permissions(account.role),
        credential=session.id,
        digest=digest_of(shown),
        csrf=csrf_of(shown),
        confirmed_at=session.confirmed_at,
    )


def _program(site: Site, request: Request) -> Visitor:
    """Whoever shows a token. A cookie says nothing here."""
    scheme, _, shown = request.headers.get("authorization", "").partition(" ")
    shown = shown.strip() if scheme.casefold() == "bearer" else ""
    found = web_sessions.token_of(site.database, digest_of(shown)) if is_api_token(shown) else None
    if found is None:
        return Visitor(_address(request))
    token, account = found
    return Visitor(
        address=_address(request),
        via=Via.TOKEN,
        account=account,
        permissions=token.scopes & _permissions(account.role),
        credential=token.id,
    )


def _permissions(role: Role) -> frozenset[Permission]:
    return frozenset(one for one in Permission if may(role, one))


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
