"""Flows that were seen are held against a plan, however they were written down."""

from __future__ import annotations

import datetime as dt
import ipaddress
import itertools
import tracemalloc
from collections.abc import Iterable

import pytest
from tests.source import ROOT

from leadglass.configs.firewall import dry_run
from leadglass.configs.firewall.dry_run import Judge, Tally, held_against
from leadglass.configs.firewall.flows import BrokenLine, Flow, Meeting, flows
from leadglass.configs.firewall.plan import Direction
from leadglass.configs.firewall.read import read_peers

PLAN = read_peers((ROOT / "tests/fixtures/firewall/peers.toml").read_text(), filename="peers.toml")
HERE = (ipaddress.ip_network("192.0.2.6"),)

CONNTRACK = """\
tcp      6 431999 ESTABLISHED src=192.0.2.33 dst=192.0.2.5 sport=45124 dport=104 src=192.0.2.5 dst=192.0.2.33 sport=104 dport=45124 [ASSURED] mark=0 use=1
tcp      6 431999 ESTABLISHED src=203.0.113.9 dst=192.0.2.5 sport=45124 dport=104 src=192.0.2.5 dst=203.0.113.9 sport=104 dport=45124 [ASSURED] mark=0 use=1
ipv4     2 tcp      6 431999 ESTABLISHED src=192.0.2.5 dst=198.51.100.99 sport=40000 dport=104 src=198.51.100.99 dst=192.0.2.5 sport=104 dport=40000 [ASSURED] mark=0 use=1
tcp      6 100 SYN_SENT src=203.0.113.8 dst=192.0.2.5 sport=1 dport=104 [UNREPLIED] src=192.0.2.5 dst=203.0.113.8 sport=104 dport=1 mark=0 use=1
udp      17 29 src=192.0.2.5 dst=192.0.2.53 sport=53000 dport=53 src=192.0.2.53 dst=192.0.2.5 sport=53 dport=53000 mark=0 use=1
ipv6     10 tcp      6 299 ESTABLISHED src=2001:db8::99 dst=2001:db8::5 sport=4000 dport=8042 src=2001:db8::5 dst=2001:db8::99 sport=8042 dport=4000 [ASSURED] mark=0 use=1
tcp      6 1 TIME_WAIT src=192.0.2.33 dst=192.0.2.5 sport=45000 dport=22 src=192.0.2.5 dst=192.0.2.33 sport=22 dport=45000 [ASSURED] mark=0 use=1
conntrack v1.4.7 (conntrack-tools): 7 flow entries have been shown.
"""
NFDUMP = """\
ts,te,td,sa,da,sp,dp,pr,flg,fwd,stos,ipkt,ibyt
2026-11-20 22:00:00,2026-11-20 22:00:05,5.0,203.0.113.9,192.0.2.5,40000,104,TCP,...AP.SF,0,0,10,900
2026-11-20 23:00:00,2026-11-20 23:10:00,5.0,203.0.113.9,192.0.2.5,40001,104,TCP,...AP.SF,0,0,10,900
2026-11-20 22:00:00,2026-11-20 22:00:05,5.0,192.0.2.5,203.0.113.9,104,40000,TCP,...AP.SF,0,0,10,900
2026-11-20 22:00:00,2026-11-20 22:00:05,5.0,192.0.2.5,192.0.2.33,104,11112,TCP,...AP.SF,0,0,10,900
2026-11-20 22:00:00,2026-11-20 22:00:05,5.0,203.0.113.7,192.0.2.5,40000,104,TCP,......S.,0,0,10,900
2026-11-20 22:00:00,2026-11-20 22:00:05,5.0,192.0.2.5,192.0.2.9,40000,53,UDP,........,0,0,1,60
nonsense
2026-11-20 22:00:00,,,not-an-address,192.0.2.5,40000,104,TCP,...AP.SF,0,0,10,900
Summary
flows,bytes,packets,avg_bps,avg_pps,avg_bpp
4,3600,40,1,1,90
"""


def stopped(tally: Tally) -> dict[tuple[str, str, str, int], int]:
    return {
        (str(one.direction), one.server, str(one.remote), one.port): count.flows
        for one, count in tally.worst()
    }


