"""What stands behind a server: the prior, moved only by the tells of honeypots.

A distribution over six kinds that sums to 1, none of them zero, and never settled by what the wire says: a
honeypot may be a genuine archive. Numbers and their standing are in ``knowledge/nature.toml``.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from leadglass.judge import implementations
from leadglass.judge.knowledge import table
from leadglass.judge.rules import Rule, because
from leadglass.judge.seen import Piece, Seen
from leadglass.judge.services import accepts_anything
from leadglass.judge.software import Identified
from leadglass.model.evidence import AssociateEvidence, Reply
from leadglass.model.verdict import Kind, Nature, Reason

__all__ = ["Judged", "Tell", "nature", "prior", "tells"]


@dataclass(frozen=True, slots=True)
class Tell:
    """One sign of a honeypot; every condition that is given must hold."""

    id: str
    ratio: float
    """How much oftener a honeypot shows it than a real server."""
    says: str
    source: str
    uid: str | None = None
    name: str | None = None
    maximum_length: int | None = None
    missing_identity: bool = False
    foreign_length: bool = False
    """The maximum length contradicts the announced identity."""
    accepts_anything: bool = False
    fingerprint: str | None = None

    def cited(self, seen: Seen, software: Identified) -> tuple[str, ...]:
        """The facts that show it; empty if they do not."""
        if self.accepts_anything:
            return tuple(
                fact
                for piece in seen.negotiations
                if piece.evidence.reply is Reply.ACCEPTED and accepts_anything(piece.evidence)
                for fact in piece.cite("invented", "contexts")
            )
        if self.fingerprint is not None:
            return tuple(self._in_web(seen))
        return tuple(
            fact for p in seen.associations if self._announced(p.evidence, software) for fact in _identity(p)
        )

    def _in_web(self, seen: Seen) -> Iterator[str]:
        for piece in seen.webs:
            if any(self.fingerprint in answer.fingerprints for answer in piece.evidence.answers):
                yield from piece.cite("answers")

    def _announced(self, evidence: AssociateEvidence, software: Identified) -> bool:
        if evidence.reply is not Reply.ACCEPTED:
            return False
        if self.foreign_length and not _is_foreign(evidence.maximum_length, software):
            return False
        if self.missing_identity and not _is_nameless(evidence):
            return False
        return (
            self.uid in (None, evidence.implementation_class_uid)
            and self.name in (None, evidence.implementation_version_name)
            and self.maximum_length in (None, evidence.maximum_length)
        )


class Judged(NamedTuple):
    """The nature and the reasons for it."""

    nature: Nature
    reasons: tuple[Reason, ...]


def nature(seen: Seen, software: Identified) -> Judged:
    """The distribution after everything that was seen."""
    shown = [(tell, cited) for tell in tells() if (cited := tell.cited(seen, software))]
    reasons = tuple(because(Rule.NATURE_TELL, tell.says, cited) for tell, cited in shown)
    ratio = min(math.prod(tell.ratio for tell, _ in shown), float(table("nature")["limits"]["largest_ratio"]))
    settles = table("nature")["settles"]
    what = (*settles["always"], *(settles["tells"] if shown else ()))
    return Judged(Nature(_shares(ratio), prior(), settled=False, settles=what), reasons)


@functools.cache
def prior() -> Mapping[Kind, float]:
    """The shares before any evidence."""
    return {kind: float(table("nature")["prior"][kind.value]) for kind in Kind}


@functools.cache
def tells() -> tuple[Tell, ...]:
    """The signs, in the order of the table."""
    return tuple(Tell(**row) for row in table("nature")["tell"])


@functools.lru_cache(maxsize=256)
def _shares(ratio: float) -> Mapping[Kind, float]:
    if ratio == 1:
        return prior()
    weights = {kind: share * (ratio if kind is Kind.HONEYPOT else 1.0) for kind, share in prior().items()}
    total = math.fsum(weights.values())
    return {kind: weight / total for kind, weight in weights.items()}


def _is_nameless(evidence: AssociateEvidence) -> bool:
    """Whether user information came without 52H; an answer without any tells nothing of its kind."""
    return bool(evidence.user_items) and "52H" not in evidence.user_items


def _is_foreign(maximum_length: int | None, software: Identified) -> bool:
    row = implementations.length_of(maximum_length)
    return row is not None and software.contradictory and software.base != row["base"]


def _identity(piece: Piece[AssociateEvidence]) -> tuple[str, ...]:
    return piece.cite(
        "implementation-class-uid", "implementation-version-name", "maximum-length", "user-items"
    )
