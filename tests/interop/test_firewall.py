"""Rules in the real nftables: peers echo, strangers wait in vain, the counters agree; and what proves them proves it.

One side of the cable has the servers and loads the rules. The other has an address for each peer and a stranger.
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest
from tests.peers import netns, star
from tests.peers.dcmtk import storescp
from tests.peers.places import Place
from tests.source import ROOT

from leadglass.configs.firewall.forms import Form, written
from leadglass.configs.firewall.plan import Plan
from leadglass.configs.firewall.read import read_peers
from leadglass.guard.enrol.firewall import nftables as guard_rules
from leadglass.settings.guard import Address, ArchiveSettings

pytestmark = [pytest.mark.root, pytest.mark.peer("ip"), pytest.mark.peer("nft")]

T = TypeVar("T")

LEADGLASS = Path(sys.executable).with_name("leadglass")
CT, CT6 = "10.99.0.20", "fd99::20"
STRANGER, STRANGER6 = netns.SCANNER, netns.SCANNER_IPV6
LIST = f"""
name = "Namespaces"
[[servers]]
name = "archive"
addresses = ["{netns.SERVER}", "{netns.SERVER_IPV6}"]
dicom = [11112]
dicomweb = [8042]
[[peers]]
name = "CT \\"; flush ruleset"
addresses = ["{CT}", "{CT6}"]
opens = ["dicom"]
receives = [4242]
owner = "Radiology"
review = 2027-01-31
"""
PLAN = read_peers(LIST, filename="peers.toml")


@pytest.fixture
def pair() -> Iterator[netns.Pair]:
    """The scanner's side has the address of the CT, too, and no way to a nameserver that storescp would wait for."""
    with netns.namespace_pair() as made:
        made.scanner.must(["ip", "route", "delete", "default"])
        for address, width in ((CT, 24), (CT6, 64)):
            end = ["nodad"] if ":" in address else []
            made.scanner.must(["ip", "address", "add", f"{address}/{width}", "dev", "cable", *end])
        yield made


def load(place: Place, plan: Plan, *, log_only: bool = False) -> None:
    text = written(plan, Form.NFTABLES, log_only=log_only).text
    for _ in range(2):  # as often as you like
        place.must(["nft", "-f", "-"], input=text, stdin=None)


def come_from(place: Place, *sources: str) -> None:
    """Whoever connects from here to the server comes from these addresses."""
    for source in sources:
        there = netns.SERVER_IPV6 if ":" in source else netns.SERVER
        place.must(["ip", "route", "replace", there, "dev", "cable", "src", source])


def echoes(place: Place, address: str, port: int) -> bool:
    done = place.run(["echoscu", "-to", "1", address, str(port)])
    return done.returncode == 0


def counted(place: Place, comment: str) -> int:
    """Packets that the rules with this comment met."""
    listing: dict[str, Any] = json.loads(place.must(["nft", "-j", "list", "ruleset"]))
    rules = [item["rule"] for item in listing["nftables"] if "rule" in item]
    return sum(
        one["counter"]["packets"]
        for rule in rules
        if re.search(comment, rule.get("comment", ""))
        for one in rule["expr"]
        if "counter" in one
    )


@contextlib.contextmanager
def archive(place: Place, home: Path, port: int = 11112) -> Iterator[None]:
    with storescp(place, home, port=port):
        yield


# ---- with DCMTK's own programs


@pytest.mark.peer("dcmtk")
def test_a_peer_echoes_and_a_stranger_times_out(pair: netns.Pair, tmp_path: Path) -> None:
    with archive(pair.server, tmp_path):
        load(pair.server, PLAN)
        come_from(pair.scanner, CT)
        assert echoes(pair.scanner, netns.SERVER, 11112)
        assert counted(pair.server, "^CT __ flush ruleset: dicom to archive") >= 4
        assert counted(pair.server, "closed to all others") == 0

        come_from(pair.scanner, STRANGER)
        assert not echoes(pair.scanner, netns.SERVER, 11112)
        assert counted(pair.server, "closed to all others") >= 1


