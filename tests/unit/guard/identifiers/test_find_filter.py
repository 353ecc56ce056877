"""Whose study a match is, and what of it a client gets."""

from __future__ import annotations

import pytest
from pydicom.dataelem import DataElement
from tests.unit.guard.identifiers.datasets import (
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

from leadglass.errors import RemoteProtocolError
from leadglass.guard.identifiers import find
from leadglass.guard.identifiers.find import FindFilter, FindPlan, plan_find
from leadglass.model.access import Study
from leadglass.wire.elements import Syntax, encode_element
from leadglass.wire.uids import PATIENT_ROOT_FIND, STUDY_ROOT_FIND

EVERYTHING = frozenset(
    {
        "patient_id",
        "accession_number",
        "study_date",
        "modalities",
        "institution",
        "referring_physician",
        "performing_physicians",
        "labels",
    }
)
every_syntax = pytest.mark.parametrize("syntax", SYNTAXES, ids=["implicit", "explicit", "big-endian"])


def filtering(
    syntax: Syntax = IMPLICIT,
    model: str = STUDY_ROOT_FIND,
    needed: frozenset[str] = EVERYTHING,
    *,
    relational: bool = False,
    **keywords: object,
) -> FindFilter:
    plan = plan_find(model, asked(syntax, **keywords), syntax, needed, relational=relational)
    assert isinstance(plan, FindPlan), plan
    return FindFilter(plan, syntax)


def answer(syntax: Syntax = IMPLICIT, **keywords: object) -> bytes:
    return encoded(made(**keywords), syntax)


def shown(of: FindFilter, match: bytes, syntax: Syntax = IMPLICIT) -> dict[str, object] | None:
    data = of.visible(match)
    return None if data is None else words(decoded(data, syntax))


FULL: Keys = {
    "SpecificCharacterSet": "ISO_IR 192",
    "StudyDate": "20240229",
    "AccessionNumber": "A17",
    "QueryRetrieveLevel": "STUDY",
    "RetrieveAETitle": "ARCHIVE",
    "InstanceAvailability": "ONLINE",
    "ModalitiesInStudy": ["CT", "SR"],
    "InstitutionName": "Z\u00fcrich S\u00fcd",
    "ReferringPhysicianName": "Who^Doctor^^Dr.",
    "PerformingPhysicianName": ["Strange^Stephen", "House^Gregory"],
    "PatientName": "Doe^Jane",
    "PatientID": "P1",
    "ClinicalTrialProtocolID": "T-1",
    "PatientIdentityRemoved": "YES",
    "StudyInstanceUID": "1.2.3",
}


@every_syntax
def test_a_match_tells_the_study_and_shows_what_was_asked(syntax: Syntax) -> None:
    of = filtering(syntax, QueryRetrieveLevel="STUDY", PatientName="", StudyInstanceUID="")
    match = answer(syntax, **FULL)

    study, uid = of.study_of(match)

    assert uid == "1.2.3"
    assert study == Study(
        "1.2.3",
        patient_id="P1",
        accession_number="A17",
        study_date="20240229",
        modalities=frozenset({"CT", "SR"}),
        institution="Z\u00fcrich S\u00fcd",
        referring_physician="who^doctor^^dr.",
        performing_physicians=frozenset({"strange^stephen", "house^gregory"}),
        labels=frozenset({"de-identified", "trial:T-1"}),
    )
    assert shown(of, match, syntax) == {
        "SpecificCharacterSet": "ISO_IR 192",
        "QueryRetrieveLevel": "STUDY",
        "RetrieveAETitle": "ARCHIVE",
        "InstanceAvailability": "ONLINE",
        "PatientName": "Doe^Jane",
        "StudyInstanceUID": "1.2.3",
    }


def test_a_bare_match_is_a_study_without_attributes() -> None:
    of = filtering(QueryRetrieveLevel="STUDY")

    assert of.study_of(answer(StudyInstanceUID="1.2.3")) == (Study("1.2.3"), "1.2.3")
    assert shown(of, answer(StudyInstanceUID="1.2.3")) == {}


@pytest.mark.parametrize(
    "raw", [None, b"", b"1.2\\1.3", b"1.2.*", b"1.2.3/..", b"1.2.3\\", b"x" * 64, b"1.2\xfe3", b"1" * 65]
)
@pytest.mark.parametrize("level", ["STUDY", "SERIES"])
def test_a_match_that_names_no_study_is_nobodys(raw: bytes | None, level: str) -> None:
    of = filtering(QueryRetrieveLevel=level, StudyInstanceUID="1.2")
    match = answer(QueryRetrieveLevel=level)
    if raw is not None:
        match += encode_element(0x0020_000D, "UI", raw, IMPLICIT)

    assert of.study_of(match) == (None, None)


@pytest.mark.parametrize("level", ["SERIES", "IMAGE"])
def test_below_study_level_a_match_names_only_its_study(level: str) -> None:
    of = filtering(QueryRetrieveLevel=level, StudyInstanceUID="1.2", SeriesInstanceUID="1.2.4")
    match = answer(
        QueryRetrieveLevel=level,
        Modality="CT",
        StudyInstanceUID="1.2.3",
        SeriesInstanceUID="1.2.4",
    )

    assert of.study_of(match) == (None, "1.2.3")
    assert shown(of, match) == {
        "QueryRetrieveLevel": level,
        "StudyInstanceUID": "1.2.3",
        "SeriesInstanceUID": "1.2.4",
    }


def test_the_study_that_the_guard_had_to_ask_for_is_taken_out_again() -> None:
    of = filtering(relational=True, QueryRetrieveLevel="IMAGE", SOPInstanceUID="")

    assert shown(of, answer(SOPInstanceUID="1.2.5", StudyInstanceUID="1.2.3")) == {"SOPInstanceUID": "1.2.5"}


# ---- an archive that gives back the query


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("ReferringPhysicianName", "ME^DR"),
        ("PerformingPhysicianName", "ME^DR"),
        ("InstitutionName", "Mine"),
        ("ModalitiesInStudy", "US"),
        ("PatientIdentityRemoved", "YES"),
        ("ClinicalTrialProtocolID", "T-1"),
    ],
)
def test_an_attribute_that_may_be_the_clients_own_words_is_looked_up(keyword: str, value: str) -> None:
    mine: Keys = {keyword: value}
    theirs: Keys = {keyword: value + "X"}
    of = filtering(QueryRetrieveLevel="STUDY", **mine)
    echo = answer(StudyInstanceUID="1.2.3", **mine)
    true = answer(StudyInstanceUID="1.2.4", **theirs)

    assert of.study_of(echo) == (None, "1.2.3")
    assert of.study_of(true)[0] is not None


