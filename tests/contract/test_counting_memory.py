"""A stored scan of any size is counted in the same memory, judged as it was or judged again."""

from __future__ import annotations

import tracemalloc

import pytest
from tests.contract.reading import told
from tests.contract.samples import BEGAN, plan, ulid

from leadglass.model.key import pack
from leadglass.model.look import Sighting
from leadglass.model.verdict import Position
from leadglass.store import scans
from leadglass.store.counting import servers
from leadglass.store.database import Database
from leadglass.store.work import Work
from leadglass.survey.census import census

FEW, MANY = 20_000, 200_000
LOOKS = [told("192.0.2.1", version=f"V{number}").look() for number in range(50)]
FIRST = 10 << 24


def filled(database: Database, hosts: int, number: int) -> scans.StoredScan:
    scan = scans.begin(database, plan(ulid=ulid(number), hosts=hosts, shard_hosts=FEW))
    work = Work(database, scan, "here", Position.OUTSIDE, worker="w", token=lambda: "t")
    while (shard := work.take()) is not None:
        assert work.finish(shard, [_sighting(host) for host in range(shard.first, shard.after)])
    assert scans.complete(database, scan)
    return scan


def _sighting(host: int) -> Sighting:
    address = ".".join(str(byte) for byte in (FIRST + host).to_bytes(4))
    return Sighting(pack(address, 104), BEGAN, None, LOOKS[host % len(LOOKS)])


def most(database: Database, scan: scans.StoredScan, *, again: bool) -> int:
    """Bytes, at the most, while it is counted."""
    tracemalloc.start()
    try:
        assert census(servers(database, scan, again=again)).servers == scan.plan.hosts
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.deep
@pytest.mark.parametrize("again", [False, True], ids=["as-judged", "judged-again"])
def test_ten_times_the_servers_are_counted_in_the_same_memory(database: Database, again: bool) -> None:
    few, many = (filled(database, hosts, number) for number, hosts in enumerate((FEW, MANY), 700))
    most(database, few, again=again)  # what is loaded and remembered once

    assert most(database, many, again=again) < 1.3 * most(database, few, again=again)
