"""Matches: the study they tell of, and what of them is shown."""

from __future__ import annotations

from typing import Any

import pytest

from leadglass.guard.dicomweb.matches import cleaned, readable, study_of, study_uid
from leadglass.guard.dicomweb.paths import Level, Place
from leadglass.model.access import Study

PUBLIC = "https://guard.example/dicom-web"
NONE: frozenset[str] = frozenset()
FIELDS = frozenset(
    {"patient_id", "accession_number", "study_date", "modalities", "institution"}
    | {"referring_physician", "performing_physicians", "labels"}
)
ALL = readable(FIELDS, NONE)


def ui(*values: Any) -> dict[str, Any]:
    return {"vr": "UI", "Value": list(values)}


MATCH = {
    "0020000D": ui("1.2.3"),
    "00100020": {"vr": "LO", "Value": ["P1"]},
    "00080050": {"vr": "SH", "Value": ["A1"]},
    "00080020": {"vr": "DA", "Value": ["20260101"]},
    "00080061": {"vr": "CS", "Value": ["CT", "MR"]},
    "00080080": {"vr": "LO", "Value": ["Müller Clinic"]},
    "00080090": {"vr": "PN", "Value": [{"Alphabetic": "Doe^Jane"}]},
    "00081050": {"vr": "PN", "Value": [{"Alphabetic": "Roe^Rick"}, {"Alphabetic": "Poe^Pia"}]},
    "00120062": {"vr": "CS", "Value": ["YES"]},
    "00120020": {"vr": "LO", "Value": ["T7"]},
}


def test_a_match_tells_of_a_study_in_the_form_that_policies_compare() -> None:
    assert study_of(MATCH, ALL) == Study(
        "1.2.3",
        patient_id="P1",
        accession_number="A1",
        study_date="20260101",
        modalities=frozenset({"CT", "MR"}),
        institution="Müller Clinic",
        referring_physician="doe^jane",
        performing_physicians=frozenset({"roe^rick", "poe^pia"}),
        labels=frozenset({"de-identified", "trial:T7"}),
    )


def test_only_what_is_needed_is_read() -> None:
    assert study_of(MATCH, readable(frozenset({"institution"}), NONE)) == Study(
        "1.2.3", institution="Müller Clinic"
    )


def test_a_doubtful_value_is_not_believed() -> None:
    found = study_of(MATCH, readable(FIELDS, frozenset({"00080090", "00120062"})))

    assert found is not None
    assert (found.referring_physician, found.labels) == (None, frozenset({"trial:T7"}))
    assert found.institution == "Müller Clinic"


@pytest.mark.parametrize(
    "value",
    [
        None,
        "1.2.3",
        {},
        ui(),
        ui("1.2.3", "1.2.4"),
        ui("1.2.*"),
        ui(""),
        ui(None),
        ui(123),
        ui(["1.2.3"]),
        ui("1.2.3\\1.2.4"),
        {"vr": "UI", "Value": "1.2.3"},
        {"Value": {"0": "1.2.3"}},
    ],
)
def test_a_match_without_one_study_uid_is_of_no_study(value: Any) -> None:
    assert study_uid({"0020000D": value}) is None
    assert study_of({"0020000D": value}, ALL) is None


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {"Value": None},
        {"Value": ["South", "North"]},
        {"Value": ["South\\North"]},
        {"Value": [{"Alphabetic": ["North"]}]},
        {"Value": [["North"]]},
        {"Value": ["No\u0000rth"]},
        {"Value": ["\ud800"]},
        {"Value": [7]},
    ],
)
def test_a_value_that_is_not_one_text_labels_nothing(value: Any) -> None:
    found = study_of({"0020000D": ui("1.2.3"), "00080080": value}, ALL)

    assert found is not None
    assert found.institution is None


def test_counts_of_hidden_studies_are_blank() -> None:
    found = cleaned(
        {"00201200": {"vr": "IS", "Value": [9]}, "00201202": {"vr": "IS", "Value": [9]}, "00201206": ui()},
        NONE,
        Place(),
        Level.STUDY,
        PUBLIC,
    )

    assert found == {"00201200": {"vr": "IS"}, "00201202": {"vr": "IS"}, "00201206": ui()}


def test_private_attributes_hidden_ones_and_what_is_no_tag_are_not_shown() -> None:
    tags = ["00080020", "00080080", "00090010", "77771010", "0020000d", "PatientID", "00080020 ", "0008002"]
    match = {tag: {"vr": "LO"} for tag in [*tags, "0008\u066020"]}

    assert cleaned(match, frozenset({"00080080"}), Place(), Level.STUDY, PUBLIC).keys() == {"00080020"}


@pytest.mark.parametrize(
    ("level", "at", "url"),
    [
        (Level.STUDY, Place(), f"{PUBLIC}/studies/1.2.3"),
        (Level.SERIES, Place(), f"{PUBLIC}/studies/1.2.3/series/1.2.4"),
        (Level.INSTANCE, Place("1.2.9"), f"{PUBLIC}/studies/1.2.9/series/1.2.4/instances/1.2.5"),
    ],
)
def test_the_archives_address_becomes_ours(level: Level, at: Place, url: str) -> None:
    match = {
        "00081190": {"vr": "UR", "Value": ["http://10.0.0.1:8042/dicom-web/studies/1.2.3"]},
        "0020000D": ui("1.2.3"),
        "0020000E": ui("1.2.4"),
        "00080018": ui("1.2.5"),
    }

    assert cleaned(match, NONE, at, level, PUBLIC)["00081190"] == {"vr": "UR", "Value": [url]}


def test_an_address_that_cannot_be_made_ours_is_left_out() -> None:
    match = {"00081190": {"vr": "UR", "Value": ["http://10.0.0.1/x"]}, "0020000D": ui("../..")}

    assert cleaned(match, NONE, Place(), Level.STUDY, PUBLIC)["00081190"] == {"vr": "UR"}
