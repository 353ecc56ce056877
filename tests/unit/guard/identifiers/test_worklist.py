"""Modality worklist: what is asked of it, whose item a match is, and what of it is shown."""

from __future__ import annotations

import pydicom
import pytest
from pydicom.dataelem import DataElement
from tests.unit.guard.identifiers.datasets import (
    EXPLICIT,
    IMPLICIT,
    SYNTAXES,
    Keys,
    decoded,
    encoded,
    made,
    words,
)

from leadglass.errors import RemoteProtocolError
from leadglass.guard.identifiers.encoding import LARGEST
from leadglass.guard.identifiers.refusal import Refused
from leadglass.guard.identifiers.worklist import WorklistFilter, WorklistPlan, plan_worklist
from leadglass.model.access import Study
from leadglass.wire.elements import Syntax, encode_element

NEEDED = frozenset({"modalities", "station", "institution", "referring_physician"})
EVERYTHING = NEEDED | {"performing_physicians", "study_date", "patient_id", "accession_number", "labels"}
every_syntax = pytest.mark.parametrize("syntax", SYNTAXES, ids=["implicit", "explicit", "big-endian"])
STEP = 0x0040_0100


def query(*, undefined: bool = False, **keywords: object) -> pydicom.Dataset:
    """As a CT asks for its work of the day."""
    step = made(Modality="CT", ScheduledStationAETitle="", ScheduledProcedureStepStartDate="20240101")
    step.ScheduledProtocolCodeSequence = [made(CodeValue="", CodingSchemeDesignator="")]
    found = made(PatientName="", PatientID="", StudyInstanceUID="", **keywords)
    found.RequestedProcedureCodeSequence = []
    found.ScheduledProcedureStepSequence = [step]
    for sequence in (found["ScheduledProcedureStepSequence"], step["ScheduledProtocolCodeSequence"]):
        sequence.is_undefined_length = undefined
        sequence.value[0].is_undefined_length_sequence_item = undefined
    return found


def item(**more: object) -> pydicom.Dataset:
    """As a worklist answers."""
    step = made(
        Modality="CT",
        ScheduledStationAETitle="CT1",
        ScheduledProcedureStepStartDate="20240101",
        ScheduledPerformingPhysicianName="Strange^Stephen",
        ScheduledProcedureStepID="S1",
    )
    step.ScheduledProtocolCodeSequence = [made(CodeValue="1", CodingSchemeDesignator="L")]
    found = made(
        AccessionNumber="A1",
        InstitutionName="Mine",
        ReferringPhysicianName="Who^Doctor",
        PatientName="Doe^Jane",
        PatientID="P1",
        StudyInstanceUID="1.2.3",
    )
    found.ScheduledProcedureStepSequence = [step]
    for keyword, value in more.items():
        setattr(found, keyword, value)
    return found


def plan(
    identifier: pydicom.Dataset, needed: frozenset[str] = NEEDED, syntax: Syntax = IMPLICIT
) -> WorklistPlan:
    found = plan_worklist(encoded(identifier, syntax), syntax, needed)
    assert isinstance(found, WorklistPlan), found
    return found


def status(identifier: bytes, syntax: Syntax = EXPLICIT) -> int:
    refused = plan_worklist(identifier, syntax, NEEDED)
    assert isinstance(refused, Refused), refused
    return refused.status


def shown(of: WorklistPlan, match: pydicom.Dataset, syntax: Syntax = IMPLICIT) -> dict[str, object]:
    return words(decoded(WorklistFilter(of, syntax).visible(encoded(match, syntax)), syntax))


# ---- asking


@every_syntax
@pytest.mark.parametrize("undefined", [False, True], ids=["length", "delimiter"])
def test_a_query_passes_with_what_policies_read_added(syntax: Syntax, undefined: bool) -> None:
    found = plan(query(undefined=undefined), syntax=syntax)

    assert words(decoded(found.identifier, syntax)) == {
        "InstitutionName": "",
        "ReferringPhysicianName": "",
        "PatientName": "",
        "PatientID": "",
        "StudyInstanceUID": "",
        "RequestedProcedureCodeSequence": [],
        "ScheduledProcedureStepSequence": [
            {
                "Modality": "CT",
                "ScheduledStationAETitle": "",
                "ScheduledProcedureStepStartDate": "20240101",
                "ScheduledProtocolCodeSequence": [{"CodeValue": "", "CodingSchemeDesignator": ""}],
            }
        ],
    }
    assert b"\xff\xff\xff\xff" not in found.identifier


