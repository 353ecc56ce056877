"""What an association tells its user: frozen, one type for each indication of PS3.8 and our two.

``association`` makes them and is the place to import them from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from leadglass.errors import RemoteProtocolError
from leadglass.wire import pdu
from leadglass.wire.states import State

__all__ = [
    "Aborted",
    "AssociateAccepted",
    "AssociateRejected",
    "AssociateRequested",
    "ConnectionLost",
    "DataReceived",
    "Event",
    "ProtocolViolation",
    "ReleaseRequested",
    "Released",
    "TimedOut",
]


@dataclass(frozen=True, slots=True)
class AssociateRequested:
    """A peer asks for an association: call ``accept``, ``reject`` or ``abort``."""

    pdu: pdu.AAssociateRQ


@dataclass(frozen=True, slots=True)
class AssociateAccepted:
    """The peer accepted ours; look at each presentation context's result before using it."""

    pdu: pdu.AAssociateAC


@dataclass(frozen=True, slots=True)
class AssociateRejected:
    """The peer rejected ours. The association is over."""

    pdu: pdu.AAssociateRJ


@dataclass(frozen=True, slots=True)
class DataReceived:
    """The values of one P-DATA-TF, on accepted presentation contexts only."""

    pdvs: tuple[pdu.PresentationDataValue, ...]


@dataclass(frozen=True, slots=True)
class ReleaseRequested:
    """The peer asks for release: call ``release_reply``.

    If we had asked too, that is a collision: in Sta9 (we are the requestor) reply now, in Sta10
    only after ``Released`` has come.
    """


@dataclass(frozen=True, slots=True)
class Released:
    """The peer confirmed our release. The association is over, unless ``state`` is Sta12: reply still."""


@dataclass(frozen=True, slots=True)
class Aborted:
    """The peer aborted; source and reason as in PS3.8 table 9-26. The association is over."""

    source: int
    reason: int
    by_peer: bool = True


@dataclass(frozen=True, slots=True)
class ConnectionLost:
    """The connection ended under a living association, or could not be made."""


@dataclass(frozen=True, slots=True)
class TimedOut:
    """Nothing came in time. The association is over; an A-ABORT is queued where one is due."""

    state: State
    """Where we waited: ARTIM in Sta2 and Sta13, our own ``idle`` elsewhere."""


@dataclass(frozen=True, slots=True)
class ProtocolViolation:
    """The peer broke the standard. The association is over, the A-ABORT is queued."""

    error: RemoteProtocolError


Event: TypeAlias = (
    AssociateRequested
    | AssociateAccepted
    | AssociateRejected
    | DataReceived
    | ReleaseRequested
    | Released
    | Aborted
    | ConnectionLost
    | TimedOut
    | ProtocolViolation
)
