"""What a study is reduced to: names of features, and never a value."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadglass.judge.features import features, keys, shown
from leadglass.judge.knowledge import table
from leadglass.judge.organisations import Organisation, organisations
from leadglass.model.verdict import Kind

TODAY = dt.date(2026, 11, 21)
EXAMPLES: list[tuple[str, dict[str, str]]] = [
    ("test-names", {"PatientName": "ZZZ TEST^NEW"}),
    ("teaching-names", {"PatientName": "BRAINIX"}),
    ("masked-names", {"PatientName": "XXXX^XX"}),
    ("masked-names", {"PatientName": "Anonymized12"}),
    ("masked-names", {"PatientName": "AAAAA^BBBBB"}),
    ("collection-names", {"PatientName": "LUNG-A1-0093", "PatientID": "LUNG-A1-0093"}),
    ("hash-names", {"PatientName": "2e2884fea560"}),
    ("ordinary-names", {"PatientName": "Invented^Ada"}),
    ("ordinary-names", {"PatientName": "Müller-Lüdenscheid^Jörg^^Dr."}),
    ("identity-removed", {"PatientIdentityRemoved": "YES "}),
    ("research-uids", {"StudyInstanceUID": "1.3.6.1.4.1.14519.5.2.1.7.1"}),
    ("toolkit-uids", {"StudyInstanceUID": "1.2.826.0.1.3680043.8.498.1"}),
    ("species", {"PatientSpeciesDescription": "Canis lupus familiaris"}),
    ("animal-words", {"StudyDescription": "Canine stifle"}),
    ("phantoms", {"StudyDescription": "Monthly QA"}),
    ("objects", {"PatientID": "cookie-47"}),
    ("recent", {"StudyDate": "20261101"}),
    ("sentinel-dates", {"StudyDate": "19000101"}),
    ("sentinel-dates", {"StudyDate": ""}),
]


@pytest.mark.parametrize(("feature", "values"), EXAMPLES)
def test_a_feature_is_seen(feature: str, values: dict[str, str]) -> None:
    assert feature in shown(values, TODAY)


def test_each_feature_has_its_test() -> None:
    assert {feature.id for feature in features()} == {feature for feature, _ in EXAMPLES}


@pytest.mark.parametrize(
    ("feature", "values"),
    [
        ("ordinary-names", {"PatientName": "TEST^ANNA"}),
        ("ordinary-names", {"PatientName": "XXXX^XX"}),
        ("ordinary-names", {"PatientName": "Phantom^Head"}),
        ("collection-names", {"PatientName": "LUNG-A1-0093", "PatientID": "4711"}),
        ("collection-names", {"PatientName": "LUNG-A1-0093"}),
        ("species", {"PatientSpeciesDescription": "Homo sapiens"}),
        ("species", {"PatientSpeciesDescription": ""}),
        ("recent", {"StudyDate": "20260101"}),
        ("recent", {"StudyDate": "20270101"}),
        ("recent", {"StudyDate": "yesterday"}),
        ("phantoms", {"StudyDescription": "GENESIS_SIGNA"}),
        ("sentinel-dates", {}),
        ("animal-words", {"StudyDescription": "Livette"}),
    ],
)
def test_a_feature_is_not_seen_where_it_is_not(feature: str, values: dict[str, str]) -> None:
    assert feature not in shown(values, TODAY)


@given(st.dictionaries(st.sampled_from(keys()), st.text(max_size=300)))
def test_whatever_a_match_holds_only_names_of_features_come_out(values: dict[str, str]) -> None:
    assert shown(values, TODAY) <= {feature.id for feature in features()}


def test_no_more_is_asked_for_than_the_features_need() -> None:
    assert set(keys()) == {key for row in table("features")["feature"] for key in row["keys"]}
    assert "PatientBirthDate" not in keys()


def test_every_feature_has_a_share_of_each_kind_and_a_source() -> None:
    for feature in features():
        assert set(feature.share) == set(Kind)
        assert all(0 < share < 1 for share in feature.share.values())
        assert feature.source


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("pacs.klinikum-nord.example", {Organisation.HOSPITAL}),
        ("Hôpital Saint-Louis", {Organisation.HOSPITAL}),
        ("CN=Tierklinik am See", {Organisation.VETERINARY}),
        ("radiology.stateu.edu", {Organisation.HOSPITAL, Organisation.UNIVERSITY}),
        ("ec2-192-0-2-1.compute.amazonaws.com", {Organisation.HOSTING}),
        ("adsl.provider.net", {Organisation.ACCESS}),
        ("research.test.net", {Organisation.UNIVERSITY, Organisation.TEST}),
        ("reserved.net", set()),
        ("192.0.2.1", set()),
        ("", set()),
    ],
)
def test_a_name_speaks_of_its_organisation_in_several_languages(name: str, kinds: set[Organisation]) -> None:
    assert organisations([name]) == kinds
