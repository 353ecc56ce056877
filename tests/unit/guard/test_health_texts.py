"""Health and metrics: numbers by name, never who or what."""

from __future__ import annotations

import json

import pytest

from leadglass.guard.health import is_counter, metrics, state_of


def test_every_number_has_its_help_and_its_type_and_begins_at_nothing() -> None:
    text = metrics({"associations": 3.0, "denied": 7.0, "workers": 2.0})

    assert "# TYPE leadglass_guard_associations gauge\nleadglass_guard_associations 3\n" in text
    assert "# TYPE leadglass_guard_denied_total counter\nleadglass_guard_denied_total 7\n" in text
    assert "\nleadglass_guard_over_budget_total 0\n" in text
    for line in text.splitlines():
        assert line.startswith(("# HELP leadglass_guard_", "# TYPE leadglass_guard_", "leadglass_guard_"))
    assert text.endswith("\n")


def test_each_problem_is_a_series_of_its_own() -> None:
    text = metrics({"workers": 1.0, "problem_state": 1.0, "problem_audit": 1.0})

    assert text.splitlines()[-2:] == [
        'leadglass_guard_problem{with="audit"} 1',
        'leadglass_guard_problem{with="state"} 1',
    ]
    assert "problem_state" not in text


@pytest.mark.parametrize(
    ("numbers", "status", "word"),
    [
        ({}, 503, "failing"),
        ({"workers": 0.0, "problem_state": 1.0}, 503, "failing"),
        ({"workers": 2.0}, 200, "ok"),
        ({"workers": 2.0, "associations": 4.0, "problem_policy": 1.0}, 200, "degraded"),
    ],
)
def test_a_guard_is_well_in_trouble_or_not_there(numbers: dict[str, float], status: int, word: str) -> None:
    told, body = state_of(numbers)

    assert told == status
    assert json.loads(body)["state"] == word
    assert json.loads(body)["problems"] == sorted(n[8:] for n in numbers if n.startswith("problem_"))
    assert json.loads(body)["associations"] == numbers.get("associations", 0)


def test_what_outlives_a_process_is_what_only_grows() -> None:
    assert [
        name
        for name in ("associations", "stale", "workers", "problem_state", "denied", "audit_lost")
        if is_counter(name)
    ] == [
        "denied",
        "audit_lost",
    ]
