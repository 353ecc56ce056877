"""What each estimate says. Wording stands here and beside it, in ``texts_counted``, and nowhere else.

So no number is shown without what it leaves out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from leadglass.survey.grid import Line, grid
from leadglass.survey.interval import Interval
from leadglass.survey.misclassification import Bounds, Corrected, Validation, is_like_the_rest
from leadglass.survey.proportion import Proportion
from leadglass.survey.recapture import Recaptured
from leadglass.survey.sampling import halving_size
from leadglass.survey.stratified import Stratified
from leadglass.survey.words import count, percent, quote, selection, span, span_of_counts

__all__ = [
    "for_bounds",
    "for_classes",
    "for_proportion",
    "for_recaptured",
    "for_stratified",
    "for_truths",
    "for_validated",
]


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
    if not drawn and found.sampled != found.population:
        yield ""
        how = "If they were drawn, say so: --random. If not, leadglass survey plan draws."
        yield f"{selection(found.sampled)} {how}"


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
    if not 0 <= corrected.raw <= 1:
        yield (
            f"{'Fewer' if corrected.raw < 0 else 'More'} were called private than these errors alone would make, so"
            f" that the first row is held at {percent(corrected.share)}."
        )
    narrower = "it is narrower, and needs" if direct.interval.width < corrected.interval.width else "it needs"
    yield (
        "Both hold if the validated servers are a random part of those that were called. The second weighs what was"
        f" found among those called so and those not; {narrower} the validated ones to be of these very servers, not"
        " only of the same sort."
    )
    yield from _unlike(corrected, direct, validation)


def _unlike(corrected: Corrected, direct: Stratified, validation: Validation) -> Iterator[Line]:
    if is_like_the_rest(corrected.called, direct.population, validation):
        return
    share = validation.called / (validation.positives + validation.negatives)
    yield ""
    yield (
        f"Of the validated servers {percent(share)} were called private, of all {percent(corrected.called)}: a random"
        " part would hardly differ so much. If they were chosen by what they were called, only the second row holds;"
        " if they are other servers, neither does: --validated-elsewhere."
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
        yield (
            "A share below 0 came out for one kind and is shown as 0: fewer were called it than the errors alone would"
            " make. Where its interval is hardly wider than nothing, that is no certainty: the errors may be others"
            " here than where they were counted."
        )
    yield "This holds if the validated servers are a random part of those that were called."


def for_recaptured(found: Recaptured | str, level: float) -> Iterator[Line]:
    """How many there are, seen and unseen; or why nobody can say."""
    if isinstance(found, str):
        yield f"How many were not seen cannot be said: {found}."
        return
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
        freedom = count(found.freedom, "degree", "degrees")
        tried = (
            "No other model could be tried."
            if len(found.models) == 1
            else f"The {len(found.models):,} models that were tried say {span_of_counts(others)}; the interval does"
            " not count the choice among them."
        )
        yield (
            f"Log-linear model, dependences: {pairs} (deviance {found.deviance:.1f} with {freedom} of freedom)."
            f" {tried}"
        )
    if found.fits is False:
        yield (
            "The counts do not fit this model: the lists depend on each other in ways that it does not have, or"
            " counts are missing (lists that were named together nowhere count as having no server in common)."
            " Neither the number nor the interval can be relied on."
        )
    yield (
        "Take it as a lower bound. Lists that copy each other's ports, or find the same easy servers, overlap more than"
        " by chance, and each such dependence that the model does not have makes the estimate too small. What no list"
        " can see (behind mutual TLS, say) is in none of it."
    )
