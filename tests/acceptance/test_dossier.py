"""``leadglass register dossier``, ``stamp`` and ``verify``: what an auditor is handed, and how he checks it."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import json
import os
import re
import sqlite3
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest
from tests.contract.reading import secured, store, told
from tests.peers.authority import Answer, Signer, reply, serving, signer

from leadglass import cli
from leadglass.model.verdict import Access, Position, Severity
from leadglass.store.database import open_database
from leadglass.store.register import Change, write_down

SIGHTS = (
    told("192.0.2.10", Access.ANSWERS_QUERY, Severity.CRITICAL),
    told("192.0.2.20", Access.CLOSED),
    secured("192.0.2.99", "a"),
)
TODAY = dt.datetime.now(dt.UTC).date().isoformat()

Leadglass: TypeAlias = Callable[..., str]


@pytest.fixture
def leadglass(capsys: pytest.CaptureFixture[str]) -> Leadglass:
    def call(*words: str | Path, code: int = 0) -> str:
        capsys.readouterr()
        done = cli.main([*map(str, words)])
        printed = capsys.readouterr()
        assert done == code, printed.err
        return printed.out if code < 2 else printed.err

    return call


@pytest.fixture
def practice(own_database: Path, leadglass: Leadglass) -> Path:
    with open_database(str(own_database), time.time) as database:
        store(database, SIGHTS, position=Position.INSIDE)
    leadglass(
        *(
            "register",
            "add",
            "archive",
            "--kind",
            "archive",
            "--owner",
            "Radiology #1 *main*",
            "--port",
            "104",
        ),
        *("--address", "192.0.2.10", "--note", "$x$ #eval(1) `raw` */ @here", "--by", "ada"),
    )
    leadglass("register", "fill", "--by", "nightly")
    leadglass("register", "review", "archive", "--outcome", "gaps", "--next", "2099-01-01", "--by", "ada")
    leadglass("register", "risk", "--draft", "--by", "ada")
    return own_database


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    return signer(tmp_path_factory.mktemp("clock"))


def stamped(leadglass: Leadglass, clock: Signer) -> str:
    with serving(lambda body: Answer(reply(clock, body))) as authority:
        return leadglass("register", "stamp", "--tsa", authority.url, "--roots", clock.roots, "--by", "ada")


def alter(database: Path, *statements: str) -> None:
    with sqlite3.connect(database) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


# ---- pages and archive


def test_an_auditor_is_handed_pages_and_an_archive_that_verifies(
    practice: Path, leadglass: Leadglass, tmp_path: Path
) -> None:
    pdf, archive = tmp_path / "d.pdf", tmp_path / "d.zip"
    said = leadglass(
        *(
            "register",
            "dossier",
            "--output",
            pdf,
            "--zip",
            archive,
            "--profile",
            "hipaa",
            "--profile",
            "nis2",
        ),
        *("--organisation", "Example Clinic", "--tlp", "green"),
    )
    raw = pdf.read_bytes()

    assert said == f"{pdf} is written\n{archive} is written\n"
    assert raw.startswith(b"%PDF-1.7")
    # To be kept (PDF/A-2a) and to be read by everybody (PDF/UA-1), with bookmarks.
    for mark in (
        b"<pdfaid:part>2<",
        b"<pdfaid:conformance>A<",
        b"<pdfuaid:part>1<",
        b"/Outlines",
        b"/StructTreeRoot",
    ):
        assert mark in raw
    assert re.search(rb"/Lang ?\(en\)", raw)
    with zipfile.ZipFile(archive) as packed:
        assert packed.read("dossier.pdf") == raw
        for line in packed.read("MANIFEST.sha256").decode().splitlines():
            digest, name = line.split("  ")
            assert hashlib.sha256(packed.read(name)).hexdigest() == digest
        rows = list(csv.DictReader(io.StringIO(packed.read("data/network-access.csv").decode())))
    assert [(row["address"], row["port"], row["severity"]) for row in rows] == [
        ("192.0.2.10", "104", "critical"),
        ("192.0.2.99", "2762", rows[-1]["severity"]),
    ]
    head = leadglass("register", "verify").split()[-1]
    assert leadglass("register", "verify", "--zip", archive).split()[-1] == head


def test_another_process_elsewhere_in_the_world_makes_the_same_bytes(practice: Path, tmp_path: Path) -> None:
    made = []
    for number, (zone, language, seed) in enumerate(
        (("UTC", "C", "1"), ("Pacific/Auckland", "C.UTF-8", "77"))
    ):
        pdf, archive = tmp_path / f"{number}.pdf", tmp_path / f"{number}.zip"
        subprocess.run(
            [sys.executable, "-m", "leadglass", "register", "dossier", "--output", pdf, "--zip", archive,
             "--profile", "hipaa", "--as-of", TODAY],
            env={**os.environ, "TZ": zone, "LC_ALL": language, "PYTHONHASHSEED": seed},
            cwd=tmp_path,
            check=True,
            capture_output=True,
        )  # fmt: skip
        made.append((pdf.read_bytes(), archive.read_bytes()))

    assert made[0] == made[1]


def test_what_changed_on_the_way_is_told(practice: Path, leadglass: Leadglass, tmp_path: Path) -> None:
    archive, forged = tmp_path / "d.zip", tmp_path / "forged.zip"
    leadglass("register", "dossier", "--output", tmp_path / "d.pdf", "--zip", archive)
    with zipfile.ZipFile(archive) as packed, zipfile.ZipFile(forged, "w") as other:
        for name in packed.namelist():
            other.writestr(name, packed.read(name).replace(b"critical", b"low"))

    said = json.loads(leadglass("register", "verify", "--zip", forged, "--format", "json", code=1))

    assert said["whole"] is False
    assert "data/exposures.csv: changed" in said["faults"]
    assert "BROKEN" in leadglass("register", "verify", "--zip", forged, code=1)


# ---- time stamps


@pytest.mark.peer("openssl")
def test_a_stamp_proves_since_when_the_head_exists(
    practice: Path, leadglass: Leadglass, clock: Signer, tmp_path: Path
) -> None:
    before = json.loads(leadglass("register", "verify", "--format", "json"))["n"]

    assert stamped(leadglass, clock).startswith(f"entry {before} existed on {TODAY}")
    assert f"proved: entry {before} and all before existed on {TODAY}T" in leadglass(
        "register", "verify", "--roots", clock.roots
    )
    assert "not judged\n--roots FILE says" in leadglass("register", "verify")

    leadglass("register", "review", "archive", "--outcome", "passed", "--next", "2099-01-01")
    assert f"entries {before + 1} to {before + 2} have no time stamp yet" in leadglass("register", "verify")

    archive = tmp_path / "d.zip"
    leadglass("register", "dossier", "--output", tmp_path / "d.pdf", "--zip", archive)
    assert f"proved: entry {before} and all" in leadglass(
        "register", "verify", "--zip", archive, "--roots", clock.roots
    )
    with zipfile.ZipFile(archive) as packed:
        (row,) = json.loads(packed.read("data/stamps.json"))
        (tmp_path / "a.tsr").write_bytes(packed.read(row["file"]))
    done = subprocess.run(
        ["openssl", "ts", "-verify", "-digest", row["digest"], "-in", tmp_path / "a.tsr", "-CAfile", clock.roots],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "Verification: OK" in done.stdout


@pytest.mark.peer("openssl")
def test_a_stamp_by_somebody_else_is_told_and_no_stamp_is_kept_that_is_not_believed(
    practice: Path, leadglass: Leadglass, clock: Signer, tmp_path: Path
) -> None:
    stamped(leadglass, clock)
    other = signer(tmp_path / "other").roots
    entries = json.loads(leadglass("register", "verify", "--format", "json"))["n"]

    said = json.loads(leadglass("register", "verify", "--roots", other, "--format", "json", code=1))

    assert "not signed by whom the roots vouch for" in said["stamps"][0]["problem"]
    assert "BAD time stamp" in leadglass("register", "verify", "--roots", other, code=1)
    with serving(lambda body: Answer(reply(clock, body))) as authority:
        assert "no time stamp to be kept" in leadglass(
            "register", "stamp", "--tsa", authority.url, "--roots", other, code=3
        )
    assert json.loads(leadglass("register", "verify", "--format", "json"))["n"] == entries


@pytest.mark.peer("openssl")
def test_a_chain_that_is_written_anew_around_an_old_stamp_does_not_fit_it(
    practice: Path, leadglass: Leadglass, clock: Signer
) -> None:
    stamped(leadglass, clock)
    with sqlite3.connect(practice) as connection:
        bodies = [
            json.loads(line)["body"]
            for (line,) in connection.execute("SELECT line FROM register_entries ORDER BY n")
        ]
    connection.close()
    alter(practice, *(f"DELETE FROM register_{table}" for table in ("entries", "head", "state")))
    rewrite(practice, [{**body, "by": "eve"} for body in bodies])

    assert "whole, " in leadglass("register", "verify", code=1)
    assert "it is of another chain" in leadglass("register", "verify", "--roots", clock.roots, code=1)


def rewrite(path: Path, bodies: list[dict[str, object]]) -> None:
    """Write a whole chain of one's own, as whoever has the database can."""
    with open_database(str(path), time.time) as database:
        for body in bodies:
            now = body["now"]
            assert now is None or isinstance(now, dict)
            write_down(database, str(body["by"]), [Change(str(body["what"]), str(body["name"]), now)])


