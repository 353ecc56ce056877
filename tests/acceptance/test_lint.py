"""``leadglass lint``: exit codes, the fix, the baseline, standard input, and trees that are made to hurt."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it has no types
from tests.acceptance.test_command import command, one_line
from tests.acceptance.test_command import leadglass as installed
from tests.source import ROOT
from tests.unit.report.lint_sarif_schema import ESSENTIALS
from tests.unit.test_docs import shown_commands

from leadglass import cli
from leadglass.cli.schema import SCHEMAS

COMPOSE = """# the archive, and nothing else
services:
  cache:
    image: redis:7
    ports:
      - "6379:6379"  # for debugging
"""
CLOSED = """services:
  web:
    image: nginx:1.27
"""
MEMORY = 1 << 30
"""Bytes of address space: what a hostile file may make of ten megabytes."""


def put(folder: Path, name: str, text: str | bytes = COMPOSE) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def leadglass(
    *words: str, cwd: Path | None = None, given: str | None = None
) -> subprocess.CompletedProcess[str]:
    """The command in this process, which is quicker; ``given`` is on standard input, which is no terminal."""
    out, err, before = io.StringIO(), io.StringIO(), sys.stdin
    sys.stdin = io.TextIOWrapper(io.BytesIO((given or "").encode()))
    try:
        with (
            contextlib.chdir(cwd or Path.cwd()),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            code = cli.main(list(words))
    finally:
        sys.stdin = before
    return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())


def report_of(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    report = json.loads(done.stdout)
    Draft202012Validator(SCHEMAS["lint-report"]()).validate(report)
    assert isinstance(report, dict)
    return report


# ---- exit codes


def test_something_exposed_is_1_and_the_report_says_where_and_why(tmp_path: Path) -> None:
    put(tmp_path, "compose.yml")
    done = installed("lint", ".", cwd=tmp_path)

    assert done.returncode == 1
    assert re.search(
        r"^compose.yml \(compose\)\n  6:9  critical  cache:6379  LG-COMPOSE-\d{3}$", done.stdout, re.MULTILINE
    )
    assert "exposes" in done.stdout
    assert "fix" in done.stdout
    assert done.stderr == ""


def test_nothing_to_find_is_0(tmp_path: Path) -> None:
    done = leadglass("lint", str(put(tmp_path, "compose.yml", CLOSED)))

    assert (done.returncode, done.stderr) == (0, "")


def test_what_lies_below_fail_on_is_0(tmp_path: Path) -> None:
    put(tmp_path, "compose.yml", COMPOSE.replace('"6379', '"127.0.0.1:6379'))

    assert leadglass("lint", str(tmp_path)).returncode == 0
    assert leadglass("lint", str(tmp_path), "--fail-on", "none").returncode in {0, 1}


def test_a_named_file_of_no_known_kind_is_3_and_one_in_a_folder_is_told(tmp_path: Path) -> None:
    path = put(tmp_path, "notes.txt", "nothing to see")
    named = leadglass("lint", str(path))
    put(tmp_path, "compose.yml", CLOSED)
    inside = leadglass("lint", str(tmp_path))

    assert (named.returncode, inside.returncode) == (3, 0)
    assert "of no known kind" in one_line(named)
    assert "1 of no known kind" in inside.stdout


def test_a_folder_without_any_configuration_is_3(tmp_path: Path) -> None:
    done = leadglass("lint", str(tmp_path))

    assert done.returncode == 3
    assert "no configuration of a kind that is known was found" in one_line(done)


def test_a_broken_file_is_2_and_named_with_its_place(tmp_path: Path) -> None:
    done = leadglass("lint", str(put(tmp_path, "compose.yml", COMPOSE + "  - [\n")))

    assert done.returncode == 2
    assert re.search(r"compose\.yml:\d+:\d+: ", one_line(done))


def test_what_is_exposed_beside_a_broken_file_is_1(tmp_path: Path) -> None:
    put(tmp_path, "a.yml")
    put(tmp_path, "b.json", b"\xff")
    done = leadglass("lint", str(tmp_path))

    assert done.returncode == 1
    assert "b.json: not text" in one_line(done)


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("gone.json",),
        ("--stdin", "--fix"),
        ("a.yml", "--baseline", "gone.toml"),
        ("a.yml", "--fail-on", "x"),
    ],
)
def test_what_cannot_be_done_is_2(words: tuple[str, ...], tmp_path: Path) -> None:
    put(tmp_path, "a.yml")
    done = leadglass("lint", *words, cwd=tmp_path)

    assert done.returncode == 2
    assert "Traceback" not in done.stderr


# ---- forms


def test_standard_input_is_linted(tmp_path: Path) -> None:
    done = leadglass("lint", "--stdin", "--format", "json", given=COMPOSE)

    assert done.returncode == 1
    assert {finding["path"] for finding in report_of(done)["findings"]} == {"<stdin>"}


def test_every_form_is_valid_and_fails_alike(tmp_path: Path) -> None:
    put(tmp_path, "compose.yml")
    put(tmp_path, "notes.txt", "x")
    done = {
        form: leadglass("lint", str(tmp_path), "--format", form)
        for form in ("json", "sarif", "junit", "github")
    }

    assert {each.returncode for each in done.values()} == {1}
    findings = report_of(done["json"])["findings"]
    sarif = json.loads(done["sarif"].stdout)
    Draft202012Validator(ESSENTIALS).validate(sarif)
    assert len(sarif["runs"][0]["results"]) == len(findings)
    assert len(list(ET.fromstring(done["junit"].stdout).iter("testcase"))) == len(findings)
    assert len(re.findall(r"^::(?:error|warning|notice) file=", done["github"].stdout, re.MULTILINE)) == len(
        findings
    )


def test_a_report_goes_to_a_file(tmp_path: Path) -> None:
    put(tmp_path, "compose.yml")
    output = tmp_path / "report.json"
    done = leadglass("lint", "compose.yml", "--format", "json", "--output", str(output), cwd=tmp_path)

    assert (done.returncode, done.stdout) == (1, "")
    assert json.loads(output.read_text())["schema"] == "leadglass.lint-report/1"


def test_no_password_is_ever_printed(tmp_path: Path) -> None:
    put(tmp_path, "compose.yml", COMPOSE + "    environment:\n      REDIS_PASSWORD: hunter2hunter2\n")
    for words in ((), ("--format", "json"), ("--format", "sarif"), ("--fix", "--yes")):
        done = leadglass("lint", str(tmp_path), *words)

        assert "hunter2" not in done.stdout + done.stderr


# ---- the fix


def test_a_fix_is_shown_made_and_linted_again(tmp_path: Path) -> None:
    path = put(tmp_path, "compose.yml")
    path.chmod(0o640)
    before = json.loads(leadglass("lint", str(path), "--format", "json").stdout)["findings"]
    done = leadglass("lint", str(path), "--fix", "--yes", "--format", "json")
    after = report_of(done)["findings"]

    assert '+      - "127.0.0.1:6379:6379"  # for debugging' in done.stderr
    assert path.read_text() == COMPOSE.replace('"6379', '"127.0.0.1:6379')
    assert path.stat().st_mode & 0o777 == 0o640
    assert len([one for one in after if one["severity"] == "critical"]) < len(before)
    assert [each.name for each in tmp_path.iterdir()] == ["compose.yml"]


def test_without_a_terminal_nothing_is_changed_unless_it_was_said(tmp_path: Path) -> None:
    path = put(tmp_path, "compose.yml")
    done = leadglass("lint", str(path), "--fix")

    assert done.returncode == 2
    assert "give --yes" in done.stderr
    assert '+      - "127.0.0.1:6379:6379"' in done.stderr
    assert path.read_text() == COMPOSE


@pytest.mark.parametrize(("answer", "changed"), [("y", True), ("n", False)])
def test_whoever_sits_at_the_terminal_is_asked(answer: str, changed: bool, tmp_path: Path) -> None:
    path = put(tmp_path, "compose.yml")
    ours, theirs = os.openpty()
    os.write(ours, f"{answer}\n".encode())
    try:
        done = installed("lint", str(path), "--fix", stdin=theirs)
    finally:
        os.close(ours)
        os.close(theirs)

    assert "Change this file? [y/N]" in done.stderr
    assert done.stderr.index("+      - ") < done.stderr.index("Change this file?")
    assert (path.read_text() != COMPOSE) is changed
    assert done.returncode == (0 if changed else 1)


def test_what_is_accepted_is_not_fixed(tmp_path: Path) -> None:
    path = put(tmp_path, "compose.yml")
    accepted = accept(tmp_path)
    done = leadglass("lint", str(path), "--fix", "--yes", "--baseline", accepted)

    assert done.returncode == 0
    assert path.read_text() == COMPOSE


# ---- the baseline


def accept(folder: Path, **changes: str) -> str:
    """A baseline of everything that fails in the folder."""
    path = folder / "accepted.toml"
    day = (dt.datetime.now(dt.UTC) + dt.timedelta(days=30)).date().isoformat()
    who = ("--owner", "A. Miller", "--reason", "until the move", "--expires", day)
    done = leadglass("lint", str(folder), "--write-baseline", str(path), *who)
    assert done.returncode == 0, done.stderr
    text = path.read_text()
    for old, new in changes.items():
        text = re.sub(rf"^{old} = .*$", f"{old} = {new}", text, flags=re.MULTILINE)
    path.write_text(text)
    return str(path)


def test_what_is_accepted_does_not_fail_from_wherever_it_is_called(tmp_path: Path) -> None:
    put(tmp_path, "deploy/compose.yml")
    baseline = accept(tmp_path)

    for words, where in (((str(tmp_path),), None), (("compose.yml",), tmp_path / "deploy")):
        done = leadglass("lint", *words, "--baseline", baseline, cwd=where)
        assert (done.returncode, done.stderr) == (0, "")
        assert "A. Miller" in done.stdout


def test_what_has_expired_counts_again_and_is_said(tmp_path: Path) -> None:
    put(tmp_path, "compose.yml")
    done = leadglass("lint", str(tmp_path), "--baseline", accept(tmp_path, expires="2020-01-31"))

    assert done.returncode == 1
    assert "counts again: A. Miller accepted it until 2020-01-31" in done.stderr
    assert "EXPIRED" in done.stdout


def test_a_baseline_is_added_to_and_not_overwritten(tmp_path: Path) -> None:
    put(tmp_path, "compose.yml")
    baseline = accept(tmp_path)
    before = Path(baseline).read_text()
    put(tmp_path, "other.yml")
    who = ("--owner", "B", "--reason", "r", "--expires", "2099-01-31")
    refused = leadglass("lint", str(tmp_path), "--write-baseline", baseline, *who)
    added = leadglass("lint", str(tmp_path), "--baseline", baseline, "--write-baseline", baseline, *who)

    assert refused.returncode == 2
    assert added.returncode == 0
    assert Path(baseline).read_text().startswith(before.rstrip())
    assert leadglass("lint", str(tmp_path), "--baseline", baseline).returncode == 0


# ---- trees that are made to hurt


def nested(opening: str, closing: str, size: int = (10 << 20) - 16) -> bytes:
    """Ten megabytes of brackets."""
    return (opening * (size // 2) + closing * (size // 2)).encode()


HOSTILE: dict[str, Callable[[], bytes]] = {
    "orthanc.json": lambda: b'{"RemoteAccessAllowed": ' + nested("[", "]"),
    "compose.yml": lambda: b"services:\n  a:\n    image: redis\n    ports: " + nested("[", "]"),
    "braces.yml": lambda: b"services:\n  a:\n    image: redis\n    ports: " + nested("{a: ", "}"),
    "bomb.yml": lambda: (
        b"services:\n  a:\n    image: redis\nx0: &a0 [x]\n"
        + b"".join(f"x{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n".encode() for n in range(1, 30))
    ),
    "nginx.conf": lambda: (
        b"http { server { location / { proxy_pass http://a:8042; } } }\n" + nested("{", "}")
    ),
    "latin1.json": lambda: b'{"RemoteAccessAllowed": true, "Name": "R\xf6ntgen"}',
    "half.json": lambda: b"\xff\xfe{\x00\x00",
    "one-line.json": lambda: b'{"RemoteAccessAllowed": "' + b"a" * ((10 << 20) - 64),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_one_line_and_exit_2_in_bounded_memory(name: str, tmp_path: Path) -> None:
    path = put(tmp_path, name, HOSTILE[name]())

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))

    done = installed("lint", str(path), preexec_fn=limited)

    assert done.returncode == 2, done.stderr[-500:]
    assert len(one_line(done)) < 400


def test_links_out_of_the_folder_pipes_and_files_without_leave_are_told_and_left(tmp_path: Path) -> None:
    outside = put(tmp_path, "outside/compose.yml")
    inside = tmp_path / "inside"
    put(inside, "compose.yml", CLOSED)
    (inside / "link.yml").symlink_to(outside)
    os.mkfifo(inside / "pipe.yml")
    done = leadglass("lint", str(inside), "--format", "json")

    assert done.returncode == 0
    assert {Path(each["path"]).name for each in report_of(done)["skipped"]} == {"link.yml", "pipe.yml"}


def test_files_that_take_each_other_in_are_one_line_and_exit_2(tmp_path: Path) -> None:
    server = "server { listen 80; location / { proxy_pass http://127.0.0.1:8042; auth_basic x; auth_basic_user_file y; } }\n"
    put(tmp_path, "nginx.conf", "events {}\nhttp {\n" + server + "include a.conf;\n}\n")
    put(tmp_path, "a.conf", server + "include nginx.conf;\n")
    done = leadglass("lint", str(tmp_path), "--format", "json")

    assert done.returncode == 2
    assert "takes itself in (" in done.stderr
    assert done.stderr.count("\n") == 1


def test_an_interrupted_lint_is_130_and_says_nothing(tmp_path: Path) -> None:
    for number in range(1_500):
        put(tmp_path, f"{number}.yml")
    running = subprocess.Popen(
        command("lint", str(tmp_path)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    children = Path(f"/proc/{running.pid}/task/{running.pid}/children")
    while running.poll() is None and not children.read_text():
        time.sleep(0.01)
    os.killpg(running.pid, signal.SIGINT)
    out, err = running.communicate(timeout=30)

    assert (running.returncode, len(out), err[:500]) == (130, 0, "")


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    for number in range(200):
        put(tmp_path, f"{number}.yml")
    shell = " ".join([*command("lint", str(tmp_path)), "| head -1; exit ${PIPESTATUS[0]}"])
    done = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, check=False, timeout=60)

    assert done.stderr == ""


# ---- what the pages tell to type


def test_the_commands_of_the_page_work_one_after_the_other(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "howto" / "lint-a-configuration.md").read_text()
    typed = [
        words for words in shown_commands(page) if words[:2] == ["leadglass", "lint"] and "--fix" not in words
    ]
    put(tmp_path, "deploy/compose.yml")
    codes = [leadglass(*words[1:], cwd=tmp_path).returncode for words in typed]

    assert codes == [1, 0, 0, 1]
    assert (tmp_path / "lint.xml").exists()
