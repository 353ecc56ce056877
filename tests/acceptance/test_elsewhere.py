"""The installed command where Windows' or macOS's part of Python is all that it finds (``tests/elsewhere``)."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest
from tests.acceptance.test_command import SCOPE, command, open_archive, server
from tests.peers.newcomer import Newcomer
from tests.peers.places import LOOPBACK, free_port
from tests.source import ROOT

EXPOSED_FILE = (
    '{"Name": "lab", "RemoteAccessAllowed": true, "AuthenticationEnabled": false, "DicomPort": 4242}'
)

Leadglass: TypeAlias = Callable[..., str]


@pytest.fixture(params=["win32", pytest.param("darwin", marks=pytest.mark.deep)])
def leadglass(request: pytest.FixtureRequest, tmp_path: Path) -> Leadglass:
    """Calls the command in a folder of its own, expects an exit code, and gives what it printed."""
    system = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "tests" / "elsewhere"),
        "LEADGLASS_SYSTEM": request.param,
    }

    def call(*words: str, code: int = 0, stdin: str = "") -> str:
        done = subprocess.run(
            command(*words),
            capture_output=True,
            text=True,
            check=False,
            env=system,
            cwd=tmp_path,
            input=stdin,
        )
        assert (done.returncode, "Traceback" in done.stderr) == (code, False), done.stderr
        return done.stdout

    return call


def test_a_server_is_checked_and_explained(leadglass: Leadglass, closed_port: int) -> None:
    with server(open_archive) as port:
        leadglass(
            "check", f"127.0.0.1:{port},{closed_port}", "--format", "jsonl", "--output", "seen.jsonl", code=1
        )
        shown = leadglass("check", f"127.0.0.1:{port}", code=1)
    explained = leadglass("explain", "seen.jsonl")

    assert "answers-query" in shown
    assert "closed" in explained


def test_a_scope_is_shown_scanned_kept_and_put_into_the_register(
    leadglass: Leadglass, tmp_path: Path
) -> None:
    with server(open_archive) as port:
        (tmp_path / "scope.toml").write_text(SCOPE.format(port=port), encoding="utf-8")
        leadglass("scope", "show", "scope.toml")
        leadglass("scan", "--scope", "scope.toml", "--format", "csv", "--output", "seen.csv", code=1)
    leadglass("scan", "list")
    leadglass("register", "add", "archive", "--address", "127.0.0.1", "--port", str(port), "--by", "ada")
    leadglass("register", "fill", "--scan", "last", "--by", "ada")
    leadglass("register", "check", code=1)
    held = json.loads(leadglass("register", "list", "--format", "json"))
    leadglass("register", "dossier", "--output", "dossier.pdf", "--zip", "dossier.zip")
    leadglass("register", "verify")

    assert [system["name"] for system in held] == ["archive"]
    assert (tmp_path / "dossier.pdf").read_bytes().startswith(b"%PDF-")
    assert b"\r" not in (tmp_path / "seen.csv").read_bytes().replace(b"\r\n", b"")


def test_files_are_linted_by_several_processes_and_fixed(leadglass: Leadglass, tmp_path: Path) -> None:
    for number in range(260):
        (tmp_path / f"orthanc-{number}.json").write_text(EXPOSED_FILE, encoding="utf-8")
    leadglass("lint", ".", code=1)
    leadglass("lint", "orthanc-0.json", "--fix", "--yes", code=1)

    assert (tmp_path / "orthanc-0.json").read_text(encoding="utf-8") != EXPOSED_FILE


def test_a_newcomer_is_served_on_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "tests" / "elsewhere"))
    monkeypatch.setenv("LEADGLASS_SYSTEM", "win32")
    with server(open_archive, port=11112):
        seen, dossier = Newcomer(command(), tmp_path, free_port(LOOPBACK)).go()

    assert "answers-query" in seen
    assert dossier.startswith(b"%PDF-")


@pytest.mark.parametrize(
    "words", [["--help"], ["--version"], ["schema", "scan-record"], ["firewall", "--help"]]
)
def test_what_only_prints_prints(leadglass: Leadglass, words: list[str]) -> None:
    assert leadglass(*words)


@pytest.mark.deep
def test_the_demonstration_runs_up_to_the_lock(leadglass: Leadglass) -> None:
    said = leadglass("demo")

    assert "agree with the lab's known truth" in said
    assert "The guard needs Linux" in said
