"""``leadglass scan`` as a user calls it: what it keeps, takes from others, refuses, and says when it cannot go on."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.acceptance.test_command import SCOPE, command, leadglass, open_archive, server

from leadglass.imports.source import HEAD

TARGETS = """
[[targets]]
range = "127.66.0.0/28"
ports = [104, 11112]
"""


@pytest.fixture
def scope(tmp_path: Path) -> Path:
    path = tmp_path / "scope.toml"
    path.write_text(SCOPE.partition("[[targets]]")[0] + TARGETS)
    return path


def jsonl(text: str) -> dict[tuple[str, int], dict[str, object]]:
    records = [json.loads(line) for line in text.splitlines()]
    found = {(record["endpoint"]["address"], record["endpoint"]["port"]): record for record in records}
    assert len(found) == len(records)
    return found


def test_a_scan_is_kept_and_can_be_shown_again(scope: Path) -> None:
    scanned = leadglass("scan", "--scope", str(scope), "--format", "jsonl")
    shown = leadglass("scan", "show", "last", "--format", "jsonl")
    listed = leadglass("scan", "list")

    assert scanned.returncode == 0, scanned.stderr
    assert set(jsonl(scanned.stdout)) == {(f"127.66.0.{n}", port) for n in range(16) for port in (104, 11112)}
    assert shown.stdout == scanned.stdout
    assert "32 endpoints: 32 closed" in listed.stdout


def test_what_became_reachable_is_a_difference(closed_port: int, tmp_path: Path) -> None:
    mine = tmp_path / "one.toml"
    mine.write_text(SCOPE.format(port=closed_port))
    leadglass("scan", "--scope", str(mine))
    with server(open_archive, port=closed_port):
        leadglass("scan", "--scope", str(mine))
    told = leadglass("scan", "diff", "last")

    assert told.returncode == 1
    assert f"127.0.0.1:{closed_port}" in told.stdout


@pytest.mark.parametrize("name", ["masscan.json", "masscan.txt", "zmap.csv", "shodan.json", "nmap.xml"])
def test_only_what_others_found_inside_the_scope_is_asked(name: str, scope: Path, tmp_path: Path) -> None:
    source = tmp_path / name
    source.write_text(FOUND[name])
    done = leadglass("scan", "--scope", str(scope), "--from", str(source), "--format", "jsonl")

    assert done.returncode == 0, done.stderr
    assert set(jsonl(done.stdout)) == {("127.66.0.3", 104), ("127.66.0.9", 11112)}
    assert "outside the scope and left out: 1 of 3" in done.stderr


ELSEWHERE = "open tcp 104 192.0.2.1 1\n"


def test_what_others_found_comes_through_a_pipe(scope: Path) -> None:
    words = command("scan", "--scope", str(scope), "--from", "-", "--format", "jsonl")
    done = subprocess.run(words, input=FOUND["zmap.csv"], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert len(jsonl(done.stdout)) == 2


def test_a_scan_that_ended_while_its_list_was_read_is_begun_anew(scope: Path, tmp_path: Path) -> None:
    words = ("scan", "--scope", str(scope), "--database", str(tmp_path / "own.sqlite"))
    source = tmp_path / "list"
    os.mkfifo(source)
    with (
        subprocess.Popen(command(*words, "--from", str(source)), stderr=subprocess.PIPE) as reading,
        source.open("wb") as writing,
    ):
        writing.write(b"open tcp 104 127.66.0.3 1\n" * (3 * HEAD // 26))  # the first MiB tells whose it is
        writing.flush()
        while "list of targets" not in leadglass("scan", "status", *words[-2:]).stdout:
            time.sleep(0.1)
        reading.terminate()
        _, said = reading.communicate(timeout=20)
    again = leadglass(*words, "--resume")

    assert (reading.returncode, b"Traceback" in said) == (130, False)
    assert again.returncode == 2
    assert "ended while its list was read, and asked nobody" in again.stderr
    assert leadglass(*words, "--from", "-", input=FOUND["zmap.csv"]).returncode == 0


def test_addresses_without_a_port_are_asked_at_the_ports_of_the_scope(scope: Path, tmp_path: Path) -> None:
    source = tmp_path / "zmap.csv"
    source.write_text("saddr\n127.66.0.3\n192.0.2.1\n")
    done = leadglass("scan", "--scope", str(scope), "--from", str(source), "--format", "jsonl")

    assert done.returncode == 0, done.stderr
    assert set(jsonl(done.stdout)) == {("127.66.0.3", 104), ("127.66.0.3", 11112)}
    assert "taken at every port of the scope: 1\n" in done.stderr
    assert "outside the scope and left out: 1 of 3" in done.stderr


@pytest.mark.parametrize(
    ("words", "content", "said"),
    [
        (
            ("scan", "--from"),
            ELSEWHERE,
            "outside the scope and left out: 1 of 1",
        ),
        (("import",), ELSEWHERE, "outside the scope and left out: 1 of 1"),
        (
            ("scan", "--from"),
            f"#masscan\nbroken\n{ELSEWHERE}",
            ":2: left out: not a line of masscan's list",
        ),
        (("scan", "--from"), "#masscan\n# end\n", "it tells of no open TCP port"),
        (("import",), "open tcp 104 127.66.0.3 1\n", "leadglass scan --from asks them"),
    ],
)
def test_a_file_of_no_use_is_told_with_what_was_in_it(
    words: tuple[str, ...], content: str, said: str, scope: Path, tmp_path: Path
) -> None:
    source = tmp_path / "list.txt"
    source.write_text(content)
    done = leadglass(*words, str(source), "--scope", str(scope))

    assert done.returncode == 2
    assert said in done.stderr


FOUND = {
    "masscan.json": "".join(
        f'{{"ip": "{ip}", "timestamp": "1", "ports": [{{"port": {port}, "proto": "tcp", "status": "open"}}]}},\n'
        for ip, port in (("127.66.0.3", 104), ("192.0.2.1", 104), ("127.66.0.9", 11112))
    ).join(["[\n", "]\n"]),
    "masscan.txt": "#masscan\nopen tcp 104 127.66.0.3 1\nopen tcp 104 192.0.2.1 1\nopen tcp 11112 127.66.0.9 1\n",
    "zmap.csv": "saddr,sport\n127.66.0.3,104\n192.0.2.1,104\n127.66.0.9,11112\n",
    "shodan.json": "".join(
        f'{{"ip_str": "{ip}", "port": {port}, "timestamp": "2026-11-01T00:00:00.0", "data": "x"}}\n'
        for ip, port in (("127.66.0.3", 104), ("192.0.2.1", 104), ("127.66.0.9", 11112))
    ),
    "nmap.xml": '<?xml version="1.0"?><!DOCTYPE nmaprun><nmaprun scanner="nmap">'
    + "".join(
        f'<host><address addr="{ip}" addrtype="ipv4"/><ports><port protocol="tcp" portid="{port}">'
        '<state state="open"/></port></ports></host>'
        for ip, port in (("127.66.0.3", 104), ("192.0.2.1", 104), ("127.66.0.9", 11112))
    )
    + "</nmaprun>",
}


def test_what_others_saw_is_kept_as_their_account_and_no_banner_of_it(scope: Path, tmp_path: Path) -> None:
    source = tmp_path / "shodan.jsonl"
    record = {
        "ip_str": "127.66.0.3",
        "port": 104,
        "timestamp": "2026-11-01T02:03:04.000000",
        "data": "DICOM Server Response\nPatient: CANARY^IMPORT",
        "_shodan": {"module": "dicom"},
        "product": "Orthanc",
    }
    source.write_text(2 * (json.dumps(record) + "\n") + "{broken\n")
    kept = leadglass("import", str(source), "--scope", str(scope))
    shown = leadglass("scan", "show", "last", "--format", "jsonl")

    assert kept.returncode == 0, kept.stderr
    assert ": 1 seen by others\n" in kept.stdout
    assert "  endpoints  1 with a record\n" in leadglass("scan", "status").stdout
    assert f"{source}:3: left out" in kept.stderr
    (only,) = jsonl(shown.stdout).values()
    assert only["vantage"] == {"source": None, "position": "outside", "name": "shodan"}
    assert (only["rung"], only["access"], only["observed_at"]) == (
        "passive",
        "inconclusive",
        "2026-11-01T02:03:04Z",
    )
    assert "CANARY" not in shown.stdout + kept.stdout + kept.stderr
    assert b"CANARY" not in b"".join(p.read_bytes() for p in (tmp_path / "data").iterdir())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("scan",), "which scope?"),
        (("scan", "--resume"), "there is no unfinished scan"),
        (("scan", "--scope", "SCOPE", "--from", "missing.xml"), "missing.xml"),
        (("scan", "--scope", "SCOPE", "--from", "SCOPE"), "scope.toml"),
        (("scan", "--scope", "SCOPE", "--database", "."), "."),
        (("import", "missing.json", "--scope", "SCOPE"), "missing.json"),
        (("scan", "show", "last"), "no database"),
    ],
)
def test_a_mistake_is_one_line_and_2(words: tuple[str, ...], said: str, scope: Path) -> None:
    done = leadglass(*(str(scope) if word == "SCOPE" else word for word in words))

    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


@pytest.mark.parametrize("words", [("scan", "--from"), ("import",)])
@pytest.mark.parametrize("content", ["open tcp 104 192.0.2.1 1\n", "no such format", None])
def test_a_file_with_nothing_to_use_is_refused_and_nothing_is_kept_of_it(
    content: str | None, words: tuple[str, ...], scope: Path, tmp_path: Path
) -> None:
    source = tmp_path / "list.txt"
    if content is not None:
        source.write_text(content)
    done = leadglass(*words, str(source), "--scope", str(scope))

    assert done.returncode == 2
    assert str(source) in done.stderr
    assert leadglass("scan", "--resume").returncode == 2
    assert leadglass("scan", "list").stdout == ""


@pytest.mark.parametrize("names", [("",), ("x" * 65,), ("a\x1b[2J",), ("a", "b")])
def test_a_place_has_one_printable_name(names: tuple[str, ...], scope: Path) -> None:
    done = leadglass("scan", "--scope", str(scope), *(word for name in names for word in ("--vantage", name)))

    assert (done.returncode, done.stdout) == (2, "")
    assert "--vantage" in done.stderr


def test_a_scope_that_is_gone_is_not_gone_on_with(scope: Path) -> None:
    slow = scope.read_text().replace("[limits]\n", "[limits]\nrate = 5\n")
    scope.write_text(slow)
    with subprocess.Popen(
        command("scan", "--scope", str(scope)), stdout=subprocess.DEVNULL, stderr=-1
    ) as scan:
        assert begun(scan.pid)
        scan.send_signal(signal.SIGTERM)
        assert scan.wait(20) == 130
    scope.unlink()
    done = leadglass("scan", "--resume")

    assert done.returncode == 2
    assert "the scope is no longer there" in done.stderr


def test_outside_the_hours_nothing_is_asked_and_the_scan_can_go_on(scope: Path) -> None:
    opens, closes = (datetime.now(UTC) + timedelta(hours=hours) for hours in (2, 3))
    hours = f'hours = "{opens:%H:%M}-{closes:%H:%M}"\ntimezone = "UTC"\n'
    scope.write_text(scope.read_text().replace("[limits]\n", f"[limits]\n{hours}"))
    done = leadglass("scan", "--scope", str(scope), "--format", "jsonl")

    assert (done.returncode, done.stdout) == (3, ""), done.stderr
    assert "outside the scope's hours" in done.stderr
    assert "endpoints left: 32; leadglass scan --resume" in done.stderr


def test_a_full_disk_is_one_line_and_3_and_the_scan_can_go_on(scope: Path, own_database: Path) -> None:
    leadglass("scan", "--scope", str(scope))
    room = own_database.stat().st_size + 60_000
    scope.write_text(scope.read_text().replace("/28", "/22").replace("[limits]\n", "[limits]\nrate = 1000\n"))

    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    full = leadglass("scan", "--scope", str(scope), preexec_fn=small_files)
    rest = leadglass("scan", "--resume", "--format", "jsonl")

    assert full.returncode == 3, full.stderr
    assert full.stderr.count("\n") == 1
    assert "Traceback" not in full.stderr
    assert len(jsonl(rest.stdout)) == 2048


def test_processes_that_ask_end_with_the_one_that_keeps(scope: Path) -> None:
    scope.write_text(scope.read_text().replace("[limits]\n", "[limits]\nrate = 2\n"))
    with subprocess.Popen(
        command("scan", "--scope", str(scope)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as scan:
        members = begun(scan.pid)
        scan.kill()
    deadline = time.monotonic() + 10
    while any(b"wiring.member" in words_of(pid) for pid in members) and time.monotonic() < deadline:
        time.sleep(0.1)

    assert members
    assert [pid for pid in members if b"wiring.member" in words_of(pid)] == []


def begun(pid: int) -> list[int]:
    """The processes that ask, once the scan has started them."""
    members: list[int] = []
    deadline = time.monotonic() + 20
    while not members and time.monotonic() < deadline:
        members = [child for child in children(pid) if b"wiring.member" in words_of(child)]
        time.sleep(0.1)
    return members


def children(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def words_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def test_ctrl_c_in_a_terminal_reaches_only_the_one_that_keeps(scope: Path) -> None:
    """The whole group is interrupted; the members still say goodbye and hand in what is complete."""
    scope.write_text(scope.read_text().replace("[limits]\n", "[limits]\nrate = 8\n"))
    with subprocess.Popen(
        command("scan", "--scope", str(scope), "--format", "jsonl"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as scan:
        assert begun(scan.pid)
        time.sleep(3)
        os.killpg(scan.pid, signal.SIGINT)
        out, err = scan.communicate(timeout=30)

    assert scan.returncode == 130, err
    assert "Traceback" not in err
    assert 0 < len(jsonl(out)) < 32
