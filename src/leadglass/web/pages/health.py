"""Whether the dashboard answers, for whoever watches it: a word, and nothing of what it knows."""

from __future__ import annotations

from fastapi.responses import PlainTextResponse

from leadglass.store.actions import head_of_actions
from leadglass.web.doors import Doors, Who
from leadglass.web.visit import Visiting

__all__ = ["doors"]

doors = Doors(include_in_schema=False)


@doors.get("/health", Who.ANYBODY)
def health(visit: Visiting) -> PlainTextResponse:
    """Say ok if the store answers; 503 otherwise."""
    head_of_actions(visit.site.database)
    return PlainTextResponse("ok\n")
