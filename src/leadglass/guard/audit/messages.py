"""Events as audit messages (PS3.15 A.5): XML, complete, and short enough for any collector.

A message names one patient at most (A.5.3.3, A.5.3.6, A.5.3.7), so an event that concerns several makes
several messages; and so does one with more studies or instances than one message holds.
"""

from __future__ import annotations

import base64
import functools
from collections.abc import Iterator
from ipaddress import ip_address

from leadglass.guard.audit.codes import (
    APPLICATION_SERVER,
    CODES,
    NODE_ID,
    PATIENT_NUMBER,
    SOP_CLASS_UID,
    STUDY_INSTANCE_UID,
    URI,
    Code,
)
from leadglass.guard.audit.events import AuditedStudy, AuditEvent, Happening, Patient, Query, SopClass
from leadglass.guard.audit.participants import GuardIdentity, Participant, participants
from leadglass.guard.audit.portions import packed
from leadglass.guard.audit.xml import attributes, element, text
from leadglass.ledger.chain import stamp
from leadglass.model.access import Action

__all__ = ["LONGEST_MESSAGE", "to_xml"]

LONGEST_MESSAGE = 32_768 - 512
"""Octets of XML. With the header in front of it, a collector must take 32,768 (PS3.15 A.6)."""

_TEXT = 256
_TIGHT = 48
"""Characters of a text, and where escapes make that too much, fewer."""
_CODE = 48
_UID = 64
_IDENTIFIER = 8192
"""Octets of a query's identifier."""
_PROLOG = '<?xml version="1.0" encoding="UTF-8"?>'
_MADE = {Action.STORE: "C", Action.STOW: "C", Action.MPPS: "U"}
"""EventActionCode of an access; any other reads."""


def to_xml(event: AuditEvent, guard: GuardIdentity) -> tuple[bytes, ...]:
    """The messages that tell ``event``: one, or as many as its patients, studies and instances need."""
    messages = tuple(_Message(event, guard, _TEXT).portions())
    if any(len(message) > LONGEST_MESSAGE for message in messages):
        messages = tuple(_Message(event, guard, _TIGHT).portions())
    return messages


