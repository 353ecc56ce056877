"""A modality stores, has its storage committed, reports its steps and takes its worklist, all through the guard."""

from __future__ import annotations

import contextlib
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian
from pynetdicom import AE, evt
from pynetdicom.association import Association
from pynetdicom.sop_class import (
    ModalityPerformedProcedureStep,
    ModalityWorklistInformationFind,
    StorageCommitmentPushModel,
    StorageCommitmentPushModelInstance,
    Verification,
)
from tests.interop.guarded.conftest import Before
from tests.peers.clinic import STUDIES, every
from tests.peers.guarded import Guard, entry, guard
from tests.peers.guarded_clinic import TITLE, eventually
from tests.peers.places import LOOPBACK, free_port
from tests.peers.running import running, version_of
from tests.peers.taking_turns import take_turns

from leadglass.settings.guard import Address

pytestmark = pytest.mark.peer("pynetdicom")

HEAD = STUDIES["head"]


def references(instances: list[str], transaction: str) -> Dataset:
    """The Action Information of a storage commitment request (PS3.4 table J.3-1)."""
    made = Dataset()
    made.TransactionUID = transaction
    made.ReferencedSOPSequence = []
    for uid in instances:
        item = Dataset()
        item.ReferencedSOPClassUID = CTImageStorage
        item.ReferencedSOPInstanceUID = uid
        made.ReferencedSOPSequence.append(item)
    return made


def named_in(report: Dataset, sequence: str) -> set[str]:
    return {str(item.ReferencedSOPInstanceUID) for item in getattr(report, sequence, [])}


@dataclass
class Reports:
    """What a modality hears of its storage."""

    heard: list[Dataset] = field(default_factory=list)

    def take(self, event: Any) -> tuple[int, None]:
        self.heard.append(event.event_information)
        return 0, None

    def wait(self) -> Dataset:
        assert eventually(lambda: bool(self.heard)), "no report came"
        return self.heard.pop(0)


@contextlib.contextmanager
def modality(
    one: Guard, *contexts: str, who: str = "ctroom", reports: Reports | None = None
) -> Iterator[Association]:
    ae = AE(ae_title=who.upper())
    ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = 20
    for uid in contexts:
        ae.add_requested_context(uid)
    association = ae.associate(
        one.host,
        one.ports["dicom"],
        ae_title=TITLE,
        tls_args=(one.context(who), one.host),
        evt_handlers=[(evt.EVT_N_EVENT_REPORT, (reports or Reports()).take)],
    )
    assert association.is_established
    take_turns(association)
    try:
        yield association
    finally:
        association.release()
        ae.shutdown()


