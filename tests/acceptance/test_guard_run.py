"""``leadglass guard run`` and ``edge`` as an administrator meets them: what they say when they cannot run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.acceptance.guards import Guard
from tests.peers.places import LOOPBACK, free_port

LEADGLASS = Path(sys.executable).with_name("leadglass")


def run(*words: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    argv: list[str | Path] = [LEADGLASS, "guard", *words]
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False, cwd=cwd)


@pytest.fixture
def apart(guard: Guard) -> Guard:
    """A guard on doors that nobody has."""
    file = guard.folder / "guard.toml"
    text = file.read_text()
    for port in ("0.0.0.0:2762", "127.0.0.1:11113"):
        text = text.replace(f'"{port}"', f'"127.0.0.1:{free_port(LOOPBACK)}"')
    file.write_text(text.replace("# health =", f'health = "127.0.0.1:{free_port(LOOPBACK)}"  #'))
    return guard


def test_without_its_file_a_guard_says_how_to_make_one(tmp_path: Path) -> None:
    done = run("run", cwd=tmp_path)

    assert done.returncode == 2
    assert "leadglass guard init makes one" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("workers", [1, 2])
def test_a_guard_whose_policies_cannot_be_used_does_not_open(apart: Guard, workers: int) -> None:
    (apart.folder / "policy" / "ward.cedar").write_text("permit (")
    file = apart.folder / "guard.toml"
    file.write_text(f"{file.read_text()}\n[limits]\nworkers = {workers}\n")
    done = run("run", cwd=apart.around)
    lines = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]

    assert done.returncode == 3
    assert "ward.cedar" in next(line["words"] for line in lines if line["event"] == "cannot run")
    assert "no process of the guard comes up; see the lines above" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_edge_without_its_papers_says_which_are_missing(tmp_path: Path) -> None:
    papers = ["--certificate", "ct-1.pem", "--key", "ct-1.key", "--ca", "ca.pem"]
    done = run("edge", "--guard", "127.0.0.1:2762", "--from", "127.0.0.1", *papers, cwd=tmp_path)

    assert done.returncode == 2
    assert "ct-1.pem" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_an_edge_on_an_address_of_somebody_else_says_so(settled: Guard, tmp_path: Path) -> None:
    folder = settled.folder / "enrolled" / "ct-1"
    papers: list[str | Path] = [
        "--certificate",
        folder / "ct-1.pem",
        "--key",
        folder / "ct-1.key",
        "--ca",
        folder / "ca.pem",
    ]
    port = free_port(LOOPBACK)
    listen = ["--listen", f"192.0.2.1:{port}"]
    done = run("edge", "--guard", "127.0.0.1:2762", "--from", "127.0.0.1", *listen, *papers, cwd=tmp_path)

    assert done.returncode == 3
    assert f"192.0.2.1:{port}: cannot listen" in done.stderr
