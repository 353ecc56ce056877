"""What only others have seen: never a finding, never more than their word, and never beside first-hand evidence."""

from __future__ import annotations

import dataclasses

import pytest
from tests.unit.judge.vectors import DCMTK, OPEN, SERVERS, accepted, rejected, verdict

from leadglass.judge.software import product_named
from leadglass.model.evidence import Evidence, PassiveEvidence, TcpEvidence, TcpOutcome
from leadglass.model.rung import Rung
from leadglass.model.verdict import Access, Position, Severity, Software, State

SHODAN = PassiveEvidence(
    "shodan",
    seen_at="2026-11-01T04:05:06Z",
    speaks="dicom",
    implementation_class_uid=DCMTK[0],
    implementation_version_name=DCMTK[1],
)
CENSYS = PassiveEvidence(
    "censys", seen_at="2026-11-02T00:00:00Z", speaks="http", over_tls=True, product="Orthanc"
)
HEARSAY: list[tuple[Evidence, ...]] = [(SHODAN,), (CENSYS,), (SHODAN, CENSYS), (PassiveEvidence("shodan"),)]


@pytest.mark.parametrize("evidence", HEARSAY, ids=range(len(HEARSAY)))
@pytest.mark.parametrize("position", Position)
@pytest.mark.parametrize("rung", [Rung.PASSIVE, Rung.BLANK_QUERY])
def test_hearsay_is_inconclusive_and_no_capability_is_tested_or_ruled_out(
    evidence: tuple[Evidence, ...], position: Position, rung: Rung
) -> None:
    seen = verdict(*evidence, rung=rung, position=position)

    assert (seen.access, seen.severity) == (Access.INCONCLUSIVE, Severity.NONE)
    assert seen.reasons[0].rule == "inconclusive.seen-by-others"
    assert {getattr(seen.capabilities, f.name) for f in dataclasses.fields(seen.capabilities)} == {
        State.UNTESTED
    }


def test_the_reason_says_who_saw_it_when_and_that_nothing_was_asked() -> None:
    why = verdict(SHODAN, CENSYS, PassiveEvidence("shodan"), rung=Rung.PASSIVE).reasons[0]

    assert why.text == (
        "only others have seen it open: shodan at 2026-11-01T04:05:06Z, speaking dicom,"
        " censys at 2026-11-02T00:00:00Z, speaking http over TLS, shodan;"
        " Leadglass has asked it nothing"
    )
    assert why.evidence == (
        "passive/source",
        "passive/seen-at",
        "passive/speaks",
        "passive.2/source",
        "passive.2/seen-at",
        "passive.2/speaks",
        "passive.2/over-tls",
        "passive.3/source",
    )


def test_a_scan_from_the_file_would_settle_it() -> None:
    assert any("--from" in text for text in verdict(SHODAN, rung=Rung.PASSIVE).settles)


@pytest.mark.parametrize(
    ("evidence", "protocols"),
    [
        (PassiveEvidence("shodan"), ()),
        (SHODAN, ("dicom",)),
        (PassiveEvidence("shodan", speaks="dicom", over_tls=True), ("dicom", "tls")),
        (PassiveEvidence("censys", speaks="tls", over_tls=True), ("tls",)),
        (CENSYS, ("tls", "http")),
    ],
)
def test_protocols_are_those_that_others_met(evidence: PassiveEvidence, protocols: tuple[str, ...]) -> None:
    assert verdict(evidence, rung=Rung.PASSIVE).protocols == protocols


def test_an_identity_that_others_received_names_the_software_by_the_same_table() -> None:
    told = verdict(SHODAN, rung=Rung.PASSIVE)
    asked = verdict(OPEN, accepted(), rung=Rung.ASSOCIATE)

    assert told.software.product == asked.software.product == "DCMTK-based"
    assert told.software.version == asked.software.version == "3.6.7"
    assert "by shodan's account" in told.software.why
    assert "account" not in asked.software.why


def test_a_product_that_others_name_counts_less_than_an_identity() -> None:
    reported, both = verdict(CENSYS, rung=Rung.PASSIVE), verdict(CENSYS, SHODAN, rung=Rung.PASSIVE)

    assert (reported.software.product, reported.software.version) == ("Orthanc", None)
    assert "software.reported" in {reason.rule for reason in reported.reasons}
    assert both.software.product == "DCMTK-based"


def test_hearsay_without_any_name_names_nothing() -> None:
    assert verdict(PassiveEvidence("shodan", speaks="dicom")).software == Software(None, None, 0.0)


@pytest.mark.parametrize(
    "asked",
    [*SERVERS.values(), (OPEN,), (rejected(2, 3, 1),), (TcpEvidence(TcpOutcome.REFUSED),)],
    ids=str,
)
def test_beside_first_hand_evidence_hearsay_changes_nothing(asked: tuple[Evidence, ...]) -> None:
    assert verdict(*asked, SHODAN, CENSYS) == verdict(*asked)


@pytest.mark.parametrize(
    ("word", "product"),
    [
        ("Orthanc", "Orthanc"),
        ("orthanc", "Orthanc"),
        ("DCMTK-based", "DCMTK-based"),
        ("nginx", None),
        ("", None),
    ],
)
def test_only_words_of_the_tables_name_a_product(word: str, product: str | None) -> None:
    assert product_named(word) == product
