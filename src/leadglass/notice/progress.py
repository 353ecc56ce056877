"""Whether telling helped: shares of notices that led to a fix, and whom to tell again in another way.

Needs the extra ``survey``.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from leadglass.model.notice import Answer, Channel, Outcome, SentNotice
from leadglass.survey.interval import Interval
from leadglass.survey.proportion import difference, wilson
from leadglass.survey.words import percent, span

__all__ = [
    "PATIENCE_DAYS",
    "Difference",
    "Rate",
    "Reminder",
    "became",
    "differences",
    "is_mistaken",
    "rates",
    "reminders",
]

PATIENCE_DAYS = 30
"""How long an owner is left in peace before somebody tries another way."""

_TESTED = frozenset({Outcome.OPEN, Outcome.MOVED, Outcome.GONE, Outcome.FIXED})
_CLOSED = frozenset({Answer.NOT_OURS, Answer.REFUSED, Answer.OPT_OUT})
"""Answers after which nobody is reminded."""
_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Rate:
    """Notices of one group, and how many of those looked at since led to a fix."""

    group: str
    counts: Mapping[Outcome, int]
    """Only what occurred."""

    @property
    def told(self) -> int:
        """All of them."""
        return sum(self.counts.values())

    @property
    def tested(self) -> int:
        """Those that a later look decided."""
        return sum(self.counts.get(outcome, 0) for outcome in _TESTED)

    @property
    def fixed(self) -> int:
        """Those that led to a fix of everything that they told of."""
        return self.counts.get(Outcome.FIXED, 0)

    @property
    def interval(self) -> Interval | None:
        """The 95 % interval (Wilson) of the share that is fixed of those tested; None if none was."""
        return wilson(self.fixed / self.tested, self.tested) if self.tested else None

    @property
    def says(self) -> str:
        """All of it, in one line."""
        counts = ", ".join(f"{outcome.value} {number}" for outcome, number in self.counts.items())
        if self.interval is None:
            return f"{self.group}: {counts}; nothing to say of a rate"
        share = percent(self.fixed / self.tested)
        return f"{self.group}: {counts}; fixed {self.fixed} of {self.tested} looked at, {share} ({span(self.interval)})"


@dataclass(frozen=True, slots=True)
class Difference:
    """By how much one group fixed oftener than another."""

    first: str
    second: str
    share: float
    interval: Interval
    """95 % (Newcombe)."""

    @property
    def says(self) -> str:
        """All of it, in one line."""
        points, low, high = (100 * value for value in (self.share, self.interval.low, self.interval.high))
        settled = "" if low > 0 or high < 0 else "; chance may have made it"
        ends = f"95 % interval {low:+.0f} to {high:+.0f}"
        return f"{self.first} against {self.second}: fixed {points:+.0f} percentage points, {ends}{settled}"


@dataclass(frozen=True, slots=True)
class Reminder:
    """Somebody who was told, and whose servers are still open."""

    notice: SentNotice
    days: int
    """Since the last notice."""
    by: Channel
    """A way that was not tried yet: the same one again does not help (Li et al., USENIX Security 2016)."""


def became(outcomes: Iterable[Outcome]) -> Outcome:
    """What became of all that one notice told of: fixed only if each endpoint was looked at and is."""
    found = set(outcomes)
    for outcome in (Outcome.OPEN, Outcome.MOVED, Outcome.UNTESTED, Outcome.UNKNOWN, Outcome.GONE):
        if outcome in found:
            return outcome
    return Outcome.FIXED if found else Outcome.UNTESTED


def is_mistaken(notice: SentNotice, outcome: Outcome) -> bool:
    """Whether the owner says that it is closed, and the latest look saw it open: perhaps what they closed was not all."""
    return Answer.FIXED in notice.answers and outcome in {Outcome.OPEN, Outcome.MOVED}


def rates(told: Iterable[tuple[str, Outcome]]) -> Sequence[Rate]:
    """The rate of each group, groups in order."""
    groups: dict[str, Counter[Outcome]] = {}
    for group, outcome in told:
        groups.setdefault(group, Counter())[outcome] += 1
    return [
        Rate(group, {outcome: counts[outcome] for outcome in Outcome if counts[outcome]})
        for group, counts in sorted(groups.items())
    ]


def differences(rows: Iterable[Rate]) -> Sequence[Difference]:
    """Between each two groups of which something was looked at."""
    return [
        Difference(
            one.group,
            other.group,
            one.fixed / one.tested - other.fixed / other.tested,
            difference((one.fixed, one.tested), (other.fixed, other.tested)),
        )
        for one, other in itertools.combinations([row for row in rows if row.tested], 2)
    ]


def reminders(told: Sequence[tuple[SentNotice, Outcome]], now: int) -> Sequence[Reminder]:
    """Owners of what is still open a month after they heard of it last, with a way not tried; longest first."""
    by_owner: dict[str, list[tuple[SentNotice, Outcome]]] = {}
    for notice, outcome in told:
        by_owner.setdefault(notice.owner, []).append((notice, outcome))
    found = [_reminder(theirs, now) for theirs in by_owner.values()]
    return sorted((one for one in found if one is not None), key=lambda one: (-one.days, one.notice.owner))


def _reminder(theirs: Sequence[tuple[SentNotice, Outcome]], now: int) -> Reminder | None:
    last, outcome = max(theirs, key=lambda pair: pair[0].sent_at)
    days = (now - last.sent_at) // _DAY
    used = {notice.channel for notice, _ in theirs}
    left = [channel for channel in Channel if channel not in used]
    is_over = any(answer in _CLOSED for notice, _ in theirs for answer in notice.answers)
    if outcome not in {Outcome.OPEN, Outcome.MOVED} or days < PATIENCE_DAYS or is_over or not left:
        return None
    return Reminder(last, days, left[0])
