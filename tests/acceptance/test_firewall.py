"""``leadglass firewall`` as a user calls it: what it takes its plan from, what it says, and how it ends."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import re
from pathlib import Path

import pytest
from tests.acceptance.guards import INIT, Done, Guard
from tests.acceptance.test_command import SCOPE, leadglass
from tests.unit.guard.audit.samples import EVENTS
from tests.unit.guard.audit.test_search import written as write_trail

from leadglass.cli import main
from leadglass.guard.audit.events import Happening, Node

LIST = """\
[[servers]]
name = "archive"
addresses = ["192.0.2.5"]
dicom = [104]
[[peers]]
name = "CT"
addresses = ["192.0.2.9"]
opens = ["dicom"]
receives = [104]
review = 2026-01-31
"""
SEEN = (
    "tcp 6 9 ESTABLISHED src={} dst=192.0.2.5 sport=4000 dport=104"
    " src=192.0.2.5 dst={} sport=104 dport=4000 [ASSURED]\n"
)


@pytest.fixture
def peers(tmp_path: Path) -> Path:
    path = tmp_path / "peers.toml"
    path.write_text(LIST)
    return path


def firewall(*words: str | Path, code: int = 0, typed: str = "") -> Done:
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", io.StringIO(typed))
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            returned = main(["firewall", *map(str, words)])
    assert returned == code, err.getvalue()
    return Done(out.getvalue(), err.getvalue())


def closed(rules: str) -> set[str]:
    return set(re.findall(r"tcp dport \{ ([^}]*) \} counter drop", rules))


# ---- write


def test_rules_are_written_whole_and_what_is_due_is_said(peers: Path, tmp_path: Path) -> None:
    output = tmp_path / "firewall.nft"
    done = firewall("write", "--peers", peers, "--output", output)

    assert "table inet leadglass_firewall {" in output.read_text()
    assert done == ("", "leadglass: the review of CT was due on 2026-01-31\n")
    assert firewall("write", "--peers", peers).stdout == output.read_text()


def test_a_scopes_targets_are_closed_but_for_what_it_excludes(peers: Path, tmp_path: Path) -> None:
    scope = tmp_path / "scope.toml"
    targets = '[[targets]]\nrange = "192.0.2.16/29"\nports = [22, 104, 8042]\n'
    hole = '[[exclude]]\nrange = "192.0.2.18"\nreason = "life support"\n'
    scope.write_text(SCOPE.partition("[[targets]]")[0] + targets + hole)
    alone = firewall("write", "--scope", scope)

    assert closed(alone.stdout) == {"104, 8042"}
    assert "elements = { 192.0.2.16/31, 192.0.2.19, 192.0.2.20/30 }" in alone.stdout
    assert "nobody may reach 192.0.2.16/31 and 2 more; name its peers with --peers" in alone.stderr

    both = firewall("write", "--scope", scope, "--peers", peers)
    assert "nobody may reach" not in both.stderr
    assert both.stdout.count('accept comment "CT: dicom to ') == 2


def test_what_a_stored_scan_found_open_is_closed(peers: Path, tmp_path: Path) -> None:
    scope, source, database = tmp_path / "scope.toml", tmp_path / "shodan.json", tmp_path / "scans.sqlite"
    targets = '[[targets]]\nrange = "192.0.2.0/24"\nports = [104, 4242]\n'
    scope.write_text(SCOPE.partition("[[targets]]")[0] + targets)
    seen = {"port": 4242, "timestamp": "2026-11-01T00:00:00.0", "data": "DICOM Server Response\n"}
    source.write_text(json.dumps({"ip_str": "192.0.2.77", **seen, "_shodan": {"module": "dicom"}}) + "\n")
    kept = leadglass("import", str(source), "--scope", str(scope), "--database", str(database))
    assert kept.returncode == 0, kept.stderr
    rules = firewall("write", "--scan", "last", "--database", database).stdout

    assert closed(rules) == {"4242"}
    assert "elements = { 192.0.2.77 }" in rules


def test_a_guards_own_doors_are_left_to_who_is_enrolled(tmp_path: Path) -> None:
    guard = Guard(tmp_path)
    guard(*INIT)
    guard("enrol", "ct-1", "--ae", "CT1", "--from", "192.0.2.9", "--role", "modality", "--modality", "CT")
    rules = firewall("write", "--guard", guard.folder).stdout

    assert re.search(
        r"fib daddr type local tcp dport \{ 2762 \} ip saddr @p1_v4 counter accept comment \"ct-1:", rules
    )
    assert re.search(
        r"ip daddr @s2_v4 tcp dport \{ 11113 \} ip saddr @p2_v4 counter accept comment \"archive:", rules
    )
    assert closed(rules) == {"2762", "11113"}


def test_a_servers_own_configuration_is_left_to_the_peers_that_it_names(tmp_path: Path) -> None:
    (tmp_path / "orthanc.json").write_text(ORTHANC)
    (tmp_path / "dcmqrscp.cfg").write_text(DCMQRSCP)
    files = ("--config", tmp_path / "orthanc.json", "--config", tmp_path / "dcmqrscp.cfg")
    done = firewall("write", *files)
    allowed = set(
        re.findall(
            r"tcp dport \{ ([^}]*) \} ip (\w)addr @p\d_v4 counter accept comment \"(\w+):", done.stdout
        )
    )

    assert closed(done.stdout) == {"4242, 8042", "11112", "104, 2761-2762, 4243, 11112"}
    assert allowed == {("4242", "s", "CT1"), ("104", "d", "CT1"), ("11112", "s", "WS"), ("4243", "d", "WS")}
    assert "left out: VIEWER at viewer.example.org, which is no address" in done.stderr


ORTHANC = """\
{"Name": "x", "RemoteAccessAllowed": true, "DicomPort": 4242, "HttpPort": 8042, "DicomModalities": {
  "ct": ["CT1", "192.0.2.9", 104], "viewer": {"AET": "VIEWER", "Host": "viewer.example.org", "Port": 11112},
  "here": ["HERE", "127.0.0.1", 11113]}}
