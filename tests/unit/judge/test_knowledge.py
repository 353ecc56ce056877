"""The tables: every row has a source, no row is weak or refuted, every name that is used exists."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
from importlib import resources

import pytest

from leadglass.judge import advice, implementations
from leadglass.judge.implementations import Implementation, Pattern
from leadglass.judge.knowledge import FILES, Table, table
from leadglass.judge.nature import Tell, tells
from leadglass.judge.rules import Rule
from leadglass.judge.web import Fingerprint, known
from leadglass.model.rung import Rung
from leadglass.model.verdict import Access, Capabilities, Position, State
from leadglass.probe.negotiate import OFFERED
from leadglass.wire import uids

ROWS: list[tuple[str, type[object], str]] = [
    ("web", Fingerprint, "fingerprint"),
    ("implementations", Implementation, "implementation"),
    ("implementations", Pattern, "pattern"),
    ("nature", Tell, "tell"),
    ("advice", advice.Saying, "advice"),
    ("advice", advice.Saying, "settle"),
]
SOURCED = [(name, kind) for name, _, kind in ROWS if name != "advice"]


def rows(name: str, kind: str) -> list[Table]:
    """The rows of one table."""
    found: list[Table] = table(name)[kind]
    return found


@pytest.mark.parametrize("name", FILES)
def test_a_table_is_read_once(name: str) -> None:
    assert table(name) is table(name)


def test_importing_the_judge_reads_no_table() -> None:
    script = (
        "import sys, importlib.resources\n"
        "def no(*_): raise SystemExit('a table was read by an import')\n"
        "importlib.resources.files = no\n"
        "import leadglass.judge.judge, leadglass.judge.web, leadglass.judge.explain\n"
    )

    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


@pytest.mark.parametrize(("name", "kind"), SOURCED)
def test_every_row_has_a_source(name: str, kind: str) -> None:
    assert [row for row in rows(name, kind) if not row["source"].strip()] == []


@pytest.mark.parametrize(("name", "kind"), [("web", "fingerprint"), ("implementations", "implementation")])
def test_no_row_is_less_sure_than_medium(name: str, kind: str) -> None:
    assert {row["confidence"] for row in rows(name, kind)} <= {"high", "medium"}


@pytest.mark.parametrize(("name", "model", "kind"), ROWS)
def test_rows_hold_what_the_code_reads_and_nothing_else(name: str, model: type[object], kind: str) -> None:
    fields = {field.name for field in dataclasses.fields(model)}  # type: ignore[arg-type]

    assert {key for row in rows(name, kind) for key in row} <= fields


@pytest.mark.parametrize(("name", "kind"), [("web", "fingerprint"), ("nature", "tell")])
def test_ids_are_unique(name: str, kind: str) -> None:
    ids = [row["id"] for row in rows(name, kind)]

    assert len(ids) == len(set(ids))


def test_no_two_implementations_are_the_same_row() -> None:
    keys = [(row["uid"], row["match"], row.get("name")) for row in rows("implementations", "implementation")]

    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("row", rows("implementations", "implementation"), ids=lambda row: row["uid"])
def test_an_implementation_is_a_uid_or_the_beginning_of_one(row: Table) -> None:
    assert uids.is_valid(row["uid"].rstrip("."))
    assert row["uid"].endswith(".") == (row["match"] != "exact")
    assert row["match"] in ("exact", "prefix", "root")


REFUTED = ("1.2.826.0.1.3680043.8.641", "1.2.826.0.1.3680043.8.1057")
WEAK = (
    "1.2.826.0.1.3680043.9.7433.0.3.0",
    "1.2.250.1.90.50.1.9.10.0",
    "1.2.826.0.1.3680043.8.1013",
    "1.2.86.76547135.7.0.3.0.0",
    "1.2.392.200036.8120",
    "1.2.840.113681",
    "1.2.840.113564",
    "1.1.1.1.1",
    "999.999",
)


@pytest.mark.parametrize("uid", [*REFUTED, *WEAK])
def test_refuted_and_weak_rows_decide_nothing(uid: str) -> None:
    assert implementations.match(uid, None) is None
    assert implementations.match(f"{uid}.1", "ANY") is None


def test_the_leadtools_root_is_not_agfas() -> None:
    found = implementations.match("1.2.840.114257.1", None)

    assert found is not None
    assert found.row.product == "LEADTOOLS-based"


def test_a_pattern_belongs_to_a_toolkit_that_some_identity_announces() -> None:
    announced = {row.get("base") for row in rows("implementations", "implementation")}

    assert {row["base"] for row in rows("implementations", "pattern")} <= announced
    assert {row["base"] for row in table("implementations")["lengths"].values()} <= announced


def test_patterns_name_sop_classes_that_are_offered() -> None:
    named = {uid for row in implementations.patterns() for uid in (*row.granted, *row.absent)}

    assert named <= set(OFFERED)


def test_confidences_are_probabilities_and_none_is_certainty() -> None:
    numbers = [n for value in table("implementations")["confidence"].values() for n in _numbers(value)]
    numbers += [row.confidence for row in implementations.patterns()]

    assert all(0 < number < 1 for number in numbers)


def _numbers(value: float | Table) -> list[float]:
    return [value] if isinstance(value, float) else list(value.values())


def test_a_tell_makes_honeypots_likelier_and_names_known_fingerprints() -> None:
    assert all(tell.ratio > 1 for tell in tells())
    assert all(known(tell.fingerprint) for tell in tells() if tell.fingerprint)


def test_the_prior_says_that_it_is_one() -> None:
    text = _source("nature")

    assert "nobody has measured" in text
    assert sum(table("nature")["prior"].values()) == pytest.approx(1)


@pytest.mark.parametrize("kind", ["advice", "settle"])
def test_advice_names_only_what_exists(kind: str) -> None:
    products = {row["product"] for row in rows("implementations", "implementation")}
    products |= {row["product"] for row in rows("implementations", "pattern")}
    products |= {row["product"] for row in rows("web", "fingerprint")}
    names = {field.name.replace("_", "-") for field in dataclasses.fields(Capabilities)}
    for row in advice.sayings(kind):
        assert set(row.product) <= products
        assert set(row.access) <= {access.value for access in Access}
        assert set(row.protocol) <= {"dicom", "http", "tls"}
        assert set(row.position) <= {position.value for position in Position}
        assert set(row.rule) <= {rule.value for rule in Rule}
        assert set(row.capability) <= names
        assert {state for states in row.capability.values() for state in states} <= {s.value for s in State}
        assert {row.below, row.reached} - {None} <= {rung.word for rung in Rung}


def test_advice_on_a_product_has_a_source() -> None:
    assert [row.text for row in advice.sayings("advice") if row.product and not row.source] == []


def test_no_table_names_an_address_or_a_registry() -> None:
    everything = "\n".join(_source(name) for name in FILES)

    assert re.findall(r"https?://", everything) == []


def _source(name: str) -> str:
    return (
        resources.files("leadglass.judge").joinpath("knowledge", f"{name}.toml").read_text(encoding="utf-8")
    )
