"""Alerts over either database: one while its like is open, sent to each channel once."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import pytest
from tests.contract.samples import BEGAN, ulid

from leadglass.errors import UsageError
from leadglass.model.alert import Alert, AlertKind, AlertState, Silence
from leadglass.model.endpoint import Endpoint
from leadglass.model.verdict import Access, Severity
from leadglass.store import alerts, deliveries, silences
from leadglass.store.alerts import Closing, News
from leadglass.store.database import Database
from leadglass.store.deliveries import DeliveryState, Occasion

RAISED = Occasion.RAISED


def alert(number: int, **different: Any) -> Alert:
    """An alert of the endpoint 192.0.2.NUMBER:104."""
    made = Alert(
        id=ulid(number),
        key=f"new-server:192.0.2.{number}:104",
        kind=AlertKind.NEW_SERVER,
        severity=Severity.HIGH,
        schedule="nightly",
        scope="Example Radiology",
        summary="a DICOM server answers",
        first_at=BEGAN,
        last_at=BEGAN,
        endpoint=Endpoint(f"192.0.2.{number}", 104),
        after=Access.ASSOCIATES,
        not_before=BEGAN - 60,
        head="0" * 64,
    )
    return dataclasses.replace(made, **different)


def told(source: str, *raised: Alert, closed: tuple[Closing, ...] = ()) -> News:
    return News(source, raised, closed, channels=lambda _: ("soc",))


def test_an_alert_is_read_as_it_was_raised(database: Database) -> None:
    one = alert(1, endpoint=Endpoint("2001:db8::1", 104, "pacs.example.org"), before=Access.CLOSED)
    alerts.raise_(database, told("s", one, alert(2, endpoint=None, not_before=None)))

    assert alerts.find(database, one.id) == one
    assert alerts.find(database, one.id[-8:].lower()) == one
    assert [found.id for found in alerts.page(database)] == [ulid(2), ulid(1)]


def test_while_one_is_open_its_like_is_counted_and_not_sent_again(database: Database) -> None:
    alerts.raise_(database, told("first", alert(1)))
    again = alert(2, key=alert(1).key, last_at=BEGAN + 60)
    for _ in range(2):
        alerts.raise_(database, told("second", again))

    (found,) = alerts.page(database)
    assert (found.times, found.last_at, found.id) == (2, BEGAN + 60, ulid(1))
    assert len(deliveries.due(database, "soc", BEGAN)) == 1


def test_what_one_scan_told_is_not_told_again_though_somebody_has_closed_it(database: Database) -> None:
    alerts.raise_(database, told("scan", alert(1)))
    alerts.change(database, ulid(1), AlertState.CLOSED, "ada", BEGAN)
    alerts.raise_(database, told("scan", alert(2, key=alert(1).key)))
    assert len(alerts.page(database)) == 1

    alerts.raise_(database, told("another", alert(3, key=alert(1).key)))
    assert len(alerts.page(database)) == 2


def test_a_silent_alert_is_sent_once_its_silence_has_ended(database: Database) -> None:
    alerts.raise_(database, told("first", alert(1, state=AlertState.SILENT)))
    assert deliveries.due(database, "soc", BEGAN) == []

    alerts.raise_(database, told("second", alert(2, key=alert(1).key)))

    ((sent, occasion),) = deliveries.due(database, "soc", BEGAN)
    assert (sent.id, sent.state, occasion) == (ulid(1), AlertState.OPEN, RAISED)


def test_what_is_fixed_closes_what_it_answers_and_says_so_once(database: Database) -> None:
    alerts.raise_(database, told("first", alert(1)))
    fixed = alert(2, key=f"fixed:{ulid(1)}", kind=AlertKind.FIXED, severity=Severity.NONE)
    for _ in range(2):
        alerts.raise_(database, told("second", closed=(Closing(ulid(1), fixed),)))

    assert alerts.open_alerts(database) == []
    assert [(one.id, one.state) for one in alerts.page(database)] == [
        (ulid(2), AlertState.CLOSED),
        (ulid(1), AlertState.CLOSED),
    ]
    assert [one.id for one, _ in deliveries.due(database, "soc", BEGAN)] == [ulid(1), ulid(2)]


def test_what_was_silent_is_fixed_in_silence(database: Database) -> None:
    alerts.raise_(database, told("first", alert(1, state=AlertState.SILENT)))
    alerts.raise_(database, told("second", closed=(Closing(ulid(1), alert(2, key="fixed")),)))

    assert deliveries.due(database, "soc", BEGAN) == []


def test_a_sending_that_was_begun_is_not_begun_by_another(database: Database) -> None:
    alerts.raise_(database, told("s", alert(1)))
    item = (ulid(1), RAISED)

    assert deliveries.begin(database, "soc", [item], BEGAN) == [item]
    assert deliveries.begin(database, "soc", [item], BEGAN) == []
    assert deliveries.due(database, "soc", BEGAN + 1) == []
    assert [one.state for one in deliveries.lost(database, BEGAN + 1)] == [DeliveryState.SENDING]

    deliveries.end(database, "soc", [item], now=BEGAN + 1)
    (one,) = deliveries.of_alert(database, ulid(1))
    assert (one.state, one.tries) == (DeliveryState.SENT, 1)
    assert deliveries.lost(database, BEGAN + 99) == []


def test_what_may_have_left_is_begun_again_together_and_by_one(database: Database) -> None:
    alerts.raise_(database, told("s", alert(1), alert(2), alert(3)))
    first, last = [(ulid(1), RAISED), (ulid(2), RAISED)], [(ulid(3), RAISED)]
    deliveries.begin(database, "soc", first, BEGAN)
    deliveries.begin(database, "soc", last, BEGAN + 1)

    assert deliveries.unsure(database, "soc", BEGAN + 299) == ([], 0)
    assert deliveries.unsure(database, "mail", BEGAN + 300) == ([], 0)
    found, begun_at = deliveries.unsure(database, "soc", BEGAN + 301)
    assert ([(one.id, why) for one, why in found], begun_at) == (first, BEGAN)
    assert deliveries.begin(database, "soc", first, BEGAN + 301, begun_at=begun_at) == first
    assert deliveries.begin(database, "soc", first, BEGAN + 301, begun_at=begun_at) == []

    found, begun_at = deliveries.unsure(database, "soc", BEGAN + 301)
    assert ([(one.id, why) for one, why in found], begun_at) == (last, BEGAN + 1)
    deliveries.end(database, "soc", last, now=BEGAN + 302)
    assert deliveries.unsure(database, "soc", BEGAN + 900) == ([], 0)
    assert len(deliveries.unsure(database, "soc", BEGAN + 901)[0]) == 2
    # The clock was years ahead when they were begun.
    assert len(deliveries.unsure(database, "soc", BEGAN - 10**8)[0]) == 2


def test_a_sending_that_failed_is_tried_again_when_it_is_time(database: Database) -> None:
    alerts.raise_(database, told("s", alert(1)))
    item = (ulid(1), RAISED)
    deliveries.begin(database, "soc", [item], BEGAN)
    deliveries.end(database, "soc", [item], trouble="refused", again_at=BEGAN + 60)

    assert deliveries.due(database, "soc", BEGAN + 59) == []
    assert len(deliveries.due(database, "soc", BEGAN + 60)) == 1
    # The clock was years ahead when it failed.
    assert len(deliveries.due(database, "soc", BEGAN - 10**8)) == 1


def test_what_nobody_acknowledges_is_escalated_once(database: Database) -> None:
    mild = alert(3, severity=Severity.LOW)
    alerts.raise_(database, told("s", alert(1), alert(2), mild))
    alerts.change(database, ulid(2), AlertState.ACKNOWLEDGED, "ada", BEGAN)
    worst = [Severity.CRITICAL, Severity.HIGH]

    assert deliveries.escalate(database, "boss", worst, BEGAN - 1) == 0
    assert deliveries.escalate(database, "boss", worst, BEGAN) == 1
    assert deliveries.escalate(database, "boss", worst, BEGAN) == 0
    ((one, occasion),) = deliveries.due(database, "boss", BEGAN)
    assert (one.id, occasion) == (ulid(1), Occasion.ESCALATED)


def test_who_acknowledged_or_closed_is_written_down(database: Database) -> None:
    alerts.raise_(database, told("s", alert(1)))
    now = alerts.change(database, ulid(1)[-8:], AlertState.ACKNOWLEDGED, "ada", BEGAN)
    assert (now.state, now.changed_by) == (AlertState.ACKNOWLEDGED, "ada")
    alerts.change(database, ulid(1), AlertState.CLOSED, "bob", BEGAN)

    with pytest.raises(UsageError, match="closed already"):
        alerts.change(database, ulid(1), AlertState.ACKNOWLEDGED, "ada", BEGAN)
    with pytest.raises(UsageError, match="no alert"):
        alerts.change(database, ulid(5), AlertState.CLOSED, "ada", BEGAN)
    with pytest.raises(UsageError, match="names no alert"):
        alerts.find(database, "%")


def test_alerts_are_paged_and_filtered(database: Database) -> None:
    mild = alert(4, severity=Severity.LOW)
    alerts.raise_(database, told("s", alert(1), alert(2), alert(3), mild))
    alerts.change(database, ulid(2), AlertState.CLOSED, "ada", BEGAN)

    def ids(**wanted: Any) -> list[str]:
        return [one.id[-1] for one in alerts.page(database, **wanted)]

    assert ids() == ["4", "3", "2", "1"]
    assert ids(most=2) == ["4", "3"]
    assert ids(most=2, after=ulid(3)) == ["2", "1"]
    assert ids(states=[AlertState.OPEN], least=Severity.HIGH) == ["3", "1"]
    assert ids(address="192.0.2.3") == ["3"]
    assert [one.id for one in alerts.of_endpoint(database, "192.0.2.2", 104)] == [ulid(2)]
    assert alerts.counts(database)[AlertState.OPEN, Severity.HIGH] == 2
    assert alerts.detections(database)[0] == (BEGAN - 60, BEGAN)


def test_a_silence_is_kept_until_somebody_ends_it(database: Database) -> None:
    one = Silence(
        ulid(1),
        "Dr. Müller",
        "being replaced",
        dt.date(2027, 1, 31),
        (AlertKind.NEW_SERVER,),
        "192.0.2.0/28",
        104,
        None,
        None,
    )
    silences.add(database, one, BEGAN)
    assert silences.read(database) == [one]

    assert silences.end(database, ulid(1), "ada", BEGAN) == one
    assert silences.read(database) == []
    with pytest.raises(UsageError, match="no silence"):
        silences.end(database, ulid(1), "ada", BEGAN)
