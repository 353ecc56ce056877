"""Met, not met or unknown: each with what shows it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace

import pytest
from tests.unit.register.samples import TODAY, port, register, review, seen, system, taken

from leadglass.model.register import Level, Risk, Treatment
from leadglass.register.assessment import Assessment, Status, assessed
from leadglass.register.check import check
from leadglass.register.codec import Thing
from leadglass.register.requirements import PROFILES, profile

RISK = Risk("r", "archive", "t", "v", Level.LOW, Level.LOW, Treatment.ACCEPT, "Ada", TODAY)
CONTROLS = ("access-control", "audit", "authentication", "encryption-in-transit")
WHOLE: tuple[Thing, ...] = (
    system(controls=CONTROLS), review(next=TODAY), seen("192.0.2.10", port()), RISK, taken(),
)  # fmt: skip


def stands(*things: Thing, name: str = "hipaa") -> Mapping[str, Assessment]:
    made, asked = register(things), [profile(name)]
    found = assessed(made, asked, check(made, TODAY, asked), TODAY)
    return {one.standing.requirement.clause: one for one in found}


def test_where_all_is_there_each_requirement_is_met_by_evidence() -> None:
    for clause, one in stands(*WHOLE).items():
        assert one.status is Status.MET, clause
        assert one.evidence
        assert not one.missing
        assert all(said.endswith(".") for said in one.evidence)


def test_evidence_names_days_numbers_and_what_is_only_declared() -> None:
    found = stands(*WHOLE)

    assert "Risks written down: 1." in found["164.308(a)(1)(ii)(A)"].evidence
    assert f"the last began on {TODAY}, from inside." in found["164.312(a)(1)"].evidence[0]
    assert found["164.312(b)"].evidence == (
        "The one system in service is declared with audit; a declaration, not a test.",
    )


def test_what_is_found_against_a_requirement_leaves_no_evidence_for_it() -> None:
    one = stands(replace(system(controls=CONTROLS), owner=""), *WHOLE[1:])["164.308(a)(2)"]

    assert (one.status, one.evidence, one.missing) == (Status.NOT_MET, (), ())
    assert [each.about for each in one.standing.against] == ["archive"]


@pytest.mark.parametrize(
    ("things", "clause", "why"),
    [
        ((), "164.312(b)", "No system in service is declared."),
        ((system(retired=TODAY - dt.timedelta(days=1)),), "164.312(b)", "No system in service"),
        (WHOLE[:-1], "164.312(a)(1)", "The register was filled from no finished scan."),
        ((*WHOLE[:-1], taken(is_complete=False)), "164.312(a)(1)", "no finished scan"),
    ],
)
def test_what_nobody_looked_at_is_unknown_and_says_why(
    things: tuple[Thing, ...], clause: str, why: str
) -> None:
    one = stands(*things)[clause]

    assert one.status is Status.UNKNOWN
    assert any(why in said for said in one.missing)


@pytest.mark.parametrize("name", PROFILES)
def test_every_requirement_of_every_profile_can_be_assessed(name: str) -> None:
    assert stands(*WHOLE, name=name)