# ---- what cannot be


HOSTILE: list[tuple[tuple[str, ...], str]] = [
    (("dossier", "--output", "d.doc"), "the pages are .pdf"),
    (("dossier", "--output", "d.pdf", "--profile", "iso"), "is none of: hipaa"),
    (("dossier", "--output", "d.pdf", "--as-of", "20261121"), "is no day"),
    (("dossier", "--output", "d.pdf", "--since", "soon"), "is no day"),
    (("dossier", "--output", "d.pdf", "--fonts", "nowhere"), "this is no folder"),
    (("dossier", "--output", "d.pdf", "--organisation", "\x1b"), "this is no line"),
    (("stamp", "--tsa", "ftp://tsa.example/", "--roots", "x"), "is no address of an authority"),
    (("stamp", "--tsa", "http://user@tsa.example/", "--roots", "x"), "is no address of an authority"),
    (("stamp", "--tsa", "http://tsa.example:99999/", "--roots", "x"), "is no address of an authority"),
    (("stamp", "--tsa", "http://127.0.0.1:1/", "--roots", "nothing.pem"), "cannot be read"),
    (("stamp", "--tsa", "http://127.0.0.1:1/", "--roots", "/dev/null"), "no certificate in it"),
    (("verify", "--zip", "nothing.zip"), "cannot be read"),
    (("verify", "--zip", "/dev/null"), "no ZIP"),
    (("verify", "--zip", "x.zip", "--rebuild"), "an archive is checked by itself"),
]


@pytest.mark.parametrize(("words", "says"), HOSTILE)
def test_what_cannot_be_is_refused_in_one_line(
    practice: Path, leadglass: Leadglass, words: tuple[str, ...], says: str
) -> None:
    said = leadglass("register", *words, code=2)

    assert says in said
    assert said.count("\n") == 1


def test_no_dossier_is_made_of_a_register_that_was_altered(
    practice: Path, leadglass: Leadglass, tmp_path: Path
) -> None:
    alter(practice, "DELETE FROM register_entries WHERE n = 2")

    assert "broken at entry 2" in leadglass("register", "dossier", "--output", tmp_path / "d.pdf", code=2)
    assert not (tmp_path / "d.pdf").exists()
