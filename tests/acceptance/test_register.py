"""``leadglass register``, as a practice keeps it: declared, filled from scans, reviewed, checked, verified."""

from __future__ import annotations

import csv
import io
import json
import re
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from tests.contract.reading import secured, store, told

from leadglass import cli
from leadglass.model.verdict import Access, Position, Severity
from leadglass.store.database import open_database

ARCHIVE = (
    *("register", "add", "archive", "--kind", "archive", "--owner", "Radiology"),
    *("--manager", "business-associate", "--manager-name", "Example Service", "--agreement", "BA-7"),
    *("--agreement-until", "2099-01-31", "--address", "192.0.2.10", "--port", "104", "--port", "11112"),
    *("--location", "cellar", "--zone", "imaging", "--data", "CT studies", "--by", "ada"),
)
SIGHTS = (
    told("192.0.2.10", Access.ANSWERS_QUERY, Severity.CRITICAL),
    told("192.0.2.10", Access.WANTS_TITLE, Severity.LOW, port=4242),
    told("192.0.2.20", Access.CLOSED),
    secured("192.0.2.99", "a"),
)

Leadglass: TypeAlias = Callable[..., str]
"""Calls the command, expects the exit code ``code``, and gives what it printed."""


@pytest.fixture
def leadglass(capsys: pytest.CaptureFixture[str]) -> Leadglass:
    def call(*words: str, code: int = 0) -> str:
        capsys.readouterr()
        done = cli.main(words)
        printed = capsys.readouterr()
        assert done == code, printed.err
        return printed.out if code < 2 else printed.err

    return call


@pytest.fixture
def scanned(own_database: Path) -> Path:
    with open_database(str(own_database), time.time) as database:
        store(database, SIGHTS, position=Position.INSIDE)
    return own_database


def findings(leadglass: Leadglass, *profiles: str) -> dict[str, set[str]]:
    words = [word for name in profiles for word in ("--profile", name)]
    said = json.loads(leadglass("register", "check", "--format", "json", *words, code=1))
    found: dict[str, set[str]] = {}
    for one in said["findings"]:
        found.setdefault(one["rule"], set()).add(one["about"])
    return found


def test_a_practice_keeps_its_register(scanned: Path, leadglass: Leadglass) -> None:
    assert leadglass(*ARCHIVE) == "archive: new, written down.\n"
    leadglass("register", "add", "ct", "--kind", "modality", "--address", "192.0.2.20", "--port", "104")
    assert "addresses new or changed" in leadglass("register", "fill", "--by", "nightly")

    first = findings(leadglass)
    assert first["unknown-server"] == {"192.0.2.99"}
    assert first["port-not-allowed"] == {"archive"}
    assert first["gone"] == {"ct"}
    assert first["no-owner"] == first["no-manager"] == {"ct"}
    assert first["never-reviewed"] == {"archive", "ct"}

    leadglass("register", "add", "archive", "--port", "104", "--port", "4242")
    leadglass("register", "add", "ct", "--retired", "2020-01-01")
    leadglass("register", "review", "archive", "--outcome", "passed", "--next", "2099-01-01", "--by", "bob")
    assert leadglass("register", "fill", "--declare").endswith(", 1 system declared as seen.\n")
    leadglass(
        *("register", "add", "192.0.2.99", "--owner", "Radiology", "--manager", "in-house"),
        *("--address", "192.0.2.99", "--port", "2762"),
    )
    leadglass("register", "review", "192.0.2.99", "--outcome", "passed")

    assert (
        leadglass("register", "check")
        == "What is declared and what was seen agree, and nothing is overdue.\n"
    )
    assert "whole, " in leadglass("register", "verify")


def test_each_finding_is_told_since_when_it_stands(scanned: Path, leadglass: Leadglass) -> None:
    leadglass(*ARCHIVE)
    leadglass(
        "register", "add", "ct", "--owner", "Radiology", "--manager", "in-house", "--address", "192.0.2.20"
    )
    (line,) = [line for line in leadglass("register", "check", code=1).splitlines() if "reviewed ct" in line]
    day = re.search(r", since (\d{4}-\d\d-\d\d) \(entry 2\)$", line)
    assert day is not None
    leadglass("register", "add", "ct", "--retired", "2020-01-01")

    (one, *_) = json.loads(leadglass("register", "check", "--format", "json", code=1))["findings"]
    (row, *_) = csv.DictReader(io.StringIO(leadglass("register", "check", "--format", "csv", code=1)))

    assert (one["about"], one["since"], one["since_entry"]) == ("archive", day[1], 1)
    assert (row["about"], row["since"], row["since_entry"]) == ("archive", day[1], "1")


