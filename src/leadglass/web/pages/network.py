"""The network, for those who would rather look than read."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import HTMLResponse

from leadglass.model.account import Permission
from leadglass.model.verdict import Severity
from leadglass.store.server_rows import Sort
from leadglass.store.servers import servers_page
from leadglass.web.doors import Doors
from leadglass.web.pages import network_view
from leadglass.web.pages.telling import Empty
from leadglass.web.rendering import page
from leadglass.web.visit import Visiting

__all__ = ["doors"]

doors = Doors(include_in_schema=False)

_PAGE = 200
_NOTHING = Empty("No server is known yet.", "Order a scan of a server of your own.", "/scans", "To the scans")


@doors.get("/network", Permission.READ)
def network(visit: Visiting, request: Request) -> HTMLResponse:
    """Show the servers as squares in their networks, and the same as tables."""
    site, cursor = visit.site, request.query_params.get("cursor") or None
    found = servers_page(site.database, sort=Sort.ADDRESS, cursor=cursor, limit=_PAGE)
    view = network_view.view(found, site.now())
    return page("network.html", visit, view=view, severities=tuple(Severity), nothing=_NOTHING)