def run(text: str) -> Tally:
    return held_against(PLAN, flows(text.splitlines(keepends=True)), HERE)


def test_a_connection_table_says_who_would_be_cut_off_both_ways() -> None:
    tally = run(CONNTRACK)

    assert stopped(tally) == {
        ("in", "archive", "203.0.113.9", 104): 1,
        ("out", "archive", "198.51.100.99", 104): 1,
        ("in", "archive", "2001:db8::99", 8042): 1,
    }
    assert (tally.allowed, tally.untouched, tally.broken) == (1, 1, 0)


def test_netflow_says_how_often_and_when_last_and_ways_back_are_none() -> None:
    tally = run(NFDUMP)
    ((_, count),) = tally.worst()

    assert stopped(tally) == {("in", "archive", "203.0.113.9", 104): 2}
    assert count.last == dt.datetime(2026, 11, 20, 23, 10, tzinfo=dt.UTC)
    assert [(broken.line, broken.why) for broken in tally.first_broken] == [
        (8, "only 1 columns"),
        (9, "no address where one belongs"),
    ]


@pytest.mark.parametrize(
    "heading",
    [
        "firstSeen,duration,proto,srcAddr,srcPort,dstAddr,dstPort,packets,bytes,bps,bpp,flows",
        "first, duration, protocol, src_addr, src_port, dst_addr, dst_port, a, b, c, d, flows",
    ],
)
def test_columns_are_known_by_their_names(heading: str) -> None:
    tally = run(f"{heading}\n2026-11-20 22:00:00.5,1,6,203.0.113.9,4000,192.0.2.6,2576,1,1,1,1,7\n")

    assert stopped(tally) == {("in", "interface engine", "203.0.113.9", 2576): 7}


def test_behind_a_translation_of_addresses_the_server_is_known_by_either() -> None:
    line = (
        "tcp 6 9 ESTABLISHED src=172.17.0.2 dst=203.0.113.9 sport=4000 dport=104"
        " src=203.0.113.9 dst=192.0.2.5 sport=104 dport=4000 [ASSURED]\n"
    )

    assert stopped(run(line)) == {("out", "archive", "203.0.113.9", 104): 1}


def test_events_carry_their_moment() -> None:
    line = (
        "[1763676600.123456]\t    [NEW] tcp      6 120 SYN_RECV src=203.0.113.9 dst=192.0.2.5 sport=1 dport=104"
        " src=192.0.2.5 dst=203.0.113.9 sport=104 dport=1\n"
    )
    ((_, count),) = run(line).worst()

    assert count.last == dt.datetime.fromtimestamp(1763676600, dt.UTC)


def test_of_the_events_of_a_connection_the_first_counts_and_the_last_has_the_moment() -> None:
    ends = "src=203.0.113.9 dst=192.0.2.5 sport={0} dport=104 {1} src=192.0.2.5 dst=203.0.113.9 sport=104 dport={0}\n"
    answered, asked = ends.format(40000, "packets=4"), ends.format(40000, "[UNREPLIED]")
    changes = (
        f"[1763676600.1]\t    [NEW] tcp      6 120 SYN_SENT {asked}"
        f"[1763676600.2]\t [UPDATE] tcp      6 60 SYN_RECV {answered}"
        f"[1763676600.3]\t [UPDATE] tcp      6 432000 ESTABLISHED {answered}"
        f"[1763676700.4]\t[DESTROY] tcp      6 CLOSE {answered}"
    )
    ((_, once),) = run(changes).worst()
    ((_, twice),) = run(changes * 2).worst()

    assert (once.flows, twice.flows) == (1, 2)
    assert once.last == dt.datetime.fromtimestamp(1763676700, dt.UTC)


def test_the_tally_of_conntrack_may_come_first() -> None:
    *connections, tally = CONNTRACK.splitlines(keepends=True)

    assert stopped(run("".join([tally, *connections]))) == stopped(run(CONNTRACK))


