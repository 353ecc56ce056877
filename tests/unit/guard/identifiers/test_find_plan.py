"""What the archive is asked instead of what the client asked, and what it is not asked at all."""

from __future__ import annotations

from typing import Any

import pytest
from pydicom.dataelem import DataElement
from tests.unit.guard.identifiers.datasets import (
    BIG_ENDIAN,
    EXPLICIT,
    IMPLICIT,
    SYNTAXES,
    Keys,
    asked,
    decoded,
    encoded,
    made,
    words,
)

from leadglass.errors import LocalProtocolError, RemoteProtocolError
from leadglass.guard.identifiers.encoding import LARGEST
from leadglass.guard.identifiers.find import FindPlan, plan_find
from leadglass.guard.identifiers.refusal import Refused
from leadglass.wire.elements import Syntax, encode_element
from leadglass.wire.uids import (
    CT_IMAGE_STORAGE,
    MODALITY_WORKLIST_FIND,
    PATIENT_ROOT_FIND,
    PATIENT_STUDY_ONLY_FIND,
    STUDY_ROOT_FIND,
    STUDY_ROOT_MOVE,
)

LABELS = frozenset({"labels", "referring_physician"})
NOTHING = frozenset[str]()
every_syntax = pytest.mark.parametrize("syntax", SYNTAXES, ids=["implicit", "explicit", "big-endian"])


def planned(
    identifier: bytes,
    model: str = STUDY_ROOT_FIND,
    needed: frozenset[str] = NOTHING,
    *,
    relational: bool = False,
    syntax: Syntax = IMPLICIT,
) -> FindPlan | Refused:
    return plan_find(model, identifier, syntax, needed, relational=relational)


def plan(identifier: bytes, *args: Any, **keywords: Any) -> FindPlan:
    made_plan = planned(identifier, *args, **keywords)
    assert isinstance(made_plan, FindPlan), made_plan
    return made_plan


def sent(identifier: bytes, *args: Any, **keywords: Any) -> dict[str, object]:
    """What the archive is asked, by keyword."""
    syntax = keywords.get("syntax", IMPLICIT)
    return words(decoded(plan(identifier, *args, **keywords).identifier, syntax))


def status(identifier: bytes, *args: Any, **keywords: Any) -> int:
    refused = planned(identifier, *args, **keywords)
    assert isinstance(refused, Refused), refused
    return refused.status


# ---- what is added


@every_syntax
def test_a_query_passes_with_what_policies_read_added(syntax: Syntax) -> None:
    identifier = asked(syntax, QueryRetrieveLevel="STUDY", PatientName="DOE*", StudyDate="20200101-")

    assert sent(identifier, needed=LABELS, syntax=syntax) == {
        "QueryRetrieveLevel": "STUDY",
        "StudyDate": "20200101-",
        "ReferringPhysicianName": "",
        "PatientName": "DOE*",
        "ClinicalTrialProtocolID": "",
        "PatientIdentityRemoved": "",
        "StudyInstanceUID": "",
    }


def test_what_the_client_matches_on_is_not_overwritten() -> None:
    identifier = asked(QueryRetrieveLevel="STUDY", ReferringPhysicianName="WHO^DR", StudyInstanceUID="1.2")

    found = plan(identifier, needed=LABELS)

    assert words(decoded(found.identifier, IMPLICIT))["ReferringPhysicianName"] == "WHO^DR"
    assert found.studies == ("1.2",)


@pytest.mark.parametrize("level", ["SERIES", "IMAGE"])
def test_below_study_level_only_the_study_is_asked_for(level: str) -> None:
    identifier = asked(QueryRetrieveLevel=level, SOPInstanceUID="")

    assert sent(identifier, needed=LABELS, relational=True) == {
        "QueryRetrieveLevel": level,
        "SOPInstanceUID": "",
        "StudyInstanceUID": "",
    }


def test_a_field_that_no_study_has_is_our_own_mistake() -> None:
    with pytest.raises(LocalProtocolError, match="shoe_size"):
        planned(asked(QueryRetrieveLevel="STUDY"), needed=frozenset({"shoe_size"}))


# ---- levels


@pytest.mark.parametrize(
    "level",
    ["", "   ", "study", "Study", "STUDIES", "STUDY\\SERIES", "STUDYX", "INSTANCE", "PATIENT", "ST\0UDY"],
)
def test_a_level_that_study_root_does_not_have_is_refused(level: str) -> None:
    identifier = encode_element(0x0008_0052, "CS", level.encode(), IMPLICIT)

    assert status(identifier) == 0xA900


