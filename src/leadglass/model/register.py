"""The register of imaging systems: what is declared of each, what was observed, who reviewed it, what is at risk.

Risk is in the words of NIST SP 800-30 Rev. 1 (threat, vulnerability, likelihood, impact, treatment).
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from leadglass.model.verdict import Access, Position, Severity

__all__ = [
    "SILENT",
    "Level",
    "Management",
    "Manager",
    "Outcome",
    "Register",
    "Review",
    "Risk",
    "ScanTaken",
    "Seen",
    "SeenPort",
    "Stamp",
    "System",
    "SystemKind",
    "Treatment",
]

_T = TypeVar("_T")

SILENT = frozenset({Access.CLOSED, Access.FILTERED})
"""What a port is called where nothing answers."""


class SystemKind(enum.StrEnum):
    """What a system is for."""

    SERVER = "dicom-server"
    MODALITY = "modality"
    WORKSTATION = "workstation"
    ARCHIVE = "archive"
    GATEWAY = "gateway"


class Management(enum.StrEnum):
    """Who looks after a system; a business associate does so under an agreement (45 CFR 164.308(b))."""

    IN_HOUSE = "in-house"
    VENDOR = "vendor"
    BUSINESS_ASSOCIATE = "business-associate"


class Outcome(enum.StrEnum):
    """What a review came to."""

    PASSED = "passed"
    GAPS = "gaps"
    """Controls are missing, and it is written down which."""
    FAILED = "failed"


class Level(enum.StrEnum):
    """The qualitative values of SP 800-30, least first."""

    VERY_LOW = "very-low"
    LOW = "low"
    MODERATE = "moderate"
    HIGH = "high"
    VERY_HIGH = "very-high"


class Treatment(enum.StrEnum):
    """What is done about a risk."""

    MITIGATE = "mitigate"
    ACCEPT = "accept"
    """Somebody takes it upon himself, until a day."""
    TRANSFER = "transfer"


@dataclass(frozen=True, slots=True)
class Manager:
    """Who looks after a system, and under which agreement."""

    kind: Management
    name: str = ""
    agreement: str = ""
    """Where the agreement is found: a number, a file."""
    until: dt.date | None = None
    """The last day of the agreement; None: it does not end, or nobody knows."""


@dataclass(frozen=True, slots=True)
class System:
    """One imaging system, as it is declared."""

    name: str
    """Unique in the register."""
    kind: SystemKind = SystemKind.SERVER
    owner: str = ""
    manager: Manager | None = None
    location: str = ""
    addresses: tuple[str, ...] = ()
    """IPv4 or IPv6 literals in canonical form, or names."""
    ports: tuple[int, ...] = ()
    """TCP ports that may be open; any other one is a finding."""
    titles: tuple[str, ...] = ()
    """AE titles."""
    zones: tuple[str, ...] = ()
    peers: tuple[str, ...] = ()
    """Who may talk to it."""
    data: tuple[str, ...] = ()
    """What it holds."""
    controls: tuple[str, ...] = ()
    """Safeguards in place, in the words that requirements use, such as ``mfa``."""
    note: str = ""
    retired: dt.date | None = None
    """The day it was taken out of service; from then on nothing may answer there."""


@dataclass(frozen=True, slots=True)
class Review:
    """Somebody looked at a system's controls."""

    system: str
    on: dt.date
    reviewer: str
    outcome: Outcome
    next: dt.date | None = None
    note: str = ""

    def trouble(self, today: dt.date) -> str:
        """Why nobody can have reviewed so by ``today``; "" if somebody can."""
        if self.on > today:
            return "the day of the review has not come"
        if self.next is not None and self.next < self.on:
            return "the next review is due before the day of this one"
        return ""


