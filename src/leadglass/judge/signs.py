"""Signs of what stands behind a server, and how much each moves the six kinds.

Rows of ``knowledge/nature.toml`` say how often servers of each kind show a sign; few of these shares were ever
measured, so that each is drawn towards the mean of all kinds as if so many servers had been average.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from leadglass.judge.features import Feature, features
from leadglass.judge.knowledge import Table, table
from leadglass.judge.organisations import Organisation, organisations
from leadglass.judge.seen import Piece, Seen
from leadglass.judge.software import Identified
from leadglass.model.evidence import Certificate, SampleEvidence, TlsEvidence, TlsHelloEvidence
from leadglass.model.verdict import Kind

__all__ = [
    "Shown",
    "Sign",
    "Surroundings",
    "Vector",
    "around",
    "as_shown",
    "counted",
    "in_wire",
    "locked",
    "rates",
    "signs",
    "strongest",
]

Vector: TypeAlias = Mapping[Kind, float]
"""By kind, the logarithm of how likely something is there."""


@dataclass(frozen=True, slots=True)
class Sign:
    """One row; the condition that is given must hold."""

    id: str
    group: str
    share: Mapping[Kind, float]
    weight: float
    says: str
    source: str
    place: str | None = None
    """Where names are read: ``certificate``, ``host``, ``registry`` or ``network``."""
    organisation: Organisation | None = None
    products: frozenset[str] = frozenset()
    client_certificate: bool = False
    fleet: int | None = None
    """So many other addresses answer alike."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is known of an endpoint that it did not say itself. Names are others' text and are only searched."""

    host_names: tuple[str, ...] = ()
    registered_to: tuple[str, ...] = ()
    network_names: tuple[str, ...] = ()
    """Of the provider whose network it is."""
    country: str | None = None
    """ISO 3166-1 alpha-2, where all sources agree. Shown, and no sign: where it stands says nothing of what it is."""
    alike: int = 0
    """Other addresses with the same answers."""


class Shown(NamedTuple):
    """A sign or a feature that was seen: what it does, and what it stands on."""

    group: str
    says: str
    vector: Vector
    cited: tuple[str, ...] = ()


@functools.cache
def signs() -> tuple[Sign, ...]:
    """The rows, in the order of the table."""
    return tuple(_sign(row) for row in table("nature")["sign"])


def _sign(row: Table) -> Sign:
    return Sign(
        id=row["id"],
        group=row["group"],
        share={Kind(kind): float(share) for kind, share in row["share"].items()},
        weight=float(row["weight"]),
        says=row["says"],
        source=row["source"],
        place=row.get("place"),
        organisation=Organisation(row["organisation"]) if "organisation" in row else None,
        products=frozenset(row.get("products", ())),
        client_certificate=row.get("client_certificate", False),
        fleet=row.get("fleet"),
    )


@functools.cache
def rates(sign: str) -> Mapping[Kind, float]:
    """How often each kind shows a sign, after shrinkage."""
    row = next(row for row in signs() if row.id == sign)
    mean = math.fsum(row.share.values()) / len(row.share)
    pull = float(table("nature")["signs"]["shrinkage"])
    return {
        kind: (share * row.weight + mean * pull) / (row.weight + pull) for kind, share in row.share.items()
    }


def in_wire(seen: Seen, software: Identified) -> Iterator[Shown]:
    """The signs in what the server itself said."""
    held: tuple[Piece[TlsEvidence | TlsHelloEvidence], ...] = (*seen.tls, *seen.hellos)
    named = [(piece, organisations(_names(piece.evidence.certificate))) for piece in held]
    for sign in signs():
        if sign.place == "certificate":
            cited = [
                fact
                for piece, kinds in named
                if sign.organisation in kinds
                for fact in piece.cite("certificate")
            ]
            if cited:
                yield as_shown(sign, tuple(cited))
        elif software.software.product in sign.products:
            yield as_shown(sign, software.evidence)


def around(surroundings: Surroundings) -> Iterator[Shown]:
    """The signs in what is known beside it."""
    places = {
        "host": organisations(surroundings.host_names),
        "registry": organisations(surroundings.registered_to),
        "network": organisations((*surroundings.network_names, *surroundings.host_names)),
    }
    for sign in signs():
        told = places.get(sign.place or "", frozenset())
        if sign.organisation in told or (sign.fleet is not None and surroundings.alike >= sign.fleet):
            yield as_shown(sign)


def locked() -> Shown:
    """The sign that a client certificate is demanded."""
    return as_shown(next(sign for sign in signs() if sign.client_certificate))


def counted(sample: SampleEvidence, cited: tuple[str, ...] = ()) -> Iterator[Shown]:
    """What the counts of a sample say, feature by feature; those it does not show count as well."""
    counts = {count.feature: count.studies for count in sample.features}
    if sample.studies:
        for feature in features():
            vector = _of_counts(feature, min(counts.get(feature.id, 0), sample.studies), sample.studies)
            says = f"{feature.says}: {counts.get(feature.id, 0)} of {sample.studies} studies"
            yield Shown(feature.group, says, vector, cited)


def strongest(shown: Iterable[Shown]) -> tuple[Shown, ...]:
    """Of each group the one that tells most: what goes together is counted once."""
    best: dict[str, Shown] = {}
    for one in shown:
        if one.group not in best or _spread(one.vector) > _spread(best[one.group].vector):
            best[one.group] = one
    return tuple(best.values())


def _spread(vector: Vector) -> float:
    return max(vector.values()) - min(vector.values())


def as_shown(sign: Sign, cited: tuple[str, ...] = ()) -> Shown:
    """A sign that was seen."""
    vector = {kind: math.log(rate) for kind, rate in rates(sign.id).items()}
    return Shown(sign.group, sign.says, vector, cited)


def _names(certificate: Certificate | None) -> tuple[str, ...]:
    return () if certificate is None else (certificate.subject, *certificate.sans)


def _of_counts(feature: Feature, shows: int, studies: int) -> Vector:
    """Beta-binomial: servers of one kind differ, so that a thousand studies of one server are one server."""
    found = {
        kind: _beta_binomial(shows, studies, share * feature.spread, (1 - share) * feature.spread)
        for kind, share in feature.share.items()
    }
    top, cap = max(found.values()), float(table("nature")["signs"]["sample_cap"])
    return {kind: max(value - top, -cap) for kind, value in found.items()}


def _beta_binomial(shows: int, studies: int, a: float, b: float) -> float:
    """Logarithm of the probability, without the binomial coefficient, which all kinds share."""
    return _log_beta(shows + a, studies - shows + b) - _log_beta(a, b)


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
