from __future__ import annotations

import dataclasses
import typing

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.report.samples import whole_scan

from leadglass.model.evidence import (
    AssociateEvidence,
    BlankQueryEvidence,
    Evidence,
    Fact,
    FeatureCount,
    PassiveEvidence,
    Reply,
    SampleEvidence,
    TcpEvidence,
    TcpOutcome,
    TlsHelloEvidence,
    TlsOutcome,
    clean,
    digest,
    facts_of,
    from_facts,
)

SCANNED = [evidence for record in whole_scan() for evidence in record.observed()]
IMPORTED = [
    PassiveEvidence("shodan"),
    PassiveEvidence(
        "censys",
        seen_at="2026-11-02T00:00:00Z",
        speaks="dicom",
        over_tls=True,
        implementation_class_uid="1.2.276.0.7230010.3.0.3.6.7",
        implementation_version_name="OFFIS_DCMTK_367",
        product="Orthanc",
        certificate_sha256="00" * 32,
    ),
]
DRAWN = SampleEvidence(
    Reply.ANSWERED, windows=40, studies=7, patients=6, features=(FeatureCount("ordinary-names", 7),), status=0
)
SEEN = [*SCANNED, *IMPORTED, DRAWN]


@given(st.text(), st.integers(0, 100))
def test_clean_text_is_printable_ascii_of_limited_length(text: str, limit: int) -> None:
    cleaned = clean(text, limit)

    assert cleaned.isascii()
    assert cleaned == "" or cleaned.isprintable()
    assert len(cleaned) == min(len(text), limit)


def test_clean_leaves_what_is_clean() -> None:
    assert clean("OFFIS_DCMTK_367") == "OFFIS_DCMTK_367"


@pytest.mark.parametrize("kind", typing.get_args(Evidence))
def test_evidence_is_frozen_and_hashable(kind: type[Evidence]) -> None:
    assert getattr(kind, "__dataclass_params__").frozen  # noqa: B009 - typeshed does not tell
    assert kind.__hash__ is not None


@pytest.mark.parametrize("evidence", SEEN, ids=lambda e: e.probe)
def test_evidence_is_rebuilt_from_its_facts(evidence: Evidence) -> None:
    assert from_facts(facts_of(evidence)) == (evidence,)


def test_facts_leave_out_what_says_nothing() -> None:
    facts = list(facts_of(BlankQueryEvidence(Reply.ANSWERED, status=0)))

    assert [(fact.id, fact.value) for fact in facts] == [
        ("blank-query/reply", "answered"),
        ("blank-query/status", 0),
    ]


def test_each_hello_is_a_probe_of_its_own() -> None:
    hellos = (
        TlsHelloEvidence("tls12", TlsOutcome.SERVER_HELLO),
        TlsHelloEvidence("old-versions", TlsOutcome.ALERT, alert="protocol_version(70)"),
    )

    assert from_facts(fact for hello in hellos for fact in facts_of(hello)) == hellos


@pytest.mark.parametrize(
    "fact",
    [
        Fact("telnet", "reply", "answered"),
        Fact("associate", "reply", "never heard of"),
        Fact("associate", "colour", "red"),
        Fact("associate", "spoke", "http"),
    ],
)
def test_facts_that_do_not_fit_are_refused(fact: Fact) -> None:
    with pytest.raises(ValueError, match=r"probe|not a valid"):
        from_facts([fact])


def test_a_fact_is_digested_with_its_probe_and_name() -> None:
    digests = {
        fact.sha256
        for fact in (
            Fact("a", "b", 1),
            Fact("a", "c", 1),
            Fact("b", "b", 1),
            Fact("a", "b", "1"),
            Fact("a", "b", 2),
        )
    }

    assert len(digests) == 5
    # printf '["associate","reply","accepted"]' | sha256sum
    assert Fact("associate", "reply", "accepted").sha256 == (
        "f5aa6904531960f3af03636180c2eb60c81d0ab19cce8bd69b63ff6c4e75ae98"
    )


def test_the_same_observation_has_the_same_digest() -> None:
    one = (TcpEvidence(TcpOutcome.OPEN), AssociateEvidence(Reply.ACCEPTED, verification=0))
    same = (TcpEvidence(TcpOutcome.OPEN), AssociateEvidence(Reply.ACCEPTED, verification=0))
    other = (TcpEvidence(TcpOutcome.OPEN), AssociateEvidence(Reply.ACCEPTED, verification=1))

    assert digest(one) == digest(same)
    assert digest(one) != digest(other)


def test_every_kind_of_evidence_that_probes_bring_occurs_in_the_made_up_scan() -> None:
    assert {type(evidence) for evidence in SCANNED} == set(typing.get_args(Evidence)) - {
        PassiveEvidence,
        SampleEvidence,
    }
    assert all(dataclasses.is_dataclass(evidence) for evidence in SEEN)


def test_passive_evidence_is_a_fact_for_each_thing_that_was_told() -> None:
    facts = {fact.id: fact.value for fact in facts_of(IMPORTED[1])}

    assert facts == {
        "passive/source": "censys",
        "passive/seen-at": "2026-11-02T00:00:00Z",
        "passive/speaks": "dicom",
        "passive/over-tls": True,
        "passive/implementation-class-uid": "1.2.276.0.7230010.3.0.3.6.7",
        "passive/implementation-version-name": "OFFIS_DCMTK_367",
        "passive/product": "Orthanc",
        "passive/certificate-sha256": "00" * 32,
    }
