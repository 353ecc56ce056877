"""The first screen."""

from __future__ import annotations

from fastapi.responses import HTMLResponse

from leadglass.model.account import Permission
from leadglass.web.doors import Doors
from leadglass.web.rendering import page
from leadglass.web.visit import Visiting

__all__ = ["doors"]

doors = Doors(include_in_schema=False)


@doors.get("/", Permission.READ)
def overview(visit: Visiting) -> HTMLResponse:
    """Show whether something is exposed, since when, and what to do first."""
    return page("overview.html", visit)
