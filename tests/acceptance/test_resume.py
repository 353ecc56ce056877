"""A scan that is killed at any moment and resumed finishes with exactly the records of one that was not."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

import pytest
from tests.acceptance.test_command import command, leadglass

Records: TypeAlias = Mapping[tuple[str, int], tuple[str, ...]]

CLOSED = """
[[targets]]
range = "127.77.0.0/22"
ports = [104]
"""
KILLS = 50 if os.environ.get("LEADGLASS_DEEP") == "1" else 1


@pytest.fixture(scope="module")
def scope(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The lab, and a thousand addresses around it where nothing listens, at a pace that takes some seconds."""
    path = tmp_path_factory.mktemp("lab") / "scope.toml"
    with subprocess.Popen(
        command("lab", "--scope", str(path)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as lab:
        deadline = time.monotonic() + 20
        while not (path.exists() and path.read_text()) and time.monotonic() < deadline:
            time.sleep(0.05)
        text = path.read_text()
        head, _, tail = text.partition("[limits]\n")
        assert tail
        path.write_text(f"{head}[limits]\nrate = 800\n{tail}{CLOSED}")
        yield path
        lab.terminate()


@pytest.fixture(scope="module")
def uninterrupted(scope: Path, tmp_path_factory: pytest.TempPathFactory) -> Records:
    database = tmp_path_factory.mktemp("whole") / "scans.sqlite"
    done = leadglass("scan", "--scope", str(scope), "--database", str(database), "--format", "jsonl")
    assert done.returncode == 1, done.stderr  # the lab is exposed on purpose
    return records(done.stdout)


def records(text: str) -> Records:
    """What was found where; a second record for an endpoint would be an error."""
    found: dict[tuple[str, int], tuple[str, ...]] = {}
    for line in text.splitlines():
        record = json.loads(line)
        where = record["endpoint"]["address"], record["endpoint"]["port"]
        assert where not in found, f"{where} appears twice"
        found[where] = (record["access"], *(fact["id"] for fact in record["evidence"]))
    return found


def killed(words: list[str], after: float, number: signal.Signals) -> int:
    with subprocess.Popen(
        command(*words), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    ) as scan:
        try:
            scan.wait(timeout=after)
        except subprocess.TimeoutExpired:
            scan.send_signal(number)
        return scan.wait(timeout=30)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=lambda number: number.name)
def test_killed_and_resumed_it_finds_what_it_would_have_found(
    number: signal.Signals, scope: Path, uninterrupted: Records, tmp_path: Path
) -> None:
    chance = random.Random(f"{number}")
    for attempt in range(KILLS):
        database = str(tmp_path / f"{attempt}.sqlite")
        words = ["scan", "--scope", str(scope), "--database", database]
        moments = [chance.uniform(0.6, 3.0) for _ in range(chance.randint(1, 2))]
        codes = [killed(words, moments[0], number)]
        codes += [killed([*words, "--resume"], moment, number) for moment in moments[1:]]
        found = records(finished(words, database))

        differing = sorted(found.items() ^ uninterrupted.items())
        assert differing[:4] == [], (attempt, moments, codes, len(differing))


def finished(words: list[str], database: str) -> str:
    """The records once the scan is whole: resumed, or whole already, or not even begun."""
    done = leadglass(*words, "--resume", "--format", "jsonl")
    if done.returncode == 2:
        assert "there is no unfinished scan" in done.stderr
        done = leadglass("scan", "show", "last", "--database", database, "--format", "jsonl")
    if done.returncode == 2:
        assert "there is no scan" in done.stderr
        done = leadglass(*words, "--format", "jsonl")
    return done.stdout


def test_two_at_once_are_refused(scope: Path, tmp_path: Path) -> None:
    words = ["scan", "--scope", str(scope), "--database", str(tmp_path / "scans.sqlite")]
    with subprocess.Popen(command(*words), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as first:
        second = None
        while first.poll() is None and second is None:
            time.sleep(0.3)
            done = leadglass(*words, "--resume")
            second = done if "another process is at this scan" in done.stderr else None
        first.kill()

    assert second is not None
    assert second.returncode == 3


def test_a_changed_scope_is_not_gone_on_with(scope: Path, tmp_path: Path) -> None:
    mine = tmp_path / "scope.toml"
    mine.write_text(scope.read_text())
    words = ["scan", "--scope", str(mine), "--database", str(tmp_path / "scans.sqlite")]
    assert killed(words, 2.0, signal.SIGTERM) in (1, 130)
    mine.write_text(mine.read_text().replace("rate = 800", "rate = 300"))
    by_name = leadglass(*words, "--resume")
    without = leadglass("scan", "--resume", "--database", words[-1])

    assert (by_name.returncode, without.returncode) == (2, 2)
    assert "no unfinished scan of this scope" in by_name.stderr
    assert "the scope has changed" in without.stderr
