"""``leadglass watch status`` and ``now``: how the watch stands, and a scan at once."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from leadglass.cli.codes import EXPOSED
from leadglass.cli.database import DatabaseOption
from leadglass.cli.register_options import who
from leadglass.cli.terminal import complain, write
from leadglass.cli.watch_options import CONFIG, ByOption, ConfigOption, FormatOption, Shape, desk, settings
from leadglass.model.alert import AlertState
from leadglass.model.order import Order
from leadglass.model.verdict import Severity
from leadglass.ports.dashboard import NextRun
from leadglass.report.safe import visible
from leadglass.store import alerts as kept
from leadglass.store import deliveries
from leadglass.store.deliveries import Delivery
from leadglass.watch.detection import Detection, detection
from leadglass.wiring.watch_desk import Desk

__all__ = ["now", "status"]

_STALE = 120.0
"""Seconds after which a sending that was begun is one of which nobody knows."""


@dataclass(frozen=True, slots=True)
class _Status:
    watched: bool
    schedules: Sequence[NextRun]
    alerts: Mapping[tuple[AlertState, Severity], int]
    detection: Detection | None
    lost: Sequence[Delivery]

    def open(self, severity: Severity) -> int:
        return self.alerts.get((AlertState.OPEN, severity), 0)


def status(
    config: ConfigOption = CONFIG,
    fail_on: Annotated[Severity, typer.Option(help="Exit 1 if alerts so severe are open.")] = Severity.MEDIUM,
    shape: FormatOption = Shape.TEXT,
    database: DatabaseOption = None,
) -> None:
    """How the watch stands: schedules, open alerts, what could not be sent, and how long it takes to learn of something.

    Example: leadglass watch status --config watch.toml
    """
    with desk(database, settings(config)) as one:
        found = _status(one)
    if shape is Shape.JSON:
        write(json.dumps(_as_json(found), indent=2) + "\n")
    else:
        write("".join(f"{line}\n" for line in _lines(found)))
    if any(found.open(one) for one in Severity if one.rank <= fail_on.rank):
        raise typer.Exit(EXPOSED)


def now(
    schedule: Annotated[
        str, typer.Argument(metavar="SCHEDULE", help="Which, by its name.", show_default=False)
    ],
    by: ByOption = None,
    config: ConfigOption = CONFIG,
    database: DatabaseOption = None,
) -> None:
    """Have whoever watches scan a schedule's scope at once.

    Example: leadglass watch now nightly --by "Dr. Hopper"
    """
    with desk(database, settings(config)) as one:
        write(f"ordered: {one.order_for(schedule, (), who(by)).id}\n")
        if not one.is_running():
            complain("nobody watches now; leadglass watch run does it")


def _status(one: Desk) -> _Status:
    store = one.database
    return _Status(
        one.is_running(),
        one.schedules(),
        kept.counts(store),
        detection(kept.detections(store)),
        deliveries.lost(store, one.clock.posix() - _STALE),
    )


def _lines(found: _Status) -> Iterator[str]:
    yield "somebody watches" if found.watched else "nobody watches"
    for run in found.schedules:
        yield f"{run.schedule}: {visible(run.scope)}, at {run.when}; next {_when(run.next_at)}; {_last(run.last)}"
    counted = [f"{found.open(one)} {one}" for one in Severity if found.open(one)]
    yield f"open alerts: {', '.join(counted) or 'none'}"
    if found.detection is not None:
        half, worst = (_span(s) for s in (found.detection.median_at_most, found.detection.worst_at_most))
        yield (
            f"learned of it: half of {found.detection.alerts} alerts within {half} of happening or sooner,"
            f" all within {worst}"
        )
    for one in found.lost:
        known = (
            "did not leave"
            if one.state is deliveries.DeliveryState.FAILED
            else "nobody knows whether it left"
        )
        yield f"alert {one.alert} by {one.channel}: {known}; {visible(one.trouble) or 'tried once'}"


def _last(order: Order | None) -> str:
    if order is None:
        return "not scanned yet"
    at = order.ended_at or order.began_at or order.due_at
    trouble = f": {visible(order.trouble)}" if order.trouble else ""
    return f"last {order.state} {_when(at)}{trouble}"


def _when(at: int | None) -> str:
    if at is None:
        return "never"
    return dt.datetime.fromtimestamp(at, dt.UTC).strftime("%Y-%m-%d %H:%M UTC")


def _span(seconds: float) -> str:
    for size, name in ((86_400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= size:
            return f"{seconds / size:.1f} {name}"
    return f"{seconds:.0f} seconds"


def _as_json(found: _Status) -> dict[str, Any]:
    return {
        "schema": "leadglass.watch-status/1",
        "watched": found.watched,
        "schedules": [
            {
                "schedule": run.schedule,
                "scope": run.scope,
                "when": run.when,
                "next_at": run.next_at,
                "last": None if run.last is None else _order(run.last),
            }
            for run in found.schedules
        ],
        "alerts": [
            {"state": state, "severity": severity, "count": count}
            for (state, severity), count in sorted(found.alerts.items())
        ],
        "detection_seconds": None
        if found.detection is None
        else {
            "alerts": found.detection.alerts,
            "median_at_most": found.detection.median_at_most,
            "worst_at_most": found.detection.worst_at_most,
        },
        "deliveries_in_trouble": [
            {"alert": one.alert, "channel": one.channel, "state": one.state, "trouble": one.trouble}
            for one in found.lost
        ],
    }


def _order(order: Order) -> dict[str, Any]:
    return {
        "id": order.id,
        "why": order.why,
        "state": order.state,
        "due_at": order.due_at,
        "began_at": order.began_at,
        "ended_at": order.ended_at,
        "scan": order.scan,
        "trouble": order.trouble,
    }
