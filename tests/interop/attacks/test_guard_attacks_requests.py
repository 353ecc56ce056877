"""Attacks by those who are inside: requests that are not theirs to make are answered by the guard itself.

Each has its answer, and a word in the audit; the archive hears nothing of it.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import NamedTuple

import pytest
from tests.interop.attacks.conftest import Attacked, Watch
from tests.peers.caller import data_set, identifier, request
from tests.peers.clinic import STUDIES, images
from tests.peers.guarded_clinic import TITLE

from leadglass.guard.audit.events import Happening
from leadglass.wire import association as ul
from leadglass.wire import dimse, pdu, uids
from leadglass.wire.dimse import CFindRQ, CGetRQ, CMoveRQ, CStoreRQ

pytestmark = pytest.mark.peer("orthanc")

FIND, MOVE, GET = uids.STUDY_ROOT_FIND, uids.STUDY_ROOT_MOVE, uids.STUDY_ROOT_GET
PATIENTS = uids.PATIENT_ROOT_FIND
CT, MR = uids.CT_IMAGE_STORAGE, uids.MR_IMAGE_STORAGE
HEAD, KNEE = STUDIES["head"], STUDIES["knee"]
NO_ACCESS, WRONG_CLASS, NO_OPERATION = 0x0124, 0x0122, 0x0211
MISMATCH, NOT_UNDERSTOOD, TOO_MUCH, NO_DESTINATION = 0xA900, 0xC000, 0xC001, 0xA801

Message = dimse.Message


class Attack(NamedTuple):
    """A message on one of the contexts, and its answer."""

    contexts: Sequence[str]
    on: int
    """The context's id: 1, 3, 5 for the first, second, third."""
    message: Message
    data: bytes | None
    status: int
    told: str
    """A rule or words that the audit has."""
    who: str = "work"
    roles: Sequence[str] = ()


def find(asked: bytes | None, status: int = MISMATCH, told: str = "identifier", model: str = FIND) -> Attack:
    kind = dimse.DATA_SET if asked is not None else dimse.NO_DATA_SET
    return Attack([model], 1, CFindRQ(1, model, command_data_set_type=kind), asked, status, told)


def get(asked: bytes, status: int = MISMATCH, told: str = "identifier") -> Attack:
    return Attack([GET, CT], 1, CGetRQ(1, GET), asked, status, told, roles=[CT])


def move(destination: str) -> Attack:
    asked = identifier("STUDY", StudyInstanceUID=HEAD.uid)
    return Attack([MOVE], 1, CMoveRQ(1, MOVE, destination), asked, NO_DESTINATION, "destination")


def element(group: int, number: int, value: bytes, length: int | None = None) -> bytes:
    """In implicit VR little endian, with whatever length."""
    return struct.pack("<HHL", group, number, len(value) if length is None else length) + value


LEVEL = element(0x0008, 0x0052, b"STUDY ")
UNENDING = 0xFFFFFFFF

