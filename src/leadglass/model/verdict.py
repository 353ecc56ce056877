"""What the evidence means: the two axes, access and nature, and everything said beside them."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = [
    "Access",
    "Capabilities",
    "ClientCertificate",
    "Data",
    "Kind",
    "Nature",
    "Position",
    "Reason",
    "Severity",
    "Software",
    "State",
    "TlsSummary",
    "Vantage",
    "Verdict",
]


class Access(enum.StrEnum):
    """What a stranger can do, worst first; the order of the members is the ranking."""

    ANSWERS_QUERY = "answers-query"
    OFFERS_QUERY = "offers-query"
    OFFERS_STORAGE = "offers-storage"
    ASSOCIATES = "associates"
    VERIFICATION_ONLY = "verification-only"
    WANTS_TITLE = "wants-title"
    DEMANDS_LOGIN = "demands-login"
    DEMANDS_CERTIFICATE = "demands-certificate"
    INCONCLUSIVE = "inconclusive"
    NOT_DICOM = "not-dicom"
    FILTERED = "filtered"
    CLOSED = "closed"

    @property
    def rank(self) -> int:
        """0 is worst."""
        return _RANKS[self]


_RANKS = {word: rank for rank, word in enumerate(Access)}


class State(enum.StrEnum):
    """How far one capability was established."""

    PROVED = "proved"
    GRANTED = "granted"
    REFUSED = "refused"
    UNDETERMINED = "undetermined"
    UNTESTED = "untested"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The capability map under the access word."""

    associate: State = State.UNTESTED
    verification: State = State.UNTESTED
    query: State = State.UNTESTED
    retrieve: State = State.UNTESTED
    storage: State = State.UNTESTED
    worklist: State = State.UNTESTED
    web_query: State = State.UNTESTED
    web_api: State = State.UNTESTED


class Kind(enum.StrEnum):
    """The six kinds of server that may stand behind an endpoint."""

    CLINICAL = "clinical"
    DEMO = "demo"
    TEACHING = "teaching"
    EXPERIMENTAL = "experimental"
    NON_HUMAN = "non-human"
    HONEYPOT = "honeypot"


@dataclass(frozen=True, slots=True)
class Nature:
    """A distribution over the six kinds; sums to 1, none is zero."""

    shares: Mapping[Kind, float]
    prior: Mapping[Kind, float]
    settled: bool = False
    settles: tuple[str, ...] = ()
    """What would settle it."""


class Data(enum.StrEnum):
    """Whose data it is, apart from who runs it."""

    IDENTIFIABLE = "identifiable"
    DE_IDENTIFIED = "de-identified"
    SYNTHETIC = "synthetic"
    NON_HUMAN = "non-human"
    UNKNOWN = "unknown"


class Severity(enum.StrEnum):
    """How soon somebody should act, worst first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    NONE = "none"

    @property
    def rank(self) -> int:
        """0 is worst."""
        return list(Severity).index(self)


class Position(enum.StrEnum):
    """From which side of the owner's network the look was taken, as the scope declares."""

    OUTSIDE = "outside"
    INSIDE = "inside"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Vantage:
    """From where it was seen."""

    source: str | None
    """The local address of the connection; None when no connection was made."""
    position: Position = Position.UNKNOWN


@dataclass(frozen=True, slots=True)
class Software:
    """The product, as far as the evidence goes."""

    product: str | None
    version: str | None
    confidence: float
    why: str = ""


class ClientCertificate(enum.StrEnum):
    """Whether the server asks who is calling, in TLS."""

    REQUIRED = "required"
    REQUESTED = "requested"
    NONE = "none"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class TlsSummary:
    """What a record says of TLS when TLS answered."""

    version: str | None
    cipher: str | None
    client_certificate: ClientCertificate
    acceptable_cas: tuple[str, ...] = ()
    certificate: Mapping[str, object] | None = None
    retired: tuple[str, ...] = ()
    """Retired versions and suites that the server still accepts."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One rule that fired, and the evidence it stands on."""

    rule: str
    """Stable id of the rule, e.g. ``access.answers-query``."""
    text: str
    evidence: tuple[str, ...] = ()
    """Fact ids, e.g. ``blank-query/status``."""

    def __str__(self) -> str:
        cited = f" [{', '.join(self.evidence)}]" if self.evidence else ""
        return f"{self.rule}: {self.text}{cited}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The whole answer for one endpoint."""

    access: Access
    capabilities: Capabilities
    protocols: tuple[str, ...]
    software: Software
    nature: Nature
    data: Data
    severity: Severity
    tls: TlsSummary | None = None
    reasons: tuple[Reason, ...] = ()
    advice: tuple[str, ...] = ()
    settles: tuple[str, ...] = field(default=())
    """What would settle what is still open in access."""
