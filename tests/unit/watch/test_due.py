"""Each moment of a schedule is planned once, whoever slept and however the clock runs."""

from __future__ import annotations

import dataclasses
import datetime as dt

from leadglass.model.rung import Rung
from leadglass.model.verdict import Severity
from leadglass.settings.cron import cron
from leadglass.settings.watch_file import Schedule
from leadglass.watch.due import due_at, next_due, planned

HOUR = 3600
NOON = 1_795_262_400
"""2026-11-21T12:00:00Z."""
HOURLY = Schedule("hourly", "scope.toml", cron("@hourly", dt.UTC), 0, 1800, Rung.SAMPLE, Severity.MEDIUM)


def test_a_schedule_begins_when_it_is_first_seen() -> None:
    plan = planned(HOURLY, None, NOON + 0.5)

    assert (plan.dues, plan.mark) == ((), NOON)


def test_each_moment_since_the_mark_is_due_with_its_window() -> None:
    plan = planned(HOURLY, NOON, NOON + 2 * HOUR)

    assert [(due.moment, due.at, due.until) for due in plan.dues] == [
        (NOON + HOUR, NOON + HOUR, NOON + HOUR + 1800),
        (NOON + 2 * HOUR, NOON + 2 * HOUR, NOON + 2 * HOUR + 1800),
    ]
    assert planned(HOURLY, plan.mark, NOON + 2 * HOUR + 1).dues == []


def test_a_clock_that_goes_back_takes_the_mark_along() -> None:
    plan = planned(HOURLY, NOON + 10 * HOUR, NOON)

    assert (plan.dues, plan.mark) == ((), NOON)


def test_a_long_sleep_is_planned_in_bounds() -> None:
    minutely = dataclasses.replace(HOURLY, cron=cron("* * * * *", dt.UTC))
    plan = planned(minutely, NOON, NOON + 365 * 24 * HOUR)

    assert len(plan.dues) + plan.passed_over == 10_000
    assert len(plan.dues) == 100
    assert plan.mark == plan.dues[-1].moment


def test_jitter_is_the_same_everywhere_and_within_its_bounds() -> None:
    jittered = dataclasses.replace(HOURLY, jitter=600)
    offsets = {due_at(jittered, NOON + hour * HOUR) - NOON - hour * HOUR for hour in range(50)}

    assert 0 <= min(offsets) < max(offsets) <= 600
    assert due_at(jittered, NOON) == due_at(dataclasses.replace(jittered), NOON)
    assert due_at(jittered, NOON) != due_at(dataclasses.replace(jittered, name="other"), NOON)
    assert next_due(jittered, NOON).moment == NOON + HOUR