def test_the_modality_of_a_series_does_not_stand_for_those_of_the_study() -> None:
    of = filtering(QueryRetrieveLevel="STUDY", Modality="CT")

    assert of.study_of(answer(Modality="CT", StudyInstanceUID="1.2.3")) == (Study("1.2.3"), "1.2.3")


def test_what_no_policy_reads_is_not_believed_though_the_client_asked_for_it() -> None:
    keys: Keys = {"InstitutionName": "Mine", "PatientIdentityRemoved": "YES", "PatientID": ""}
    of = filtering(needed=frozenset({"modalities"}), QueryRetrieveLevel="STUDY", **keys)

    study, _ = of.study_of(answer(StudyInstanceUID="1.2.3", **(keys | {"PatientID": "P1"})))

    assert study == Study("1.2.3", patient_id="P1")


def test_padding_does_not_make_the_clients_words_the_archives() -> None:
    query = asked(QueryRetrieveLevel="STUDY") + encode_element(0x0008_0080, "LO", b" Mine   ", IMPLICIT)
    plan = plan_find(STUDY_ROOT_FIND, query, IMPLICIT, EVERYTHING, relational=False)
    assert isinstance(plan, FindPlan)

    echo = answer(InstitutionName="Mine", StudyInstanceUID="1.2.3")

    assert FindFilter(plan, IMPLICIT).study_of(echo) == (None, "1.2.3")


def test_words_that_no_policy_reads_are_no_reason_to_look_up() -> None:
    of = filtering(needed=frozenset({"labels"}), QueryRetrieveLevel="STUDY", InstitutionName="Mine")

    assert of.study_of(answer(InstitutionName="Mine", StudyInstanceUID="1.2.3"))[0] is not None


def test_keys_that_every_archive_must_match_are_believed() -> None:
    of = filtering(QueryRetrieveLevel="STUDY", PatientID="P1", StudyDate="20200101", AccessionNumber="A")
    match = answer(StudyDate="20200101", AccessionNumber="A", PatientID="P1", StudyInstanceUID="1.2.3")

    assert of.study_of(match)[0] is not None


# ---- what is taken out of an answer


