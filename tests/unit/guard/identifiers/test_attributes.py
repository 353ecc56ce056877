"""A study from what is told about it, and what its series add."""

from __future__ import annotations

import pytest

from leadglass.guard.identifiers.attributes import day_of, lacking, study_from_values, with_series
from leadglass.model.access import Study

UID = 0x0020_000D
CHARSET = 0x0008_0005
INSTITUTION = 0x0008_0080
REFERRING = 0x0008_0090
LONG = 5000


def one(modality: str, **more: object) -> Study:
    return Study("1.2", modalities=frozenset({modality}), **more)  # type: ignore[arg-type]


def test_names_that_are_written_differently_are_the_same_physician() -> None:
    written = (b"WHO^DOCTOR^^DR ", b"Who ^ Doctor^^dr^", b"who^doctor^^Dr.=\xff"[:-2])

    told = {study_from_values({UID: b"1.2", REFERRING: raw}) for raw in written[:2]}

    assert len(told) == 1


def test_the_same_bytes_under_another_character_set_are_another_institution() -> None:
    told = [
        study_from_values({UID: b"1.2", CHARSET: charset, INSTITUTION: b"\xe9"})
        for charset in (b"ISO_IR 100", b"ISO_IR 144", b"ISO_IR 192")
    ]

    assert [study and study.institution for study in told] == ["\u00e9", "\u0449", None]


def test_long_values_are_read_like_short_ones() -> None:
    long = b"A" * LONG

    study = study_from_values({UID: b"1.2", INSTITUTION: long, REFERRING: long + b"^B"})

    assert study == Study("1.2", institution="A" * LONG, referring_physician="a" * LONG + "^b")


def test_what_a_study_lacks_is_told_by_name() -> None:
    study = Study("1.2", institution="Mine", labels=frozenset({"x"}))

    assert lacking(study, {"institution", "modalities", "referring_physician", "labels"}) == {
        "modalities",
        "referring_physician",
    }


@pytest.mark.parametrize("raw", [None, b"", b"2020", b"20200101-", b"2020010\xb2", b"20200101\\20200102"])
def test_a_day_is_eight_digits(raw: bytes | None) -> None:
    assert day_of(raw) is None
    assert day_of(b"20200101 ") == "20200101"


def test_series_fill_in_what_their_study_does_not_tell() -> None:
    series = [
        one("CT", institution="Mine", referring_physician="a^b", performing_physicians=frozenset({"x"})),
        one("SR", institution="Mine", referring_physician="a^b", performing_physicians=frozenset({"y"})),
    ]

    assert with_series(Study("1.2", patient_id="P", study_date="20200101"), series) == Study(
        "1.2",
        patient_id="P",
        study_date="20200101",
        modalities=frozenset({"CT", "SR"}),
        institution="Mine",
        referring_physician="a^b",
        performing_physicians=frozenset({"x", "y"}),
    )


def test_what_series_disagree_about_or_some_do_not_tell_stays_unknown() -> None:
    labels = frozenset({"de-identified", "trial:T"})
    told = [
        one("CT", institution="Mine", labels=labels),
        one("CT", institution="Theirs", labels=frozenset({"trial:T"})),
    ]
    partly = [one("CT", institution="Mine", labels=labels), one("CT")]

    assert with_series(Study("1.2"), told) == one("CT", labels=frozenset({"trial:T"}))
    assert with_series(Study("1.2"), partly) == one("CT")


def test_what_a_study_tells_stands_before_what_its_series_tell() -> None:
    study = one("MR", institution="Mine", labels=frozenset({"x"}), performing_physicians=frozenset({"p"}))
    series = [one("CT", institution="Theirs", performing_physicians=frozenset({"q"}))]

    assert with_series(study, series) == study
    assert with_series(study, []) is study
