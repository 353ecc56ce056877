"""What Prometheus is told of the watch: its text format 0.0.4."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from leadglass.model.alert import AlertState
from leadglass.model.order import OrderState
from leadglass.model.verdict import Severity
from leadglass.settings.watch_file import WatchSettings
from leadglass.store import alerts, deliveries, orders, watch_state
from leadglass.store.database import Database
from leadglass.watch.detection import detection
from leadglass.watch.due import next_due

__all__ = ["metrics"]

_STALE = 120.0
"""Seconds after which a sending that was begun is one of which nobody knows."""
_ENDED = (OrderState.DONE, OrderState.FAILED, OrderState.MISSED)


def metrics(database: Database, settings: WatchSettings, now: float, troubles: int) -> str:
    """The page. ``troubles`` is how many of the watch's threads cannot work just now."""
    lines = [
        *_gauge("up", "Whether the database answers.", [("", 1)]),
        *_gauge("troubles", "Parts of the watch that cannot work just now.", [("", troubles)]),
        *_gauge("watchers", "Processes that watch.", [("", len(watch_state.watchers_of(database)))]),
        *_schedules(database, settings, now),
        *_alerts(database),
        *_deliveries(database, now),
        *_detection(database),
    ]
    return "\n".join(lines) + "\n"


def _schedules(database: Database, settings: WatchSettings, now: float) -> Iterator[str]:
    ended, done, failed = [], [], []
    due = []
    for schedule in settings.schedules:
        label = f'{{schedule="{schedule.name}"}}'
        due.append((label, next_due(schedule, now).at))
        latest = [
            one for one in orders.latest(database, 20, schedule.name) if one.state in _ENDED and not one.ports
        ]
        if latest:
            ended.append((label, latest[0].ended_at or 0))
            failed.append((label, int(latest[0].state is not OrderState.DONE)))
        finished = next((one for one in latest if one.state is OrderState.DONE), None)
        if finished is not None:
            done.append((label, finished.ended_at or 0))
    yield from _gauge("next_due_timestamp_seconds", "When a schedule is due next.", due)
    yield from _gauge("last_end_timestamp_seconds", "When its last order ended or was missed.", ended)
    yield from _gauge("last_success_timestamp_seconds", "When its last scan was finished.", done)
    yield from _gauge("last_failed", "Whether its last order failed or was missed.", failed)


def _alerts(database: Database) -> Iterator[str]:
    counted = alerts.counts(database)
    rows = [
        (f'{{state="{state}",severity="{severity}"}}', counted.get((state, severity), 0))
        for state in AlertState
        if state is not AlertState.CLOSED
        for severity in Severity
    ]
    yield from _gauge("alerts", "Alerts that are not closed.", rows)


def _deliveries(database: Database, now: float) -> Iterator[str]:
    lost = deliveries.lost(database, now - _STALE)
    rows = [
        (f'{{state="{state}"}}', sum(one.state is state for one in lost))
        for state in (deliveries.DeliveryState.FAILED, deliveries.DeliveryState.SENDING)
    ]
    yield from _gauge("deliveries_in_trouble", "Alerts that did not leave, or of which nobody knows.", rows)


def _detection(database: Database) -> Iterator[str]:
    found = detection(alerts.detections(database))
    if found is not None:
        rows = [
            ('{bound="median_at_most"}', found.median_at_most),
            ('{bound="worst_at_most"}', found.worst_at_most),
        ]
        yield from _gauge("detection_seconds", "From happening to being seen, at the most.", rows)


def _gauge(name: str, says: str, rows: Sequence[tuple[str, float]]) -> Iterator[str]:
    if rows:
        yield f"# HELP leadglass_watch_{name} {says}"
        yield f"# TYPE leadglass_watch_{name} gauge"
        for label, value in rows:
            yield (
                f"leadglass_watch_{name}{label} {value:g}"
                if value < 1e6
                else (f"leadglass_watch_{name}{label} {int(value)}")
            )