def test_what_no_entry_tells_of_is_told_without_a_day(scanned: Path, leadglass: Leadglass) -> None:
    leadglass(*ARCHIVE)
    alter(scanned, "DELETE FROM register_entries")

    (one, *_) = json.loads(leadglass("register", "check", "--format", "json", code=1))["findings"]

    assert (one["since"], one["since_entry"]) == (None, None)
    assert "since" not in leadglass("register", "check", code=1)


def test_declared_and_observed_stand_side_by_side(scanned: Path, leadglass: Leadglass) -> None:
    leadglass(*ARCHIVE)
    leadglass("register", "fill")

    said = json.loads(leadglass("register", "show", "archive", "--format", "json"))
    (seen,) = said["observed"]
    text = leadglass("register", "show", "archive")

    assert said["ports"] == [104, 11112]
    assert [(port["port"], port["access"]) for port in seen["ports"]] == [
        (104, "answers-query"),
        (4242, "wants-title"),
    ]
    assert said["manager"]["agreement"] == "BA-7"
    assert [entry["what"] for entry in said["history"]] == ["system", "seen"]
    assert said["history"][0]["by"] == "ada"
    assert "192.0.2.10 from inside: 104 answers-query, 4242 wants-title" in text


def test_a_scan_that_saw_the_same_adds_no_entry_but_its_own(scanned: Path, leadglass: Leadglass) -> None:
    leadglass("register", "fill")
    before = json.loads(leadglass("register", "verify", "--format", "json"))["n"]

    assert leadglass("register", "fill") == "0 addresses new or changed.\n"
    assert json.loads(leadglass("register", "verify", "--format", "json"))["n"] == before


def test_what_is_listed_as_csv_is_imported_as_it_was(
    scanned: Path, leadglass: Leadglass, tmp_path: Path
) -> None:
    leadglass(*ARCHIVE)
    table = leadglass("register", "list", "--format", "csv")
    (tmp_path / "systems.csv").write_text(table)
    (row,) = csv.DictReader(io.StringIO(table))

    assert row["ports"] == "104; 11112"
    assert (
        leadglass("register", "import", str(tmp_path / "systems.csv")) == "1 system read, 0 new or changed.\n"
    )


def test_a_risk_is_drafted_decided_and_expires(scanned: Path, leadglass: Leadglass) -> None:
    leadglass(*ARCHIVE)
    leadglass("register", "fill")
    assert leadglass("register", "risk", "--draft").startswith("1 risk drafted")
    name = "archive 104 answers-query"
    assert findings(leadglass)["risk-untreated"] == {"archive"}

    assert "by somebody, until a day" in leadglass("register", "risk", name, "--treatment", "accept", code=2)
    leadglass("register", "risk", name, "--treatment", "accept", "--owner", "Ada", "--until", "2020-01-31")
    assert findings(leadglass)["acceptance-expired"] == {"archive"}

    leadglass(
        *("register", "risk", name, "--treatment", "mitigate", "--measure", "guard", "--until", "2099-01-31"),
        *("--residual-likelihood", "very-low"),
    )
    (risk,) = json.loads(leadglass("register", "risk", "--format", "json"))
    assert (risk["level"], risk["residual"], risk["treatment"]) == ("high", "low", "mitigate")
    assert not {"risk-untreated", "acceptance-expired"} & findings(leadglass).keys()
    assert name in leadglass("register", "risk")


def test_requirements_are_asked_only_by_name(scanned: Path, leadglass: Leadglass) -> None:
    leadglass(*ARCHIVE)
    leadglass("register", "fill")

    assert "control-missing" not in findings(leadglass)
    assert "control-missing" in findings(leadglass, "hipaa", "nis2")
    text = leadglass("register", "check", "--profile", "hipaa-2025", code=1)
    assert "164.312(f) proposed  Multi-factor authentication: not-met, 1 finding against it" in text
    assert "does not prove" in text
    rows = csv.DictReader(
        io.StringIO(leadglass("register", "check", "--profile", "hipaa", "--format", "csv", code=1))
    )
    assert "hipaa 164.312(d)" in {row["requirements"] for row in rows}


