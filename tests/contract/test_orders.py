"""Orders over either database: given once, held by one, ended once with all that follows."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable

import pytest
from tests.contract.conftest import Opening
from tests.contract.samples import BEGAN, ulid
from tests.contract.test_alerts import alert

from leadglass.errors import UsageError
from leadglass.model.alert import AlertKind, AlertState
from leadglass.model.order import Order, OrderState, Why
from leadglass.store import alerts, orders, watch_state
from leadglass.store.alerts import Closing, News
from leadglass.store.database import Database

HOUR = 3600
ORDER = Order(
    id=ulid(1),
    schedule="nightly",
    scope_file="scope.toml",
    scope_text="name = 'x'",
    why=Why.SCHEDULE,
    due_at=BEGAN,
    until=BEGAN + HOUR,
    moment=BEGAN,
)


def taken(database: Database, now: float = BEGAN, token: str = "t") -> orders.Held | None:
    return orders.take(database, "watcher", now, token, 15.0)


def test_a_moment_of_a_schedule_has_one_order_whoever_gives_it(database: Database) -> None:
    assert orders.give(database, ORDER)
    assert not orders.give(database, dataclasses.replace(ORDER, id=ulid(2), due_at=BEGAN + 60))
    assert [one.id for one in orders.waiting(database)] == [ulid(1)]


def test_what_persons_want_is_never_the_same(database: Database) -> None:
    wish = dataclasses.replace(
        ORDER, why=Why.PERSON, moment=None, asked_by="ada", ports=(("192.0.2.1", 104),)
    )
    assert orders.give(database, wish)
    assert orders.give(database, dataclasses.replace(wish, id=ulid(2)))

    assert orders.find(database, ulid(1)) == wish
    assert len(orders.waiting(database)) == 2
    with pytest.raises(UsageError, match="no order"):
        orders.find(database, ulid(3))


def test_an_order_is_taken_when_it_is_due_and_not_before(database: Database) -> None:
    orders.give(database, ORDER)

    assert taken(database, BEGAN - 1) is None
    held = taken(database)
    assert held is not None
    assert (held.order.state, held.is_taken_over) == (OrderState.RUNNING, False)
    assert taken(database) is None


def test_the_order_of_a_watcher_that_died_is_taken_over_however_late(
    database: Database, wait: Callable[[float], None]
) -> None:
    orders.give(database, ORDER)
    first = taken(database)
    assert first is not None
    assert orders.note_scan(database, first, ulid(9))
    wait(16.0)

    second = taken(database, BEGAN + 9 * HOUR, "u")

    assert second is not None
    assert second.is_taken_over
    assert second.order.scan == ulid(9)
    assert not orders.renew(database, first, 15.0)
    assert not orders.finish(database, first, OrderState.DONE, BEGAN, news=News("s", [alert(1)]))
    assert orders.finish(database, second, OrderState.DONE, BEGAN + 9)
    assert alerts.open_alerts(database) == []


def test_a_lease_that_is_renewed_is_kept(database: Database, wait: Callable[[float], None]) -> None:
    orders.give(database, ORDER)
    held = taken(database)
    assert held is not None
    wait(10.0)
    assert orders.renew(database, held, 15.0)
    wait(10.0)

    assert taken(database) is None
    orders.give_back(database, held)
    assert taken(database, token="u") is not None


def test_the_end_of_an_order_brings_its_alerts_and_the_orders_to_look_again(database: Database) -> None:
    orders.give(database, ORDER)
    held = taken(database)
    assert held is not None
    again = dataclasses.replace(ORDER, id=ulid(2), why=Why.RETEST, moment=None, ports=(("192.0.2.1", 104),))

    orders.finish(database, held, OrderState.DONE, BEGAN + 5, news=News("s", [alert(1)], orders=[again]))

    assert [one.id for one in alerts.open_alerts(database)] == [alert(1).id]
    assert orders.waiting(database) == [again]
    assert orders.find(database, ulid(1)).ended_at == BEGAN + 5


RETEST = dataclasses.replace(
    ORDER, id=ulid(7), why=Why.RETEST, moment=None, due_at=BEGAN + 600, ports=(("192.0.2.1", 104),)
)


def over(number: int) -> Closing:
    return Closing(ulid(number), alert(number + 100, key=f"fixed:{ulid(number)}", kind=AlertKind.FIXED))


def by_a_scan(database: Database) -> None:
    orders.give(database, ORDER)
    held = taken(database)
    assert held is not None
    assert orders.finish(database, held, OrderState.DONE, BEGAN + 5, news=News("s", closed=[over(1)]))


def by_a_person(database: Database) -> None:
    alerts.change(database, ulid(1), AlertState.CLOSED, "ada", BEGAN + 5)


@pytest.mark.parametrize("closed", [by_a_scan, by_a_person])
def test_a_second_look_is_taken_back_when_its_alert_is_closed(
    closed: Callable[[Database], None], database: Database
) -> None:
    alerts.raise_(database, News("first", [alert(1)]))
    orders.give(database, RETEST)

    closed(database)

    found = orders.find(database, RETEST.id)
    assert (found.state, found.ended_at) == (OrderState.DROPPED, BEGAN if closed is by_a_scan else BEGAN + 5)
    assert "has been closed" in found.trouble
    assert orders.waiting(database) == []
    assert taken(database, RETEST.due_at) is None
    assert orders.overdue(database, RETEST.until + 1) == []


def test_a_second_look_stays_for_what_is_still_open(database: Database) -> None:
    alerts.raise_(database, News("first", [alert(1), alert(2), alert(3, kind=AlertKind.CERTIFICATE)]))
    orders.give(
        database, dataclasses.replace(RETEST, ports=tuple((f"192.0.2.{number}", 104) for number in (1, 2, 3)))
    )
    alerts.change(database, ulid(2), AlertState.ACKNOWLEDGED, "ada", BEGAN)
    by_a_person(database)

    (left,) = orders.waiting(database)
    assert (left.state, left.ports) == (OrderState.WAITING, (("192.0.2.2", 104),))


@pytest.mark.parametrize(
    "kept",
    [
        dataclasses.replace(RETEST, asked_by="ada"),
        dataclasses.replace(RETEST, schedule="weekly"),
        dataclasses.replace(RETEST, why=Why.PERSON),
        dataclasses.replace(RETEST, why=Why.SCHEDULE, ports=()),
    ],
)
def test_what_others_want_stays_though_an_alert_is_closed(kept: Order, database: Database) -> None:
    alerts.raise_(database, News("first", [alert(1)]))
    orders.give(database, kept)
    by_a_person(database)

    assert orders.waiting(database) == [kept]


def test_a_second_look_that_has_begun_is_not_taken_back(database: Database) -> None:
    alerts.raise_(database, News("first", [alert(1)]))
    orders.give(database, RETEST)
    held = taken(database, RETEST.due_at)
    assert held is not None
    by_a_person(database)

    assert orders.finish(database, held, OrderState.DONE, RETEST.due_at + 5)


def test_what_nobody_began_is_missed_once(database: Database) -> None:
    orders.give(database, ORDER)
    assert orders.overdue(database, BEGAN + HOUR) == []
    late = BEGAN + HOUR + 1
    assert orders.overdue(database, late) == [ORDER]
    assert taken(database, late) is None

    assert orders.miss(database, ORDER, late, "nobody began it", News(ORDER.id, [alert(1)]))
    assert not orders.miss(database, ORDER, late, "nobody began it", News(ORDER.id, [alert(2)]))

    assert orders.find(database, ulid(1)).state is OrderState.MISSED
    assert len(alerts.page(database)) == 1


def test_the_last_scan_of_a_schedule_is_of_all_of_it(database: Database) -> None:
    for number, ports in ((1, ()), (2, (("192.0.2.1", 104),))):
        orders.give(database, dataclasses.replace(ORDER, id=ulid(number), moment=BEGAN + number, ports=ports))
        held = taken(database)
        assert held is not None
        orders.note_scan(database, held, ulid(10 + number))
        orders.finish(database, held, OrderState.DONE, BEGAN + number)

    found = orders.last(database, "nightly", "scope.toml")
    assert found is not None
    assert found.scan == ulid(11)
    assert orders.last(database, "nightly", "other.toml") is None
    assert [one.id for one in orders.latest(database, schedule="nightly")] == [ulid(2), ulid(1)]


def test_a_scope_is_scanned_by_one_at_a_time(database: Database) -> None:
    look = dataclasses.replace(ORDER, id=ulid(2), schedule="", moment=None, ports=(("192.0.2.1", 104),))
    other = dataclasses.replace(ORDER, id=ulid(3), moment=BEGAN + 1, scope_file="other.toml")
    for one in (ORDER, look, other):
        orders.give(database, one)
    first, second = taken(database, token="a"), taken(database, token="b")
    assert first is not None
    assert second is not None
    assert (first.order.id, second.order.id) == (ORDER.id, other.id)
    assert taken(database) is None

    orders.finish(database, first, OrderState.DONE, BEGAN)
    third = taken(database)
    assert third is not None
    assert third.order.id == look.id


def test_a_watcher_that_died_keeps_no_scope_from_being_scanned(
    database: Database, wait: Callable[[float], None]
) -> None:
    for number in (1, 2):
        orders.give(database, dataclasses.replace(ORDER, id=ulid(number), moment=BEGAN + number))
    dead = taken(database)
    wait(16.0)

    heir = taken(database, token="u")

    assert dead is not None
    assert heir is not None
    assert (heir.order.id, heir.is_taken_over) == (dead.order.id, True)
    assert taken(database) is None


def test_many_that_reach_for_a_scope_get_one_order_of_it(opening: Opening) -> None:
    database = opening()
    for number in range(20):
        orders.give(database, dataclasses.replace(ORDER, id=ulid(number), moment=BEGAN + number))
    together, got = threading.Barrier(4), list[str]()

    def reach(name: str) -> None:
        mine = opening()
        together.wait(20)
        if held := orders.take(mine, name, BEGAN, name, 60.0):
            got.append(held.order.id)

    threads = [threading.Thread(target=reach, args=(f"w{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert got == [ulid(0)]


def test_many_that_reach_for_it_get_each_order_once(opening: Opening) -> None:
    database = opening()
    for number in range(12):
        one = dataclasses.replace(
            ORDER, id=ulid(number), moment=BEGAN + number, scope_file=f"scope-{number}.toml"
        )
        orders.give(database, one)
    got: list[str] = []

    def reach(name: str) -> None:
        mine = opening()
        while held := orders.take(mine, name, BEGAN, name, 60.0):
            got.append(held.order.id)

    threads = [threading.Thread(target=reach, args=(f"w{number}",)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(got) == [ulid(number) for number in range(12)]


def test_a_plan_gives_its_orders_and_moves_its_mark_together(database: Database) -> None:
    assert watch_state.mark_of(database, "nightly") is None
    again = dataclasses.replace(ORDER, id=ulid(2))
    assert watch_state.plan(database, "nightly", [ORDER], BEGAN, BEGAN) == 1
    assert watch_state.plan(database, "nightly", [again], BEGAN + 1, BEGAN + 1) == 0
    assert watch_state.mark_of(database, "nightly") == BEGAN + 1


def test_what_a_wrong_clock_missed_comes_again_when_its_time_comes(database: Database) -> None:
    ahead = BEGAN + 365 * 24 * HOUR
    watch_state.plan(database, "nightly", [ORDER], ahead, ahead)
    orders.miss(database, ORDER, ahead, "nobody began it", News(ORDER.id))

    assert watch_state.plan(database, "nightly", [ORDER], BEGAN, BEGAN) == 1
    assert taken(database) is not None


def test_an_order_that_is_put_off_is_missed_like_any_other(database: Database) -> None:
    orders.give(database, ORDER)
    held = taken(database)
    assert held is not None
    assert orders.put_off(database, held, BEGAN + 60)

    assert taken(database, BEGAN + 59) is None
    assert len(orders.overdue(database, BEGAN + HOUR + 1)) == 1


def test_who_watches_is_known_until_it_goes(database: Database) -> None:
    watch_state.beat(database, "one", BEGAN)
    watch_state.beat(database, "one", BEGAN + 5)
    assert [(one.worker, one.began, one.silent < 5) for one in watch_state.watchers_of(database)] == [
        ("one", BEGAN, True)
    ]
    watch_state.gone(database, "one")
    assert watch_state.watchers_of(database) == []
