"""The rate of a scan holds over all its workers, in whatever order they come, renew, fall silent and go."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from tests.contract.conftest import Clock
from tests.contract.samples import plan
from tests.contract.test_work import LEASE, worker

from leadglass.store import scans
from leadglass.store.database import Database, open_database
from leadglass.store.schema import shares
from leadglass.store.work import progress

RATE = 500.0
NAMES = ("a", "b", "c", "d")


def test_one_worker_has_all_of_the_rate(database: Database) -> None:
    scan = scans.begin(database, plan(rate=RATE))

    assert worker(database, scan).renew([]).rate == RATE


def test_a_newcomer_waits_until_others_have_made_room(database: Database) -> None:
    scan = scans.begin(database, plan(rate=RATE))
    first, second = worker(database, scan, "first"), worker(database, scan, "second")
    first.renew([])

    assert second.renew([]).rate == 0
    assert first.renew([]).rate == RATE / 2
    assert second.renew([]).rate == RATE / 2


def test_the_share_of_a_dead_worker_goes_to_the_living(
    database: Database, wait: Callable[[float], None]
) -> None:
    scan = scans.begin(database, plan(rate=RATE))
    dead, living = worker(database, scan, "dead"), worker(database, scan, "living")
    dead.renew([])
    dead.renew([])
    assert living.renew([]).rate == 0
    wait(LEASE - 1)
    assert living.renew([]).rate == 0
    wait(2)

    assert living.renew([]).rate == RATE
    assert [each.name for each in progress(database, scan).workers] == ["living"]


def test_shares_of_two_scans_are_apart(database: Database) -> None:
    one = scans.begin(database, plan(rate=RATE))
    other = scans.begin(database, plan(ulid="01JD5Y00000000000000000002", rate=7.0))

    assert worker(database, one).renew([]).rate == RATE
    assert worker(database, other).renew([]).rate == 7.0


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("renew"), st.sampled_from(NAMES)),
            st.tuples(st.just("leave"), st.sampled_from(NAMES)),
            st.tuples(st.just("wait"), st.sampled_from((1.0, LEASE / 2, LEASE, LEASE * 1.1))),
        ),
        max_size=30,
    ),
    st.sampled_from((1.0, 3.3, RATE, 1e6)),
)
def test_what_workers_believe_they_may_do_never_sums_above_the_rate(
    steps: list[tuple[str, str | float]], rate: float
) -> None:
    clock = Clock(1_795_237_200.0)
    believed: dict[str, tuple[float, float]] = {}
    with tempfile.TemporaryDirectory() as folder, open_database(str(Path(folder) / "db"), clock) as database:
        scan = scans.begin(database, plan(rate=rate))
        workers = {name: worker(database, scan, name) for name in NAMES}
        for verb, whom in steps:
            if verb == "wait":
                clock.now += float(whom)
            elif verb == "leave":
                workers[str(whom)].leave()
                believed.pop(str(whom), None)
            else:
                believed[str(whom)] = (workers[str(whom)].renew([]).rate, clock.now + LEASE)

            # A worker stops of itself when its lease has run out.
            assert sum(part for part, until in believed.values() if until >= clock.now) <= rate * (1 + 1e-12)

        for _ in range(3):  # come in, make room, fill it
            living = [workers[name].renew([]).rate for name in NAMES]
        assert living == pytest.approx([rate / len(NAMES)] * len(NAMES))


def test_the_table_never_holds_more_than_the_rate(database: Database) -> None:
    scan = scans.begin(database, plan(rate=RATE))
    for name in "abcab cabca ddab".replace(" ", ""):
        worker(database, scan, name).renew([])
        with database.read() as connection:
            assert sum(connection.execute(select(shares.c.rate)).scalars()) <= RATE