def test_statistics_of_the_patient_come_back_empty_whatever_the_archive_says() -> None:
    keywords: Keys = {"QueryRetrieveLevel": "STUDY", "NumberOfPatientRelatedStudies": "", "PatientID": ""}
    of = filtering(**keywords, NumberOfStudyRelatedInstances="", NumberOfPatientRelatedInstances="5")
    told = answer(
        PatientID="P1",
        StudyInstanceUID="1.2",
        NumberOfPatientRelatedStudies="7",
        NumberOfPatientRelatedSeries="8",
        NumberOfPatientRelatedInstances="9",
        NumberOfStudyRelatedInstances="10",
    )
    silent = answer(PatientID="P1", StudyInstanceUID="1.2", NumberOfStudyRelatedInstances="10")

    expected = {
        "PatientID": "P1",
        "NumberOfPatientRelatedStudies": "",
        "NumberOfPatientRelatedInstances": "",
        "NumberOfStudyRelatedInstances": "10",
    }
    assert shown(of, told) == expected
    assert shown(of, silent) == expected


@every_syntax
def test_what_nobody_asked_for_is_taken_out(syntax: Syntax) -> None:
    of = filtering(syntax, QueryRetrieveLevel="STUDY", PatientID="", StudyDescription="")
    match = made(PatientID="P1", PatientName="Doe^Jane", StudyDescription="x", StudyInstanceUID="1.2")
    match.ReferencedStudySequence = [made(ReferencedSOPInstanceUID="1.2.99")]
    match.add(DataElement(0x0099_0010, "LO", "SOMEBODY"))

    assert shown(of, encoded(match, syntax), syntax) == {"StudyDescription": "x", "PatientID": "P1"}


@every_syntax
@pytest.mark.parametrize("undefined", [False, True], ids=["length", "delimiter"])
def test_a_key_that_comes_back_as_a_sequence_is_taken_out(syntax: Syntax, undefined: bool) -> None:
    query = made(QueryRetrieveLevel="STUDY", PatientID="")
    query.add(DataElement(0x0099_0010, "LO", "SOMEBODY"))
    query.add(DataElement(0x0099_1001, "UN", b""))
    plan = plan_find(STUDY_ROOT_FIND, encoded(query, syntax), syntax, EVERYTHING, relational=False)
    assert isinstance(plan, FindPlan)
    match = made(PatientID="P1")
    match.add(DataElement(0x0099_0010, "LO", "SOMEBODY"))
    match.add(DataElement(0x0099_1001, "SQ", [made(StudyInstanceUID="1.2.99")]))
    match[0x0099_1001].is_undefined_length = undefined

    seen = FindFilter(plan, syntax).visible(encoded(match, syntax))

    assert seen is not None
    assert words(decoded(seen, syntax)) == {"PatientID": "P1", "(0099,0010)": "SOMEBODY"}


def test_an_answer_without_anything_added_is_passed_on_byte_by_byte() -> None:
    of = filtering(needed=frozenset(), QueryRetrieveLevel="STUDY", PatientID="", StudyInstanceUID="")
    match = answer(QueryRetrieveLevel="STUDY", PatientID="P1 ", StudyInstanceUID="1.2.3")

    assert of.visible(match) == match


def test_the_clients_own_form_of_the_level_does_not_matter_to_the_answer() -> None:
    of = filtering(QueryRetrieveLevel="STUDY")

    assert shown(of, answer(QueryRetrieveLevel="IMAGE")) == {"QueryRetrieveLevel": "STUDY"}


# ---- folding


def test_each_patient_is_answered_once() -> None:
    of = filtering(model=PATIENT_ROOT_FIND, QueryRetrieveLevel="PATIENT", PatientName="")
    first, again, other = (
        answer(QueryRetrieveLevel="STUDY", PatientName=name, PatientID=patient, StudyInstanceUID=study)
        for name, patient, study in (("Doe", "P1", "1.2.1"), ("Doe", "P1 ", "1.2.2"), ("Roe", "P2", "1.2.3"))
    )

    assert [of.study_of(match)[1] for match in (first, again, other)] == ["1.2.1", "1.2.2", "1.2.3"]
    assert [shown(of, match) for match in (first, again, other)] == [
        {"QueryRetrieveLevel": "PATIENT", "PatientName": "Doe"},
        None,
        {"QueryRetrieveLevel": "PATIENT", "PatientName": "Roe"},
    ]


def test_a_hidden_study_does_not_use_up_its_patient() -> None:
    of = filtering(model=PATIENT_ROOT_FIND, QueryRetrieveLevel="PATIENT", PatientID="")
    hidden = answer(PatientID="P1", StudyInstanceUID="1.2.1")
    seen = answer(PatientID="P1", StudyInstanceUID="1.2.2")

    of.study_of(hidden)  # and denied: visible is not asked

    assert of.study_of(seen)[1] == "1.2.2"
    assert shown(of, seen) == {"PatientID": "P1"}


