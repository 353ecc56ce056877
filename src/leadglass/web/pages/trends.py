"""Trends, and the pictures of them."""

from __future__ import annotations

from typing import Literal

from fastapi import Request
from fastapi.responses import HTMLResponse, Response

from leadglass.model.account import Permission
from leadglass.model.verdict import Severity
from leadglass.store.overview import scans_page, trend
from leadglass.web.doors import Doors
from leadglass.web.pages import trends_view
from leadglass.web.pages.charts import Look, lines, policy, stacked
from leadglass.web.pages.telling import Empty
from leadglass.web.rendering import page
from leadglass.web.visit import Visiting

__all__ = ["doors"]

doors = Doors(include_in_schema=False)

_MOST = 200
"""Characters of the name of a scope."""
_NOTHING = Empty("No scan has ended yet.", "A trend begins with the second scan.", "/scans", "To the scans")


@doors.get("/trends", Permission.READ)
def trends(visit: Visiting, request: Request) -> HTMLResponse:
    """Show how it went from scan to scan."""
    database, scope = visit.site.database, request.query_params.get("scope", "")[:_MOST]
    known = dict.fromkeys(row.scope for row in scans_page(database).rows if row.scope)
    view = trends_view.view(trend(database, scope or None), scope, known)
    return page("trends.html", visit, view=view, severities=tuple(Severity), nothing=_NOTHING)


@doors.get("/charts/{name}.svg", Permission.READ)
def chart(
    visit: Visiting, name: Literal["severity", "exposed"], look: Look = Look.LIGHT, scope: str = ""
) -> Response:
    """Draw one picture."""
    scans = trends_view.drawn(trend(visit.site.database, scope[:_MOST] or None))
    labels = trends_view.labels(scans)
    if name == "severity":
        drawn = stacked(labels, [trends_view.counts(scan) for scan in scans], look)
    else:
        asking = [trends_view.exposed_of(scan) for scan in scans]
        searched = [trends_view.searched_of(scan) for scan in scans]
        drawn = lines(labels, {"ask for action": asking, "answer a stranger's query": searched}, look)
    return Response(drawn, media_type="image/svg+xml", headers={"Content-Security-Policy": policy(drawn)})
