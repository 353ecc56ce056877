"""Letters by Typst: set in every language that has a font, refused where one is missing."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.notice.conftest import notice

from leadglass.errors import ConfigError
from leadglass.model.notice import Frame, Language
from leadglass.notice.message import compose
from leadglass.wiring.letters import letter


@pytest.mark.parametrize("language", [one for one in Language if one is not Language.JA])
def test_a_letter_is_a_pdf(language: Language) -> None:
    assert letter(compose(notice(language=language)), None).startswith(b"%PDF-")


def test_american_owners_get_letter_paper() -> None:
    assert b"612 792" in letter(compose(notice(frame=Frame.HIPAA)), None)
    assert b"595.27" in letter(compose(notice(frame=Frame.GDPR)), None)


def test_a_letter_with_empty_boxes_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no font has"):
        letter(compose(notice(language=Language.JA)), None)
    with pytest.raises(ConfigError, match="--fonts"):
        letter(compose(notice(owner="中文医院")), tmp_path)


def test_a_name_that_is_markup_is_only_a_name() -> None:
    hostile = '#panic("x") #eval("1") $a$ *b* _c_ <label> @ref \\ ` // /* #import "@preview/x:1.0.0"'

    assert letter(compose(notice(owner=hostile, recipient=hostile)), None).startswith(b"%PDF-")
