"""What each result says on the terminal: paragraphs, and rows of tables, which begin with two spaces.

Wording stands here and nowhere else, so that a number is never shown without what it leaves out.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from leadglass.model.finding import Cause
from leadglass.survey.census import Census
from leadglass.survey.hidden import Hidden, Hint
from leadglass.survey.interval import Interval
from leadglass.survey.misclassification import Bounds, Corrected, Validation
from leadglass.survey.proportion import Proportion
from leadglass.survey.recapture import Recaptured
from leadglass.survey.sampling import halving_size
from leadglass.survey.share import COUNTRY, Share
from leadglass.survey.stratified import Stratified
from leadglass.survey.words import count, percent, quote, selection, span, span_of_counts

__all__ = [
    "HINTS",
    "Grid",
    "Line",
    "folded",
    "for_bounds",
    "for_causes",
    "for_census",
    "for_classes",
    "for_hidden",
    "for_proportion",
    "for_recaptured",
    "for_share",
    "for_stratified",
    "for_truths",
    "for_validated",
    "grid",
]

HINTS: Mapping[Hint, str] = {
    Hint.CONFIRMED: "confirmed to be DICOM",
    Hint.NAMED: "certificate or authority named after imaging",
    Hint.BESIDE: "the host speaks DICOM at another port",
    Hint.PORT: "a port used for DICOM",
    Hint.OTHER: "nothing speaks for it",
}


class Grid(NamedTuple):
    """A small table: the first column is text, the others are numbers in words."""

    rows: tuple[tuple[str, ...], ...]
    has_head: bool
    """The first row names the columns."""

    def lines(self) -> Iterator[str]:
        """It in columns of characters."""
        widths = [max(map(len, column)) for column in zip(*self.rows, strict=True)]
        for first, *others in self.rows:
            cells = [first.ljust(widths[0]), *(c.rjust(w) for c, w in zip(others, widths[1:], strict=True))]
            yield f"  {'   '.join(cells)}".rstrip()


Line: TypeAlias = str | Grid
"""A paragraph or a table; "" parts paragraphs."""


def grid(rows: Iterable[Sequence[str]], *, has_head: bool = True) -> Grid:
    """The table of ``rows``, all of the same length."""
    return Grid(tuple(tuple(row) for row in rows), has_head)


def folded(lines: Iterable[Line], width: int) -> Iterator[str]:
    """``lines`` for a terminal of ``width`` columns: paragraphs folded, tables as they are."""
    for line in lines:
        if isinstance(line, Grid):
            yield from line.lines()
        else:
            yield from textwrap.wrap(line, width, break_on_hyphens=False) or [""]


def for_proportion(found: Proportion, *, drawn: bool) -> Iterator[Line]:
    """A share, both intervals, a sentence to quote, and what would halve them."""
    yield (
        f"{found.positive:,} of {count(found.sampled, 'reviewed server')} held private data:"
        f" {percent(found.share)}"
    )
    yield ""
    yield grid(_intervals(found), has_head=False)
    yield ""
    yield "To quote:"
    yield f'"{quote(found, drawn=drawn)}"'
    yield ""
    yield _halving(found)
    if not drawn:
        yield ""
        yield selection(found.sampled)


def _intervals(found: Proportion) -> Iterator[Sequence[str]]:
    level = percent(found.level)
    finite = found.population is not None
    yield (
        f"exact, {level} ({'hypergeometric' if finite else 'Clopper-Pearson'})",
        span(found.exact),
        _projected(found, found.exact),
    )
    yield (
        f"Wilson, {level}{' (finite population)' if finite else ''}",
        span(found.wilson),
        _projected(found, found.wilson),
    )
    if finite:
        yield (f"Clopper-Pearson, {level} (endless population)", span(found.clopper_pearson), "")


def _projected(found: Proportion, interval: Interval) -> str:
    if found.population is None:
        return ""
    return f"{span_of_counts(found.projected(interval))} of {found.population:,} servers"


def _halving(found: Proportion) -> str:
    if found.sampled == found.population:
        return "All servers were reviewed: there is nothing left to estimate."
    size = halving_size(found.positive, found.sampled, found.population, found.level)
    return (
        f"An interval half as wide takes a random sample of {size:,} ({size - found.sampled:,} more),"
        " if the share stays what it is."
    )


def for_stratified(found: Stratified) -> Iterator[Line]:
    """A share over strata."""
    strata = count(len(found.strata), "stratum", "strata")
    yield f"{percent(found.share)} of {found.population:,} servers in {strata} held private data, by those reviewed."
    yield ""
    yield grid(
        [
            ("stratum", "private", "reviewed", "servers"),
            *((s.name, f"{s.positive:,}", f"{s.sampled:,}", f"{s.size:,}") for s in found.strata),
        ]
    )
    yield ""
    numbers = span_of_counts(found.interval.times(found.population))
    row = (
        f"{percent(found.level)} interval",
        span(found.interval),
        f"{numbers} of {found.population:,} servers",
    )
    yield grid([row], has_head=False)
    yield ""
    yield "Each stratum must have been sampled at random; the interval leaves out whatever selection there was."


def for_truths(shares: Mapping[str, Stratified], unanswered: int) -> Iterator[Line]:
    """What a drawn and reviewed sample says of each kind."""
    first = next(iter(shares.values()))
    reviewed = sum(s.sampled for s in first.strata)
    strata = count(len(first.strata), "stratum", "strata")
    yield f"{reviewed:,} servers drawn at random from {first.population:,}, in {strata}, were reviewed."
    yield ""
    yield grid(
        [
            ("in truth", "share", f"{percent(first.level)} interval", "servers"),
            *(
                (
                    truth,
                    percent(found.share),
                    span(found.interval),
                    span_of_counts(found.interval.times(found.population)),
                )
                for truth, found in shares.items()
            ),
        ]
    )
    yield ""
    yield "Each interval holds by itself; all of them together hold less often."
    if unanswered:
        yield (
            f"{count(unanswered, 'drawn server')} could not be told and"
            f" {'is' if unanswered == 1 else 'are'} taken to be like the others of the stratum. If they differ, the"
            f" shares move by up to {percent(unanswered / (unanswered + reviewed))}."
        )


def for_validated(
    corrected: Corrected, direct: Stratified, validation: Validation, level: float
) -> Iterator[Line]:
    """A share corrected for errors that were counted on a random part of the same servers."""
    yield f"{percent(corrected.called)} were called private. Corrected for the errors of whoever called them so:"
    yield ""
    yield grid(
        [
            (
                f"Rogan-Gladen, {percent(level)} (Lang and Reiczigel)",
                percent(corrected.share),
                span(corrected.interval),
            ),
            (f"by what was called, {percent(level)}", percent(direct.share), span(direct.interval)),
        ],
        has_head=False,
    )
    yield ""
    yield (
        f"Sensitivity {percent(validation.sensitivity)} ({validation.true_positive:,} of {validation.positives:,}),"
        f" specificity {percent(validation.specificity)} ({validation.true_negative:,} of {validation.negatives:,})."
    )
    yield (
        "Both hold if the validated servers are a random part of those that were called. The second weighs what was"
        " found among those called so and those not; it is narrower, and needs the validated ones to be of these very"
        " servers, not only of the same sort."
    )


def for_bounds(found: Bounds) -> Iterator[Line]:
    """What can be said when the errors were counted elsewhere."""
    yield (
        f"{percent(found.called)} were called private. The errors were counted on other servers, so there is no point"
        " estimate, only bounds:"
    )
    yield ""
    yield grid(
        [("the share lies", f"between {percent(found.share.low)} and {percent(found.share.high)}")],
        has_head=False,
    )
    yield ""
    yield (
        f"They hold if the sensitivity here is {span(found.sensitivity)} and the specificity {span(found.specificity)},"
        " as where they were counted. A random part of these servers, validated, would give a point: --validation."
    )


def for_classes(classes: Mapping[str, Corrected], level: float) -> Iterator[Line]:
    """Shares by class, corrected by the inverse of the matrix of errors."""
    yield "Shares by kind, corrected for the classifier's errors (matrix form of Rogan and Gladen):"
    yield ""
    yield grid(
        [
            ("kind", "called so", "corrected", f"{percent(level)} interval"),
            *((name, percent(c.called), percent(c.share), span(c.interval)) for name, c in classes.items()),
        ]
    )
    yield ""
    if any(c.raw < 0 or c.raw > 1 for c in classes.values()):
        yield "A share below 0 came out for one kind and is shown as 0: there are fewer of it than errors."
    yield "This holds if the validated servers are a random part of those that were called."


def for_recaptured(found: Recaptured, level: float) -> Iterator[Line]:
    """How many there are, seen and unseen."""
    yield (
        f"{found.seen:,} servers are on the lists; {round(found.estimate):,} exist, by how far the lists overlap"
        f" ({percent(level)} interval {span_of_counts(found.interval)})."
    )
    yield ""
    if found.deviance is None:
        yield "Chapman's estimate of two lists, which cannot tell whether they depend on each other."
    else:
        pairs = ", ".join(f"{a} with {b}" for a, b in found.dependences) or "none"
        others = Interval(min(found.models.values()), max(found.models.values()))
        yield (
            f"Log-linear model, dependences: {pairs} (deviance {found.deviance:.1f} with {found.freedom} degrees of"
            f" freedom). The {len(found.models):,} models that were tried say {span_of_counts(others)}; the interval"
            " does not count the choice among them."
        )
    yield (
        "Take it as a lower bound. Lists that copy each other's ports, or find the same easy servers, overlap more than"
        " by chance, and each such dependence that the model does not have makes the estimate too small. What no list"
        " can see (behind mutual TLS, say) is in none of it."
    )


def for_census(found: Census) -> Iterator[Line]:
    """What a stored scan counts."""
    yield (
        f"{count(found.addresses, 'address', 'addresses')} looked at; {found.servers:,} speak DICOM, and are {found.identities:,}"
        " servers by certificate, implementation and title. The truth lies between: one that moved has two addresses, and"
        " a fleet from one image has one identity."
    )
    if not found.servers:
        return
    yield ""
    yield grid(
        [
            ("a stranger's access", "servers", "share"),
            *(
                (word.value, f"{n:,}", percent(n / found.servers))
                for word, n in sorted(found.access.items(), key=lambda i: i[0].rank)
            ),
        ]
    )
    yield ""
    yield "These were all looked at, not sampled: chance has no part in it, and what did not answer from here is missing."
    yield ""
    yield grid(
        [
            ("kind", "likeliest", "expected", "bounds"),
            *(
                (kind.value, f"{e.likeliest:,}", f"{e.sum:,.0f}", span_of_counts(e.bounds))
                for kind, e in found.kinds.items()
            ),
        ]
    )
    yield ""
    yield (
        "Expected is the sum of the probabilities in the records, which rest on an assumed prior; the bounds hold whatever"
        f" the prior ({found.settled:,} of {found.servers:,} settled). To estimate kinds, draw some and look:"
        " leadglass survey plan --scan."
    )


def for_hidden(found: Hidden) -> Iterator[Line]:
    """Bounds on what stands behind mutual TLS."""
    yield f"{count(found.demanding, 'endpoint')} {'demands' if found.demanding == 1 else 'demand'} a client certificate."
    yield ""
    yield grid([(HINTS[hint], f"{number:,}") for hint, number in found.counts.items()], has_head=False)
    yield ""
    yield (
        f"Between {found.bounds.low:,.0f} (those confirmed) and {found.bounds.high:,.0f} (all of them) are DICOM."
    )
    if found.estimate is None or found.interval is None or found.calibration is None:
        yield (
            "There is no point estimate: what a port or a name says of DICOM behind a certificate is not known until"
            " somebody counts it where the truth is known (--calibration)."
        )
        return
    yield (
        f"By the calibration {found.calibration.name!r}: {round(found.estimate):,}, {percent(found.level)} interval"
        f" {span_of_counts(found.interval)}. That holds as far as these endpoints are like those of the calibration."
    )


def for_share(found: Share) -> Iterator[Line]:
    """Reported breaches, and scenarios."""
    base = found.baseline
    yield (
        f"{COUNTRY}, {base.period.first} to {base.period.last}: {count(base.all.breaches, 'breach', 'breaches')} of 500 people or more"
        f" {'was' if base.all.breaches == 1 else 'were'} reported, with {base.all.people:,} people."
    )
    yield ""
    yield grid(
        [
            ("reported", "breaches", "share (95 % of a like process)", "people", "share"),
            *(
                (
                    group.says,
                    f"{group.breaches:,}",
                    f"{percent(share.share)} ({span(share.wilson)})",
                    f"{group.people:,}",
                    percent(group.people / base.all.people) if base.all.people else "-",
                )
                for group, share in zip(base.groups, found.shares, strict=True)
            ),
        ]
    )
    yield ""
    if base.all.people:
        yield (
            f"Shares of people have no interval: one breach held {percent(base.all.largest / base.all.people)} of all."
            " Groups are told by words in names and stories, and overlap;"
            f" {base.stories:,} of the breaches have a story."
        )
    if base.first is not None and (
        base.first > base.period.first or (base.last or base.first) < base.period.last
    ):
        yield f"The file covers {base.first} to {base.last}: the period is not covered whole."
    yield "Exposure is not breach: an exposed server could be read by a stranger; a breach was reported by somebody."
    for scenario in found.scenarios:
        yield ""
        yield f"{scenario.name}: {_scenario(scenario.breaches, scenario.people)}"
        yield f"This takes for granted that {scenario.assumes}."


def _scenario(breaches: Interval | None, people: Interval | None) -> str:
    parts = []
    if breaches is not None:
        parts.append(f"{_span(breaches)} of breaches")
    if people is not None:
        parts.append(f"{_span(people)} of people")
    return ", ".join(parts) or "nothing follows"


def _span(interval: Interval) -> str:
    return percent(interval.low) if interval.low == interval.high else span(interval)


def for_causes(shares: Mapping[Cause, Proportion], looked_at: int) -> Iterator[Line]:
    """Why, with intervals."""
    yield f"Causes, among {count(looked_at, 'server')} or files that were looked at:"
    yield ""
    yield grid(
        [
            ("cause", "found", "share", "Wilson", "exact"),
            *(
                (cause.value, f"{p.positive:,}", percent(p.share), span(p.wilson), span(p.exact))
                for cause, p in shares.items()
            ),
        ]
    )
    yield ""
    yield (
        "One may have several causes, so shares need not add up. Each interval holds by itself, and only if those looked"
        " at are a random sample: configurations that somebody chose to publish are not."
    )
