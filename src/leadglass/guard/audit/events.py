"""What the audit trail tells: one noun for everything that happens at the guard.

An event is what the chain keeps (``bodies``) and what a message is made of (``messages``). Patients
and the content of queries are absent from ``repr``, so that no log can hold them.
"""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass, field

from leadglass.model.access import Action, Principal

__all__ = [
    "AuditEvent",
    "AuditedStudy",
    "Happening",
    "Node",
    "Outcome",
    "Patient",
    "Query",
    "SopClass",
]


class Happening(enum.Enum):
    """What kind of thing happened; the value is its word in the chain and on the command line."""

    STARTED = "started"
    STOPPED = "stopped"
    """The guard itself."""
    ASSOCIATION = "association"
    """A device or service is connected, or was turned away: node authentication."""
    LOGIN = "login"
    LOGOUT = "logout"
    """A person."""
    QUERY = "query"
    TRANSFER_BEGUN = "transfer-begun"
    TRANSFERRED = "transferred"
    ACCESSED = "accessed"
    """Studies were read, made, changed or deleted without a transfer of instances."""
    REFUSED = "refused"
    """Somebody who is known asked for what they may not have."""
    OVER_BUDGET = "over-budget"
    EMERGENCY_STARTED = "emergency-started"
    EMERGENCY_STOPPED = "emergency-stopped"
    """Break-glass."""
    CONFIGURATION = "configuration"
    """Policy, roll or certificates were replaced, or could not be."""
    AUDIT_REPAIRED = "audit-repaired"
    """Something was wrong with the trail itself; ``reason`` says what."""
    AUDIT_USED = "audit-used"
    """Somebody read the trail."""


class Outcome(enum.IntEnum):
    """How it ended (EventOutcomeIndicator, PS3.15 A.5.1)."""

    SUCCESS = 0
    MINOR = 4
    """Refused or failed, and may be tried again."""
    SERIOUS = 8
    """Refused or failed for good."""
    MAJOR = 12
    """Something does not work any more."""


@dataclass(frozen=True, slots=True)
class Patient:
    """A patient, as far as known."""

    id: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class SopClass:
    """Instances of one SOP class in a study."""

    uid: str
    instances: int
    """How many."""
    uids: tuple[str, ...] = ()
    """Which, where that matters: of what failed, for instance. At most ``instances``."""


@dataclass(frozen=True, slots=True)
class AuditedStudy:
    """A study that something happened to."""

    study_instance_uid: str
    patient: Patient | None = field(default=None, repr=False)
    accession_number: str | None = field(default=None, repr=False)
    sop_classes: tuple[SopClass, ...] = ()


@dataclass(frozen=True, slots=True)
class Query:
    """What was asked."""

    sop_class: str
    """The UID of the information model; of QIDO-RS, empty."""
    identifier: bytes = field(repr=False)
    """The data set as it was encoded; of QIDO-RS, path and query string."""
    transfer_syntax: str | None = None
    length: int | None = None
    """Octets of the whole identifier, where only its beginning was kept."""


@dataclass(frozen=True, slots=True)
class Node:
    """An application entity and where it is."""

    title: str
    address: str | None = None


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One thing that happened; what is not known is None."""

    happening: Happening
    at: dt.datetime
    """When; with a time zone."""
    outcome: Outcome = Outcome.SUCCESS
    action: Action | None = None
    who: Principal | None = None
    """Who asked, if that was found out."""
    claimed: str | None = None
    """Who somebody said to be, and was not believed."""
    device: str | None = None
    """The enrolled name of what they asked through."""
    title: str | None = None
    """Its calling AE title."""
    called: str | None = None
    """The AE title that was called."""
    address: str | None = None
    """Where it is, an IPv4 or IPv6 literal."""
    certificate: str | None = None
    """SHA-256 of the client certificate, in hexadecimal."""
    studies: tuple[AuditedStudy, ...] = ()
    patients: tuple[Patient, ...] = field(default=(), repr=False)
    """Patients without a study, such as those that were asked for by their ID."""
    query: Query | None = None
    destination: Node | None = None
    """Where instances go, if that is neither the archive nor who asked: C-MOVE."""
    matches: int | None = None
    """Of a query: how many were passed on."""
    octets: int | None = None
    """Of instances: how many were transferred."""
    reason: str | None = None
    """One line in words; it names no patient."""
    rules: tuple[str, ...] = ()
    """The policies that decided."""
    emergency: str | None = field(default=None, repr=False)
    """The reason given for break-glass, while it is in force."""
    resource: str | None = None
    """What was used or replaced, a URI: of ``AUDIT_USED`` and ``CONFIGURATION``."""
