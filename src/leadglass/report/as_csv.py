"""CSV: one endpoint a line for spreadsheets, as RFC 4180 wants it. Streams; keeps nothing.

A spreadsheet runs a cell that begins with ``= + - @`` or a tab as a formula, and a peer may
have chosen the text: such a cell gets a leading apostrophe, which spreadsheets take as "this is text".
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TextIO

from leadglass.model.endpoint import Endpoint
from leadglass.model.record import ScanRecord, placed, read_body
from leadglass.model.record_line import utc
from leadglass.model.record_parts import ScopeNote, Tlp, VantageFacts
from leadglass.model.rung import Rung
from leadglass.model.verdict import Position
from leadglass.report.columns import COLUMNS, Cell, Rows
from leadglass.report.contract import Meta, Summary
from leadglass.report.safe import visible

__all__ = ["END", "CsvLines", "CsvReport"]

END = "\r\n"
"""Of a line (RFC 4180, section 2)."""
_NAMES = list(COLUMNS)
_LOOK = slice(_NAMES.index("access"), _NAMES.index("source"))
_REST = slice(_NAMES.index("rung"), None)
"""Between them stands the vantage, before them what each endpoint has of its own."""
_NOWHERE = Endpoint("0.0.0.0", 0)  # noqa: S104 - nothing is bound
_UNKNOWN = VantageFacts(position=Position.UNKNOWN)


class CsvReport:
    """A header line and one line an endpoint, each in one write."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._rows = Rows(_cell)

    def begin(self, meta: Meta) -> None:  # noqa: ARG002 - every line carries its scan, scope and TLP label
        """Write the header line."""
        self._stream.write(_cells(COLUMNS) + END)

    def add(self, record: ScanRecord) -> None:
        """Write one line."""
        self._stream.write(_cells(self._rows.of(record)) + END)

    def end(self, summary: Summary) -> None:
        """Write nothing: a consumer counts lines."""


class CsvLines:
    """Makes the lines of one stored scan as ``CsvReport`` writes them, without a record for each.

    What endpoints share is put in its form once. ``names`` are the names that addresses were resolved from.
    """

    def __init__(
        self, scan: str, scope: ScopeNote | None, tlp: Tlp | None, names: Mapping[str, str], where: str
    ) -> None:
        self._scan = scan
        self._scope = scope
        self._tlp = tlp
        self._where = where
        self._start = _cells([_cell(scan)])
        self._names = {address: _cells([_cell(name)]) for address, name in names.items()}

    def vantage(self, vantage: VantageFacts) -> str:
        """The cells that say from where; for ``line``."""
        return _cells(map(_cell, (vantage.source, vantage.position, vantage.name)))

    def look(self, rung: Rung, body: str) -> tuple[str, str]:
        """The cells before and after those; ``ConfigError`` if ``body`` is none."""
        record = placed(
            read_body(body, where=self._where),
            scan=self._scan,
            observed_at=0,
            endpoint=_NOWHERE,
            vantage=_UNKNOWN,
            rung=rung,
            scope=self._scope,
            tlp=self._tlp,
        )
        row = Rows(_cell).of(record)
        return _cells(row[_LOOK]), _cells(row[_REST])

    def line(self, observed_at: int, address: str, port: int, vantage: str, look: tuple[str, str]) -> str:
        """One line without its end; ``observed_at`` in POSIX seconds."""
        name = self._names.get(address, "")
        return f"{self._start},{utc(observed_at)},{address},{port},{name},{look[0]},{vantage},{look[1]}"


def _cells(cells: Iterable[str]) -> str:
    """Some cells of a line, quoted where they need it."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(cells)
    return line.getvalue()


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
