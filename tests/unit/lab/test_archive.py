from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.lab.memory import Dice

from leadglass.lab.archive import LEVEL, Archive, _like
from leadglass.lab.dataset import Tag
from leadglass.lab.fiction import Cast, Stems, cast
from leadglass.wire.uids import (
    MODALITY_WORKLIST_FIND,
    PATIENT_ROOT_FIND,
    PATIENT_STUDY_ONLY_FIND,
    STUDY_ROOT_FIND,
)

NAME: Tag = (0x0010, 0x0010)
PATIENT: Tag = (0x0010, 0x0020)
BORN: Tag = (0x0010, 0x0030)
STUDY: Tag = (0x0020, 0x000D)
SERIES: Tag = (0x0020, 0x000E)
IMAGE: Tag = (0x0008, 0x0018)
MODALITY: Tag = (0x0008, 0x0060)
DATE: Tag = (0x0008, 0x0020)
STEP: Tag = (0x0040, 0x0100)

STEMS = Stems("bcdfghjklm", "123456789012345678")
ARCHIVE = Archive(cast(Cast.PEOPLE, STEMS, 1, 5, Dice()))


def found(model: str, keys: Mapping[Tag, str]) -> list[Mapping[Tag, object]]:
    answers: Iterator[Mapping[Tag, object]] | None = ARCHIVE.find(model, keys, "LAB")
    assert answers is not None
    return list(answers)


@pytest.mark.parametrize(
    ("model", "level", "number"),
    [
        (PATIENT_ROOT_FIND, "PATIENT", 5),
        (PATIENT_ROOT_FIND, "STUDY", 5),
        (STUDY_ROOT_FIND, "STUDY", 5),
        (STUDY_ROOT_FIND, "SERIES", 5),
        (STUDY_ROOT_FIND, "IMAGE", 10),
        (PATIENT_STUDY_ONLY_FIND, "STUDY", 5),
    ],
)
def test_each_level_has_its_own_entities(model: str, level: str, number: int) -> None:
    assert len(found(model, {LEVEL: level})) == number


@pytest.mark.parametrize(
    ("model", "level"),
    [
        (STUDY_ROOT_FIND, "PATIENT"),
        (STUDY_ROOT_FIND, ""),
        (STUDY_ROOT_FIND, "BOGUS"),
        (PATIENT_STUDY_ONLY_FIND, "IMAGE"),
        (MODALITY_WORKLIST_FIND, "STUDY"),
    ],
)
def test_a_level_that_the_model_lacks_is_no_query(model: str, level: str) -> None:
    assert ARCHIVE.find(model, {LEVEL: level}, "LAB") is None


@pytest.mark.parametrize(
    ("tag", "wanted", "number"),
    [
        (STUDY, "2.25.12345678901234567800100", 1),
        (STUDY, "2.25.12345678901234567800100\\2.25.12345678901234567800101\\2.25.9", 2),
        (STUDY, "2.25.9", 0),
        (PATIENT, "FICTION-BCDFGHJKLM-100", 1),
        (PATIENT, "fiction-bcdfghjklm-100", 0),
        (PATIENT, "FICTION-*-10?", 5),
        (NAME, "fictitious*", 5),
        (NAME, "*[x]*", 0),
        (DATE, "18990101-18991231", 5),
        (DATE, "-18981231", 0),
        (DATE, "18990101-", 5),
        (DATE, "19*", 0),
        (BORN, "18000101-18991231", 5),
    ],
)
def test_keys_match_as_the_standard_says(tag: Tag, wanted: str, number: int) -> None:
    assert len(found(STUDY_ROOT_FIND, {LEVEL: "STUDY", tag: wanted})) == number


def test_an_answer_holds_what_was_asked_for_and_no_more() -> None:
    (answer,) = found(STUDY_ROOT_FIND, {LEVEL: "STUDY", STUDY: "2.25.12345678901234567800100", NAME: ""})

    assert answer == {
        LEVEL: "STUDY",
        (0x0008, 0x0054): "LAB",
        STUDY: "2.25.12345678901234567800100",
        NAME: "FICTITIOUS BCDFGHJKLM^NOBODY 100",
    }


def test_keys_of_a_lower_level_neither_match_nor_are_answered() -> None:
    answers = found(STUDY_ROOT_FIND, {LEVEL: "STUDY", MODALITY: "MR", IMAGE: "2.25.9"})

    assert [(a[MODALITY], a[IMAGE]) for a in answers] == [("", "")] * 5


def test_an_empty_archive_answers_with_nothing() -> None:
    answers = Archive().find(STUDY_ROOT_FIND, {LEVEL: "STUDY"}, "LAB")

    assert answers is not None
    assert list(answers) == []


def test_the_worklist_has_a_step_for_each_patient() -> None:
    answers = list(ARCHIVE.worklist({NAME: "", STEP: ""}, "RIS"))

    assert len(answers) == 5
    for answer in answers:
        steps = answer[STEP]
        assert isinstance(steps, tuple)
        (step,) = steps
        assert step[0x0040, 0x0001] == "RIS"


@given(
    pattern=st.text("ab*?", max_size=8),
    value=st.text("ab", max_size=8),
)
def test_wildcards_match_like_a_naive_matcher(pattern: str, value: str) -> None:
    assert _like(pattern, value) is naive(pattern, value)


def naive(pattern: str, value: str) -> bool:
    if not pattern:
        return not value
    if pattern[0] == "*":
        return any(naive(pattern[1:], value[i:]) for i in range(len(value) + 1))
    return bool(value) and pattern[0] in ("?", value[0]) and naive(pattern[1:], value[1:])


def test_many_wildcards_take_no_time() -> None:
    assert not _like("*a" * 20_000 + "b", "a" * 64)
