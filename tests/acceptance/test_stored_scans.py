"""``scan list``, ``show``, ``diff``, ``status`` and ``db prune``, as a user calls them."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from tests.acceptance.test_command import command
from tests.contract.reading import Sight, secured, store, stored_records, told

from leadglass import cli
from leadglass.cli import stored_text
from leadglass.errors import ConfigError
from leadglass.model.record import Tlp
from leadglass.model.verdict import Access, Severity
from leadglass.store.database import open_database
from leadglass.store.scans import StoredScan
from leadglass.store.schema import scans
from leadglass.store.work import Progress, progress
from leadglass.wiring.storage import default_database

YESTERDAY = (
    told("192.0.2.9"),
    told("192.0.2.10", Access.ANSWERS_QUERY, Severity.CRITICAL, port=11112),
    told("192.0.2.11", Access.CLOSED),
    secured("192.0.2.12", "a"),
)
TODAY = (
    told("192.0.2.9"),
    told("192.0.2.10", Access.CLOSED, port=11112),
    told("192.0.2.11", Access.OFFERS_QUERY),
    secured("192.0.2.13", "a"),
)
HOSTILE = "ber\x1b[31mlin\u202e\n"


@dataclasses.dataclass(frozen=True)
class Kept:
    """A database with two scans, made one after the other."""

    path: Path
    before: StoredScan
    after: StoredScan


@pytest.fixture
def kept(own_database: Path) -> Iterator[Kept]:
    with open_database(str(own_database), time.time) as database:
        yield Kept(own_database, store(database, YESTERDAY), store(database, TODAY, at=86_400))


@dataclasses.dataclass(frozen=True)
class Done:
    """What a command did."""

    returncode: int
    stdout: str
    stderr: str


class Leadglass:
    """The command, called in this process: a new one for each word would take minutes."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *words: str) -> Done:
        self._capsys.readouterr()
        code = cli.main(words)
        return Done(code, *self._capsys.readouterr())


@pytest.fixture
def leadglass(capsys: pytest.CaptureFixture[str]) -> Leadglass:
    return Leadglass(capsys)


def refused(done: Done, *, exit_code: int = 2) -> str:
    """The one line that a user reads."""
    assert done.returncode == exit_code, done.stderr
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("leadglass: ")
    return line


# ---- list


def test_scans_are_listed_latest_first_with_what_was_seen(kept: Kept, leadglass: Leadglass) -> None:
    done = leadglass("scan", "list")

    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines[::2]] == [kept.after.plan.ulid, kept.before.plan.ulid]
    assert lines[1] == "    4 endpoints: 1 offers-query, 2 associates, 1 closed"
    assert lines[3] == "    4 endpoints: 1 answers-query, 2 associates, 1 closed"
    assert all(len(line) <= 80 for line in lines)


def test_the_installed_command_lists_them_too(kept: Kept) -> None:
    done = subprocess.run(command("scan", "list"), capture_output=True, text=True, timeout=60, check=True)

    assert kept.after.plan.ulid in done.stdout


def test_programs_get_the_list_as_lines(kept: Kept, leadglass: Leadglass) -> None:
    lines = [json.loads(line) for line in leadglass("scan", "list", "--format", "jsonl").stdout.splitlines()]

    assert [line["scan"] for line in lines] == [kept.after.plan.ulid, kept.before.plan.ulid]
    assert lines[0]["access"] == {"offers-query": 1, "associates": 2, "closed": 1}
    assert lines[0]["began"] == "2026-11-22T05:00:00Z"


def test_an_empty_database_says_so(own_database: Path, leadglass: Leadglass) -> None:
    open_database(str(own_database), time.time).close()
    done = leadglass("scan", "list")

    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == f"leadglass: {own_database}: no scan is kept here yet\n"


# ---- show


@pytest.mark.parametrize("name", ["last", "whole", "beginning", "end"])
def test_a_scan_is_found_by_any_of_its_names(kept: Kept, name: str, leadglass: Leadglass) -> None:
    ulid = kept.after.plan.ulid
    words = {"last": "last", "whole": ulid, "beginning": ulid[:-1] + ulid[-1], "end": ulid[-6:].lower()}
    done = leadglass("scan", "show", words[name], "--format", "jsonl")

    assert {json.loads(line)["scan"] for line in done.stdout.splitlines()} == {ulid}


