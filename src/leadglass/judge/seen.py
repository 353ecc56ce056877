"""The evidence of one endpoint, sorted by kind, with the names by which reasons cite it.

What was asked deeper than the rung is left out here, once, so that no rule can use it. Names are numbered
from the second time a question was asked, exactly as records number them.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from leadglass.model.evidence import (
    AssociateEvidence,
    BlankQueryEvidence,
    Evidence,
    NegotiateEvidence,
    PassiveEvidence,
    SampleEvidence,
    TcpEvidence,
    TlsEvidence,
    TlsHelloEvidence,
    WebEvidence,
)
from leadglass.model.rung import Rung

__all__ = ["Piece", "Seen", "seen"]

E_co = TypeVar("E_co", bound=Evidence, covariant=True)
E = TypeVar("E", bound=Evidence)


class Piece(NamedTuple, Generic[E_co]):
    """One piece of evidence and the probe name it has in a record."""

    evidence: E_co
    probe: str

    def cite(self, *facts: str) -> tuple[str, ...]:
        """Ids of those of ``facts`` that the evidence holds, e.g. ``associate/echo-status``."""
        evidence: Evidence = self.evidence
        defaults = _DEFAULTS[type(evidence)]
        return tuple(
            f"{self.probe}/{fact}"
            for fact in facts
            if (name := fact.replace("-", "_")) in defaults and getattr(evidence, name) != defaults[name]
        )


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything that may be judged, in the order of asking."""

    rung: Rung
    tcp: tuple[Piece[TcpEvidence], ...]
    tls: tuple[Piece[TlsEvidence], ...]
    hellos: tuple[Piece[TlsHelloEvidence], ...]
    associations: tuple[Piece[AssociateEvidence], ...]
    negotiations: tuple[Piece[NegotiateEvidence], ...]
    queries: tuple[Piece[BlankQueryEvidence], ...]
    webs: tuple[Piece[WebEvidence], ...]
    passive: tuple[Piece[PassiveEvidence], ...] = ()
    samples: tuple[Piece[SampleEvidence], ...] = ()

    @property
    def dicom(self) -> tuple[Piece[AssociateEvidence | NegotiateEvidence | BlankQueryEvidence], ...]:
        """Every association that was asked for."""
        return (*self.associations, *self.negotiations, *self.queries)

    @property
    def beyond_tcp(self) -> bool:
        """Whether anything was asked over an open connection."""
        return bool(self.tls or self.hellos or self.dicom or self.webs)

    @property
    def secondhand(self) -> bool:
        """Whether all there is was seen by others. What was asked first-hand is never mixed with that."""
        return bool(self.passive) and not (self.tcp or self.beyond_tcp)


def seen(evidence: Sequence[Evidence], rung: Rung) -> Seen:
    """Sort ``evidence``, without what lies deeper than ``rung``."""
    pieces = tuple(_within(_named(evidence), rung))
    return Seen(
        rung,
        tcp=_of(TcpEvidence, pieces),
        tls=_of(TlsEvidence, pieces),
        hellos=_of(TlsHelloEvidence, pieces),
        associations=_of(AssociateEvidence, pieces),
        negotiations=_of(NegotiateEvidence, pieces),
        queries=_of(BlankQueryEvidence, pieces),
        webs=_of(WebEvidence, pieces),
        passive=_of(PassiveEvidence, pieces),
        samples=_of(SampleEvidence, pieces),
    )


def _named(evidence: Iterable[Evidence]) -> Iterator[Piece[Evidence]]:
    asked: Counter[str] = Counter()
    for item in evidence:
        asked[item.probe] += 1
        times = asked[item.probe]
        yield Piece(item, item.probe if times == 1 else f"{item.probe}.{times}")


_RUNGS: tuple[tuple[type[Evidence], Rung], ...] = (
    (TcpEvidence, Rung.PASSIVE),  # imported scan data tells of ports too
    (PassiveEvidence, Rung.PASSIVE),
    (TlsEvidence, Rung.CONNECT),
    (TlsHelloEvidence, Rung.CONNECT),
    (AssociateEvidence, Rung.ASSOCIATE),
    (WebEvidence, Rung.ASSOCIATE),
    (NegotiateEvidence, Rung.NEGOTIATE),
    (BlankQueryEvidence, Rung.BLANK_QUERY),
    (SampleEvidence, Rung.SAMPLE),
)

_DEFAULTS: Mapping[type[Evidence], Mapping[str, object]] = {
    kind: {field.name: field.default for field in dataclasses.fields(kind)} for kind, _ in _RUNGS
}
"""Fields that say nothing make no fact (``facts_of``), so that they can be no reason."""


def _within(pieces: Iterable[Piece[Evidence]], rung: Rung) -> Iterator[Piece[Evidence]]:
    for item, probe in pieces:
        if any(isinstance(item, kind) and rung >= needed for kind, needed in _RUNGS):
            yield Piece(_without_qido(item) if rung < Rung.BLANK_QUERY else item, probe)


def _without_qido(item: Evidence) -> Evidence:
    """A DICOMweb query is as deep as a C-FIND, though the evidence of the web holds both."""
    return dataclasses.replace(item, qido=()) if isinstance(item, WebEvidence) else item


def _of(kind: type[E], pieces: Iterable[Piece[Evidence]]) -> tuple[Piece[E], ...]:
    return tuple(Piece(item, probe) for item, probe in pieces if isinstance(item, kind))
