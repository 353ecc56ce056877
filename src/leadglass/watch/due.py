"""When a schedule is due: each moment once, however the clock runs and whoever slept."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from leadglass.settings.watch_file import Schedule

__all__ = ["Due", "Planned", "due_at", "next_due", "planned"]

_MOST = 100
"""Moments of one gap that become orders of their own; the ones before them are only counted."""
_COUNTED = 10_000
"""More than that are not counted either: whoever slept so long has other troubles."""


@dataclass(frozen=True, slots=True)
class Due:
    """One moment of a schedule. All times are POSIX seconds."""

    moment: int
    at: int
    """When it is to be begun: the moment and its jitter."""
    until: int
    """It is begun by then, or missed."""


@dataclass(frozen=True, slots=True)
class Planned:
    """What has come due since the last plan."""

    dues: Sequence[Due]
    mark: int
    """Up to when everything is planned now."""
    passed_over: int
    """Moments before the first of ``dues`` that are only counted."""


def planned(schedule: Schedule, mark: int | None, now: float) -> Planned:
    """The moments after ``mark`` (None: it begins now) and until ``now``, the oldest first.

    A clock that was put back takes the mark back with it: the store keeps each moment from coming twice.
    """
    if mark is None or mark >= now:
        return Planned((), int(now), 0)
    moments = list(
        itertools.islice(
            itertools.takewhile(lambda moment: moment <= now, schedule.cron.after(mark)), _COUNTED
        )
    )
    reached = moments[-1] if len(moments) == _COUNTED else int(now)
    dues = [_due(schedule, moment) for moment in moments[-_MOST:]]
    return Planned(dues, reached, len(moments) - len(dues))


def next_due(schedule: Schedule, now: float) -> Due:
    """The next moment after ``now``."""
    return _due(schedule, next(schedule.cron.after(now)))


def due_at(schedule: Schedule, moment: int) -> int:
    """The moment and its jitter: the same wherever it is asked, and another for each schedule and moment."""
    if not schedule.jitter:
        return moment
    digest = hashlib.sha256(f"{schedule.name} {moment}".encode()).digest()
    return moment + int.from_bytes(digest[:8], "big") % (schedule.jitter + 1)


def _due(schedule: Schedule, moment: int) -> Due:
    return Due(moment, due_at(schedule, moment), moment + schedule.window)