def test_a_query_without_a_step_is_asked_for_one() -> None:
    found = plan(made(PatientName=""), EVERYTHING)

    assert words(decoded(found.identifier, IMPLICIT))["ScheduledProcedureStepSequence"] == [
        {
            "Modality": "",
            "ScheduledStationAETitle": "",
            "ScheduledProcedureStepStartDate": "",
            "ScheduledPerformingPhysicianName": "",
        }
    ]
    assert shown(found, item()) == {"PatientName": "Doe^Jane"}


def test_where_policies_read_nothing_of_a_step_none_is_added() -> None:
    found = plan(made(PatientName=""), frozenset({"institution"}))

    assert words(decoded(found.identifier, IMPLICIT)) == {
        "InstitutionName": "",
        "PatientName": "",
        "StudyInstanceUID": "",
    }


@every_syntax
@pytest.mark.parametrize("empty", [[], [pydicom.Dataset()]], ids=["no-item", "empty-item"])
def test_an_empty_step_asks_for_all_of_it(syntax: Syntax, empty: list[pydicom.Dataset]) -> None:
    asked = made(PatientName="")
    asked.ScheduledProcedureStepSequence = empty
    found = plan(asked, syntax=syntax)

    [step] = decoded(found.identifier, syntax).ScheduledProcedureStepSequence
    assert {"Modality", "ScheduledProcedureStepID", "ScheduledProcedureStepDescription"} < words(step).keys()
    assert shown(found, item(), syntax) == {
        "PatientName": "Doe^Jane",
        "ScheduledProcedureStepSequence": [words(item().ScheduledProcedureStepSequence[0])],
    }


def test_keys_of_other_services_are_not_passed_on() -> None:
    found = plan(made(QueryRetrieveLevel="STUDY", NumberOfPatientRelatedStudies="3", PatientID=""))

    assert {"QueryRetrieveLevel", "NumberOfPatientRelatedStudies"}.isdisjoint(
        words(decoded(found.identifier, IMPLICIT))
    )


@pytest.mark.parametrize("vr", ["LO", "OB"])
def test_a_sequence_that_is_no_sequence_is_not_passed_on(vr: str) -> None:
    for tag in (STEP, 0x0032_1064):
        found = plan_worklist(encode_element(tag, vr, b"text", EXPLICIT), EXPLICIT, frozenset())
        assert isinstance(found, WorklistPlan)
        assert words(decoded(found.identifier, EXPLICIT)).keys() == {"StudyInstanceUID"}


def test_text_that_is_a_sequence_is_refused_where_it_is_known_and_else_dropped() -> None:
    contents = b"\xfe\xff\0\xe0\0\0\0\0"
    known = encode_element(0x0010_0020, "SQ", contents, EXPLICIT)
    unknown = encode_element(0x0010_2160, "SQ", contents, EXPLICIT)

    assert status(known) == 0xA900
    found = plan_worklist(unknown, EXPLICIT, frozenset())
    assert isinstance(found, WorklistPlan)
    assert words(decoded(found.identifier, EXPLICIT)).keys() == {"StudyInstanceUID"}


def test_two_steps_in_one_query_are_refused() -> None:
    asked = query()
    asked.ScheduledProcedureStepSequence.append(made(Modality="MR"))

    assert status(encoded(asked, IMPLICIT), IMPLICIT) == 0xA900


def test_many_items_or_a_deep_nest_are_an_error_of_the_peer() -> None:
    wide = query()
    wide.ScheduledProcedureStepSequence = [made(Modality="CT") for _ in range(65)]
    deep = made(PatientID="")
    for _ in range(6):
        outer = made(CodeValue="1")
        outer.ReferencedStudySequence = [deep]
        deep = outer
    for identifier in (wide, deep):
        with pytest.raises(RemoteProtocolError):
            plan(identifier)


@pytest.mark.parametrize("uid", [b"*", b"1.2.*"])
def test_a_wildcard_in_a_uid_is_refused(uid: bytes) -> None:
    assert status(encode_element(0x0020_000D, "UI", uid, EXPLICIT)) == 0xA900


def test_private_keys_return_but_do_not_match_in_the_step_either() -> None:
    asked = query()
    [step] = asked.ScheduledProcedureStepSequence
    step.add(DataElement(0x0099_0010, "LO", "SOMEBODY"))
    step.add(DataElement(0x0099_1001, "LO", "SECRET*"))

    assert b"SECRET" not in plan(asked, syntax=EXPLICIT).identifier


def test_an_identifier_of_more_than_64_kib_is_refused() -> None:
    assert status(bytes(LARGEST + 1)) == 0xC001


def test_very_many_keys_are_refused() -> None:
    assert (
        status(b"".join(encode_element(0x0010_5000 + n, "LO", b"", EXPLICIT) for n in range(513))) == 0xC001
    )


# ---- seeing


