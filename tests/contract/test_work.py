"""Shards are taken on lease, finished once, and taken over from whoever fell silent."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Sequence

import pytest
from sqlalchemy import select, text
from tests.contract.conftest import Opening
from tests.contract.samples import look, plan, sighting

from leadglass.model.key import unpack
from leadglass.model.verdict import Access, Position
from leadglass.store import scans
from leadglass.store.database import Database
from leadglass.store.overview import scan_row
from leadglass.store.schema import evidence, observations, places, verdicts
from leadglass.store.work import Shard, Work, progress, release_all

_serial = itertools.count()
LEASE = 15.0


def token() -> str:
    return f"token {next(_serial)}"


def worker(database: Database, scan: scans.StoredScan, name: str = "one", place: str = "here") -> Work:
    return Work(database, scan, place, Position.OUTSIDE, worker=name, token=token, lease=LEASE)


def taken(work: Work) -> Shard:
    shard = work.take()
    assert shard is not None
    return shard


def recorded(database: Database) -> list[str]:
    """The endpoints with a row in the history, as often as they have one."""
    with database.read() as connection:
        keys = connection.execute(select(observations.c.endpoint).order_by(observations.c.endpoint)).scalars()
        return [unpack(key)[0] for key in keys]


def changes(database: Database, scan: scans.StoredScan) -> dict[tuple[str, str], str | None]:
    """By address and place, what each record of ``scan`` says it was before: the product's name."""
    before = verdicts.alias()
    query = (
        select(observations.c.endpoint, places.c.name, before.c.product)
        .join(places, places.c.id == observations.c.place)
        .outerjoin(before, before.c.id == observations.c.changed_from)
        .where(observations.c.scan == scan.id)
    )
    with database.read() as connection:
        return {(unpack(key)[0], place): product for key, place, product in connection.execute(query)}


def count(database: Database, table: str) -> int:
    with database.read() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


# ---- taking


def test_every_shard_is_given_to_one_worker(database: Database) -> None:
    scan = scans.begin(database, plan(hosts=10, shard_hosts=2))
    one, two = worker(database, scan, "one"), worker(database, scan, "two")

    given = [shard for shard in (w.take() for w in [one, two] * 4) if shard]

    assert sorted((shard.first, shard.after) for shard in given) == [(0, 2), (2, 4), (4, 6), (6, 8), (8, 10)]
    assert len({shard.token for shard in given}) == 5


def test_a_place_gets_its_own_shards_and_nobody_elses(database: Database) -> None:
    scan = scans.begin(database, plan(hosts=4, shard_hosts=4, wanted=("berlin", "paris")))

    assert worker(database, scan, place="rome").take() is None
    assert taken(worker(database, scan, place="paris")).number == 1
    assert worker(database, scan, place="paris").take() is None
    assert taken(worker(database, scan, place="berlin")).number == 0


def test_a_shard_is_taken_over_when_its_lease_has_run_out(
    database: Database, wait: Callable[[float], None]
) -> None:
    scan = scans.begin(database, plan(hosts=4))
    dead, living = worker(database, scan, "dead"), worker(database, scan, "living")
    lost = taken(dead)
    wait(LEASE - 1)
    assert living.take() is None
    wait(2)

    found = taken(living)

    assert (found.number, found.first, found.after) == (lost.number, lost.first, lost.after)
    assert found.token != lost.token


def test_a_renewed_lease_is_not_taken_over(database: Database, wait: Callable[[float], None]) -> None:
    scan = scans.begin(database, plan(hosts=4))
    slow = worker(database, scan, "slow")
    shard = taken(slow)
    for _ in range(3):
        wait(LEASE - 1)
        assert slow.renew([shard]).lost == frozenset()

    assert worker(database, scan, "keen").take() is None
    assert slow.finish(shard, [sighting(1)])


def test_who_lost_a_shard_is_told_so_when_renewing(database: Database, wait: Callable[[float], None]) -> None:
    scan = scans.begin(database, plan(hosts=8))
    slow = worker(database, scan, "slow")
    held = [taken(slow), taken(slow)]
    wait(LEASE + 1)
    taken(worker(database, scan, "keen"))

    assert slow.renew(held).lost == {held[0].number}


