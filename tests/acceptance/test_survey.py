"""``survey``, as a user calls it: from numbers, from a stored scan of servers with known truth, from files."""

from __future__ import annotations

import csv
import dataclasses
import importlib.util
import json
import random
import stat
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.acceptance.test_command import command
from tests.acceptance.test_stored_scans import Leadglass, leadglass, refused
from tests.contract.reading import Sight, store, told

from leadglass.model.verdict import Access, Kind, Nature
from leadglass.store.database import open_database

__all__ = ["leadglass"]

SPOT_CHECK = ("survey", "estimate", "--reviewed", "25", "--private", "2", "--servers", "3806")
PRIOR = dict(zip(Kind, (0.35, 0.15, 0.15, 0.2, 0.05, 0.1), strict=True))
TRUTH = dict(zip(Kind, (0.12, 0.2, 0.1, 0.3, 0.03, 0.25), strict=True))
"""What the population really is: far from what the judge supposes."""
PORTAL = Path(__file__).parent.parent / "fixtures" / "survey" / "portal.csv"

# ---- the spot check of 25 servers


def test_the_spot_check_is_answered_with_what_it_leaves_out(leadglass: Leadglass) -> None:
    done = leadglass(*SPOT_CHECK)

    assert done.returncode == 0, done.stderr
    words = " ".join(done.stdout.split())
    assert "1 % to 26 % 38 to 988 of 3,806 servers" in words
    assert "2.2 % to 25 % 85 to 948 of 3,806 servers" in words
    assert "An interval half as wide takes a random sample of 91" in words
    assert "the interval leaves out selection. The first 25" in words
    assert all(len(line) <= 92 for line in done.stdout.splitlines())


def test_the_installed_command_answers_it_too() -> None:
    done = subprocess.run(command(*SPOT_CHECK), capture_output=True, text=True, timeout=60, check=True)

    assert "1 % to 26 %" in done.stdout


def test_it_loads_neither_the_store_nor_the_large_half_of_scipy() -> None:
    # What makes the difference between half a second and two.
    code = "import sys; from leadglass.cli import main; main(sys.argv[1:]); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code, *SPOT_CHECK], capture_output=True, text=True, timeout=60, check=True
    )
    loaded = set(done.stdout.split())

    assert "scipy.special" in loaded
    assert not loaded & {"scipy.stats", "scipy.optimize", "sqlalchemy", "leadglass.scope.parse"}


def test_who_drew_them_need_not_be_told_of_selection(leadglass: Leadglass) -> None:
    assert "selection" not in leadglass(*SPOT_CHECK, "--random").stdout


def test_programs_get_numbers_and_what_may_be_quoted(leadglass: Leadglass) -> None:
    answer = json.loads(leadglass(*SPOT_CHECK, "--format", "json").stdout)

    assert answer["schema"] == "leadglass.survey/1"
    assert answer["result"]["proportion"]["exact"]["high"] == pytest.approx(988 / 3806)
    assert answer["result"]["halving"] == 91
    assert answer["result"]["quote"] in answer["says"][-3].strip('"')


def test_a_figure_is_an_svg_or_a_png(leadglass: Leadglass, tmp_path: Path) -> None:
    vector, pixels = tmp_path / "figure.svg", tmp_path / "figure.png"

    assert leadglass(*SPOT_CHECK, "--figure", str(vector)).returncode == 0
    assert ET.fromstring(vector.read_text()).tag.endswith("svg")
    if importlib.util.find_spec("typst"):
        assert leadglass(*SPOT_CHECK, "--figure", str(pixels)).returncode == 0
        assert pixels.read_bytes().startswith(b"\x89PNG")


# ---- a population of 2,000 servers with known truth


def population() -> tuple[list[Sight], Mapping[str, str]]:
    """Servers as a scan sees them, and what they are: the judge knows some honeypots and else only its prior."""
    chance = random.Random(3)
    sights, truth = [], {}
    for number in range(2000):
        address = f"10.1.{number >> 8}.{number & 255}"
        kind = chance.choices(list(TRUTH), list(TRUTH.values()))[0]
        truth[address] = kind.value
        shares = PRIOR
        if kind is Kind.HONEYPOT and chance.random() < 0.6:
            shares = {each: 0.9 if each is kind else 0.02 for each in Kind}
        sight = told(address, chance.choice((Access.ANSWERS_QUERY, Access.OFFERS_QUERY, Access.ASSOCIATES)))
        judged = dataclasses.replace(sight.verdict, nature=Nature(shares, PRIOR))
        sights.append(dataclasses.replace(sight, verdict=judged))
    return sights, truth