@every_syntax
def test_a_match_tells_what_is_scheduled(syntax: Syntax) -> None:
    of = WorklistFilter(plan(query(), EVERYTHING, syntax), syntax)

    assert of.study_of(encoded(item(), syntax)) == Study(
        "1.2.3",
        patient_id="P1",
        accession_number="A1",
        study_date="20240101",
        modalities=frozenset({"CT"}),
        institution="Mine",
        referring_physician="who^doctor",
        performing_physicians=frozenset({"strange^stephen"}),
        station="CT1",
    )


@every_syntax
def test_the_client_gets_what_it_asked_for(syntax: Syntax) -> None:
    found = plan(query(), EVERYTHING, syntax)

    assert shown(found, item(), syntax) == {
        "PatientName": "Doe^Jane",
        "PatientID": "P1",
        "StudyInstanceUID": "1.2.3",
        "ScheduledProcedureStepSequence": [
            {
                "Modality": "CT",
                "ScheduledStationAETitle": "CT1",
                "ScheduledProcedureStepStartDate": "20240101",
                "ScheduledProtocolCodeSequence": [{"CodeValue": "1", "CodingSchemeDesignator": "L"}],
            }
        ],
    }


def test_steps_for_two_stations_or_days_are_of_none_but_of_both_modalities() -> None:
    two = item()
    two.ScheduledProcedureStepSequence.append(
        made(Modality="MR", ScheduledStationAETitle="MR1", ScheduledProcedureStepStartDate="20240102")
    )

    study = WorklistFilter(plan(query(), EVERYTHING), IMPLICIT).study_of(encoded(two, IMPLICIT))

    assert study is not None
    assert (study.station, study.study_date, study.modalities) == (
        None,
        None,
        frozenset({"CT", "MR"}),
    )


def test_a_step_for_several_stations_is_of_none() -> None:
    several = item()
    several.ScheduledProcedureStepSequence[0].ScheduledStationAETitle = ["CT1", "CT2"]

    study = WorklistFilter(plan(query()), IMPLICIT).study_of(encoded(several, IMPLICIT))

    assert study is not None
    assert study.station is None


def test_a_match_without_a_step_or_a_study() -> None:
    of = WorklistFilter(plan(query()), IMPLICIT)

    assert of.study_of(encoded(made(StudyInstanceUID="1.2"), IMPLICIT)) == Study("1.2")
    assert of.study_of(encoded(item(StudyInstanceUID=""), IMPLICIT)) is None
    assert of.study_of(encoded(item(StudyInstanceUID=["1.2", "1.3"]), IMPLICIT)) is None


@pytest.mark.parametrize(
    ("keyword", "field"),
    [
        ("InstitutionName", "institution"),
        ("ReferringPhysicianName", "referring_physician"),
        ("AccessionNumber", "accession_number"),
    ],
)
def test_what_may_be_the_clients_own_words_is_not_believed(keyword: str, field: str) -> None:
    mine: Keys = {keyword: "Mine"}
    of = WorklistFilter(plan(query(**mine), EVERYTHING), IMPLICIT)

    echo = of.study_of(encoded(item(**{keyword: "Mine "}), IMPLICIT))
    true = of.study_of(encoded(item(**{keyword: "Mine too"}), IMPLICIT))

    assert (getattr(echo, field), getattr(true, field) is None) == (None, False)


def test_a_character_set_within_the_step_is_the_steps() -> None:
    match = item(SpecificCharacterSet="ISO_IR 192")
    [step] = match.ScheduledProcedureStepSequence
    step.SpecificCharacterSet = "ISO_IR 100"
    step.ScheduledPerformingPhysicianName = "M\u00fcller"

    study = WorklistFilter(plan(query(), EVERYTHING), IMPLICIT).study_of(encoded(match, IMPLICIT))

    assert study is not None
    assert study.performing_physicians == {"m\u00fcller"}


def test_in_a_step_of_unknown_vr_nothing_is_read_and_nothing_shown() -> None:
    contents = b"\xfe\xff\0\xe0\x0e\0\0\0" + b"\x40\0\1\0\x06\0\0\0EVIL  "
    match = encode_element(0x0020_000D, "UI", b"1.2", EXPLICIT) + encode_element(
        STEP, "UN", contents, EXPLICIT
    )
    of = WorklistFilter(plan(query(), syntax=EXPLICIT), EXPLICIT)

    assert of.study_of(match) == Study("1.2")
    assert words(decoded(of.visible(match), EXPLICIT)) == {"StudyInstanceUID": "1.2"}


@pytest.mark.parametrize("match", [b"\0", b"\xff" * 40, encoded(item(), IMPLICIT)[:-3]])
def test_what_is_no_data_set_is_an_error_of_the_peer(match: bytes) -> None:
    of = WorklistFilter(plan(query()), IMPLICIT)
    for ask in (of.study_of, of.visible):
        with pytest.raises(RemoteProtocolError):
            ask(match)
