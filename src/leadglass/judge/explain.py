"""A published record taken apart: which rules decided, on which facts, and whether they still would.

The record's evidence is rebuilt and judged again by today's rules, from the record alone. This module answers
with values; wording and printing are others' business.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from pydantic import JsonValue

from leadglass.judge.judge import judge
from leadglass.judge.stated import overlaid
from leadglass.model.endpoint import Endpoint
from leadglass.model.record import ScanRecord, record
from leadglass.model.record_parts import EvidenceFact
from leadglass.model.rung import Rung
from leadglass.model.verdict import Access, Reason, Vantage, Verdict

__all__ = ["Change", "Explanation", "Ruling", "as_json", "explain"]


_NO_DICOM = frozenset({Access.NOT_DICOM, Access.CLOSED, Access.FILTERED})


class Ruling(NamedTuple):
    """One rule that fired today, and the facts it stands on."""

    reason: Reason
    facts: tuple[EvidenceFact, ...]


class Change(NamedTuple):
    """Something that today's rules judge otherwise than the record."""

    what: str
    recorded: JsonValue
    today: JsonValue


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a record says what it says."""

    record: ScanRecord
    verdict: Verdict
    """By today's rules."""
    decided: tuple[Ruling, ...]
    """The rule that chose the access word, then those that established what it stands on."""
    others: tuple[Ruling, ...]
    """What else follows from the evidence."""
    unused: tuple[EvidenceFact, ...]
    """What was seen, and no rule took as a reason."""
    changes: tuple[Change, ...]

    @property
    def settles(self) -> tuple[str, ...]:
        """What would settle what is open, in access and then, where there may be DICOM, in nature."""
        nature = () if self.verdict.access in _NO_DICOM else self.verdict.nature.settles
        return (*self.verdict.settles, *nature)


def explain(published: ScanRecord) -> Explanation:
    """Judge the record's evidence again and say why; ``ValueError`` if it was altered or does not fit."""
    evidence = published.observed()
    rung = Rung.from_word(published.rung)
    position = published.vantage.position
    verdict = judge(evidence, rung=rung, position=position, port=published.endpoint.port)
    today = record(
        scan=published.scan,
        observed_at=published.observed_at,
        endpoint=Endpoint(published.endpoint.address, published.endpoint.port, published.endpoint.name),
        vantage=Vantage(published.vantage.source, position),
        rung=rung,
        evidence=evidence,
        verdict=verdict,
    )
    if published.stated is not None:
        today = overlaid(today, published.stated, position)
        verdict = replace(verdict, severity=today.severity, reasons=today.why())
    decided, others = _rulings(verdict.reasons, published.evidence)
    cited = {fact for reason in verdict.reasons for fact in reason.evidence}
    return Explanation(
        record=published,
        verdict=verdict,
        decided=decided,
        others=others,
        unused=tuple(fact for fact in published.evidence if fact.id not in cited),
        changes=tuple(_changes(published, today)),
    )


def as_json(explanation: Explanation) -> dict[str, JsonValue]:
    """The explanation as JSON; ``decided`` and ``others`` hold each reason with the values it stands on."""
    verdict = explanation.verdict
    return {
        "endpoint": str(explanation.record.endpoint),
        "scan": explanation.record.scan,
        "observed_at": explanation.record.observed_at.isoformat(),
        "rung": explanation.record.rung,
        "position": explanation.record.vantage.position.value,
        "access": verdict.access.value,
        "severity": verdict.severity.value,
        "nature": {kind.value: share for kind, share in verdict.nature.shares.items()},
        "nature_prior": {kind.value: share for kind, share in verdict.nature.prior.items()},
        "nature_settled": verdict.nature.settled,
        "data": verdict.data.value,
        "decided": [_ruling_json(ruling) for ruling in explanation.decided],
        "others": [_ruling_json(ruling) for ruling in explanation.others],
        "unused": {fact.id: fact.value for fact in explanation.unused},
        "settles": list(explanation.settles),
        "changes": [change._asdict() for change in explanation.changes],
    }


def _rulings(
    reasons: Sequence[Reason], evidence: Sequence[EvidenceFact]
) -> tuple[tuple[Ruling, ...], tuple[Ruling, ...]]:
    """Split at what the access word stands on: a reason whose facts are all among the word's own."""
    facts = {fact.id: fact for fact in evidence}
    rulings = [
        Ruling(reason, tuple(facts[id_] for id_ in reason.evidence if id_ in facts)) for reason in reasons
    ]
    stands_on = set(reasons[0].evidence)
    decided = [r for r in rulings[1:] if r.reason.evidence and stands_on.issuperset(r.reason.evidence)]
    others = [r for r in rulings[1:] if r not in decided]
    return (rulings[0], *decided), tuple(others)


def _changes(published: ScanRecord, today: ScanRecord) -> Iterator[Change]:
    """Words and states only: a rule may be worded better without judging otherwise."""
    then, now = _judged(published), _judged(today)
    for what, recorded in then.items():
        if recorded != now[what]:
            yield Change(what, recorded, now[what])


def _judged(of: ScanRecord) -> Mapping[str, JsonValue]:
    tls = of.transport.tls
    return {
        "access": of.access.value,
        "severity": of.severity.value,
        "protocols": list(of.protocols),
        **{f"capability {name}": state for name, state in of.capabilities.model_dump(by_alias=True).items()},
        "product": of.software.product,
        "version": of.software.version,
        "confidence": of.software.confidence,
        "client certificate": tls.client_certificate.value if tls is not None else None,
        "retired": list(tls.retired) if tls is not None else [],
        **{f"nature {kind.value}": share for kind, share in of.nature.items()},
        "data": of.data.value,
    }


def _ruling_json(ruling: Ruling) -> dict[str, JsonValue]:
    return {
        "rule": ruling.reason.rule,
        "text": ruling.reason.text,
        "facts": {fact.id: fact.value for fact in ruling.facts},
    }
