"""Every rule is documented, fires, and cites facts that a record holds."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from tests.source import ROOT
from tests.unit.judge.test_access import VECTORS
from tests.unit.judge.test_nature import SHOWN
from tests.unit.judge.test_passive import HEARSAY
from tests.unit.judge.test_severity import TABLE
from tests.unit.judge.test_stated import said, seen_at
from tests.unit.judge.test_tls import MEASURED
from tests.unit.judge.vectors import (
    OPEN,
    PYNETDICOM,
    SERVERS,
    accepted,
    asked,
    granted,
    page,
    rejected,
    verdict,
    web,
)

from leadglass.judge.judge import host
from leadglass.judge.rules import Rule
from leadglass.judge.stated import overruled
from leadglass.model.evidence import (
    Evidence,
    FeatureCount,
    QidoAnswer,
    Reply,
    SampleEvidence,
    TlsHelloEvidence,
    TlsOutcome,
    facts_of,
)
from leadglass.model.rung import Rung
from leadglass.model.verdict import Access, Data, Kind, Position, Severity, State
from leadglass.wire import uids

PAGE = (ROOT / "docs" / "reference" / "verdicts.md").read_text()
FINDS = granted(uids.STUDY_ROOT_FIND)

MORE: list[Sequence[Evidence]] = [
    [accepted(echo_status=0x0110)],
    [accepted(PYNETDICOM), FINDS, asked(0xA700)],
    [accepted(PYNETDICOM), FINDS, asked(None, Reply.SILENT)],
    [accepted(PYNETDICOM), asked(None, Reply.NOT_OFFERED, model=None)],
    [accepted(), granted(MPPS=4, CT_IMAGE_STORAGE=4)],
    [web(page(), qido=(QidoAnswer("/dicom-web/studies", 302),))],
    [web(page(), qido=(QidoAnswer("/dicom-web/studies", 404),))],
    [TlsHelloEvidence("old-versions", TlsOutcome.SERVER_HELLO, "TLSv1", "TLS_RSA_WITH_RC4_128_SHA")],
    [accepted(("1.2.3.4", "MINE", 16382))],
]
EVERYTHING: list[Sequence[Evidence]] = [
    *SERVERS.values(),
    *(vector[3] for vector in VECTORS),
    *(evidence for *_, evidence in MEASURED),
    *(evidence for _, evidence in SHOWN),
    *HEARSAY,
    *MORE,
]


SAMPLED: list[Evidence] = [
    accepted(),
    SampleEvidence(Reply.ANSWERED, studies=40, features=(FeatureCount("masked-names", 40),)),
]


def documented(heading: str) -> set[str]:
    """The words in the first column of the table under a heading."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return set(re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE))


def test_every_rule_is_documented_and_no_other() -> None:
    assert documented("rules") == {rule.value for rule in Rule}


def test_every_access_word_is_documented_and_no_other() -> None:
    assert documented("access") == {access.value for access in Access}


def test_every_state_is_documented_and_no_other() -> None:
    assert documented("capabilities") == {state.value for state in State}


def test_the_documented_severities_are_those_of_the_table() -> None:
    section = PAGE.split("\n## severity\n")[1].split("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| `")]
    said = {
        Access(word): tuple(Severity(re.match(r"\w+", grade)[0]) for grade in row[1:3])  # type: ignore[index]
        for row in rows
        for word in re.findall(r"`([^`]+)`", row[0])
    }

    assert said == TABLE


def test_every_rule_fires() -> None:
    fired = {reason.rule for evidence in EVERYTHING for reason in verdict(*evidence).reasons}
    sampled = verdict(*SAMPLED, rung=Rung.SAMPLE)
    fired |= {reason.rule for reason in sampled.reasons}
    one_host = host({11112: verdict(accepted()), 104: verdict(rejected(1, 1, 7))})
    fired |= {reason.rule for reason in one_host.reasons}
    otherwise = {kind: 0.96 if kind is Kind.CLINICAL else 0.008 for kind in Kind}
    stated = overruled(
        seen_at(nature=otherwise), said(nature=Kind.HONEYPOT, data=Data.SYNTHETIC), Position.OUTSIDE
    )
    fired |= {reason.rule for reason in stated.why()}

    assert fired == {rule.value for rule in Rule}


@pytest.mark.parametrize("evidence", EVERYTHING, ids=range(len(EVERYTHING)))
def test_a_reason_cites_facts_that_exist_and_nothing_twice(evidence: Sequence[Evidence]) -> None:
    numbered: dict[str, int] = {}
    facts = set()
    for item in evidence:
        numbered[item.probe] = numbered.get(item.probe, 0) + 1
        again = "" if numbered[item.probe] == 1 else f".{numbered[item.probe]}"
        facts |= {f"{item.probe}{again}/{fact.fact}" for fact in facts_of(item)}

    for reason in verdict(*evidence).reasons:
        assert set(reason.evidence) <= facts, reason
        assert len(set(reason.evidence)) == len(reason.evidence)
        assert reason.text
        assert not set("[]\n") & set(reason.text)


@pytest.mark.parametrize("evidence", EVERYTHING, ids=range(len(EVERYTHING)))
def test_the_reason_for_the_word_comes_first_and_stands_on_something(evidence: Sequence[Evidence]) -> None:
    first = verdict(*evidence).reasons[0]

    assert first.rule.startswith(("access.", "inconclusive."))
    assert first.evidence or not evidence


def test_a_question_that_was_asked_again_is_cited_by_its_number() -> None:
    first = verdict(OPEN, rejected(2, 3, 1), accepted()).reasons[0]

    assert first.evidence == ("associate.2/reply",)