@pytest.mark.parametrize("padded", [b"STUDY ", b"STUDY\0", b"  STUDY   ", b"STUDY \0 "])
def test_padding_of_the_level_means_nothing_and_is_not_passed_on(padded: bytes) -> None:
    identifier = encode_element(0x0008_0052, "CS", padded, IMPLICIT)

    assert plan(identifier).identifier.startswith(b"\x08\0\x52\0\x06\0\0\0STUDY ")


def test_a_query_without_a_level_is_refused() -> None:
    assert status(asked(PatientName="")) == 0xA900
    assert status(b"") == 0xA900


@pytest.mark.parametrize(
    ("model", "level"),
    [(PATIENT_STUDY_ONLY_FIND, "SERIES"), (PATIENT_STUDY_ONLY_FIND, "IMAGE"), (STUDY_ROOT_FIND, "PATIENT")],
)
def test_a_level_of_another_model_is_refused(model: str, level: str) -> None:
    keys: Keys = {"PatientID": "P", "StudyInstanceUID": "1.2", "SeriesInstanceUID": "1.3"}

    assert status(asked(QueryRetrieveLevel=level, **keys), model) == 0xA900


@pytest.mark.parametrize("model", [MODALITY_WORKLIST_FIND, CT_IMAGE_STORAGE, "1.2.3", ""])
def test_another_service_is_not_planned_here(model: str) -> None:
    assert status(asked(QueryRetrieveLevel="STUDY"), model) == 0x0122


def test_a_retrieve_class_has_levels_too_but_the_caller_chooses_the_service() -> None:
    assert plan(asked(QueryRetrieveLevel="STUDY"), STUDY_ROOT_MOVE).level == "STUDY"


# ---- hierarchy


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"StudyInstanceUID": ""},
        {"StudyInstanceUID": "1.2", "SeriesInstanceUID": ""},
        {"SeriesInstanceUID": "1.2.1"},
    ],
)
def test_unique_keys_above_the_level_are_demanded(keys: Keys) -> None:
    assert status(asked(QueryRetrieveLevel="IMAGE", **keys)) == 0xA900
    assert plan(asked(QueryRetrieveLevel="IMAGE", **keys), relational=True).level == "IMAGE"


@pytest.mark.parametrize("patient", ["", "*", "P*", "P?", "P1\\P2"])
def test_the_patient_above_the_level_is_one(patient: str) -> None:
    identifier = asked(QueryRetrieveLevel="STUDY", PatientID=patient)

    assert status(identifier, PATIENT_ROOT_FIND) == 0xA900


def test_patient_root_below_patient_level_stays_what_it_is() -> None:
    found = plan(asked(QueryRetrieveLevel="STUDY", PatientID="P1"), PATIENT_ROOT_FIND)

    assert (found.sop_class, found.level, found.fold) == (PATIENT_ROOT_FIND, "STUDY", False)


# ---- UIDs


@pytest.mark.parametrize("uid", ["1.2.*", "*", "1.2.?", "1.2.3-1.2.9", "1", "1..2", "a.b", "1.2\\", "1.2\\*"])
@pytest.mark.parametrize("keyword", ["StudyInstanceUID", "SeriesInstanceUID", "SOPClassesInStudy"])
def test_what_is_no_uid_is_refused_wherever_a_uid_belongs(keyword: str, uid: str) -> None:
    tag = {
        "StudyInstanceUID": 0x0020000D,
        "SeriesInstanceUID": 0x0020000E,
        "SOPClassesInStudy": 0x00080062,
    }[keyword]
    identifier = asked(QueryRetrieveLevel="STUDY") + encode_element(tag, "UI", uid.encode(), IMPLICIT)

    assert status(identifier) == 0xA900


def test_in_explicit_vr_every_uid_is_checked() -> None:
    identifier = asked(EXPLICIT, QueryRetrieveLevel="STUDY") + encode_element(
        0x0020_0200, "UI", b"1.2.*", EXPLICIT
    )

    assert status(identifier, syntax=EXPLICIT) == 0xA900


def test_several_studies_may_be_named() -> None:
    identifier = asked(QueryRetrieveLevel="SERIES", StudyInstanceUID=["1.2.3", "1.2.4"], SeriesInstanceUID="")

    assert plan(identifier).studies == ("1.2.3", "1.2.4")


def test_a_thousand_uids_and_no_more() -> None:
    many = [f"1.{number}" for number in range(1000)]

    assert len(plan(asked(QueryRetrieveLevel="STUDY", StudyInstanceUID=many)).studies) == 1000
    assert status(asked(QueryRetrieveLevel="STUDY", StudyInstanceUID=[*many, "1.1000"])) == 0xA900


# ---- what is not passed on