@contextlib.contextmanager
def listening(one: Guard, port: int, reports: Reports) -> Iterator[None]:
    """CTROOM as it waits for reports: over TLS, from the guard only."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate, key, authority = one.papers("ctroom")
    context.load_cert_chain(certificate, key)
    context.load_verify_locations(authority)
    context.verify_mode = ssl.CERT_REQUIRED
    ae = AE(ae_title="CTROOM")
    ae.add_supported_context(StorageCommitmentPushModel, scu_role=False, scp_role=True)
    ae.add_supported_context(Verification)
    server = ae.start_server(
        ("127.0.0.1", port),
        block=False,
        evt_handlers=[(evt.EVT_N_EVENT_REPORT, reports.take)],
        ssl_context=context,
    )
    try:
        yield
    finally:
        server.shutdown()


@pytest.mark.peer("orthanc")
def test_orthanc_reports_the_commitment_on_an_association_of_its_own(before_orthanc: Before) -> None:
    one = before_orthanc.site.guard
    reports = Reports()
    asked = references([*HEAD.instances, "2.25.404"], "2.25.9001")
    with (
        listening(one, before_orthanc.listens["CTROOM"], reports),
        modality(one, StorageCommitmentPushModel) as association,
    ):
        status, _ = association.send_n_action(
            asked, 1, StorageCommitmentPushModel, StorageCommitmentPushModelInstance
        )
        assert status.Status == 0
        report = reports.wait()
    assert report.TransactionUID == "2.25.9001"
    assert named_in(report, "ReferencedSOPSequence") == every("IMAGE", [HEAD])
    assert named_in(report, "FailedSOPSequence") == {"2.25.404"}


@dataclass
class Archive:
    """Pynetdicom as an archive that commits on the same association, and takes performed procedure steps."""

    port: int
    actions: list[Dataset] = field(default_factory=list)
    steps: dict[str, Dataset] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def action(self, event: Any) -> tuple[int, None]:
        self.actions.append(event.action_information)
        threading.Thread(target=self._report, args=(event.assoc, event.action_information)).start()
        return 0, None

    def _report(self, association: Association, asked: Dataset) -> None:
        report = Dataset()
        report.TransactionUID = asked.TransactionUID
        report.ReferencedSOPSequence = asked.ReferencedSOPSequence
        association.send_n_event_report(
            report, 1, StorageCommitmentPushModel, StorageCommitmentPushModelInstance
        )

    def create(self, event: Any) -> tuple[int, Dataset]:
        uid = str(event.request.AffectedSOPInstanceUID)
        self.steps[uid] = event.attribute_list
        return 0, event.attribute_list

    def set(self, event: Any) -> tuple[int, Dataset]:
        step = self.steps[str(event.request.RequestedSOPInstanceUID)]
        step.update(event.modification_list)
        return 0, step

    def get(self, event: Any) -> tuple[int, Dataset]:
        self.asked.append("N-GET")
        return 0, self.steps[str(event.request.RequestedSOPInstanceUID)]


@pytest.fixture(scope="module")
def archive() -> Iterator[Archive]:
    made = Archive(free_port(LOOPBACK))
    ae = AE(ae_title=TITLE)
    ae.add_supported_context(StorageCommitmentPushModel)
    ae.add_supported_context(ModalityPerformedProcedureStep)
    server = ae.start_server(
        ("127.0.0.1", made.port),
        block=False,
        evt_handlers=[
            (evt.EVT_N_ACTION, made.action),
            (evt.EVT_N_CREATE, made.create),
            (evt.EVT_N_SET, made.set),
            (evt.EVT_N_GET, made.get),
        ],
    )
    yield made
    server.shutdown()


@pytest.fixture(scope="module")
def steps(archive: Archive, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guard]:
    """A guard before ``archive``."""
    entries = (
        entry("ctroom", "CTROOM", "modality", modalities=("CT",)),
        entry("work", "WORK", "radiologist"),
    )
    home = tmp_path_factory.mktemp("steps")
    with guard(home, Address("127.0.0.1", archive.port), *entries, title=TITLE) as one:
        yield one


@pytest.mark.parametrize("count", [2, 2000])
def test_a_commitment_is_reported_on_the_association_that_asked(
    steps: Guard, archive: Archive, count: int
) -> None:
    reports = Reports()
    instances = [f"2.25.77.{n}" for n in range(count)]
    with modality(steps, StorageCommitmentPushModel, reports=reports) as association:
        status, _ = association.send_n_action(
            references(instances, "2.25.9002"),
            1,
            StorageCommitmentPushModel,
            StorageCommitmentPushModelInstance,
        )
        assert status.Status == 0
        report = reports.wait()
    assert named_in(archive.actions.pop(), "ReferencedSOPSequence") == {*instances}
    assert named_in(report, "ReferencedSOPSequence") == {*instances}


def step(modality: str, study: str) -> Dataset:
    made = Dataset()
    made.PatientID, made.PatientName = "P-1", "Ash^Alma"
    made.Modality = modality
    made.PerformedProcedureStepID = "STEP1"
    made.PerformedStationAETitle = "CTROOM"
    made.PerformedProcedureStepStatus = "IN PROGRESS"
    made.PerformedSeriesSequence = []
    scheduled = Dataset()
    scheduled.StudyInstanceUID = study
    scheduled.AccessionNumber = "ACC1"
    made.ScheduledStepAttributesSequence = [scheduled]
    return made


def completed(images: int) -> Dataset:
    made = Dataset()
    made.PerformedProcedureStepStatus = "COMPLETED"
    series = Dataset()
    series.SeriesInstanceUID = HEAD.series[0].uid
    series.ReferencedImageSequence = [
        *references([f"2.25.77.{n}" for n in range(images)], "2.25.1").ReferencedSOPSequence
    ]
    made.PerformedSeriesSequence = [series]
    return made


def test_a_performed_step_is_created_and_completed_with_all_its_images(
    steps: Guard, archive: Archive
) -> None:
    with modality(steps, ModalityPerformedProcedureStep) as association:
        status, back = association.send_n_create(
            step("CT", HEAD.uid), ModalityPerformedProcedureStep, "2.25.500"
        )
        assert (status.Status, back.PerformedProcedureStepID) == (0, "STEP1")
        status, _ = association.send_n_set(completed(2000), ModalityPerformedProcedureStep, "2.25.500")
        assert status.Status == 0
    assert archive.steps["2.25.500"].PerformedProcedureStepStatus == "COMPLETED"
    assert len(archive.steps["2.25.500"].PerformedSeriesSequence[0].ReferencedImageSequence) == 2000


def test_a_step_that_names_no_study_reaches_no_archive(steps: Guard, archive: Archive) -> None:
    made = step("CT", HEAD.uid)
    del made.ScheduledStepAttributesSequence
    with modality(steps, ModalityPerformedProcedureStep) as association:
        status, _ = association.send_n_create(made, ModalityPerformedProcedureStep, "2.25.501")
        assert status.Status == 0x0120
    assert "2.25.501" not in archive.steps


def test_a_step_cannot_be_read_back_for_it_names_a_patient(steps: Guard, archive: Archive) -> None:
    archive.steps["2.25.502"] = step("CT", HEAD.uid)
    with modality(steps, ModalityPerformedProcedureStep) as association:
        status, told = association.send_n_get([0x00100010], ModalityPerformedProcedureStep, "2.25.502")
        assert status.Status == 0x0211
        assert told is None
    assert not archive.asked


def test_who_only_reads_is_offered_neither_commitment_nor_steps(steps: Guard) -> None:
    with pytest.raises(AssertionError), modality(steps, ModalityPerformedProcedureStep, who="work"):
        pass
    with pytest.raises(AssertionError), modality(steps, StorageCommitmentPushModel, who="work"):
        pass


STATIONS = {"CTROOM": "CT", "MRROOM": "MR"}


def scheduled(number: int, station: str, kind: str) -> Dataset:
    made = Dataset()
    made.SpecificCharacterSet = "ISO_IR 100"
    made.AccessionNumber = f"W{number}"
    made.PatientName, made.PatientID = f"Waiting^{number}", f"W-{number}"
    made.PatientBirthDate, made.PatientSex = "18700101", "O"
    made.StudyInstanceUID = f"2.25.600.{number}"
    made.RequestedProcedureID = f"R{number}"
    made.RequestedProcedureDescription = kind
    made.Modality = kind
    item = Dataset()
    item.Modality = kind
    item.ScheduledStationAETitle = station
    item.ScheduledProcedureStepStartDate = "20240105"
    item.ScheduledProcedureStepStartTime = "080000"
    item.ScheduledPerformingPhysicianName = "Grey^Ada"
    item.ScheduledProcedureStepDescription = kind
    item.ScheduledProcedureStepID = f"S{number}"
    made.ScheduledProcedureStepSequence = [item]
    return made


@pytest.fixture(scope="module")
def worklist(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guard]:
    """A guard before DCMTK's worklist server, with five items: two of CTROOM, two of MRROOM, one of no station."""
    home = tmp_path_factory.mktemp("worklist")
    folder = home / "items" / TITLE
    folder.mkdir(parents=True)
    (folder / "lockfile").touch()
    stations = [("CTROOM", "CT"), ("CTROOM", "CT"), ("MRROOM", "MR"), ("MRROOM", "MR"), ("USROOM", "US")]
    for number, (station, kind) in enumerate(stations, 1):
        write(scheduled(number, station, kind), folder / f"{number}.wl")
    port = free_port(LOOPBACK)
    entries = [
        entry("ctroom", "CTROOM", "modality", modalities=("CT",)),
        entry("mrroom", "MRROOM", "modality"),
        entry("lab", "LAB", "researcher"),
    ]
    argv: list[str | Path] = ["wlmscpfs", "-dfp", home / "items", str(port)]
    with (
        guard(home, Address("127.0.0.1", port), *entries, title=TITLE) as one,
        running(
            LOOPBACK,
            argv,
            product="wlmscpfs",
            version=version_of(["wlmscpfs", "--version"]),
            ports={"dicom": port},
            home=home,
        ),
    ):
        yield one


