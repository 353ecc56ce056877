"""What Leadglass says of real servers, seen by a stranger from the other side of a cable."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.interop.servers import SERVERS, Expected, Stage
from tests.peers import firewall, golden, listener, looking, netns
from tests.peers.looking import Seen

pytestmark = pytest.mark.root

_IPV4, _IPV6 = f"{netns.SERVER}:11112", f"[{netns.SERVER_IPV6}]:11112"

_ROWS = [
    pytest.param(name, marks=[pytest.mark.peer(peer) for peer in server.peers])
    for name, server in SERVERS.items()
]


def _hold_to(expected: Expected, seen: Seen) -> None:
    told = {name: seen.capability(name) for name in expected.capabilities}

    assert seen.access in expected.words, seen.record["reasons"]
    assert told == dict(expected.capabilities), seen.record["reasons"]
    assert expected.reasons <= seen.rules


def _exit_code(seen: Seen) -> int:
    """1 something exposed, 3 something undecided, 0 all decided and nothing exposed."""
    if seen.record["severity"] != "none":
        return 1
    return 3 if seen.access == "inconclusive" else 0


@pytest.mark.parametrize("name", _ROWS)
def test_a_real_server_gets_its_verdict_at_each_rung(
    pair: netns.Pair, stage: Stage, tmp_path: Path, name: str
) -> None:
    server = SERVERS[name]
    with server.start(stage) as peer:
        target = f"{peer.host}:{peer.ports[server.port]}"
        seen = {
            rung: looking.look(pair.scanner, target, tmp_path, *server.options, rung=rung)
            for rung in server.rungs
        }
    deepest = seen["blank-query"]

    for rung, expected in server.rungs.items():
        _hold_to(expected, seen[rung])
        assert seen[rung].record["rung"] == rung
        assert seen[rung].exit_code == _exit_code(seen[rung])
    assert deepest.software in server.software
    assert bool(deepest.record["software"]["why"]) == bool(deepest.software)
    golden.compare(peer, name, deepest.record)


@pytest.mark.peer("nft")
def test_a_dropped_port_is_filtered_and_a_closed_one_closed(pair: netns.Pair, tmp_path: Path) -> None:
    firewall.drop_port(pair.server, 104)

    dropped = looking.look(pair.scanner, f"{netns.SERVER}:104", tmp_path)
    closed = looking.look(pair.scanner, f"{netns.SERVER}:4242", tmp_path)

    assert (dropped.access, dropped.exit_code) == ("filtered", 0)
    assert (closed.access, closed.exit_code) == ("closed", 0)


@pytest.mark.peer("dcmtk")
def test_the_reject_that_asks_for_a_title_is_shown_as_it_came(
    pair: netns.Pair, stage: Stage, tmp_path: Path
) -> None:
    with SERVERS["dcmqrscp-stranger"].start(stage) as peer:
        seen = looking.look(pair.scanner, peer.target, tmp_path)

    # PS3.8 table 9-21: result 1 rejected-permanent, source 1 service-user, reason 7 called title.
    assert [1, 1, 7] in [fact["value"] for fact in seen.record["evidence"]]


@pytest.mark.peer("pynetdicom")
def test_an_archive_is_seen_over_ipv6_as_it_is_over_ipv4(pair: netns.Pair, tmp_path: Path) -> None:
    with listener.listener(pair.server, 11112):
        seen = [looking.look(pair.scanner, target, tmp_path) for target in (_IPV4, _IPV6)]

    assert [look.access for look in seen] == ["answers-query", "answers-query"]
    assert seen[0].record["capabilities"] == seen[1].record["capabilities"]
    assert [look.record["vantage"]["source"] for look in seen] == [netns.SCANNER, netns.SCANNER_IPV6]


def test_the_record_says_from_where_and_by_whose_leave(pair: netns.Pair, tmp_path: Path) -> None:
    seen = looking.look(pair.scanner, f"{netns.SERVER}:104", tmp_path)

    assert seen.record["vantage"] == {"source": None, "position": "unknown", "name": None}
    assert seen.record["scope"]["granted_by"] == "A. Tester"
    assert seen.record["scope"]["reference"] == "change 4711"


@pytest.mark.peer("pynetdicom")
def test_the_record_names_the_address_that_the_server_saw(
    pair: netns.Pair, stage: Stage, tmp_path: Path
) -> None:
    with SERVERS["pynetdicom-echoscp"].start(stage) as peer:
        seen = looking.look(pair.scanner, peer.target, tmp_path)

    assert seen.record["vantage"]["source"] == netns.SCANNER