def test_patients_of_two_issuers_are_two_if_the_client_asks_for_the_issuer() -> None:
    keys: Keys = {"QueryRetrieveLevel": "PATIENT", "PatientID": "", "IssuerOfPatientID": ""}
    of = filtering(model=PATIENT_ROOT_FIND, **keys)
    matches = [
        answer(PatientID="1", IssuerOfPatientID=issuer, StudyInstanceUID="1.2") for issuer in ("N", "S", "N")
    ]

    assert [shown(of, match) is not None for match in matches] == [True, True, False]


def test_studies_without_a_patient_id_are_not_one_patient() -> None:
    of = filtering(model=PATIENT_ROOT_FIND, QueryRetrieveLevel="PATIENT", PatientName="")
    matches = [answer(PatientName=name, PatientID="", StudyInstanceUID="1.2") for name in ("Doe", "Roe")]

    assert [shown(of, match) for match in matches] == [{"PatientName": "Doe"}, {"PatientName": "Roe"}]


def test_a_patients_statistics_hide_what_is_hidden() -> None:
    keys: Keys = {"QueryRetrieveLevel": "PATIENT", "PatientID": "", "NumberOfPatientRelatedStudies": ""}
    of = filtering(model=PATIENT_ROOT_FIND, **keys)

    assert shown(of, answer(PatientID="P", StudyInstanceUID="1.2", NumberOfPatientRelatedStudies="9")) == {
        "PatientID": "P",
        "NumberOfPatientRelatedStudies": "",
    }


def test_what_a_folded_query_remembers_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(find, "MOST_PATIENTS", 3)
    of = filtering(model=PATIENT_ROOT_FIND, QueryRetrieveLevel="PATIENT", PatientID="")
    matches = [answer(PatientID=f"P{number}", StudyInstanceUID="1.2") for number in (1, 2, 3, 3)]

    assert [of.visible(match) is not None for match in matches] == [True, True, True, False]
    assert not of.full

    assert of.visible(answer(PatientID="P4", StudyInstanceUID="1.2")) is None
    assert of.full


# ---- hostile answers


@pytest.mark.parametrize(
    "match", [b"\0", b"\xff" * 40, b"\x10\0\x20\0\xff\0\0\0P", answer(StudyInstanceUID="1.2")[:-1]]
)
def test_what_is_no_data_set_is_an_error_of_the_peer(match: bytes) -> None:
    of = filtering(QueryRetrieveLevel="STUDY", PatientID="")
    for ask in (of.study_of, of.visible):
        with pytest.raises(RemoteProtocolError):
            ask(match)


def test_after_a_broken_match_the_one_before_is_not_taken_for_it() -> None:
    of = filtering(QueryRetrieveLevel="STUDY", PatientID="")
    of.study_of(answer(PatientID="P1", StudyInstanceUID="1.2"))
    broken = b"\xff" * 40
    for _ in range(2):
        with pytest.raises(RemoteProtocolError):
            of.visible(broken)


@pytest.mark.parametrize(
    ("tag", "raw"),
    [
        (0x0008_0080, b"Two\\Institutions"),
        (0x0008_0080, b"Line\nbreak"),
        (0x0008_0080, b"\xe9 but ASCII was declared"),
        (0x0008_0020, b"2020.01.01"),
        (0x0008_0020, b"20200101\\20200102"),
        (0x0008_0061, b"\xff\xff"),
        (0x0008_0090, b"^^^^"),
        (0x0008_0090, b"=Ideographic^Only"),
        (0x0008_0090, b"A^B\\C^D"),
        (0x0008_1050, b"^\\="),
        (0x0010_0020, b"\x1b[2J"),
        (0x0012_0062, b"yes"),
        (0x0012_0062, b"YES\\NO"),
        (0x0012_0062, b"NO"),
        (0x0012_0020, b"A\\B"),
    ],
)
def test_what_is_ambiguous_or_unreadable_is_not_known(tag: int, raw: bytes) -> None:
    of = filtering(QueryRetrieveLevel="STUDY")
    elements = {tag: raw, 0x0020_000D: b"1.2.3"}
    match = b"".join(
        encode_element(t, "UI" if t == 0x0020_000D else "LO", v, IMPLICIT) for t, v in elements.items()
    )

    assert of.study_of(match) == (Study("1.2.3"), "1.2.3")


def test_in_explicit_vr_an_attribute_is_read_whatever_its_vr() -> None:
    of = filtering(EXPLICIT, QueryRetrieveLevel="STUDY")
    match = encode_element(0x0008_0080, "UN", b"Mine", EXPLICIT) + encode_element(
        0x0020_000D, "UI", b"1.2", EXPLICIT
    )

    assert of.study_of(match)[0] == Study("1.2", institution="Mine")