def test_lines_are_those_of_the_records_marked_amber(kept: Kept, leadglass: Leadglass) -> None:
    done = leadglass("scan", "show", "last", "--format", "jsonl")
    made = stored_records(
        kept.after, [dataclasses.replace(s, observed_at=s.observed_at + 86_400) for s in TODAY]
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [r.model_copy(update={"tlp": Tlp.AMBER}).line() for r in made]


@pytest.mark.parametrize("form", ["text", "csv", "html", "sarif", "jsonl"])
def test_every_format_tells_scope_and_label(kept: Kept, form: str, leadglass: Leadglass) -> None:
    done = leadglass("scan", "show", "last", "--format", form, "--tlp", "amber+strict")

    assert done.returncode == 0, done.stderr
    label = "TLP:AMBER+STRICT" if form in {"text", "html"} else "amber+strict"
    assert label in done.stdout
    assert "Praxis M" in done.stdout


def test_csv_has_a_line_an_endpoint(kept: Kept, leadglass: Leadglass) -> None:
    done = leadglass("scan", "show", "last", "--format", "csv")

    rows = list(csv.DictReader(io.StringIO(done.stdout, newline="")))
    assert [row["address"] for row in rows] == [sight.address for sight in TODAY]
    assert {row["place"] for row in rows} == {"berlin"}


def test_parquet_goes_to_a_file_of_its_owner_alone(kept: Kept, tmp_path: Path, leadglass: Leadglass) -> None:
    file = tmp_path / "scan.parquet"
    done = leadglass("scan", "show", "last", "--format", "parquet", "--output", str(file))

    assert done.returncode == 0, done.stderr
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    read = pq.read_table(file)
    assert read.column("address").to_pylist() == [sight.address for sight in TODAY]
    assert read.schema.metadata[b"leadglass.tlp"] == b"TLP:AMBER"
    assert json.loads(read.schema.metadata[b"leadglass.scope"])["name"] == "Praxis Müller"


def test_parquet_goes_through_a_pipe(kept: Kept) -> None:
    words = command("scan", "show", "last", "--format", "parquet")
    done = subprocess.run(words, capture_output=True, timeout=60, check=True)

    assert pq.read_table(io.BytesIO(done.stdout)).num_rows == len(TODAY)


def test_a_missing_package_is_named_with_its_extra() -> None:
    with pytest.raises(
        ConfigError, match=r"not installed \(pyarrow_of_nowhere\); pip install 'leadglass\[parquet\]'"
    ):
        cli.load("pyarrow_of_nowhere", extra="parquet")


def test_parquet_without_its_package_is_one_line(kept: Kept) -> None:
    hidden = "import sys; sys.modules['pyarrow'] = None; from leadglass import cli; sys.exit(cli.main(sys.argv[1:]))"
    words = ["scan", "show", "last", "--format", "parquet", "--output", "/dev/null"]
    done = subprocess.run(
        [sys.executable, "-c", hidden, *words], capture_output=True, text=True, timeout=60, check=False
    )

    assert "pip install 'leadglass[parquet]'" in refused(Done(done.returncode, done.stdout, done.stderr))


def test_a_reader_that_leaves_early_is_no_error(kept: Kept) -> None:
    words = " ".join(command("scan", "show", "last", "--format", "jsonl"))
    done = subprocess.run(
        ["/bin/sh", "-c", f"{words} | head -n 1 | wc -l"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.stdout.strip(), done.stderr) == ("1", "")


# ---- diff


def test_what_changed_since_the_last_look(kept: Kept, leadglass: Leadglass) -> None:
    done = leadglass("scan", "diff", "last")

    assert done.returncode == 1, done.stderr
    assert done.stdout.splitlines()[4:] == [
        "gone      192.0.2.10:11112 pacs.example.org",
        "          answers-query, critical, Orthanc 1.10.1 -> closed",
        "appeared  192.0.2.11:104",
        "          closed -> offers-query, high, Orthanc 1.10.1",
        "",
        "1 appeared, 1 gone. 1 became medium or worse.",
        "TLP:AMBER".rjust(80),
    ]


def test_the_difference_of_two_scans_tells_who_moved(kept: Kept, leadglass: Leadglass) -> None:
    done = leadglass("scan", "diff", kept.before.plan.ulid, kept.after.plan.ulid)

    assert done.returncode == 1, done.stderr
    assert "moved     192.0.2.13:2762\n          was at 192.0.2.12:2762: still associates" in done.stdout
    assert "1 appeared, 1 gone, 1 moved. 1 became medium or worse." in done.stdout


def test_backwards_nothing_but_the_closed_archive_becomes_exposed(kept: Kept, leadglass: Leadglass) -> None:
    words = ("scan", "diff", kept.after.plan.ulid, kept.before.plan.ulid, "--format", "jsonl")
    lines = [json.loads(line) for line in leadglass(*words).stdout.splitlines()]

    assert [(line["change"], line["endpoint"]["address"]) for line in lines] == [
        ("appeared", "192.0.2.10"),
        ("gone", "192.0.2.11"),
        ("moved", "192.0.2.12"),
    ]
    assert lines[2]["came_from"] == {"address": "192.0.2.13", "port": 2762, "name": None}
    assert lines[0]["before"]["access"] == "closed"
    assert {(line["schema"], line["tlp"], line["place"]) for line in lines} == {
        ("leadglass.change/1", "amber", "berlin")
    }


@pytest.mark.parametrize(("least", "code"), [("critical", 0), ("high", 1)])
def test_the_exit_code_says_whether_something_became_that_bad(
    kept: Kept, least: str, code: int, leadglass: Leadglass
) -> None:
    assert leadglass("scan", "diff", "last", "--fail-on", least).returncode == code


def test_a_scan_compared_with_itself_has_not_changed(kept: Kept, leadglass: Leadglass) -> None:
    done = leadglass("scan", "diff", "last", "last")

    assert done.returncode == 0, done.stderr
    assert "Nothing changed." in done.stdout


# ---- status


def test_the_status_of_a_finished_scan(kept: Kept, leadglass: Leadglass) -> None:
    done = leadglass("scan", "status")

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{kept.after.plan.ulid}, Example Radiology: complete\n")
    assert "  shards     1 of 1 done, 0 at work, 0 waiting\n" in done.stdout
    assert "  seen from  berlin: 4 endpoints, 1 shard, last " in done.stdout


def test_programs_get_the_status_as_one_line(kept: Kept, leadglass: Leadglass) -> None:
    done = leadglass("scan", "status", kept.before.plan.ulid, "--format", "jsonl")
    told_there = json.loads(done.stdout)

    assert (told_there["scan"], told_there["done"], told_there["seen"]) == (kept.before.plan.ulid, 1, 4)
    assert told_there["estimated_end"] is None
    assert told_there["places"][0]["name"] == "berlin"


@pytest.mark.parametrize(
    ("left", "rate", "end", "said"),
    [
        (600, 10.0, 1060.0, "in about 60 seconds, 1970-01-01 00:17 UTC"),
        (6_000, 10.0, 1600.0, "in about 10 minutes, 1970-01-01 00:26 UTC"),
        (600, 0.0, None, "not known: nothing was finished in the last minute"),
    ],
)
def test_the_end_is_estimated_from_the_last_minute(
    kept: Kept, left: int, rate: float, end: float | None, said: str
) -> None:
    scan = dataclasses.replace(kept.after, state="open", ended=None)
    far = Progress(9, 5, 1, 3, 10_000, 10_000 - left, 1, 2, 10_000, rate, rate, (), ())
    estimated = stored_text.estimated_end(scan, far, 1000.0)

    assert estimated == end
    assert said in "\n".join(line.plain for line in stored_text.status(scan, far, estimated, 1000.0))


# ---- what others wrote


def test_names_that_mean_harm_are_shown_and_not_obeyed(own_database: Path, leadglass: Leadglass) -> None:
    evil = [Sight("192.0.2.10", 104, told("192.0.2.10").evidence, told("192.0.2.10").verdict)]
    with open_database(str(own_database), time.time) as database:
        first = store(database, evil, place=HOSTILE)
        second = store(database, [told("192.0.2.10", Access.CLOSED)], place=HOSTILE, at=60)
        assert progress(database, first).places[0].name == HOSTILE
    shown = [leadglass("scan", "diff", first.plan.ulid, second.plan.ulid).stdout]
    shown += [leadglass("scan", *words).stdout for words in (["status"], ["show", first.plan.ulid], ["list"])]

    for text in shown:
        assert text
        assert not {"\x1b", "\u202e", "\x07"} & set(text)


# ---- what a user gets wrong


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["show", "ZZZZZ"], "there is no scan 'ZZZZZ'; see `leadglass scan list`"),
        (["show", "nope!"], "'nope!' names no scan"),
        (["diff", "last", "ZZZZZ"], "there is no scan 'ZZZZZ'"),
        (["status", "ZZZZZ"], "there is no scan 'ZZZZZ'"),
        (["show", "01JD"], "more than one scan is called '01JD'"),
        (["list", "--database", "mysql://x/y"], "there is no way to store in 'mysql'"),
        (["list", "--database", "/dev/null"], "/dev/null: "),
        (["list", "--database", "/nowhere/at.all"], "there is no database here; leadglass scan makes one"),
    ],
)
def test_a_mistake_is_one_line(kept: Kept, words: list[str], said: str, leadglass: Leadglass) -> None:
    assert said in refused(leadglass("scan", *words))


