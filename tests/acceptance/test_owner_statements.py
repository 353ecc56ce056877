"""What an owner says, typed in by a user: it overrules in every report, in sight of the evidence, until withdrawn."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from tests.acceptance.test_stored_scans import Leadglass, leadglass, refused
from tests.contract.reading import store, told

from leadglass.model.verdict import Access, Severity
from leadglass.store.database import open_database

__all__ = ["leadglass"]

BY = ("--by", "Dr. Example", "--reference", "letter of 3 May")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    kept = tmp_path / "scans.sqlite"
    with open_database(str(kept), time.time) as database:
        store(
            database,
            [told(f"192.0.2.{n}", Access.ASSOCIATES, Severity.MEDIUM, port=11112) for n in (10, 11)],
        )
    return kept


def test_an_owners_word_stands_in_every_report_until_it_is_withdrawn(
    place: Path, leadglass: Leadglass, tmp_path: Path
) -> None:
    named = ("--database", str(place))
    before = leadglass("scan", "show", "last", "--format", "jsonl", *named).stdout
    said = ("--nature", "demo", "--data", "synthetic", "--cause", "forgotten", *BY)

    assert (
        "statement 1 on 192.0.2.10 is written down"
        in leadglass("owner", "state", "192.0.2.10", *said, *named).stdout
    )

    shown = leadglass("scan", "show", "last", "--format", "jsonl", *named).stdout
    records = [json.loads(line) for line in shown.splitlines()]
    assert [record["severity"] for record in records] == ["low", "medium"]
    assert records[0]["stated"]["by"] == "Dr. Example"
    assert "stated" not in records[1]
    text = " ".join(leadglass("scan", "show", "last", *named).stdout.split())
    assert "Stated by Dr. Example on" in text
    assert "By the evidence:" in text
    kept = tmp_path / "records.jsonl"
    kept.write_text(shown)
    explained = " ".join(leadglass("explain", f"{kept}#1").stdout.split())
    assert "Said by the owner, and it overrules the evidence" in explained
    assert "severity recorded" not in explained
    estimate = " ".join(leadglass("survey", "estimate", "--scan", "last", *named).stdout.split())
    assert "1 server is counted as the owner says" in estimate
    causes = json.loads(leadglass("survey", "causes", "--stated", "--format", "json", *named).stdout)
    assert causes["result"]["causes"]["forgotten"]["positive"] == causes["result"]["looked_at"] == 1
    assert "demo, stated by Dr. Example" in leadglass("survey", "nature", *named).stdout

    assert leadglass("owner", "statements", "--withdraw", "1", *named).returncode == 0

    assert leadglass("scan", "show", "last", "--format", "jsonl", *named).stdout == before
    assert "withdrawn on" in leadglass("owner", "statements", *named).stdout
    assert "no owner has stated a cause" in refused(leadglass("survey", "causes", "--stated", *named))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("192.0.2.10", *BY), "nothing is stated"),
        (("192.0.2.10:0", "--nature", "demo", *BY), "not ADDRESS or ADDRESS:PORT"),
        (("[2001:db8::7", "--nature", "demo", *BY), "not ADDRESS or ADDRESS:PORT"),
        (("fe80::1%eth0", "--nature", "demo", *BY), "not ADDRESS or ADDRESS:PORT"),
        (("pacs.example.org", "--nature", "demo", *BY), "not ADDRESS or ADDRESS:PORT"),
        (("192.0.2.10", "--nature", "demo", "--by", "\t", "--reference", "x"), "nothing that can be read"),
        (("192.0.2.10", "--nature", "demo", "--on", "2999-01-01", *BY), "this day has not come"),
    ],
)
def test_what_cannot_be_written_down_is_one_line(
    place: Path, leadglass: Leadglass, words: tuple[str, ...], says: str
) -> None:
    assert says in refused(leadglass("owner", "state", *words, "--database", str(place)))


@pytest.mark.parametrize("target", ["2001:db8::7", "[2001:db8::7]", "[2001:db8::7]:104", "192.0.2.9:104"])
def test_a_server_may_be_named_in_any_usual_way(place: Path, leadglass: Leadglass, target: str) -> None:
    done = leadglass("owner", "state", target, "--data", "unknown", *BY, "--database", str(place))

    assert f"on {target if ']:' in target else target.strip('[]')} is written down" in done.stdout
