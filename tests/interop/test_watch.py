"""The watch over a real server that opens and closes, with real receivers of its alerts."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from tests.peers import postgresql
from tests.peers.watched import Clock, Ward, free_port, until, watching

from leadglass import wiring
from leadglass.errors import ResourceError
from leadglass.model.alert import Alert, AlertKind, AlertState
from leadglass.model.order import Order, OrderState, Why
from leadglass.model.register import Level, Risk, System, Treatment
from leadglass.model.verdict import Access
from leadglass.register.codec import SEEN, as_change, register_of
from leadglass.store import alerts, orders, watch_state
from leadglass.store.database import Database, open_database
from leadglass.store.register import head_of, history, read_state, write_down
from leadglass.wiring.watch_desk import Desk
from leadglass.wiring.watching import run_watch

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


def looked(database: Database, ward: Ward) -> Order:
    """A look at the server alone, to its end, as somebody asks for it at its page."""
    return done(database, desk(database, ward).order_for("nightly", (spot(ward),), "ada"))


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


def test_what_opens_again_after_a_look_at_it_alone_is_told_again(ward: Ward, database: Database) -> None:
    with watching(database, ward.settings):
        with ward.server():
            scanned(database, ward)
            (alert,) = living(database)
        looked(database, ward)
        with ward.server():  # it was starting again
            scanned(database, ward)
        assert [one.id for one in living(database)] == [alert.id]
        looked(database, ward)
        looked(database, ward)
        assert living(database) == []
        with ward.server():
            scanned(database, ward)
            (anew,) = living(database)
            scanned(database, ward)

    assert (anew.kind, anew.before, anew.after) == (AlertKind.NEWLY_OPEN, Access.CLOSED, Access.ASSOCIATES)
    assert [(one.id, one.times) for one in living(database)] == [(anew.id, 1)]


def test_a_scope_that_no_longer_permits_is_an_alert_until_it_is_scanned_again(
    ward: Ward, database: Database
) -> None:
    at = desk(database, ward)
    expired, narrowed = at.order_for("nightly", (), "ada"), at.order_for("nightly", (spot(ward),), "ada")
    ward.write_scope("2020-01-01")
    with watching(database, ward.settings) as said:
        assert done(database, expired).state is OrderState.FAILED
        assert done(database, narrowed).state is OrderState.FAILED
        (alert,) = living(database)
        assert (alert.kind, alert.times) == (AlertKind.NOT_SCANNED, 2)
        assert "the authorisation ended" in orders.find(database, expired.id).trouble
        assert any("not scanned" in line for line in said)
        ward.write_scope()
        assert scanned(database, ward).state is OrderState.DONE
        assert living(database) == []


def spot(ward: Ward) -> tuple[str, int]:
    return "127.0.0.1", ward.port


def test_outside_of_its_hours_a_scope_is_waited_for_until_the_order_is_missed(
    ward: Ward, database: Database
) -> None:
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(hours=2)
    ward.write_scope(limits=f'hours = "{soon:%H:%M}-{soon + dt.timedelta(hours=1):%H:%M}"\ntimezone = "UTC"')
    order, clock = desk(database, ward).order_for("nightly", (), "ada"), Clock()
    with watching(database, ward.settings, clock):
        until(lambda: orders.find(database, order.id).due_at > order.due_at)
        assert orders.find(database, order.id).state is OrderState.WAITING
        clock.ahead = 25 * 3600.0
        assert done(database, order).state is OrderState.MISSED
        until(lambda: [one for one in living(database) if one.kind is AlertKind.NOT_SCANNED])


def test_what_nobody_scanned_while_asleep_is_told_and_the_last_moment_is_made_up_for(
    ward: Ward, database: Database
) -> None:
    ward.write_watch(cron="*/30 * * * *")
    clock = Clock()
    # Midway between two moments, so that how long this takes does not matter.
    clock.ahead = 900.0 - clock.posix() % 1800
    with watching(database, ward.settings, clock):
        until(lambda: watch_state.mark_of(database, "nightly"))
    assert orders.latest(database) == []

    clock.ahead += 4 * 3600  # asleep: eight moments, whose windows are an hour long
    with watching(database, ward.settings, clock):
        until(lambda: len(orders.latest(database)) == 8)
        for order in orders.latest(database):
            done(database, order)
    states = [one.state for one in reversed(orders.latest(database))]
    assert states == [OrderState.MISSED] * 6 + [OrderState.DONE] * 2
    missed = [one for one in alerts.page(database) if one.kind is AlertKind.NOT_SCANNED]
    assert [(one.times, one.state) for one in missed] == [(6, AlertState.CLOSED)]

    clock.ahead -= 4 * 3600  # and back: no moment comes twice
    with watching(database, ward.settings, clock):
        until(lambda: (watch_state.mark_of(database, "nightly") or 0) < clock.posix() + 1)
    assert len(orders.latest(database)) == 8


def test_what_the_register_does_not_know_is_alerted_and_an_accepted_risk_is_not_sent(
    ward: Ward, database: Database
) -> None:
    risk = Risk(
        name=f"ct-1 {ward.port} associates",
        system="ct-1",
        threat="x",
        vulnerability="x",
        likelihood=Level.HIGH,
        impact=Level.HIGH,
        treatment=Treatment.ACCEPT,
        owner="Dr. Hopper",
        until=dt.date(2199, 1, 1),
    )
    declared = System(name="ct-1", addresses=("127.0.0.1",), owner="ada")
    write_down(database, "ada", [as_change(declared), as_change(risk)])
    with watching(database, ward.settings), ward.server():
        scanned(database, ward)
        found = {one.kind: one for one in living(database)}
        assert found[AlertKind.NEW_SERVER].state is AlertState.SILENT
        assert found[AlertKind.NEW_SERVER].head == head_of(database).digest
        assert found[AlertKind.UNDECLARED].system == "ct-1"
        seen = [one for one in register_of(read_state(database), "").seen.values() if one.ports]
        assert [(one.address, [port.port for port in one.ports]) for one in seen] == [
            ("127.0.0.1", [ward.port])
        ]
        over = dataclasses.replace(risk, until=dt.date(2020, 1, 1))
        write_down(database, "ada", [as_change(over)])
        ended = until(lambda: [one for one in living(database) if one.kind is AlertKind.ENDED])
        assert "2020-01-01" in ended[0].summary
        entry = next(history(database, (SEEN, "127.0.0.1 inside")))
        assert entry.body["by"] == "watch nightly"
        allowed = dataclasses.replace(declared, ports=(ward.port,))
        write_down(database, "ada", [as_change(allowed)])
        scanned(database, ward)
        assert AlertKind.UNDECLARED not in {one.kind for one in living(database)}


def test_one_process_at_a_time_watches_a_file(ward: Ward, database: Database) -> None:
    port = free_port()
    ward.write_watch(f'[metrics]\nlisten = "127.0.0.1:{port}"\n')
    with watching(database, ward.settings):
        until(lambda: desk(database, ward).is_running())
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            assert "leadglass_watch_watchers 1\n" in answer.read().decode()
        assert not run_watch(database, ward.settings, threading.Event(), lambda _: None)
    assert not desk(database, ward).is_running()


# ---- what comes from outside


def test_on_a_full_disk_nothing_is_lost_and_the_scan_is_made_when_there_is_room(
    tmp_path: Path, ward: Ward
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=4m", "leadglass-test", str(disk)]
    if subprocess.run(words, capture_output=True, check=False).returncode:
        pytest.skip("needs root that may mount")
    try:
        with open_database(str(disk / "watch.sqlite"), wiring.clock().posix) as database:
            order = desk(database, ward).order_for("nightly", (), "ada")
            filler = fill(disk)
            with watching(database, ward.settings) as said, ward.server():
                until(lambda: any("the disk is full" in line for line in said))
                assert orders.find(database, order.id).state is not OrderState.DONE
                filler.unlink()
                assert done(database, order).state is OrderState.DONE
                assert [one.times for one in living(database)] == [1]
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(disk: Path) -> Path:
    """Take all room that is left."""
    path = disk / "other-program"
    with path.open("ab", buffering=0) as stream:
        for size in (65536, 1):
            with contextlib.suppress(OSError):
                while stream.write(bytes(size)):
                    pass
    return path


@pytest.mark.peer("postgresql")
def test_two_that_watch_one_database_run_each_order_once_through_its_restart(ward: Ward) -> None:
    with postgresql.cluster() as cluster, cluster.database() as name, ward.server():
        url = cluster.url(name)
        with contextlib.ExitStack() as stack:
            one, other = (stack.enter_context(open_database(url, wiring.clock().posix)) for _ in range(2))
            given = [desk(one, ward).order_for("nightly", (), "ada") for _ in range(4)]
            for database in (one, other):
                stack.enter_context(watching(database, ward.settings))
            until(lambda: any(orders.find(one, order.id).state is OrderState.DONE for order in given))
            cluster.stop()
            cluster.start()
            until(lambda: readable(one))
            ended = [done(one, order) for order in given]
            assert {order.state for order in ended} == {OrderState.DONE}
            assert len({order.scan for order in ended}) == 4
            with one.read() as connection:
                assert connection.execute(text("SELECT count(*) FROM scans")).scalar() == 4
            assert [found.times for found in living(one)] == [1]


def readable(database: Database) -> bool:
    try:
        orders.latest(database, 1)
    except ResourceError:
        return False
    return True
