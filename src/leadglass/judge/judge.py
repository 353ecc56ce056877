"""Evidence in, verdict out: one endpoint, and one host.

``judge`` is a pure function of its arguments and of the knowledge tables; the same evidence always gets the same
verdict, so verdicts may be remembered by evidence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from leadglass.judge.access import Decided, access
from leadglass.judge.advice import advice, settles
from leadglass.judge.case import Case, assemble
from leadglass.judge.nature import ALONE, Judged, nature
from leadglass.judge.rules import Rule, because
from leadglass.judge.seen import seen
from leadglass.judge.severity import severity
from leadglass.judge.signs import Surroundings
from leadglass.model.evidence import Evidence
from leadglass.model.rung import Rung
from leadglass.model.verdict import Access, Nature, Position, Reason, Verdict

__all__ = ["HostVerdict", "Outline", "host", "judge", "outline"]

_GUARDED = frozenset({Access.DEMANDS_CERTIFICATE, Access.DEMANDS_LOGIN, Access.WANTS_TITLE})
_OPEN = frozenset(
    {
        Access.ANSWERS_QUERY,
        Access.OFFERS_QUERY,
        Access.OFFERS_STORAGE,
        Access.ASSOCIATES,
        Access.VERIFICATION_ONLY,
    }
)


def judge(
    evidence: Sequence[Evidence],
    *,
    rung: Rung,
    position: Position,
    port: int,
    surroundings: Surroundings = ALONE,
) -> Verdict:
    """The verdict on one endpoint.

    ``rung`` is the deepest that was asked; what lies deeper in ``evidence`` is not used. ``port`` decides
    nothing: a product's default port is only mentioned beside what the product itself announced.
    """
    case, decided, judged = _decided(evidence, rung, port, surroundings)
    graded = severity(decided.access, position, judged.nature, judged.data)
    verdict = Verdict(
        access=decided.access,
        capabilities=case.capabilities,
        protocols=case.protocols,
        software=case.software.software,
        nature=judged.nature,
        data=judged.data,
        severity=graded.severity,
        tls=case.tls.summary,
        reasons=(
            decided.reason,
            *case.reasons,
            *case.tls.reasons,
            *case.software.reasons,
            *judged.reasons,
            *graded.reasons,
        ),
    )
    return replace(verdict, advice=advice(verdict, rung, position), settles=settles(verdict, rung, position))


class Outline(NamedTuple):
    """As much of a verdict as is counted where there are many."""

    access: Access
    protocols: tuple[str, ...]
    nature: Nature


def outline(evidence: Sequence[Evidence], *, rung: Rung, surroundings: Surroundings = ALONE) -> Outline:
    """The same words as ``judge`` finds, without looking for advice. Arguments as there."""
    case, decided, judged = _decided(evidence, rung, 0, surroundings)
    return Outline(decided.access, case.protocols, judged.nature)


def _decided(
    evidence: Sequence[Evidence], rung: Rung, port: int, surroundings: Surroundings
) -> tuple[Case, Decided, Judged]:
    case = assemble(seen(evidence, rung), port)
    decided = access(case)
    locked = decided.access is Access.DEMANDS_CERTIFICATE
    return case, decided, nature(case.seen, case.software, surroundings, locked=locked)


@dataclass(frozen=True, slots=True)
class HostVerdict:
    """What a stranger can do at one host: its worst endpoint."""

    port: int
    verdict: Verdict
    reasons: tuple[Reason, ...]


def host(verdicts: Mapping[int, Verdict]) -> HostVerdict:
    """The verdict on one host, from those on its endpoints by port; ``ValueError`` if there are none.

    The surest name for the software is taken from whichever endpoint has it: a product's web interface
    names what stands behind its DICOM port.
    """
    port = min(verdicts, key=lambda port: (verdicts[port].access.rank, verdicts[port].severity.rank, port))
    worst = verdicts[port]
    surest = max((verdict.software for verdict in verdicts.values()), key=lambda one: one.confidence)
    text = f"the worst of {len(verdicts)} endpoints is port {port}: {worst.access}"
    reasons = (because(Rule.HOST_WORST, text), *_beside(verdicts, port))
    return HostVerdict(port, replace(worst, software=surest), reasons)


def _beside(verdicts: Mapping[int, Verdict], worst: int) -> tuple[Reason, ...]:
    """Guarded endpoints that do not help."""
    guarded = [
        f"{port} ({verdict.access})"
        for port, verdict in sorted(verdicts.items())
        if verdict.access in _GUARDED
    ]
    if not guarded or verdicts[worst].access not in _OPEN:
        return ()
    text = f"what is asked for on port {', '.join(guarded)} protects nothing while port {worst} stands open"
    return (because(Rule.HOST_BESIDE, text),)
