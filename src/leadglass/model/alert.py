"""Alerts: what somebody has to hear tonight, said once."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass

from leadglass.model.endpoint import Endpoint
from leadglass.model.verdict import Access, Severity

__all__ = ["OPENINGS", "Alert", "AlertKind", "AlertState", "Silence"]


class AlertKind(enum.StrEnum):
    """What happened."""

    NEW_SERVER = "new-server"
    """A DICOM server answers at an address where none did."""
    NEWLY_OPEN = "newly-open"
    """A port of a known server answers that did not."""
    CONTROL_LOST = "control-lost"
    """A stranger can do more than before: a certificate, a title, a refusal is no longer asked for."""
    CERTIFICATE = "certificate-expiring"
    UNDECLARED = "undeclared"
    """The register knows nothing of the server, or does not allow the port."""
    FIXED = "fixed"
    """What was open is not: good news, and the end of the alert that it answers."""
    ENDED = "acceptance-ended"
    """A risk was accepted until a day, and that day has gone by."""
    REVIEW = "review-overdue"
    NOT_SCANNED = "not-scanned"
    """A scan was due and could not run, or did not end: from then on nobody knows."""


OPENINGS = frozenset({AlertKind.NEW_SERVER, AlertKind.NEWLY_OPEN, AlertKind.CONTROL_LOST})
"""What a look at the endpoint alone can show to be over."""


class AlertState(enum.StrEnum):
    """What somebody has done about it."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    SILENT = "silent"
    """It stands under a silence, and was sent to nobody."""
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing to hear of. Times are POSIX seconds."""

    id: str
    """A ULID."""
    key: str
    """What makes two alerts the same: while one is open, its like is counted and not sent again."""
    kind: AlertKind
    severity: Severity
    schedule: str
    scope: str
    """The name of the scope."""
    summary: str
    """One line in our own words; what a peer wrote is not in it."""
    first_at: int
    last_at: int
    times: int = 1
    endpoint: Endpoint | None = None
    system: str | None = None
    """The system of the register, if it knows one."""
    before: Access | None = None
    after: Access | None = None
    scan: str | None = None
    """The ULID of the scan that saw it."""
    not_before: int | None = None
    """The last look that saw it otherwise: it happened between then and ``first_at``, which bounds the time to detect."""
    state: AlertState = AlertState.OPEN
    changed_by: str = ""
    """Who acknowledged or closed it; "" for the watch itself."""
    head: str = ""
    """Hexadecimal hash of the register's head when it was raised, so that a register cut later shows."""


@dataclass(frozen=True, slots=True)
class Silence:
    """Somebody takes a risk upon himself until a day: alerts that match are kept and sent to nobody."""

    id: str
    """A ULID."""
    owner: str
    reason: str
    until: dt.date
    """The last day; silences without an end do not exist."""
    kinds: tuple[AlertKind, ...] = ()
    """None: all of them."""
    address: str | None = None
    """An address or a network (CIDR); None: any."""
    port: int | None = None
    system: str | None = None
    risk: str | None = None
    """The accepted risk of the register that it follows; it ends with that."""