def test_flows_that_were_added_up_without_a_protocol_are_taken_for_tcp() -> None:
    tally = run("sa,da,sp,dp,pr,flg\n203.0.113.9,192.0.2.5,0,104,0,........\n")

    assert stopped(tally) == {("in", "archive", "203.0.113.9", 104): 1}


def test_a_file_of_another_kind_is_told_once() -> None:
    found = list(flows(["{\n", '  "a": 1\n', "}\n"], "x.json"))

    assert found == [
        BrokenLine(1, "neither a line of conntrack nor a heading with source, destination and port", "x.json")
    ]


@pytest.mark.parametrize(
    "line",
    [
        "tcp 6 9 ESTABLISHED src=192.0.2.5 dst=192.0.2.5 sport=4000 dport=104 src=192.0.2.5 dst=192.0.2.5 sport=104 dport=4000\n",
        "tcp 6 9 ESTABLISHED src=127.0.0.1 dst=127.0.0.1 sport=4000 dport=104 src=127.0.0.1 dst=127.0.0.1 sport=104 dport=4000\n",
    ],
)
def test_what_a_machine_says_to_itself_goes_on(line: str) -> None:
    assert run(line).untouched == 1


def test_of_a_meeting_without_a_port_any_opening_counts() -> None:
    archive = PLAN.servers[0]
    known, unknown = map(ipaddress.ip_address, ("192.0.2.33", "203.0.113.9"))
    seen = [Meeting(way, who) for way, who in itertools.product(Direction, (known, unknown))]
    tally = held_against(PLAN, seen, (), archive)

    assert tally.allowed == 2
    assert stopped(tally) == {
        ("in", "archive", "203.0.113.9", 0): 1,
        ("out", "archive", "203.0.113.9", 0): 1,
    }


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("tcp 6 9 src=192.0.2.1 dst=x\ntcp 6 9 ESTABLISHED src=1 dst=2\n", 2),
        ("sa,da,dp\n192.0.2.1,192.0.2.5,99999\n", 2),
        ("sa,da,dp\n192.0.2.1,192.0.2.5,\u0661\n", 2),
        ("what is this\n", 1),
        ('sa,da,dp\n"192.0.2.1,192.0.2.5,104\n', 2),
        ("sa,da,dp\n" + "x" * 10_000 + "\n", 2),
        ("sa,da,dp,flows\n192.0.2.1,192.0.2.5,104,1e9\n", 2),
    ],
)
def test_a_broken_line_is_told_with_its_number(text: str, line: int) -> None:
    broken = [one for one in flows(text.splitlines(keepends=True)) if isinstance(one, BrokenLine)]

    assert line in {one.line for one in broken}
    assert all("192.0.2" not in one.why for one in broken)


def test_memory_does_not_grow_with_what_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dry_run, "MOST", 100)
    archive = ipaddress.ip_address("192.0.2.5")
    start = ipaddress.ip_address("203.0.0.0")

    def strangers() -> Iterable[Flow | BrokenLine]:
        for number in range(5_000):
            yield Flow(start + number, archive, 104)
            yield BrokenLine(number, "no")

    tracemalloc.start()
    tally = held_against(PLAN, strangers())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert (len(tally.stopped), tally.beyond, tally.would_stop) == (100, 4_900, 5_000)
    assert (tally.broken, len(tally.first_broken)) == (5_000, 20)
    assert peak < 1 << 18


def test_a_server_of_two_entries_is_open_if_one_of_them_opens() -> None:
    text = (
        '[[servers]]\nname = "a"\naddresses = ["192.0.2.5"]\ndicom = [104]\n'
        '[[servers]]\nname = "b"\naddresses = ["192.0.2.0/24"]\ndicom = [104]\n'
        '[[peers]]\nname = "p"\naddresses = ["192.0.2.77"]\nopens = ["dicom"]\nservers = ["a"]\n'
    )
    judge = Judge(read_peers(text, filename="x"))
    peer, a, other = map(ipaddress.ip_address, ("192.0.2.77", "192.0.2.5", "192.0.2.6"))
    fates = [judge.fate(Flow(peer, place, 104)) for place in (a, other)]

    assert [fate.allowed for fate in fates if fate is not None] == [True, False]