class _Message:
    """All messages of one event, with texts of at most ``most`` characters."""

    def __init__(self, event: AuditEvent, guard: GuardIdentity, most: int) -> None:
        self._event = event
        self._guard = guard
        self._most = most
        self._codes = CODES[event.happening]

    def portions(self) -> Iterator[bytes]:
        head = "".join(
            [
                self._identification(),
                *map(self._participant, participants(self._event, self._guard)),
                self._source(),
                *self._subjects(),
            ]
        )
        room = LONGEST_MESSAGE - len(head.encode()) - len(_PROLOG) - len("<AuditMessage></AuditMessage>")
        for patient, studies in self._groups():
            person = "" if patient is None else self._patient(patient)
            for portion in packed(studies, room - len(person.encode()), self._weight) if studies else ((),):
                inner = f"{head}{''.join(map(self._study, portion))}{person}"
                yield f"{_PROLOG}<AuditMessage>{inner}</AuditMessage>".encode()

    def _groups(self) -> list[tuple[Patient | None, list[AuditedStudy]]]:
        """Studies by their patients; patients without one; at least one group."""
        groups: dict[Patient | None, list[AuditedStudy]] = {}
        for study in self._event.studies:
            groups.setdefault(study.patient, []).append(study)
        for patient in self._event.patients:
            groups.setdefault(patient, [])
        return list(groups.items()) or [(None, [])]

    # What every message begins with.

    def _identification(self) -> str:
        event, codes = self._event, self._codes
        said = attributes(
            self._most,
            EventActionCode=codes.action or _MADE.get(event.action or Action.ECHO, "R"),
            EventDateTime=stamp(event.at),
            EventOutcomeIndicator=str(int(event.outcome)),
        )
        described = "; ".join(_described(event))
        inner = [_coded("EventID", codes.event)]
        inner += [_coded("EventTypeCode", code) for code in codes.types]
        if described:
            inner.append(element("EventOutcomeDescription", content=text(described, 4 * self._most)))
        return element("EventIdentification", said, inner)

    def _participant(self, one: Participant) -> str:
        said = attributes(
            self._most,
            UserID=one.user_id,
            AlternativeUserID=f"AETITLES={';'.join(one.titles)}" if one.titles else None,
            UserName=one.name,
            UserIsRequestor="true" if one.is_requestor else "false",
            NetworkAccessPointID=one.address,
            NetworkAccessPointTypeCode=None if one.address is None else _access_point(one.address),
        )
        return element("ActiveParticipant", said, [_coded("RoleIDCode", role) for role in one.roles])

    def _source(self) -> str:
        said = attributes(self._most, AuditEnterpriseSiteID=self._guard.site, AuditSourceID=self._guard.name)
        kind = element("AuditSourceTypeCode", f' csd-code="{APPLICATION_SERVER}"')
        return element("AuditSourceIdentification", said, kind)

    # What it happened to.

    def _subjects(self) -> Iterator[str]:
        event = self._event
        if event.query is not None:
            yield self._query(event.query)
        if self._codes.is_alert:
            yield self._alert_subject()
        elif event.happening is Happening.AUDIT_USED:
            name = element("ParticipantObjectName", content="Security Audit Log")
            yield self._object("2", "13", URI, event.resource or "", name)

    def _object(self, kind: str, role: str, id_type: Code, identity: str, content: str) -> str:
        said = attributes(
            self._most,
            ParticipantObjectID=identity,
            ParticipantObjectTypeCode=kind,
            ParticipantObjectTypeCodeRole=role,
        )
        inner = _coded("ParticipantObjectIDTypeCode", id_type) + content
        return element("ParticipantObjectIdentification", said, inner)

    def _query(self, query: Query) -> str:
        is_dimse = bool(query.sop_class)
        kept = query.identifier[:_IDENTIFIER]
        inner = element("ParticipantObjectQuery", content=base64.b64encode(kept).decode())
        if query.transfer_syntax is not None:
            inner += _detail("TransferSyntax", query.transfer_syntax[:_UID])
        length = query.length or len(query.identifier)
        if length > len(kept):
            inner += _detail("IdentifierLength", str(length))
        identity = query.sop_class if is_dimse else self._event.resource or ""
        return self._object("2", "3", SOP_CLASS_UID if is_dimse else URI, identity, inner)

    def _alert_subject(self) -> str:
        event = self._event
        identity = event.resource or event.address or self._guard.host
        id_type = NODE_ID if event.resource is None else URI
        inner = element("ParticipantObjectName") + _detail("Alert Description", self._alert())
        if event.certificate is not None:
            inner += _detail("Certificate SHA-256", event.certificate[: self._most])
        return self._object("2", "13", id_type, identity, inner)

    def _alert(self) -> str:
        event = self._event
        said = event.emergency if event.emergency and "emergency" in event.happening.value else event.reason
        return (said or event.happening.value)[: self._most]

    def _study(self, study: AuditedStudy) -> str:
        number = study.accession_number
        inner = "" if not number else element("Accession", attributes(self._most, Number=number))
        inner += "".join(map(self._sop_class, study.sop_classes))
        content = element("ParticipantObjectName")
        if self._codes.is_alert:
            content += _detail("Alert Description", self._alert())
        if inner:
            content += element("ParticipantObjectDescription", content=inner)
        return self._object("2", "3", STUDY_INSTANCE_UID, study.study_instance_uid, content)

    def _sop_class(self, one: SopClass) -> str:
        said = attributes(self._most, UID=one.uid, NumberOfInstances=str(one.instances))
        instances = [element("Instance", attributes(self._most, UID=uid)) for uid in one.uids]
        return element("SOPClass", said, instances)

    def _weight(self, study: AuditedStudy) -> int:
        return len(self._study(study).encode())

    def _patient(self, patient: Patient) -> str:
        name = element("ParticipantObjectName", content=text(patient.name or "", self._most))
        return self._object("1", "1", PATIENT_NUMBER, patient.id, name)


def _described(event: AuditEvent) -> Iterator[str]:
    """EventOutcomeDescription: what has no place of its own in the schema."""
    if event.reason:
        yield event.reason
    if event.rules:
        yield f"rules: {', '.join(event.rules)}"
    if event.emergency:
        yield f"break-glass: {event.emergency}"
    if event.action is not None:
        yield f"action: {event.action.value}"
    if event.matches is not None:
        yield f"matches: {event.matches}"
    if event.octets is not None:
        yield f"octets: {event.octets}"


@functools.lru_cache(maxsize=256)
def _coded(name: str, code: Code) -> str:
    said = attributes(_CODE, codeSystemName=code.system, originalText=code.meaning)
    return element(name, f' csd-code="{text(code.value, _CODE)}"{said}')


def _detail(kind: str, value: str) -> str:
    encoded = base64.b64encode(value.encode(errors="replace")).decode()
    return element("ParticipantObjectDetail", f' type="{kind}" value="{encoded}"')


def _access_point(address: str) -> str:
    """NetworkAccessPointTypeCode: 2 for an address, 1 for a name."""
    try:
        ip_address(address)
    except ValueError:
        return "1"
    return "2"
