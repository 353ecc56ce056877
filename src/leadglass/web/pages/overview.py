"""The first screen."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable

from fastapi.responses import HTMLResponse

from leadglass.model.account import Permission
from leadglass.model.alert import AlertState
from leadglass.store import diff, overview
from leadglass.store.database import Database
from leadglass.store.scans import find
from leadglass.store.server_rows import Overview, Sort
from leadglass.store.servers import servers_page
from leadglass.web.doors import Doors
from leadglass.web.pages import overview_view
from leadglass.web.pages.changes_view import ChangeLine, change_line, new_line
from leadglass.web.pages.lines import alert_lines, worst_first
from leadglass.web.pages.telling import date_of
from leadglass.web.rendering import page
from leadglass.web.visit import Visit, Visiting

__all__ = ["doors"]

doors = Doors(include_in_schema=False)

_CHANGES = 6
_ALERTS = 5
_REVIEWS = 6
_COMPARABLE = 2
"""Scans that it takes to compare."""
_LATEST = 5
"""Scans whose position is asked for."""
_SOON = dt.timedelta(days=14)


@doors.get("/", Permission.READ)
def first_screen(visit: Visiting) -> HTMLResponse:
    """Show whether something is exposed, since when, and what to do first."""
    told = _told(visit)
    return page("overview.html", visit, view=overview_view.view(told, visit.site.now()))


def _told(visit: Visit) -> overview_view.Told:
    site, desks = visit.site, visit.site.desks
    seen = overview.overview(site.database)
    ended = overview.scans_page(site.database, limit=1).count.number - len(seen.unfinished)
    is_first = ended < _COMPARABLE
    alerts = worst_first(desks.watch.alerts([AlertState.OPEN], 10 * _ALERTS))[:_ALERTS]
    return overview_view.Told(
        overview=seen,
        changes=tuple(itertools.islice(_changes(site.database, seen, is_first=is_first), _CHANGES)),
        positions=overview.positions(site.database, _LATEST),
        alerts=alert_lines(alerts, site.now()),
        reviews=desks.register.reviews_due(date_of(site.now()) + _SOON)[:_REVIEWS],
        is_watching=bool(desks.watch.schedules()),
        is_first=is_first,
    )


def _changes(database: Database, seen: Overview, *, is_first: bool) -> Iterable[ChangeLine]:
    """What the last scan saw otherwise than before; then what was first seen since it began, if it was not the first."""
    if seen.last is None:
        return
    changed = itertools.islice(diff.changes(database, find(database, seen.last.ulid)), _CHANGES)
    yield from (change_line(change) for change in changed)
    if not is_first:
        newest = servers_page(database, sort=Sort.FIRST_SEEN, limit=_CHANGES)
        yield from (new_line(row) for row in newest.rows if row.first_seen >= seen.last.began)
