"""The whole table: access by vantage by likelihood of a honeypot by data."""

from __future__ import annotations

from itertools import product

import pytest
from tests.unit.judge.vectors import SERVERS, verdict

from leadglass.judge.nature import prior
from leadglass.judge.severity import severity
from leadglass.model.verdict import Access, Data, Kind, Nature, Position, Severity

PLAIN = Nature(prior(), prior())
TRAP = Nature({kind: 0.85 if kind is Kind.HONEYPOT else 0.03 for kind in Kind}, prior())
HARMLESS = frozenset({Data.SYNTHETIC, Data.NON_HUMAN})
P, S = Position, Severity

TABLE: dict[Access, tuple[Severity, Severity]] = {
    Access.ANSWERS_QUERY: (S.CRITICAL, S.HIGH),
    Access.OFFERS_QUERY: (S.HIGH, S.MEDIUM),
    Access.OFFERS_STORAGE: (S.HIGH, S.MEDIUM),
    Access.ASSOCIATES: (S.MEDIUM, S.LOW),
    Access.VERIFICATION_ONLY: (S.LOW, S.LOW),
    Access.WANTS_TITLE: (S.MEDIUM, S.LOW),
    Access.DEMANDS_LOGIN: (S.LOW, S.NONE),
    Access.DEMANDS_CERTIFICATE: (S.NONE, S.NONE),
    Access.INCONCLUSIVE: (S.NONE, S.NONE),
    Access.NOT_DICOM: (S.NONE, S.NONE),
    Access.FILTERED: (S.NONE, S.NONE),
    Access.CLOSED: (S.NONE, S.NONE),
}
"""Outside and inside; an undeclared place counts as outside."""
MILDER = {S.CRITICAL: S.HIGH, S.HIGH: S.MEDIUM, S.MEDIUM: S.LOW, S.LOW: S.LOW, S.NONE: S.NONE}


def test_the_table_knows_every_word() -> None:
    assert set(TABLE) == set(Access)


@pytest.mark.parametrize(("access", "position"), list(product(Access, Position)))
def test_every_word_has_its_severity_from_every_vantage(access: Access, position: Position) -> None:
    assert severity(access, position, PLAIN, Data.UNKNOWN).severity is TABLE[access][position is P.INSIDE]


@pytest.mark.parametrize(
    ("access", "position", "nature", "data"), list(product(Access, Position, (PLAIN, TRAP), Data))
)
def test_the_whole_product_is_the_table_or_one_step_milder(
    access: Access, position: Position, nature: Nature, data: Data
) -> None:
    before = TABLE[access][position is P.INSIDE]
    lowered = nature is TRAP or data in HARMLESS

    graded = severity(access, position, nature, data)

    assert graded.severity is (MILDER[before] if lowered else before)
    assert ("severity.lowered" in {r.rule for r in graded.reasons}) == (graded.severity is not before)


@pytest.mark.parametrize("position", Position)
def test_a_worse_word_is_never_milder(position: Position) -> None:
    from_worst = [
        severity(access, position, PLAIN, Data.UNKNOWN).severity.rank
        for access in Access
        if access not in (Access.VERIFICATION_ONLY, Access.WANTS_TITLE, Access.INCONCLUSIVE)
    ]

    assert from_worst == sorted(from_worst)


@pytest.mark.parametrize("access", Access)
def test_inside_is_never_worse_than_outside(access: Access) -> None:
    ranks = {p: severity(access, p, PLAIN, Data.UNKNOWN).severity.rank for p in Position}

    assert ranks[P.INSIDE] >= ranks[P.OUTSIDE] == ranks[P.UNKNOWN]


def test_a_title_is_not_counted_as_protection() -> None:
    assert severity(Access.WANTS_TITLE, P.OUTSIDE, PLAIN, Data.UNKNOWN).severity is Severity.MEDIUM


def test_a_likely_honeypot_is_one_step_milder_and_the_reason_is_said() -> None:
    seen = verdict(*SERVERS["dicompot"], position=P.OUTSIDE)

    assert (seen.access, seen.severity) == (Access.ANSWERS_QUERY, Severity.HIGH)
    assert "severity.lowered" in {reason.rule for reason in seen.reasons}
