"""What was seen and what it means, apart from where and when.

Endpoints that answer alike share one look. It is digested, judged, sent and stored once; what is
kept for each endpoint is one narrow row that points to it.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, overload

from leadglass.model.evidence import (
    AssociateEvidence,
    Evidence,
    Fact,
    TlsEvidence,
    facts_of,
    from_facts,
    unaltered,
)
from leadglass.model.record import body_of
from leadglass.model.rung import Rung
from leadglass.model.verdict import Access, Severity, Verdict

__all__ = ["Look", "Sighting", "Sightings", "evidence_in", "identity_of", "look_of"]


@dataclass(frozen=True, eq=False)
class Look:
    """One set of evidence and the verdict on it. Equal when ``digest`` is."""

    evidence: str
    """The facts: a JSON array of [probe, fact, value], in the order of asking."""
    body: str
    """The scan record without its head: a JSON object of the fields that endpoints share."""
    rung: Rung
    """The deepest rung that was asked."""
    access: Access
    severity: Severity
    product: str | None
    version: str | None
    identity: bytes | None
    """What tells this server from every other, wherever it stands; see ``identity_of``."""
    judged_by: str
    """The version of Leadglass whose verdict it is."""

    @functools.cached_property
    def evidence_digest(self) -> bytes:
        """SHA-256 of the facts."""
        return hashlib.sha256(self.evidence.encode()).digest()

    @functools.cached_property
    def digest(self) -> bytes:
        """SHA-256 of rung and body, which holds facts and verdict."""
        return hashlib.sha256(f"{int(self.rung)} {self.body}".encode()).digest()


class Sighting(NamedTuple):
    """One endpoint, looked at once: the narrow row."""

    endpoint: bytes
    """See ``model.key``."""
    observed_at: int
    """POSIX seconds: when the look ended."""
    source: str | None
    """The local address it was seen from; None if no connection opened."""
    look: Look


class Sightings(Sequence[Sighting]):
    """Sightings as few objects: a row is endpoint, POSIX seconds, number of its source, number of its look."""

    __slots__ = ("looks", "rows", "sources")

    def __init__(
        self,
        rows: Sequence[tuple[bytes, int, int, int]],
        sources: Sequence[str | None],
        looks: Sequence[Look],
    ) -> None:
        self.rows = rows
        self.sources = sources
        self.looks = looks

    @classmethod
    def of(cls, sightings: Sequence[Sighting]) -> Sightings:
        """The same as ``sightings``."""
        if isinstance(sightings, cls):
            return sightings
        sources: dict[str | None, int] = {}
        looks: dict[Look, int] = {}
        rows = [
            (endpoint, at, sources.setdefault(source, len(sources)), looks.setdefault(look, len(looks)))
            for endpoint, at, source, look in sightings
        ]
        return cls(rows, list(sources), list(looks))

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, index: int) -> Sighting: ...

    @overload
    def __getitem__(self, index: slice) -> Sightings: ...

    def __getitem__(self, index: int | slice) -> Sighting | Sightings:
        if isinstance(index, slice):
            return Sightings(self.rows[index], self.sources, self.looks)
        endpoint, at, source, look = self.rows[index]
        return Sighting(endpoint, at, self.sources[source], self.looks[look])


def look_of(evidence: Sequence[Evidence], verdict: Verdict, rung: Rung, judged_by: str) -> Look:
    """The look that ``evidence`` and the ``verdict`` on it make."""
    facts = [[fact.probe, fact.fact, fact.value] for item in evidence for fact in facts_of(item)]
    return Look(
        evidence=json.dumps(facts, sort_keys=True, separators=(",", ":")),
        body=body_of(evidence, verdict),
        rung=rung,
        access=verdict.access,
        severity=verdict.severity,
        product=verdict.software.product,
        version=verdict.software.version,
        identity=identity_of(evidence),
        judged_by=judged_by,
    )


def evidence_in(body: Mapping[str, Any]) -> tuple[Evidence, ...]:
    """``ScanRecord.observed`` of the parsed ``body`` of a look: many are read sooner without the rest of a record."""
    return from_facts(
        unaltered(Fact(one["probe"], one["fact"], one["value"]), one["id"], one["sha256"])
        for one in body["evidence"]
    )


def identity_of(evidence: Iterable[Evidence]) -> bytes | None:
    """16 bytes that stay when a server moves to another address; None if it shows nothing of its own.

    Certificate, implementation (class UID and version name) and called title must all agree. Without a
    certificate and an implementation, two servers of one make could not be told apart.
    """
    certificate = implementation = None
    for item in evidence:
        if isinstance(item, TlsEvidence) and item.certificate is not None:
            certificate = item.certificate.sha256
        elif isinstance(item, AssociateEvidence) and item.implementation_class_uid is not None:
            version = item.implementation_version_name or ""
            implementation = f"{item.implementation_class_uid}\n{version}\n{item.called_ae}"
    if certificate is None or implementation is None:
        return None
    return hashlib.sha256(f"{certificate}\n{implementation}".encode()).digest()[:16]
