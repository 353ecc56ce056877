"""How much may be had, what is said when it is gone, and what a clock can do to it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from leadglass.access.budgets import MOST_DISTINCT, Budget, Limits, Measure, Spent, Totals, join, read_totals
from leadglass.errors import ConfigError
from leadglass.settings.guard import BudgetSettings

KEY = b"k" * 16
HOUR = 3600.0
NOW = 1_800_000_000.0
QUERIES, BYTES, PATIENTS, STUDIES = Measure.QUERIES, Measure.BYTES, Measure.PATIENTS, Measure.STUDIES


def budget(**limits: int) -> Budget:
    return Budget(Limits(HOUR, **limits), KEY)


def test_as_much_as_the_limit_may_be_had_and_no_more() -> None:
    found = budget(queries=3)
    answers = [found.spend(QUERIES, 1, NOW + n) for n in range(5)]

    assert [answer.allowed for answer in answers] == [True, True, True, False, False]
    assert found.left(QUERIES, NOW + 5) == 0


def test_what_was_had_comes_back_when_it_leaves_the_window() -> None:
    found = budget(queries=1)
    assert found.spend(QUERIES, 1, NOW).allowed

    assert not found.spend(QUERIES, 1, NOW + HOUR - 1).allowed
    assert found.spend(QUERIES, 1, NOW + HOUR * 62 / 60).allowed


@pytest.mark.parametrize("offset", range(0, 60, 7))
def test_a_patient_is_counted_until_its_window_is_over_whenever_it_began(offset: int) -> None:
    found = budget(patients=1)
    assert found.spend(PATIENTS, "a", NOW + offset).allowed

    assert not found.spend(PATIENTS, "b", NOW + offset + HOUR - 0.001).allowed
    assert found.spend(PATIENTS, "b", NOW + offset + HOUR * 62 / 60).allowed


def test_without_a_limit_nothing_is_counted() -> None:
    found = budget(queries=1)
    for n in range(100):
        assert found.spend(BYTES, 1 << 40, NOW) is Spent.WITHIN
        assert found.spend(PATIENTS, f"P{n}", NOW) is Spent.WITHIN

    assert found.left(BYTES, NOW) is None
    assert found.idle(NOW)
    assert found.snapshot() == {}


def test_a_limit_of_nothing_lets_nothing_through() -> None:
    assert budget(queries=0).spend(QUERIES, 1, NOW) is Spent.REFUSED
    assert budget(patients=0).spend(PATIENTS, "P", NOW) is Spent.REFUSED


def test_what_does_not_fit_is_not_counted() -> None:
    found = budget(bytes=100)

    assert found.spend(BYTES, 101, NOW) is Spent.REFUSED
    assert found.spend(BYTES, 60, NOW) is Spent.WITHIN
    assert found.spend(BYTES, 41, NOW) is Spent.REFUSED
    assert found.spend(BYTES, 40, NOW) is Spent.NEARLY
    assert found.left(BYTES, NOW) == 0


def test_measures_are_counted_apart() -> None:
    found = budget(queries=1, bytes=1, patients=1, studies=1)

    assert all(found.spend(m, 1, NOW).allowed for m in (QUERIES, BYTES))
    assert all(found.spend(m, "1", NOW).allowed for m in (PATIENTS, STUDIES))


# ---- distinct


def test_a_patient_counts_once_in_a_window() -> None:
    found = budget(patients=2)
    answers = [found.spend(PATIENTS, name, NOW).allowed for name in ("a", "b", "a", "c", "b")]

    assert answers == [True, True, True, False, True]


def test_a_patient_counts_for_a_window_from_when_it_was_last_seen() -> None:
    found = budget(patients=1)
    assert found.spend(PATIENTS, "a", NOW).allowed
    assert found.spend(PATIENTS, "a", NOW + HOUR / 2).allowed

    assert not found.spend(PATIENTS, "b", NOW + HOUR * 1.4).allowed
    assert found.spend(PATIENTS, "b", NOW + HOUR * 1.6).allowed


def test_no_patient_can_be_read_from_what_is_kept_or_shared() -> None:
    found = budget(patients=9)
    found.spend(PATIENTS, "PATIENT-77", NOW)
    (shared,) = found.snapshot().values()
    (kept,) = shared.seen[PATIENTS]

    assert "PATIENT" not in shared.as_json()
    assert 0 <= kept < 1 << 64
    other = Budget(Limits(HOUR, patients=9), b"l" * 16)
    other.spend(PATIENTS, "PATIENT-77", NOW)
    assert other.snapshot() != found.snapshot()


def test_an_identity_that_is_no_text_is_counted_as_well() -> None:
    assert budget(patients=1).spend(PATIENTS, "\udc80", NOW).allowed


def test_a_measure_takes_its_own_kind_only() -> None:
    found = budget(queries=1, patients=1)

    wrong: list[tuple[Measure, int | str]] = [(QUERIES, "a"), (PATIENTS, 1), (QUERIES, -1)]
    for measure, what in wrong:
        with pytest.raises(ValueError):
            found.spend(measure, what, NOW)


# ---- warning, emergency


def test_four_fifths_are_told_once() -> None:
    found = budget(queries=10)
    answers = [found.spend(QUERIES, 1, NOW) for _ in range(10)]

    assert [n for n, answer in enumerate(answers, 1) if answer is Spent.NEARLY] == [8]
    assert {answer for answer in answers if answer is not Spent.NEARLY} == {Spent.WITHIN}


@pytest.mark.parametrize("limit", [1, 2, 3, 5])
def test_small_limits_warn_before_they_refuse(limit: int) -> None:
    found = budget(studies=limit)
    answers = [found.spend(STUDIES, str(n), NOW) for n in range(limit + 1)]

    assert answers.count(Spent.NEARLY) == 1
    assert answers[-1] is Spent.REFUSED


def test_an_emergency_is_counted_and_never_refused() -> None:
    found = budget(queries=1, patients=1)
    for n in range(5):
        assert found.spend(QUERIES, 1, NOW, emergency=True).allowed
        assert found.spend(PATIENTS, f"P{n}", NOW, emergency=True).allowed

    assert found.spend(QUERIES, 1, NOW, emergency=True) is Spent.EXCUSED
    assert found.spend(QUERIES, 1, NOW) is Spent.REFUSED
    assert found.spend(PATIENTS, "another", NOW) is Spent.REFUSED
    assert found.spend(PATIENTS, "P4", NOW) is Spent.WITHIN
    assert found.left(QUERIES, NOW) == 0


# ---- clocks


def test_a_clock_that_is_set_back_forgives_nothing() -> None:
    found = budget(queries=1, patients=1)
    assert found.spend(QUERIES, 1, NOW).allowed
    assert found.spend(PATIENTS, "a", NOW).allowed

    for back in (1.0, HOUR / 2, HOUR * 10, NOW):
        assert not found.spend(QUERIES, 1, NOW - back).allowed
        assert not found.spend(PATIENTS, "b", NOW - back).allowed


def test_a_clock_that_was_far_ahead_for_a_moment_stops_nobody_for_long() -> None:
    found = budget(queries=1, patients=1)
    assert found.spend(QUERIES, 1, NOW + 1e9).allowed
    assert found.spend(PATIENTS, "a", NOW + 1e9).allowed

    assert not found.spend(QUERIES, 1, NOW).allowed
    assert not found.spend(PATIENTS, "b", NOW).allowed
    assert found.spend(QUERIES, 1, NOW + HOUR * 1.1).allowed
    assert found.spend(PATIENTS, "b", NOW + HOUR * 1.1).allowed


# ---- limits


@pytest.mark.parametrize("name", ["patients", "studies"])
def test_a_limit_that_would_take_too_much_memory_is_a_mistake(name: str) -> None:
    with pytest.raises(ConfigError, match=rf"\[budgets\] {name}: may be {MOST_DISTINCT} at most"):
        Limits(HOUR, **{name: MOST_DISTINCT + 1})


@pytest.mark.parametrize("window", [0.0, -1.0, 0.5, float("nan")])
def test_a_window_without_length_is_a_mistake(window: float) -> None:
    with pytest.raises(ConfigError, match="one second at least"):
        Limits(window)


def test_limits_and_measures_are_called_as_in_the_settings() -> None:
    settings = set(BudgetSettings.__dataclass_fields__)

    assert set(Limits.__dataclass_fields__) == settings
    assert {measure.value for measure in Measure} == settings - {"window"}


def test_memory_does_not_grow_with_refused_identities() -> None:
    found = budget(studies=10)
    for n in range(1000):
        found.spend(STUDIES, str(n), NOW)

    assert sum(len(totals.seen[STUDIES]) for totals in found.snapshot().values()) == 10


# ---- shared


def exchanged(*budgets: Budget, now: float = NOW) -> None:
    told = [found.snapshot() for found in budgets]
    for me, found in enumerate(budgets):
        others: dict[int, list[Totals]] = {}
        for totals in (snapshot for n, snapshot in enumerate(told) if n != me):
            for step, total in totals.items():
                others.setdefault(step, []).append(read_totals(total.as_json()))
        found.merge(others, now)


def test_what_others_spent_is_spent() -> None:
    one, two = budget(queries=3, patients=2), budget(queries=3, patients=2)
    one.spend(QUERIES, 2, NOW)
    one.spend(PATIENTS, "a", NOW)
    two.spend(PATIENTS, "a", NOW)
    exchanged(one, two)

    assert two.left(QUERIES, NOW) == 1
    assert two.left(PATIENTS, NOW) == 1
    assert two.spend(QUERIES, 2, NOW) is Spent.REFUSED
    assert one.left(QUERIES, NOW) == 1


def test_to_hear_the_same_again_changes_nothing() -> None:
    one, two = budget(queries=9), budget(queries=9)
    one.spend(QUERIES, 2, NOW)
    for _ in range(5):
        exchanged(one, two)

    assert (one.left(QUERIES, NOW), two.left(QUERIES, NOW)) == (7, 7)


def test_what_others_spent_leaves_the_window_as_well() -> None:
    one, two = budget(queries=2), budget(queries=2)
    one.spend(QUERIES, 2, NOW)
    exchanged(one, two)

    assert not two.spend(QUERIES, 1, NOW + HOUR / 2).allowed
    assert two.spend(QUERIES, 1, NOW + HOUR * 1.1).allowed


def test_others_whose_clock_is_far_ahead_stop_nobody() -> None:
    one, two = budget(queries=1), budget(queries=1)
    one.spend(QUERIES, 1, NOW + 1e9)
    exchanged(one, two)

    assert two.spend(QUERIES, 1, NOW).allowed


def test_a_snapshot_can_be_had_from_a_step_on() -> None:
    found = budget(queries=9)
    found.spend(QUERIES, 1, NOW)
    found.spend(QUERIES, 2, NOW + HOUR / 2)
    late = found.step(NOW + HOUR / 2)

    assert list(found.snapshot()) == [found.step(NOW), late]
    assert found.snapshot(since=late) == {late: Totals({QUERIES: 2})}


def test_totals_of_no_process_are_nothing() -> None:
    assert join([]) == Totals()


def test_a_budget_is_idle_when_its_window_is_empty() -> None:
    found = budget(queries=9)
    assert found.idle(NOW)
    found.spend(QUERIES, 1, NOW)

    assert not found.idle(NOW + HOUR / 2)
    assert found.idle(NOW + 2 * HOUR)


BAD: Mapping[str, str] = {
    "nothing": "",
    "no JSON": "{",
    "a list": "[]",
    "a number": "1",
    "a part missing": '{"amounts": {}}',
    "an unknown measure": '{"amounts": {"x": 1}, "seen": {}}',
    "an amount below nothing": '{"amounts": {"bytes": -1}, "seen": {}}',
    "an amount that is text": '{"amounts": {"bytes": "1"}, "seen": {}}',
    "an amount that is true": '{"amounts": {"bytes": true}, "seen": {}}',
    "an amount without end": '{"amounts": {"bytes": 1e400}, "seen": {}}',
    "a short hash": '{"amounts": {}, "seen": {"patients": ["ab"]}}',
    "a hash that is a number": '{"amounts": {}, "seen": {"patients": [1]}}',
    "seen is no list": '{"amounts": {}, "seen": {"patients": 1}}',
    "deep": "[" * 100_000,
}


@pytest.mark.parametrize("what", BAD)
def test_what_is_no_totals_is_refused(what: str) -> None:
    with pytest.raises(ValueError):
        read_totals(BAD[what])
