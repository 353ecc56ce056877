"""Who asks, for what, about which study, under which circumstances; and the answer.

These are the nouns of the guard. ``leadglass.access`` decides with them, ``leadglass.guard`` carries
the decision out. Values that name a patient are absent from ``repr``, so that no log can hold one.
"""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass, field

__all__ = ["Action", "Circumstances", "Decision", "Kind", "Node", "Principal", "Resource", "Study"]


class Action(enum.Enum):
    """What can be asked of an archive; the value is the word in policies."""

    ECHO = "echo"
    FIND = "find"
    WORKLIST = "worklist"
    MOVE = "move"
    GET = "get"
    STORE = "store"
    COMMIT = "commit"
    """Storage commitment (PS3.4 annex J)."""
    MPPS = "mpps"
    """Modality performed procedure step (PS3.4 annex F)."""
    QIDO = "qido"
    WADO = "wado"
    STOW = "stow"
    UPS = "ups"


class Kind(enum.Enum):
    """What a principal is; the value is the entity type in policies."""

    PERSON = "Person"
    DEVICE = "Device"
    SERVICE = "Service"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: a person, a device, or a service such as an archive or a router."""

    kind: Kind
    name: str
    """Unique among its kind: the enrolled name, or the subject of a token."""
    roles: frozenset[str] = frozenset()
    physician_names: frozenset[str] = frozenset()
    """How studies name this person as referring or performing physician (PN, PS3.5 6.2)."""
    titles: frozenset[str] = frozenset()
    """The AE titles that it may use."""
    institutions: frozenset[str] = frozenset()
    """The institutions it belongs to."""
    modalities: frozenset[str] = frozenset()
    """Of a device: what it produces (Modality, 0008,0060)."""
    labels: frozenset[str] = frozenset()
    """The labels it was granted, e.g. trials."""


@dataclass(frozen=True, slots=True)
class Study:
    """What is known of a study; None (or an empty set) where it could not be had."""

    study_instance_uid: str
    patient_id: str | None = field(default=None, repr=False)
    accession_number: str | None = field(default=None, repr=False)
    study_date: str | None = field(default=None, repr=False)
    """DA, ``YYYYMMDD``."""
    modalities: frozenset[str] = frozenset()
    institution: str | None = None
    referring_physician: str | None = field(default=None, repr=False)
    performing_physicians: frozenset[str] = field(default=frozenset(), repr=False)
    labels: frozenset[str] = frozenset()
    """``de-identified`` where (0012,0062) is YES, and what the configuration derives."""
    station: str | None = None
    """Scheduled Station AE Title of a worklist item."""


@dataclass(frozen=True, slots=True)
class Node:
    """An application entity as a resource: the archive, or a move destination."""

    title: str


Resource = Study | Node


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What else a decision may depend on."""

    address: str
    """From where, an IPv4 or IPv6 literal."""
    moment: dt.datetime
    """UTC, cut to the minute, so that decisions can be remembered."""
    certificate: str | None = None
    """SHA-256 of the client certificate, in hexadecimal."""
    device: str | None = None
    """The enrolled name of the device through which a person asks."""
    emergency: str | None = field(default=None, repr=False)
    """The reason given for break-glass, while it is in force."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Allowed or denied, and by which rules."""

    allowed: bool
    rules: tuple[str, ...]
    """The ids of the policies that decided; empty: nothing permits it."""
    reason: str
    """One line for the audit and the log; it names no patient."""
