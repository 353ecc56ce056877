"""Several at once: over PostgreSQL truly, over SQLite one after the other. Nothing lost, nothing double."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import select, text
from tests.contract.conftest import Opening
from tests.contract.samples import look, plan, sighting, ulid
from tests.contract.test_prune import orphans
from tests.contract.test_work import count, recorded, taken, worker

from leadglass.errors import ResourceError
from leadglass.model.verdict import Position
from leadglass.store import scans
from leadglass.store.database import Database, open_database
from leadglass.store.names import place_of
from leadglass.store.passive import keep
from leadglass.store.prune import prune
from leadglass.store.schema import observations
from leadglass.store.sightings import Digests, Origin, write
from leadglass.store.work import Shard

OPEN = """
import sys
from leadglass.store.database import open_database
print("ready", flush=True)
sys.stdin.readline()
open_database(sys.argv[1], lambda: 0.0).close()
"""


def test_workers_side_by_side_do_each_shard_once(database: Database) -> None:
    scan = scans.begin(database, plan(hosts=160, shard_hosts=4))

    def work(name: str) -> int:
        mine, done = worker(database, scan, name, place=name[0]), 0
        while shard := mine.take():
            mine.renew([shard])
            seen = [sighting(host, look(f"product {host}")) for host in range(shard.first, shard.after)]
            done += mine.finish(shard, seen)
        mine.leave()
        return done

    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(work, ("a1", "a2", "b1", "b2")))

    assert sum(done) == 40
    assert len(recorded(database)) == len(set(recorded(database))) == 160
    assert count(database, "verdicts") == 160
    assert orphans(database) == 0
    assert scans.complete(database, scan)


def test_two_who_bring_the_same_news_at_once_store_them_once(database: Database) -> None:
    news = [look(f"new {number}") for number in range(300)]
    scan = scans.begin(database, plan(hosts=8))
    workers = [worker(database, scan, name) for name in ("one", "two")]
    shards = [taken(each) for each in workers]
    start = threading.Barrier(2)

    def bring(turn: int) -> bool:
        order = news if turn else news[::-1]  # in no common order: this must not end in a deadlock
        start.wait()
        return workers[turn].finish(
            shards[turn], [sighting(turn * 1000 + n, new) for n, new in enumerate(order)]
        )

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(bring, (0, 1))) == [True, True]

    assert (count(database, "evidence"), count(database, "verdicts")) == (300, 300)
    assert len(recorded(database)) == 600
    assert orphans(database) == 0


def test_the_same_digest_in_two_open_transactions_is_one_row(opening: Opening) -> None:
    one, two = opening(), opening()
    if not one.is_postgres:
        pytest.skip("SQLite has one writer at a time")
    with ThreadPoolExecutor(1) as pool:
        with one.write() as connection:
            first = Digests().numbers(connection, [look("news")])

            def meanwhile() -> dict[bytes, int]:
                with two.write() as other:
                    return Digests().numbers(other, [look("news")])

            second = pool.submit(meanwhile)
        assert second.result(30) == first


def test_two_who_hold_the_same_shard_cannot_both_finish_it(
    database: Database, wait: Callable[[float], None]
) -> None:
    scan = scans.begin(database, plan(hosts=4))
    slow, keen = worker(database, scan, "slow"), worker(database, scan, "keen")
    old = taken(slow)
    wait(16)
    new = taken(keen)
    start = threading.Barrier(2)

    def finish(who: tuple[object, Shard, int]) -> bool:
        start.wait()
        return (slow if who[0] is slow else keen).finish(who[1], [sighting(n) for n in range(who[2])])

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(finish, [(slow, old, 7), (keen, new, 5)])) == [False, True]
    assert len(recorded(database)) == 5


def test_pruning_beside_work_leaves_nothing_that_points_to_nothing(database: Database) -> None:
    scan = scans.begin(database, plan(ulid=ulid(1), hosts=120, shard_hosts=4))
    worker(database, scan).renew([])
    done = threading.Event()

    def work() -> None:
        mine = worker(database, scan, "busy")
        while shard := mine.take():
            seen = [sighting(host, look(f"product {host % 10}")) for host in range(shard.first, shard.after)]
            assert mine.finish(shard, seen)
        done.set()

    def forget() -> int:
        number = 100
        while not done.is_set():
            number += 1
            began = plan().began - 900_000
            old = scans.begin(database, plan(ulid=ulid(number), kind="import", hosts=0, began=began))
            keep(
                database,
                old,
                [sighting(n, look(f"product {n}"), at=began) for n in range(20)],
                "x",
                Position.INSIDE,
            )
            with database.write() as connection:
                connection.execute(
                    text(f"UPDATE scans SET state = 'complete', ended = began WHERE id = {old.id}")
                )
            prune(database, plan().began - 800_000)
        return number

    with ThreadPoolExecutor(2) as pool:
        forgetting = pool.submit(forget)
        try:
            work()
        finally:
            done.set()
        assert forgetting.result(60) > 100

    assert len(recorded(database)) == 120
    assert orphans(database) == 0


def test_processes_that_make_the_same_database_at_once_make_one(where: str) -> None:
    if "://" not in where:
        Path(where).parent.mkdir()
    makers = [
        subprocess.Popen(
            [sys.executable, "-c", OPEN, where],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for maker in makers:
        assert maker.stdout is not None
        assert maker.stdout.readline() == "ready\n"
    for maker in makers:
        assert maker.stdin is not None
        maker.stdin.write("go\n")
        maker.stdin.flush()

    assert [(maker.communicate(timeout=60)[1], maker.returncode) for maker in makers] == [("", 0)] * 4
    with open_database(where, lambda: 0.0) as database:
        assert count(database, "alembic_version") == 1


def test_a_reader_sees_one_moment_and_stops_nobody(opening: Opening) -> None:
    one, two = opening(), opening()
    scan = scans.begin(one, plan(hosts=4))
    work = worker(two, scan)
    with one.read() as connection:
        query = select(observations.c.endpoint)
        assert connection.execute(query).all() == []
        assert work.finish(taken(work), [sighting(1)])
        assert connection.execute(query).all() == []
    assert len(recorded(one)) == 1


def test_a_half_written_shard_is_not_written(database: Database) -> None:
    scan = scans.begin(database, plan())

    def half() -> None:
        with database.write() as connection:
            place = place_of(connection, "here")
            write(connection, Origin(scan.id, place, Position.INSIDE), [sighting(1)], Digests())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        half()
    assert recorded(database) == []
    assert count(database, "verdicts") == 0


def test_a_query_that_the_database_refuses_is_told_in_a_line(database: Database) -> None:
    with pytest.raises(ResourceError, match=r"the database refused: .*nowhere.*; please report") as caught:
        count(database, "nowhere")

    assert "\n" not in str(caught.value)