@pytest.fixture(scope="module")
def surveyed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Mapping[str, str]]:
    place = tmp_path_factory.mktemp("survey") / "scans.sqlite"
    sights, truth = population()
    with open_database(str(place), time.time) as database:
        store(database, sights)
    return place, truth


def test_who_asks_for_fewer_than_the_strata_need_is_told(leadglass: Leadglass, tmp_path: Path) -> None:
    listed = tmp_path / "servers.csv"
    listed.write_text("192.0.2.1,a\n192.0.2.2,a\n192.0.2.3,a\n192.0.2.4,b\n")

    done = leadglass("survey", "plan", "--from", str(listed), "--sample", "1", "--seed", "x")

    assert done.returncode == 0, done.stderr
    assert "3 are drawn and not 1: each stratum gives two servers" in " ".join(done.stderr.split())


def test_a_drawn_sample_of_a_stored_scan_finds_the_truth_that_the_naive_count_misses(
    surveyed: tuple[Path, Mapping[str, str]], leadglass: Leadglass, tmp_path: Path
) -> None:
    place, truth = surveyed
    sample = tmp_path / "sample.csv"
    named = ("--database", str(place))
    words = ("--scan", "last", "--by", "kind", "--sample", "300", "--seed", "lab", "--output", str(sample))
    assert leadglass("survey", "plan", *words, *named).returncode == 0
    review(sample, truth)

    answer = json.loads(leadglass("survey", "estimate", "--answers", str(sample), "--format", "json").stdout)
    naive = json.loads(leadglass("survey", "estimate", "--scan", "last", "--format", "json", *named).stdout)
    counts = Counter(truth.values())

    for kind, found in answer["result"]["truths"].items():
        assert found["interval"]["low"] <= counts[kind] / 2000 <= found["interval"]["high"], kind
    likeliest = naive["result"]["census"]["kinds"]
    assert likeliest["clinical"]["likeliest"] > 4 * counts["clinical"]
    clinical = answer["result"]["truths"]["clinical"]["interval"]
    assert not clinical["low"] <= likeliest["clinical"]["likeliest"] / 2000 <= clinical["high"]


def review(sample: Path, truth: Mapping[str, str]) -> None:
    """Fill in what the servers are."""
    with sample.open() as stream:
        rows = list(csv.DictReader(stream))
    with sample.open("w") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows({**row, "truth": truth[row["server"]]} for row in rows)


def test_the_same_seed_draws_the_same_servers(
    surveyed: tuple[Path, Mapping[str, str]], leadglass: Leadglass
) -> None:
    words = (
        "survey",
        "plan",
        "--scan",
        "last",
        "--sample",
        "5",
        "--seed",
        "a",
        "--database",
        str(surveyed[0]),
    )

    assert leadglass(*words).stdout == leadglass(*words).stdout


def test_a_sample_that_may_be_filled_in_is_not_overwritten_and_is_its_owners_alone(
    leadglass: Leadglass, tmp_path: Path
) -> None:
    listed, sample = tmp_path / "servers.txt", tmp_path / "sample.csv"
    listed.write_text("192.0.2.1\n192.0.2.2\n192.0.2.3\n")
    words = ("survey", "plan", "--from", str(listed), "--sample", "2", "--output", str(sample))

    assert leadglass(*words).returncode == 0
    assert stat.S_IMODE(sample.stat().st_mode) == 0o600
    assert "exists already" in refused(leadglass(*words))


def test_a_whole_study_is_written_as_html_and_pdf(
    surveyed: tuple[Path, Mapping[str, str]], leadglass: Leadglass, tmp_path: Path
) -> None:
    page, pages = tmp_path / "study.html", tmp_path / "study.pdf"
    words = (
        "--breaches",
        str(PORTAL),
        "--from",
        "2019-01-01",
        "--to",
        "2019-12-31",
        "--database",
        str(surveyed[0]),
    )
    done = leadglass("survey", "report", "--output", str(page), *words)

    assert done.returncode == 0, done.stderr
    text = page.read_text()
    for title in (
        "Methods",
        "What was found",
        "Reported breaches",
        "Beside published surveys",
        "What this study cannot say",
    ):
        assert f"<h2>{title}</h2>" in text
    assert "10.1." not in text
    if importlib.util.find_spec("typst"):
        assert leadglass("survey", "report", "--output", str(pages), *words).returncode == 0
        assert pages.read_bytes().startswith(b"%PDF-")


def test_two_scans_are_lists_that_overlap(leadglass: Leadglass, tmp_path: Path) -> None:
    place = tmp_path / "two.sqlite"
    with open_database(str(place), time.time) as database:
        first = store(database, [told(f"10.2.0.{n}") for n in range(60)])
        second = store(database, [told(f"10.2.0.{n}") for n in range(40, 90)], at=3600)
    scans = ("--scan", first.plan.ulid, "--scan", second.plan.ulid)
    done = leadglass("survey", "estimate", *scans, "--database", str(place))

    assert "90 servers are on the lists; 147 exist" in " ".join(done.stdout.split())
    assert "Take it as a lower bound" in done.stdout


