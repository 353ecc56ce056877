"""Whether the register shows that a requirement is met, shows that it is not, or does not know; and by what.

"Met" says that everything which the register can show of it is there. What controls do was declared by somebody:
a register does not test them, and the evidence says so.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from leadglass.model.register import Management, Register, ScanTaken, System
from leadglass.register.check import Disagreement, Rule, last_review
from leadglass.register.requirements import Profile, Requirement
from leadglass.register.standing import Standing, standing

__all__ = ["Assessment", "Status", "assessed", "in_service"]


class Status(enum.StrEnum):
    """How a requirement stands."""

    NOT_MET = "not-met"
    MET = "met"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Assessment:
    """One requirement, how it stands, and what shows that."""

    standing: Standing
    status: Status
    evidence: tuple[str, ...]
    """What the register holds for it, one sentence each."""
    missing: tuple[str, ...]
    """Why nothing can be said, one sentence each."""

    @property
    def profile(self) -> str:
        """Whose requirement it is."""
        return self.standing.profile

    @property
    def requirement(self) -> Requirement:
        """What is asked."""
        return self.standing.requirement

    @property
    def against(self) -> tuple[Disagreement, ...]:
        """The findings that speak against it."""
        return self.standing.against


@dataclass(frozen=True, slots=True)
class _Ground:
    """What evidence is taken from."""

    register: Register
    systems: Sequence[System]
    today: dt.date
    scans: Sequence[ScanTaken]
    """The finished ones, latest first."""


_Proof = tuple[bool, str]
"""Whether it speaks for the requirement (or says why nothing can be said), and the sentence."""


def in_service(register: Register, today: dt.date) -> list[System]:
    """The systems that are not retired on that day."""
    return [one for one in register.systems.values() if one.retired is None or one.retired > today]


def assessed(
    register: Register, profiles: Iterable[Profile], found: Sequence[Disagreement], today: dt.date
) -> list[Assessment]:
    """How every requirement of ``profiles`` stands; ``found`` is what ``check`` found with them."""
    scans = sorted(
        (scan for scan in register.scans.values() if scan.is_complete), key=lambda scan: -scan.began
    )
    ground = _Ground(register, in_service(register, today), today, scans)
    return [_assessed(ground, one) for one in standing(profiles, found)]


def _assessed(ground: _Ground, one: Standing) -> Assessment:
    if not ground.systems:
        proofs: list[_Proof] = [(False, "No system in service is declared.")]
    else:
        proofs = list(dict.fromkeys(_proofs(ground, one.requirement)))
    missing = tuple(said for speaks, said in proofs if not speaks)
    evidence = tuple(said for speaks, said in proofs if speaks)
    if one.against:
        return Assessment(one, Status.NOT_MET, (), ())
    return Assessment(one, Status.UNKNOWN if missing else Status.MET, evidence, missing)


def _proofs(ground: _Ground, row: Requirement) -> Iterator[_Proof]:
    for rule in row.rules:
        yield _RULES[Rule(rule)](ground)
    if row.inventory_days is not None:
        yield _reviewed(ground)
    if row.scan_days is not None:
        yield _scanned(ground)
    for control in row.controls:
        yield True, f"{_all(ground)} declared with {control}; a declaration, not a test."


def _scanned(ground: _Ground) -> _Proof:
    if not ground.scans:
        return False, "The register was filled from no finished scan."
    last = ground.scans[0]
    day = dt.datetime.fromtimestamp(last.began, dt.UTC).date()
    number = "one finished scan" if len(ground.scans) == 1 else f"{len(ground.scans):,} finished scans"
    return True, f"Filled from {number}; the last began on {day}, from {_SIDE[last.position]}."


def _agreed(ground: _Ground) -> _Proof:
    theirs = sum(
        system.manager is not None and system.manager.kind is Management.BUSINESS_ASSOCIATE
        for system in ground.systems
    )
    if not theirs:
        return True, "No system is declared as managed by a business associate."
    return (
        True,
        f"Managed by a business associate with an agreement: {theirs:,} of {len(ground.systems):,} systems.",
    )


def _reviewed(ground: _Ground) -> _Proof:
    days = [review.on for system in ground.systems if (review := last_review(ground.register, system.name))]
    return (
        True,
        f"{_all(ground)} reviewed; the oldest of the latest reviews is of {min(days, default='no day')}.",
    )


def _risks(ground: _Ground) -> _Proof:
    risks = len(ground.register.risks)
    if not risks:
        return False, "No risk is written down, so nobody knows whether there is none."
    return True, f"Risks written down: {risks:,}."


def _says(sentence: str) -> Callable[[_Ground], _Proof]:
    return lambda _: (True, sentence)


def _every(sentence: str) -> Callable[[_Ground], _Proof]:
    return lambda ground: (True, f"{_all(ground)} {sentence}")


def _all(ground: _Ground) -> str:
    number = len(ground.systems)
    return "The one system in service is" if number == 1 else f"All {number:,} systems in service are"


_SIDE: Mapping[str, str] = {
    "outside": "outside",
    "inside": "inside",
    "unknown": "a side that the scope does not tell",
}

_RULES: Mapping[Rule, Callable[[_Ground], _Proof]] = {
    Rule.UNKNOWN_SERVER: _scanned,
    Rule.MOVED: _scanned,
    Rule.GONE: _scanned,
    Rule.NEVER_LOOKED_AT: _scanned,
    Rule.PORT_NOT_ALLOWED: _scanned,
    Rule.RETIRED_ANSWERS: _scanned,
    Rule.NO_OWNER: _every("declared with an owner."),
    Rule.NO_MANAGER: _every("declared with a manager."),
    Rule.NO_AGREEMENT: _agreed,
    Rule.AGREEMENT_EXPIRED: _says("No agreement has ended."),
    Rule.NEVER_REVIEWED: _reviewed,
    Rule.REVIEW_OVERDUE: _says("No review is overdue."),
    Rule.REVIEW_FAILED: _says("No latest review found gaps or failed."),
    Rule.NO_RISK_ANALYSIS: _risks,
    Rule.RISK_UNTREATED: _risks,
    Rule.TREATMENT_OVERDUE: _says("No treatment is overdue."),
    Rule.ACCEPTANCE_EXPIRED: _says("No accepted risk has run out."),
}
"""By the finding that would speak against a requirement, what speaks for it where that is not found."""
