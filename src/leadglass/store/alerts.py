"""Alerts: raised once while their like is open, sent to each channel once, closed by whoever saw to it.

An alert and where it is to go (``store.deliveries``) are written down in one transaction, before anything is sent.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, and_, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from leadglass.errors import UsageError
from leadglass.model.alert import OPENINGS, Alert, AlertState
from leadglass.model.key import pack
from leadglass.model.order import Order
from leadglass.model.verdict import Severity
from leadglass.store.alert_rows import alert_of, row_of
from leadglass.store.database import Database
from leadglass.store.deliveries import Occasion, put, went_to
from leadglass.store.retests import drop_needless
from leadglass.store.schema import alerts

__all__ = [
    "Closing",
    "News",
    "change",
    "counts",
    "detections",
    "find",
    "of_endpoint",
    "open_alerts",
    "page",
    "publish",
    "raise_",
]

_CLOSED = AlertState.CLOSED.value


@dataclass(frozen=True, slots=True)
class Closing:
    """An alert that is over, and the good news of it."""

    alert: str
    fixed: Alert


def _nowhere(_: Alert) -> Sequence[str]:
    return ()


@dataclass(frozen=True, slots=True)
class News:
    """What follows from one scan, or from its absence."""

    source: str = ""
    """The scan or order that tells it: whatever it says twice counts once."""
    raised: Sequence[Alert] = ()
    closed: Sequence[Closing] = ()
    orders: Sequence[Order] = ()
    """To look again."""
    channels: Callable[[Alert], Sequence[str]] = field(default=_nowhere)
    """Where an alert goes, by the names of channels."""


# ---- raising and closing


def raise_(database: Database, news: News) -> None:
    """Write down what ``news`` raises and closes; its orders are given by ``store.orders``.

    A second look that was to settle an alert which is closed now is taken back.
    """
    with database.write() as connection:
        publish(connection, news)


def publish(connection: Connection, news: News) -> None:
    """``raise_``, in a transaction that is open."""
    for alert in news.raised:
        _raise(connection, alert, news)
    for closing in news.closed:
        _close(connection, closing, news)


def _raise(connection: Connection, alert: Alert, news: News) -> None:
    columns = alerts.c
    said = and_(columns.key == alert.key, columns.last_source == news.source)
    if news.source and connection.execute(select(columns.id).where(said)).first():
        return
    query = select(columns.id, columns.state).where(columns.open_key == alert.key).with_for_update()
    before = connection.execute(query).first()
    while before is None:
        if _insert(connection, row_of(alert, news.source)):
            if alert.state is AlertState.OPEN:
                _address(connection, alert, news.channels(alert))
            return
        before = connection.execute(query).first()  # somebody else was quicker
    values: dict[str, Any] = {
        "times": columns.times + 1,
        "last_at": alert.last_at,
        "last_source": news.source,
        "summary": alert.summary,
        "severity": alert.severity.value,
    }
    heard = before.state == AlertState.SILENT.value and alert.state is AlertState.OPEN
    if heard:  # it stood under a silence that has ended
        values |= {"state": AlertState.OPEN.value, "head": alert.head}
    connection.execute(update(alerts).where(columns.id == before.id).values(values))
    if heard:
        _address(connection, dataclasses.replace(alert, id=before.id), news.channels(alert))


def _insert(connection: Connection, row: Mapping[str, Any]) -> bool:
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    inserting = make(alerts).values(row).on_conflict_do_nothing().returning(alerts.c.id)
    return connection.execute(inserting).first() is not None


def _close(connection: Connection, closing: Closing, news: News) -> None:
    columns, fixed = alerts.c, closing.fixed
    still = and_(columns.id == closing.alert, columns.state != _CLOSED)
    row = connection.execute(select(columns.state).where(still).with_for_update()).first()
    if row is None:
        return
    values = {"state": _CLOSED, "open_key": None, "changed_by": "", "changed_at": fixed.first_at}
    connection.execute(update(alerts).where(columns.id == closing.alert).values(values))
    over = dataclasses.replace(fixed, state=AlertState.CLOSED)
    connection.execute(insert(alerts).values(row_of(over, news.source)))
    # The good news goes where the bad news went.
    for channel in went_to(connection, closing.alert):
        put(connection, fixed.id, channel, Occasion.RAISED)
    drop_needless(connection, fixed.schedule, fixed.first_at)


def change(database: Database, identifier: str, state: AlertState, by: str, now: float) -> Alert:
    """What somebody does about an alert: acknowledge it, close it, open it again; the alert as it is then.

    ``UsageError`` if there is no such alert, or if it is closed: what is closed comes again if it happens again.
    """
    with database.write() as connection:
        row = _named(connection, identifier, database.where)
        if row.state == _CLOSED:
            raise UsageError(f"the alert {row.id} is closed already", where=database.where)
        values: dict[str, Any] = {"state": state.value, "changed_by": by, "changed_at": int(now)}
        if state is AlertState.CLOSED:
            values["open_key"] = None
        connection.execute(update(alerts).where(alerts.c.id == row.id).values(values))
        if state is AlertState.CLOSED:
            drop_needless(connection, row.schedule, int(now))
        return alert_of(connection.execute(select(alerts).where(alerts.c.id == row.id)).one())


# ---- looking


def find(database: Database, identifier: str) -> Alert:
    """The alert called so: whole, or by eight or more characters of its end; ``UsageError`` if not one is."""
    with database.read() as connection:
        return alert_of(_named(connection, identifier, database.where))


def page(
    database: Database,
    *,
    states: Iterable[AlertState] = (),
    least: Severity | None = None,
    address: str | None = None,
    after: str | None = None,
    most: int = 100,
) -> Sequence[Alert]:
    """The latest ``most`` alerts, the newest first; ``after``: those older than the alert called so.

    In one of ``states`` (none: any), at least as severe as ``least``, about ``address``.
    """
    query = select(alerts).order_by(alerts.c.id.desc()).limit(most)
    wanted = [state.value for state in states]
    if wanted:
        query = query.where(alerts.c.state.in_(wanted))
    if least is not None:
        query = query.where(alerts.c.severity.in_([one.value for one in Severity if one.rank <= least.rank]))
    if address is not None:
        low, high = pack(address, 0), pack(address, 65535)
        query = query.where(alerts.c.endpoint.between(low, high), func.length(alerts.c.endpoint) == len(low))
    if after is not None:
        query = query.where(alerts.c.id < after)
    with database.read() as connection:
        return [alert_of(row) for row in connection.execute(query)]


def open_alerts(database: Database, schedule: str | None = None) -> Sequence[Alert]:
    """All that are not closed, oldest first; those of one schedule only, if it is named."""
    query = select(alerts).where(alerts.c.open_key.is_not(None)).order_by(alerts.c.id)
    if schedule is not None:
        query = query.where(alerts.c.schedule == schedule)
    with database.read() as connection:
        return [alert_of(row) for row in connection.execute(query)]


def of_endpoint(database: Database, address: str, port: int) -> Sequence[Alert]:
    """All that were ever raised about it, oldest first."""
    query = select(alerts).where(alerts.c.endpoint == pack(address, port)).order_by(alerts.c.id)
    with database.read() as connection:
        return [alert_of(row) for row in connection.execute(query)]


def counts(database: Database) -> Mapping[tuple[AlertState, Severity], int]:
    """How many there are, by state and severity."""
    query = select(alerts.c.state, alerts.c.severity, func.count()).group_by(
        alerts.c.state, alerts.c.severity
    )
    with database.read() as connection:
        rows = connection.execute(query)
        return {(AlertState(state), Severity(severity)): number for state, severity, number in rows}


def detections(database: Database, most: int = 1000) -> Sequence[tuple[int, int]]:
    """Of the latest alerts about something that had opened, the last look that saw it otherwise and the first so."""
    kinds = [kind.value for kind in OPENINGS]
    query = (
        select(alerts.c.not_before, alerts.c.first_at)
        .where(alerts.c.kind.in_(kinds), alerts.c.not_before.is_not(None))
        .order_by(alerts.c.id.desc())
        .limit(most)
    )
    with database.read() as connection:
        return [(row.not_before, row.first_at) for row in connection.execute(query)]


# ---- rows


def _address(connection: Connection, alert: Alert, channels: Sequence[str]) -> None:
    for channel in channels:
        put(connection, alert.id, channel, Occasion.RAISED)


_SHORTEST = 8


def _named(connection: Connection, identifier: str, where: str) -> Any:
    columns = alerts.c
    text = identifier.upper()
    if len(text) < _SHORTEST or not text.isalnum():
        raise UsageError(f"{identifier!r} names no alert", then="leadglass watch alerts lists them")
    rows = connection.execute(select(alerts).where(columns.id.endswith(text)).limit(2)).all()
    if len(rows) != 1:
        said = (
            f"more than one alert ends with {identifier!r}" if rows else f"there is no alert {identifier!r}"
        )
        raise UsageError(said, where=where, then="leadglass watch alerts lists them")
    return rows[0]
