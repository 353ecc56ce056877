"""Windows on the wall clock: over midnight, through clock changes, until the last day."""

from __future__ import annotations

import datetime as dt
import math

import pytest
from tests.unit.scope.building import at

from leadglass.scope.hours import Calendar, Stretch, end_of_day, load_zone, parse_hours

BERLIN = load_zone("Europe/Berlin")
NIGHT = parse_hours("20:00-05:00", BERLIN)


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-11-21T19:59:59+01:00", False),
        ("2026-11-21T20:00:00+01:00", True),
        ("2026-11-21T23:59:59+01:00", True),
        ("2026-11-22T00:00:00+01:00", True),
        ("2026-11-22T04:59:59+01:00", True),
        ("2026-11-22T05:00:00+01:00", False),
        ("2026-11-22T12:00:00+01:00", False),
        ("2026-07-01T19:30:00+02:00", False),
        ("2026-07-01T20:00:00+02:00", True),
    ],
)
def test_a_window_over_midnight_is_open_at_night(moment: str, is_open: bool) -> None:
    assert NIGHT.open_at(at(moment)) is is_open


@pytest.mark.parametrize(
    ("window", "moment", "change"),
    [
        ("20:00-05:00", "2026-11-21T12:00:00+01:00", "2026-11-21T20:00:00+01:00"),
        ("20:00-05:00", "2026-11-21T22:00:00+01:00", "2026-11-22T05:00:00+01:00"),
        ("20:00-05:00", "2026-11-21T20:00:00.250000+01:00", "2026-11-22T05:00:00+01:00"),
        ("08:00-17:00", "2026-11-21T08:00:00+01:00", "2026-11-21T17:00:00+01:00"),
        ("08:00-17:00", "2026-11-21T17:00:00+01:00", "2026-11-22T08:00:00+01:00"),
        ("18:00-24:00", "2026-11-21T18:00:00+01:00", "2026-11-22T00:00:00+01:00"),
        # 2026-03-29: 02:00 becomes 03:00. The night is an hour shorter.
        ("20:00-05:00", "2026-03-28T22:00:00+01:00", "2026-03-29T05:00:00+02:00"),
        # The window ends in the hour that is skipped: it closes when the clock jumps over its end.
        ("20:00-02:30", "2026-03-28T22:00:00+01:00", "2026-03-29T03:00:00+02:00"),
        # The window begins in the hour that is skipped.
        ("02:30-04:00", "2026-03-29T00:00:00+01:00", "2026-03-29T03:00:00+02:00"),
        # The whole window is skipped: it opens the next day.
        ("02:10-02:50", "2026-03-29T00:00:00+01:00", "2026-03-30T02:10:00+02:00"),
        # 2026-10-25: 03:00 becomes 02:00. The window's end comes twice ...
        ("20:00-02:30", "2026-10-24T22:00:00+02:00", "2026-10-25T02:30:00+02:00"),
        # ... and the second time the window opens again when the clock is put back.
        ("20:00-02:30", "2026-10-25T02:40:00+02:00", "2026-10-25T02:00:00+01:00"),
        ("20:00-02:30", "2026-10-25T02:10:00+01:00", "2026-10-25T02:30:00+01:00"),
    ],
)
def test_the_next_change_is_when_the_wall_clock_says_so(window: str, moment: str, change: str) -> None:
    assert parse_hours(window, BERLIN).next_change(at(moment)) == at(change)


@pytest.mark.parametrize(
    "zone", ["Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]
)
@pytest.mark.parametrize(
    "window", ["20:00-05:00", "02:10-02:20", "00:00-24:00", "23:30-00:15", "01:45-01:44"]
)
def test_the_next_change_agrees_with_trying_every_minute(zone: str, window: str) -> None:
    hours = parse_hours(window, load_zone(zone))
    for start in ("2026-03-28T09:00+00:00", "2026-10-24T09:00+00:00", "2026-04-04T09:00+00:00"):
        moment = at(start)
        tried = (moment + 60 * minutes for minutes in range(1, 3 * 24 * 60))
        change = next((then for then in tried if hours.open_at(then) is not hours.open_at(moment)), math.inf)

        assert hours.next_change(moment) == change


@pytest.mark.parametrize(
    "text",
    [
        "",
        "20:00",
        "20-05",
        "8:00-17:00",
        "20:00 - 05:00",
        "24:00-05:00",
        "25:00-05:00",
        "20:60-05:00",
        "20:00-24:01",
        "20:00-20:00",
        "20:00-05:00 CET",
        "20:00-05:00\n06:00-07:00",
    ],
)
def test_anything_else_is_no_window(text: str) -> None:
    with pytest.raises(ValueError):
        parse_hours(text, dt.UTC)


@pytest.mark.parametrize(
    "name", ["", "Berlin", "Europe", "../../etc/passwd", "/etc/localtime", "Europe/Berlin\0", "tzdata.zi"]
)
def test_a_zone_that_does_not_exist_is_an_error(name: str) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        load_zone(name)


def test_a_day_ends_at_midnight_of_its_zone() -> None:
    assert end_of_day(dt.date(2027, 1, 31), dt.UTC) == at("2027-02-01T00:00:00+00:00")
    assert end_of_day(dt.date(2027, 1, 31), BERLIN) == at("2027-02-01T00:00:00+01:00")
    assert end_of_day(dt.date(2026, 3, 29), BERLIN) == at("2026-03-30T00:00:00+02:00")
    assert end_of_day(dt.date.max, BERLIN) == math.inf
    assert end_of_day(dt.date.min, BERLIN) < 0


def test_a_calendar_without_hours_is_open_until_it_expires() -> None:
    calendar = Calendar(1000.0, None)

    assert calendar.at(999.9) == Stretch(-math.inf, 1000.0, is_open=True)
    assert not calendar.at(1000.0).is_open
    assert calendar.at(999.9).is_open, "an answer for one moment must not stick to another"


def test_a_calendar_closes_at_the_hours_or_at_expiry_whichever_is_first() -> None:
    moment = at("2026-11-21T22:00:00+01:00")
    closing, earlier = at("2026-11-22T05:00:00+01:00"), at("2026-11-22T00:00:00+01:00")

    assert Calendar(None, NIGHT).at(moment).until == closing
    assert Calendar(earlier, NIGHT).at(moment).until == earlier
    assert Calendar(closing + 5, NIGHT).at(moment).until == closing


def test_a_calendar_gives_the_same_answers_forwards_and_backwards() -> None:
    moments = [at("2026-10-24T09:00+00:00") + 613 * step for step in range(300)]
    calendar = Calendar(moments[-20], NIGHT)
    forwards = [calendar.at(moment).is_open for moment in moments]

    assert [calendar.at(moment).is_open for moment in reversed(moments)] == forwards[::-1]
    assert forwards == [NIGHT.open_at(moment) and moment < moments[-20] for moment in moments]
