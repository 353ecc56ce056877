"""When schedules are due, also on the days when clocks change."""

from __future__ import annotations

import datetime as dt
import itertools
import zoneinfo

import pytest

from leadglass.settings.cron import cron

BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")


def times(text: str, begin: dt.datetime, count: int) -> list[str]:
    moments = itertools.islice(cron(text, BERLIN).after(begin.timestamp()), count)
    return [dt.datetime.fromtimestamp(moment, BERLIN).strftime("%m-%d %H:%M%z") for moment in moments]


def test_a_time_that_clocks_jump_over_comes_at_the_first_one_after_it() -> None:
    begin = dt.datetime(2026, 3, 28, 3, tzinfo=BERLIN)

    assert times("30 2 * * *", begin, 2) == ["03-29 03:00+0200", "03-30 02:30+0200"]


def test_a_time_that_clocks_show_twice_comes_once() -> None:
    begin = dt.datetime(2026, 10, 24, 3, tzinfo=BERLIN)

    assert times("30 2 * * *", begin, 2) == ["10-25 02:30+0200", "10-26 02:30+0100"]


def test_every_hour_comes_every_hour_also_where_clocks_show_it_twice() -> None:
    begin = dt.datetime(2026, 10, 25, 1, 30, tzinfo=BERLIN)

    assert times("0 * * * *", begin, 3) == ["10-25 02:00+0200", "10-25 02:00+0100", "10-25 03:00+0100"]


def test_names_of_days_and_of_schedules_are_known() -> None:
    begin = dt.datetime(2026, 11, 21, tzinfo=BERLIN)

    assert times("0 6 * * mon", begin, 1) == ["11-23 06:00+0100"]
    assert times("@weekly", begin, 1) == ["11-22 00:00+0100"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "* * * *",
        "* * * * * *",
        "61 * * * *",
        "0 0 31 2 *",
        "R * * * *",
        "H H * * *",
        "@reboot",
        "0 0 * * x",
    ],
)
def test_what_is_no_schedule_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no schedule"):
        cron(text, dt.UTC)
