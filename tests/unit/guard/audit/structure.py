"""What PS3.15 A.5.1 allows in an audit message, as code: elements in their order, attributes, values."""

from __future__ import annotations

import base64
import datetime as dt
import re
import xml.etree.ElementTree as ET  # its usual name; reads what we wrote ourselves
from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["faults", "parse"]


class Rule(NamedTuple):
    """What one element may hold: a pattern of its children's names, and of its attributes' values."""

    children: str
    required: Mapping[str, str] = {}
    optional: Mapping[str, str] = {}
    text: str = ""


ANY = r"[\s\S]*"
TOKEN = r"\S(.*\S)?"
BOOLEAN = "true|false"
CODED = Rule("", {"csd-code": TOKEN, "codeSystemName": TOKEN, "originalText": TOKEN}, {"displayName": TOKEN})
UID = r"[0-9.]{1,64}"

RULES = {
    "AuditMessage": Rule(
        "EventIdentification (ActiveParticipant )+AuditSourceIdentification (ParticipantObjectIdentification )*"
    ),
    "EventIdentification": Rule(
        "EventID (EventTypeCode )*(EventOutcomeDescription )?",
        {"EventDateTime": ANY, "EventOutcomeIndicator": "0|4|8|12"},
        {"EventActionCode": "[CRUDE]"},
    ),
    "EventID": CODED,
    "EventTypeCode": CODED,
    "EventOutcomeDescription": Rule("", text=ANY),
    "ActiveParticipant": Rule(
        "(RoleIDCode )*",
        {"UserID": ANY, "UserIsRequestor": BOOLEAN},
        {
            "AlternativeUserID": ANY,
            "UserName": ANY,
            "NetworkAccessPointID": TOKEN,
            "NetworkAccessPointTypeCode": "[1-5]",
        },
    ),
    "RoleIDCode": CODED,
    "AuditSourceIdentification": Rule(
        "(AuditSourceTypeCode )*", {"AuditSourceID": TOKEN}, {"AuditEnterpriseSiteID": TOKEN}
    ),
    "AuditSourceTypeCode": Rule("", {"csd-code": "[1-9]"}),
    "ParticipantObjectIdentification": Rule(
        "ParticipantObjectIDTypeCode (ParticipantObjectName |ParticipantObjectQuery )"
        "(ParticipantObjectDetail )*(ParticipantObjectDescription )*",
        {"ParticipantObjectID": ANY},
        {
            "ParticipantObjectTypeCode": "[1-4]",
            "ParticipantObjectTypeCodeRole": "[1-9]|1[0-9]|2[0-6]",
            "ParticipantObjectDataLifeCycle": "[1-9]|1[0-5]",
            "ParticipantObjectSensitivity": TOKEN,
        },
    ),
    "ParticipantObjectIDTypeCode": CODED,
    "ParticipantObjectName": Rule("", text=ANY),
    "ParticipantObjectQuery": Rule("", text="base64"),
    "ParticipantObjectDetail": Rule("", {"type": TOKEN, "value": "base64"}),
    "ParticipantObjectDescription": Rule("(MPPS )*(Accession )*(SOPClass )*"),
    "Accession": Rule("", {"Number": ANY}),
    "SOPClass": Rule("(Instance )*", {"NumberOfInstances": "[0-9]+"}, {"UID": UID}),
    "Instance": Rule("", {"UID": UID}),
}


def parse(message: bytes) -> ET.Element:
    """The message as a tree."""
    return ET.fromstring(message)  # ours


def faults(message: bytes) -> list[str]:
    """What is wrong with a message, by the schema; nothing if it is right."""
    root = parse(message)
    found = [fault for node in root.iter() for fault in _faults(node)]
    if root.tag != "AuditMessage":
        found.append(f"the root is {root.tag}")
    requestors = [one for one in root.iter("ActiveParticipant") if one.get("UserIsRequestor") == "true"]
    if len(requestors) > 1:
        found.append("several requestors")
    moment = root[0].get("EventDateTime", "")
    if dt.datetime.fromisoformat(moment).tzinfo is None:
        found.append("a time without its zone")
    return found


def _faults(node: ET.Element) -> list[str]:
    rule = RULES.get(node.tag)
    if rule is None:
        return [f"unknown element {node.tag}"]
    found = []
    if not re.fullmatch(rule.children, "".join(f"{child.tag} " for child in node)):
        found.append(f"{node.tag} holds {[child.tag for child in node]}")
    if node.text and not _fits(rule.text, node.text):
        found.append(f"{node.tag} has a text")
    found += [f"{node.tag} lacks {name}" for name in rule.required if name not in node.attrib]
    known = {**rule.required, **rule.optional}
    found += [
        f"{node.tag} {name}={value!r}"
        for name, value in node.attrib.items()
        if name not in known or not _fits(known[name], value)
    ]
    return found


def _fits(pattern: str, value: str) -> bool:
    if pattern == "base64":
        return base64.b64encode(base64.b64decode(value)).decode() == value
    return re.fullmatch(pattern, value) is not None
