"""What stands behind a server: a prior, moved by the tells of honeypots, by signs, and by counts over studies.

A distribution over six kinds that sums to 1, none of them zero, and never settled by what a protocol says: a
honeypot may be a genuine archive. Numbers and their standing are in ``knowledge/nature.toml`` and ``features.toml``.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from leadglass.judge import implementations
from leadglass.judge.knowledge import table
from leadglass.judge.rules import Rule, because
from leadglass.judge.sampled import data_of
from leadglass.judge.seen import Piece, Seen
from leadglass.judge.services import accepts_anything
from leadglass.judge.settling import questions
from leadglass.judge.signs import Surroundings, Vector, around, counted, in_wire, strongest
from leadglass.judge.signs import locked as lock
from leadglass.judge.software import Identified
from leadglass.model.evidence import AssociateEvidence, Reply
from leadglass.model.verdict import Data, Kind, Nature, Reason

__all__ = ["ALONE", "Judged", "Tell", "nature", "prior", "tells", "weighed"]


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


ALONE = Surroundings()
"""Nothing is known of what is around it."""


class Judged(NamedTuple):
    """The nature, what the data are, and the reasons for both."""

    nature: Nature
    reasons: tuple[Reason, ...]
    data: Data = Data.UNKNOWN


def nature(
    seen: Seen, software: Identified, surroundings: Surroundings = ALONE, *, locked: bool = False
) -> Judged:
    """The distribution after everything that was seen. ``locked``: a client certificate is demanded."""
    told = [(tell, cited) for tell in tells() if (cited := tell.cited(seen, software))]
    samples = [(piece.evidence, piece.cite("studies", "features")) for piece in seen.samples]
    counts = [one for sample, cited in samples for one in strongest(counted(sample, cited))]
    shown = strongest((*in_wire(seen, software), *around(surroundings), *((lock(),) if locked else ())))
    shares = weighed(_told(told), tuple(one.vector for one in (*shown, *counts)))
    data, why = data_of(samples)
    reasons = (
        *(because(Rule.NATURE_TELL, tell.says, cited) for tell, cited in told),
        *(because(Rule.NATURE_SIGN, one.says, one.cited) for one in shown),
        *(because(Rule.NATURE_SAMPLE, one.says, one.cited) for one in counts),
        *why,
    )
    settled = _is_settled(shares, sum(sample.studies for sample, _ in samples))
    asked = {one.group for one in (*shown, *counts)}
    settles = () if settled else questions(shares, asked)
    return Judged(Nature(shares, prior(), settled=settled, settles=settles), reasons, data)


@functools.cache
def prior() -> Mapping[Kind, float]:
    """The shares before any evidence."""
    return {kind: float(table("nature")["prior"][kind.value]) for kind in Kind}


@functools.cache
def tells() -> tuple[Tell, ...]:
    """The signs of honeypots, in the order of the table."""
    return tuple(Tell(**row) for row in table("nature")["tell"])


def _told(told: Iterable[tuple[Tell, object]]) -> float:
    most = float(table("nature")["limits"]["largest_ratio"])
    return min(math.prod(tell.ratio for tell, _ in told), most)


def weighed(ratio: float, vectors: Sequence[Vector]) -> Mapping[Kind, float]:
    """The prior after a ratio for honeypots and a vector for each group of signs."""
    if ratio == 1 and not vectors:
        return prior()
    logs = {
        kind: math.log(share)
        + (math.log(ratio) if kind is Kind.HONEYPOT else 0.0)
        + math.fsum(vector[kind] for vector in vectors)
        for kind, share in prior().items()
    }
    top = max(logs.values())
    weights = {kind: math.exp(value - top) for kind, value in logs.items()}
    total = math.fsum(weights.values())
    return {kind: weight / total for kind, weight in weights.items()}


def _is_settled(shares: Mapping[Kind, float], studies: int) -> bool:
    """Only counts over studies settle it, and never a honeypot, which may be a genuine archive."""
    rules = table("nature")["signs"]
    kind = max(shares, key=lambda kind: shares[kind])
    return kind is not Kind.HONEYPOT and studies >= rules["sampled"] and shares[kind] >= rules["settled"]


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