def alter(database: Path, statement: str) -> None:
    with sqlite3.connect(database) as connection:
        connection.execute(statement)
    connection.close()


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("UPDATE register_entries SET line = replace(line, 'Radiology', 'Cardiology')", "edited"),
        ("DELETE FROM register_entries WHERE n = 1", "deleted"),
        ("DELETE FROM register_entries WHERE n = 2", "cut"),
    ],
)
def test_what_was_done_to_entries_is_found(
    scanned: Path, leadglass: Leadglass, statement: str, what: str
) -> None:
    leadglass(*ARCHIVE)
    leadglass("register", "review", "archive", "--outcome", "gaps")
    alter(scanned, statement)

    assert f"({what})" in leadglass("register", "verify", code=1)


@pytest.mark.parametrize(
    "altering",
    [
        "UPDATE register_state SET body = replace(body, 'cellar', 'attic')",
        "UPDATE register_state SET body = '{'",
        "UPDATE register_state SET body = '[]'",
        "DELETE FROM register_state",
    ],
)
def test_what_is_shown_is_held_against_the_entries_and_made_anew(
    scanned: Path, leadglass: Leadglass, altering: str
) -> None:
    leadglass(*ARCHIVE)
    alter(scanned, altering)

    assert "NOT what the entries come to" in leadglass("register", "verify", code=1)
    leadglass("register", "verify", "--rebuild")
    assert "cellar" in leadglass("register", "show", "archive")


@pytest.mark.parametrize("body", ["{", "[]", '{"name": 1}'])
def test_a_state_that_was_altered_is_one_line(scanned: Path, leadglass: Leadglass, body: str) -> None:
    leadglass(*ARCHIVE)
    alter(scanned, f"UPDATE register_state SET body = '{body}'")

    assert "leadglass register verify" in leadglass("register", "list", code=2)


def test_a_chain_written_anew_is_found_by_a_head_that_was_noted(scanned: Path, leadglass: Leadglass) -> None:
    leadglass(*ARCHIVE)
    noted = leadglass("register", "verify").split()[-1]
    for table in ("entries", "head", "state"):
        alter(scanned, f"DELETE FROM register_{table}")
    leadglass(*ARCHIVE[:-1], "eve")

    assert "whole" in leadglass("register", "verify")
    assert "is not what was anchored" in leadglass("register", "verify", "--head", noted, code=1)


HOSTILE: list[tuple[tuple[str, ...], str]] = [
    (("show", "nobody"), "no system is called 'nobody'"),
    (("review", "nobody", "--outcome", "passed"), "no system is called 'nobody'"),
    (("review", "a", "--outcome", "passed", "--on", "2999-01-01"), "the day of the review has not come"),
    (("review", "a", "--outcome", "passed", "--next", "2020-01-01"), "the next review is due before the day"),
    (("add", "a\nb"), "is no name"),
    (("add", "a", "--port", "0"), "--port: 0 is no port"),
    (("add", "a", "--address", "1.2.3"), "--address: '1.2.3' is neither"),
    (("add", "a", "--agreement-until", "soon"), "--agreement-until: 'soon' is no day"),
    (("add", "a", "--by", "\x1b"), "--by: this is no line"),
    (("risk", "r", "--system", "x"), "a new risk needs --threat"),
    (("risk", "--threat", "x"), "which risk is meant"),
    (("check", "--profile", "iso"), "is none of: hipaa"),
    (("verify", "--head", "17"), "is no head"),
    (("import", "nothing.csv"), "cannot be read"),
    (("fill", "--scan", "ABCDEFG"), "ABCDEFG"),
]


@pytest.mark.parametrize(("words", "says"), HOSTILE)
def test_what_cannot_be_is_refused_in_one_line(
    scanned: Path, leadglass: Leadglass, words: tuple[str, ...], says: str
) -> None:
    said = leadglass("register", *words, code=2)

    assert says in said
    assert said.count("\n") == 1


def test_without_a_database_only_a_declaration_makes_one(own_database: Path, leadglass: Leadglass) -> None:
    assert "there is no database here" in leadglass("register", "list", code=2)
    leadglass("register", "add", "a")
    listed: Any = json.loads(leadglass("register", "list", "--format", "json"))
    assert [system["name"] for system in listed] == ["a"]
