"""No text becomes a rule, no network is opened or closed by mistake, and no flow is judged but by the plan."""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
import subprocess
from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.unit.configs.firewall.hcl import blocks
from tests.unit.configs.firewall.powershell import rules

from leadglass.configs.firewall.dry_run import Judge
from leadglass.configs.firewall.flows import BrokenLine, Flow, flows
from leadglass.configs.firewall.forms import Form, written
from leadglass.configs.firewall.plan import Direction, Network, Peer, Plan, Server, Service, collapsed
from leadglass.configs.firewall.terraform import text as hcl_text
from leadglass.configs.firewall.windows import between, quoted
from leadglass.configs.firewall.words import LONGEST, note, plain

HOSTILE = st.one_of(
    st.text(max_size=40),
    st.text(alphabet="\"'\\`${}%()#;\n\r\t\0\u2018\u2019\u202e\u00e9x -", max_size=40),
    st.sampled_from(
        [
            '"; flush ruleset; #',
            "'; Remove-Item C:\\ -Recurse; '",
            "\u2019; iex $env:x; \u2019",
            '${file("/etc/passwd")}',
            "%{ for x in y }",
            '" -j ACCEPT\nCOMMIT\n*filter',
            "\\",
            "a" * 500,
        ]
    ),
)
FOUR = st.builds(
    lambda value, length: ipaddress.IPv4Network((value, length), strict=False),
    st.integers(0, (1 << 32) - 1),
    st.integers(0, 32),
)
SIX = st.builds(
    lambda value, length: ipaddress.IPv6Network((value, length), strict=False),
    st.integers(0, (1 << 128) - 1),
    st.integers(0, 128),
)
NETWORKS: st.SearchStrategy[tuple[Network, ...]] = st.lists(st.one_of(FOUR, SIX), min_size=1, max_size=4).map(
    collapsed
)
PORTS = st.lists(st.integers(1, 65535), min_size=1, max_size=5, unique=True).map(lambda it: tuple(sorted(it)))
SERVICES = st.frozensets(st.sampled_from(Service), min_size=1, max_size=3)
SERVERS = st.builds(
    lambda name, ports, networks: Server(name, ((Service.DICOM, ports),), networks),
    HOSTILE,
    PORTS,
    st.one_of(st.just(()), NETWORKS),
)
PEERS = st.builds(
    Peer,
    HOSTILE,
    NETWORKS,
    SERVICES,
    st.one_of(st.just(()), PORTS),
    st.just(frozenset()),
    HOSTILE,
    st.one_of(st.none(), st.dates(dt.date(2000, 1, 1))),
)
PLANS = st.builds(
    lambda name, servers, peers, outgoing: Plan(
        name, tuple(dict.fromkeys(servers)), tuple(dict.fromkeys(peers)), outgoing
    ),
    HOSTILE,
    st.lists(SERVERS, min_size=1, max_size=2),
    st.lists(PEERS, max_size=3),
    st.one_of(st.just(()), PORTS),
)
SAFE = re.compile(r"[A-Za-z0-9 ._:/()@+-]*")


# ---- text


@given(HOSTILE, st.integers(3, 200))
@example('"; flush ruleset', 200)
def test_what_is_left_of_a_text_is_plain_in_every_language(text: str, most: int) -> None:
    found = plain(text, most)

    assert SAFE.fullmatch(found.replace("_", ""))
    assert len(found) <= most


@given(PLANS)
def test_a_note_fits_and_never_loses_its_review(plan: Plan) -> None:
    for rule in plan.rules:
        assert len(note(rule)) <= LONGEST
        assert re.search(r" - review (not set|\d{4}-\d\d-\d\d)$", note(rule))


@given(HOSTILE)
def test_a_quoted_text_is_one_string_in_terraform_and_in_powershell(text: str) -> None:
    line = f"x {{\n  y = {hcl_text(text)}\n}}\n"
    assert blocks(line)[0].values == {"y": text} or any(
        "\ud800" <= char <= "\udfff" for char in text + "\ud800"
    )

    inner = quoted(text)[1:-1]
    assert re.sub("['\u2018\u2019\u201a\u201b]{2}", "", inner) == re.sub(
        "['\u2018\u2019\u201a\u201b]", "", text
    )


@given(PLANS, st.booleans())
def test_terraform_and_powershell_stay_what_they_are_whatever_names_are_in_them(
    plan: Plan, only: bool
) -> None:
    for form in (Form.AWS, Form.AZURE, Form.GCP):
        if not (form is Form.AWS and only):
            assert {block.kind for block in blocks(written(plan, form, log_only=only).text)} <= {
                "resource",
                "variable",
            }
    blocked = [
        rule for rule in rules(written(plan, Form.WINDOWS, log_only=only).text) if rule["Action"] == ["Block"]
    ]
    assert not (only and blocked)


