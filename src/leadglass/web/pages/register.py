"""The register: what is declared, what disagrees, reviews due, risks, requirements, and the dossier."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from fastapi import HTTPException, Query, Request
from fastapi.responses import HTMLResponse, Response

from leadglass.model.account import Permission
from leadglass.web.doors import Doors
from leadglass.web.pages import register_view
from leadglass.web.pages.said import said
from leadglass.web.pages.telling import Crumb, Empty, date_of
from leadglass.web.rendering import page
from leadglass.web.visit import Visiting

__all__ = ["doors"]

doors = Doors(include_in_schema=False)

_SOON = dt.timedelta(days=30)
_REGISTER = Crumb("Register", "/register")
_AGREED = Empty("Nothing disagrees.", "What is declared is what was seen, and nothing is overdue.")
_UNDECLARED = Empty(
    "No system is declared yet.",
    "Declare one below, assign a server that was seen, or bring a list: leadglass register import.",
    "/servers",
    "To the servers",
)
_NO_REVIEW = Empty("No review is due in the next 30 days.", "Each review names the day of the next.")
_NO_RISK = Empty(
    "No risk is written down.",
    "leadglass register risk --draft proposes risks from what was seen; people decide.",
)


@doors.get("/register", Permission.READ)
def register(visit: Visiting, request: Request) -> HTMLResponse:
    """Show the register."""
    desk = visit.site.desks.register
    due = desk.reviews_due(date_of(visit.site.now()) + _SOON)
    return page(
        "register.html",
        visit,
        view=register_view.view(desk, due, visit.site.settings.profiles),
        levels=register_view.LEVELS,
        agreed=_AGREED,
        undeclared=_UNDECLARED,
        unreviewed=_NO_REVIEW,
        riskless=_NO_RISK,
        said=said(request),
    )


@doors.get("/register/verify", Permission.READ)
def verify(visit: Visiting) -> HTMLResponse:
    """Follow the chain from its beginning, and say whether it is whole."""
    desk = visit.site.desks.register
    crumbs = (_REGISTER, Crumb("The chain"))
    return page("register_verify.html", visit, trouble=desk.verify(), head=desk.head(), crumbs=crumbs)


@doors.get("/register/requirements/{profile}", Permission.READ)
def requirements(visit: Visiting, profile: str) -> HTMLResponse:
    """Show how each requirement of a law or standard stands."""
    desk = visit.site.desks.register
    title = desk.profiles().get(profile)
    if title is None:
        raise HTTPException(404, "there is no such profile of requirements")
    found = register_view.clauses(desk.standings([profile]), desk.since([profile]), desk.advice)
    crumbs = (_REGISTER, Crumb(title))
    return page(
        "register_requirements.html", visit, title=title, profile=profile, clauses=found, crumbs=crumbs
    )


@doors.get("/register/dossier.{form}", Permission.READ)
def dossier(
    visit: Visiting,
    form: Literal["pdf", "zip"],
    profile: Annotated[list[str], Query(max_length=9)] = [],  # noqa: B006 (FastAPI copies it)
) -> Response:
    """Give out the evidence that an auditor asks for: by these profiles, or by those of the settings."""
    document = visit.site.desks.register.dossier(form, profile or visit.site.settings.profiles)
    named = {"Content-Disposition": f'attachment; filename="{document.name}"', "Cache-Control": "no-store"}
    return Response(document.content, media_type=document.media_type, headers=named)
