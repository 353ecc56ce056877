"""When something is due: five fields of cron, in a time zone."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass

from croniter import croniter

__all__ = ["Cron", "cron"]

_FIELDS = re.compile(
    r"@(?:hourly|daily|weekly|monthly|yearly)"
    r"|[0-9*,/-]+ +[0-9*,/-]+ +(?:[0-9*,/-]+|L) +(?:[0-9*,/-]|[A-Za-z]{3})+ +(?:[0-9*,/-]|[A-Za-z]{3})+"
)
_NAMED = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
}
_START = 1_767_225_600
"""2026-01-01: a leap day comes within the years that are searched from here."""


@dataclass(frozen=True, slots=True)
class Cron:
    """The times that ``fields`` (minute, hour, day, month, weekday) mean on clocks in ``zone``.

    When clocks go forward, a time that does not exist is the first one after it. When they go back, a time of
    day comes once; only where the hour is ``*`` does it go by the time that passes.
    """

    fields: str
    zone: dt.tzinfo

    def after(self, moment: float) -> Iterator[int]:
        """Each POSIX second that is due after ``moment``, without end."""
        found = croniter(self.fields, dt.datetime.fromtimestamp(moment, self.zone))
        by_the_hour = self.fields.split()[1].startswith("*")
        while True:
            local: dt.datetime = found.get_next(dt.datetime)
            if by_the_hour or not _is_repeated(local):
                yield int(local.timestamp())


def cron(text: str, zone: dt.tzinfo) -> Cron:
    """The times that ``text`` means; ``ValueError`` says what is wrong with it."""
    if not _FIELDS.fullmatch(text.strip()):
        raise ValueError(f"{text!r} is no schedule; write minute, hour, day, month and weekday: '30 2 * * *'")
    made = Cron(_NAMED.get(text.strip(), text.strip()), zone)
    try:
        next(made.after(_START))
    except (ValueError, KeyError, OverflowError) as exc:
        raise ValueError(f"{text!r} is no schedule ({exc})") from exc
    return made


def _is_repeated(local: dt.datetime) -> bool:
    """Whether clocks showed the same before they went back."""
    return local.fold == 1 and local.utcoffset() != local.replace(fold=0).utcoffset()
