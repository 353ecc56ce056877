"""What is to be retrieved, and the identifier that retrieves only what is permitted."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.guard.identifiers.datasets import EXPLICIT, IMPLICIT, SYNTAXES, Keys, asked, decoded, words

from leadglass.errors import LocalProtocolError, RemoteProtocolError
from leadglass.guard.identifiers.refusal import Refused
from leadglass.guard.identifiers.retrieve import (
    RetrievePlan,
    as_studies,
    nobody,
    permitted,
    plan_retrieve,
)
from leadglass.wire.elements import Syntax, encode_element
from leadglass.wire.uids import (
    PATIENT_ROOT_GET,
    PATIENT_ROOT_MOVE,
    PATIENT_STUDY_ONLY_MOVE,
    STUDY_ROOT_GET,
    STUDY_ROOT_MOVE,
    VERIFICATION,
)

every_syntax = pytest.mark.parametrize("syntax", SYNTAXES, ids=["implicit", "explicit", "big-endian"])
IMAGE: Keys = {
    "QueryRetrieveLevel": "IMAGE",
    "StudyInstanceUID": "1.2",
    "SeriesInstanceUID": "1.3",
    "SOPInstanceUID": ["1.4", "1.5", "1.4"],
}
MINTED = "2.25.123456789012345678901234567890123456789"


def plan(model: str = STUDY_ROOT_MOVE, syntax: Syntax = IMPLICIT, **keywords: Any) -> RetrievePlan:
    made_plan = plan_retrieve(model, asked(syntax, **keywords), syntax)
    assert isinstance(made_plan, RetrievePlan), made_plan
    return made_plan


def status(model: str = STUDY_ROOT_MOVE, **keywords: object) -> int:
    refused = plan_retrieve(model, asked(IMPLICIT, **keywords), IMPLICIT)
    assert isinstance(refused, Refused), refused
    return refused.status


def told(data: bytes | Refused, syntax: Syntax = IMPLICIT) -> dict[str, object]:
    assert isinstance(data, bytes)
    return words(decoded(data, syntax))


# ---- reading


@every_syntax
@pytest.mark.parametrize("model", [PATIENT_ROOT_MOVE, PATIENT_ROOT_GET])
def test_patient_root_names_the_patient_and_all_below(model: str, syntax: Syntax) -> None:
    assert plan(model, syntax, **IMAGE, PatientID="P 1") == RetrievePlan(
        "IMAGE", ("P 1",), ("1.2",), ("1.3",), ("1.4", "1.5", "1.4")
    )


@pytest.mark.parametrize("model", [STUDY_ROOT_MOVE, STUDY_ROOT_GET])
def test_study_root_knows_no_patient(model: str) -> None:
    keys: Keys = {"QueryRetrieveLevel": "STUDY", "StudyInstanceUID": ["1.2", "1.3"], "PatientID": "P1"}

    assert plan(model, **keys) == RetrievePlan("STUDY", (), ("1.2", "1.3"), (), ())


def test_keys_below_the_level_are_not_read() -> None:
    keys: Keys = {"QueryRetrieveLevel": "STUDY", "StudyInstanceUID": "1.2", "SOPInstanceUID": "1.9"}

    assert plan(**keys) == RetrievePlan("STUDY", (), ("1.2",), (), ())


def test_below_patient_level_the_patient_may_be_left_out() -> None:
    assert plan(PATIENT_ROOT_MOVE, **IMAGE).patients == ()


def test_a_patient_id_that_is_not_ascii_keeps_its_bytes_and_its_character_set() -> None:
    found = plan(
        PATIENT_ROOT_MOVE,
        QueryRetrieveLevel="PATIENT",
        SpecificCharacterSet="ISO_IR 192",
        PatientID="P\u00fc",
    )

    assert (found.patients[0].encode("latin-1").decode(), found.charset) == ("P\u00fc", b"ISO_IR 192")
    assert told(as_studies(found, ["1.2"], IMPLICIT))["PatientID"] == "P\u00fc"


@pytest.mark.parametrize("patient", ["", "*", "P?", "P*", "A\\B", "A\tB", "x" * 65])
@pytest.mark.parametrize("level", ["PATIENT", "STUDY"])
def test_a_patient_is_one_and_no_pattern(patient: str, level: str) -> None:
    tag = encode_element(0x0010_0020, "LO", patient.encode(), IMPLICIT)
    study = encode_element(0x0020_000D, "UI", b"1.2", IMPLICIT) if level == "STUDY" else b""
    identifier = asked(QueryRetrieveLevel=level) + tag + study

    refused = plan_retrieve(PATIENT_ROOT_MOVE, identifier, IMPLICIT)

    if patient or level == "PATIENT":
        assert isinstance(refused, Refused)
        assert refused.status == 0xA900
    else:
        assert isinstance(refused, RetrievePlan)


@pytest.mark.parametrize(
    "missing", ["QueryRetrieveLevel", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"]
)
def test_a_unique_key_that_is_missing_or_empty_is_refused(missing: str) -> None:
    assert status(**{key: value for key, value in IMAGE.items() if key != missing}) == 0xA900
    assert status(**(IMAGE | {missing: ""})) == 0xA900


@pytest.mark.parametrize("above", ["StudyInstanceUID", "SeriesInstanceUID"])
def test_several_values_above_the_level_are_refused(above: str) -> None:
    assert status(**(IMAGE | {above: ["1.2", "1.9"]})) == 0xA900


@pytest.mark.parametrize("uid", ["*", "1.2.*", "1.2?", "1.2-1.9", "x", "1.2\\*"])
def test_what_is_no_uid_is_refused(uid: str) -> None:
    assert status(QueryRetrieveLevel="STUDY", StudyInstanceUID=uid) == 0xA900


@pytest.mark.parametrize("level", ["series", "Image", "PATIENT", "ALL", "STUDY\\IMAGE"])
def test_a_level_that_the_model_does_not_have_is_refused(level: str) -> None:
    assert status(**(IMAGE | {"QueryRetrieveLevel": level}), PatientID="P") == 0xA900


def test_patient_study_only_ends_at_studies() -> None:
    assert status(PATIENT_STUDY_ONLY_MOVE, **IMAGE, PatientID="P") == 0xA900
    keys: Keys = {"QueryRetrieveLevel": "STUDY", "PatientID": "P", "StudyInstanceUID": "1.2"}
    assert plan(PATIENT_STUDY_ONLY_MOVE, **keys).studies == ("1.2",)


def test_another_service_is_not_planned_here() -> None:
    assert status(VERIFICATION, **IMAGE) == 0x0122


def test_what_is_no_data_set_is_an_error_of_the_peer() -> None:
    with pytest.raises(RemoteProtocolError):
        plan_retrieve(STUDY_ROOT_MOVE, asked(EXPLICIT, **IMAGE), IMPLICIT)


def test_nothing_a_client_sent_is_in_what_is_printed_of_a_patient() -> None:
    assert "SECRET" not in repr(plan(PATIENT_ROOT_MOVE, QueryRetrieveLevel="PATIENT", PatientID="SECRET"))


# ---- writing


@every_syntax
def test_what_is_permitted_is_asked_for_as_it_came(syntax: Syntax) -> None:
    assert told(permitted(plan(syntax=syntax, **IMAGE), syntax, {}), syntax) == IMAGE


def test_keys_that_retrieve_by_something_else_are_dropped() -> None:
    more: Keys = {
        "PatientName": "*",
        "StudyDate": "20200101-",
        "Modality": "CT",
        "PatientID": "P",
        "IssuerOfPatientID": "X",
    }

    assert told(permitted(plan(**IMAGE, **more), IMPLICIT, {})) == IMAGE


@every_syntax
def test_of_a_mix_the_forbidden_become_names_of_nothing_in_their_places(syntax: Syntax) -> None:
    found = plan(syntax=syntax, **IMAGE)

    assert told(permitted(found, syntax, {"1.4": MINTED}), syntax) == IMAGE | {
        "SOPInstanceUID": [MINTED, "1.5", MINTED]
    }


def test_a_foreign_series_under_a_permitted_study_is_replaced_alone() -> None:
    found = plan(QueryRetrieveLevel="SERIES", StudyInstanceUID="1.2", SeriesInstanceUID=["1.3", "1.9"])

    assert told(permitted(found, IMPLICIT, {"1.9": MINTED})) == {
        "QueryRetrieveLevel": "SERIES",
        "StudyInstanceUID": "1.2",
        "SeriesInstanceUID": ["1.3", MINTED],
    }


@pytest.mark.parametrize("minted", [{"1.2": MINTED}, {"1.3": MINTED}, {"1.2": MINTED, "1.4": MINTED}])
def test_a_hidden_study_cannot_be_retrieved_by_its_instances(minted: dict[str, str]) -> None:
    with pytest.raises(LocalProtocolError):
        permitted(plan(**IMAGE), IMPLICIT, minted)


def test_a_hidden_study_goes_with_all_below_it() -> None:
    minted = {uid: f"{MINTED}{number}"[:64] for number, uid in enumerate(["1.2", "1.3", "1.4", "1.5"])}

    replaced = told(permitted(plan(**IMAGE), IMPLICIT, minted))

    assert replaced["SOPInstanceUID"] == [minted["1.4"], minted["1.5"], minted["1.4"]]
    assert (replaced["StudyInstanceUID"], replaced["SeriesInstanceUID"]) == (minted["1.2"], minted["1.3"])


def test_a_study_that_is_also_called_a_series_hides_nothing() -> None:
    found = plan(QueryRetrieveLevel="SERIES", StudyInstanceUID="1.2", SeriesInstanceUID="1.2")

    assert told(permitted(found, IMPLICIT, {"1.2": MINTED}))["SeriesInstanceUID"] == MINTED


@every_syntax
def test_a_patient_is_retrieved_as_the_studies_that_may_be_seen(syntax: Syntax) -> None:
    found = plan(PATIENT_ROOT_MOVE, syntax, QueryRetrieveLevel="PATIENT", PatientID="P1")

    assert told(as_studies(found, ["1.2", "1.3"], syntax), syntax) == {
        "QueryRetrieveLevel": "STUDY",
        "PatientID": "P1",
        "StudyInstanceUID": ["1.2", "1.3"],
    }
    with pytest.raises(LocalProtocolError):
        permitted(found, syntax, {})
    with pytest.raises(LocalProtocolError):
        as_studies(found, [], syntax)


def test_a_patient_with_more_studies_than_fit_is_refused() -> None:
    found = plan(PATIENT_ROOT_MOVE, EXPLICIT, QueryRetrieveLevel="PATIENT", PatientID="P1")
    longest = [f"1.{number}".ljust(64, "1") for number in range(1001)]

    refused = as_studies(found, longest, EXPLICIT)

    assert isinstance(as_studies(found, longest[:1000], EXPLICIT), bytes)
    assert isinstance(refused, Refused)
    assert refused.status == 0xA702


@every_syntax
def test_nobody_is_a_patient_that_does_not_exist(syntax: Syntax) -> None:
    assert told(nobody(syntax, "F00D"), syntax) == {"QueryRetrieveLevel": "PATIENT", "PatientID": "F00D"}
