"""A peer list says who may reach what, and a mistake in it is told with its line."""

from __future__ import annotations

import datetime as dt
import ipaddress
import re

import pytest
from tests.source import ROOT

from leadglass.configs.firewall.plan import Direction, Plan, Service
from leadglass.configs.firewall.read import read_peers, servers_at, with_servers
from leadglass.errors import ConfigError

LIST = (ROOT / "tests" / "fixtures" / "firewall" / "peers.toml").read_text()
SERVER = '[[servers]]\nname = "a"\ndicom = [104]\n'
PEER = '[[peers]]\nname = "p"\naddresses = ["192.0.2.1"]\n'


def read(text: str) -> Plan:
    return read_peers(text, filename="peers.toml")


def test_rules_follow_from_who_opens_what_where() -> None:
    plan = read(LIST)
    allowed = {(rule.direction, rule.peer.name, rule.server.name, rule.ports) for rule in plan.rules}

    assert allowed == {
        (Direction.IN, "CT 1", "archive", (104, 11112)),
        (Direction.OUT, "CT 1", "archive", (104,)),
        (Direction.IN, "Reading rooms", "archive", (104, 8042, 11112)),
        (Direction.IN, "RIS", "archive", (2762,)),
        (Direction.IN, "RIS", "interface engine", (2575, 2576, 2577)),
    }


def test_overlapping_networks_are_merged_and_review_dates_are_passed_on() -> None:
    rooms = read(LIST).peers[1]

    assert rooms.networks == tuple(map(ipaddress.ip_network, ("192.0.2.64/26", "2001:db8:0:40::/64")))
    assert rooms.review == dt.date(2027, 6, 30)


def test_what_servers_open_is_closed_as_soon_as_a_peer_receives_unless_the_list_says_otherwise() -> None:
    assert read(SERVER + PEER + "receives = [4242]\n").outgoing == (104, 2761, 2762, 4242, 11112)
    assert read(SERVER + PEER + 'opens = ["dicom"]\n').outgoing == ()
    assert read(SERVER + PEER + "receives = [104]\n[outgoing]\nrestrict = false\n").outgoing == ()
    assert read(SERVER + PEER + "receives = [104]\n[outgoing]\nports = [11112]\n").outgoing == (104, 11112)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (SERVER + "admin = [22]\n", 4, "port 22 is how a machine is managed"),
        (SERVER + "hl7 = [104]\n", 4, "port 104 is also under dicom"),
        (SERVER + "dicom_tsl = [2762]\n", 4, "did you mean 'dicom_tls'"),
        (SERVER + 'addresses = ["pacs.example.org"]\n', 4, "names are not looked up"),
        (SERVER + 'addresses = ["192.0.2.1/24"]\n', 4, "host bits"),
        (SERVER.replace("104", "70000"), 3, "list of ports"),
        (SERVER.replace("[104]", "true"), 3, "list of ports"),
        ('[[servers]]\nname = "a"\n', 1, "has no port"),
        (SERVER + SERVER, 5, "'a' is there twice"),
        (SERVER + PEER, 4, "may do nothing"),
        (SERVER + PEER + 'opens = ["dicom"]\nservers = ["b"]\n', 8, "there is no server 'b'"),
        (SERVER + PEER + 'opens = ["telnet"]\n', 7, "must be 'dicom'"),
        (SERVER + PEER.replace('["192.0.2.1"]', "[]") + 'opens = ["dicom"]\n', 6, "has no address"),
        (SERVER + PEER + "receives = [22]\n", 7, "by which machines are managed"),
        (SERVER + "[outgoing]\nports = [3389]\n", 5, "by which machines are managed"),
        (SERVER + PEER + 'opens = ["dicom"]\nreview = "soon"\n', 8, "date without quotes"),
        ("servers = [[[[[[\n", 1, "not TOML"),
    ],
)
def test_a_mistake_is_told_with_its_line(text: str, line: int, said: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(said)) as caught:
        read(text)

    assert "\n" not in str(caught.value)
    assert caught.value.where in {f"peers.toml, line {line}", f"peers.toml, line {line + 1}"}


def test_the_list_in_the_reference_is_valid() -> None:
    for page in ("reference/firewall.md", "howto/close-the-door.md"):
        for example in re.findall(r"```toml\n(.*?)```", (ROOT / "docs" / page).read_text(), re.DOTALL):
            assert read(example).rules


def test_found_endpoints_become_servers_without_the_ports_of_management() -> None:
    one, other, third = map(ipaddress.ip_network, ("192.0.2.1", "192.0.2.2", "192.0.2.3"))
    services = {104: Service.DICOM, 8042: Service.DICOMWEB}
    servers = servers_at([(one, services), (other, {22: Service.ADMIN}), (third, services)])

    assert [(server.networks, server.closed) for server in servers] == [((one, third), (104, 8042))]
    assert with_servers(read(LIST), servers).servers[-1] is servers[0]


def test_a_list_of_too_many_pairs_is_refused_at_once() -> None:
    servers = "".join(
        f'[[servers]]\nname = "s{n}"\naddresses = ["10.0.{n}.1"]\ndicom = [104]\n' for n in range(250)
    )
    peers = "".join(
        f'[[peers]]\nname = "p{n}"\naddresses = ["10.1.{n}.1"]\nopens = ["dicom"]\n' for n in range(250)
    )
    with pytest.raises(ConfigError, match="more than 50,000 pairs of a server and a peer"):
        read(servers + peers)
