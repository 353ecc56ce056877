"""The first page of a dossier: are we exposed, since when, what was done, what comes next; for whoever runs the practice."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from leadglass.model.register import Level, ScanTaken, Treatment
from leadglass.model.verdict import Position, Severity
from leadglass.register.case import Case, day_of
from leadglass.register.check import ADVICE, Disagreement, Rule
from leadglass.register.history import Exposure
from leadglass.register.phrases import sentence
from leadglass.register.risks import residual
from leadglass.report.words import ACCESS, SEVERITY, count

__all__ = ["Answer", "Summary", "summary_of"]

_OPEN = frozenset({Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM})
_OVERDUE = frozenset(
    {Rule.REVIEW_OVERDUE, Rule.TREATMENT_OVERDUE, Rule.ACCEPTANCE_EXPIRED, Rule.AGREEMENT_EXPIRED}
)
_NEXT = 5
"""How many things to do the page names."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A question that people ask, and what the register says to it."""

    question: str
    short: str
    """A word or a few."""
    says: tuple[str, ...]
    """Sentences."""


@dataclass(frozen=True, slots=True)
class Summary:
    """One page."""

    severity: Severity | None
    """The worst that is open; None: nobody has looked."""
    figures: tuple[tuple[int, str], ...]
    """Numbers to be seen at once, and what they count."""
    answers: tuple[Answer, ...]
    next: tuple[tuple[Severity, str, str], ...]
    """What to do first: severity, about what, what."""
    more: int
    """How much more there is to do."""


def summary_of(case: Case) -> Summary:
    """The page for ``case``."""
    scans = _finished(case)
    due = tuple(_due(case))
    return Summary(
        severity=_worst(case) if scans else None,
        figures=_figures(case),
        answers=(_exposed(case, scans), _since(case), _done(case), _looked(scans)),
        next=due[:_NEXT],
        more=max(0, len(due) - _NEXT),
    )


def _finished(case: Case) -> Sequence[ScanTaken]:
    return [scan for scan in case.register.scans.values() if scan.is_complete]


def _still(case: Case) -> list[Exposure]:
    """What is open and wants something to be done."""
    return [one for one in case.exposures if one.closed is None and one.steps[-1].severity in _OPEN]


def _closed(case: Case) -> list[int]:
    """Of what wanted something to be done and is closed now, for how many days it was seen."""
    return [
        (day_of(one.closed) - day_of(one.opened)).days
        for one in case.exposures
        if one.closed is not None and one.worst.severity in _OPEN
    ]


def _worst(case: Case) -> Severity:
    found = (one.steps[-1].severity for one in case.exposures if one.closed is None)
    return min(found, key=lambda severity: severity.rank, default=Severity.NONE)


def _figures(case: Case) -> tuple[tuple[int, str], ...]:
    closed = len(_closed(case))
    late = sum(one.rule in _OVERDUE for one in case.findings)
    great = sum(residual(one) in {Level.HIGH, Level.VERY_HIGH} for one in case.register.risks.values())
    return (
        (len(case.systems), "systems in service"),
        (len(_still(case)), "exposures open"),
        (closed, "exposures closed"),
        (late, "matters overdue"),
        (great, "risks left high"),
    )


# ---- answers


def _exposed(case: Case, scans: Sequence[ScanTaken]) -> Answer:
    question = "Are we exposed?"
    if not scans:
        return Answer(question, "Not known", ("No finished scan is in the register, so nobody has looked.",))
    still = _still(case)
    if not still:
        return Answer(question, "Not seen", ("No exposure that wants action was open when we last looked.",))
    hosts = len({one.address for one in still})
    where = "one address" if hosts == 1 else f"{hosts:,} addresses"
    says = f"Open at {where}: {count(len(still), 'port')} that strangers may use further than they should;"
    says += f" the worst is {_worst(case)}."
    return Answer(question, "Yes", (says, *_sides(still, scans)))


