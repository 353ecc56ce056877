"""Scans are written down, cut, found again and completed."""

from __future__ import annotations

import itertools

import pytest
from sqlalchemy import select
from tests.contract.conftest import Opening
from tests.contract.samples import plan, ulid

from leadglass.errors import UsageError
from leadglass.store import scans
from leadglass.store.database import Database
from leadglass.store.scans import Plan
from leadglass.store.schema import places, shards


def stretches(database: Database, scan: scans.StoredScan) -> list[tuple[int, str | None, int, int]]:
    """Number, place, first and after of each shard."""
    query = select(shards.c.number, places.c.name, shards.c.first, shards.c.after).outerjoin(
        places, places.c.id == shards.c.place
    )
    with database.read() as connection:
        rows = connection.execute(query.where(shards.c.scan == scan.id).order_by(shards.c.number))
        return [tuple(row) for row in rows]


def test_a_plan_comes_back_as_it_was(opening: Opening) -> None:
    written = plan(scope_note='{"name": "x"}', wanted=("berlin", "köln"), shard_hosts=4)
    begun = scans.begin(opening(), written)

    found = scans.find(opening(), written.ulid)

    assert found == begun
    assert found.plan == written
    assert (found.state, found.ended) == ("open", None)


def test_a_scan_that_anybody_may_do_is_cut_once(database: Database) -> None:
    scan = scans.begin(database, plan(hosts=10, shard_hosts=4))

    assert stretches(database, scan) == [(0, None, 0, 4), (1, None, 4, 8), (2, None, 8, 10)]


def test_each_wanted_place_goes_over_all_hosts(database: Database) -> None:
    scan = scans.begin(database, plan(hosts=5, shard_hosts=3, wanted=("b", "a")))

    assert stretches(database, scan) == [(0, "b", 0, 3), (1, "b", 3, 5), (2, "a", 0, 3), (3, "a", 3, 5)]


@pytest.mark.parametrize("wanted", [(), ("a", "b", "c")])
def test_the_largest_scan_is_cut_into_not_many_more_shards_than_a_small_one(
    database: Database, wanted: tuple[str, ...]
) -> None:
    hosts = 2**62
    scan = scans.begin(database, plan(hosts=hosts, shard_hosts=4096, wanted=wanted))
    passes = max(1, len(wanted))
    cut = stretches(database, scan)

    assert 90_000 < len(cut) <= 100_000
    assert scans.find(database, scan.plan.ulid).plan.shard_hosts == scan.plan.shard_hosts > 4096
    for turn in range(passes):
        mine = cut[turn * len(cut) // passes : (turn + 1) * len(cut) // passes]
        assert (mine[0][2], mine[-1][3]) == (0, hosts)
        assert all(one[3] == following[2] for one, following in itertools.pairwise(mine))


def test_a_scan_without_hosts_is_complete_at_once(database: Database) -> None:
    scan = scans.begin(database, plan(hosts=0))

    assert scans.complete(database, scan)


def test_a_scan_is_not_complete_before_its_shards_are(database: Database) -> None:
    scan = scans.begin(database, plan())

    assert not scans.complete(database, scan)
    assert scans.find(database, "last").state == "open"


def test_a_file_name_that_is_no_text_can_be_kept(database: Database) -> None:
    scans.begin(database, plan(scope_file="a\udcff\0b", command="leadglass scan --scope a\udcff"))

    assert (
        scans.find(database, "last").plan.scope_file == "a\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}b"
    )


# ---- finding


@pytest.mark.parametrize(
    "word",
    [ulid(77), ulid(77).lower(), ulid(77)[-4:], ulid(77)[-6:].lower(), ulid(77)[:-1], "last"],
)
def test_a_scan_is_found_by(database: Database, word: str) -> None:
    scans.begin(database, plan(ulid=ulid(12), began=plan().began - 1))
    scans.begin(database, plan(ulid=ulid(77)))

    assert scans.find(database, word).plan.ulid == ulid(77)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("01JD", "more than one"),
        ("ZZZZZ", "there is no scan"),
        ("00D", "names no scan"),
        ("%%%%", "names no scan"),
        ("01JD_", "names no scan"),
        ("", "names no scan"),
        ("x" * 10_000, "names no scan"),
    ],
)
def test_a_word_that_names_no_scan_is_told(database: Database, word: str, said: str) -> None:
    scans.begin(database, plan(ulid=ulid(12)))
    scans.begin(database, plan(ulid=ulid(77)))

    with pytest.raises(UsageError, match=said):
        scans.find(database, word)