# ---- the other commands


def test_the_share_of_breaches_is_told_by_scenario(leadglass: Leadglass) -> None:
    words = ("--from", "2019-01-01", "--to", "2019-12-31", "--exposed-people", "10000..30000")
    done = leadglass("survey", "share", str(PORTAL), str(PORTAL), *words)

    assert done.returncode == 0, done.stderr
    told_words = " ".join(done.stdout.split())
    assert "3 breaches of 500 people or more were reported, with 10,000 people" in told_words
    assert "every exposed person reported: 50 % to 75 % of people" in told_words
    assert "Exposure is not breach" in told_words


def test_hidden_servers_have_bounds(leadglass: Leadglass) -> None:
    done = leadglass("survey", "hidden", "--demanding", "confirmed=3", "--demanding", "other=900")

    assert "Between 3 (those confirmed) and 903 (all of them) are DICOM." in done.stdout


def test_causes_are_counted(leadglass: Leadglass) -> None:
    done = leadglass("survey", "causes", "--count", "factory-default=12", "--of", "30")

    assert "factory-default" in done.stdout
    assert "25 % to 58 %" in done.stdout


# ---- what cannot be done is said in one line


@pytest.mark.parametrize(
    "words",
    [
        ("estimate",),
        ("estimate", "--reviewed", "25"),
        ("estimate", "--reviewed", "25", "--private", "26"),
        ("estimate", "--reviewed", "-1", "--private", "0"),
        ("estimate", "--reviewed", "25", "--private", "2", "--servers", "24"),
        ("estimate", "--reviewed", "25", "--private", "2", "--level", "1"),
        ("estimate", "--reviewed", "25", "--private", "2", "--level", "nan"),
        ("estimate", "--reviewed", "25", "--private", "2", "--validation", "1,2,3"),
        ("estimate", "--reviewed", "25", "--private", "2", "--validation", "1,2,3,x"),
        ("estimate", "--reviewed", "25", "--private", "2", "--validation", "9,9,9,9"),
        ("estimate", "--reviewed", "25", "--private", "2", "--figure", "x.gif"),
        ("estimate", "--reviewed", "25", "--private", "2", "--on", "a=1"),
        ("estimate", "--reviewed", "25", "--private", "2", "--confusion", "x.csv"),
        ("estimate", "--stratum", "a=1/2"),
        ("estimate", "--stratum", "a=1/2/3", "--servers", "9"),
        ("hidden", "--demanding", "port=1", "--level", "2"),
        ("estimate", "--called", "a=1"),
        ("estimate", "--called", "a=1", "--confusion", "missing.csv"),
        ("estimate", "--on", "a=1", "--on", "b=1"),
        ("estimate", "--on", "a+b=1", "--on", "b+a=1"),
        ("estimate", "--answers", "missing.csv"),
        ("estimate", "--scan", "last", "--database", "missing.sqlite"),
        ("plan", "--precision", "0"),
        ("plan", "--precision", "0.000001", "--from", str(PORTAL)),
        ("plan", "--from", "missing.txt"),
        ("plan", "--from", str(PORTAL)),
        ("plan", "--servers", "10", "--scan", "last"),
        ("plan", "--expected", "2"),
        ("plan", "--sample", "10"),
        ("hidden",),
        ("hidden", "--demanding", "x=1"),
        ("hidden", "--demanding", "port=1", "--calibration", "x"),
        ("hidden", "--demanding", "port=1", "--calibration", "x", "--known", "port=2/1"),
        ("share", "missing.csv", "--from", "2019-01-01", "--to", "2019-12-31"),
        ("share", str(PORTAL), "--from", "2019-13-01", "--to", "2019-12-31"),
        ("share", str(PORTAL), "--from", "2019-12-31", "--to", "2019-01-01"),
        ("share", str(PORTAL), "--from", "2001-01-01", "--to", "2001-12-31"),
        ("share", __file__, "--from", "2019-01-01", "--to", "2019-12-31"),
        ("share", str(PORTAL), "--from", "2019-01-01", "--to", "2019-12-31", "--exposed-people", "9..1"),
        ("causes",),
        ("causes", "--count", "boredom=1", "--of", "2"),
        ("causes", "--count", "typo=3", "--of", "2"),
        ("causes", __file__),
        ("report", "--output", "study.doc"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(words: tuple[str, ...], leadglass: Leadglass) -> None:
    assert len(refused(leadglass("survey", *words))) < 300