@pytest.mark.peer("dcmtk")
def test_log_only_lets_everybody_echo_and_counts_whom_it_would_not(pair: netns.Pair, tmp_path: Path) -> None:
    with archive(pair.server, tmp_path):
        load(pair.server, PLAN, log_only=True)

        assert echoes(pair.scanner, netns.SERVER, 11112)
        assert counted(pair.server, "closed to all others") >= 4


@pytest.mark.peer("dcmtk")
def test_a_server_sends_to_whoever_receives_and_to_nobody_else(pair: netns.Pair, tmp_path: Path) -> None:
    with archive(pair.scanner, tmp_path, 4242):
        assert echoes(pair.server, STRANGER, 4242)
        load(pair.server, PLAN)

        assert echoes(pair.server, CT, 4242)
        assert not echoes(pair.server, STRANGER, 4242)
        assert counted(pair.server, "opens no association to others") >= 1


@pytest.mark.peer("dcmtk")
@pytest.mark.peer("conntrack")
def test_a_dry_run_on_the_kernels_own_table_says_who_the_rules_then_stop(
    pair: netns.Pair, tmp_path: Path
) -> None:
    with archive(pair.server, tmp_path):
        load(pair.server, PLAN, log_only=True)  # the kernel keeps its table for whoever asks it
        for source in (CT, STRANGER):
            come_from(pair.scanner, source)
            assert echoes(pair.scanner, netns.SERVER, 11112)
        table = pair.server.must(["conntrack", "-L"])
    (tmp_path / "peers.toml").write_text(LIST)
    (tmp_path / "table").write_text(table)
    done = leadglass("dry-run", tmp_path / "table", "--peers", tmp_path / "peers.toml", "--format", "jsonl")
    (line,) = map(json.loads, done.stdout.splitlines())

    assert done.returncode == 1
    assert (line["peer"], line["server"], line["port"], line["flows"]) == (STRANGER, "archive", 11112, 1)


@pytest.mark.peer("dcmtk")
def test_the_guards_rules_close_the_port_at_once(pair: netns.Pair, tmp_path: Path) -> None:
    settings = ArchiveSettings(
        *(("A",), Address(netns.SERVER, 11112), False, None, None, None, None, "X", True, None, ())
    )
    with archive(pair.server, tmp_path):
        pair.server.must(["nft", "-f", "-"], input=guard_rules(settings, [CT, CT6]), stdin=None)
        come_from(pair.scanner, CT)
        assert checked(pair.scanner) == "associates"
        come_from(pair.scanner, STRANGER)
        assert checked(pair.scanner) == "closed"

        load(pair.server, PLAN)
        assert checked(pair.scanner) == "filtered"


def eventually(look: Callable[[], T | None]) -> T:
    """What ``look`` finds, as soon as it finds something; ``AssertionError`` after ten seconds."""
    for _ in range(500):
        if (found := look()) is not None:
            return found
        time.sleep(0.02)
    raise AssertionError("nothing was found")


def checked(place: Place) -> str:
    done = place.run(
        [LEADGLASS, "check", f"{netns.SERVER}:11112", "--deepest", "associate", "--format", "jsonl"]
    )
    return str(json.loads(done.stdout)["access"])


@pytest.mark.peer("dcmtk")
@pytest.mark.peer("iptables")
def test_iptables_keeps_the_same_door(pair: netns.Pair, tmp_path: Path) -> None:
    rules = written(PLAN, Form.IPTABLES)
    with archive(pair.server, tmp_path / "1"), archive(pair.scanner, tmp_path / "2", 4242):
        for _ in range(2):  # as often as you like, and as the head of the file says
            pair.server.must(["iptables-restore", "--noflush"], input=rules.text, stdin=None)
            for line in re.findall(r"^# Once: (.*)$", rules.text, re.MULTILINE):
                pair.server.must(["sh", "-c", line])

        come_from(pair.scanner, CT)
        assert echoes(pair.scanner, netns.SERVER, 11112)
        assert echoes(pair.server, CT, 4242)
        come_from(pair.scanner, STRANGER)
        assert not echoes(pair.scanner, netns.SERVER, 11112)
        assert not echoes(pair.server, STRANGER, 4242)
        listed = pair.server.must(["iptables-save", "-t", "mangle"])
    assert (
        listed.count("-A PREROUTING -j LEADGLASS-IN") == listed.count("-A POSTROUTING -j LEADGLASS-OUT") == 1
    )
    assert listed.count("-j DROP") == 2


