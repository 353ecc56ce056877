"""A thousand hostile peers at once: the scan ends, says why for each, and stays small."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.acceptance.test_scan_kept import children
from tests.peers.hostile import BEHAVIOURS, FIRST_PORT, address

HOSTS, PORTS = 125, 8
MOST_MEMORY = 200_000
"""Kilobytes of summed PSS."""
MOST_SECONDS = 120

SCOPE = """
name = "a crowd of hostile peers"
[authorisation]
basis = "owner"
granted_by = "the tests"
contact = "tests@example.org"
[limits]
deepest = "blank-query"
rate = 20000
"""
TARGET = """
[[targets]]
range = "{address}"
ports = ["{first}-{last}"]
"""


@pytest.fixture(scope="module")
def crowd() -> Iterator[None]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.peers.hostile", str(HOSTS), str(PORTS)],
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == "ready\n"
        yield
        server.kill()


def _pss(pid: int) -> int:
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        return 0
    found = re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)
    return int(found[1]) if found else 0


def test_a_thousand_hostile_peers_leave_the_scan_finished(crowd: None, tmp_path: Path) -> None:
    scope = tmp_path / "scope.toml"
    ports = {"first": FIRST_PORT, "last": FIRST_PORT + PORTS - 1}
    targets = [TARGET.format(address=address(number), **ports) for number in range(HOSTS)]
    scope.write_text(SCOPE + "".join(targets), encoding="utf-8")
    out = tmp_path / "out.jsonl"
    command = [
        sys.executable,
        "-m",
        "leadglass",
        "scan",
        "--scope",
        str(scope),
        "--format",
        "jsonl",
        "--output",
        str(out),
    ]
    began, most = time.monotonic(), 0
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as scan:
        while scan.poll() is None and time.monotonic() - began < MOST_SECONDS:
            most = max(most, sum(map(_pss, [scan.pid, *children(scan.pid)])))
            time.sleep(0.1)
        scan.kill()
        assert scan.stderr is not None
        complaints = scan.stderr.read()
    records = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]

    assert "Traceback" not in complaints
    assert len(records) == HOSTS * PORTS
    assert most < MOST_MEMORY
    names = list(BEHAVIOURS)
    for record in records:
        host, port = record["endpoint"]["address"], record["endpoint"]["port"]
        number = (int(host.split(".")[2]) - 1) * PORTS + port - FIRST_PORT
        behaviour = names[number % len(names)]
        expected = (
            {"associates", "inconclusive"}
            if behaviour.startswith(("accepts", "releases"))
            else {"inconclusive"}
        )
        if behaviour.startswith("HTTP"):
            expected = {"inconclusive", "not-dicom"}
        assert record["access"] in expected, (behaviour, record["access"], record["reasons"])
        assert record["reasons"], behaviour
    assert "\x1b" not in out.read_text(encoding="utf-8")
