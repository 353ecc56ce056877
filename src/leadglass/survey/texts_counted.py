"""What counts say: of a stored scan, of what is hidden, of reported breaches, of causes. As ``texts``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from leadglass.model.finding import Cause
from leadglass.survey.census import Census
from leadglass.survey.grid import Line, grid
from leadglass.survey.hidden import Hidden, Hint
from leadglass.survey.interval import Interval
from leadglass.survey.proportion import Proportion
from leadglass.survey.share import COUNTRY, Share
from leadglass.survey.words import count, percent, span, span_of_counts

__all__ = ["HINTS", "for_causes", "for_census", "for_hidden", "for_share"]

HINTS: Mapping[Hint, str] = {
    Hint.CONFIRMED: "confirmed to be DICOM",
    Hint.NAMED: "certificate or authority named after imaging",
    Hint.BESIDE: "the host speaks DICOM at another port",
    Hint.PORT: "a port used for DICOM",
    Hint.OTHER: "nothing speaks for it",
}


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
    if found.stated:
        yield (
            f"{count(found.stated, 'server')} {'is' if found.stated == 1 else 'are'} counted as the owner says;"
            f" of {found.contradicted:,} the evidence makes another kind likelier."
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
            ("reported", "breaches", "share (95 %)", "people", "share"),
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
    yield (
        "All reports were counted, so the intervals are not of chance in drawing: they say how much another run of the same"
        " years might have differed."
    )
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


def for_causes(shares: Mapping[Cause, Proportion], looked_at: int, stated: int = 0) -> Iterator[Line]:
    """Why, with intervals; of ``stated`` servers it is the owner who says so."""
    yield f"Causes, among {count(looked_at, 'server')} or files that were looked at:"
    if stated:
        yield f"Of {stated:,} of them the owner says why. Those who answer may differ from those who do not."
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
