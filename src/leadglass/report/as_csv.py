"""CSV: one endpoint a line for spreadsheets, as RFC 4180 wants it. Streams; keeps nothing.

A spreadsheet runs a cell that begins with ``= + - @`` or a tab as a formula, and a peer may
have chosen the text: such a cell gets a leading apostrophe, which spreadsheets take as "this is text".
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import datetime
from typing import TextIO

from leadglass.model.record import ScanRecord
from leadglass.report.columns import COLUMNS, Cell, Rows
from leadglass.report.contract import Meta, Summary
from leadglass.report.safe import visible

__all__ = ["CsvReport"]


class CsvReport:
    """A header line and one line an endpoint, each in one write."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._rows = Rows(_cell)

    def begin(self, meta: Meta) -> None:  # noqa: ARG002 - every line carries its scan, scope and TLP label
        """Write the header line."""
        self._write(COLUMNS)

    def add(self, record: ScanRecord) -> None:
        """Write one line."""
        self._write(self._rows.of(record))

    def end(self, summary: Summary) -> None:
        """Write nothing: a consumer counts lines."""

    def _write(self, cells: Iterable[str]) -> None:
        line = io.StringIO()
        csv.writer(line).writerow(cells)
        self._stream.write(line.getvalue())


def _cell(value: Cell) -> str:
    """Text as it may stand in a spreadsheet; true and false as in JSON, nothing as an empty cell."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return ""
    text = visible(_text(value))
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t")) else text


def _text(value: str | float | datetime | tuple[str, ...]) -> str:
    match value:
        case tuple():
            return "; ".join(value)
        case datetime():
            return f"{value:%Y-%m-%dT%H:%M:%SZ}"
        case _:
            return str(value)
