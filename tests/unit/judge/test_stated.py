"""An owner's word overrules the evidence, and what it overrules stays in sight."""

from __future__ import annotations

import json

import pytest
from tests.unit.judge.vectors import accepted, verdict

from leadglass.judge.explain import explain
from leadglass.judge.severity import severity
from leadglass.judge.stated import overruled
from leadglass.model.endpoint import Endpoint
from leadglass.model.evidence import TcpEvidence, TcpOutcome
from leadglass.model.finding import Cause
from leadglass.model.record import ScanRecord, read_record, record
from leadglass.model.rung import Rung
from leadglass.model.statement import Statement, standing
from leadglass.model.verdict import Access, Data, Kind, Nature, Position, Vantage

MAY = 1_777_800_000
"""3 May 2026."""


def said(
    nature: Kind | None = None,
    data: Data | None = None,
    cause: Cause | None = None,
    *,
    number: int = 1,
    port: int | None = None,
    at: int = MAY,
    reference: str = "letter",
) -> Statement:
    return Statement(number, "192.0.2.7", port, nature, data, cause, "Dr. Example", reference, at)


def seen_at(**changes: object) -> ScanRecord:
    """A server that lets everybody in, seen from outside."""
    return record(
        scan="01J",
        observed_at=MAY,
        endpoint=Endpoint("192.0.2.7", 104, None),
        vantage=Vantage("198.51.100.7", Position.OUTSIDE),
        rung=Rung.BLANK_QUERY,
        evidence=(accepted(),),
        verdict=verdict(accepted()),
    ).model_copy(update=changes)


@pytest.mark.parametrize("access", [word for word in Access if word.rank < Access.NOT_DICOM.rank])
@pytest.mark.parametrize("data", Data)
@pytest.mark.parametrize("nature", [None, Kind.CLINICAL, Kind.HONEYPOT])
@pytest.mark.parametrize("position", Position)
def test_severity_is_what_the_table_says_of_the_owners_words(
    access: Access, data: Data, nature: Kind | None, position: Position
) -> None:
    before = seen_at(access=access, data=Data.IDENTIFIABLE)
    known = before.nature if nature is None else {kind: float(kind is nature) for kind in Kind}

    after = overruled(before, said(nature, data), position)

    graded = severity(access, position, Nature(known, before.nature_prior), data)
    assert after.severity is graded.severity
    assert [why.rule for why in after.why() if why.rule.startswith("severity.")] == [
        why.rule for why in graded.reasons
    ]


def test_what_the_evidence_says_stays_as_it_was() -> None:
    before = seen_at()
    after = overruled(before, said(Kind.TEACHING, Data.DE_IDENTIFIED, Cause.FORGOTTEN), Position.OUTSIDE)

    assert after.stated is not None
    assert (after.stated.nature, after.stated.by, after.stated.on.isoformat()) == (
        Kind.TEACHING,
        "Dr. Example",
        "2026-05-03",
    )
    for name in ("nature", "nature_prior", "nature_settled", "data", "access", "evidence", "advice"):
        assert getattr(after, name) == getattr(before, name)


def test_a_contradiction_is_told_and_agreement_is_not() -> None:
    shares = {kind: 0.96 if kind is Kind.CLINICAL else 0.008 for kind in Kind}
    before = seen_at(nature=shares, nature_settled=True, data=Data.IDENTIFIABLE)

    against = overruled(before, said(Kind.DEMO, Data.SYNTHETIC), Position.OUTSIDE)
    along = overruled(before, said(Kind.CLINICAL, Data.IDENTIFIABLE), Position.OUTSIDE)

    assert against.stated is not None
    assert against.stated.contradicts == (
        "stated demo, but a sample settled clinical (96%)",
        "stated synthetic data, but a sample found them identifiable",
    )
    assert [why.rule for why in against.why()].count("owner.contradicted") == 2
    assert along.stated is not None
    assert along.stated.contradicts == ()


def test_nobodys_word_makes_a_server_where_nothing_answers() -> None:
    closed = record(
        scan="01J",
        observed_at=MAY,
        endpoint=Endpoint("192.0.2.7", 104, None),
        vantage=Vantage(None, Position.OUTSIDE),
        rung=Rung.CONNECT,
        evidence=(TcpEvidence(TcpOutcome.REFUSED),),
        verdict=verdict(TcpEvidence(TcpOutcome.REFUSED)),
    )

    assert overruled(closed, said(Kind.CLINICAL), Position.OUTSIDE) is closed


def test_a_record_without_an_owners_word_has_no_field_for_it_and_one_with_it_is_read_back() -> None:
    plain = seen_at()
    told = overruled(plain, said(Kind.DEMO, reference="ticket [7]"), Position.OUTSIDE)

    assert "stated" not in json.loads(plain.line())
    assert read_record(told.line()) == told
    assert [why.evidence for why in told.why() if why.rule == "owner.stated"] == [()]


def test_an_explanation_reckons_with_the_owners_word_and_finds_no_change() -> None:
    told = overruled(seen_at(), said(Kind.HONEYPOT, Data.SYNTHETIC), Position.OUTSIDE)

    explained = explain(told)

    assert explained.changes == ()
    assert explained.verdict.severity is told.severity
    assert "owner.stated" in {ruling.reason.rule for ruling in (*explained.decided, *explained.others)}


def test_one_on_the_port_goes_before_one_on_the_address_and_a_later_before_an_earlier() -> None:
    early, late = said(Kind.DEMO, number=1), said(Kind.TEACHING, number=2, at=MAY + 1)
    on_port = said(Kind.CLINICAL, number=3, port=104, at=MAY - 1)

    assert standing([early, late], 104) == late
    assert standing([late, on_port, early], 104) == on_port
    assert standing([late, on_port], 11112) == late
    assert standing([], 104) is None
