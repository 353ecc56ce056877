"""The reports of the made-up scan, letter by letter.

``LEADGLASS_GOLDEN=accept`` (``make golden-accept``) writes what is said now as what is expected;
then read the difference before you commit it.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.unit.report.conftest import Render

from leadglass.report.writer import Format

GOLDEN = Path(__file__).parent / "golden"
ACCEPT = os.environ.get("LEADGLASS_GOLDEN") == "accept"


def compare(name: str, text: str) -> None:
    path = GOLDEN / name
    if ACCEPT:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")

    with path.open(encoding="utf-8", newline="") as file:
        assert text == file.read()


@pytest.mark.parametrize("form", [form for form in Format if form is not Format.TEXT])
def test_the_report_says_what_it_said(form: Format, render: Render) -> None:
    compare(f"scan.{form}", render(form))


@pytest.mark.parametrize(
    ("name", "width", "colour"), [("80", 80, False), ("120", 120, False), ("80-colour", 80, True)]
)
def test_the_text_says_what_it_said(name: str, width: int, colour: bool, render: Render) -> None:
    compare(f"scan-{name}.txt", render(Format.TEXT, width=width, colour=colour))


@pytest.mark.parametrize("form", Format)
def test_an_interrupted_and_empty_scan_still_makes_a_whole_report(form: Format, render: Render) -> None:
    compare(f"empty.{form}", render(form, [], finished=False))


@pytest.mark.skipif(ACCEPT, reason="the files are being written")
def test_nothing_lies_among_the_golden_files_that_no_test_compares() -> None:
    compared = {f"scan.{form}" for form in Format if form is not Format.TEXT}
    compared |= {f"empty.{form}" for form in Format}
    compared |= {f"scan-{name}.txt" for name in ("80", "120", "80-colour")}

    assert {path.name for path in GOLDEN.iterdir()} == compared


@pytest.mark.parametrize("form", Format)
def test_the_report_depends_on_nothing_but_its_records(form: Format, render: Render) -> None:
    assert render(form) == render(form)
