"""The harness itself: the namespaces hold, the counters count, the capture captures."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from tests.peers import (
    capture,
    dcmtk,
    firewall,
    netns,
    nginx,
    places,
)


def knock(place: places.Place, address: str, port: int) -> int | None:
    """The error of a connection from ``place``; 0 when it was accepted, None when nobody answered."""
    with place.inside():
        try:
            socket.create_connection((address, port), timeout=2).close()
        except TimeoutError:
            return None
        except OSError as error:
            return error.errno
    return 0


# ---- namespaces


@pytest.mark.root
def test_no_packet_leaves_the_pair(pair: netns.Pair) -> None:
    links = pair.server.must(["ip", "-brief", "link"]) + pair.scanner.must(["ip", "-brief", "link"])

    assert {line.split("@")[0].split()[0] for line in links.splitlines()} == {"lo", "cable"}


@pytest.mark.root
@pytest.mark.peer("nft")
@pytest.mark.peer("dcmtk")
def test_a_port_is_closed_dropped_or_open_as_told(pair: netns.Pair, tmp_path: Path) -> None:
    firewall.drop_port(pair.server, 4000)
    with dcmtk.storescp(pair.server, tmp_path / "s", port=4001):
        assert knock(pair.scanner, netns.SERVER, 4001) == 0
        assert knock(pair.scanner, netns.SERVER, 4002) == errno.ECONNREFUSED
        assert knock(pair.scanner, netns.SERVER, 4000) is None


@pytest.mark.root
@pytest.mark.parametrize("address", ["10.99.0.7", "fd99::7"])
def test_more_addresses_can_be_given(pair: netns.Pair, address: str) -> None:
    pair.add_address(address)

    assert knock(pair.scanner, address, 104) == errno.ECONNREFUSED


@pytest.mark.root
@pytest.mark.parametrize(
    ("network", "address"), [("10.64.0.0/16", "10.64.3.4"), ("2001:db8::/64", "2001:db8::abcd")]
)
def test_a_whole_network_can_be_answered_for(pair: netns.Pair, network: str, address: str) -> None:
    pair.answer_for(network)

    assert knock(pair.scanner, address, 104) == errno.ECONNREFUSED


@pytest.mark.root
def test_a_thread_comes_home_from_a_namespace(pair: netns.Pair) -> None:
    before = Path("/proc/thread-self/ns/net").readlink()
    with pair.scanner.inside():
        assert Path("/proc/thread-self/ns/net").readlink() != before

    assert Path("/proc/thread-self/ns/net").readlink() == before


@pytest.mark.root
def test_what_a_crash_leaves_behind_is_removed_by_the_next() -> None:
    crash = (
        "import os; from tests.peers import netns\n"
        "pair = netns.namespace_pair().__enter__()\n"
        "child = pair.server.popen(['sleep', '600'])\n"
        "print(pair.server.namespace, flush=True); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run(
        [sys.executable, "-c", crash], capture_output=True, text=True, check=False, timeout=30
    )
    left = done.stdout.strip()
    assert left.startswith("leadglass-")

    netns.sweep()

    assert not Path("/run/netns", left).exists()


@pytest.mark.root
def test_a_living_neighbour_is_left_alone(pair: netns.Pair) -> None:
    netns.sweep()

    assert pair.scanner.run(["true"]).returncode == 0


@pytest.mark.root
@pytest.mark.peer("dcmtk")
def test_a_peer_that_cannot_start_says_why(pair: netns.Pair, tmp_path: Path) -> None:
    with (
        pytest.raises(RuntimeError, match="it ended with"),
        dcmtk.storescp(pair.server, tmp_path / "s", "--no-such-option"),
    ):
        pass


@pytest.mark.root
@pytest.mark.peer("nginx")
def test_a_peer_is_gone_after_its_block(pair: netns.Pair, tmp_path: Path) -> None:
    with nginx.web(pair.server, tmp_path / "web") as peer:
        assert knock(pair.scanner, peer.host, peer.port) == 0

    assert knock(pair.scanner, peer.host, peer.port) == errno.ECONNREFUSED
    assert pair.scanner.must(["ip", "netns", "pids", str(pair.server.namespace)]) == ""


# ---- counters and capture


@pytest.mark.root
@pytest.mark.peer("nft")
def test_every_packet_is_counted_whatever_it_is_for(pair: netns.Pair) -> None:
    firewall.count_arrivals(pair.server)
    targets = [
        (netns.SERVER, 1),
        (netns.SERVER, 2),
        ("203.0.113.9", 3),
        (netns.SERVER_IPV6, 4),
        ("2001:db8::9", 5),
    ]
    for address, port in targets:
        knock(pair.scanner, address, port)
    with pair.scanner.inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as dns:
        dns.sendto(b"?", ("203.0.113.53", 53))

    seen = firewall.read_arrivals(pair.server)

    expected = {firewall.Contact(address, "tcp", port) for address, port in targets}
    assert set(seen) == expected | {firewall.Contact("203.0.113.53", "udp", 53)}

    firewall.forget_arrivals(pair.server)

    assert not firewall.read_arrivals(pair.server)


@pytest.mark.root
@pytest.mark.peer("tcpdump")
@pytest.mark.parametrize(("host", "width"), [(netns.SERVER, 40_000), (netns.SERVER_IPV6, 40_000)])
def test_a_capture_holds_what_was_sent_and_not_what_came_back(
    pair: netns.Pair, tmp_path: Path, host: str, width: int
) -> None:
    question, answer = os.urandom(width), os.urandom(width)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with pair.server.inside():
        listener = socket.create_server((host, 104), family=family)
    with listener, capture.capture(pair.scanner, tmp_path / "sent.pcap") as recording:
        with pair.scanner.inside():
            client = socket.create_connection((host, 104))
        accepted, _ = listener.accept()
        with client, accepted:
            accepted.sendall(answer)
            client.sendall(question)
            assert client.recv(width, socket.MSG_WAITALL) == answer
            assert accepted.recv(width, socket.MSG_WAITALL) == question

    assert [stream.payload for stream in recording.streams()] == [question]
