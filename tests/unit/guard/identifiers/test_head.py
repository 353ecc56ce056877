"""The head of a stored object: whose it is, and that it is what the command set says."""

from __future__ import annotations

import pydicom
import pytest
from tests.unit.guard.identifiers.datasets import SYNTAXES, encoded, made

from leadglass.guard.identifiers.head import HEAD_TAGS, STOP, study_from_head
from leadglass.guard.identifiers.refusal import Refused
from leadglass.model.access import Study
from leadglass.wire.elements import HeadReader, Syntax
from leadglass.wire.uids import CT_IMAGE_STORAGE, MR_IMAGE_STORAGE

INSTANCE = "1.2.3.4"


def image(**more: object) -> pydicom.Dataset:
    found = made(
        SpecificCharacterSet="ISO_IR 100",
        SOPClassUID=CT_IMAGE_STORAGE,
        SOPInstanceUID=INSTANCE,
        StudyDate="20240101",
        AccessionNumber="A1",
        Modality="CT",
        InstitutionName="M\u00fcnchen",
        ReferringPhysicianName="Who^Doctor",
        PerformingPhysicianName="Strange^Stephen",
        PatientID="P1",
        PatientIdentityRemoved="YES",
        ClinicalTrialProtocolID="T1",
        StudyInstanceUID="1.2.3",
        SeriesInstanceUID="1.2.3.1",
        Rows=1,
    )
    found.ReferencedStudySequence = [made(StudyInstanceUID="1.2.99")]
    for keyword, value in more.items():
        setattr(found, keyword, value)
    return found


def head(dataset: pydicom.Dataset, syntax: Syntax = SYNTAXES[0]) -> dict[int, bytes]:
    reader = HeadReader(syntax, HEAD_TAGS, STOP)
    assert reader.feed(encoded(dataset, syntax), last=True)
    return dict(reader.values)


def read(dataset: pydicom.Dataset, syntax: Syntax = SYNTAXES[0]) -> Study | Refused:
    return study_from_head(head(dataset, syntax), sop_class_uid=CT_IMAGE_STORAGE, sop_instance_uid=INSTANCE)


def test_the_head_ends_right_after_the_study() -> None:
    assert STOP == 0x0020_000E
    assert all(tag < STOP for tag in HEAD_TAGS)


@pytest.mark.parametrize("syntax", SYNTAXES, ids=["implicit", "explicit", "big-endian"])
def test_an_object_tells_its_study(syntax: Syntax) -> None:
    assert read(image(), syntax) == Study(
        "1.2.3",
        patient_id="P1",
        accession_number="A1",
        study_date="20240101",
        modalities=frozenset({"CT"}),
        institution="M\u00fcnchen",
        referring_physician="who^doctor",
        performing_physicians=frozenset({"strange^stephen"}),
        labels=frozenset({"de-identified", "trial:T1"}),
    )


def test_modalities_in_study_are_not_for_an_object_to_say() -> None:
    found = read(image(ModalitiesInStudy=["CT", "MR"]))

    assert isinstance(found, Study)
    assert found.modalities == {"CT"}


@pytest.mark.parametrize(
    "changed",
    [
        {"SOPClassUID": MR_IMAGE_STORAGE},
        {"SOPInstanceUID": "1.2.3.5"},
        {"SOPInstanceUID": ""},
        {"SOPInstanceUID": [INSTANCE, "1.2.3.5"]},
        {"SOPInstanceUID": "../../" + INSTANCE},
    ],
)
def test_an_object_that_is_not_the_commands_is_refused(changed: dict[str, object]) -> None:
    refused = read(image(**changed))

    assert isinstance(refused, Refused)
    assert refused.status == 0xA900


@pytest.mark.parametrize("uid", ["", ["1.2.3", "1.2.4"], "1.2.*"])
def test_an_object_of_no_study_is_refused(uid: object) -> None:
    refused = read(image(StudyInstanceUID=uid))

    assert isinstance(refused, Refused)
    assert refused.status == 0xC000


def test_an_object_without_a_head_is_refused() -> None:
    assert isinstance(read(made(Rows=1)), Refused)
