from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadglass.report.safe import columns, cut, padded, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ASCII ~!", "plain ASCII ~!"),
        ("Müller, Жук, 東京", "Müller, Жук, 東京"),
        ("\x1b[31m", "\\x1b[31m"),
        ("\x9b31m", "\\x9b31m"),
        ("a\r\nb\tc\x7f", "a\\x0d\\x0ab\\x09c\\x7f"),
        ("\u202eexe", "\\u202eexe"),
        ("\u2066\u200b\ufeff\u00ad", "\\u2066\\u200b\\ufeff\\xad"),
        ("\u2028\u2029", "\\u2028\\u2029"),
        ("\U000e0041", "\\U000e0041"),
        ("\ud800", "\\ud800"),
    ],
)
def test_what_cannot_be_seen_is_shown_as_an_escape(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(st.text(st.characters()))
def test_visible_text_holds_nothing_that_a_terminal_obeys(text: str) -> None:
    forbidden = {"Cc", "Cf", "Cs", "Zl", "Zp"}

    assert not {unicodedata.category(c) for c in visible(text)} & forbidden


@given(st.text())
def test_making_visible_twice_changes_nothing_more(text: str) -> None:
    assert visible(visible(text)) == visible(text)


@pytest.mark.parametrize(("text", "width"), [("abc", 3), ("é", 1), ("e\u0301", 1), ("東京", 4), ("", 0)])
def test_columns_counts_wide_and_combining_characters(text: str, width: int) -> None:
    assert columns(text) == width


@given(st.text().map(visible), st.integers(0, 30))
def test_cut_text_fits(text: str, width: int) -> None:
    assert columns(cut(text, width)) <= width


@given(st.text().map(visible), st.integers(8, 30))
def test_cut_and_padded_text_fills_its_column(text: str, width: int) -> None:
    assert columns(padded(cut(text, width), width)) == width


def test_short_text_is_not_cut() -> None:
    assert cut("abc", 3) == "abc"
    assert cut("abcd", 3) == "..."
