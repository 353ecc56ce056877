"""Rows for a spreadsheet and for programs: the same table as CSV and as JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from leadglass.report.safe import visible

__all__ = ["Row", "as_csv", "as_json_text"]

Row: TypeAlias = Mapping[str, Any]
"""By column: JSON values; a list stands in one cell."""

_FORMULA = ("=", "+", "-", "@")


def as_csv(columns: Sequence[str], rows: Iterable[Row]) -> str:
    """A header line and the rows, as spreadsheets take them (RFC 4180); no cell is a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_cell(row.get(column)) for column in columns] for row in rows)
    return out.getvalue()


def as_json_text(value: object) -> str:
    """ASCII, so that text from elsewhere stays escaped."""
    return json.dumps(value, indent=2) + "\n"


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = visible("; ".join(map(str, value)) if isinstance(value, list | tuple) else str(value))
    return f"'{text}" if text.startswith(_FORMULA) else text