CONTEXTS = {
    "a query on the context of verification": Attack(
        [uids.VERIFICATION, FIND], 1, CFindRQ(1, FIND), LEVEL, NO_OPERATION, "not let through"
    ),
    "a retrieve on the context of queries": Attack(
        [FIND, GET], 1, CGetRQ(1, GET), LEVEL, NO_OPERATION, "not let through"
    ),
    "storage on the context of queries": Attack(
        [FIND], 1, CStoreRQ(1, CT, "2.25.1"), LEVEL, NO_OPERATION, "not let through"
    ),
    "another class than the context's": Attack(
        [FIND, PATIENTS], 3, CFindRQ(1, FIND), LEVEL, WRONG_CLASS, "SOP class"
    ),
    "a worklist on the context of queries": Attack(
        [FIND], 1, CFindRQ(1, uids.MODALITY_WORKLIST_FIND), LEVEL, WRONG_CLASS, "SOP class"
    ),
    "storage on the context of another class": Attack(
        [CT, MR], 1, CStoreRQ(1, MR, "2.25.1"), LEVEL, WRONG_CLASS, "SOP class", "ctroom"
    ),
    "storage on a context for receiving": Attack(
        [GET, CT],
        3,
        CStoreRQ(1, CT, HEAD.instances[0]),
        data_set(next(images(HEAD))),
        NO_ACCESS,
        "not permitted for this study",
        roles=[CT],
    ),
    "an object without a data set": Attack(
        [CT],
        1,
        CStoreRQ(1, CT, "2.25.1", command_data_set_type=dimse.NO_DATA_SET),
        None,
        NOT_UNDERSTOOD,
        "without a data set",
        "ctroom",
    ),
    "deletion": Attack([FIND], 1, dimse.NDeleteRQ(1, FIND, HEAD.uid), None, NO_OPERATION, "not let through"),
    "deletion of a stored object": Attack(
        [CT], 1, dimse.NDeleteRQ(1, CT, HEAD.instances[0]), None, NO_OPERATION, "not let through", "ctroom"
    ),
    "setting attributes of an object": Attack(
        [CT], 1, dimse.NSetRQ(1, CT, HEAD.instances[0]), LEVEL, NO_OPERATION, "not let through", "ctroom"
    ),
    "reading an object's attributes": Attack(
        [CT], 1, dimse.NGetRQ(1, CT, HEAD.instances[0]), None, NO_OPERATION, "not let through", "ctroom"
    ),
    "an action upon an object": Attack(
        [CT],
        1,
        dimse.NActionRQ(1, CT, HEAD.instances[0], 1),
        LEVEL,
        NO_OPERATION,
        "not let through",
        "ctroom",
    ),
    "a report to the archive": Attack(
        [uids.STORAGE_COMMITMENT],
        1,
        dimse.NEventReportRQ(1, uids.STORAGE_COMMITMENT, "1.2.840.10008.1.20.1.1", 1),
        LEVEL,
        NO_OPERATION,
        "not let through",
        "ctroom",
    ),
}
QUERIES = {
    "without an identifier": find(None),
    "without a level": find(element(0x0020, 0x000D, b"")),
    "a level that the model has not": find(identifier("PATIENT", PatientID="")),
    "two levels": find(element(0x0008, 0x0052, b"STUDY\\SERIES ")),
    "a level in lower case": find(element(0x0008, 0x0052, b"study ")),
    "all studies by a wildcard UID": find(LEVEL + element(0x0020, 0x000D, b"* ")),
    "studies by a UID with a wildcard in it": find(LEVEL + element(0x0020, 0x000D, b"2.25.7700.* ")),
    "a UID with a path in it": find(LEVEL + element(0x0020, 0x000D, b"../../etc/passwd")),
    "a UID with a NUL in it": find(LEVEL + element(0x0020, 0x000D, b"2.25.7700.1\x00.2\0")),
    "more than a thousand UIDs": find(
        LEVEL
        + element(0x0020, 0x000D, b"\\".join(b"2.25.%d" % n for n in range(1001)).ljust(9000, b"\0")[:9000])
    ),
    "series without their study": find(identifier("SERIES", SeriesInstanceUID=KNEE.series[0].uid)),
    "images without study and series": find(identifier("IMAGE", SOPInstanceUID=KNEE.instances[0])),
    "images of a study without a series": find(
        identifier("IMAGE", StudyInstanceUID=HEAD.uid, SOPInstanceUID=KNEE.instances[0])
    ),
    "studies without their patient": find(identifier("STUDY", StudyInstanceUID=""), model=PATIENTS),
    "studies of patients by wildcard": find(
        identifier("STUDY", PatientID="P-*", StudyInstanceUID=""), model=PATIENTS
    ),
    "studies of two patients": find(
        identifier("STUDY", PatientID=["P-1", "P-3"], StudyInstanceUID=""), model=PATIENTS
    ),
    "an element of four gigabytes": find(LEVEL + element(0x0010, 0x0010, b"A*", 0xFFFFFFF0), NOT_UNDERSTOOD),
    "an element twice": find(LEVEL + LEVEL, NOT_UNDERSTOOD),
    "elements out of order": find(element(0x0020, 0x000D, b"") + LEVEL, NOT_UNDERSTOOD),
    "a command element in the identifier": find(element(0x0000, 0x0100, b"\1\0") + LEVEL, NOT_UNDERSTOOD),
    "an element that is cut off": find(LEVEL + b"\x10\0\x10\0\x08", NOT_UNDERSTOOD),
    "a sequence that does not end": find(LEVEL + element(0x0008, 0x1110, b"", UNENDING), NOT_UNDERSTOOD),
    "a sequence of four gigabytes": find(
        LEVEL + element(0x0008, 0x1110, b"\xfe\xff\x00\xe0\xf0\xff\xff\xff", 0xFFFFFFF0), NOT_UNDERSTOOD
    ),
    "sequences a thousand deep": find(
        LEVEL
        + element(
            0x0008, 0x1110, b"\xfe\xff\x00\xe0\xff\xff\xff\xff\x08\0\x10\x11\xff\xff\xff\xff" * 1000, UNENDING
        ),
        NOT_UNDERSTOOD,
    ),
    "six hundred keys": find(
        LEVEL + b"".join(element(0x0010, 0x1000 + n, b"") for n in range(600)), TOO_MUCH
    ),
}
RETRIEVES = {
    "everything, by no key": get(LEVEL),
    "everything, by an empty UID": get(identifier("STUDY", StudyInstanceUID="")),
    "everything, by a wildcard": get(LEVEL + element(0x0020, 0x000D, b"* ")),
    "a UID with a path in it": get(LEVEL + element(0x0020, 0x000D, b"2.25/../2.25.1\0")),
    "a series without its study": get(identifier("SERIES", SeriesInstanceUID=KNEE.series[0].uid)),
    "an image without its series": get(
        identifier("IMAGE", StudyInstanceUID=HEAD.uid, SOPInstanceUID=KNEE.instances[0])
    ),
    "a series of two studies": get(
        identifier("SERIES", StudyInstanceUID=[HEAD.uid, KNEE.uid], SeriesInstanceUID=KNEE.series[0].uid)
    ),
    "a patient in the study root": get(identifier("PATIENT", PatientID="P-1")),
    "a name instead of a UID": get(identifier("STUDY", PatientName="Ash*")),
    "a move to nobody": move("ELSEWHERE"),
    "a move to the archive itself": move(TITLE),
    "a move to itself, who listens nowhere": move("WORK"),
    "a move to a viewer in another case": move("viewer"),
}
ATTACKS = {**CONTEXTS, **QUERIES, **RETRIEVES}


