"""Closed streams, full disks, endless files and hostile names: one line and the right exit code, whatever the command."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = (sys.executable, "-m", "leadglass")
CLOSE_ALL = '"$@" <&- >&- 2>&-'

LIST = """\
[[servers]]
name = "archive"
addresses = ["192.0.2.5"]
dicom = [104]
"""
SEEN = (
    "tcp 6 9 ESTABLISHED src=203.0.113.9 dst=192.0.2.5 sport=4000 dport=104"
    " src=192.0.2.5 dst=203.0.113.9 sport=104 dport=4000 [ASSURED]\n"
)


def run(*words: str | Path, redirect: str = '"$@"') -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", redirect, "sh", *COMMAND, *map(str, words)], capture_output=True, text=True, check=False
    )


@pytest.fixture
def dry_run(tmp_path: Path) -> tuple[str | Path, ...]:
    """A command that reads files and writes a line."""
    peers, flows = tmp_path / "peers.toml", tmp_path / "flows"
    peers.write_text(LIST)
    flows.write_text(SEEN)
    return "firewall", "dry-run", flows, "--peers", peers


def test_closed_streams_are_as_if_nobody_read_them(dry_run: tuple[str | Path, ...]) -> None:
    assert run(*dry_run, redirect=CLOSE_ALL).returncode == 1
    done = run(*dry_run, redirect='"$@" >&-')
    assert (done.returncode, done.stderr) == (1, "")


def test_from_a_closed_standard_input_nothing_comes(dry_run: tuple[str | Path, ...]) -> None:
    done = run(*dry_run[:2], "-", *dry_run[3:], redirect='"$@" <&-')

    assert done.returncode == 3
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("words", [("--help",), ("--version",), ("schema", "scope"), ("lint", "--help")])
def test_whatever_cannot_be_written_is_one_line(words: tuple[str, ...]) -> None:
    done = run(*words, redirect='"$@" >/dev/full')

    assert done.returncode == 3
    assert "no space left on device" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_where_complaints_have_no_room_the_exit_code_still_tells() -> None:
    assert run("scope", "show", "nowhere", redirect='"$@" 2>/dev/full').returncode == 2


@pytest.mark.parametrize(
    "words", [("scope", "show"), ("firewall", "write", "--peers"), ("lint",), ("import", "--scope", "x")]
)
def test_a_name_cannot_speak_to_the_terminal(words: tuple[str, ...]) -> None:
    done = run(*words, "no\x1b[31m\nwhere")

    assert done.returncode == 2
    assert "\x1b" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_file_without_an_end_is_not_read_to_it() -> None:
    done = run("scope", "show", "/dev/zero")

    assert done.returncode == 2
    assert done.stderr == "leadglass: /dev/zero: this is larger than 64 MiB; name a text file\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_is_asked_to_end_ends_quietly(number: int, dry_run: tuple[str | Path, ...]) -> None:
    words = [*COMMAND, *map(str, dry_run[:2]), "-", *map(str, dry_run[3:])]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdin is not None
        # It cannot take all of this before it reads, and then waits for more.
        process.stdin.write(SEEN * 2_000)
        process.stdin.flush()
        process.send_signal(number)
        output, errors = process.communicate()

    assert (process.returncode, output, errors) == (130, "", "")


def test_a_new_file_is_whole_or_not_there(tmp_path: Path) -> None:
    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    script = "import pathlib, leadglass.cli.output as o; o.create(pathlib.Path('lab.toml'), 'x' * 100)"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=small_files,
    )

    assert "ResourceError: lab.toml: cannot be written (file too large)" in done.stderr
    assert not (tmp_path / "lab.toml").exists()


def test_no_number_is_too_large_to_be_refused() -> None:
    done = run("db", "prune", "--keep", "9" * 20)

    assert done.returncode == 2
    assert "Traceback" not in done.stderr
