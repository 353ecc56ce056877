"""Alerts: what somebody has to hear, and what is done about it."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from fastapi import Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel, Field

from leadglass.model.account import Permission
from leadglass.model.alert import AlertKind, Silence
from leadglass.web.doors import Doors
from leadglass.web.pages import alerts_view
from leadglass.web.pages.said import after, said
from leadglass.web.pages.telling import date_of
from leadglass.web.rendering import page
from leadglass.web.visit import Visiting

__all__ = ["doors"]

doors = Doors(include_in_schema=False)

_PAGE = 50
_MONTH = dt.timedelta(days=30)


@doors.get("/alerts", Permission.READ)
def alerts(visit: Visiting, request: Request) -> HTMLResponse:
    """Show the alerts of one state, the latest first."""
    watch, query = visit.site.desks.watch, request.query_params
    chosen = query.get("state", "open")
    chosen = chosen if chosen in alerts_view.STATES else "open"
    found = watch.alerts(alerts_view.STATES[chosen], _PAGE, query.get("before") or None)
    return page(
        "alerts.html",
        visit,
        view=alerts_view.view(chosen, found, watch.silences(), _PAGE, visit.site.now()),
        may_alert=visit.may(Permission.ALERT),
        next_month=date_of(visit.site.now()) + _MONTH,
        said=said(request),
    )


@doors.post("/alerts/{alert}/acknowledge", Permission.ALERT, "acknowledge an alert")
def acknowledge(visit: Visiting, alert: str) -> RedirectResponse:
    """Write down that somebody is at it."""
    visit.deed.on = visit.site.desks.watch.acknowledge(alert, visit.name).id
    return after("/alerts", "acknowledged")


@doors.post("/alerts/{alert}/close", Permission.ALERT, "close an alert")
def close(visit: Visiting, alert: str) -> RedirectResponse:
    """Write down that it is over."""
    visit.deed.on = visit.site.desks.watch.close(alert, visit.name).id
    return after("/alerts", "closed")


class Silenced(BaseModel):
    """The form that lets alerts be silent."""

    owner: Annotated[str, Field(min_length=1, max_length=200)]
    reason: Annotated[str, Field(min_length=1, max_length=500)]
    until: dt.date
    kind: AlertKind | Literal[""] = ""
    address: Annotated[str, Field(max_length=60)] = ""


@doors.post("/silences", Permission.ALERT, "silence alerts")
def silence(visit: Visiting, form: Annotated[Silenced, Form()]) -> RedirectResponse:
    """Let a risk that somebody accepted be silent until a day."""
    kinds = (form.kind,) if form.kind else ()
    wanted = Silence(
        "", form.owner.strip(), form.reason.strip(), form.until, kinds, form.address.strip() or None
    )
    visit.deed.on = visit.site.desks.watch.silence(wanted, visit.name).id
    return after("/alerts", "silenced")


@doors.post("/silences/{silence}/end", Permission.ALERT, "end a silence")
def end_silence(visit: Visiting, silence: str) -> RedirectResponse:
    """Let alerts be heard again."""
    visit.site.desks.watch.end_silence(silence, visit.name)
    visit.deed.on = silence
    return after("/alerts", "unsilenced")
