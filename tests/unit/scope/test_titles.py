"""What an AE title may look like (PS3.5 6.2)."""

from __future__ import annotations

import pytest

from leadglass.settings.titles import ae_title


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("A", "A"),
        ("ANY-SCP", "ANY-SCP"),
        ("  PAD ", "PAD"),
        ("IN NER", "IN NER"),
        ("X" * 16, "X" * 16),
        ("~!\"'", "~!\"'"),
    ],
)
def test_a_title_is_taken_without_its_padding(text: str, title: str) -> None:
    assert ae_title(text) == title


@pytest.mark.parametrize(
    "text", ["", " ", " " * 16, "X" * 17, "A\\B", "A\nB", "A\tB", "\x00", "ARCHÍV", "A\x7f", "\u3000"]
)
def test_a_title_that_may_not_be_sent_is_an_error(text: str) -> None:
    with pytest.raises(ValueError):
        ae_title(text)
