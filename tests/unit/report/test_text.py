from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.report.conftest import Render, render
from tests.unit.report.samples import archive, hostile, silent

from leadglass.report.safe import columns
from leadglass.report.writer import Format

STYLE = re.compile(r"\x1b\[[0-9;]*m")


@given(st.integers(64, 160))
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    too_wide = [line for line in render(Format.TEXT, width=width).splitlines() if columns(line) > width]

    # An address and a name that are longer than the terminal stand on a line of their own, uncut.
    assert [line for line in too_wide if not line.startswith("192.0.2.13 <script>")] == []


def test_a_terminal_too_narrow_for_a_table_gets_one_that_wraps(render: Render) -> None:
    assert render(Format.TEXT, width=20) == render(Format.TEXT, width=64)


def test_without_colour_there_is_no_escape(render: Render) -> None:
    assert "\x1b" not in render(Format.TEXT)


def test_colour_adds_nothing_but_colour(render: Render) -> None:
    assert STYLE.sub("", render(Format.TEXT, colour=True)) == render(Format.TEXT)


def test_every_style_is_switched_off_on_its_own_line(render: Render) -> None:
    for line in render(Format.TEXT, colour=True).splitlines():
        styles = STYLE.findall(line)
        assert styles[1::2] == ["\x1b[0m"] * (len(styles) // 2)


def test_no_line_ends_in_a_space(render: Render) -> None:
    assert [line for line in render(Format.TEXT).splitlines() if line.endswith(" ")] == []


def test_places_are_told_where_there_are_several(render: Render) -> None:
    (one, *_) = archive()
    elsewhere = one.model_copy(update={"vantage": one.vantage.model_copy(update={"name": "Köln"})})

    assert ", from Berlin:" not in render(Format.TEXT, [one])
    for place in ("Berlin", "Köln"):
        assert f", from {place}:" in " ".join(render(Format.TEXT, [one, elsewhere]).split())


def test_the_layout_itself_is_ascii(render: Render) -> None:
    assert render(Format.TEXT, archive()).replace("Müller", "").isascii()


def test_a_long_address_is_never_cut(render: Render) -> None:
    assert "2001:db8:85a3:8d3:1319:8a2e:370:7348 viewer.example.org\n" in render(Format.TEXT, width=64)


def test_many_silent_ports_take_one_line_and_few_are_listed(render: Render) -> None:
    assert "Not listed above: 5 filtered, 1 closed." in " ".join(render(Format.TEXT, silent()).split())
    assert render(Format.TEXT, silent()[:2]).count("\n192.0.2.13 ") == 1


def test_silent_ports_get_no_paragraph(render: Render) -> None:
    assert "stranger   The port is closed" not in render(Format.TEXT, silent()[:2])


def test_a_server_has_all_five_answers(render: Render) -> None:
    text = render(Format.TEXT, archive()[:1])

    for label in ("stranger", "because", "unknown", "behind it", "next"):
        assert re.search(rf"^  {label}  ", text, re.MULTILINE)


def test_a_forged_line_stays_inside_its_line(render: Render) -> None:
    assert not re.search(r"^\s*forged", render(Format.TEXT, [hostile()]), re.MULTILINE)


@pytest.mark.parametrize("finished", [True, False])
def test_an_interruption_is_said(finished: bool, render: Render) -> None:
    assert ("The scan was interrupted" in render(Format.TEXT, finished=finished)) is not finished


def test_what_was_left_out_is_said_with_its_reason(render: Render) -> None:
    text = render(Format.TEXT)

    assert "Not looked at: 2 endpoints, excluded by the scope (life support network)." in text
    assert "Not asked: 1 question, 192.0.2.11 may be asked no deeper than negotiate." in text
