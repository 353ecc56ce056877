"""The guard's own questions, and what their matches tell."""

from __future__ import annotations

import pytest
from tests.unit.guard.identifiers.datasets import (
    IMPLICIT,
    SYNTAXES,
    asked,
    decoded,
    encoded,
    made,
    words,
)

from leadglass.errors import LocalProtocolError, RemoteProtocolError
from leadglass.guard.identifiers.questions import (
    Membership,
    ask_all_series,
    ask_instance,
    ask_patient_studies,
    ask_series,
    ask_study,
    membership_from,
    study_from,
)
from leadglass.model.access import Study
from leadglass.wire.elements import Syntax, encode_element

NEEDED = frozenset({"modalities", "institution", "study_instance_uid", "station"})
every_syntax = pytest.mark.parametrize("syntax", SYNTAXES, ids=["implicit", "explicit", "big-endian"])


@every_syntax
def test_a_study_is_asked_for_what_policies_read(syntax: Syntax) -> None:
    assert words(decoded(ask_study("1.2\\1.3", NEEDED, syntax), syntax)) == {
        "QueryRetrieveLevel": "STUDY",
        "ModalitiesInStudy": "",
        "InstitutionName": "",
        "StudyInstanceUID": ["1.2", "1.3"],
    }


@every_syntax
def test_the_studies_of_a_patient_are_asked_for(syntax: Syntax) -> None:
    question = ask_patient_studies("P\u00fc".encode().decode("latin-1"), NEEDED, syntax, b"ISO_IR 192")

    assert words(decoded(question, syntax)) == {
        "SpecificCharacterSet": "ISO_IR 192",
        "QueryRetrieveLevel": "STUDY",
        "ModalitiesInStudy": "",
        "InstitutionName": "",
        "PatientID": "P\u00fc",
        "StudyInstanceUID": "",
    }


@every_syntax
def test_series_are_asked_what_their_study_does_not_tell(syntax: Syntax) -> None:
    assert words(decoded(ask_all_series("1.2", NEEDED, syntax), syntax)) == {
        "QueryRetrieveLevel": "SERIES",
        "Modality": "",
        "InstitutionName": "",
        "StudyInstanceUID": "1.2",
        "SeriesInstanceUID": "",
    }
    told = encoded(made(Modality="CT", StudyInstanceUID="1.2", SeriesInstanceUID="1.3"), syntax)
    assert study_from(told, syntax) == Study("1.2", modalities=frozenset({"CT"}))


def test_membership_is_asked_by_the_keys_alone() -> None:
    assert ask_series("1.3", "1.2", IMPLICIT) == asked(
        QueryRetrieveLevel="SERIES", StudyInstanceUID="1.2", SeriesInstanceUID="1.3"
    )
    assert ask_instance("1.4", "1.3", "", IMPLICIT) == asked(
        QueryRetrieveLevel="IMAGE", SOPInstanceUID="1.4", StudyInstanceUID="", SeriesInstanceUID="1.3"
    )


@every_syntax
def test_membership_is_what_the_archive_says(syntax: Syntax) -> None:
    image = made(SOPInstanceUID="1.4", StudyInstanceUID="1.2", SeriesInstanceUID="1.3", PatientID="P")

    assert membership_from(encoded(image, syntax), syntax) == Membership("1.2", "1.3", "1.4")
    assert membership_from(asked(syntax, StudyInstanceUID="1.2"), syntax) == Membership("1.2", None, None)


@pytest.mark.parametrize("raw", [b"", b"1.2\\1.3", b"*", b"x"])
def test_what_is_not_one_uid_is_no_membership(raw: bytes) -> None:
    match = encode_element(0x0020_000D, "UI", raw, IMPLICIT)

    assert membership_from(match, IMPLICIT) == Membership(None, None, None)
    assert study_from(match, IMPLICIT) is None


@pytest.mark.parametrize("uid", ["*", "1.2.*", "1.2\\", "\u0661.2"])
def test_nothing_but_uids_is_asked_for(uid: str) -> None:
    with pytest.raises(LocalProtocolError):
        ask_study(uid, NEEDED, IMPLICIT)


def test_an_answer_that_is_no_data_set_is_an_error_of_the_peer() -> None:
    for read in (study_from, membership_from):
        with pytest.raises(RemoteProtocolError):
            read(b"\xff" * 20, IMPLICIT)
