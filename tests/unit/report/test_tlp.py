"""A report says how far it may be passed on, in every format, above and below where people read it."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import re

import pytest
from tests.unit.report.samples import archive, meta_of_scan, summary_of

from leadglass.model.record import Tlp
from leadglass.report.writer import Format, writer


def marked(form: Format, tlp: Tlp | None) -> str:
    records = tuple(record.model_copy(update={"tlp": tlp}) for record in archive())
    stream = io.StringIO()
    report = writer(form, stream)
    report.begin(dataclasses.replace(meta_of_scan(), tlp=tlp))
    for record in records:
        report.add(record)
    report.end(summary_of(records))
    return stream.getvalue()


@pytest.mark.parametrize("tlp", Tlp)
def test_the_text_has_the_label_first_and_last_on_the_right(tlp: Tlp) -> None:
    lines = marked(Format.TEXT, tlp).splitlines()

    assert lines[0] == lines[-1] == tlp.label.rjust(80)


@pytest.mark.parametrize("tlp", Tlp)
def test_html_has_the_label_in_header_and_footer_of_each_page(tlp: Tlp) -> None:
    html = marked(Format.HTML, tlp)
    shown = re.findall(r'<p class="tlp (?:foot )?(\w+)">([^<]+)</p>', html)

    assert shown == [(tlp.name.lower(), tlp.label)] * 2
    assert f".tlp.{tlp.name.lower()}" in html  # it has its colour
    assert re.search(r"@media print.*\.tlp, \.tlp\.foot \{ position: fixed", html, re.DOTALL)


@pytest.mark.parametrize("tlp", Tlp)
def test_programs_find_the_label_with_every_record(tlp: Tlp) -> None:
    sarif = json.loads(marked(Format.SARIF, tlp))["runs"][0]
    rows = csv.DictReader(io.StringIO(marked(Format.CSV, tlp)))
    lines = [json.loads(line) for line in marked(Format.JSONL, tlp).splitlines()]

    assert {row["tlp"] for row in rows} == {line["tlp"] for line in lines} == {tlp.value}
    assert {result["properties"]["tlp"] for result in sarif["results"]} == {tlp.value}
    assert sarif["properties"]["tlp"] == tlp.value


@pytest.mark.parametrize("form", Format)
def test_what_nobody_marked_has_no_label(form: Format) -> None:
    assert "TLP:" not in marked(form, None)