@every_syntax
@pytest.mark.parametrize("undefined", [False, True], ids=["length", "delimiter"])
def test_sequences_are_not_asked_for(syntax: Syntax, undefined: bool) -> None:
    query = made(QueryRetrieveLevel="STUDY", PatientID="")
    query.ReferencedStudySequence = [made(ReferencedSOPInstanceUID="1.2.3")]
    query["ReferencedStudySequence"].is_undefined_length = undefined
    query.ProcedureCodeSequence = []
    query.add(DataElement(0x0099_0010, "LO", "SOMEBODY"))
    query.add(DataElement(0x0099_1001, "SQ", [made(PatientID="P")]))

    assert sent(encoded(query, syntax), syntax=syntax).keys() == {
        "QueryRetrieveLevel",
        "PatientID",
        "StudyInstanceUID",
        "(0099,0010)",
    }


def test_a_sequence_that_hides_as_text_or_unknown_is_not_asked_for() -> None:
    item = b"\xfe\xff\0\xe0\x08\0\0\0" + encode_element(0x0010_0020, "", b"", IMPLICIT)
    level = asked(EXPLICIT, QueryRetrieveLevel="STUDY")
    for vr in ("LO", "UN", "OB"):
        for tag in (0x0008_1110, 0x0010_2160):
            identifier = level + encode_element(tag, vr, item, EXPLICIT)
            assert sent(identifier, syntax=EXPLICIT).keys() == {"QueryRetrieveLevel", "StudyInstanceUID"}


@pytest.mark.parametrize(
    "tag",
    [
        0x7FE0_0010,  # Pixel Data
        0x7FE0_0008,
        0x6000_3000,  # Overlay Data
        0x5000_3000,  # Curve Data
        0x5400_0110,
        0x0042_0011,  # Encapsulated Document
        0x0008_1190,  # Retrieve URL
        0x0010_0000,  # Group Length
        0xFFFC_FFFC,  # Data Set Trailing Padding
    ],
)
def test_images_addresses_and_lengths_of_groups_are_not_asked_for(tag: int) -> None:
    level = asked(QueryRetrieveLevel="STUDY")
    key = encode_element(tag, "", b"", IMPLICIT)
    identifier = level + key if tag > 0x0008_0052 else key + level

    assert sent(identifier).keys() == {"QueryRetrieveLevel", "StudyInstanceUID"}
    assert tag not in plan(identifier).returned


@pytest.mark.parametrize("level", ["STUDY", "SERIES"])
def test_statistics_of_a_patient_are_neither_asked_for_nor_matched(level: str) -> None:
    identifier = asked(
        QueryRetrieveLevel=level,
        StudyInstanceUID="1.2",
        NumberOfPatientRelatedStudies="3",
        NumberOfPatientRelatedSeries="",
        NumberOfPatientRelatedInstances="",
        NumberOfStudyRelatedSeries="",
    )

    assert sent(identifier).keys() == {
        "QueryRetrieveLevel",
        "StudyInstanceUID",
        "NumberOfStudyRelatedSeries",
    }


def test_private_keys_return_but_do_not_match() -> None:
    query = made(QueryRetrieveLevel="STUDY")
    query.add(DataElement(0x0099_0010, "LO", "SOMEBODY"))
    query.add(DataElement(0x0099_1001, "LO", "SECRET*"))

    found = sent(encoded(query, EXPLICIT), syntax=EXPLICIT)

    assert (found["(0099,0010)"], found["(0099,1001)"]) == ("SOMEBODY", "")


def test_character_set_view_and_time_zone_pass() -> None:
    identifier = asked(
        SpecificCharacterSet="ISO_IR 192",
        QueryRetrieveLevel="STUDY",
        QueryRetrieveView="CLASSIC",
        TimezoneOffsetFromUTC="+0100",
        PatientName="M\u00fcller*",
    )

    found = decoded(plan(identifier).identifier, IMPLICIT)

    assert (found.SpecificCharacterSet, found.QueryRetrieveView) == ("ISO_IR 192", "CLASSIC")
    assert (found.TimezoneOffsetFromUTC, str(found.PatientName)) == ("+0100", "M\u00fcller*")


# ---- hostile forms


def test_keys_twice_or_out_of_order_are_no_data_set() -> None:
    level = asked(QueryRetrieveLevel="STUDY")
    study = encode_element(0x0020_000D, "UI", b"1.2", IMPLICIT)
    other = encode_element(0x0020_000D, "UI", b"1.3", IMPLICIT)
    for identifier in (level + study + other, study + level, level + level):
        with pytest.raises(RemoteProtocolError):
            planned(identifier)