def test_a_server_that_is_not_there_is_one_line_without_the_password(leadglass: Leadglass) -> None:
    done = leadglass("scan", "list", "--database", "postgresql://u:geheim@127.0.0.1:9/x")

    assert "geheim" not in refused(done, exit_code=3)


def test_the_database_is_in_the_data_directory_unless_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert default_database() == str(tmp_path / "leadglass" / "leadglass.sqlite")
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_database() == str(tmp_path / ".local" / "share" / "leadglass" / "leadglass.sqlite")


def test_the_option_wins_over_the_environment(
    kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, leadglass: Leadglass
) -> None:
    monkeypatch.setenv("LEADGLASS_DATABASE", str(tmp_path / "elsewhere"))
    done = leadglass("scan", "list", "--database", str(kept.path))

    assert kept.after.plan.ulid in done.stdout
    assert "elsewhere" in refused(leadglass("scan", "list"))


# ---- prune


def test_pruning_says_aloud_what_goes_and_what_would(kept: Kept, leadglass: Leadglass) -> None:
    both = "2 scans, 8 observations and "
    with open_database(str(kept.path), time.time) as database, database.write() as connection:
        connection.execute(scans.update().values(ended=1))

    would = leadglass("db", "prune", "--keep", "90", "--dry-run")
    assert would.returncode == 0, would.stderr
    assert would.stdout.startswith(both)
    assert would.stdout.endswith(" would be forgotten.\n")
    assert leadglass("scan", "list").stdout

    done = leadglass("db", "prune", "--keep", "90")
    assert done.stdout.startswith(both)
    assert done.stdout.endswith(" forgotten.\n")
    assert leadglass("scan", "list").stdout == ""


def test_what_is_young_enough_stays(kept: Kept, leadglass: Leadglass) -> None:
    done = leadglass("db", "prune", "--keep", "36500")

    assert done.stdout == "0 scans, 0 observations and 0 endpoints forgotten.\n"
    assert kept.after.plan.ulid in leadglass("scan", "list").stdout


@pytest.mark.parametrize("keep", ["-1", "many"])
def test_a_retention_is_a_number_of_days(kept: Kept, keep: str, leadglass: Leadglass) -> None:
    done = leadglass("db", "prune", "--keep", keep)

    assert done.returncode == 2
    assert "--keep" in done.stderr
