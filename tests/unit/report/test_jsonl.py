from __future__ import annotations

import json
from collections.abc import Sequence

from tests.unit.report.conftest import Recording, Render
from tests.unit.report.samples import meta_of_scan, summary_of

from leadglass.model.record import ScanRecord, read_record
from leadglass.report.as_jsonl import JsonLinesReport
from leadglass.report.writer import Format


def test_each_record_is_one_write_of_one_whole_line(records: Sequence[ScanRecord]) -> None:
    stream = Recording()
    report = JsonLinesReport(stream)
    report.begin(meta_of_scan())
    for record in records:
        report.add(record)
    report.end(summary_of(tuple(records)))

    assert len(stream.writes) == len(records)
    assert all(text.endswith("\n") and text.count("\n") == 1 for text in stream.writes)


def test_the_lines_are_the_records(records: Sequence[ScanRecord], render: Render) -> None:
    assert [read_record(line) for line in render(Format.JSONL).splitlines()] == list(records)


def test_a_line_is_printable_ascii_whatever_a_peer_wrote(render: Render) -> None:
    text = render(Format.JSONL)

    assert text.isascii()
    assert all(line.isprintable() for line in text.splitlines())


def test_lines_are_json_that_any_reader_takes(render: Render) -> None:
    hostile = next(json.loads(line) for line in render(Format.JSONL).splitlines() if "HYPERLINK" in line)

    assert hostile["endpoint"]["name"].endswith("\u202egnp.exe")
    assert hostile["scope"]["granted_by"] == "Dr. Müller, head of practice"
