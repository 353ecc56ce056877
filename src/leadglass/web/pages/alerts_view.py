"""Alerts and silences as they are shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from leadglass.model.alert import Alert, AlertKind, AlertState, Silence
from leadglass.web.pages.lines import ALERTS, AlertLine, alert_lines
from leadglass.web.pages.telling import Empty, Link, Option, with_query

__all__ = ["STATES", "AlertsView", "SilenceLine", "view"]

STATES = {
    "open": (AlertState.OPEN,),
    "acknowledged": (AlertState.ACKNOWLEDGED,),
    "silent": (AlertState.SILENT,),
    "closed": (AlertState.CLOSED,),
    "all": tuple(AlertState),
}
"""What can be looked at."""

_NONE = {
    "open": Empty("No open alert.", "Whatever a scheduled scan finds changed for the worse stands here."),
    "acknowledged": Empty("Nothing is acknowledged.", "Acknowledge an open alert to say that you are at it."),
    "silent": Empty("Nothing is silent.", "Alerts about risks that somebody accepted stand here."),
    "closed": Empty("Nothing was closed yet.", "What is over stands here."),
    "all": Empty("There was no alert yet.", "Alerts come from scheduled scans: see the scans for schedules."),
}


@dataclass(frozen=True, slots=True)
class SilenceLine:
    """A silence in force."""

    id: str
    what: str
    owner: str
    reason: str
    until: str


@dataclass(frozen=True, slots=True)
class AlertsView:
    """The page."""

    chosen: str
    tabs: tuple[Link, ...]
    lines: tuple[AlertLine, ...]
    nothing: Empty
    older: str
    """Where older ones are; "" if these are all."""
    silences: tuple[SilenceLine, ...]
    kinds: tuple[Option, ...]


def view(
    chosen: str, alerts: Sequence[Alert], silences: Iterable[Silence], most: int, now: int
) -> AlertsView:
    """The page that shows ``alerts``, ``most`` at a time."""
    last = alerts[-1].id if len(alerts) == most else ""
    return AlertsView(
        chosen=chosen,
        tabs=tuple(Link(name.capitalize(), with_query("/alerts", {"state": name})) for name in STATES),
        lines=alert_lines(alerts, now),
        nothing=_NONE[chosen],
        older=with_query("/alerts", {"state": chosen, "before": last}) if last else "",
        silences=tuple(_line(silence) for silence in silences),
        kinds=(Option("", "everything"), *(Option(kind, ALERTS[kind]) for kind in AlertKind)),
    )


def _line(silence: Silence) -> SilenceLine:
    kinds = ", ".join(ALERTS[kind] for kind in silence.kinds) or "Everything"
    places = [
        f"at {silence.address}" if silence.address else "",
        f"port {silence.port}" if silence.port else "",
        f"of {silence.system}" if silence.system else "",
        f"by the risk {silence.risk}" if silence.risk else "",
    ]
    what = " ".join([kinds, *filter(None, places)])
    return SilenceLine(silence.id, what, silence.owner, silence.reason, silence.until.isoformat())