LINES = {
    Form.NFTABLES: re.compile(
        r"#.*|table inet leadglass_firewall( \{)?|delete table inet leadglass_firewall|\}|    \}|"
        r" {4}(# .*|set [sp]\d+_v[46] \{|chain (incoming|outgoing) \{)|"
        r" {8}(type .*;|elements = \{ [0-9a-f.:/, ]+ \}|ct direction reply .*|(meta l4proto != tcp|tcp dport != \{ [0-9, -]+ \}) accept comment \"not concerned\"|[io]if \"lo\" accept|"
        r"[a-z0-9 @_{},/-]+ (log prefix|counter (accept |drop )?comment) \"[^\"]*\")"
    ),
    Form.IPTABLES: re.compile(
        r"#.*|\*mangle|:LEADGLASS-(IN|OUT) - \[0:0\]|COMMIT|"
        r"-A LEADGLASS-(IN|OUT) [A-Za-z0-9 .:/,-]*( --comment \"[^\"]*\")?[A-Za-z0-9 /-]*( --log-prefix \"[^\"]*\")?"
    ),
    Form.PF: re.compile(
        r"#.*|table <lg_p\d+_v[46]> const \{ [0-9a-f.:/, ]+ \}|(pass|block drop) (in|out) (log )?quick inet6? [^\"'#]*"
    ),
}


@given(PLANS, st.booleans(), st.sampled_from(sorted(LINES)))
def test_every_line_is_of_a_kind_that_was_meant(plan: Plan, only: bool, form: Form) -> None:
    for line in written(plan, form, log_only=only).text.splitlines():
        assert LINES[form].fullmatch(line), line


@pytest.mark.root
@pytest.mark.peer("nft")
@given(PLANS, st.booleans())
def test_nft_takes_every_plan(plan: Plan, only: bool) -> None:
    text = written(plan, Form.NFTABLES, log_only=only).text
    done = subprocess.run(["nft", "-c", "-f", "-"], input=text, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


@pytest.mark.root
@pytest.mark.peer("iptables")
@given(PLANS, st.booleans(), st.sampled_from([(Form.IPTABLES, "iptables"), (Form.IP6TABLES, "ip6tables")]))
def test_iptables_takes_every_plan(plan: Plan, only: bool, which: tuple[Form, str]) -> None:
    form, program = which
    text = written(plan, form, log_only=only).text
    words = ["unshare", "--net", f"{program}-restore", "--noflush", "--test"]
    done = subprocess.run(words, input=text, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


# ---- networks


@given(NETWORKS, st.integers(0, (1 << 32) - 1), st.integers(0, (1 << 128) - 1))
def test_windows_blocks_exactly_what_is_not_allowed(networks: Sequence[Network], four: int, six: int) -> None:
    for address in (
        ipaddress.IPv4Address(max(1, min(four, (1 << 32) - 2))),
        ipaddress.IPv6Address(max(1, six - 1)),
    ):
        spans = [span.split("-") for span in between(networks, address.version)]
        ends = [(int(ipaddress.ip_address(a)), int(ipaddress.ip_address(b))) for a, b in spans]
        blocked = any(first <= int(address) <= last for first, last in ends)

        assert blocked != any(address in network for network in networks)
        assert ends == sorted(ends)


@given(PLANS, st.data())
def test_a_flow_is_judged_as_the_plan_says(plan: Plan, data: st.DataObject) -> None:
    everything = [
        *(n for server in plan.servers for n in server.networks),
        *(n for peer in plan.peers for n in peer.networks),
    ]
    somewhere = st.sampled_from([n[0] for n in everything] or [ipaddress.IPv4Address("192.0.2.1")])
    source, destination = data.draw(somewhere), data.draw(somewhere)
    port = data.draw(st.sampled_from([*(port for door in plan.doors for port in door.ports), 9]))
    fate = Judge(plan).fate(Flow(source, destination, port))

    def opened(door_side: bool) -> bool:
        return any(
            rule.direction is (Direction.IN if door_side else Direction.OUT)
            and port in rule.ports
            and any((destination if door_side else source) in n for n in rule.server.networks)
            and any((source if door_side else destination) in n for n in rule.peer.networks)
            for rule in plan.rules
        )

    if fate is not None:
        assert fate.allowed == (opened(door_side=True) or opened(door_side=False))


# ---- lines of flows


@given(
    st.lists(
        st.one_of(st.text(max_size=80), st.sampled_from(["sa,da,dp", "tcp 6 src=1 dst=2 sport=3 dport=4"]))
    )
)
def test_any_lines_are_read_to_the_end(lines: list[str]) -> None:
    for found in flows(lines):
        assert isinstance(found, Flow) or 1 <= found.line <= len(lines)
        if isinstance(found, BrokenLine):
            assert "\n" not in found.why
