from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections.abc import Iterable
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.unit.report.conftest import render
from tests.unit.report.samples import hostile, meta_of_scan, summary_of, whole_scan

from leadglass.model.record import ScanRecord, Tlp
from leadglass.report import as_parquet
from leadglass.report.as_parquet import ParquetReport
from leadglass.report.columns import COLUMNS
from leadglass.report.contract import Meta
from leadglass.report.writer import Format


def written(records: Iterable[ScanRecord], *, finished: bool = True, meta: Meta | None = None) -> Any:
    """The file of ``records``, opened."""
    stream = io.BytesIO()
    report = ParquetReport(stream)
    report.begin(meta or meta_of_scan())
    for record in records:
        report.add(record)
    report.end(summary_of((), finished=finished))
    return pq.ParquetFile(io.BytesIO(stream.getvalue()))


def test_every_row_holds_what_the_record_holds() -> None:
    rows = written(whole_scan()).read().to_pylist()

    for row, record in zip(rows, whole_scan(), strict=True):
        for name, column in COLUMNS.items():
            value = column.get(record)
            assert row[name] == (list(value) if isinstance(value, tuple) else value), name


def test_it_says_no_less_than_the_csv() -> None:
    rows = written(whole_scan()).read().to_pylist()
    cells = list(csv.DictReader(io.StringIO(render(Format.CSV), newline="")))

    assert [list(row) for row in rows] == [list(row) for row in cells]
    assert [row["address"] for row in rows] == [row["address"] for row in cells]


def test_columns_have_types() -> None:
    types = {field.name: str(field.type) for field in written(()).schema_arrow}

    assert types["observed_at"] == "timestamp[ms, tz=UTC]"
    assert types["port"] == "uint16"
    assert types["nature_settled"] == "bool"
    assert types["product_confidence"] == "double"
    assert types["reasons"] == "list<element: string>"


def test_the_file_carries_its_scope_and_its_label() -> None:
    told = written(whole_scan()).metadata.metadata

    assert told[b"leadglass.tlp"] == b"TLP:AMBER"
    assert json.loads(told[b"leadglass.scope"])["reference"] == "change 4711"
    assert told[b"leadglass.scan"] == b"01JEXAMPLE"
    assert told[b"leadglass.record"] == b"leadglass.scan-record/1"


@pytest.mark.parametrize("finished", [True, False])
def test_the_foot_says_whether_the_scan_had_finished(finished: bool) -> None:
    assert json.loads(written((), finished=finished).metadata.metadata[b"leadglass.finished"]) is finished


def test_a_scan_without_scope_and_label_says_so() -> None:
    meta = dataclasses.replace(meta_of_scan(), scope=None, tlp=None)
    told = written((), meta=meta).metadata.metadata

    assert (told[b"leadglass.scope"], told[b"leadglass.tlp"]) == (b"null", b"")


def test_rows_go_out_in_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(as_parquet, "ROWS", 8)
    file = written(whole_scan())
    groups = [file.metadata.row_group(i).num_rows for i in range(file.metadata.num_row_groups)]

    assert groups == [8, 8, 3]
    assert file.read().num_rows == len(whole_scan())


def test_hostile_text_is_kept_as_data() -> None:
    (row,) = written([hostile()]).read().to_pylist()

    assert row["product"] == '=HYPERLINK("http://evil.example")'
    assert row["name"] == hostile().endpoint.name


def test_one_record_does_not_colour_the_next() -> None:
    one = whole_scan()[0]
    other = one.model_copy(update={"software": one.software.model_copy(update={"product": "other"})})
    marked = one.model_copy(update={"tlp": Tlp.RED})
    rows = written([one, other, marked]).read().to_pylist()

    assert [row["product"] for row in rows] == ["Orthanc", "other", "Orthanc"]
    assert [row["tlp"] for row in rows] == ["amber", "amber", "red"]
