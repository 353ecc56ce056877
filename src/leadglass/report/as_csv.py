"""CSV: one endpoint a line for spreadsheets, as RFC 4180 wants it. Streams; keeps nothing.

A spreadsheet runs a cell that begins with ``= + - @`` or a tab as a formula, and a peer may
have chosen the text: such a cell gets a leading apostrophe, which spreadsheets take as "this is text".
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping
from typing import TextIO

from leadglass.model.record import ScanRecord, TlsFacts
from leadglass.model.verdict import Kind
from leadglass.report.contract import Meta, Summary
from leadglass.report.safe import visible

__all__ = ["COLUMNS", "CsvReport"]

Cell = str | int | float | bool | None


def _joined(parts: Iterable[str]) -> str:
    return "; ".join(parts)


def _of_tls(get: Callable[[TlsFacts], Cell]) -> Callable[[ScanRecord], Cell]:
    return lambda record: get(record.transport.tls) if record.transport.tls else None


def _share(kind: Kind) -> Callable[[ScanRecord], Cell]:
    return lambda record: record.nature[kind]


COLUMNS: Mapping[str, Callable[[ScanRecord], Cell]] = {
    "scan": lambda record: record.scan,
    "observed_at": lambda record: f"{record.observed_at:%Y-%m-%dT%H:%M:%SZ}",
    "address": lambda record: record.endpoint.address,
    "port": lambda record: record.endpoint.port,
    "name": lambda record: record.endpoint.name,
    "access": lambda record: record.access,
    "severity": lambda record: record.severity,
    "source": lambda record: record.vantage.source,
    "position": lambda record: record.vantage.position,
    "rung": lambda record: record.rung,
    "tcp": lambda record: record.transport.tcp,
    "protocols": lambda record: _joined(record.protocols),
    "tls_version": _of_tls(lambda tls: tls.version),
    "tls_cipher": _of_tls(lambda tls: tls.cipher),
    "tls_client_certificate": _of_tls(lambda tls: tls.client_certificate),
    "tls_retired": _of_tls(lambda tls: _joined(tls.retired)),
    "certificate_subject": _of_tls(lambda tls: tls.certificate.subject if tls.certificate else None),
    "certificate_not_after": _of_tls(lambda tls: tls.certificate.not_after if tls.certificate else None),
    "associate": lambda record: record.capabilities.associate,
    "verification": lambda record: record.capabilities.verification,
    "query": lambda record: record.capabilities.query,
    "retrieve": lambda record: record.capabilities.retrieve,
    "storage": lambda record: record.capabilities.storage,
    "worklist": lambda record: record.capabilities.worklist,
    "web_query": lambda record: record.capabilities.web_query,
    "web_api": lambda record: record.capabilities.web_api,
    "product": lambda record: record.software.product,
    "version": lambda record: record.software.version,
    "product_confidence": lambda record: record.software.confidence,
    **{f"nature_{kind}".replace("-", "_"): _share(kind) for kind in Kind},
    "nature_settled": lambda record: record.nature_settled,
    "data": lambda record: record.data,
    "reasons": lambda record: _joined(record.reasons),
    "advice": lambda record: _joined(record.advice),
    "settles": lambda record: _joined((*record.settles, *record.nature_settles)),
    "scope": lambda record: record.scope.name if record.scope else None,
    "reference": lambda record: record.scope.reference if record.scope else None,
}
"""Name of each column and what stands in it, in order."""


class CsvReport:
    """A header line and one line an endpoint, each in one write."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def begin(self, meta: Meta) -> None:  # noqa: ARG002 - every line carries its scan and scope
        """Write the header line."""
        self._write(COLUMNS)

    def add(self, record: ScanRecord) -> None:
        """Write one line."""
        self._write(_cell(get(record)) for get in COLUMNS.values())

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
    text = visible(str(value))
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t")) else text
