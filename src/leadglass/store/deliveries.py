"""Which alert goes where, and what became of that.

A sending is written down before (``begin``) and after it (``end``). What was begun and never ended may have left: it is
begun again, later and as the same message (``unsure``), so that who has it already can tell.
"""

from __future__ import annotations

import enum
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Connection, and_, insert, or_, select, update

from leadglass.model.alert import Alert, AlertState
from leadglass.model.verdict import Severity
from leadglass.store.alert_rows import alert_of
from leadglass.store.database import Database
from leadglass.store.schema import alerts, deliveries

__all__ = [
    "Delivery",
    "DeliveryState",
    "Item",
    "Occasion",
    "begin",
    "due",
    "end",
    "escalate",
    "lost",
    "of_alert",
    "put",
    "unsure",
    "went_to",
]

_LONGEST = 86_400
"""Seconds: nothing is put off for longer."""
_UNSURE, _UNSURE_AT_MOST = 300, 3600
"""Seconds until what was begun and not ended is begun again; each time twice as long, up to the latter."""
_TRIES = 28
"""So many, for about a day."""


class Occasion(enum.StrEnum):
    """Why something is sent."""

    RAISED = "raised"
    ESCALATED = "escalated"
    """Nobody has acknowledged it for too long."""


class DeliveryState(enum.StrEnum):
    """How far a sending is."""

    WAITING = "waiting"
    SENDING = "sending"
    """Begun; long ago: nobody knows whether it left."""
    SENT = "sent"
    FAILED = "failed"
    """It did not leave; it is tried again."""


Item: TypeAlias = tuple[str, Occasion]
"""An alert by its identifier, and why it is sent."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One alert on its way to one channel."""

    alert: str
    channel: str
    occasion: Occasion
    state: DeliveryState
    tries: int
    at: int
    """POSIX seconds: of the last try; of one that waits or failed, it is not tried before."""
    trouble: str = ""


def due(database: Database, channel: str, now: float, most: int = 100) -> Sequence[tuple[Alert, Occasion]]:
    """What is to be sent by ``channel`` now, oldest first."""
    # What is put off for longer than anything ever is was put off by a clock that has gone back since.
    is_time = or_(deliveries.c.at <= now, deliveries.c.at > now + _LONGEST)
    query = (
        select(alerts, deliveries.c.occasion)
        .join_from(alerts, deliveries, deliveries.c.alert == alerts.c.id)
        .where(deliveries.c.channel == channel, _unsent(), is_time)
        .order_by(alerts.c.id, deliveries.c.occasion)
        .limit(most)
    )
    with database.read() as connection:
        return [(alert_of(row), Occasion(row.occasion)) for row in connection.execute(query)]


def unsure(database: Database, channel: str, now: float) -> tuple[Sequence[tuple[Alert, Occasion]], int]:
    """What was begun together by ``channel`` and may have left, if it is time to send it again; and when it was begun.

    One message at a time, the one that was begun first; it is what it was, and holds nothing else.
    """
    columns = deliveries.c
    query = (
        select(alerts, columns.occasion, columns.tries, columns.at)
        .join_from(alerts, deliveries, columns.alert == alerts.c.id)
        .where(
            columns.channel == channel, columns.state == DeliveryState.SENDING.value, columns.tries < _TRIES
        )
        .order_by(columns.at, alerts.c.id, columns.occasion)
    )
    with database.read() as connection:
        rows = connection.execute(query).all()
    for at, together in itertools.groupby(rows, lambda row: int(row.at)):
        batch = list(together)
        is_waiting = (
            at - _LONGEST <= now < at + _patience(batch[0].tries)
        )  # else the clock has gone back since
        if not is_waiting:
            return [(alert_of(row), Occasion(row.occasion)) for row in batch], at
    return [], 0


def _patience(tries: int) -> int:
    return min(_UNSURE << min(tries - 1, 10), _UNSURE_AT_MOST)


