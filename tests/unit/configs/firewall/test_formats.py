"""Eight firewalls' languages, each against a reviewed file, and each in what it alone may do."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence

import pytest
from tests.source import ROOT
from tests.unit.configs.firewall.hcl import Block, blocks
from tests.unit.configs.firewall.powershell import rules

from leadglass.configs.firewall.forms import Form, written
from leadglass.configs.firewall.plan import Network, Peer, Plan, Server, Service
from leadglass.configs.firewall.read import read_peers
from leadglass.errors import UsageError

FIXTURES = ROOT / "tests" / "fixtures" / "firewall"
PLAN = read_peers((FIXTURES / "peers.toml").read_text(), filename="peers.toml")
LOGGED = [form for form in Form if form is not Form.AWS]


def many(peers: int, *, step: int = 2) -> Plan:
    """So many peers with one address each, none beside another."""
    start = ipaddress.IPv4Address("10.0.0.0")
    networks: Sequence[tuple[Network, ...]] = [
        (ipaddress.ip_network(start + step * number),) for number in range(peers)
    ]
    server = Server("archive", ((Service.DICOM, (104,)),), (ipaddress.ip_network("192.0.2.5"),))
    return Plan(
        "Many",
        (server,),
        tuple(Peer(f"Peer {n}", found, frozenset({Service.DICOM})) for n, found in enumerate(networks)),
    )


@pytest.mark.parametrize("form", Form)
def test_a_plan_is_written_as_it_was_reviewed(form: Form) -> None:
    assert written(PLAN, form).text == (FIXTURES / f"{form}.golden").read_text()


@pytest.mark.parametrize("form", Form)
def test_every_opening_names_its_owner_and_its_review(form: Form) -> None:
    text = written(PLAN, form).text

    assert "owner Radiology - review 2027-01-31" in text
    assert "owner Dr. Muller _ Sohne - review 2027-06-30" in text
    # It has no IPv6 address.
    assert (
        form is Form.IP6TABLES or "RIS: hl7 to interface engine - owner unknown - review 2027-06-30" in text
    )


@pytest.mark.parametrize("form", LOGGED)
def test_log_only_refuses_nothing(form: Form) -> None:
    closed, logged = (written(PLAN, form, log_only=only).text for only in (False, True))
    refusal = re.compile(r"\bdrop comment|-j DROP|^block|-Action Block|\"Deny\"|^  deny ", re.MULTILINE)

    assert refusal.search(closed)
    assert not refusal.search(logged)


def test_a_security_group_cannot_only_log() -> None:
    with pytest.raises(UsageError, match="turn on VPC flow logs"):
        written(PLAN, Form.AWS, log_only=True)


def test_log_only_logs_with_a_prefix_of_its_own_and_a_limit() -> None:
    for form in (Form.NFTABLES, Form.IPTABLES):
        closed, logged = (written(PLAN, form, log_only=only).text for only in (False, True))
        assert 'prefix "leadglass drop "' in closed
        assert 'prefix "leadglass would drop "' in logged
        assert closed.count("30/minute") == logged.count("30/minute") > 0


def test_only_named_ports_are_ever_closed() -> None:
    named = {str(port) for door in PLAN.doors for port in door.ports}
    closing = [line for line in written(PLAN, Form.NFTABLES).text.splitlines() if " drop comment" in line]

    assert closing
    for line in closing:
        (ports,) = re.findall(r"tcp dport \{ ([^}]*) \}", line)
        spans = [span.partition("-") for span in ports.split(", ")]
        assert {str(p) for a, _, b in spans for p in range(int(a), int(b or a) + 1)} <= named


# ---- iptables


def test_iptables_takes_fifteen_ports_at_a_time() -> None:
    ports = (*range(1000, 1040, 2), 2000, 2001)
    plan = Plan("x", (Server("a", ((Service.DICOM, ports),)),), ())
    text = written(plan, Form.IPTABLES).text
    portions = re.findall(r"--dports ([0-9,:]+) .* -j DROP", text)

    assert [portion.count(",") + portion.count(":") + 1 for portion in portions] == [15, 7]
    assert ",".join(portions).split(",") == [*map(str, ports[:20]), "2000:2001"]


def test_too_many_rules_for_iptables_are_refused() -> None:
    start = ipaddress.IPv4Address("10.0.0.0")
    networks = tuple(ipaddress.ip_network(start + 2 * number) for number in range(142))
    peer = Peer("p", networks, frozenset({Service.DICOM}))
    plan = Plan("x", (Server("a", ((Service.DICOM, (104,)),), networks),), (peer,))

    with pytest.raises(UsageError, match="write --format nftables"):
        written(plan, Form.IPTABLES)


# ---- Windows


def test_windows_blocks_what_lies_between_the_peers() -> None:
    blocked = [rule for rule in rules(written(PLAN, Form.WINDOWS).text) if rule["Action"] == ["Block"]]
    by_port = {port: rule["RemoteAddress"] for rule in blocked for port in rule.get("LocalPort", [])}

    assert by_port["5432"] == ["Any"]
    assert by_port["2762"][:2] == ["0.0.0.1-198.51.100.6", "198.51.100.8-255.255.255.254"]
    assert by_port["104"] == by_port["11112"]
    assert "192.0.2.34-192.0.2.63" in by_port["104"]


# ---- clouds


def resources(text: str, kind: str) -> list[Block]:
    return [block for block in blocks(text) if block.kind == "resource" and block.labels[0] == kind]


def test_a_security_group_has_sixty_rules_and_says_how_many_groups_there_are() -> None:
    made = written(many(125), Form.AWS)
    groups = resources(made.text, "aws_security_group")
    openings = resources(made.text, "aws_vpc_security_group_ingress_rule")
    counted = [
        sum(one.values["security_group_id"] == f"aws_security_group.{group.labels[1]}.id" for one in openings)
        for group in groups
    ]

    assert counted == [60, 60, 5]
    assert "aws: archive takes 3 groups of at most 60 rules" in made.notes
    assert not any("higher quota" in note for note in made.notes)
    assert any("higher quota" in note for note in written(many(301), Form.AWS).notes)


def test_amazon_opens_each_network_in_its_own_family() -> None:
    for one in resources(written(PLAN, Form.AWS).text, "aws_vpc_security_group_ingress_rule"):
        (key,) = one.values.keys() & {"cidr_ipv4", "cidr_ipv6"}
        assert ipaddress.ip_network(str(one.values[key])).version == int(key[-1])
        assert set(str(one.values["description"])) <= set(
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ._-:/()#,@[]+=&;{}!$*"
        )


def test_azure_numbers_each_direction_and_closes_last() -> None:
    (group,) = resources(written(PLAN, Form.AZURE).text, "azurerm_network_security_group")
    for direction in ("Inbound", "Outbound"):
        mine = [rule.values for rule in group.inner if rule.values["direction"] == direction]
        priorities = [int(str(rule["priority"])) for rule in mine]
        assert len(set(priorities)) == len(priorities)
        assert all(100 <= priority <= 4096 for priority in priorities)
        allowed = [int(str(rule["priority"])) for rule in mine if rule["access"] == "Allow"]
        assert max(allowed) < min(int(str(rule["priority"])) for rule in mine if rule["access"] == "Deny")


def test_names_in_clouds_are_valid_and_different() -> None:
    strange = ("Ümläut 1", "-", "", "a" * 200, "a" * 199 + "b", "9", "CT 1", "CT-1", "ct_1")
    networks = (ipaddress.ip_network("192.0.2.1"),)
    peers = tuple(Peer(name, networks, frozenset({Service.DICOM})) for name in strange)
    plan = Plan("x", (Server("a" * 90, ((Service.DICOM, (104,)),)),), peers)
    (group,) = resources(written(plan, Form.AZURE).text, "azurerm_network_security_group")
    azure = [str(rule.values["name"]) for rule in group.inner]
    google = [
        str(one.values["name"]) for one in resources(written(plan, Form.GCP).text, "google_compute_firewall")
    ]

    assert len(set(azure)) == len(azure) >= len(strange)
    assert all(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,78}[A-Za-z0-9_]", name) for name in azure)
    assert len(set(google)) == len(google) >= len(strange)
    assert all(re.fullmatch(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?", name) for name in google)


def test_limits_of_azure_and_google_are_told() -> None:
    assert any("a group takes 1,000" in note for note in written(many(1200), Form.AZURE).notes)
    with pytest.raises(UsageError, match="has room for 3,000"):
        written(many(3001), Form.AZURE)
    start = ipaddress.IPv4Address("10.0.0.0")
    networks = tuple(ipaddress.ip_network(start + 2 * number) for number in range(300))
    plan = Plan(
        "x", (Server("a", ((Service.DICOM, (104,)),)),), (Peer("p", networks, frozenset({Service.DICOM})),)
    )
    assert any("older projects take 256" in note for note in written(plan, Form.GCP).notes)