def test_leaving_gives_everything_back_at_once(database: Database) -> None:
    scan = scans.begin(database, plan(hosts=8))
    leaving = worker(database, scan, "leaving")
    shard = taken(leaving)
    leaving.renew([shard])
    staying = worker(database, scan, "staying")
    kept = taken(staying)

    leaving.leave()

    assert taken(staying).number == shard.number
    assert staying.finish(kept, [])
    assert progress(database, scan).workers == ()
    assert staying.renew([]).rate == scan.plan.rate


def test_all_leases_can_be_voided(database: Database) -> None:
    scan = scans.begin(database, plan(hosts=8))
    gone = worker(database, scan, "gone")
    held = [taken(gone), taken(gone)]
    gone.renew(held)

    release_all(database, scan)

    assert progress(database, scan).waiting == 2
    assert progress(database, scan).workers == ()
    assert not gone.finish(held[0], [sighting(1)])


# ---- finishing


def test_what_was_seen_is_in_the_store(database: Database) -> None:
    scan = scans.begin(database, plan(hosts=4))
    work = worker(database, scan)

    assert work.finish(taken(work), [sighting(2, at=7, source=None), sighting(1, look("Orthanc"), at=8)])

    with database.read() as connection:
        rows = connection.execute(
            select(observations.c.endpoint, observations.c.observed_at, verdicts.c.product, evidence.c.facts)
            .join(verdicts, verdicts.c.id == observations.c.verdict)
            .join(evidence, evidence.c.id == verdicts.c.evidence)
            .order_by(observations.c.endpoint)
        ).all()
    assert [tuple(row) for row in rows] == [
        (sighting(1).endpoint, 8, "Orthanc", look("Orthanc").evidence),
        (sighting(2).endpoint, 7, "storescp", look().evidence),
    ]
    assert scans.complete(database, scan)
    assert scans.find(database, "last").state == "complete"


def test_a_shard_that_is_finished_twice_is_written_once(database: Database) -> None:
    scan = scans.begin(database, plan(hosts=4))
    work = worker(database, scan)
    shard = taken(work)

    assert work.finish(shard, [sighting(1)])
    assert not work.finish(shard, [sighting(1), sighting(2)])

    assert recorded(database) == ["10.0.0.1"]


def test_who_lost_the_token_writes_nothing(database: Database, wait: Callable[[float], None]) -> None:
    scan = scans.begin(database, plan(hosts=4))
    slow, keen = worker(database, scan, "slow"), worker(database, scan, "keen")
    lost = taken(slow)
    wait(LEASE + 1)
    mine = taken(keen)

    assert not slow.finish(lost, [sighting(1, look("never seen"))], [(0, 2)])
    assert recorded(database) == []
    assert count(database, "evidence") == count(database, "verdicts") == 0
    assert count(database, "shards") == 1
    assert keen.finish(mine, [sighting(1)])
    assert recorded(database) == ["10.0.0.1"]


def test_a_lease_that_ran_out_unnoticed_still_counts(
    database: Database, wait: Callable[[float], None]
) -> None:
    scan = scans.begin(database, plan(hosts=4))
    slow = worker(database, scan)
    shard = taken(slow)
    wait(LEASE + 1)

    assert slow.finish(shard, [sighting(1)])


def test_what_was_not_finished_waits_again(database: Database) -> None:
    scan = scans.begin(database, plan(hosts=100, shard_hosts=50, wanted=("berlin", "paris")))
    work = worker(database, scan, place="paris")

    assert work.finish(taken(work), [sighting(1)], [(10, 20), (30, 50)])

    left = [taken(work), taken(work), taken(work)]
    assert [(shard.number, shard.first, shard.after) for shard in left] == [
        (3, 50, 100),
        (4, 10, 20),
        (5, 30, 50),
    ]
    assert work.take() is None
    assert not scans.complete(database, scan)


def test_looks_that_are_alike_are_stored_once(opening: Opening) -> None:
    one, two = opening(), opening()
    scan = scans.begin(one, plan(hosts=8))
    first, second = worker(one, scan, "one"), worker(two, scan, "two")
    shards = taken(first), taken(second)

    first.finish(shards[0], [sighting(host) for host in range(100)])
    second.finish(shards[1], [sighting(host, look(judged_by="9.9")) for host in range(100, 200)])

    assert len(recorded(one)) == 200
    assert (count(one, "evidence"), count(one, "verdicts"), count(one, "vantages")) == (1, 2, 1)


