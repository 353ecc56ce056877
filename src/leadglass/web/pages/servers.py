"""The list of servers."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import HTMLResponse

from leadglass.model.account import Permission
from leadglass.store.servers import servers_page
from leadglass.web.doors import Doors
from leadglass.web.pages import servers_view
from leadglass.web.rendering import page
from leadglass.web.visit import Visiting

__all__ = ["doors"]

doors = Doors(include_in_schema=False)


@doors.get("/servers", Permission.READ)
def servers(visit: Visiting, request: Request) -> HTMLResponse:
    """Show the servers that the address asks for, a page at a time."""
    site = visit.site
    asked = servers_view.asked(request.query_params)
    found = servers_page(site.database, asked.wanted, asked.sort, cursor=asked.cursor)
    view = servers_view.view(asked, found, site.desks.watch.scopes(), site.now())
    return page("servers.html", visit, view=view)
