"""Which figure shows each result."""

from __future__ import annotations

from collections.abc import Mapping

from leadglass.model.finding import Cause
from leadglass.survey.census import Census
from leadglass.survey.figure import Figure, Row
from leadglass.survey.hidden import Hidden
from leadglass.survey.interval import Interval
from leadglass.survey.misclassification import Bounds, Corrected
from leadglass.survey.proportion import Proportion
from leadglass.survey.published import Published
from leadglass.survey.recapture import Recaptured
from leadglass.survey.share import Share
from leadglass.survey.stratified import Stratified
from leadglass.survey.words import percent, selection, span, span_of_counts

__all__ = [
    "of_bounds",
    "of_causes",
    "of_census",
    "of_classes",
    "of_hidden",
    "of_proportion",
    "of_published",
    "of_recaptured",
    "of_share",
    "of_stratified",
    "of_truths",
]


def of_proportion(found: Proportion, *, drawn: bool) -> Figure:
    """Both intervals of a share."""
    of = "" if found.population is None else f", of {found.population:,} in all"
    return Figure(
        f"{found.positive:,} of {found.sampled:,} reviewed servers{of}: {percent(found.share)} held private data",
        (
            Row("exact", found.exact, found.share, span(found.exact)),
            Row("Wilson", found.wilson, found.share, span(found.wilson)),
        ),
        f"{percent(found.level)} intervals."
        if drawn or found.sampled == found.population
        else selection(found.sampled),
    )


def of_stratified(found: Stratified) -> Figure:
    """A share over strata."""
    row = Row("all strata", found.interval, found.share, span(found.interval))
    return Figure("Servers that held private data", (row,), f"{percent(found.level)} interval.")


def of_truths(shares: Mapping[str, Stratified]) -> Figure:
    """What the servers of a drawn sample are."""
    rows = (Row(truth, s.interval, s.share, span(s.interval)) for truth, s in shares.items())
    first = next(iter(shares.values()))
    return Figure(
        f"What {first.population:,} servers are, by a random sample",
        tuple(rows),
        f"{percent(first.level)} intervals.",
    )


def of_classes(classes: Mapping[str, Corrected]) -> Figure:
    """Shares by class, corrected."""
    rows = (Row(name, c.interval, c.share, span(c.interval)) for name, c in classes.items())
    return Figure("Shares by kind, corrected for the classifier's errors", tuple(rows))


def of_bounds(found: Bounds) -> Figure:
    """A share between bounds."""
    return Figure(
        "Servers that hold private data: bounds", (Row("bounds", found.share, None, span(found.share)),)
    )


def of_recaptured(found: Recaptured) -> Figure:
    """Servers in all, seen and unseen."""
    seen = Interval(found.seen, found.seen)
    return Figure(
        "Servers, seen and unseen (a lower bound)",
        (
            Row("on any list", seen, float(found.seen), f"{found.seen:,}"),
            Row("in all", found.interval, found.estimate, span_of_counts(found.interval)),
        ),
        is_share=False,
    )


def of_census(found: Census) -> Figure:
    """Kinds of server, between bounds."""
    rows = (Row(kind.value, e.bounds, None, span_of_counts(e.bounds)) for kind, e in found.kinds.items())
    return Figure(
        f"What {found.servers:,} servers may be: bounds that hold whatever the prior",
        tuple(rows),
        is_share=False,
    )


def of_hidden(found: Hidden) -> Figure:
    """Endpoints behind mutual TLS."""
    rows = [Row("bounds", found.bounds, None, span_of_counts(found.bounds))]
    if found.interval is not None:
        rows.append(Row("calibrated", found.interval, found.estimate, span_of_counts(found.interval)))
    return Figure("Endpoints that demand a certificate and are DICOM", tuple(rows), is_share=False)


def of_share(found: Share) -> Figure:
    """Scenarios of the share of breaches and of people."""
    rows = [
        Row(f"{what}, {scenario.name}", part, None if part.width else part.low, _value(part))
        for scenario in found.scenarios
        for what, part in (("breaches", scenario.breaches), ("people", scenario.people))
        if part is not None
    ]
    return Figure("Share of reported breaches, and of the people in them, by scenario", tuple(rows))


def of_causes(shares: Mapping[Cause, Proportion]) -> Figure:
    """Why servers stand open."""
    rows = (Row(cause.value, p.wilson, p.share, span(p.wilson)) for cause, p in shares.items())
    return Figure("Causes found", tuple(rows), "95 % intervals (Wilson).")


def of_published(surveys: tuple[Published, ...], own: Row | None = None) -> Figure:
    """The share that was open in each published survey, and in this one."""
    rows = [
        Row(f"{s.name} {s.year}", s.share.wilson, s.share.share, span(s.share.wilson))
        for s in surveys
        if s.share is not None
    ]
    return Figure(
        "Share of servers that were open, as each survey understood it",
        (*rows, *([] if own is None else [own])),
        "95 % intervals (Wilson) are ours. Each survey called something else open: see the table.",
    )


def _value(part: Interval) -> str:
    return percent(part.low) if part.low == part.high else span(part)
