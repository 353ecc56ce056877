"""``leadglass notify`` as a user calls it."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.contract.reading import store, told

from leadglass import cli
from leadglass.model.verdict import Access, Severity
from leadglass.store.database import Database, open_database

SCOPE = """
name = "Example sweep"
[authorisation]
basis = "mandate"
granted_by = "Example CERT"
contact = "abuse@example.org"
valid_until = 2020-01-01
[[targets]]
range = "192.0.2.0/24"
ports = [104, 11112]
"""
SEEN = (
    told("192.0.2.9"),
    told("192.0.2.10", Access.ANSWERS_QUERY, Severity.CRITICAL, port=11112),
    told("192.0.2.11", Access.CLOSED),
    told("198.51.100.1", Access.ANSWERS_QUERY, Severity.CRITICAL),
)


@pytest.fixture
def database(own_database: Path) -> Iterator[Database]:
    with open_database(str(own_database), time.time) as opened:
        yield opened


@pytest.fixture
def scope(tmp_path: Path, database: Database) -> Path:
    """A scope that has run out: who looked may still say so."""
    store(database, SEEN)
    path = tmp_path / "scope.toml"
    path.write_text(SCOPE)
    return path


def draft(scope: Path, *words: str) -> int:
    return cli.main(["notify", "draft", "Example Radiology", "--scope", str(scope), "--scan", "last", *words])


def test_a_notice_tells_one_owner_of_their_endpoints_only(
    scope: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert draft(scope, "--address", "192.0.2.0/28", "--language", "fr", "--frame", "gdpr") == 0
    text = capsys.readouterr().out

    assert "192.0.2.9:104" in text
    assert "192.0.2.10:11112" in text
    assert "192.0.2.11" not in text
    assert "198.51.100.1" not in text
    assert "Example CERT" in text


def test_letter_and_mail_are_written_for_their_owner_alone(scope: Path, tmp_path: Path) -> None:
    letter, mail = tmp_path / "letter.pdf", tmp_path / "mail.txt"

    assert draft(scope, "--output", str(letter), "--output", str(mail)) == 0
    assert letter.read_bytes().startswith(b"%PDF-")
    assert mail.read_text().startswith("Subject: [TLP:AMBER] ")
    assert {path.stat().st_mode & 0o777 for path in (letter, mail)} == {0o600}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--address", "203.0.113.0/24"), "nothing exposed was seen there"),
        (("--address", "192.0.2.1/24"), "host bits"),
        (("--output", "letter.doc"), "a notice is .pdf or .txt"),
        (("--vendor", "\x1b"), "nobody is named"),
        (("--records", "nowhere.jsonl"), "say where it was seen"),
        (("--fonts", "nowhere"), "this is no folder"),
        (("--language", "ja", "--output", "letter.pdf"), "no font has"),
    ],
)
def test_what_cannot_be_said_is_told_in_one_line(
    scope: Path,
    words: tuple[str, ...],
    says: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)

    assert draft(scope, *words) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1
    assert list(tmp_path.glob("letter*")) == []


def test_what_csirts_take_is_written(scope: Path, tmp_path: Path) -> None:
    assert scope.exists()
    table, events = tmp_path / "a.csv", tmp_path / "a.jsonl"
    for form, path in (("shadowserver", table), ("intelmq", events)):
        words = ["notify", "export", "--format", form, "--scan", "last", "--output", str(path)]
        assert cli.main([*words, "--tlp", "green"]) == 0

    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["ip"] for row in rows} == {"192.0.2.9", "192.0.2.10", "198.51.100.1"}
    assert {row["tlp"] for row in rows} == {"TLP:GREEN"}
    assert {json.loads(line)["source.ip"] for line in events.read_text().splitlines()} == {
        row["ip"] for row in rows
    }


def log(*words: str) -> int:
    return cli.main(["notify", "log", "LG-20261121-0A1B2C3D", *words])


SENT = ("--channel", "letter", "--owner", "Example Radiology", "--wording", "de-gdpr-owner")
THEIRS = ("--scan", "last", "--address", "192.0.2.0/28")


def test_what_became_of_a_notice_is_told_by_a_later_scan(
    scope: Path, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    assert scope.exists()
    assert log(*SENT, *THEIRS, "--on", "2026-11-21") == 0
    assert log("--answer", "received", "--note", "by telephone") == 0
    later = [told("192.0.2.9", Access.DEMANDS_CERTIFICATE, Severity.NONE), told("192.0.2.10", port=11112)]
    store(database, later, at=90 * 86_400)
    capsys.readouterr()

    assert cli.main(["notify", "status", "--format", "json"]) == 0
    answer = json.loads(capsys.readouterr().out)

    assert [one["outcome"] for one in answer["notices"]] == ["open"]
    assert answer["notices"][0]["answers"] == ["received"]
    assert [row["group"] for row in answer["rates"]["wording"]] == ["de-gdpr-owner"]
    assert answer["says"].startswith("Observational")
    assert cli.main(["notify", "status"]) == 0
    assert "fixed 0 of 1" in " ".join(capsys.readouterr().out.split())

    assert log("--answer", "fixed") == 0
    capsys.readouterr()
    assert cli.main(["notify", "status"]) == 0
    words = " ".join(capsys.readouterr().out.split())
    assert (
        "Example Radiology: says that it is fixed (LG-20261121-0A1B2C3D), and by the latest look it is open"
        in words
    )


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "nothing to write down"),
        (("--answer", "fixed"), "no notice LG-20261121-0A1B2C3D was sent"),
        ((*SENT[:4], *THEIRS), "this is no wording"),
        (("--channel", "email", *SENT[4:], *THEIRS), "a name is missing"),
        ((*SENT, *THEIRS, "--on", "2099-01-01"), "this day has not come"),
        ((*SENT, *THEIRS, "--on", "yesterday"), "this is no day"),
        (SENT, "say where it was seen"),
    ],
)
def test_what_cannot_be_logged_is_told_in_one_line(
    scope: Path, words: tuple[str, ...], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert scope.exists()
    assert log(*words) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1


# ---- opt-outs

OPTED_OUT = """
[[opt_out]]
range = "127.0.0.1"
asked_by = "Example Clinic"
asked_on = 2026-11-01
verified = "call-back"
"""
LOOPBACK = """
name = "loopback"
opt_outs = "opt-outs.toml"
[authorisation]
basis = "owner"
granted_by = "Example CERT"
contact = "abuse@example.org"
[[targets]]
range = "127.0.0.0/31"
ports = [{port}]
"""


def test_who_opted_out_is_not_asked_and_the_command_says_so(
    tmp_path: Path, closed_port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "scope.toml"
    path.write_text(LOOPBACK.format(port=closed_port))
    (tmp_path / "opt-outs.toml").write_text(OPTED_OUT)

    assert cli.main(["scan", "--scope", str(path), "--format", "jsonl"]) == 0
    done = capsys.readouterr()

    assert {json.loads(line)["endpoint"]["address"] for line in done.out.splitlines()} == {"127.0.0.0"}
    assert "left alone, by" in done.err
    assert "1 who opted out" in done.err
    assert cli.main(["scope", "show", str(path)]) == 0
    assert "opted out: Example Clinic" in capsys.readouterr().out


def test_a_missing_list_of_opt_outs_permits_nothing(
    tmp_path: Path, closed_port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "scope.toml"
    path.write_text(LOOPBACK.format(port=closed_port))

    assert cli.main(["scan", "--scope", str(path)]) == 2
    assert "opt-outs.toml: the file cannot be read" in capsys.readouterr().err
    assert cli.main(["check", "127.0.0.1:1", "--scope", str(path)]) == 2


# ---- by lot


def test_a_study_is_drawn_once_and_its_rates_are_called_drawn(
    scope: Path, database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert scope.exists()
    owners = tmp_path / "owners.txt"
    owners.write_text(
        "\ufeff# who was seen in spring\nExample Radiology\nExample Clinic\n\n", encoding="utf-8"
    )
    words = ["notify", "assign", "spring", "--owners", str(owners), "--arm", "letter", "--arm", "phone"]

    assert cli.main(words) == 0
    *lines, last = capsys.readouterr().out.splitlines()
    assert sorted(line.partition("\t")[2] for line in lines) == ["Example Clinic", "Example Radiology"]
    assert "with the seed" in last
    assert cli.main(words) == 2
    assert "only once" in capsys.readouterr().err

    assert log(*SENT, *THEIRS, "--on", "2026-11-21") == 0
    guarded = Access.DEMANDS_LOGIN
    store(database, [told("192.0.2.9", guarded), told("192.0.2.10", guarded, port=11112)], at=90 * 86_400)
    capsys.readouterr()
    assert cli.main(["notify", "status", "--study", "spring", "--format", "json"]) == 0
    answer = json.loads(capsys.readouterr().out)

    assert answer["says"].startswith("Drawn by lot")
    assert {row["group"] for row in answer["rates"]["arm"]} == {"letter", "phone"}
    assert sorted((row["fixed"], row["tested"]) for row in answer["rates"]["arm"]) == [(0, 0), (1, 1)]
    assert cli.main(["notify", "status", "--study", "autumn"]) == 2


# ---- by e-mail


@pytest.mark.parametrize(
    ("to", "code", "says"),
    [
        ("a@b\r\nBcc: c@d", 2, "this is not one address"),
        ("a@example.org", 3, "the mail server does not answer"),
    ],
)
def test_what_cannot_be_sent_is_told_in_one_line_and_not_logged(
    scope: Path,
    closed_port: int,
    tmp_path: Path,
    to: str,
    code: int,
    says: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    mail = tmp_path / "mail.toml"
    mail.write_text(f'host = "127.0.0.1"\nport = {closed_port}\nsender = "abuse@example.org"\n')
    words = ["notify", "send", "Example Radiology", "--to", to, "--mail", str(mail), "--scope", str(scope)]

    assert cli.main([*words, "--scan", "last"]) == code
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1
    assert cli.main(["notify", "status"]) == 0
    assert "no notice is kept" in capsys.readouterr().err
