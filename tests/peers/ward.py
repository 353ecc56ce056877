"""What a ward wants of a guard, with real clients, and what it hears: a few words, in bounded time.

A modality stores and looks at its worklist, a radiologist reads, and somebody breaks the glass.
"""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom import AE, evt
from pynetdicom.association import Association
from pynetdicom.pdu import A_ASSOCIATE_RJ
from pynetdicom.pdu_primitives import UserIdentityNegotiation
from pynetdicom.sop_class import (
    CTImageStorage,
    ModalityWorklistInformationFind,
    StudyRootQueryRetrieveInformationModelFind,
)
from tests.peers import clinic, orthanc
from tests.peers.guarded import Guard, entry
from tests.peers.guarded_clinic import ALLOWED, TITLE
from tests.peers.places import LOOPBACK, free_port
from tests.peers.running import Peer
from tests.peers.taking_turns import take_turns

__all__ = [
    "CARE",
    "ENTRIES",
    "FINE",
    "LONGEST",
    "NOT_NOW",
    "archive",
    "as_bearer",
    "associated",
    "emergency",
    "fresh",
    "hears",
    "looked",
    "read",
    "store",
    "worklist",
]

LONGEST = 15.0
"""Seconds after which a client counts as left hanging."""
FINE = "0000"
NOT_NOW = "rejected 2/3/1"
ENTRIES = (
    entry("ctroom", "CTROOM", "modality", modalities=("CT",)),
    entry("work", "WORK", "radiologist", institutions=(clinic.ALPHA,)),
    entry("er", "ER", "clinician"),
)
CARE = {"store": FINE, "worklist": FINE, "emergency": FINE}
_WORKLISTS = "/usr/share/orthanc/plugins/libModalityWorklists.so"


@contextlib.contextmanager
def archive(home: Path, modalities: Mapping[str, tuple[str, int]] | None = None) -> Iterator[Peer]:
    """Orthanc with the clinic's studies and a worklist of one item. ``modalities``: title -> address."""
    folder = home / "worklists"
    folder.mkdir(parents=True)
    pydicom.dcmwrite(folder / "item.wl", _item(), enforce_file_format=True)
    known = {title.lower(): [title, *address] for title, address in (modalities or {}).items()}
    settings = {
        **ALLOWED,
        "Plugins": [_WORKLISTS],
        "Worklists": {"Enable": True, "Database": str(folder)},
        "DicomModalities": known,
    }
    port, http = free_port(LOOPBACK), free_port(LOOPBACK)
    with orthanc.orthanc(LOOPBACK, home / "archive", settings, dicom=port, http=http) as running:
        orthanc.load(running, clinic.files())
        yield running


def _item() -> Dataset:
    step = Dataset()
    step.Modality, step.ScheduledStationAETitle = "CT", "CTROOM"
    step.ScheduledProcedureStepStartDate = "20261121"
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.file_meta.MediaStorageSOPClassUID = ModalityWorklistInformationFind
    made.file_meta.MediaStorageSOPInstanceUID = "2.25.1"
    made.PatientID, made.PatientName = "P-1", clinic.PATIENTS["P-1"]
    made.AccessionNumber, made.StudyInstanceUID = "ACC-W", "2.25.7700.99"
    made.ScheduledProcedureStepSequence = [step]
    return made


def fresh(pixels: int = 4) -> Dataset:
    """An image of a study that nobody has yet."""
    uid = f"2.25.{uuid.uuid4().int}"
    series = clinic.Series(f"{uid}.1", "CT", (f"{uid}.1.1",))
    study = clinic.Study("fresh", uid, "P-9", (series,), clinic.ALPHA, clinic.GREY)
    return clinic.image(study, series, series.instances[0], pixels=pixels)