def test_an_empty_store_has_no_last_scan(database: Database) -> None:
    with pytest.raises(UsageError, match="there is no scan"):
        scans.find(database, "last")


def test_the_latest_open_scan_is_one_of_that_scope(database: Database) -> None:
    began = plan().began
    ours = scans.begin(database, plan(ulid=ulid(1), scope_digest=b"1" * 32, began=began))
    scans.begin(database, plan(ulid=ulid(2), scope_digest=b"2" * 32, began=began + 1))
    scans.complete(database, scans.begin(database, plan(ulid=ulid(3), hosts=0, began=began + 2)))
    scans.begin(database, plan(ulid=ulid(4), is_listed=True, hosts=0, began=began + 3))

    assert [scan and scan.plan.ulid for scan in (scans.latest(database, "open"),)] == [ulid(2)]
    assert scans.latest(database, "open", b"1" * 32) == ours
    assert scans.latest(database, "open", b"3" * 32) is None


def test_a_worker_sees_the_scans_that_are_for_its_place(database: Database) -> None:
    def begun(number: int, **different: object) -> Plan:
        return scans.begin(database, plan(ulid=ulid(number), began=plan().began + number, **different)).plan

    anybodys = begun(1)
    berlins = begun(2, wanted=("berlin", "paris"))
    begun(3, wanted=("paris",))
    begun(4, hosts=0)

    assert [scan.plan for scan in scans.open_scans(database, "berlin")] == [anybodys, berlins]
    assert [scan.plan for scan in scans.open_scans(database, "nowhere")] == [anybodys]


# ---- listed targets


def test_listed_hosts_are_numbered_as_they_appear_each_once(database: Database) -> None:
    scan = scans.begin(database, plan(is_listed=True, hosts=0, endpoints=0, shard_hosts=2))
    found = [("10.0.0.9", 104), ("10.0.0.1", 80), ("10.0.0.9", 4242), ("10.0.0.9", 104), ("2001:db8::1", 104)]

    assert scans.add_listed(database, scan, iter(found)) == (3, 4)
    assert scans.listed_of(database, scan, [2, 0, 1, 3]) == {
        0: ("10.0.0.9", (104, 4242)),
        1: ("10.0.0.1", (80,)),
        2: ("2001:db8::1", (104,)),
    }
    assert stretches(database, scan) == [(0, None, 0, 2), (1, None, 2, 3)]
    assert scans.find(database, "last").plan == plan(is_listed=True, hosts=3, endpoints=4, shard_hosts=2)


def test_a_host_that_comes_again_much_later_keeps_its_number(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scans, "_BATCH", 7)
    scan = scans.begin(database, plan(is_listed=True, hosts=0))
    found = [(f"10.0.{number % 50 // 10}.{number % 10}", 104 + number % 3) for number in range(300)]

    hosts, endpoints = scans.add_listed(database, scan, found)

    assert (hosts, endpoints) == (50, 150)
    listed = scans.listed_of(database, scan, range(60))
    assert {number: address for number, (address, _) in listed.items()} == {
        number: f"10.0.{number // 10}.{number % 10}" for number in range(50)
    }
    assert {ports for _, ports in listed.values()} == {(104, 105, 106)}


def test_lists_of_two_scans_do_not_mix(database: Database) -> None:
    one = scans.begin(database, plan(ulid=ulid(1), is_listed=True, hosts=0))
    other = scans.begin(database, plan(ulid=ulid(2), is_listed=True, hosts=0))
    scans.add_listed(database, one, [("10.0.0.1", 104)])
    scans.add_listed(database, other, [("10.0.0.2", 105), ("10.0.0.1", 106)])

    assert scans.listed_of(database, one, [0, 1]) == {0: ("10.0.0.1", (104,))}
    assert scans.listed_of(database, other, [0, 1]) == {0: ("10.0.0.2", (105,)), 1: ("10.0.0.1", (106,))}


def test_a_scan_whose_list_is_not_in_yet_is_neither_complete_nor_resumed(database: Database) -> None:
    scan = scans.begin(database, plan(is_listed=True, hosts=0))

    assert not scans.complete(database, scan)
    assert scans.latest(database, "open") is None
    assert scans.open_scans(database, "anywhere") == []


def test_an_empty_list_makes_a_scan_that_is_complete(database: Database) -> None:
    scan = scans.begin(database, plan(is_listed=True, hosts=0))

    assert scans.add_listed(database, scan, []) == (0, 0)
    assert scans.complete(database, scan)
