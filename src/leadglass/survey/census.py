"""What a stored scan counts: servers, what a stranger can do with them, and what they may be.

Servers are counted, not endpoints: an address stands for one, with the worst of its endpoints. A server that moved, or
answers at several addresses, is known again by its identity (certificate, implementation and title
together), and so is a fleet that was made from one image, which identity cannot tell apart: so there are two counts,
by address and by identity, and the truth lies between.

The natures in a scan are probabilities that rest on a prior. Their sum is what to expect if that prior is right,
and nothing tells that it is: the bounds beside it hold whatever the prior, from those settled to all not settled
otherwise.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from leadglass.model.statement import Statement
from leadglass.model.verdict import Access, Kind
from leadglass.survey.hidden import Hint, hint_of
from leadglass.survey.interval import Interval

__all__ = ["SILENT", "Census", "Endpoint", "Expected", "Seen", "Server", "census"]

SILENT = frozenset({Access.NOT_DICOM, Access.FILTERED, Access.CLOSED, Access.INCONCLUSIVE})
"""Words for endpoints that were not seen to speak DICOM."""
_LOCKED = frozenset({Access.DEMANDS_CERTIFICATE, Access.DEMANDS_LOGIN})
"""Words that are used of others too: such an endpoint is DICOM only if it says so."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What endpoints share that answered alike."""

    access: Access
    is_dicom: bool
    """It was seen to speak DICOM, or DICOMweb."""
    natures: Mapping[Kind, float]
    settled: bool
    demands_certificate: bool
    names: tuple[str, ...]
    """In its certificate, and of the authorities that it accepts; empty where it demands no certificate."""
    identity: bytes | None
    """See ``model.look.identity_of``."""
    kind: Kind = field(init=False)
    """The likeliest."""
    counts: bool = field(init=False)
    """Whether it is a DICOM server that was found."""

    def __post_init__(self) -> None:
        likeliest = max(self.natures, key=self.natures.__getitem__)
        object.__setattr__(self, "kind", likeliest)
        speaks = self.access not in SILENT and (self.is_dicom or self.access not in _LOCKED)
        object.__setattr__(self, "counts", speaks)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint, seen from one place."""

    port: int
    place: str
    seen: Seen
    is_confirmed: bool = False
    """DNS-SD announces it as DICOM, or its owner says what it is."""
    stated: Statement | None = None
    """What its owner says."""


@dataclass(frozen=True, slots=True)
class Server:
    """An address with all that was seen of it."""

    address: str
    endpoints: tuple[Endpoint, ...]

    @property
    def front(self) -> Endpoint | None:
        """The worst of its DICOM endpoints; None if it has none."""
        found = [endpoint for endpoint in self.endpoints if endpoint.seen.counts]
        if len(found) < 2:
            return found[0] if found else None
        return min(found, key=lambda endpoint: endpoint.seen.access.rank)

    @property
    def face(self) -> Seen | None:
        """What was seen of that."""
        front = self.front
        return None if front is None else front.seen

    @property
    def said(self) -> Statement | None:
        """What its owner says: of that endpoint, or else of another that is DICOM."""
        if all(one.stated is None for one in self.endpoints):
            return None
        front = self.front
        if front is not None and front.stated is not None:
            return front.stated
        return next((one.stated for one in self.endpoints if one.stated and one.seen.counts), None)

    def seen_from(self) -> frozenset[str]:
        """The places from which it was seen to speak DICOM."""
        return frozenset(endpoint.place for endpoint in self.endpoints if endpoint.seen.counts)

    def identity(self) -> bytes | None:
        """What tells it from others at any address; None if it shows nothing of its own."""
        return min((e.seen.identity for e in self.endpoints if e.seen.identity is not None), default=None)

    def hints(self) -> Iterable[Hint]:
        """What speaks for DICOM, for each port that demands a certificate."""
        demanding = {e.port: e for e in self.endpoints if e.seen.demands_certificate}
        speaks = bool(demanding) and self.face is not None
        for port, one in demanding.items():
            confirmed = one.is_confirmed or one.seen.is_dicom
            yield hint_of(port, one.seen.names, speaks_beside=speaks, confirmed=confirmed)


@dataclass(frozen=True, slots=True)
class Expected:
    """How many servers are of one kind, by what the scan says of each."""

    sum: float
    """Of the probabilities: what to expect if the prior is right."""
    bounds: Interval
    """From those settled as this kind to all that are not settled as another."""
    likeliest: int
    """For how many it is the likeliest: the naive count."""


@dataclass(slots=True)
class Census:
    """Counts of one scan."""

    addresses: int = 0
    """That were looked at."""
    servers: int = 0
    """Addresses that speak DICOM."""
    identities: int = 0
    """Distinct servers among them, as far as identities tell."""
    access: Counter[Access] = field(default_factory=Counter)
    kinds: dict[Kind, Expected] = field(default_factory=dict)
    settled: int = 0
    """By a sample of their studies, or by their owners' word."""
    stated: int = 0
    """Of these, by their owners' word."""
    contradicted: int = 0
    """Of these, that the evidence makes something else of: another kind is the likeliest by it."""
    hints: Counter[Hint] = field(default_factory=Counter)
    histories: Counter[frozenset[str]] = field(default_factory=Counter)
    """Of servers, told by identity where they have one: from which places they were seen."""


def census(servers: Iterable[Server]) -> Census:
    """Count ``servers``, each address of which comes once. Memory grows only with the number of identities."""
    counted = Census()
    sums = dict.fromkeys(Kind, 0.0)
    likeliest: Counter[Kind] = Counter()
    settled: Counter[Kind] = Counter()
    places: dict[bytes, frozenset[str]] = {}
    for server in servers:
        counted.addresses += 1
        counted.hints.update(server.hints())
        face = server.face
        if face is None:
            continue
        counted.servers += 1
        counted.access[face.access] += 1
        word = server.said
        said = None if word is None else word.nature
        if said is None:
            for kind, share in face.natures.items():
                sums[kind] += share
            likeliest[face.kind] += 1
            settled[face.kind] += face.settled
        else:
            sums[said] += 1
            likeliest[said] += 1
            settled[said] += 1
            counted.stated += 1
            counted.contradicted += said is not face.kind
        identity = server.identity()
        if identity is None:  # an address comes once, and need not be remembered
            counted.histories[server.seen_from()] += 1
        else:
            places[identity] = places.get(identity, frozenset()) | server.seen_from()
    counted.histories.update(places.values())
    counted.identities = counted.histories.total()
    counted.settled = settled.total()
    counted.kinds = {
        kind: Expected(
            sums[kind],
            Interval(settled[kind], counted.servers - counted.settled + settled[kind]),
            likeliest[kind],
        )
        for kind in Kind
    }
    return counted
