"""When a scope is open: ``20:00-05:00`` on the wall clock of a time zone, and the day it ends.

The rule is what a person would read off the wall: the scope is open when the local time of day
lies in the window, so an hour that a clock change skips is not there and an hour that it repeats
counts twice. Nothing here knows the time; every question carries its moment (POSIX seconds).
"""

from __future__ import annotations

import datetime as dt
import math
import re
import zoneinfo
from dataclasses import dataclass

__all__ = ["Calendar", "Hours", "Stretch", "end_of_day", "load_zone", "parse_hours"]

_DAY = 24 * 60 * 60
_HOURS = re.compile(r"([0-9]{2}):([0-9]{2})-([0-9]{2}):([0-9]{2})")


@dataclass(frozen=True, slots=True)
class Hours:
    """A daily window on the wall clock, from ``opens`` up to but not including ``closes``.

    Both in seconds since local midnight; ``closes`` before ``opens`` runs over midnight.
    """

    opens: int
    closes: int
    zone: dt.tzinfo

    def open_at(self, moment: float) -> bool:
        """Whether the wall clock shows a time within the window."""
        clock = self._clock(moment)
        if self.opens < self.closes:
            return self.opens <= clock < self.closes
        return clock >= self.opens or clock < self.closes

    def next_change(self, moment: float) -> float:
        """The first moment after ``moment`` at which the window opens or closes; infinity if it never does."""
        if self.closes - self.opens == _DAY:
            return math.inf
        state, at = self.open_at(moment), math.floor(moment)
        while True:
            at = self._next_jump(at)
            if self.open_at(at) is not state:
                return at

    def _next_jump(self, moment: int) -> int:
        # The next edge of the window by the present offset, or an earlier change of the offset.
        clock = self._clock(moment)
        edge = moment + min((edge - clock) % _DAY or _DAY for edge in (self.opens, self.closes))
        offset = self._offset(moment)
        if self._offset(edge) == offset:
            return edge
        before, after = moment, edge
        while after - before > 1:
            middle = (before + after) // 2
            before, after = (middle, after) if self._offset(middle) == offset else (before, middle)
        return after

    def _clock(self, moment: float) -> int:
        local = dt.datetime.fromtimestamp(math.floor(moment), self.zone)
        return local.hour * 3600 + local.minute * 60 + local.second

    def _offset(self, moment: int) -> dt.timedelta | None:
        return dt.datetime.fromtimestamp(moment, self.zone).utcoffset()


@dataclass(frozen=True, slots=True)
class Stretch:
    """From ``since`` up to but not including ``until`` the answer is ``is_open``."""

    since: float
    until: float
    is_open: bool


class Calendar:
    """Expiry and hours together. Remembers its last answer, which depends on the moment alone."""

    __slots__ = ("_last", "expires", "hours")

    def __init__(self, expires: float | None, hours: Hours | None) -> None:
        self.expires = math.inf if expires is None else expires
        self.hours = hours
        self._last = Stretch(math.inf, -math.inf, is_open=False)

    def at(self, moment: float) -> Stretch:
        """The stretch that ``moment`` lies in."""
        last = self._last
        if not last.since <= moment < last.until:
            last = self._last = self._stretch(moment)
        return last

    def _stretch(self, moment: float) -> Stretch:
        if moment >= self.expires:
            return Stretch(self.expires, math.inf, is_open=False)
        if self.hours is None:
            return Stretch(-math.inf, self.expires, is_open=True)
        change = min(self.hours.next_change(moment), self.expires)
        return Stretch(moment, change, is_open=self.hours.open_at(moment))


def parse_hours(text: str, zone: dt.tzinfo) -> Hours:
    """The window ``20:00-05:00``; ``ValueError`` if it is not like that, or is empty."""
    match = _HOURS.fullmatch(text.strip())
    if match is None:
        raise ValueError(f'{text!r} is no window; write it as "20:00-05:00"')
    opens, closes = _seconds(match[1], match[2]), _seconds(match[3], match[4])
    if opens in (closes, _DAY):
        raise ValueError(f'{text!r} is empty; leave hours out, or write "00:00-24:00", for the whole day')
    return Hours(opens, closes, zone)


def load_zone(name: str) -> dt.tzinfo:
    """The time zone called ``name`` in the IANA database; ``ValueError`` if there is none."""
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as exc:
        raise ValueError(f'no time zone is called {name!r}; write one such as "Europe/Berlin"') from exc


def end_of_day(day: dt.date, zone: dt.tzinfo) -> float:
    """The moment at which ``day`` is over on the wall clock of ``zone``."""
    if day == dt.date.max:
        return math.inf
    tomorrow = dt.datetime.combine(day, dt.time(), zone) + dt.timedelta(days=1)
    return tomorrow.timestamp()


def _seconds(hour: str, minute: str) -> int:
    seconds = int(hour) * 3600 + int(minute) * 60
    if int(minute) > 59 or seconds > _DAY:
        raise ValueError(f"{hour}:{minute} is no time of day")
    return seconds
