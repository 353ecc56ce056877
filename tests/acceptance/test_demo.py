"""``leadglass demo`` and ``leadglass lab`` as people run them: on a terminal, in a pipe, and interrupted."""

from __future__ import annotations

import dataclasses
import fcntl
import os
import pty
import re
import signal
import stat
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from leadglass.cli import demo, main
from leadglass.lab.fiction import Stems
from leadglass.lab.personas import PERSONAS, Persona, Truth
from leadglass.model.record import ScanRecord
from leadglass.model.verdict import Access, State
from leadglass.wiring.lab import running_lab

ENDPOINTS = sum(len(persona.services) for persona in PERSONAS)
ALL_AGREE = f"{ENDPOINTS} of {ENDPOINTS} verdicts agree with the lab's known truth"
COLUMNS = 100
ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def leadglass(*words: str) -> list[str]:
    return [sys.executable, "-m", "leadglass", *words]


@contextmanager
def terminal(*words: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A command on a terminal of its own, and the descriptor of what it shows."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 50, COLUMNS, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color"}
    with subprocess.Popen(
        leadglass(*words), stdin=its, stdout=its, stderr=its, env=environment, start_new_session=True
    ) as process:
        os.close(its)
        try:
            yield process, ours
        finally:
            process.kill()
            os.close(ours)


def shown(descriptor: int, until: str = "") -> str:
    """What the terminal shows, to the end or until a text has appeared."""
    text = ""
    while not until or until not in text:
        try:
            piece = os.read(descriptor, 65536)
        except OSError:  # Linux says the end of a terminal so.
            break
        if not piece:
            break
        text += piece.decode()
    return text


def test_the_demo_agrees_with_the_truth_and_can_be_read_in_a_pipe(tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    began = time.monotonic()
    done = subprocess.run(
        leadglass("demo", "--output", str(report)), capture_output=True, text=True, timeout=120, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert time.monotonic() - began < 80  # Twenty seconds on an idle machine.
    assert ALL_AGREE in done.stdout
    assert "No patient record was requested, kept or shown." in " ".join(done.stdout.split())
    assert "\x1b" not in done.stdout
    assert done.stderr == ""
    assert max(len(line) for line in done.stdout.splitlines() if str(report) not in line) <= 80
    assert "answers-query" in report.read_text()
    assert stat.S_IMODE(report.stat().st_mode) == 0o600


@pytest.mark.deep
def test_the_demo_on_a_terminal_names_every_server_and_fits() -> None:
    with terminal("demo") as (process, screen):
        text = shown(screen)
        code = process.wait(timeout=120)

    plain = ANSI.sub("", text).replace("\r", "\n")
    assert code == 0
    assert all(persona.name in plain for persona in PERSONAS)
    assert ALL_AGREE in plain
    assert "\x1b[" in text
    assert max(map(len, plain.splitlines())) <= COLUMNS


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_says_so_with_its_exit_code(number: signal.Signals) -> None:
    with terminal("demo") as (process, screen):
        shown(screen, until="looking")
        process.send_signal(number)
        shown(screen)

        assert process.wait(timeout=20) == 130


def test_a_verdict_that_differs_is_shown_and_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    believed = Truth(Access.ASSOCIATES, Access.OFFERS_QUERY, Access.ANSWERS_QUERY, {"storage": State.GRANTED})
    monkeypatch.setattr(demo, "running_lab", lambda: running_lab([believing("verification-only", believed)]))

    code = main(["demo"])

    said = " ".join(capsys.readouterr().out.split())
    assert code == 3
    assert "differs" in said
    assert "WRONG: the verdict is verification-only, the truth is answers-query." in said
    assert "WRONG: storage is said to be absent, the truth is granted." in said
    assert "0 of 1 verdicts agree with the lab's known truth" in said


def believing(name: str, truth: Truth) -> Persona:
    """The persona of this name with another truth."""
    persona = next(p for p in PERSONAS if p.name == name)
    return dataclasses.replace(persona, services=(dataclasses.replace(persona.services[0], truth=truth),))


def test_a_trace_of_a_patient_in_a_record_would_be_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The word that every accepted association leaves behind stands for a stem."""
    found: list[int] = []
    count = demo._leaks

    def counted(_: Stems, records: Sequence[ScanRecord]) -> int:
        found.append(count(Stems("leadglass_lab", "no such number"), records))
        return found[-1]

    monkeypatch.setattr(demo, "_leaks", counted)
    monkeypatch.setattr(
        demo, "running_lab", lambda: running_lab([p for p in PERSONAS if p.name == "verification-only"])
    )

    assert main(["demo"]) == 3
    assert found == [1]


def test_the_lab_prints_its_table_and_stops_when_asked(tmp_path: Path) -> None:
    scope = tmp_path / "lab.toml"
    with subprocess.Popen(
        leadglass("lab", "--scope", str(scope)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        said = process.stderr.readline() + process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        table = process.stdout.read()

    assert process.returncode == 0
    assert f"leadglass scan --scope {scope}" in said
    assert "serving until Ctrl-C" in said
    assert all(f"{persona.name} " in table and persona.story in table for persona in PERSONAS)
    assert "\x1b" not in table
    assert stat.S_IMODE(scope.stat().st_mode) == 0o600


def test_the_lab_on_a_terminal_ends_with_ctrl_c() -> None:
    with terminal("lab") as (process, screen):
        shown(screen, until="Ctrl-C")
        process.send_signal(signal.SIGINT)

        assert process.wait(timeout=10) == 0


def test_the_lab_overwrites_no_scope(tmp_path: Path) -> None:
    scope = tmp_path / "mine.toml"
    scope.write_text("mine")
    done = subprocess.run(
        leadglass("lab", "--scope", str(scope)), capture_output=True, text=True, timeout=30, check=False
    )

    assert done.returncode == 2
    assert done.stderr == f"leadglass: {scope}: the scope cannot be written (file exists); name a new file\n"
    assert scope.read_text() == "mine"


def test_the_lab_can_be_scanned_with_the_scope_it_wrote(tmp_path: Path) -> None:
    scope = tmp_path / "lab.toml"
    with subprocess.Popen(
        leadglass("lab", "--scope", str(scope)), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        process.stderr.readline()
        done = subprocess.run(
            leadglass("scan", "--scope", str(scope), "--deepest", "connect", "--format", "csv"),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        process.terminate()

    assert len(done.stdout.splitlines()) == 1 + ENDPOINTS, done.stderr