"""
DCMQRSCP = """\
NetworkTCPPort = 11112
HostTable BEGIN
ws = (WS, 192.0.2.10, 4243)
HostTable END
VendorTable BEGIN
VendorTable END
AETable BEGIN
ARCHIVE /var/lib/archive RW (200, 1024mb) ws
AETable END
"""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "there is no server to protect; give --peers, --scope, --scan, --guard or --config"),
        (("--peers", "nowhere.toml"), "nowhere.toml: the file cannot be read (no such file or directory)"),
        (("--peers", "{peers}", "--format", "aws", "--log-only"), "a security group cannot only log"),
        (("--scan", "last", "--database", "nowhere/x.sqlite"), "nowhere/x.sqlite"),
        (
            ("--guard", "nowhere"),
            "nowhere: the file cannot be read (no such file or directory); leadglass guard init",
        ),
    ],
)
def test_what_cannot_be_written_is_said_in_one_line(
    peers: Path, words: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = firewall("write", *(word.format(peers=peers) for word in words), code=2)

    assert said in done.stderr.splitlines()[-1]
    assert done.stdout == ""


# ---- dry-run


def test_a_dry_run_ends_by_what_it_found(peers: Path, tmp_path: Path) -> None:
    known, unknown = (SEEN.format(who, who) for who in ("192.0.2.9", "203.0.113.9"))
    words = ("dry-run", "-", "--peers", peers)

    assert "would stop: 0; would go on: 1" in firewall(*words, typed=known).stdout
    stopped = firewall(*words, typed=known + unknown, code=1).stdout
    assert "would stop  203.0.113.9 to archive port 104: 1 seen, last at a time not told" in stopped
    broken = firewall(*words, typed=known + "tcp 6 9 src=x\n", code=3)
    assert "standard input, line 2: left out: not two ends in both directions" in broken.stderr

    table = tmp_path / "table"
    table.write_bytes(unknown.encode() + b"\xff\xfe\0" * 10_000 + b"\n" + unknown.encode())
    found = firewall("dry-run", table, "--peers", peers, "--format", "jsonl", code=1)
    assert json.loads(found.stdout)["flows"] == 2
    assert "line 2: left out: longer than 8192 characters" in found.stderr


def test_where_no_connection_was_seen_nothing_is_known(peers: Path) -> None:
    for typed in ("", "sa,da,dp\n", "udp 17 29 src=192.0.2.5 dst=192.0.2.53 sport=5 dport=53\n"):
        done = firewall("dry-run", "-", "--peers", peers, typed=typed, code=3)

        assert done.stderr == (
            "leadglass: dry-run: there is no TCP connection in what was given, so nothing is known of the rules\n"
        )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "there are no flows"),
        (("nowhere",), "nowhere: the flows cannot be read (no such file or directory)"),
        (("--audit", "."), "there is no audit trail here"),
        (("-", "--here", "x"), "'x' does not appear to be an IPv4 or IPv6 network"),
    ],
)
def test_what_a_dry_run_needs_is_said_in_one_line(
    peers: Path, words: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = firewall("dry-run", *words, "--peers", peers, code=2)

    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_server_without_an_address_needs_one_for_a_dry_run(peers: Path) -> None:
    peers.write_text(LIST.replace('addresses = ["192.0.2.5"]\n', ""))
    flow = SEEN.format("203.0.113.9", "203.0.113.9")

    assert "say by which addresses it is reached" in firewall("dry-run", "-", "--peers", peers, code=2).stderr
    firewall("dry-run", "-", "--peers", peers, "--here", "192.0.2.5", typed=flow, code=1)


def test_a_guards_trail_says_whom_it_served_and_that_it_was_read(peers: Path, tmp_path: Path) -> None:
    known = next(e for e in EVENTS.values() if e.happening is Happening.ASSOCIATION and e.outcome == 0)
    served = dataclasses.replace(known, address="192.0.2.9")
    stranger = dataclasses.replace(served, address="203.0.113.9")
    sent = dataclasses.replace(served, destination=Node("X", "203.0.113.8"))
    trail = tmp_path / "audit"
    write_trail(trail, [served, stranger, stranger, sent])
    done = firewall("dry-run", "--audit", trail, "--peers", peers, "--format", "jsonl", code=1)
    lines = [json.loads(line) for line in done.stdout.splitlines()]

    assert [(one["direction"], one["peer"], one["port"], one["flows"]) for one in lines] == [
        ("in", "203.0.113.9", None, 2),
        ("out", "203.0.113.8", None, 1),
    ]
    assert b"whom it served, for a dry run of firewall rules" in b"".join(
        path.read_bytes() for path in trail.glob("spool-reader-*.jsonl")
    )
