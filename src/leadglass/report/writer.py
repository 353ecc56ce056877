"""The list of formats, and the one place that knows which report writes which."""

from __future__ import annotations

from typing import TextIO, assert_never

from leadglass.report.as_csv import CsvReport
from leadglass.report.as_html import HtmlReport
from leadglass.report.as_jsonl import JsonLinesReport
from leadglass.report.as_sarif import SarifReport
from leadglass.report.as_text import TextReport
from leadglass.report.contract import ReportWriter
from leadglass.report.forms import Format

__all__ = ["Format", "writer"]


def writer(form: Format, stream: TextIO, *, width: int = 80, colour: bool = False) -> ReportWriter:
    """A report in ``form`` on ``stream``; ``width`` (columns) and ``colour`` (ANSI) matter to text only.

    Files are opened as UTF-8 and with ``newline=""`` (RFC 4180 wants its own line ends).
    """
    match form:
        case Format.TEXT:
            return TextReport(stream, width=width, colour=colour)
        case Format.JSONL:
            return JsonLinesReport(stream)
        case Format.CSV:
            return CsvReport(stream)
        case Format.HTML:
            return HtmlReport(stream)
        case Format.SARIF:
            return SarifReport(stream)
        case _:
            assert_never(form)
