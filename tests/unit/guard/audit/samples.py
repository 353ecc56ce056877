"""One guard, and one event of each kind."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from leadglass.guard.audit.events import (
    AuditedStudy,
    AuditEvent,
    Happening,
    Node,
    Outcome,
    Patient,
    Query,
    SopClass,
)
from leadglass.guard.audit.participants import GuardIdentity
from leadglass.model.access import Action, Kind, Principal

AT = dt.datetime(2026, 11, 21, 5, 0, 0, 120, dt.UTC)
GUARD = GuardIdentity(
    "guard-1",
    "guard1.example.org",
    ("GUARD", "ARCHIVE"),
    Node("ARCHIVE", "192.0.2.10"),
    address="192.0.2.9",
    site="Example Hospital",
)
CT = "1.2.840.10008.5.1.4.1.1.2"
STUDY_ROOT = "1.2.840.10008.5.1.4.1.2.2.1"
PERSON = Principal(Kind.PERSON, "weber@example.org", frozenset({"radiologist", "auditor"}))
DEVICE = Principal(Kind.DEVICE, "ct-1", frozenset({"modality"}))
JANE = Patient("P-1", "Doe^Jane")
JOHN = Patient("P-2", "Roe^John")
STUDY = AuditedStudy("1.2.3.4", JANE, "A17", (SopClass(CT, 2, ("1.2.3.4.1", "1.2.3.4.2")),))
OTHER = AuditedStudy("1.2.3.5", JOHN)
QUERY = Query(STUDY_ROOT, b"\x08\x00\x52\x00\x06\x00\x00\x00STUDY ", "1.2.840.10008.1.2")

ASKING: Mapping[str, object] = {
    "device": "ws-7",
    "title": "WS7",
    "called": "ARCHIVE",
    "address": "192.0.2.70",
    "certificate": "ab" * 32,
}


def event(happening: Happening, **more: object) -> AuditEvent:
    """An event of a person at a workstation, unless ``more`` says otherwise."""
    return AuditEvent(happening, AT, **{"who": PERSON, **ASKING, **more})  # type: ignore[arg-type]


EVENTS: Mapping[str, AuditEvent] = {
    "started": AuditEvent(Happening.STARTED, AT),
    "stopped": AuditEvent(Happening.STOPPED, AT, reason="asked to"),
    "association": event(Happening.ASSOCIATION, who=DEVICE, device="ct-1", title="CT1"),
    "stranger": AuditEvent(
        Happening.ASSOCIATION, AT, Outcome.SERIOUS, address="2001:db8::7", reason="unknown certificate"
    ),
    "login": event(Happening.LOGIN),
    "login failed": event(
        Happening.LOGIN, who=None, claimed="mallory", outcome=Outcome.MINOR, reason="wrong passcode"
    ),
    "logout": event(Happening.LOGOUT),
    "query": event(Happening.QUERY, action=Action.FIND, query=QUERY, matches=12, rules=("radiologist-find",)),
    "web query": event(
        Happening.QUERY, action=Action.QIDO, query=Query("", b"/studies?PatientID=P-1"), resource="/studies"
    ),
    "begun": event(Happening.TRANSFER_BEGUN, action=Action.GET, studies=(STUDY,)),
    "store": event(
        Happening.TRANSFERRED,
        action=Action.STORE,
        who=DEVICE,
        device="ct-1",
        title="CT1",
        studies=(STUDY,),
        octets=9,
    ),
    "get": event(Happening.TRANSFERRED, action=Action.GET, studies=(STUDY,)),
    "move": event(
        Happening.TRANSFERRED, action=Action.MOVE, studies=(STUDY,), destination=Node("WS9", "192.0.2.90")
    ),
    "accessed": event(Happening.ACCESSED, action=Action.WADO, studies=(STUDY,)),
    "step": event(Happening.ACCESSED, action=Action.MPPS, studies=(STUDY,)),
    "refused": event(
        Happening.REFUSED,
        action=Action.GET,
        outcome=Outcome.SERIOUS,
        studies=(STUDY,),
        reason="no rule permits it",
    ),
    "budget": event(Happening.OVER_BUDGET, outcome=Outcome.MINOR, reason="more than 500 studies in an hour"),
    "emergency": event(Happening.EMERGENCY_STARTED, emergency="unconscious, bed 3"),
    "emergency over": event(Happening.EMERGENCY_STOPPED, emergency="unconscious, bed 3"),
    "policy": AuditEvent(
        Happening.CONFIGURATION, AT, Outcome.MINOR, reason="line 3 is wrong", resource="file:policy.cedar"
    ),
    "repaired": AuditEvent(Happening.AUDIT_REPAIRED, AT, Outcome.MINOR, reason="a torn line was cut off"),
    "read": AuditEvent(Happening.AUDIT_USED, AT, who=PERSON, resource="file:audit"),
    "patient": event(Happening.REFUSED, action=Action.FIND, outcome=Outcome.SERIOUS, patients=(JANE,)),
}
