"""What is tried to prove rules: everybody at every port, and somebody whom nobody knows."""

from __future__ import annotations

import ipaddress

import pytest
from tests.source import ROOT

from leadglass.configs.firewall.plan import Direction
from leadglass.configs.firewall.read import read_peers
from leadglass.configs.firewall.rehearsal import MOST, STRANGER, rehearsal
from leadglass.errors import UsageError

PLAN = read_peers((ROOT / "tests/fixtures/firewall/peers.toml").read_text(), filename="peers.toml")


def test_every_peer_and_a_stranger_try_every_port_in_both_families() -> None:
    parts = rehearsal(PLAN)
    archive = {ipaddress.ip_address("192.0.2.5"), ipaddress.ip_address("2001:db8::5")}
    incoming = [one for one in parts.attempts if one.direction is Direction.IN and one.destination in archive]

    assert {one.port for one in incoming} == {104, 2762, 5432, 8042, 11112}
    assert {(one.who, one.source.version) for one in incoming} == {
        *((who, version) for who in ("CT 1", "Reading rooms", STRANGER) for version in (4, 6)),
        ("RIS", 4),
    }
    assert {(one.who, one.port) for one in incoming if one.allowed} == {
        *(("CT 1", port) for port in (104, 11112)),
        *(("Reading rooms", port) for port in (104, 8042, 11112)),
        ("RIS", 2762),
    }


def test_what_servers_open_is_tried_at_peers_and_at_a_stranger() -> None:
    outgoing = [one for one in rehearsal(PLAN).attempts if one.direction is Direction.OUT]

    assert {(one.who, one.port) for one in outgoing if one.allowed} == {("CT 1", 104)}
    assert (STRANGER, 104) in {(one.who, one.port) for one in outgoing}


def test_a_stranger_is_in_no_network_of_a_peer_and_may_be_missing() -> None:
    text = (
        '[[servers]]\nname = "a"\ndicom = [104]\n[[peers]]\nname = "p"\naddresses = [{}]\nopens = ["dicom"]\n'
    )
    taken = read_peers(text.format('"203.0.113.0/24"'), filename="x")
    everybody = read_peers(text.format('"0.0.0.0/0"'), filename="x")

    assert ipaddress.ip_address("198.51.100.1") in rehearsal(taken).outside
    assert rehearsal(everybody).notes == ("everybody is a peer in IPv4: there is no stranger to try",)


def test_what_cannot_be_tried_is_told() -> None:
    text = '[[servers]]\nname = "a"\naddresses = ["{}"]\ndicom = [104]\n'
    peer = '[[peers]]\nname = "p"\naddresses = ["192.0.2.5"]\nopens = ["dicom"]\n'
    with pytest.raises(UsageError, match="loopback cannot be tried"):
        rehearsal(read_peers(text.format("127.0.0.1"), filename="x"))

    itself = rehearsal(read_peers(text.format("192.0.2.5") + peer, filename="x"))
    assert "a server of the plan itself" in itself.notes[0]

    many = ", ".join(f'"10.0.{number}.1"' for number in range(MOST + 10))
    crowd = rehearsal(read_peers(text.format("192.0.2.5") + peer.replace('"192.0.2.5"', many), filename="x"))
    assert crowd.notes == (f"tried: the first {MOST} of {MOST + 10} addresses of peers",)
    assert len(crowd.outside) == MOST + 2
