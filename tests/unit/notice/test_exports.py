"""What CSIRTs import."""

from __future__ import annotations

import csv
import dataclasses
import io
import json

from tests.unit.notice.conftest import Making

from leadglass.notice.intelmq import as_events
from leadglass.notice.shadowserver import as_csv

HEAD = [
    "timestamp",
    "severity",
    "ip",
    "protocol",
    "port",
    "hostname",
    "tag",
    "asn",
    "geo",
    "region",
    "city",
    "naics",
    "hostname_source",
    "sector",
]


def test_the_table_begins_with_the_fields_of_every_scan_report(making: Making) -> None:
    rows = list(csv.reader(io.StringIO(as_csv(making().exposures))))

    assert rows[0][: len(HEAD)] == HEAD
    assert len(rows) == 1 + len(making().exposures)
    assert {len(row) for row in rows} == {len(rows[0])}
    assert rows[1][:5] == ["2026-11-21 05:01:00", "critical", "192.0.2.10", "tcp", "8042"]


def test_no_cell_runs_as_a_formula(making: Making) -> None:
    one = dataclasses.replace(making().exposures[0], product="=HYPERLINK(1)", version="-1", scan="@x")
    rows = list(csv.reader(io.StringIO(as_csv([one]))))

    assert not [cell for cell in rows[1] if cell.startswith(("=", "+", "-", "@"))]


def test_an_event_has_the_harmonised_fields_and_nothing_empty(making: Making) -> None:
    events = [json.loads(line) for line in as_events(making().exposures)]

    assert len(events) == len(making().exposures)
    first = events[0]
    assert first["source.ip"] == "192.0.2.10"
    assert first["source.port"] == 8042
    assert first["classification.type"] == "vulnerable-system"
    assert first["time.source"] == "2026-11-21T05:01:00+00:00"
    assert (first["tlp"], first["extra.tlp"]) == ("AMBER", "TLP:AMBER")
    assert all(
        value not in {None, ""} for event in events for value in event.values() if isinstance(value, str)
    )
