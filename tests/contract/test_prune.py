"""What is older than its user wants to keep goes away whole, and nothing else does."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text
from tests.contract.samples import BEGAN, look, plan, sighting, ulid
from tests.contract.test_work import count, taken, worker

from leadglass.model.verdict import Position
from leadglass.store import prune as pruning
from leadglass.store import scans
from leadglass.store.database import Database, open_database
from leadglass.store.passive import keep
from leadglass.store.prune import Pruned, prune

DAY = 86_400
TABLES = (
    "scans",
    "shards",
    "observations",
    "endpoints",
    "verdicts",
    "evidence",
    "vantages",
    "listed",
    "listed_hosts",
)
ORPHANS = (
    "observations o LEFT JOIN scans s ON s.id = o.scan WHERE s.id IS NULL",
    "observations o LEFT JOIN verdicts v ON v.id = o.verdict WHERE v.id IS NULL",
    "observations o LEFT JOIN vantages v ON v.id = o.vantage WHERE v.id IS NULL",
    "observations o LEFT JOIN verdicts v ON v.id = o.changed_from WHERE o.changed_from <> coalesce(v.id, 0)",
    "endpoints e LEFT JOIN verdicts v ON v.id = e.verdict WHERE v.id IS NULL",
    "verdicts v LEFT JOIN evidence e ON e.id = v.evidence WHERE e.id IS NULL",
    "evidence e LEFT JOIN verdicts v ON v.evidence = e.id WHERE v.id IS NULL",
    "shards h LEFT JOIN scans s ON s.id = h.scan WHERE s.id IS NULL",
    "listed_hosts l LEFT JOIN scans s ON s.id = l.scan WHERE s.id IS NULL",
    "listed l LEFT JOIN scans s ON s.id = l.scan WHERE s.id IS NULL",
)


@pytest.fixture(autouse=True, params=[3, 20_000])
def batch(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "_BATCH", request.param)


def scanned(database: Database, number: int, days: int, hosts: range, told: str) -> scans.StoredScan:
    """A scan that began and ended ``days`` after the beginning, with a look of its own and one of all."""
    at = BEGAN + days * DAY
    scan = scans.begin(database, plan(ulid=ulid(number), began=at, hosts=4))
    work = worker(database, scan)
    seen = [sighting(host, look(told if host % 2 else "everywhere"), at=at, source=told) for host in hosts]
    assert work.finish(taken(work), seen)
    assert scans.complete(database, scan)
    with database.write() as connection:
        for column, table in (("ended", "scans WHERE id"), ("done_at", "shards WHERE scan")):
            name, _, where = table.partition(" ")
            connection.execute(text(f"UPDATE {name} SET {column} = {at} {where} = {scan.id}"))
    return scan


def rows(database: Database) -> dict[str, int]:
    return {table: count(database, table) for table in TABLES}


def orphans(database: Database) -> int:
    return sum(count(database, each) for each in ORPHANS)


def test_what_is_old_goes_with_all_that_only_it_refers_to(database: Database) -> None:
    scanned(database, 1, 0, range(10), "old")
    before = rows(database)
    scanned(database, 2, 30, range(20, 32), "young")
    both = rows(database)

    gone = prune(database, BEGAN + 15 * DAY)

    assert gone == Pruned(scans=1, observations=10, endpoints=10)
    shared = {"verdicts": 1, "evidence": 1}
    assert rows(database) == {table: both[table] - before[table] + shared.get(table, 0) for table in TABLES}
    assert orphans(database) == 0


def test_what_is_young_is_as_it_was(database: Database) -> None:
    scanned(database, 1, 0, range(10), "old")
    scanned(database, 2, 30, range(5, 12), "young")
    prune(database, BEGAN + 15 * DAY)

    # Hosts 5, 7, 9 changed: what they changed from is still told.
    assert (
        count(database, "observations o JOIN verdicts v ON v.id = o.changed_from WHERE v.product = 'old'")
        == 3
    )
    assert count(database, "endpoints") == 7
    assert orphans(database) == 0
    assert prune(database, BEGAN + 15 * DAY) == Pruned(0, 0, 0)


def test_an_endpoint_that_a_kept_scan_saw_long_ago_is_kept(database: Database) -> None:
    scan = scans.begin(database, plan(ulid=ulid(1), kind="import", hosts=0, began=BEGAN))
    keep(database, scan, [sighting(1, at=BEGAN - 400 * DAY)], "shodan", Position.OUTSIDE)
    scans.complete(database, scan)

    assert prune(database, BEGAN - 15 * DAY) == Pruned(0, 0, 0)
    assert count(database, "endpoints") == 1


def test_counting_changes_nothing(database: Database) -> None:
    scanned(database, 1, 0, range(10), "old")
    scanned(database, 2, 30, range(5, 12), "young")
    before = rows(database)

    counted = prune(database, BEGAN + 15 * DAY, dry=True)

    assert rows(database) == before
    assert prune(database, BEGAN + 15 * DAY) == counted == Pruned(scans=1, observations=10, endpoints=5)


def test_an_unfinished_scan_goes_when_nobody_works_at_it(database: Database) -> None:
    scan = scans.begin(database, plan(began=BEGAN, hosts=8))
    working = worker(database, scan)
    shard = taken(working)
    assert prune(database, BEGAN + DAY * 10**4).scans == 0
    working.renew([shard])
    assert prune(database, BEGAN + DAY * 10**4).scans == 0
    working.leave()

    assert prune(database, BEGAN + 1).scans == 1
    assert rows(database)["shards"] == 0
    assert not working.finish(shard, [sighting(1)])
    assert rows(database)["observations"] == 0


def test_lists_of_targets_go_too(database: Database) -> None:
    scan = scans.begin(database, plan(is_listed=True, hosts=0))
    scans.add_listed(database, scan, [(f"10.0.0.{host}", port) for host in range(9) for port in (104, 105)])

    prune(database, BEGAN + DAY)

    assert set(rows(database).values()) == {0}


def test_pruning_that_was_interrupted_is_finished_by_the_next(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    scanned(database, 1, 0, range(10), "old")
    real = pruning._sweep
    monkeypatch.setattr(pruning, "_sweep", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        prune(database, BEGAN + DAY)
    assert rows(database)["scans"] == 1
    assert scans.latest(database, "open") is None

    monkeypatch.setattr(pruning, "_sweep", real)
    prune(database, BEGAN + DAY)

    assert set(rows(database).values()) == {0}


def test_a_sqlite_file_shrinks_and_keeps_nothing_readable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "_BATCH", 5000)
    path = tmp_path / "db"
    with open_database(str(path), lambda: BEGAN) as database:
        scanned(database, 1, 0, range(20_000), "old secret")
        database.run("PRAGMA wal_checkpoint(TRUNCATE)")
        full = path.stat().st_size

        prune(database, BEGAN + DAY)

        assert path.stat().st_size < full / 2  # what is left are empty tables
        for each in tmp_path.iterdir():
            assert sighting(77).endpoint not in each.read_bytes()
            assert b"secret" not in each.read_bytes()
