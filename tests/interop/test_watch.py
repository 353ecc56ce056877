"""The watch over a real server that opens and closes, with real receivers of its alerts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.peers.watched import Clock, Ward, until, watching

from leadglass import wiring
from leadglass.model.alert import Alert, AlertKind, AlertState
from leadglass.model.order import Order, OrderState, Why
from leadglass.model.verdict import Access
from leadglass.store import alerts, orders
from leadglass.store.database import Database, open_database
from leadglass.wiring.watch_desk import Desk

pytestmark = pytest.mark.peer("pynetdicom")


@pytest.fixture
def ward(tmp_path: Path) -> Ward:
    return Ward(tmp_path)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with open_database(str(tmp_path / "watch.sqlite"), wiring.clock().posix) as opened:
        yield opened


def desk(database: Database, ward: Ward) -> Desk:
    return Desk(database, ward.settings, wiring.clock(), wiring.randomness())


def done(database: Database, order: Order) -> Order:
    """The order, once it has ended."""
    ended = (OrderState.DONE, OrderState.FAILED, OrderState.MISSED)
    until(lambda: orders.find(database, order.id).state in ended)
    return orders.find(database, order.id)


def scanned(database: Database, ward: Ward) -> Order:
    """A scan of everything, to its end."""
    return done(database, desk(database, ward).order_for("nightly", (), "ada"))


def living(database: Database) -> list[Alert]:
    return list(alerts.open_alerts(database))


def test_a_server_that_opens_is_alerted_once_and_its_closing_is_fixed_at_a_second_look(
    ward: Ward, database: Database
) -> None:
    clock = Clock()
    with watching(database, ward.settings, clock):
        first = scanned(database, ward)
        assert (first.state, living(database)) == (OrderState.DONE, [])
        with ward.server():
            scanned(database, ward)
            (alert,) = living(database)
            assert (alert.kind, alert.after) == (AlertKind.NEW_SERVER, Access.ASSOCIATES)
            assert alert.not_before is not None
            assert first.began_at is not None
            assert first.began_at <= alert.not_before <= alert.first_at
            scanned(database, ward)
            assert [one.times for one in living(database)] == [1]
        scanned(database, ward)
        assert [one.id for one in living(database)] == [alert.id]
        (again,) = [one for one in orders.waiting(database) if one.why is Why.RETEST]
        assert again.ports == (("127.0.0.1", ward.port),)
        clock.ahead = 700.0
        assert done(database, again).state is OrderState.DONE
        assert living(database) == []
        fixed = alerts.page(database)[0]
        assert (fixed.kind, fixed.key, fixed.state) == (
            AlertKind.FIXED,
            f"fixed:{alert.id}",
            AlertState.CLOSED,
        )
