"""An owner's word, laid over a record: it overrules the evidence, and never hides it.

Nature and data of the record stay what the evidence says, so that both can be read beside each other; severity is
looked up again with what the owner says.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from leadglass.judge.rules import Rule, because
from leadglass.judge.severity import Graded, severity
from leadglass.model.record import ScanRecord, StatedFacts
from leadglass.model.statement import Statement
from leadglass.model.verdict import Access, Data, Kind, Nature, Position, Reason

__all__ = ["SILENT", "certain", "contradictions", "graded", "overlaid", "overruled"]

SILENT = frozenset({Access.NOT_DICOM, Access.FILTERED, Access.CLOSED})
"""Where nothing answers as DICOM, nobody's word makes a server of it."""
_UNLIKELY = 0.05
"""Below that share, the evidence speaks against a kind."""
_SEVERITY = frozenset({Rule.SEVERITY.value, Rule.SEVERITY_LOWERED.value})
_OWNERS = frozenset({Rule.STATED.value, Rule.STATED_OTHERWISE.value})


def overruled(record: ScanRecord, statement: Statement | None, position: Position) -> ScanRecord:
    """``record`` with what its owner says; ``position`` is where it was seen from."""
    if statement is None or record.access in SILENT:
        return record
    stated = StatedFacts(
        nature=statement.nature,
        data=statement.data,
        cause=statement.cause,
        by=statement.by,
        reference=statement.reference,
        on=dt.datetime.fromtimestamp(statement.at, dt.UTC).date(),
    )
    return overlaid(record, stated, position)


def overlaid(record: ScanRecord, said: StatedFacts, position: Position) -> ScanRecord:
    """``record`` with ``said``, and what contradicts it there."""
    against = tuple(contradictions(record, said.nature, said.data))
    stated = said.model_copy(update={"contradicts": against})
    grade = graded(record, stated, position)
    kept = [why for why in record.why() if why.rule not in _SEVERITY | _OWNERS]
    reasons = (*kept, *_reasons(stated), *grade.reasons)
    return record.model_copy(
        update={
            "stated": stated,
            "severity": grade.severity,
            "reasons": tuple(str(reason) for reason in reasons),
        }
    )


def graded(record: ScanRecord, stated: StatedFacts, position: Position) -> Graded:
    """The severity by the table, with the owner's words for nature and data where they say any."""
    shares = record.nature if stated.nature is None else certain(stated.nature)
    return severity(record.access, position, Nature(shares, record.nature_prior), stated.data or record.data)


def certain(kind: Kind) -> dict[Kind, float]:
    """The shares of a kind that is known."""
    return {each: float(each is kind) for each in Kind}


def contradictions(record: ScanRecord, nature: Kind | None, data: Data | None) -> Iterator[str]:
    """What the evidence says otherwise than an owner, each in a sentence."""
    likeliest = max(record.nature, key=lambda kind: record.nature[kind])
    if nature is not None and likeliest is not nature:
        share = record.nature[nature]
        if record.nature_settled:
            yield f"stated {nature}, but a sample settled {likeliest} ({record.nature[likeliest]:.0%})"
        elif share < _UNLIKELY:
            yield f"stated {nature}, which the evidence makes unlikely ({share:.1%}); the likeliest is {likeliest}"
    if data is not None and record.data not in (Data.UNKNOWN, data):
        yield f"stated {data} data, but a sample found them {record.data}"


def _reasons(stated: StatedFacts) -> Iterator[Reason]:
    words = [
        f"{name} {value}"
        for name, value in (("nature", stated.nature), ("data", stated.data), ("cause", stated.cause))
        if value is not None
    ]
    text = f"{', '.join(words)}; stated by {stated.by} on {stated.on}, reference {stated.reference}"
    # Brackets at the end of a reason hold the facts that it cites, and these words cite none.
    yield because(Rule.STATED, text.replace("[", "(").replace("]", ")"))
    for text in stated.contradicts:
        yield because(Rule.STATED_OTHERWISE, text)
