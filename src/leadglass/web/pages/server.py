"""One server: what a stranger can do there, and what the register says of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from fastapi import Request
from fastapi.responses import HTMLResponse

from leadglass.model.account import Permission
from leadglass.model.register import System
from leadglass.store.notes import Beside, notes_beside
from leadglass.store.server_rows import Server
from leadglass.web.doors import Doors
from leadglass.web.pages import server_view
from leadglass.web.pages.declared_view import Declared, declared, wrongs
from leadglass.web.pages.finding import server_at
from leadglass.web.pages.said import said
from leadglass.web.pages.server_view import NoteView, ServerView
from leadglass.web.pages.telling import Crumb, Empty, date_of, options, server_path
from leadglass.web.rendering import page
from leadglass.web.visit import Visit, Visiting

__all__ = ["doors"]

doors = Doors(include_in_schema=False)

_YEAR = dt.timedelta(days=365)
_ORDERS = 20
"""The latest; those that are not over are among them."""
_UNDECLARED = Empty(
    "Not in the register.", "Nobody is named who answers for it. Assign it, and it is declared."
)
_NO_SCOPE = Empty(
    "Nothing says that it may be looked at.",
    "Name its scope file in the settings of the watch, and look again.",
)


@doors.get("/servers/{address}", Permission.READ)
def server(visit: Visiting, request: Request, address: str) -> HTMLResponse:
    """Show the verdict on one server, with its evidence, its history and its side of the register."""
    site = visit.site
    found = server_at(site.database, address)
    view = server_view.view(found, site.now())
    return page(
        "server.html",
        visit,
        view=view,
        declared=_declared(visit, view),
        undeclared=_UNDECLARED,
        no_scope=_NO_SCOPE,
        notes=_notes(visit, view),
        looks=server_view.looks(view.address, site.desks.watch.orders(_ORDERS), site.now()),
        scopes=options(site.desks.watch.scopes(), _scope_of(found)),
        may_scan=visit.may(Permission.SCAN),
        may_register=visit.may(Permission.REGISTER),
        next_review=date_of(site.now()) + _YEAR,
        path=server_path(view.address),
        crumbs=(Crumb("Servers", "/servers"), Crumb(view.address)),
        said=said(request),
    )


def _declared(visit: Visit, view: ServerView) -> Declared:
    desk, asked = visit.site.desks.register, visit.site.settings.profiles
    register = desk.register()
    systems: Sequence[System] = register.systems_at.get(view.address, ())
    about = {view.address, *(system.name for system in systems)}
    found = [one for one in desk.disagreements(asked) if one.about in about]
    reviews = register.reviews_of.get(systems[0].name, ()) if systems else ()
    return declared(view, systems, reviews, wrongs(found, desk.since(asked), desk.advice))


def _notes(visit: Visit, view: ServerView) -> Iterable[NoteView]:
    site = visit.site
    notes = notes_beside(site.database, Beside.SERVER, view.address)
    return [server_view.note_view(note, site.now()) for note in notes]


def _scope_of(found: Server) -> str:
    """The scope by whose leave it was last looked at."""
    return next((one.record.scope.name for one in found.endpoints if one.record.scope), "")