@pytest.mark.parametrize("vr", ["ST", "UN", "OB"])
@pytest.mark.parametrize("tag", [0x0020_000D, 0x0020_000E, 0x0010_0020, 0x0012_0062])
def test_a_key_under_another_vr_is_refused(tag: int, vr: str) -> None:
    key = encode_element(tag, vr, b"1.23", EXPLICIT)

    assert status(asked(EXPLICIT, QueryRetrieveLevel="STUDY") + key, syntax=EXPLICIT) == 0xA900


def test_a_level_under_another_vr_is_refused() -> None:
    assert status(encode_element(0x0008_0052, "LO", b"STUDY ", EXPLICIT), syntax=EXPLICIT) == 0xA900


def test_half_a_number_is_no_data_set() -> None:
    broken = b"\x20\0\x11\0US\x01\0\x07"

    with pytest.raises(RemoteProtocolError, match="odd length"):
        planned(asked(EXPLICIT, QueryRetrieveLevel="STUDY") + broken, syntax=EXPLICIT)


def test_text_of_odd_length_is_padded() -> None:
    odd = b"\x10\0\x20\0\x03\0\0\0P1*"

    assert b"P1* " in plan(asked(QueryRetrieveLevel="STUDY") + odd).identifier


@every_syntax
def test_an_identifier_of_more_than_64_kib_is_refused_unread(syntax: Syntax) -> None:
    assert status(b"\xff" * (LARGEST + 1), syntax=syntax) == 0xC001


def test_the_largest_identifier_is_planned() -> None:
    level = asked(QueryRetrieveLevel="STUDY")
    identifier = level + encode_element(0x0010_4000, "", b"x" * (LARGEST - len(level) - 8), IMPLICIT)

    assert len(identifier) == LARGEST
    assert len(plan(identifier, needed=LABELS).identifier) > LARGEST


def test_very_many_keys_are_refused() -> None:
    keys = b"".join(encode_element(0x0010_5000 + number, "", b"", IMPLICIT) for number in range(513))

    assert status(asked(QueryRetrieveLevel="STUDY") + keys) == 0xC001


def test_text_that_is_not_ascii_is_no_reason_to_fail() -> None:
    name = encode_element(0x0010_0010, "", bytes(range(0x80, 0x100)), IMPLICIT)

    assert name in plan(asked(QueryRetrieveLevel="STUDY") + name).identifier


@pytest.mark.parametrize("syntax", [EXPLICIT, BIG_ENDIAN])
def test_an_identifier_in_another_syntax_is_an_error_of_the_peer(syntax: Syntax) -> None:
    with pytest.raises(RemoteProtocolError):
        planned(asked(QueryRetrieveLevel="STUDY", PatientID="P"), syntax=syntax)


def test_nothing_a_client_sent_is_in_a_reason_or_in_what_is_printed() -> None:
    identifier = asked(
        QueryRetrieveLevel="SECRET", PatientID="SECRET", StudyInstanceUID="1.2", PatientName="SECRET"
    )

    assert "SECRET" not in str(planned(identifier))
    assert "SECRET" not in repr(plan(identifier.replace(b"SECRET", b"STUDY ", 1)))


# ---- PATIENT level


@pytest.mark.parametrize("model", [PATIENT_ROOT_FIND, PATIENT_STUDY_ONLY_FIND])
def test_patients_are_found_by_their_studies(model: str) -> None:
    identifier = asked(QueryRetrieveLevel="PATIENT", PatientName="DOE*", PatientBirthDate="")

    found = plan(identifier, model, LABELS)

    assert (found.sop_class, found.level, found.fold) == (STUDY_ROOT_FIND, "STUDY", True)
    assert words(decoded(found.identifier, IMPLICIT)) == {
        "QueryRetrieveLevel": "STUDY",
        "ReferringPhysicianName": "",
        "PatientName": "DOE*",
        "PatientID": "",
        "PatientBirthDate": "",
        "ClinicalTrialProtocolID": "",
        "PatientIdentityRemoved": "",
        "StudyInstanceUID": "",
    }


def test_keys_of_studies_do_not_count_at_patient_level_unless_negotiated() -> None:
    identifier = asked(
        QueryRetrieveLevel="PATIENT", PatientID="P*", StudyDate="20200101", StudyInstanceUID="1.2.3"
    )

    hierarchical = plan(identifier, PATIENT_ROOT_FIND)

    assert words(decoded(hierarchical.identifier, IMPLICIT)) == {
        "QueryRetrieveLevel": "STUDY",
        "PatientID": "P*",
        "StudyInstanceUID": "",
    }
    assert 0x0008_0020 not in hierarchical.returned
    assert sent(identifier, PATIENT_ROOT_FIND, relational=True)["StudyDate"] == "20200101"