def write(made: Dataset, file: Path) -> None:
    made.file_meta = pydicom.dataset.FileMetaDataset()
    made.file_meta.MediaStorageSOPClassUID = ModalityWorklistInformationFind
    made.file_meta.MediaStorageSOPInstanceUID = "2.25.1"
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.save_as(file, enforce_file_format=True)


def items(association: Association, **of_the_step: str) -> list[Dataset]:
    asked = Dataset()
    asked.PatientName = asked.PatientID = asked.AccessionNumber = asked.StudyInstanceUID = ""
    wanted = Dataset()
    for key in ("Modality", "ScheduledProcedureStepStartDate", "ScheduledProcedureStepID"):
        setattr(wanted, key, "")
    for key, value in of_the_step.items():
        setattr(wanted, key, value)
    asked.ScheduledProcedureStepSequence = [wanted]
    found = []
    for status, match in association.send_c_find(asked, ModalityWorklistInformationFind):
        assert status.Status in {0, 0xFF00, 0xFF01}
        if match is not None:
            found.append(match)
    return found


@pytest.mark.peer("dcmtk")
@pytest.mark.parametrize(("who", "wanted"), [("ctroom", {"W-1", "W-2"}), ("mrroom", {"W-3", "W-4"})])
@pytest.mark.parametrize("step", [{}, {"Modality": ""}, {"ScheduledStationAETitle": ""}, {"Modality": "US"}])
def test_a_modality_sees_of_the_worklist_what_is_for_its_station(
    worklist: Guard, who: str, wanted: set[str], step: dict[str, str]
) -> None:
    with modality(worklist, ModalityWorklistInformationFind, who=who) as association:
        found = items(association, **step)
    assert {match.PatientID for match in found} == (set() if step.get("Modality") == "US" else wanted)
    for match in found:
        (item,) = match.ScheduledProcedureStepSequence
        assert ("ScheduledStationAETitle" in item) == ("ScheduledStationAETitle" in step)
        assert "ScheduledPerformingPhysicianName" not in item


@pytest.mark.peer("dcmtk")
def test_a_researcher_is_not_offered_the_worklist(worklist: Guard) -> None:
    with pytest.raises(AssertionError), modality(worklist, ModalityWorklistInformationFind, who="lab"):
        pass