def test_answers_pass_whatever_port_they_go_to(pair: netns.Pair) -> None:
    load(pair.server, PLAN)
    with pair.server.inside():
        listening = socket.create_server((netns.SERVER, 11112))
    with listening, pair.scanner.inside():
        # The answer goes to a port at which the server may open nothing.
        with socket.create_connection((netns.SERVER, 11112), timeout=5, source_address=(CT, 104)) as calling:
            assert calling.getsockname() == (CT, 104)
        with pytest.raises(TimeoutError):
            socket.create_connection((netns.SERVER, 11112), timeout=0.3, source_address=(STRANGER, 104))


def test_what_the_list_does_not_name_is_not_touched(pair: netns.Pair) -> None:
    load(pair.server, PLAN)
    with pair.server.inside():
        servers = [socket.create_server((netns.SERVER, port)) for port in (22, 104, 9100)]
    with contextlib.ExitStack() as opened, pair.scanner.inside():
        for server in servers:
            opened.enter_context(server)
            opened.enter_context(socket.create_connection(server.getsockname(), timeout=5))


ROUTED = """
[[servers]]
name = "behind"
addresses = ["{server}"]
dicom = [11112]
[[servers]]
name = "published"
addresses = ["{hub}"]
dicom = [104]
[[peers]]
name = "CT"
addresses = ["{peer}"]
opens = ["dicom"]
receives = [4242]
"""


@pytest.mark.peer("dcmtk")
def test_rules_hold_on_a_router_and_for_ports_that_are_passed_on(tmp_path: Path) -> None:
    with star.star(3) as made:
        server, peer, stranger = made.spokes
        hub = made.hub.address
        made.hub.must(["sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"])
        for number, spoke in enumerate(made.spokes, 1):  # to each other, and to no nameserver
            spoke.must(["ip", "route", "add", "10.98.0.0/16", "via", f"10.98.{number}.1"])
            spoke.must(["ip", "route", "delete", "default"])
        published = f"""
            table ip nat {{
                chain to {{ type nat hook prerouting priority dstnat; tcp dport 104 dnat to {server.address}:11112; }}
                chain from {{ type nat hook postrouting priority srcnat; ip saddr {server.address} snat to {hub}; }}
            }}
        """
        made.hub.must(["nft", "-f", "-"], input=published, stdin=None)
        with archive(server, tmp_path / "1"), archive(peer, tmp_path / "2", 4242):
            text = ROUTED.format(server=server.address, hub=hub, peer=peer.address)
            load(made.hub, read_peers(text, filename="peers.toml"))
            assert echoes(peer, server.address, 11112)
            assert not echoes(stranger, server.address, 11112)
            assert echoes(server, peer.address, 4242)
            assert not echoes(server, stranger.address, 4242)
            assert counted(made.hub, "published: opens no association to others") >= 1

            # Without a word of what is behind, the published port alone is closed.
            _, _, rest = text.partition("[[servers]]\n")[2].partition("[[servers]]")
            load(made.hub, read_peers(f"[[servers]]{rest}", filename="peers.toml"))
            assert echoes(peer, hub, 104)
            assert not echoes(stranger, hub, 104)
            assert echoes(stranger, server.address, 11112)


# ---- leadglass firewall test


def leadglass(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [LEADGLASS, "firewall", *words], capture_output=True, text=True, check=False, timeout=120
    )


