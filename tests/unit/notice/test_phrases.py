"""The languages say the same: same keys, same lists, same fields."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from importlib import resources
from typing import Any

import pytest

from leadglass.model.notice import Frame, Language
from leadglass.model.rung import Rung
from leadglass.model.verdict import Access, Position
from leadglass.notice.exposures import is_exposed


def words_of(language: Language) -> dict[str, Any]:
    """The whole file."""
    folder = resources.files("leadglass.notice").joinpath("languages")
    return tomllib.loads(folder.joinpath(f"{language}.toml").read_text(encoding="utf-8"))


def leaves(table: dict[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """Every phrase with its place."""
    for key, value in table.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{path}{key}.")
        elif isinstance(value, list):
            yield from ((f"{path}{key}.{number}", item) for number, item in enumerate(value))
        else:
            yield f"{path}{key}", value


def fields(text: str) -> list[str]:
    """The names in braces, sorted."""
    return sorted(re.findall(r"{(.*?)}", text))


ENGLISH = dict(leaves(words_of(Language.EN)))


def test_there_is_a_file_for_each_language_and_no_other() -> None:
    folder = resources.files("leadglass.notice").joinpath("languages")
    there = {file.name for file in folder.iterdir() if file.name.endswith(".toml")}

    assert there == {f"{language}.toml" for language in Language}


@pytest.mark.parametrize("language", list(Language))
def test_every_language_has_the_same_phrases_with_the_same_fields(language: Language) -> None:
    phrases = dict(leaves(words_of(language)))

    assert list(phrases) == list(ENGLISH)
    assert {key: fields(text) for key, text in phrases.items()} == {
        key: fields(text) for key, text in ENGLISH.items()
    }


@pytest.mark.parametrize("language", [one for one in Language if one is not Language.EN])
def test_no_sentence_was_left_in_english(language: Language) -> None:
    phrases = dict(leaves(words_of(language)))
    same = [key for key, text in phrases.items() if text == ENGLISH[key] and len(text.split()) > 2]

    assert same == []


@pytest.mark.parametrize("language", list(Language))
def test_the_periods_of_the_law_are_the_same_in_every_language(language: Language) -> None:
    tell = words_of(language)["tell"]

    assert [re.findall(r"72", line) for line in tell["gdpr"]] == [["72"], [], []]
    assert "60" in tell["hipaa"][1]
    assert "500" in tell["hipaa"][2]
    assert "60" in tell["hipaa"][2]


@pytest.mark.parametrize("language", list(Language))
def test_every_word_of_a_record_has_a_phrase(language: Language) -> None:
    words = words_of(language)

    assert set(words["access"]) == {access.value for access in Access if is_exposed(access)}
    assert set(words["position"]) == {position.value for position in Position}
    assert set(words["rung"]) == {rung.word for rung in Rung} | {"returned", "web"}
    for table in ("duty", "tell", "vendor"):
        assert {frame.value for frame in Frame} <= set(words[table])
