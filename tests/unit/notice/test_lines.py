"""Lines of a width, with spaces and without."""

from __future__ import annotations

from leadglass.notice.lines import columns, folded


def test_words_are_not_parted() -> None:
    assert list(folded("one two three four", 9, "- ", "  ")) == ["- one two", "  three", "  four"]


def test_wide_characters_count_twice_and_need_no_space() -> None:
    lines = list(folded("画像および患者情報は一切取得していません。", 20))

    assert len(lines) > 1
    assert "".join(lines) == "画像および患者情報は一切取得していません。"
    assert all(columns(line) <= 20 for line in lines)


def test_no_line_begins_with_what_ends_a_sentence() -> None:
    for width in range(6, 40):
        lines = list(folded("確認した。内容、方法。「応答」します。" * 3, width))
        assert not [line for line in lines if line[0] in "、。」"]


def test_a_word_that_is_too_long_is_left_whole() -> None:
    assert list(folded("a " + "x" * 50 + " b", 10)) == ["a", "x" * 50, "b"]