def test_an_endpoint_that_comes_twice_counts_once(database: Database) -> None:
    scan = scans.begin(database, plan(hosts=4))
    work = worker(database, scan)

    assert work.finish(taken(work), [sighting(1, look("late"), at=9), sighting(1, look("early"), at=8)])

    with database.read() as connection:
        assert connection.execute(select(observations.c.observed_at)).scalars().all() == [9]


def test_more_kinds_of_looks_than_are_remembered_are_still_stored_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leadglass.store.sightings._MOST_DIGESTS", 3)
    scan = scans.begin(database, plan(hosts=12))
    work = worker(database, scan)
    for start in (0, 10, 20):
        work.finish(taken(work), [sighting(start + n, look(f"product {n}")) for n in range(5)])

    assert count(database, "verdicts") == 5
    assert len(recorded(database)) == 15


def test_a_verdict_that_was_pruned_meanwhile_is_written_again(database: Database) -> None:
    scan = scans.begin(database, plan(hosts=8))
    work = worker(database, scan)
    work.finish(taken(work), [sighting(1), sighting(2, look("other"))])
    with database.write() as connection:
        for table in ("observations", "endpoints", "verdicts", "evidence"):
            connection.execute(text(f"DELETE FROM {table}"))

    work.finish(taken(work), [sighting(3)])

    assert count(database, "observations o JOIN verdicts v ON v.id = o.verdict") == 1


# ---- what changed


def run(
    database: Database, number: int, seen: Sequence[object], place: str = "here"
) -> dict[tuple[str, str], str | None]:
    """A scan that sees ``seen``; what its records say was there before."""
    began = plan().began + number
    scan = scans.begin(database, plan(ulid=f"01JD5Y000000000000000000{number:02}", hosts=4, began=began))
    work = worker(database, scan, place=place)
    assert work.finish(taken(work), seen)  # type: ignore[arg-type]  # Sequence of sightings
    return changes(database, scan)


def test_a_record_says_what_it_changed_from(database: Database) -> None:
    run(database, 1, [sighting(1, look("same")), sighting(2, look("old")), sighting(3, look("judged"))])

    found = run(
        database,
        2,
        [
            sighting(1, look("same"), at=plan().began + 9),
            sighting(2, look("new"), at=plan().began + 9),
            sighting(3, look("judged", judged_by="9.9", note="another word"), at=plan().began + 9),
            sighting(4, look("first time"), at=plan().began + 9),
        ],
    )

    assert found == {
        ("10.0.0.1", "here"): None,
        ("10.0.0.2", "here"): "old",
        ("10.0.0.3", "here"): None,
        ("10.0.0.4", "here"): None,
    }


def test_another_access_is_a_change(database: Database) -> None:
    run(database, 1, [sighting(1, look("same", access=Access.ASSOCIATES))])

    found = run(database, 2, [sighting(1, look("same", access=Access.OFFERS_QUERY, judged_by="9.9"))])

    assert found == {("10.0.0.1", "here"): "same"}


def test_what_changed_is_asked_of_each_place_by_itself(database: Database) -> None:
    run(database, 1, [sighting(1, look("from inside"))], "inside")
    assert run(database, 2, [sighting(1, look("from outside"))], "outside") == {("10.0.0.1", "outside"): None}

    assert run(database, 3, [sighting(1, look("from outside"))], "inside") == {
        ("10.0.0.1", "inside"): "from inside"
    }
    assert run(database, 4, [sighting(1, look("from outside"))], "outside") == {("10.0.0.1", "outside"): None}


def test_a_change_is_told_once(database: Database) -> None:
    told = [run(database, n, [sighting(1, look(name))]) for n, name in enumerate("aabba", 1)]

    assert [change["10.0.0.1", "here"] for change in told] == [None, None, "a", None, "b"]


# ---- progress


