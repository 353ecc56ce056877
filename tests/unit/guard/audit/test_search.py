"""Looking something up in a spool, and checking it, as the command does."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from tests.unit.guard.audit.samples import AT, EVENTS, JANE, STUDY

from leadglass.cli.guard_audit import app
from leadglass.errors import ConfigError, UsageError
from leadglass.guard.audit.bodies import to_bodies
from leadglass.guard.audit.events import AuditEvent, Happening, Outcome
from leadglass.guard.audit.search import Wanted, check, search
from leadglass.ledger.verify import Broken, Verified
from leadglass.store.spool import open_spool
from leadglass.store.spooled import files_of


def written(folder: Path, events: Sequence[AuditEvent], writer: str = "worker-0", start: float = 0.0) -> None:
    """A spool with ``events``, two seconds apart."""
    times = iter(range(10_000))
    with open_spool(folder, writer, lambda: AT.timestamp() + start + 2 * next(times), reserve=0) as spool:
        for event in events:
            for body in to_bodies(event):
                spool.append(body)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    written(tmp_path / "audit", list(EVENTS.values()))
    return tmp_path / "audit"


def names(folder: Path, wanted: Wanted) -> list[str]:
    """What was found, as the samples are called."""
    return [
        name for found in search([folder], wanted) for name, event in EVENTS.items() if event == found.event
    ]


WANTED: Mapping[str, tuple[Wanted, list[str]]] = {
    "a person": (Wanted(who="WEBER@example.org", what="login"), ["login"]),
    "a device": (Wanted(who="ct-1"), ["association", "store"]),
    "an AE title": (Wanted(who="CT1"), ["association", "store"]),
    "an address": (Wanted(who="2001:db8::7"), ["stranger"]),
    "who was not believed": (Wanted(who="mallory"), ["login failed"]),
    "an action": (Wanted(what="get"), ["begun", "get", "refused"]),
    "a happening": (Wanted(what="emergency-started"), ["emergency"]),
    "an outcome": (Wanted(outcomes=frozenset({Outcome.SERIOUS})), ["stranger", "refused", "patient"]),
    "a study": (
        Wanted(study=STUDY.study_instance_uid),
        ["begun", "store", "get", "move", "accessed", "step", "refused"],
    ),
    "a study that is none": (Wanted(study="1.2.3"), []),
    "all at once": (Wanted(who="ws-7", what="refused", study="1.2.3.4"), ["refused"]),
}


@pytest.mark.parametrize("name", WANTED)
def test_what_is_looked_for_is_found_and_nothing_else(folder: Path, name: str) -> None:
    wanted, expected = WANTED[name]

    assert names(folder, wanted) == expected


def test_a_time_has_a_beginning_and_an_end(tmp_path: Path) -> None:
    events = [replace(EVENTS["login"], at=AT + dt.timedelta(hours=hour)) for hour in range(6)]
    written(tmp_path, events)

    found = list(search([tmp_path], Wanted(since=events[2].at, until=events[4].at)))

    assert [one.event for one in found] == events[2:4]


def test_several_writers_are_read_in_the_order_of_time(tmp_path: Path) -> None:
    written(tmp_path, [EVENTS["login"]] * 3, "worker-0")
    written(tmp_path, [EVENTS["query"]] * 3, "worker-1", start=1.0)

    found = [one.writer for one in search([tmp_path], Wanted())]

    assert found == ["worker-0", "worker-1"] * 3


def test_a_whole_spool_is_verified(folder: Path) -> None:
    (checked,) = check([folder])

    assert isinstance(checked.result, Verified)
    assert (checked.result.head.n, checked.files, checked.notes, checked.unfinished) == (
        len(EVENTS),
        1,
        (),
        0,
    )


def test_an_anchor_kept_elsewhere_tells_a_trail_that_was_written_anew_with_its_anchors(
    tmp_path: Path,
) -> None:
    here, elsewhere = tmp_path / "audit", tmp_path / "elsewhere"
    written(here, [EVENTS["refused"]] * 3)
    elsewhere.mkdir()
    (elsewhere / "anchors-worker-0.json").write_bytes((here / "anchors-worker-0.json").read_bytes())
    for path in here.iterdir():
        path.unlink()
    written(here, [EVENTS["login"]] * 3)

    assert [type(one.result) for one in check([here])] == [Verified]
    assert [type(one.result) for one in check([here], [elsewhere])] == [Broken]


def test_what_was_repaired_is_told(folder: Path) -> None:
    digest = sha256(b"torn").hexdigest()
    with files_of("worker-0", folder)[0].open("ab") as stream:
        stream.write(b"torn")
    written(folder, [EVENTS["login"]])

    (checked,) = check([folder])

    assert isinstance(checked.result, Verified)
    assert checked.notes == (
        f"entry {len(EVENTS) + 1}: 4 octets behind the last whole entry were cut off; SHA-256 {digest}",
    )


# ---- the command


def run(*words: str | Path) -> int:
    """Run ``leadglass guard audit`` with these words; its exit code."""
    try:
        app([str(word) for word in words])
    except SystemExit as ended:
        return int(ended.code or 0)
    raise AssertionError("a command ends")


def test_a_search_shows_who_did_what_to_whom(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("search", "--directory", folder, "--action", "refused", "--study", "1.2.3.4") == 0

    (line,) = capsys.readouterr().out.splitlines()
    assert line == (
        "2026-11-21T05:00:00Z serious refused get who=weber@example.org device=ws-7 from=WS7@192.0.2.70 "
        f"study=1.2.3.4 patient=P-1(Doe^Jane) (no rule permits it) worker-0:{list(EVENTS).index('refused') + 1}"
    )


def test_without_a_folder_it_is_the_guards_own_trail(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "guard.toml").write_text(
        'name = "G"\narchive = {title = "A", address = "127.0.0.1:104"}\n'
        'listen = {names = ["localhost"], dicom = "127.0.0.1:2762"}\naudit = {directory = "audit"}\n'
    )

    assert run("search", "--config", tmp_path, "--action", "refused") == 0
    assert "serious refused get who=weber@example.org" in capsys.readouterr().out
    assert run("verify", "--config", tmp_path / "guard.toml") == 0
    assert "worker-0: whole" in capsys.readouterr().out


def test_a_search_as_json_lines_gives_the_entries_as_they_are(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("search", "--directory", folder, "--outcome", "failure", "--format", "jsonl")

    lines = capsys.readouterr().out.splitlines(keepends=True)
    assert len(lines) == sum(event.outcome > 0 for event in EVENTS.values())
    kept = files_of("worker-0", folder)[0].read_text().splitlines(keepends=True)
    assert set(lines) < set(kept)
    assert all(json.loads(line)["body"]["outcome"] for line in lines)


def test_a_search_is_itself_written_down(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("search", "--directory", folder, "--study", "1.2.3.4")
    capsys.readouterr()

    (found,) = [one for one in search([folder], Wanted(what="audit-used")) if one.writer == "reader"]
    assert found.event.who is not None
    assert found.event.reason == "searched for study 1.2.3.4"
    assert found.event.resource == folder.as_uri()
    assert [type(one.result) for one in check([folder])] == [Verified, Verified]


def test_a_reader_who_cannot_write_is_told_that_it_is_not_written_down(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "spool-reader.lock").symlink_to("nowhere")  # as good as a folder on a read-only disk

    assert run("search", "--directory", folder, "--action", "login") == 0

    said = capsys.readouterr()
    assert "is not written down" in said.err
    assert len(said.out.splitlines()) == 2


def test_control_characters_in_the_trail_do_not_reach_a_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(tmp_path, [replace(EVENTS["login"], reason="\x1b[2J\n2026 success")])

    run("search", "--directory", tmp_path, "--action", "login")

    assert "(\\x1b[2J\\x0a2026 success)" in capsys.readouterr().out


def test_verify_says_that_it_is_whole(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("verify", "--directory", folder) == 0

    said = capsys.readouterr().out
    assert said.startswith(f"worker-0: whole, {len(EVENTS)} lines in 1 file, up to ")


def test_verify_says_where_it_is_broken_and_ends_with_1(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (path,) = files_of("worker-0", folder)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:4] + lines[5:]))

    assert run("verify", "--directory", folder) == 1
    assert capsys.readouterr().out == "worker-0: BROKEN at entry 5 (deleted): entry 5 is missing\n"
    assert run("verify", "--directory", folder, "--format", "jsonl") == 1
    said = json.loads(capsys.readouterr().out)
    assert said["broken"] == {"n": 5, "what": "deleted", "why": "entry 5 is missing"}
    assert said["whole"] is False


def test_verify_with_an_archive_takes_both(folder: Path, tmp_path: Path) -> None:
    written(folder, [EVENTS["login"]] * 3)
    archive = tmp_path / "archive"
    archive.mkdir()
    (path,) = files_of("worker-0", folder)
    path.rename(archive / path.name)
    written(folder, [EVENTS["login"]])

    assert run("verify", "--directory", folder) == 1
    assert run("verify", "--directory", folder, "--directory", archive) == 0


@pytest.mark.parametrize(
    "words", [["--action", "nonsense"], ["--since", "yesterday"], ["--until", "2026-13-01"]], ids=str
)
def test_what_cannot_be_meant_is_an_error_of_usage(folder: Path, words: list[str]) -> None:
    with pytest.raises(UsageError):
        run("search", "--directory", folder, *words)


@pytest.mark.parametrize("command", ["search", "verify"])
def test_a_folder_without_a_trail_is_an_error(tmp_path: Path, command: str) -> None:
    with pytest.raises(ConfigError, match="no audit trail"):
        run(command, "--directory", tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_a_study_has_its_patient_in_what_is_found(folder: Path) -> None:
    (found,) = list(search([folder], Wanted(what="store")))

    assert found.event.studies[0].patient == JANE
    assert found.event.happening is Happening.TRANSFERRED