@pytest.mark.parametrize("name", ATTACKS)
def test_request(attacked: Attacked, watch: Watch, name: str) -> None:
    attack = ATTACKS[name]
    with attacked.inside(attack.who, *attack.contexts, roles=attack.roles) as caller:
        assert caller.status(attack.on, attack.message, attack.data) == attack.status
        assert watch.reached == []
        assert watch.tells(attack.told)
        assert attack.who in {event.device for event in watch.told if event.happening is Happening.REFUSED}
        assert caller.ended is None  # and what is permitted goes on


PROPOSALS = {
    "a class that nobody knows": ("work", "1.2.826.0.1.3680043.9.1", uids.IMPLICIT_VR_LE, 3),
    "the shutdown of a server": (
        "work",
        "1.2.276.0.7230010.3.4.1915765545.18030.917282194.11",
        uids.IMPLICIT_VR_LE,
        3,
    ),
    "a class with a path in it": ("ctroom", "1.2.840.10008.5.1.4.1.1.2/../../x", uids.IMPLICIT_VR_LE, 3),
    "a class with a line break": ("ctroom", "1.2.840.10008.5.1.4.1.1.2\n", uids.IMPLICIT_VR_LE, 3),
    "a syntax that must be inflated to be read": ("work", FIND, uids.DEFLATED_EXPLICIT_VR_LE, 4),
    "a service of somebody else": ("lab", uids.MODALITY_WORKLIST_FIND, uids.IMPLICIT_VR_LE, 1),
    "storage by who reads": ("work", CT, uids.IMPLICIT_VR_LE, 1),
    "media storage": ("ctroom", "1.2.840.10008.1.3.10", uids.IMPLICIT_VR_LE, 3),
    "print": ("work", "1.2.840.10008.5.1.1.9", uids.IMPLICIT_VR_LE, 3),
    "unified procedure steps": ("work", "1.2.840.10008.5.1.4.34.6.1", uids.IMPLICIT_VR_LE, 3),
    "instance availability": ("ctroom", "1.2.840.10008.5.1.4.33", uids.IMPLICIT_VR_LE, 3),
    "relevant patient information": ("work", "1.2.840.10008.5.1.4.37.1", uids.IMPLICIT_VR_LE, 3),
}


@pytest.mark.parametrize("name", PROPOSALS)
def test_proposal(attacked: Attacked, watch: Watch, name: str) -> None:
    who, abstract_syntax, syntax, result = PROPOSALS[name]
    proposed = (
        pdu.PresentationContextRQ(1, abstract_syntax, (syntax,)),
        pdu.PresentationContextRQ(3, uids.VERIFICATION, (uids.IMPLICIT_VR_LE,)),
    )
    with attacked.caller(who) as caller:
        accepted = caller.associate(request(who.upper(), TITLE, proposed))
        assert accepted is not None
        assert accepted.presentation_contexts[0].result == result
        caller.send(1, dimse.CEchoRQ(1))
        assert isinstance(caller.until_end(), ul.Aborted)
    asked = [
        c.abstract_syntax for rq in attacked.tap.begun[watch.associations :] for c in rq.presentation_contexts
    ]
    assert abstract_syntax not in asked
    assert watch.reached == []
    assert watch.tells("which was not accepted")
    assert watch.tells("protocol")
