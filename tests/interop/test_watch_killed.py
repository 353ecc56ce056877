"""A watch that is killed at any moment: nothing is lost, nothing is alerted twice."""

from __future__ import annotations

import contextlib
import json
import random
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update
from tests.acceptance.test_command import command
from tests.conftest import DEEP
from tests.interop.test_watch_channels import HOOK, Receiver, authority, receiver
from tests.peers.watched import Ward, until

from leadglass import wiring
from leadglass.model.alert import AlertKind
from leadglass.model.order import OrderState
from leadglass.store import alerts, deliveries, orders, schema
from leadglass.store.database import Database, open_database
from leadglass.store.deliveries import DeliveryState
from leadglass.wiring.watch_desk import Desk

pytestmark = pytest.mark.peer("pynetdicom")

__all__ = ["authority", "receiver"]

KILLS = 50 if DEEP else 2
LONGEST = 4.0
"""Seconds: a run that is left alone begins, scans and sends in less."""


@contextlib.contextmanager
def started(ward: Ward, database: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A watch as a process of its own, which is gone afterwards."""
    config = str(ward.folder / "watch.toml")
    words = command("watch", "run", "--config", config, "--database", str(database))
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.timeout(120 + 20 * KILLS)
def test_a_watch_that_is_killed_anywhere_loses_nothing_and_tells_nothing_twice(
    tmp_path: Path, receiver: Receiver
) -> None:
    ward, where = Ward(tmp_path), tmp_path / "watch.sqlite"
    ward.write_watch(HOOK.format(port=receiver.port))
    chance = random.Random(20261121)
    with open_database(str(where), wiring.clock().posix) as database, ward.server():
        desk = Desk(database, ward.settings, wiring.clock(), wiring.randomness())
        given = []
        for _ in range(KILLS):
            given.append(desk.order_for("nightly", (), "ada"))
            with started(ward, where):
                time.sleep(chance.uniform(0.3, LONGEST))
        given.append(desk.order_for("nightly", (), "ada"))  # so that the last one has come to work
        with started(ward, where) as process:
            until(
                lambda: {orders.find(database, one.id).state for one in given} == {OrderState.DONE},
                60 + 5 * KILLS,
            )
            if sendings(database) == {DeliveryState.SENDING}:
                let_time_pass(database)
            until(lambda: sendings(database) == {DeliveryState.SENT})
            process.terminate()
            assert process.wait(40) == 0

        (found,) = alerts.page(database)
        assert (found.kind, found.times) == (AlertKind.NEW_SERVER, 1)
        told = {
            (headers["Idempotency-Key"], one["id"])
            for _, headers, body in receiver.got
            for one in json.loads(body)["alerts"]
        }
        assert [identifier for _, identifier in told] == [found.id]


def let_time_pass(database: Database) -> None:
    """What was begun was begun six minutes ago."""
    with database.write() as connection:
        connection.execute(update(schema.deliveries).values(at=schema.deliveries.c.at - 360))


def sendings(database: Database) -> set[DeliveryState]:
    return {one.state for found in alerts.page(database) for one in deliveries.of_alert(database, found.id)}
