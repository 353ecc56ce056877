"""The words of the reports: what each verdict means, in sentences that a manager and a vendor can read.

Only wording. Which word applies was decided by the judge; nothing here looks at evidence.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from leadglass.model.verdict import Access, Data, Kind, Position, Severity, State

__all__ = [
    "ACCESS",
    "DATA",
    "KIND",
    "NEVER",
    "RUNG",
    "SEVERITY",
    "STATE",
    "VANTAGE",
    "AccessWord",
    "SeverityWord",
    "count",
]


class AccessWord(NamedTuple):
    """One access word, explained twice."""

    brief: str
    """Follows "a stranger": a host in one phrase."""
    full: str
    """What a stranger can do, as sentences."""


class SeverityWord(NamedTuple):
    """One severity, explained."""

    act: str
    full: str


ACCESS: Mapping[Access, AccessWord] = {
    Access.ANSWERS_QUERY: AccessWord(
        "can search the server",
        "Anyone who can reach this port can search it: a query from a stranger was processed.",
    ),
    Access.OFFERS_QUERY: AccessWord(
        "is offered query services",
        "Query, retrieve or worklist services were granted to a stranger. Whether they answer is not known.",
    ),
    Access.OFFERS_STORAGE: AccessWord(
        "is offered storage",
        "Storage services were granted to a stranger, who may be able to put images into it. "
        "We never store, so whether it would take an object is not known.",
    ),
    Access.ASSOCIATES: AccessWord(
        "can open a DICOM association",
        "A stranger can open a DICOM association. What can be done with it was not tested.",
    ),
    Access.VERIFICATION_ONLY: AccessWord(
        "can only ask whether it is alive",
        "A stranger can ask whether the server is alive (C-ECHO); every other service was refused.",
    ),
    Access.WANTS_TITLE: AccessWord(
        "is asked for an AE title",
        "The server asks for an application entity title before it talks. A title is a name, not a proof "
        "of identity, and often printed in manuals: this does not count as protected.",
    ),
    Access.DEMANDS_LOGIN: AccessWord(
        "is asked to log in",
        "The web interface asks for credentials. How good they are was not tested: we never guess.",
    ),
    Access.DEMANDS_CERTIFICATE: AccessWord(
        "is asked for a client certificate",
        "Nobody gets in without a client certificate that the server accepts.",
    ),
    Access.INCONCLUSIVE: AccessWord(
        "gets no clear answer",
        "What a stranger can do could not be decided.",
    ),
    Access.NOT_DICOM: AccessWord(
        "finds no DICOM",
        "Something answers here, but neither DICOM nor DICOMweb.",
    ),
    Access.FILTERED: AccessWord(
        "gets no answer from this place",
        "No answer, seen from this place. From elsewhere it may be different.",
    ),
    Access.CLOSED: AccessWord(
        "finds the port closed",
        "The port is closed: the connection was refused.",
    ),
}

SEVERITY: Mapping[Severity, SeverityWord] = {
    Severity.CRITICAL: SeverityWord("act today", "Close it or put a lock in front of it today."),
    Severity.HIGH: SeverityWord("act this week", "Plan the change now and make it this week."),
    Severity.MEDIUM: SeverityWord(
        "plan a change", "Not an open door, but not protected either: plan a change."
    ),
    Severity.LOW: SeverityWord("keep an eye on it", "Acceptable for now; look again after each change."),
    Severity.NONE: SeverityWord(
        "nothing exposed seen",
        "Nothing exposed was seen here. What could not be decided is called inconclusive.",
    ),
}

STATE: Mapping[State, str] = {
    State.PROVED: "seen to work for a stranger",
    State.GRANTED: "granted to a stranger, not used",
    State.REFUSED: "refused to a stranger",
    State.UNDETERMINED: "asked, but the answer decides nothing",
    State.UNTESTED: "not asked",
    State.ABSENT: "not there",
}

KIND: Mapping[Kind, str] = {
    Kind.CLINICAL: "used for the care of patients",
    Kind.DEMO: "marketing, sales, training or calibration",
    Kind.TEACHING: "teaching and academic research",
    Kind.EXPERIMENTAL: "a student's or developer's, or forgotten",
    Kind.NON_HUMAN: "animals, plants or objects",
    Kind.HONEYPOT: "a trap that imitates a server",
}

DATA: Mapping[Data, str] = {
    Data.IDENTIFIABLE: "identifiable people",
    Data.DE_IDENTIFIED: "people whose identity was removed",
    Data.SYNTHETIC: "made-up data",
    Data.NON_HUMAN: "no human data",
    Data.UNKNOWN: "not known",
}

VANTAGE: Mapping[Position, str] = {
    Position.OUTSIDE: "Seen from outside the owner's network.",
    Position.INSIDE: "Seen from inside the owner's network. Whether any of it can be reached from the "
    "internet is a question for a look from outside.",
    Position.UNKNOWN: "Seen from a place that was not declared as inside or outside the owner's network.",
}

RUNG: Mapping[str, str] = {
    "passive": "Nothing was sent to the targets.",
    "connect": "TCP and TLS connections were opened, and nothing was asked over them.",
    "associate": "DICOM associations and web start pages were asked for.",
    "negotiate": "DICOM services were offered, and none of them was used.",
    "blank-query": "One query was sent that can match nothing.",
    "sample": "Queries were counted in memory, and nothing of them was kept.",
}

NEVER = "No password or title was guessed, nothing was stored and nothing retrieved."


def count(number: int, noun: str) -> str:
    """``1 endpoint``, ``2 endpoints``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
