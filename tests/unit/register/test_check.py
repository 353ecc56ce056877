"""Declared and observed side by side: every disagreement is told once, and agreement is silent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import pytest
from tests.unit.register.samples import TODAY, port, register, review, seen, system, taken

from leadglass.model.register import Level, Management, Manager, Outcome, Risk, Treatment
from leadglass.model.verdict import Access, Position, Severity
from leadglass.register.check import ADVICE, Disagreement, Rule, check
from leadglass.register.codec import Thing
from leadglass.register.requirements import PROFILES, profile
from leadglass.register.standing import standing

YESTERDAY = TODAY - dt.timedelta(days=1)
RISK = Risk("r", "archive", "t", "v", Level.LOW, Level.LOW, Treatment.ACCEPT, "Ada", TODAY)
AGREEING: Sequence[Thing] = (system(), review(), seen("192.0.2.10", port()))


def found(*things: Thing) -> list[tuple[Rule, str]]:
    return [(one.rule, one.about) for one in check(register(things), TODAY)]


def test_where_all_agrees_nothing_is_said() -> None:
    assert found(*AGREEING, RISK) == []


def test_every_rule_has_advice() -> None:
    assert set(ADVICE) == set(Rule)


# ---- observed


def test_a_server_that_nobody_declared_is_told_and_never_as_a_small_matter() -> None:
    stranger = seen("192.0.2.99", port(severity=Severity.NONE), port(80, Access.NOT_DICOM))

    (one,) = check(register([*AGREEING, stranger]), TODAY)

    assert one == Disagreement(
        Rule.UNKNOWN_SERVER,
        "192.0.2.99",
        "seen and not declared: 104 wants-title",
        Severity.MEDIUM,
        which="inside",
    )


def test_what_is_no_server_needs_no_declaration() -> None:
    assert found(*AGREEING, seen("192.0.2.99", port(80, Access.NOT_DICOM))) == []


def test_a_server_may_be_declared_by_its_name() -> None:
    named = system(addresses=("pacs.example",))

    assert found(named, review(), seen("192.0.2.77", port(), name="pacs.example")) == []


def test_a_server_that_shows_what_only_a_declared_one_showed_has_moved() -> None:
    silent = seen("192.0.2.10", identity="aa", answered=1)
    elsewhere = seen("192.0.2.11", port(), identity="aa")

    assert found(system(), review(), silent, elsewhere) == [
        (Rule.GONE, "archive"),
        (Rule.MOVED, "192.0.2.11"),
    ]


@pytest.mark.parametrize(
    ("position", "answered", "is_gone"),
    [
        (Position.INSIDE, None, True),
        (Position.UNKNOWN, None, True),
        (Position.OUTSIDE, 1, True),
        # That the internet has never reached it is as it should be.
        (Position.OUTSIDE, None, False),
    ],
)
def test_silence_tells_that_a_server_is_gone_where_it_should_answer(
    position: Position, answered: int | None, is_gone: bool
) -> None:
    silent = seen("192.0.2.10", position=position, answered=answered)

    assert ((Rule.GONE, "archive") in found(system(), review(), silent)) is is_gone


def test_a_server_is_not_gone_that_answers_on_another_side() -> None:
    outside = seen("192.0.2.10", position=Position.OUTSIDE, answered=1)

    assert found(*AGREEING, outside) == []


def test_a_server_that_was_never_looked_at_is_told() -> None:
    assert found(system(), review()) == [(Rule.NEVER_LOOKED_AT, "archive")]


@pytest.mark.parametrize("ports", [(), (11112,)])
def test_a_port_that_is_not_declared_is_told(ports: tuple[int, ...]) -> None:
    assert found(system(ports=ports), review(), seen("192.0.2.10", port())) == [
        (Rule.PORT_NOT_ALLOWED, "archive")
    ]


def test_a_declared_port_may_be_closed() -> None:
    assert found(system(ports=(104, 11112)), review(), seen("192.0.2.10", port())) == []


def test_of_a_retired_system_only_an_answer_is_told() -> None:
    retired = system(retired=YESTERDAY, owner="", manager=None)

    assert found(retired, seen("192.0.2.10")) == []
    assert found(retired, seen("192.0.2.10", port())) == [(Rule.RETIRED_ANSWERS, "archive")]


# ---- declared


@pytest.mark.parametrize(
    ("manager", "rule"),
    [
        (None, Rule.NO_MANAGER),
        (Manager(Management.BUSINESS_ASSOCIATE, "X"), Rule.NO_AGREEMENT),
        (Manager(Management.VENDOR, "X", "A-1", YESTERDAY), Rule.AGREEMENT_EXPIRED),
    ],
)
def test_what_is_missing_of_a_manager_is_told(manager: Manager | None, rule: Rule) -> None:
    assert found(system(manager=manager), *AGREEING[1:]) == [(rule, "archive")]


def test_an_agreement_holds_to_the_end_of_its_last_day() -> None:
    assert found(system(manager=Manager(Management.VENDOR, "X", "A-1", TODAY)), *AGREEING[1:]) == []


def test_a_system_without_an_owner_is_told() -> None:
    assert found(system(owner=""), *AGREEING[1:]) == [(Rule.NO_OWNER, "archive")]


@pytest.mark.parametrize(
    ("reviews", "rules"),
    [
        ([], [Rule.NEVER_REVIEWED]),
        ([review(next=YESTERDAY)], [Rule.REVIEW_OVERDUE]),
        ([review(next=TODAY)], []),
        ([review(outcome=Outcome.GAPS)], [Rule.REVIEW_FAILED]),
        # The latest counts.
        ([review(on=YESTERDAY, outcome=Outcome.FAILED, next=YESTERDAY), review()], []),
        ([review("other")], [Rule.NEVER_REVIEWED]),
    ],
)
def test_reviews_that_are_due_or_found_gaps_are_told(reviews: list[Thing], rules: list[Rule]) -> None:
    assert [rule for rule, _ in found(AGREEING[0], AGREEING[2], *reviews)] == rules


@pytest.mark.parametrize(
    ("treatment", "until", "rules"),
    [
        (None, None, [Rule.RISK_UNTREATED]),
        (Treatment.ACCEPT, YESTERDAY, [Rule.ACCEPTANCE_EXPIRED]),
        (Treatment.MITIGATE, YESTERDAY, [Rule.TREATMENT_OVERDUE]),
        (Treatment.TRANSFER, None, []),
    ],
)
def test_risks_that_nobody_decided_about_or_that_are_overdue_are_told(
    treatment: Treatment | None, until: dt.date | None, rules: list[Rule]
) -> None:
    risk = Risk("r", "archive", "t", "v", Level.LOW, Level.LOW, treatment, "Ada", until)

    assert [rule for rule, _ in found(*AGREEING, risk)] == rules


# ---- requirements


def test_without_a_profile_nothing_is_asked_that_only_requirements_ask() -> None:
    assert found(*AGREEING) == []


def test_controls_that_a_profile_asks_for_are_told_one_by_one() -> None:
    things = register([system(controls=("audit", "authentication")), *AGREEING[1:], RISK])

    missing = {one.control for one in check(things, TODAY, [profile("hipaa")])}

    assert missing == {"access-control", "encryption-in-transit"}


def test_the_proposed_changes_ask_for_yearly_reviews_and_half_yearly_scans() -> None:
    controls = ("segmentation", "encryption-at-rest", "encryption-in-transit", "mfa")
    things = [system(controls=controls), AGREEING[2], RISK]
    year, half = TODAY - dt.timedelta(days=366), 184 * 86_400
    proposed = [profile("hipaa-2025")]

    late = check(register([*things, review(on=year), taken(began=taken().began - half)]), TODAY, proposed)
    fine = check(register([*things, review(), taken()]), TODAY, proposed)
    unfinished = check(register([*things, review(), taken(is_complete=False)]), TODAY, proposed)

    assert [one.rule for one in late] == [Rule.INVENTORY_OLD, Rule.SCAN_OLD]
    assert fine == []
    assert [one.rule for one in unfinished] == [Rule.SCAN_OLD]


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_has_rows_with_sources_and_only_rules_that_exist(name: str) -> None:
    rows = profile(name).rows

    assert rows
    for row in rows:
        assert row.source.startswith("https://")
        assert row.title
        assert row.asks.endswith(".")
        assert set(row.rules) <= set(Rule)
        assert row.rules or row.controls or row.inventory_days or row.scan_days


def test_what_speaks_against_a_requirement_is_found_with_it() -> None:
    chosen = [profile("hipaa"), profile("hipaa-2025")]
    things = register([system(owner="", controls=("audit",)), *AGREEING[1:], RISK])

    stands = {one.requirement.clause: one for one in standing(chosen, check(things, TODAY, chosen))}

    assert [one.rule for one in stands["164.308(a)(2)"].against] == [Rule.NO_OWNER]
    assert [one.control for one in stands["164.312(f) proposed"].against] == ["mfa"]
    assert stands["164.312(b)"].against == ()
    assert [one.rule for one in stands["164.312(h) proposed"].against] == [Rule.SCAN_OLD]
    assert len(stands) == sum(len(one.rows) for one in chosen)
