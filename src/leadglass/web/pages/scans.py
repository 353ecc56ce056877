"""Scans: the list, one of them, and how far those that run are."""

from __future__ import annotations

import itertools
import json
from typing import Annotated

from fastapi import Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from leadglass.model.account import Permission
from leadglass.model.order import OrderState
from leadglass.store import work
from leadglass.store.current import is_taken_in
from leadglass.store.database import Database
from leadglass.store.diff import changes
from leadglass.store.overview import scan_row, scans_page
from leadglass.store.scans import StoredScan
from leadglass.web.doors import Doors
from leadglass.web.pages import scans_view
from leadglass.web.pages.finding import order_called, scan_called, scan_if_any
from leadglass.web.pages.lines import percent
from leadglass.web.pages.said import after, said
from leadglass.web.pages.telling import Crumb, Empty
from leadglass.web.rendering import page
from leadglass.web.visit import Visiting

__all__ = ["doors"]

doors = Doors(include_in_schema=False)

_ORDERS = 8
_AGAIN = 1000
"""Milliseconds after which a browser asks again how far a scan is."""
_NOTHING = Empty("No scan was kept yet.", "Order one, or run leadglass scan with the same database.")
_NO_SCOPE = Empty(
    "No scope is known here.", "Write one, name it in the settings of the watch, or scan once by hand:"
)
_UNSCHEDULED = Empty(
    "Nothing is scheduled.",
    "What opens tonight is found when somebody next looks. Write a schedule for each scope.",
)
_UNCHANGED = Empty(
    "Nothing that was seen before is otherwise now.", "What was seen for the first time is no change."
)


@doors.get("/scans", Permission.READ)
def scans(visit: Visiting, request: Request) -> HTMLResponse:
    """Show the scans that run, those that are due, and a page of all of them."""
    site, watch = visit.site, visit.site.desks.watch
    found = scans_page(site.database, cursor=request.query_params.get("cursor") or None)
    told = scans_view.Told(
        unfinished=[row for row in found.rows if row.state in {"open", "filling"}],
        rows=found.rows,
        next=found.next,
        schedules=watch.schedules(),
        orders=watch.orders(_ORDERS),
        scopes=watch.scopes(),
        is_watched=watch.is_running(),
    )
    return page(
        "scans.html",
        visit,
        view=scans_view.view(told, site.now()),
        nothing=_NOTHING,
        no_scope=_NO_SCOPE,
        unscheduled=_UNSCHEDULED,
        may_scan=visit.may(Permission.SCAN),
        said=said(request),
    )


@doors.post("/scans", Permission.SCAN, "order a scan")
def order(visit: Visiting, scope: Annotated[str, Form(max_length=200)]) -> RedirectResponse:
    """Order a look at all of a scope."""
    given = visit.site.desks.watch.order(scope, (), visit.name)
    visit.deed.on, visit.deed.detail = scope, given.id
    return after("/scans", "ordered")


@doors.get("/scans/{ulid}", Permission.READ)
def scan(visit: Visiting, ulid: str) -> HTMLResponse:
    """Show one scan: how far it is, what it saw, what is not as it was."""
    database = visit.site.database
    found = scan_called(database, ulid)
    row = scan_row(database, found.plan.ulid)
    differing = list(itertools.islice(changes(database, found), scans_view.MOST_CHANGES + 1))
    seen = scans_view.Seen(work.progress(database, found), row.tally if row else None, differing)
    view = scans_view.one(found, seen, visit.site.now())
    crumbs = (Crumb("Scans", "/scans"), Crumb(view.scope))
    return page("scan.html", visit, view=view, unchanged=_UNCHANGED, crumbs=crumbs)


@doors.get("/scans/{ulid}/progress", Permission.READ)
def progress(visit: Visiting, ulid: str) -> Response:
    """Tell once how far a scan is; it has ended when the lists of servers say what it saw."""
    found = scan_called(visit.site.database, ulid)
    return _told(*_how_far(visit.site.database, found), ended=is_taken_in(visit.site.database, found))


@doors.get("/orders/{order}/progress", Permission.READ)
def order_progress(visit: Visiting, order: str) -> Response:
    """Tell once how far an order is, from its waiting until the lists of servers say what came of it."""
    database = visit.site.database
    found = order_called(visit.site.desks.watch, order)
    is_over = found.state not in {OrderState.WAITING, OrderState.RUNNING}
    # An order bears the name of its scan a moment before there is one.
    scan = None if found.scan is None else scan_if_any(database, found.scan)
    if scan is None:
        return _told(0, found.state, ended=is_over)
    is_shown = scan.ended is None or is_taken_in(database, scan)
    return _told(*_how_far(database, scan), ended=is_over and is_shown)


def _how_far(database: Database, scan: StoredScan) -> tuple[int, str]:
    now = work.progress(database, scan)
    return percent(now.share), scans_view.said_of(now)


def _told(percent: int, says: str, *, ended: bool) -> Response:
    """A server-sent event; browsers ask again by themselves.

    One event an answer holds no thread while nothing happens, and looks alike to a browser.
    """
    body = {"percent": percent, "says": says, "ended": ended}
    text = f"retry: {_AGAIN}\nevent: progress\ndata: {json.dumps(body)}\n\n"
    return Response(text, media_type="text/event-stream", headers={"Cache-Control": "no-store"})
