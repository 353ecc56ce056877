"""What part of reported breaches, and of the people in them, imaging servers may have had.

Exposure is kept apart from breach: an exposed server is one that a stranger could have read; a breach is what
somebody reported. No single number follows from the two, so there are scenarios, each with what it
takes for granted. The words that tell an entity or a story are data here, and the answer says them.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from leadglass.survey.breaches import Breach
from leadglass.survey.interval import LEVEL, Interval, require
from leadglass.survey.proportion import Proportion, proportion

__all__ = ["COUNTRY", "Baseline", "Exposed", "Group", "Period", "Scenario", "Share", "share_of"]

COUNTRY = "United States"
"""The portal knows no other."""

_IMAGING = re.compile(
    r"\b(radiolog\w*|imaging|mri|pacs|dicom|pet[/ -]?ct|x-?rays?|ultrasound|mammogra\w*|tomograph\w*)\b",
    re.IGNORECASE,
)
_EXPOSURE = re.compile(
    r"(misconfigur\w*|publicly (accessible|available)|accessible (on|from|via|through|over) the (public )?internet"
    r"|internet[- ]accessible|search engine|without (a )?password|unsecured|unprotected"
    r"|expos\w* (on|to) the internet|available (on|via|through|over) the internet|left open"
    r"|open to the (public|internet)|google)",
    re.IGNORECASE,
)
_SERVER = "network server"


@dataclass(frozen=True, slots=True)
class Period:
    """From ``first`` to ``last``, both within."""

    first: dt.date
    last: dt.date

    def __contains__(self, day: dt.date) -> bool:
        return self.first <= day <= self.last

    def __str__(self) -> str:
        return f"{self.first} to {self.last}"


@dataclass(slots=True)
class Group:
    """Breaches of one sort."""

    says: str
    breaches: int = 0
    people: int = 0
    largest: int = 0
    """The people of the largest of them."""

    def add(self, breach: Breach) -> None:
        """Count one."""
        people = breach.people or 0
        self.breaches += 1
        self.people += people
        self.largest = max(self.largest, people)


@dataclass(frozen=True, slots=True)
class Baseline:
    """What was reported in a period."""

    period: Period
    all: Group
    groups: tuple[Group, ...]
    stories: int
    """Breaches of which the office wrote what happened: no other can speak of exposure."""
    uncounted: int
    """Breaches whose number of people is missing; they count as breaches without people."""
    outside: int
    """Breaches of other days."""
    first: dt.date | None
    """The first and the last day among them: a period that goes beyond was not covered."""
    last: dt.date | None


@dataclass(frozen=True, slots=True)
class Exposed:
    """What somebody counted of exposure in the same country and time."""

    servers: Interval | None = None
    people: Interval | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """One way to read the numbers."""

    name: str
    assumes: str
    breaches: Interval | None
    """Share of all breaches; None where it says nothing of them."""
    people: Interval | None
    """Share of all people; None likewise."""


@dataclass(frozen=True, slots=True)
class Share:
    """Counts, shares by group, and scenarios."""

    baseline: Baseline
    shares: tuple[Proportion, ...]
    """Of each group among all breaches, with the interval of a process that might have gone otherwise."""
    scenarios: tuple[Scenario, ...] = field(default=())


def _is_imaging(breach: Breach) -> bool:
    return bool(_IMAGING.search(breach.name))


def _speaks_of_imaging(breach: Breach) -> bool:
    return _is_imaging(breach) or bool(_IMAGING.search(breach.story))


def _is_server(breach: Breach) -> bool:
    return _SERVER in breach.location.lower()


def _speaks_of_exposure(breach: Breach) -> bool:
    return bool(_EXPOSURE.search(breach.story))


_GROUPS: tuple[tuple[str, Callable[[Breach], bool]], ...] = (
    ("on a network server", _is_server),
    ("imaging in the name", _is_imaging),
    (
        "imaging in name or story, on a server",
        lambda breach: _is_server(breach) and _speaks_of_imaging(breach),
    ),
    ("exposure in the story", _speaks_of_exposure),
    (
        "exposure in the story, and imaging",
        lambda breach: _speaks_of_exposure(breach) and _speaks_of_imaging(breach),
    ),
)
_NAMED, _POSSIBLE, _CLEAR = 1, 2, 4
"""Which of them the scenarios use."""


def share_of(
    breaches: Iterable[Breach], period: Period, exposed: Exposed | None = None, level: float = LEVEL
) -> Share:
    """Count ``breaches`` (each once) of ``period``; ``UsageError`` if none of them is in it."""
    baseline = _baseline(breaches, period)
    require(baseline.all.breaches > 0, f"no breach was reported from {period}", where="--from, --to")
    shares = tuple(
        proportion(group.breaches, baseline.all.breaches, None, level) for group in baseline.groups
    )
    return Share(baseline, shares, tuple(_scenarios(baseline, exposed or Exposed())))


def _baseline(breaches: Iterable[Breach], period: Period) -> Baseline:
    total = Group("all that were reported")
    groups = [Group(says) for says, _ in _GROUPS]
    uncounted = outside = stories = 0
    days: list[dt.date] = []
    for breach in breaches:
        days = [min(*days, breach.day), max(*days, breach.day)] if days else [breach.day, breach.day]
        if breach.day not in period:
            outside += 1
            continue
        uncounted += breach.people is None
        stories += bool(breach.story)
        total.add(breach)
        for group, (_, holds) in zip(groups, _GROUPS, strict=True):
            if holds(breach):
                group.add(breach)
    first, last = days or (None, None)
    return Baseline(period, total, tuple(groups), stories, uncounted, outside, first, last)


def _scenarios(baseline: Baseline, exposed: Exposed) -> Iterable[Scenario]:
    clear, named, possible = (baseline.groups[i] for i in (_CLEAR, _NAMED, _POSSIBLE))
    yield _reported(
        "reported, at the least",
        baseline.all,
        clear,
        "only those were exposures of imaging whose story says so; most stories say little, many nothing",
    )
    yield _reported(
        "reported, by name",
        baseline.all,
        named,
        "every breach of an entity with imaging in its name was one, whatever its cause; none of a hospital was",
    )
    yield _reported(
        "reported, by server",
        baseline.all,
        possible,
        "every breach on a network server with imaging in its name or story was one",
    )
    if exposed.people is not None:
        yield _unreported(baseline.all, exposed.people)
    if exposed.servers is not None:
        yield _each_a_breach(baseline.all, exposed.servers)


def _reported(name: str, everything: Group, part: Group, assumes: str) -> Scenario:
    breaches = part.breaches / everything.breaches
    people = part.people / everything.people if everything.people else None
    return Scenario(
        name, assumes, Interval(breaches, breaches), None if people is None else Interval(people, people)
    )


def _unreported(everything: Group, people: Interval) -> Scenario:
    return Scenario(
        "every exposed person reported",
        "each exposed record was somebody's own and would have been reported in this period, beside what was;"
        " that somebody could read it does not show that anybody did",
        None,
        Interval(_added(people.low, everything.people), _added(people.high, everything.people)),
    )


def _each_a_breach(everything: Group, servers: Interval) -> Scenario:
    return Scenario(
        "every exposed server a breach",
        "each exposed server held the data of 500 people or more, belonged to another organisation than the others,"
        " and would have"
        " been reported in this period, beside what was",
        Interval(_added(servers.low, everything.breaches), _added(servers.high, everything.breaches)),
        None,
    )


def _added(more: float, reported: int) -> float:
    return more / (more + reported) if more + reported else 0.0
