from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.report.conftest import Recording, Render, render
from tests.unit.report.samples import hostile, meta_of_scan

from leadglass.errors import ConfigError
from leadglass.model.record import ScanRecord
from leadglass.model.rung import Rung
from leadglass.report.as_csv import END, CsvLines, CsvReport
from leadglass.report.columns import COLUMNS
from leadglass.report.writer import Format

REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "reports.md"


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def test_there_is_one_line_an_endpoint(records: Sequence[ScanRecord], render: Render) -> None:
    assert [(row["address"], int(row["port"])) for row in rows(render(Format.CSV))] == [
        (record.endpoint.address, record.endpoint.port) for record in records
    ]


def test_lines_end_as_rfc_4180_wants(render: Render) -> None:
    text = render(Format.CSV)

    assert text.count("\r\n") == text.count("\n") == 20
    assert text.endswith("\r\n")


def test_every_column_holds_what_the_record_holds(records: Sequence[ScanRecord], render: Render) -> None:
    row = rows(render(Format.CSV))[2]
    tls = records[2].transport.tls

    assert tls is not None
    assert row["access"] == "demands-certificate"
    assert row["tls_client_certificate"] == "required"
    assert row["certificate_not_after"] == "2027-01-31T12:00:00Z"
    assert row["tls_retired"] == "TLS_RSA_WITH_3DES_EDE_CBC_SHA"
    assert row["nature_non_human"] == "0.05"
    assert row["nature_settled"] == "false"
    assert row["observed_at"] == "2026-11-21T05:02:00Z"
    assert row["web_api"] == "untested"
    assert row["product"] == ""
    assert row["place"] == "Berlin"
    assert row["tlp"] == "amber"


def put_together(made: ScanRecord) -> str:
    """The line of a record, out of what would be stored of it."""
    address, name = made.endpoint.address, made.endpoint.name
    lines = CsvLines(made.scan, made.scope, made.tlp, {address: name} if name else {}, "here")
    _, _, body = made.line().partition('"transport"')
    look = lines.look(Rung.from_word(made.rung), f'{{"transport"{body}')
    moment = int(made.observed_at.timestamp())
    return lines.line(moment, address, made.endpoint.port, lines.vantage(made.vantage), look) + END


def test_a_line_put_together_from_stored_parts_is_the_line_of_the_record(
    records: Sequence[ScanRecord],
) -> None:
    for made in (*records, hostile()):
        written = io.StringIO(newline="")
        CsvReport(written).add(made)

        assert put_together(made) == written.getvalue()


def test_a_stored_look_that_somebody_broke_is_named() -> None:
    with pytest.raises(ConfigError, match="here"):
        CsvLines("01J", None, None, {}, "here").look(Rung.CONNECT, '{"access":"nonsense"}')


def test_each_line_is_one_write() -> None:
    stream = Recording()
    report = CsvReport(stream)
    report.begin(meta_of_scan())
    report.add(hostile())

    assert len(stream.writes) == 2
    assert all(line.endswith("\r\n") for line in stream.writes)


@pytest.mark.parametrize("name", COLUMNS)
def test_every_column_is_documented(name: str) -> None:
    documented = re.findall(r"`([a-z_]+)`", REFERENCE.read_text(encoding="utf-8"))

    assert name in documented


@given(
    st.sampled_from(["=", "+", "-", "@", "\t", "\r", "\n", ""]),
    st.text(),
)
def test_no_cell_is_a_formula(first: str, rest: str) -> None:
    record = hostile()
    poisoned = record.model_copy(
        update={
            "software": record.software.model_copy(update={"product": first + rest}),
            "advice": (first + rest,),
            "endpoint": record.endpoint.model_copy(update={"name": first + rest}),
        }
    )
    (row,) = rows(render(Format.CSV, [poisoned]))

    assert [cell for cell in row.values() if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))] == []
    assert set("".join(row.values())) & set(map(chr, range(32))) == set()
