"""Storage commitment and performed procedure steps: what they name."""

from __future__ import annotations

from dataclasses import replace

import pydicom
import pytest
from tests.unit.guard.identifiers.datasets import EXPLICIT, IMPLICIT, SYNTAXES, decoded, encoded, made, words

from leadglass.errors import RemoteProtocolError
from leadglass.guard.identifiers import commitment
from leadglass.guard.identifiers.commitment import (
    Commitment,
    Reference,
    encode_commitment,
    read_commitment,
)
from leadglass.guard.identifiers.procedure_step import studies_from_step
from leadglass.guard.identifiers.refusal import Refused
from leadglass.model.access import Study
from leadglass.wire.elements import Syntax, encode_element
from leadglass.wire.uids import CT_IMAGE_STORAGE

every_syntax = pytest.mark.parametrize("syntax", SYNTAXES, ids=["implicit", "explicit", "big-endian"])
REPORT = Commitment(
    "2.25.7",
    (Reference(CT_IMAGE_STORAGE, "1.2.3"), Reference(CT_IMAGE_STORAGE, "1.2.4")),
    (Reference(CT_IMAGE_STORAGE, "1.2.5", 0x0112),),
    "ARCHIVE",
)


def reference(uid: str, **more: object) -> pydicom.Dataset:
    return made(ReferencedSOPClassUID=CT_IMAGE_STORAGE, ReferencedSOPInstanceUID=uid, **more)


def report(*, undefined: bool = False) -> pydicom.Dataset:
    found = made(RetrieveAETitle="ARCHIVE", TransactionUID="2.25.7")
    found.FailedSOPSequence = [reference("1.2.5", FailureReason=0x0112)]
    found.ReferencedSOPSequence = [reference("1.2.3"), reference("1.2.4")]
    for sequence in (found["FailedSOPSequence"], found["ReferencedSOPSequence"]):
        sequence.is_undefined_length = undefined
    return found


# ---- storage commitment


@every_syntax
@pytest.mark.parametrize("undefined", [False, True], ids=["length", "delimiter"])
def test_a_report_is_read(syntax: Syntax, undefined: bool) -> None:
    assert read_commitment(encoded(report(undefined=undefined), syntax), syntax) == REPORT


@every_syntax
def test_what_is_written_is_read_by_us_and_by_the_reference(syntax: Syntax) -> None:
    data = encode_commitment(REPORT, syntax)

    assert read_commitment(data, syntax) == REPORT
    assert words(decoded(data, syntax)) == words(report())


def test_a_request_is_written_without_what_may_not_be_asked() -> None:
    request = Commitment("2.25.7", REPORT.referenced)

    fewer = encode_commitment(replace(request, referenced=request.referenced[:1]), IMPLICIT)

    assert b"1.2.3" in fewer
    assert b"1.2.4" not in fewer


@pytest.mark.parametrize("uid", ["", "*", ["1.2", "1.3"], "../x"])
def test_a_transaction_or_instance_without_one_uid_is_refused(uid: object) -> None:
    nameless = report()
    nameless.TransactionUID = uid
    unnamed = report()
    unnamed.ReferencedSOPSequence[1].ReferencedSOPInstanceUID = uid
    for dataset in (nameless, unnamed):
        refused = read_commitment(encoded(dataset, IMPLICIT), IMPLICIT)
        assert isinstance(refused, Refused)
        assert refused.status == 0x0120


def test_references_of_unknown_vr_are_refused() -> None:
    data = encode_element(0x0008_1195, "UI", b"2.25.7", EXPLICIT) + encode_element(
        0x0008_1199, "UN", b"\xfe\xff\0\xe0\0\0\0\0", EXPLICIT
    )

    assert isinstance(read_commitment(data, EXPLICIT), Refused)


def test_a_failure_reason_is_one_number() -> None:
    odd = made(TransactionUID="2.25.7")
    odd.FailedSOPSequence = [reference("1.2.5", FailureReason=[1, 2])]

    assert isinstance(read_commitment(encoded(odd, IMPLICIT), IMPLICIT), Refused)


def test_how_much_is_committed_at_once_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commitment, "MOST_INSTANCES", 1)
    with pytest.raises(RemoteProtocolError, match="more than 1 items"):
        read_commitment(encoded(report(), IMPLICIT), IMPLICIT)
    assert isinstance(read_commitment(bytes(5 * 1024 * 1024), IMPLICIT), Refused)


# ---- performed procedure steps


def step(**more: object) -> pydicom.Dataset:
    found = made(Modality="CT", PatientID="P1", PerformedStationAETitle="CT1")
    found.ScheduledStepAttributesSequence = [
        made(StudyInstanceUID="1.2.3", AccessionNumber="A1"),
        made(StudyInstanceUID="1.2.4", AccessionNumber="A2"),
    ]
    for keyword, value in more.items():
        setattr(found, keyword, value)
    return found


@every_syntax
def test_a_step_tells_all_its_studies(syntax: Syntax) -> None:
    shared = Study("1.2.3", patient_id="P1", modalities=frozenset({"CT"}), station="CT1")

    assert studies_from_step(encoded(step(), syntax), syntax) == (
        replace(shared, accession_number="A1"),
        replace(shared, study_instance_uid="1.2.4", accession_number="A2"),
    )


@pytest.mark.parametrize(
    ("items", "status"),
    [
        ([], 0x0120),
        ([made(AccessionNumber="A1")], 0x0106),
        ([made(StudyInstanceUID="1.2"), made(StudyInstanceUID="")], 0x0106),
        ([made(StudyInstanceUID=["1.2", "1.3"])], 0x0106),
    ],
)
def test_a_step_that_does_not_say_its_study_is_refused(items: list[pydicom.Dataset], status: int) -> None:
    refused = studies_from_step(encoded(step(ScheduledStepAttributesSequence=items), IMPLICIT), IMPLICIT)

    assert isinstance(refused, Refused)
    assert refused.status == status


def test_a_study_beside_the_scheduled_steps_does_not_count() -> None:
    found = studies_from_step(encoded(step(StudyInstanceUID="1.2.99"), IMPLICIT), IMPLICIT)

    assert not isinstance(found, Refused)
    assert [study.study_instance_uid for study in found] == ["1.2.3", "1.2.4"]


def test_a_step_under_a_study_without_its_own_uid_is_refused() -> None:
    dataset = step(StudyInstanceUID="1.2.99", ScheduledStepAttributesSequence=[made(AccessionNumber="A1")])

    assert isinstance(studies_from_step(encoded(dataset, IMPLICIT), IMPLICIT), Refused)


def test_a_large_step_is_refused_unread() -> None:
    assert isinstance(studies_from_step(bytes(5 * 1024 * 1024), IMPLICIT), Refused)
