"""The guard: how it is, who used how much, and what its trail says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fastapi import Request
from fastapi.responses import HTMLResponse

from leadglass.errors import LeadglassError
from leadglass.model.account import Permission
from leadglass.ports.dashboard import AuditQuestion, Connection, GuardDesk, GuardEvent, GuardState
from leadglass.web.doors import Doors
from leadglass.web.pages.telling import Empty, Option, options, shortened
from leadglass.web.rendering import page
from leadglass.web.visit import Visit, Visiting

__all__ = [
    "Budget",
    "EventLine",
    "StateView",
    "budget_lines",
    "doors",
    "event_lines",
    "question",
    "state_view",
]

doors = Doors(include_in_schema=False)

_NAME = 120
_OUTCOMES = ("success", "failure")
_ABSENT = Empty(
    "No guard is named here.",
    "A guard stands before an archive that cannot protect itself. Set one up with leadglass guard init, and name its folder in serve.toml.",
)
_UNUSED = Empty(
    "Nobody has used any budget lately.", "Budgets bound how much each device and person may ask for."
)
_NO_EVENT = Empty("Nothing in the trail matches.", "Ask for less.")


@dataclass(frozen=True, slots=True)
class StateView:
    """How the guard is."""

    state: str
    is_well: bool
    problems: tuple[str, ...]
    numbers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Budget:
    """Who used how much."""

    principal: str
    numbers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class EventLine:
    """One event of the trail."""

    at: str
    who: str
    what: str
    outcome: str
    address: str
    why: str


@doors.get("/guard", Permission.READ)
def guard(visit: Visiting, request: Request) -> HTMLResponse:
    """Show how the guard is and, to whom it may concern, its trail."""
    desk = visit.site.desks.guard
    if desk is None:
        return page("guard.html", visit, state=None, absent=_ABSENT)
    query = request.query_params
    events, trouble = _audit(visit, desk, query)
    return page(
        "guard.html",
        visit,
        state=state_view(desk.state()),
        budgets=budget_lines(desk.budgets()),
        unused=_UNUSED,
        events=events,
        trouble=trouble,
        no_event=_NO_EVENT,
        asked={name: query.get(name, "")[:_NAME] for name in ("who", "what", "since", "until")},
        outcomes=_outcomes(query.get("outcome", "")),
        may_audit=visit.may(Permission.AUDIT),
    )


def state_view(state: GuardState) -> StateView:
    """Its state in words and numbers."""
    numbers = tuple((name.replace("_", " "), f"{number:,.0f}") for name, number in state.numbers.items())
    return StateView(state.state, state.state == "ok", tuple(state.problems), numbers)


def budget_lines(used: Iterable[Connection]) -> tuple[Budget, ...]:
    """Who used how much, one line each."""
    return tuple(
        Budget(
            shortened(one.principal, _NAME),
            tuple((name.replace("_", " "), f"{number:,}") for name, number in one.numbers.items()),
        )
        for one in used
    )


def event_lines(events: Iterable[GuardEvent]) -> tuple[EventLine, ...]:
    """Events, one line each."""
    return tuple(
        EventLine(
            event.at.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
            shortened(event.who, _NAME),
            event.what,
            event.outcome,
            event.address,
            shortened(event.why, 2 * _NAME),
        )
        for event in events
    )


def question(query: Mapping[str, str]) -> AuditQuestion:
    """What is looked for; what cannot be read is not."""
    until = _midnight(query.get("until", ""))
    return AuditQuestion(
        who=query.get("who", "")[:_NAME] or None,
        what=query.get("what", "")[:_NAME] or None,
        outcome=query.get("outcome", "")[:_NAME] or None,
        since=_midnight(query.get("since", "")),
        until=None if until is None else until + dt.timedelta(days=1),
    )


def _audit(visit: Visit, desk: GuardDesk, query: Mapping[str, str]) -> tuple[tuple[EventLine, ...], str]:
    if not visit.may(Permission.AUDIT):
        return (), ""
    try:
        return event_lines(desk.audit(question(query))), ""
    except LeadglassError as exc:
        return (), exc.what


def _midnight(text: str) -> dt.datetime | None:
    try:
        return dt.datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=dt.UTC)
    except ValueError:
        return None


def _outcomes(chosen: str) -> tuple[Option, ...]:
    return options(_OUTCOMES, chosen, "any")
