"""However the clock runs and whenever the watch is looked at: no moment is left out, none comes twice."""

from __future__ import annotations

import datetime as dt
import zoneinfo

from hypothesis import given
from hypothesis import strategies as st

from leadglass.model.rung import Rung
from leadglass.model.verdict import Severity
from leadglass.settings.cron import cron
from leadglass.settings.watch_file import Schedule
from leadglass.watch.due import planned

BEGIN = 1_792_800_000
"""2026-10-24T00:00:00Z: a day before clocks go back in Berlin."""
STEPS = st.lists(st.integers(-30_000, 90_000), min_size=1, max_size=25)
CRONS = st.sampled_from(["0 * * * *", "30 2 * * *", "*/20 1-4 * * *", "0 6 * * mon"])


@given(text=CRONS, steps=STEPS)
def test_every_moment_that_the_clock_has_passed_is_planned_once(text: str, steps: list[int]) -> None:
    times = cron(text, zoneinfo.ZoneInfo("Europe/Berlin"))
    schedule = Schedule("s", "scope.toml", times, 0, 3600, Rung.SAMPLE, Severity.MEDIUM)
    now, mark = BEGIN, planned(schedule, None, BEGIN).mark
    given_once: set[int] = set()
    latest = BEGIN
    for step in steps:
        now += step
        plan = planned(schedule, mark, now)
        moments = [due.moment for due in plan.dues]
        assert len(set(moments)) == len(moments)
        assert all(moment <= now for moment in moments)
        given_once.update(moments)  # as the store does: one order for one moment
        mark, latest = plan.mark, max(latest, now)
        assert plan.passed_over == 0

    wanted = set()
    for moment in times.after(BEGIN):
        if moment > latest:
            break
        wanted.add(moment)
    assert wanted <= given_once
    assert all(dt.datetime.fromtimestamp(one, dt.UTC).second == 0 for one in given_once)
