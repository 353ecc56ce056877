"""JSON Lines: the scan records themselves, one endpoint a line. Streams; keeps nothing."""

from __future__ import annotations

from typing import TextIO

from leadglass.model.record import ScanRecord
from leadglass.report.contract import Meta, Summary

__all__ = ["JsonLinesReport"]


class JsonLinesReport:
    """Each line goes out in one write, so that an interruption leaves complete records."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def begin(self, meta: Meta) -> None:
        """Write nothing: every record carries its scan, scope and vantage."""

    def add(self, record: ScanRecord) -> None:
        """Write one line."""
        self._stream.write(record.line() + "\n")

    def end(self, summary: Summary) -> None:
        """Write nothing: a consumer counts lines."""