def begin(
    database: Database, channel: str, items: Sequence[Item], now: float, *, begun_at: int | None = None
) -> Sequence[Item]:
    """Write down that these are about to be sent; those that are ours to send: nobody else has begun them.

    ``begun_at``: they were ``unsure`` since then.
    """
    is_free = _unsent() if begun_at is None else _unsure_since(begun_at)
    with database.write() as connection:
        ours = []
        for alert, occasion in items:
            sending = {"state": DeliveryState.SENDING.value, "tries": deliveries.c.tries + 1, "at": int(now)}
            mine = and_(_is(channel, alert, occasion), is_free)
            if connection.execute(update(deliveries).where(mine).values(sending)).rowcount == 1:
                ours.append((alert, occasion))
        return ours


def end(
    database: Database,
    channel: str,
    items: Sequence[Item],
    *,
    trouble: str = "",
    again_at: float | None = None,
    now: float = 0.0,
) -> None:
    """Write down that what was begun has left; or, with ``again_at``, that it has not and when to try again."""
    failed = again_at is not None
    values = {
        "state": (DeliveryState.FAILED if failed else DeliveryState.SENT).value,
        "trouble": trouble,
        "at": int(now if again_at is None else again_at),
    }
    with database.write() as connection:
        for alert, occasion in items:
            connection.execute(update(deliveries).where(_is(channel, alert, occasion)).values(values))


def escalate(database: Database, channel: str, severities: Iterable[Severity], before: float) -> int:
    """Have all that are open since ``before`` and of one of ``severities`` sent by ``channel`` too; how many."""
    columns = alerts.c
    told = select(deliveries.c.alert).where(
        deliveries.c.alert == columns.id, deliveries.c.occasion == Occasion.ESCALATED.value
    )
    query = select(columns.id).where(
        columns.state == AlertState.OPEN.value,
        columns.first_at <= before,
        columns.severity.in_([one.value for one in severities]),
        ~told.exists(),
    )
    with database.write() as connection:
        found = connection.execute(query.with_for_update()).scalars().all()
        for alert in found:
            put(connection, alert, channel, Occasion.ESCALATED)
    return len(found)


def of_alert(database: Database, identifier: str) -> Sequence[Delivery]:
    """Where an alert went, and what became of that."""
    query = select(deliveries).where(deliveries.c.alert == identifier)
    with database.read() as connection:
        rows = connection.execute(query.order_by(deliveries.c.at, deliveries.c.channel))
        return [_delivery(row) for row in rows]


def lost(database: Database, before: float) -> Sequence[Delivery]:
    """What has failed so far, and what was begun before then and nobody knows whether it left."""
    begun = and_(deliveries.c.state == DeliveryState.SENDING.value, deliveries.c.at < before)
    query = select(deliveries).where(or_(begun, deliveries.c.state == DeliveryState.FAILED.value))
    with database.read() as connection:
        rows = connection.execute(query.order_by(deliveries.c.at, deliveries.c.alert).limit(1000))
        return [_delivery(row) for row in rows]


def put(connection: Connection, alert: str, channel: str, occasion: Occasion) -> None:
    """Write down that ``alert`` is to go to ``channel``, now; in a transaction that is open."""
    row = {"alert": alert, "channel": channel, "occasion": occasion.value, "at": 0}
    connection.execute(
        insert(deliveries).values(**row, state=DeliveryState.WAITING.value, tries=0, trouble="")
    )


def went_to(connection: Connection, alert: str) -> Sequence[str]:
    """The channels that ``alert`` was to go to."""
    query = select(deliveries.c.channel).where(deliveries.c.alert == alert).distinct()
    return connection.execute(query.order_by(deliveries.c.channel)).scalars().all()


def _unsent() -> ColumnElement[bool]:
    return deliveries.c.state.in_([DeliveryState.WAITING.value, DeliveryState.FAILED.value])


def _unsure_since(begun_at: int) -> ColumnElement[bool]:
    return and_(deliveries.c.state == DeliveryState.SENDING.value, deliveries.c.at == begun_at)


def _is(channel: str, alert: str, occasion: Occasion) -> ColumnElement[bool]:
    columns = deliveries.c
    return and_(columns.alert == alert, columns.channel == channel, columns.occasion == occasion.value)


def _delivery(row: Any) -> Delivery:
    return Delivery(
        row.alert,
        row.channel,
        Occasion(row.occasion),
        DeliveryState(row.state),
        row.tries,
        row.at,
        row.trouble,
    )