@pytest.mark.parametrize("only", [(), ("--log-only",)], ids=["closing", "log-only"])
def test_the_rules_are_proved_in_both_families_and_nothing_stays_behind(
    tmp_path: Path, only: Sequence[str]
) -> None:
    (tmp_path / "peers.toml").write_text(LIST)
    before = netns.ip("-o", "link")
    done = leadglass("test", "--peers", tmp_path / "peers.toml", "--format", "jsonl", *only)
    trials = [json.loads(line) for line in done.stdout.splitlines()]
    found = {(one["source"], one["address"], one["port"], one["found"]) for one in trials}

    assert (done.returncode, done.stderr) == (0, "")
    assert all(one["as_meant"] for one in trials)
    refused = "answers C-ECHO" if only else "filtered"
    for peer, stranger, server in (
        (CT, "203.0.113.1", netns.SERVER),
        (CT6, "2001:db8:6c67::1", netns.SERVER_IPV6),
    ):
        assert (peer, server, 11112, "answers C-ECHO") in found
        assert (peer, server, 8042, refused) in found
        assert (stranger, server, 11112, refused) in found
        assert (server, peer, 4242, "answers C-ECHO") in found
        assert (server, stranger, 4242, refused) in found
    assert netns.ip("-o", "link") == before


def test_rules_with_a_hole_and_without_a_way_in_are_found_out(tmp_path: Path) -> None:
    (tmp_path / "peers.toml").write_text(LIST.replace("receives = [4242]\n", ""))
    rules = written(read_peers(LIST, filename="peers.toml"), Form.NFTABLES).text
    rules = rules.replace("ip6 daddr @s1_v6 tcp dport { 8042, 11112 }", "ip6 daddr @s1_v6 tcp dport { 8042 }")
    (tmp_path / "rules.nft").write_text(rules.replace(f"elements = {{ {CT} }}", "elements = { 10.99.0.21 }"))
    done = leadglass("test", tmp_path / "rules.nft", "--peers", tmp_path / "peers.toml")
    wrong = [line.split()[1:4:2] for line in done.stdout.splitlines() if line.startswith("WRONG")]

    assert done.returncode == 1
    assert wrong == [
        [CT, f"{netns.SERVER}:11112"],
        ["2001:db8:6c67::1", f"[{netns.SERVER_IPV6}]:11112"],
    ]


def test_what_nft_does_not_take_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "peers.toml").write_text(LIST)
    (tmp_path / "rules.nft").write_text("table inet x { chain y { drop drop } }")
    done = leadglass("test", tmp_path / "rules.nft", "--peers", tmp_path / "peers.toml")

    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(r"leadglass: test: nft does not take these rules \(.*\)\n", done.stderr)


def test_without_root_one_line_says_so(tmp_path: Path) -> None:
    (tmp_path / "peers.toml").write_text(LIST)
    words = [sys.executable, "-m", "leadglass", "firewall", "test", "--peers", str(tmp_path / "peers.toml")]
    for folder in (tmp_path, *tmp_path.parents[:-2]):  # all but / and the first below it
        folder.chmod(0o755)
    done = subprocess.run(
        ["setpriv", "--reuid", "65534", "--clear-groups", *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )

    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == "leadglass: firewall test: network namespaces need root; run it with sudo\n"


def test_nothing_stays_behind_when_the_test_is_killed(tmp_path: Path) -> None:
    (tmp_path / "peers.toml").write_text(LIST)
    words: list[str | Path] = [LEADGLASS, "firewall", "test", "--peers", tmp_path / "peers.toml"]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, process_group=0) as running:
        children = Path(f"/proc/{running.pid}/task/{running.pid}/children")
        sides = eventually(lambda: found if len(found := children.read_text().split()) == 2 else None)
        running.kill()

    eventually(lambda: not any(Path("/proc", side).exists() for side in sides) or None)


def test_a_side_that_nobody_listens_to_any_more_ends_quietly() -> None:
    side = [sys.executable, "-m", "leadglass.wiring.firewall_side"]
    pipe = subprocess.PIPE
    with subprocess.Popen(side, stdin=pipe, stdout=pipe, stderr=pipe) as running:
        assert running.stdout is not None
        running.stdout.close()
        running.stdout = None
        _, errors = running.communicate(b'{"serve": []}\n')

    assert (running.returncode, errors) == (0, b"")
