"""Alerts, what somebody does about them, and silences."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from fastapi import Path, Query, Request, Response
from pydantic import Field

from leadglass.model.account import Permission
from leadglass.model.alert import AlertKind, AlertState, Silence
from leadglass.model.verdict import Access, Severity
from leadglass.web.api.answering import ONCE, PROBLEMS, Asked, Item, Line, Name, Ulid, known, one, with_cursor
from leadglass.web.doors import Doors
from leadglass.web.visit import Visiting

__all__ = ["doors"]

doors = Doors("/api/v1", tags=["alerts"], responses=PROBLEMS, dependencies=ONCE)

_ALERT = Path(description="The identifier of an alert.")


class AlertsAsked(Asked):
    """Which ones."""

    state: list[AlertState] = Field([], max_length=4, description="None: all of them.")
    cursor: Ulid | None = Field(None, description="The alert before those that are wanted.")
    limit: int = Field(50, ge=1, le=500)


class AlertEndpoint(Item):
    """Where."""

    address: str
    port: int
    name: str | None


class AlertItem(Item):
    """One thing to hear of."""

    id: str
    kind: AlertKind
    severity: Severity
    state: AlertState
    summary: str
    schedule: str
    scope: str
    first_at: dt.datetime
    last_at: dt.datetime
    times: int
    endpoint: AlertEndpoint | None
    system: str | None
    before: Access | None
    after: Access | None
    scan: str | None
    not_before: dt.datetime | None = Field(description="It happened between then and first_at.")
    changed_by: str
    head: str = Field(description="SHA-256 of the register's head when it was raised.")


class Alerts(Item):
    """The latest first."""

    rows: list[AlertItem]
    next: str | None


class SilenceItem(Item):
    """Somebody takes a risk upon himself until a day."""

    id: str
    owner: str
    reason: str
    until: dt.date
    kinds: list[AlertKind]
    address: str | None
    port: int | None
    system: str | None
    risk: str | None


class Silences(Item):
    """Those in force."""

    rows: list[SilenceItem]


class SilenceWish(Asked):
    """What shall be kept and sent to nobody."""

    owner: Line = Field(min_length=1, description="Who takes the risk.", examples=["Dr. Example"])
    reason: Line = Field(min_length=1, examples=["replaced in March"])
    until: dt.date = Field(description="The last day.", examples=["2027-03-31"])
    kinds: list[AlertKind] = Field([], max_length=12, description="None: all of them.")
    address: Line | None = Field(None, description="An address or a network.", examples=["192.0.2.10"])
    port: int | None = Field(None, ge=1, le=65535)
    system: Name | None = None
    risk: Name | None = Field(None, description="The accepted risk that it follows.")


@doors.get("/alerts", Permission.READ, response_model=Alerts)
def read_alerts(request: Request, visit: Visiting, which: Annotated[AlertsAsked, Query()]) -> Response:
    """What there was to hear of, the latest first."""
    states = which.state or list(AlertState)
    rows = list(visit.site.desks.watch.alerts(states, which.limit, which.cursor))
    cursor = rows[-1].id if len(rows) == which.limit else None
    answer = one(request, Alerts, {"rows": rows, "next": cursor})
    if cursor:
        answer.headers["Link"] = f'<{with_cursor(request, cursor)}>; rel="next"'
    return answer


@doors.get("/alerts/{alert}", Permission.READ, response_model=AlertItem)
def read_alert(request: Request, visit: Visiting, alert: Annotated[Ulid, _ALERT]) -> Response:
    """One of them."""
    return one(request, AlertItem, known(visit.site.desks.watch.alert, alert))


@doors.post("/alerts/{alert}/acknowledge", Permission.ALERT, "acknowledge an alert", response_model=AlertItem)
def acknowledge(request: Request, visit: Visiting, alert: Annotated[Ulid, _ALERT]) -> Response:
    """Say that somebody has seen it."""
    known(visit.site.desks.watch.alert, alert)
    return one(request, AlertItem, visit.site.desks.watch.acknowledge(alert, visit.name))


@doors.post("/alerts/{alert}/close", Permission.ALERT, "close an alert", response_model=AlertItem)
def close(request: Request, visit: Visiting, alert: Annotated[Ulid, _ALERT]) -> Response:
    """Say that it is over."""
    known(visit.site.desks.watch.alert, alert)
    return one(request, AlertItem, visit.site.desks.watch.close(alert, visit.name))


@doors.get("/silences", Permission.READ, response_model=Silences)
def read_silences(request: Request, visit: Visiting) -> Response:
    """Who has taken which risk upon himself."""
    return one(request, Silences, {"rows": list(visit.site.desks.watch.silences())})


@doors.post("/silences", Permission.ALERT, "silence alerts", response_model=SilenceItem, status_code=201)
def silence(request: Request, visit: Visiting, wish: SilenceWish) -> Response:
    """Let alerts that match be sent to nobody until a day."""
    asked = Silence(id="", **{**wish.model_dump(), "kinds": tuple(wish.kinds)})
    made = visit.site.desks.watch.silence(asked, visit.name)
    visit.deed.on = made.id
    return one(request, SilenceItem, made, 201)


@doors.delete("/silences/{silence}", Permission.ALERT, "end a silence", status_code=204)
def end_silence(
    visit: Visiting, silence: Annotated[Ulid, Path(description="The identifier of a silence.")]
) -> Response:
    """End one before its day."""
    known(lambda one_of: visit.site.desks.watch.end_silence(one_of, visit.name), silence)
    return Response(status_code=204)
