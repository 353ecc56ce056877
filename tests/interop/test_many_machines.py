"""One scan by many machines, over a real PostgreSQL: nothing is lost and nothing is double, whoever dies.

Each machine is a network namespace with an address of its own. The database and the targets are in the
middle, where every connection that is opened is recorded.
"""

from __future__ import annotations

import os
import re
import signal
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.peers import listener, looking, postgresql, star
from tests.peers.machines import NAMES, Field, fielded, until
from tests.peers.postgresql import Cluster
from tests.peers.star import Opening, Star

from leadglass import wiring
from leadglass.scan.foreman import LEASE
from leadglass.scope.parse import parse

pytestmark = [
    pytest.mark.root,
    pytest.mark.peer("postgresql"),
    pytest.mark.peer("nft"),
    pytest.mark.peer("tcpdump"),
    pytest.mark.peer("pynetdicom"),
]

TARGETS = "10.77.0.0/16"
ARCHIVE = 11112
MOMENT = 0.5
"""Seconds between a decision here and its first packet there, at most."""

SCOPE = """
name = "many machines"
[authorisation]
basis = "owner"
granted_by = "A. Tester"
contact = "tester@example.org"
reference = "change 4711"
valid_until = 2199-12-31
[limits]
deepest = "associate"
rate = {rate}
concurrent_per_network = 256
[vantage]
position = "inside"
"""
TARGET = """
[[targets]]
range = "{network}"
ports = [{ports}]
"""


def scope_text(rate: int, networks: Sequence[str], ports: Sequence[int] = (104, 4242, 8042, ARCHIVE)) -> str:
    listed = ", ".join(map(str, ports))
    return SCOPE.format(rate=rate) + "".join(
        TARGET.format(network=network, ports=listed) for network in networks
    )


def endpoints(text: str) -> set[str]:
    """What the scope permits, as the store writes it."""
    scope = parse(text, filename="scope.toml", moment=wiring.clock().posix())
    return {
        bytes([*map(int, address.split(".")), port >> 8, port & 255]).hex()
        for address, port in scope.targets()
    }


@pytest.fixture(scope="module")
def around() -> Iterator[tuple[Star, Cluster]]:
    """Four machines around a database, an archive, and closed ports."""
    with star.star(len(NAMES)) as made:
        made.answer_for(TARGETS)
        with postgresql.cluster(made.hub, listen="*") as cluster, listener.listener(made.hub, ARCHIVE):
            yield made, cluster


@pytest.fixture
def here(around: tuple[Star, Cluster], tmp_path: Path) -> Iterator[Field]:
    """A database of the test's own, and workers that end with it."""
    with fielded(*around, tmp_path) as made:
        yield made


# ---- a bad day


@dataclass
class BadDay:
    """What is left of a scan in which two machines died, one was cut off, and one came late."""

    text: str
    rate: int
    openings: list[Opening]
    seen: list[tuple[str, str, str]]
    shards: Counter[str]
    orphans: list[str]
    """Processes on the two machines that died, a moment later."""
    cut_at: float
    back_at: float
    ended_at: float
    sources: dict[str, str]
    lines: dict[str, list[str]]
    exits: list[int]


@pytest.fixture(scope="module")
def bad_day(around: tuple[Star, Cluster], tmp_path_factory: pytest.TempPathFactory) -> Iterator[BadDay]:
    """Live through it once."""
    home = tmp_path_factory.mktemp("bad-day")
    rate, networks = 80, ["10.77.0.0/24", "10.77.1.0/25", "10.77.1.128/26"]
    text = scope_text(rate, networks)
    with fielded(*around, home) as here:
        berlin, paris, rome = (here.start(number) for number in range(3))
        here.await_listening(3)
        with star.openings(here.star.hub, TARGETS, home / "openings.pcap") as openings:
            here.begin(text, shard_hosts=64)
            here.await_working(3)
            time.sleep(2)
            os.killpg(berlin.process.pid, signal.SIGKILL)
            time.sleep(1)
            os.killpg(paris.process.pid, signal.SIGKILL)
            oslo = here.start(3)
            time.sleep(2)
            with here.star.cut_off(rome.place, here.cluster.port):
                cut_at = time.time()
                orphans = berlin.processes() + paris.processes()
                time.sleep(LEASE + 2)
                back_at = time.time()
            here.await_complete()
            ended_at = time.time()
        exits = [rome.end(), oslo.end()]
        yield BadDay(
            text,
            rate,
            openings,
            here.seen(),
            here.shards(),
            orphans,
            cut_at,
            back_at,
            ended_at,
            {machine.name: machine.place.address for machine in here.machines},
            {machine.name: machine.said() for machine in here.machines},
            exits,
        )


def test_every_endpoint_is_seen_once_whoever_dies(bad_day: BadDay) -> None:
    assert Counter(endpoint for endpoint, _, _ in bad_day.seen) == Counter(endpoints(bad_day.text))
    assert set(bad_day.shards) == {"2"}
    assert {opening.source for opening in bad_day.openings} == set(bad_day.sources.values())


def test_who_saw_what_is_kept(bad_day: BadDay) -> None:
    pairs = {(place, source) for _, place, source in bad_day.seen if source}

    assert pairs <= set(bad_day.sources.items())
    assert {"oslo", "rome"} <= {place for place, _ in pairs}


def test_the_processes_of_a_dead_worker_end_by_themselves(bad_day: BadDay) -> None:
    assert bad_day.orphans == []


