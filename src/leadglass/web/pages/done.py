"""What was done here: the audit of the dashboard and the API."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from fastapi import Query
from fastapi.responses import Response

from leadglass.ledger.verify import Broken
from leadglass.model.account import Permission
from leadglass.store.actions import Question, actions_done, check_actions
from leadglass.web.doors import Doors
from leadglass.web.pages.telling import with_query
from leadglass.web.rendering import page
from leadglass.web.visit import Visit, Visiting

__all__ = ["doors"]

doors = Doors(include_in_schema=False)

_PAGE = 100


@doors.get("/settings/actions", Permission.AUDIT)
def done(
    visit: Visiting,
    *,
    who: Annotated[str, Query(max_length=64)] = "",
    what: Annotated[str, Query(max_length=64)] = "",
    since: Annotated[dt.date | None, Query()] = None,
    until: Annotated[dt.date | None, Query()] = None,
    before: Annotated[int | None, Query(ge=1, le=10**15)] = None,
    check: Annotated[bool, Query()] = False,
) -> Response:
    """Show it, latest first; and whether the chain is whole, if that is asked."""
    question = Question(
        who=who or None,
        what=what or None,
        since=None if since is None else _midnight(since),
        until=None if until is None else _midnight(until) + 86_400,
        before=before,
        most=_PAGE,
    )
    found = actions_done(visit.site.database, question)
    asked = {"who": who, "what": what, "since": _day(since), "until": _day(until)}
    older = (
        with_query("/settings/actions", {**asked, "before": str(found[-1].n)}) if len(found) == _PAGE else ""
    )
    return page(
        "actions.html", visit, found=found, asked=asked, older=older, whole=_whole(visit) if check else ""
    )


def _whole(visit: Visit) -> str:
    result = check_actions(visit.site.database)
    if isinstance(result, Broken):
        return f"The chain is broken at entry {result.n}: {result.why}."
    return f"The chain is whole up to entry {result.head.n}, {result.head.digest}."


def _midnight(day: dt.date) -> int:
    return int(dt.datetime.combine(day, dt.time(), dt.UTC).timestamp())


def _day(day: dt.date | None) -> str:
    return "" if day is None else day.isoformat()