def test_progress_is_counted(database: Database, wait: Callable[[float], None]) -> None:
    scan = scans.begin(database, plan(hosts=10, shard_hosts=4, wanted=("berlin", "paris")))
    berlin = worker(database, scan, "b", "berlin")
    paris = worker(database, scan, "p", "paris")
    berlin.renew([])
    paris.renew([])
    berlin.finish(taken(berlin), [sighting(host) for host in range(3)])
    paris.finish(taken(paris), [sighting(1)], [(1, 3)])
    taken(paris)

    now = progress(database, scan)

    assert (now.shards, now.done, now.leased, now.waiting) == (7, 2, 1, 4)
    assert (now.hosts, now.hosts_done, now.seen) == (20, 6, 4)
    assert (now.hosts_lately, now.seen_lately) == pytest.approx((8 / 60, 4 / 60))
    assert [(place.name, place.seen, place.shards) for place in now.places] == [
        ("berlin", 3, 1),
        ("paris", 1, 1),
    ]
    assert all(place.last > 1_700_000_000 for place in now.places)
    assert [(each.name, each.place, each.rate) for each in now.workers] == [
        ("b", "berlin", 500.0),
        ("p", "paris", 0.0),
    ]
    wait(LEASE + 1)
    assert progress(database, scan).workers == ()


def test_the_rate_of_a_young_scan_is_taken_since_it_began(database: Database) -> None:
    with database.read() as connection:
        moment = int(database.moment(connection))
    scan = scans.begin(database, dataclasses.replace(plan(hosts=10, shard_hosts=4), began=moment - 9))
    one = worker(database, scan)
    one.renew([])
    one.finish(taken(one), [sighting(host) for host in range(4)])

    assert progress(database, scan).seen_lately == pytest.approx(4 / 10, rel=0.2)


def test_progress_moves_within_a_shard(database: Database) -> None:
    scan = scans.begin(database, plan(hosts=8, shard_hosts=8, wanted=("berlin", "paris")))
    berlin, paris = (worker(database, scan, place, place) for place in ("berlin", "paris"))
    held = taken(berlin), taken(paris)
    assert progress(database, scan).share == 0

    berlin.note([(held[0], 3)])
    paris.note([(held[1], 1)])
    berlin.note([(held[0], 4)])

    now, row = progress(database, scan), scan_row(database, scan.plan.ulid)
    assert (now.done, now.seen, now.under_way, now.endpoints) == (0, 0, 5, 2 * scan.plan.endpoints)
    assert row is not None
    assert row.progress == now.share == pytest.approx(5 / (2 * scan.plan.endpoints))
    berlin.finish(held[0], [sighting(host) for host in range(8)])
    now = progress(database, scan)
    assert (now.seen, now.under_way) == (8, 1)
    paris.finish(held[1], [])
    assert progress(database, scan).share == 1
    scans.complete(database, scan)
    row = scan_row(database, scan.plan.ulid)
    assert row is not None
    assert row.progress == 1


def test_not_everything_is_done_before_it_is_written_down(database: Database) -> None:
    scan = scans.begin(database, plan(hosts=4))
    work = worker(database, scan)
    work.note([(taken(work), 10**6)])

    assert progress(database, scan).share == 0.99


def test_what_a_dead_worker_had_asked_is_not_counted_twice(
    database: Database, wait: Callable[[float], None]
) -> None:
    scan = scans.begin(database, plan(hosts=8))
    dead, living = worker(database, scan, "dead"), worker(database, scan, "living")
    lost = taken(dead)
    dead.note([(lost, 5)])
    wait(LEASE + 1)
    row = scan_row(database, scan.plan.ulid)
    assert row is not None
    assert (progress(database, scan).under_way, row.progress) == (0, 0)

    found = taken(living)
    dead.note([(lost, 6)])
    assert progress(database, scan).under_way == 0
    living.note([(found, 2)])
    assert progress(database, scan).under_way == 2

    living.leave()
    assert progress(database, scan).under_way == 0
    assert taken(dead).number == found.number
    assert progress(database, scan).under_way == 0


def test_progress_of_the_largest_scan_can_be_counted(database: Database) -> None:
    scan = scans.begin(database, plan(hosts=2**62, wanted=("a", "b", "c")))
    work = worker(database, scan, place="b")
    work.finish(taken(work), [])

    assert progress(database, scan).hosts == 3 * 2**62
    assert 0 < progress(database, scan).hosts_done < 2**62