@contextlib.contextmanager
def associated(
    guard: Guard, who: str, *classes: str, person: UserIdentityNegotiation | None = None
) -> Iterator[Association]:
    """An association of ``who``, or what became of it; titles are names in capitals."""
    ae = AE(ae_title=who.upper())
    ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = 2 * LONGEST
    for uid in classes:
        ae.add_requested_context(uid)
    rejected: list[str] = []
    association = ae.associate(
        guard.host,
        guard.ports["dicom"],
        ae_title=TITLE,
        ext_neg=[person] if person else None,
        tls_args=(guard.context(who), guard.host),
        evt_handlers=[(evt.EVT_PDU_RECV, _note_rejection, [rejected])],
    )
    take_turns(association)
    association.told = rejected  # pynetdicom forgets a rejection where the end of the connection overtakes it
    try:
        yield association
    finally:
        if association.is_established:
            association.release()
        ae.shutdown()


def _note_rejection(event: Any, rejected: list[str]) -> None:
    if isinstance(event.pdu, A_ASSOCIATE_RJ):
        rejected.append(f"rejected {event.pdu.result}/{event.pdu.source}/{event.pdu.reason_diagnostic}")


def as_bearer(token: bytes) -> UserIdentityNegotiation:
    """User identity type 5 (PS3.7 D.3.3.7): a JSON Web Token."""
    item = UserIdentityNegotiation()
    item.user_identity_type = 5
    item.primary_field = token
    item.positive_response_requested = True
    return item


def store(guard: Guard, *, who: str = "ctroom") -> str:
    """A modality stores an image."""
    return _heard(guard, who, CTImageStorage, lambda association: association.send_c_store(fresh()))


def worklist(guard: Guard, *, who: str = "ctroom") -> str:
    """It asks for its worklist, and finds the one item that is for it."""
    return _heard(guard, who, ModalityWorklistInformationFind, lambda a: _found(a, _scheduled(), 1))


def read(guard: Guard, *, who: str = "work", person: UserIdentityNegotiation | None = None) -> str:
    """A radiologist looks for a study of the own institution."""
    return _heard(guard, who, StudyRootQueryRetrieveInformationModelFind, lambda a: looked(a, "head"), person)


def emergency(guard: Guard, *, who: str = "er") -> str:
    """Somebody looks, for a reason, for a study that nobody but such may see there."""
    return _heard(guard, who, StudyRootQueryRetrieveInformationModelFind, lambda a: looked(a, "liver"))


def hears(guard: Guard) -> dict[str, str]:
    """What everybody hears who tries something at the same time; nobody may be left hanging."""
    tries: Mapping[str, Callable[[Guard], str]] = {
        "store": store,
        "worklist": worklist,
        "emergency": emergency,
        "read": read,
    }
    begun = time.monotonic()
    with ThreadPoolExecutor(len(tries)) as threads:
        told = {name: threads.submit(work, guard) for name, work in tries.items()}
        found = {name: future.result() for name, future in told.items()}
    assert time.monotonic() - begun < LONGEST
    return found


def _heard(
    guard: Guard,
    who: str,
    uid: str,
    work: Callable[[Association], Any],
    person: UserIdentityNegotiation | None = None,
) -> str:
    with associated(guard, who, uid, person=person) as association:
        if association.told:
            return str(association.told[0])
        if not association.is_established:
            return "no association"
        status = work(association)
    return f"{status.Status:04X}" if "Status" in status else "no answer"


def _found(association: Association, asked: Dataset, wanted: int) -> Dataset:
    model = association.accepted_contexts[0].abstract_syntax
    count = 0
    last = Dataset()
    for last, _match in association.send_c_find(asked, model):
        count += last.get("Status") in {0xFF00, 0xFF01}
    assert last.get("Status") != 0 or count == wanted, f"{count} matches"
    return last


def looked(association: Association, name: str) -> Dataset:
    """The last response to a query for one study, which must be found if it is a success."""
    asked = Dataset()
    asked.QueryRetrieveLevel = "STUDY"
    asked.StudyInstanceUID = clinic.STUDIES[name].uid
    asked.PatientID = ""
    return _found(association, asked, 1)


def _scheduled() -> Dataset:
    step = Dataset()
    step.Modality, step.ScheduledStationAETitle = "CT", "CTROOM"
    step.ScheduledProcedureStepStartDate = ""
    asked = Dataset()
    asked.PatientID = asked.PatientName = asked.AccessionNumber = asked.StudyInstanceUID = ""
    asked.ScheduledProcedureStepSequence = [step]
    return asked
