"""The codes of audit messages (PS3.15 A.5, PS3.16 CID 400 to 403), and what each happening is called there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from leadglass.guard.audit.events import Happening

__all__ = [
    "APPLICATION",
    "APPLICATION_SERVER",
    "CODES",
    "DESTINATION",
    "NODE_ID",
    "PATIENT_NUMBER",
    "SOP_CLASS_UID",
    "SOURCE",
    "STUDY_INSTANCE_UID",
    "URI",
    "Code",
    "EventCodes",
]


class Code(NamedTuple):
    """A coded value as the schema writes it."""

    value: str
    meaning: str
    system: str = "DCM"


class EventCodes(NamedTuple):
    """What EventIdentification says of a happening."""

    event: Code
    action: str
    """EventActionCode: C, R, U, D or E; "" where it depends on what was done."""
    types: tuple[Code, ...] = ()

    @property
    def is_alert(self) -> bool:
        """Whether this is a security alert."""
        return self.event is _ALERT


APPLICATION = Code("110150", "Application")
DESTINATION = Code("110152", "Destination Role ID")
SOURCE = Code("110153", "Source Role ID")

STUDY_INSTANCE_UID = Code("110180", "Study Instance UID")
SOP_CLASS_UID = Code("110181", "SOP Class UID")
NODE_ID = Code("110182", "Node ID")
PATIENT_NUMBER = Code("2", "Patient Number", "RFC-3881")
URI = Code("12", "URI", "RFC-3881")

APPLICATION_SERVER = "4"
"""AuditSourceTypeCode: an application server process (PS3.15 A.5.1.2.1)."""

_ACTIVITY = Code("110100", "Application Activity")
_ALERT = Code("110113", "Security Alert")
_LOGIN = Code("110114", "User Authentication")
_RESTRICTED = Code("110132", "Use of Restricted Function")
_BUDGET = Code("budget", "Budget Exceeded", "99LEADGLASS")
"""A local code: the standard has none for it. It stands beside the one that comes nearest."""

CODES: Mapping[Happening, EventCodes] = {
    Happening.STARTED: EventCodes(_ACTIVITY, "E", (Code("110120", "Application Start"),)),
    Happening.STOPPED: EventCodes(_ACTIVITY, "E", (Code("110121", "Application Stop"),)),
    Happening.ASSOCIATION: EventCodes(_ALERT, "E", (Code("110126", "Node Authentication"),)),
    Happening.LOGIN: EventCodes(_LOGIN, "E", (Code("110122", "Login"),)),
    Happening.LOGOUT: EventCodes(_LOGIN, "E", (Code("110123", "Logout"),)),
    Happening.QUERY: EventCodes(Code("110112", "Query"), "E"),
    Happening.TRANSFER_BEGUN: EventCodes(Code("110102", "Begin Transferring DICOM Instances"), "E"),
    # Whether the receiver had them already is not known here: A.5.3.7 asks for R then.
    Happening.TRANSFERRED: EventCodes(Code("110104", "DICOM Instances Transferred"), "R"),
    Happening.ACCESSED: EventCodes(Code("110103", "DICOM Instances Accessed"), ""),
    Happening.REFUSED: EventCodes(_ALERT, "E", (_RESTRICTED,)),
    Happening.OVER_BUDGET: EventCodes(_ALERT, "E", (_RESTRICTED, _BUDGET)),
    Happening.EMERGENCY_STARTED: EventCodes(_ALERT, "E", (Code("110127", "Emergency Override Started"),)),
    Happening.EMERGENCY_STOPPED: EventCodes(_ALERT, "E", (Code("110138", "Emergency Override Stopped"),)),
    Happening.CONFIGURATION: EventCodes(_ALERT, "E", (Code("110129", "Security Configuration"),)),
    Happening.AUDIT_REPAIRED: EventCodes(_ALERT, "E", (Code("110134", "Audit Recording Started"),)),
    Happening.AUDIT_USED: EventCodes(Code("110101", "Audit Log Used"), "R"),
}