@dataclass(frozen=True, slots=True)
class Risk:
    """One risk to one system, and what is done about it."""

    name: str
    """Unique in the register."""
    system: str
    """The asset."""
    threat: str
    vulnerability: str
    likelihood: Level
    impact: Level
    treatment: Treatment | None = None
    """None: nobody has decided yet."""
    owner: str = ""
    """Who accepted it, or sees to it."""
    until: dt.date | None = None
    """Of an accepted risk the last day; of the others, the day it is to be done."""
    measure: str = ""
    """What is done, or where the transfer is written down."""
    residual_likelihood: Level | None = None
    """After treatment; None: as before."""
    residual_impact: Level | None = None


@dataclass(frozen=True, slots=True)
class SeenPort:
    """One TCP port that answered."""

    port: int
    access: Access
    severity: Severity
    product: str | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What scans saw of one address from one side of the network."""

    address: str
    position: Position
    scan: str
    """The first scan that saw it so."""
    since: int
    """POSIX seconds: when it was first seen so."""
    ports: tuple[SeenPort, ...] = ()
    """Those that answered, by number; none: it was looked at, and nothing did."""
    name: str | None = None
    """The DNS name that the address was resolved from."""
    identity: str | None = None
    """What tells this server from every other (``look.identity_of``), hexadecimal; kept when it falls silent."""
    answered: int | None = None
    """POSIX seconds: when it last answered, of the scans that made an entry."""


@dataclass(frozen=True, slots=True)
class ScanTaken:
    """A scan that the register was filled from."""

    scan: str
    began: int
    """POSIX seconds."""
    position: Position
    scope: str
    is_complete: bool


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a time-stamping authority said of the chain: that the digest of one entry was there (RFC 3161)."""

    n: int
    """The entry."""
    digest: str
    """Its digest as it was then, SHA-256 in hexadecimal: what the authority signed."""
    at: int
    """POSIX seconds: when, as the authority says."""
    authority: str
    """The address that was asked."""
    answer: str
    """The whole answer (TimeStampResp), base64."""


@dataclass(frozen=True)
class Register:
    """All of it at one moment, each mapping by name."""

    systems: Mapping[str, System] = field(default_factory=dict)
    reviews: Mapping[str, Review] = field(default_factory=dict)
    risks: Mapping[str, Risk] = field(default_factory=dict)
    seen: Mapping[str, Seen] = field(default_factory=dict)
    scans: Mapping[str, ScanTaken] = field(default_factory=dict)
    stamps: Mapping[str, Stamp] = field(default_factory=dict)

    @cached_property
    def systems_at(self) -> Mapping[str, Sequence[System]]:
        """By address or name, the systems that are declared to be there."""
        return _grouped((address, one) for one in self.systems.values() for address in one.addresses)

    @cached_property
    def seen_at(self) -> Mapping[str, Sequence[Seen]]:
        """By address, and by the name that it was resolved from, what was seen there."""
        return _grouped(
            (place, one) for one in self.seen.values() for place in {one.address, one.name} if place
        )

    @cached_property
    def identified(self) -> Mapping[str, Sequence[Seen]]:
        """By identity, what showed it."""
        return _grouped((one.identity, one) for one in self.seen.values() if one.identity)

    @cached_property
    def reviews_of(self) -> Mapping[str, Sequence[Review]]:
        """By system, its reviews."""
        return _grouped((one.system, one) for one in self.reviews.values())

    @cached_property
    def risks_of(self) -> Mapping[str, Sequence[Risk]]:
        """By system, its risks."""
        return _grouped((one.system, one) for one in self.risks.values())

    @cached_property
    def last_scan(self) -> int:
        """POSIX seconds: when the latest finished scan began; 0 if there is none."""
        return max((scan.began for scan in self.scans.values() if scan.is_complete), default=0)


def _grouped(pairs: Iterable[tuple[str, _T]]) -> Mapping[str, Sequence[_T]]:
    found: dict[str, list[_T]] = {}
    for key, one in pairs:
        found.setdefault(key, []).append(one)
    return found
