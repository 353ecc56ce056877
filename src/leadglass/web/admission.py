"""Who stands before a door, and whether its rule lets him pass."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

from fastapi import HTTPException, Request, Response
from starlette.concurrency import run_in_threadpool

from leadglass.web.rules import Declared, Rule, Who
from leadglass.web.site import Site
from leadglass.web.visit import Via, Visit, Visitor

__all__ = ["Handler", "admitted"]

Handler: TypeAlias = Callable[[Request], Coroutine[Any, Any, Response]]


def admitted(declared: Declared, handler: Handler) -> Handler:
    """``handler`` for those only whom the rule of ``declared`` lets pass."""

    async def enter(request: Request) -> Response:
        site: Site = request.app.state.site
        visitor = await run_in_threadpool(_visitor, site, request)
        request.state.visit = Visit(site, visitor)
        require(declared.rule, visitor)
        return await handler(request)

    return enter


def require(rule: Rule, visitor: Visitor) -> None:
    """Nothing if ``rule`` lets ``visitor`` pass; 401 for a stranger, 403 for whoever may not."""
    if rule is Who.ANYBODY:
        return
    if visitor.via is Via.NOTHING:
        raise HTTPException(401, "sign in first")
    if rule is not Who.SIGNED_IN and rule not in visitor.permissions:
        raise HTTPException(403, f"this asks for the permission {rule.value!r}, which you do not have")


def _visitor(_: Site, request: Request) -> Visitor:
    return Visitor(request.client.host if request.client else "")