def test_all_workers_together_keep_the_pace(bad_day: BadDay) -> None:
    moments = [opening.at for opening in bad_day.openings]
    fullest = 0
    first = 0
    for last, moment in enumerate(moments):
        while moments[first] <= moment - 1:
            first += 1
        fullest = max(fullest, last + 1 - first)

    # A worker saves up a twentieth of a second, and at least one.
    assert fullest <= bad_day.rate + len(NAMES) * max(1, bad_day.rate / 20)
    assert fullest >= bad_day.rate * 0.9, "nobody ever used all of it, so this proves nothing"


def test_a_worker_that_is_cut_off_opens_nothing_once_its_lease_has_run_out(bad_day: BadDay) -> None:
    rome = [opening.at for opening in bad_day.openings if opening.source == bad_day.sources["rome"]]
    ran_out = bad_day.cut_at + LEASE + MOMENT

    assert [at for at in rome if bad_day.cut_at + LEASE / 2 < at < ran_out], "it had run dry before"
    assert [at for at in rome if ran_out < at < bad_day.back_at] == []


def test_a_worker_that_was_cut_off_works_on_when_it_is_back(bad_day: BadDay) -> None:
    rome = [opening.at for opening in bad_day.openings if opening.source == bad_day.sources["rome"]]

    assert [at for at in rome if at > bad_day.back_at]


def test_workers_say_little_and_end_as_they_should(bad_day: BadDay) -> None:
    assert bad_day.exits == [130, 130]
    for name, lines in bad_day.lines.items():
        assert all(line.startswith("leadglass: ") for line in lines), (name, lines)
        assert sum("trying again" in line for line in lines) <= (name == "rome"), (name, lines)
    assert re.fullmatch(
        r"leadglass: scan \w+: [\d,]+ endpoints from here, none left", bad_day.lines["oslo"][-1]
    )


# ---- better days


def test_two_vantage_points_each_see_all_of_it(here: Field) -> None:
    text = scope_text(400, ["10.77.8.0/25"], (104, ARCHIVE))
    (here.home / "scope.toml").write_text(text)
    machines = [here.start(0, "tokyo"), here.start(1, "lima"), here.start(2, "lima")]
    here.await_listening(3)
    wanted = ["--vantage", "tokyo", "--vantage", "lima", "--format", "jsonl", "--output", "all.jsonl"]

    done = looking.leadglass(
        here.star.hub, ["scan", "--scope", "scope.toml", "--database", here.url, *wanted], here.home
    )

    assert done.returncode in {0, 1, 3}, done.stderr
    seen = here.seen()
    for place in ("tokyo", "lima"):
        assert Counter(endpoint for endpoint, where, _ in seen if where == place) == Counter(endpoints(text))
    assert len(seen) == 2 * len(endpoints(text))
    assert {source for _, place, source in seen if place == "tokyo" and source} == {machines[0].place.address}
    assert {source for _, place, source in seen if place == "lima" and source} <= {
        machine.place.address for machine in machines[1:]
    }


def test_a_database_that_is_away_for_longer_than_a_lease_loses_nothing(here: Field) -> None:
    text = scope_text(100, ["10.77.9.0/26"])
    machines = [here.start(0), here.start(1)]
    here.await_listening(2)
    here.begin(text, shard_hosts=8)
    until(lambda: here.shards()["2"] > 0, "a shard is done")

    here.cluster.stop()
    time.sleep(LEASE + 1)
    here.cluster.start()

    here.await_complete()
    assert Counter(endpoint for endpoint, _, _ in here.seen()) == Counter(endpoints(text))
    assert [machine.end() for machine in machines] == [130, 130]
    for machine in machines:
        lines = machine.said()
        assert sum("trying again" in line for line in lines) == 1, lines
        assert all(line.startswith("leadglass: ") for line in lines), lines


def test_a_worker_that_is_told_to_end_gives_back_what_it_had(here: Field) -> None:
    text = scope_text(50, ["10.77.10.0/25"])
    one = here.start(0)
    here.await_listening(1)
    here.begin(text, shard_hosts=8)
    until(lambda: here.shards()["2"] > 0, "a shard is done")

    began = time.monotonic()
    assert one.end(signal.SIGINT) == 130
    assert time.monotonic() - began < 5

    assert here.shards()["1"] == 0
    assert here.shards()["0"] > 0
    assert here.sql("SELECT * FROM shares") == []
    assert len({endpoint for endpoint, _, _ in here.seen()}) == len(here.seen()) > 0
    here.start(1)
    until(lambda: here.shards()["1"] > 0, "another one has taken over at once", 10)


def test_a_scan_whose_scope_is_shut_is_left_alone_and_said_once(here: Field) -> None:
    hour = time.gmtime(time.time() + 7200).tm_hour
    shut = scope_text(50, ["10.77.11.0/28"]).replace(
        "[vantage]", f'hours = "{hour:02}:00-{hour:02}:30"\ntimezone = "UTC"\n[vantage]'
    )
    one = here.start(0)
    here.await_listening(1)
    ulid = here.begin(shut, shard_hosts=1)

    until(lambda: len(one.said()) > 1, "it says something", 10)
    time.sleep(1)

    assert one.said()[1:] == [
        f"leadglass: scan {ulid}: left for now: outside the hours {hour:02}:00-{hour:02}:30 UTC"
    ]
    assert here.seen() == []
    assert one.end() == 130
