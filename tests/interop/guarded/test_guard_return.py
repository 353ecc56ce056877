"""What the archive opens by itself ends at the guard, unless somebody was allowed to ask for it."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from pynetdicom import AE
from pynetdicom.association import Association
from pynetdicom.sop_class import (
    CTImageStorage,
    MRImageStorage,
    StudyRootQueryRetrieveInformationModelFind,
    Verification,
)
from tests.interop.guarded.conftest import Before
from tests.peers import dcmtk
from tests.peers.caller import Caller, contexts, request
from tests.peers.clinic import STUDIES, every, images
from tests.peers.guarded import entry
from tests.peers.guarded_clinic import TITLE, Viewer, eventually
from tests.peers.places import LOOPBACK, free_port
from tests.peers.reading import Reader
from tests.peers.taking_turns import take_turns

from leadglass.guard.audit.events import Happening
from leadglass.model.access import Action
from leadglass.wire import association as ul
from leadglass.wire import uids

pytestmark = [pytest.mark.peer("pynetdicom"), pytest.mark.peer("orthanc"), pytest.mark.peer("dcmtk")]

REFUSED = 0x0124


@contextlib.contextmanager
def archive(before: Before, called: str = "VIEWER") -> Iterator[Association]:
    """An association as the archive opens it."""
    ae = AE(ae_title=TITLE)
    for uid in (Verification, CTImageStorage, MRImageStorage, StudyRootQueryRetrieveInformationModelFind):
        ae.add_requested_context(uid)
    guard = before.site.guard
    association = ae.associate(guard.host, guard.ports["from_archive"], ae_title=called)
    assert association.is_established
    take_turns(association)
    try:
        yield association
    finally:
        association.release()
        ae.shutdown()


@pytest.fixture
def moved(before_orthanc: Before) -> Viewer:
    """WORK has moved ``head`` to VIEWER, under message id 1."""
    viewer = before_orthanc.site.viewers["VIEWER"]
    with Reader("work", "WORK").at(before_orthanc.site.guard, TITLE) as reading:
        reading.move("VIEWER", "STUDY", StudyInstanceUID=STUDIES["head"].uid)
    assert viewer.had() == every("IMAGE", [STUDIES["head"]])
    return viewer


@pytest.mark.parametrize(
    ("study", "title", "number", "status"),
    [
        pytest.param("head", "WORK", 1, 0, id="what was asked for"),
        pytest.param("knee", "WORK", 1, REFUSED, id="another study than was asked for"),
        pytest.param("head", "WORK", 2, REFUSED, id="a message that there was not"),
        pytest.param("head", "LAB", 1, REFUSED, id="somebody who asked for nothing"),
    ],
)
def test_an_object_that_names_a_request_is_carried_if_it_is_of_that_request(
    before_orthanc: Before, moved: Viewer, study: str, title: str, number: int, status: int
) -> None:
    made = next(images(STUDIES[study]))
    seen = len(before_orthanc.site.guard.audit())
    with archive(before_orthanc) as association:
        told = association.send_c_store(made, originator_aet=title, originator_id=number)
        assert told.Status == status
        assert association.send_c_echo().Status == 0
    assert moved.had() == ({made.SOPInstanceUID} if status == 0 else set())
    refused = [e for e in before_orthanc.site.guard.audit()[seen:] if e.happening is Happening.REFUSED]
    said = [(event.who.name, event.action) for event in refused if event.who is not None]
    assert said == [(TITLE, Action.FIND), *([(TITLE, Action.STORE)] if status else [])]


def test_what_the_archive_sends_of_its_own_accord_is_refused_unless_a_policy_permits_it(
    before_orthanc: Before,
) -> None:
    made = next(images(STUDIES["knee"]))
    guard = before_orthanc.site.guard
    seen = len(guard.audit())
    with archive(before_orthanc, "OLDVIEWER") as association:
        assert association.send_c_store(made).Status == REFUSED
    assert before_orthanc.site.viewers["OLDVIEWER"].had() == set()

    def told() -> bool:
        refused = (e for e in guard.audit()[seen:] if e.happening is Happening.REFUSED)
        return any(e.who is not None and (e.who.name, e.action) == (TITLE, Action.STORE) for e in refused)

    assert eventually(told)


def test_an_archive_cannot_ask_a_destination_for_anything(before_orthanc: Before) -> None:
    asked = Dataset()
    asked.QueryRetrieveLevel, asked.StudyInstanceUID = "STUDY", ""
    with archive(before_orthanc) as association:
        accepted = {str(context.abstract_syntax) for context in association.accepted_contexts}
    assert accepted == {Verification, CTImageStorage, MRImageStorage}


@pytest.mark.parametrize(
    ("source", "calling", "called", "answer"),
    [
        pytest.param("127.0.0.1", "WORK", "VIEWER", (1, 1, 3), id="a title that is not the archive's"),
        pytest.param("127.0.0.2", TITLE, "VIEWER", (1, 1, 3), id="an address that is not the archive's"),
        pytest.param("127.0.0.1", TITLE, "NOBODY", (1, 1, 7), id="a destination that is not enrolled"),
        pytest.param("127.0.0.1", TITLE, "WORK", (1, 1, 7), id="an entry that listens nowhere"),
        pytest.param("127.0.0.1", TITLE, TITLE, (1, 1, 7), id="the archive itself"),
    ],
)
def test_who_is_not_the_archive_and_what_is_no_destination_is_rejected(
    before_orthanc: Before, source: str, calling: str, called: str, answer: tuple[int, int, int]
) -> None:
    guard = before_orthanc.site.guard
    there = (guard.host, guard.ports["from_archive"])
    with contextlib.closing(Caller(socket.create_connection(there, 10, (source, 0)))) as caller:
        assert caller.associate(request(calling, called, contexts(uids.VERIFICATION))) is None
        assert isinstance(caller.ended, ul.AssociateRejected)
        said = caller.ended.pdu
        assert (said.result, said.source, said.reason) == answer


def test_a_destination_with_a_certificate_of_somebody_else_gets_nothing(
    before_orthanc: Before, tmp_path: Path
) -> None:
    guard = before_orthanc.site.guard
    port = free_port(LOOPBACK)
    guard.enrol(entry("annexe", "ANNEXE", address=f"127.0.0.1:{port}"))
    guard.look()
    impostor = guard.dcmtk("viewer")
    with dcmtk.storescp(LOOPBACK, tmp_path / "annexe", *impostor, "-rc", port=port):
        ae = AE(ae_title=TITLE)
        ae.add_requested_context(CTImageStorage)
        association = ae.associate(guard.host, guard.ports["from_archive"], ae_title="ANNEXE")
        assert not association.is_established
        ae.shutdown()
    assert not list((tmp_path / "annexe" / "received").iterdir())
    reasons = [event.reason or "" for event in guard.audit() if event.called == "ANNEXE"]
    assert any("certificate is not the one that is expected" in reason for reason in reasons)