def _sides(still: Sequence[Exposure], scans: Sequence[ScanTaken]) -> Iterator[str]:
    outside = sum(one.position is Position.OUTSIDE for one in still)
    if outside:
        yield f"Seen from outside, where whoever is on the internet finds it: {outside:,}."
    elif any(scan.position is Position.OUTSIDE for scan in scans):
        yield "None of them was seen from outside."


def _since(case: Case) -> Answer:
    still = _still(case)
    if not still:
        return Answer("Since when?", "-", ("Nothing is open.",))
    oldest = min(still, key=lambda one: one.opened)
    day = day_of(oldest.opened)
    where = f"{oldest.address}, port {oldest.port}"
    days = count((case.today - day).days, "day")
    return Answer("Since when?", str(day), (f"The oldest that is open is {where}: seen for {days}.",))


def _done(case: Case) -> Answer:
    return Answer("What was done?", _short(case), tuple(_deeds(case)))


def _short(case: Case) -> str:
    closed = len(_closed(case))
    return f"{closed:,} closed" if closed else "Nothing closed"


def _deeds(case: Case) -> Iterator[str]:
    days = [
        (day_of(one.closed) - day_of(one.opened)).days for one in case.exposures if one.closed is not None
    ]
    if days:
        median = int(statistics.median(days))
        yield f"Closed, and seen to be closed by a scan: {len(days):,}; half of them within {count(median, 'day')}."
    lower = sum(
        one.closed is None and one.steps[-1].severity.rank > one.worst.severity.rank for one in case.exposures
    )
    if lower:
        yield f"Not closed, and seen to be less severe than it was: {lower:,}."
    resolved = sum(one.ended is not None for one in case.course)
    if resolved:
        yield f"Findings of the register that stood and no longer do: {resolved:,}."
    reviews = sum(case.is_told(review.on) for review in case.register.reviews.values())
    risks = case.register.risks.values()
    decided = sum(risk.treatment is not None for risk in risks)
    accepted = sum(risk.treatment is Treatment.ACCEPT for risk in risks)
    yield f"Reviews written down: {reviews:,}."
    yield f"Risks written down: {len(risks):,}; decided: {decided:,}, of which accepted: {accepted:,}."


def _looked(scans: Sequence[ScanTaken]) -> Answer:
    question = "When did somebody look?"
    if not scans:
        return Answer(question, "Never", ())
    last = max(scans, key=lambda scan: scan.began)
    sides = {scan.position for scan in scans}
    says = [f"{count(len(scans), 'finished scan')} in all, the last from {_SIDE[last.position]}."]
    if Position.OUTSIDE not in sides:
        says.append("None was made from outside, so nothing here is said about the internet.")
    return Answer(question, str(day_of(last.began)), tuple(says))


# ---- what to do


def _due(case: Case) -> Iterator[tuple[Severity, str, str]]:
    """Worst first; what is open before what is written."""
    still = sorted(_still(case), key=lambda one: one.steps[-1].severity.rank)
    known = {one.address for one in still}
    rest = [one for one in case.findings if one.rule is not Rule.UNKNOWN_SERVER or one.about not in known]
    open_ones = ((one.steps[-1].severity, f"{one.address}, port {one.port}", _to_close(one)) for one in still)
    written = ((one.severity, one.about, _to_mend(one)) for one in rest)
    yield from sorted((*open_ones, *written), key=lambda due: due[0].rank)


def _to_close(one: Exposure) -> str:
    last = one.steps[-1]
    seen = f"seen from {one.position}" if one.position is not Position.UNKNOWN else "seen"
    says = f"A stranger {ACCESS[last.access].brief}, {seen} since {day_of(one.opened)}."
    return f"{says} {SEVERITY[last.severity].full}"


def _to_mend(one: Disagreement) -> str:
    return f"{sentence(one.says)} {sentence(ADVICE[one.rule])}"


_SIDE = {
    Position.OUTSIDE: "outside",
    Position.INSIDE: "inside",
    Position.UNKNOWN: "a side that the scope does not tell",
}
