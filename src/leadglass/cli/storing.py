"""What the commands around stored scans share: where they are kept, and how one is reported."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from leadglass import wiring
from leadglass.cli import fetch, load
from leadglass.cli.database import DatabaseOption
from leadglass.cli.output import destination
from leadglass.cli.reading import read_scope_text
from leadglass.cli.terminal import is_terminal, shows_colour, width
from leadglass.errors import UsageError
from leadglass.model.record_parts import Tlp
from leadglass.model.verdict import Access
from leadglass.report.as_csv import END, CsvLines, CsvReport
from leadglass.report.contract import Meta, ReportWriter, Summary, Tally
from leadglass.report.forms import Format
from leadglass.scope.parse import parse
from leadglass.store import reading
from leadglass.store.database import Database
from leadglass.store.scans import StoredScan
from leadglass.wiring.session import ScopeFile
from leadglass.wiring.storage import kept_storage, open_storage

__all__ = [
    "DatabaseOption",
    "Export",
    "kept",
    "meta_of_stored",
    "opened",
    "place_named",
    "read_scope_file",
    "report",
]

_LONGEST_NAME = 64
"""Characters in the name of a vantage point."""


class Export(enum.StrEnum):
    """What a stored scan can be reported as: any ``Format``, and tables for analysts."""

    TEXT = "text"
    JSONL = "jsonl"
    CSV = "csv"
    HTML = "html"
    SARIF = "sarif"
    PARQUET = "parquet"


def opened(database: str | None) -> Database:
    """The database that a command names, made or brought up to date if need be."""
    return open_storage(database, lambda *it: fetch("leadglass.store.migrating").migrate(*it))


def kept(database: str | None) -> Database:
    """The same for whoever only reads."""
    return kept_storage(database, lambda *it: fetch("leadglass.store.migrating").migrate(*it))


def report(
    store: Database, stored: StoredScan, form: Format | Export, output: Path | None, tlp: Tlp = Tlp.AMBER
) -> Summary:
    """Write the report of a stored scan to ``output`` (None: standard output); what it counted.

    Memory does not grow with the scan.
    """
    with destination(output) as stream:
        if form.value == Export.JSONL:
            return _write_lines(store, stored, stream, reading.lines(store, stored, tlp), "\n")
        if form.value == Export.CSV:
            CsvReport(stream).begin(meta_of_stored(stored, tlp))
            return _write_lines(store, stored, stream, _csv_lines(store, stored, tlp), END)
        out = _writer(Export(form.value), stream, to_terminal=output is None)
        out.begin(meta_of_stored(stored, tlp))
        tally = Tally()
        for record in reading.records(store, stored, tlp):
            out.add(record)
            tally.add(record)
        summary = tally.summary(finished=_is_finished(stored), ended=_ended(stored))
        out.end(summary)
    return summary


def meta_of_stored(stored: StoredScan, tlp: Tlp) -> Meta:
    """What the head of its report says."""
    plan = stored.plan
    return Meta(
        scan=plan.ulid,
        started=datetime.fromtimestamp(plan.began, UTC),
        tool_version=plan.tool_version,
        command=plan.command,
        position=plan.position,
        scope=reading.scope_of(plan),
        tlp=tlp,
    )


def _csv_lines(store: Database, stored: StoredScan, tlp: Tlp) -> Iterator[str]:
    plan = stored.plan
    maker = CsvLines(plan.ulid, reading.scope_of(plan), tlp, reading.names_of(plan), store.where)
    return reading.put_together(store, stored, maker)


def _write_lines(
    store: Database, stored: StoredScan, stream: TextIO, lines: Iterator[str], end: str
) -> Summary:
    """The lines of the records, without making the records."""
    stream.writelines(line + end for line in lines)
    counted = reading.tally(store, stored)
    return Summary(
        counted.endpoints,
        counted.access,
        counted.severity,
        undecided=counted.access.get(Access.INCONCLUSIVE, 0),
        finished=_is_finished(stored),
        ended=_ended(stored),
    )


def _writer(form: Export, stream: TextIO, *, to_terminal: bool) -> ReportWriter:
    if form is not Export.PARQUET:
        colour = to_terminal and shows_colour()
        writing = fetch("leadglass.report.writer")
        made: ReportWriter = writing.writer(Format(form.value), stream, width=width(), colour=colour)
        return made
    if to_terminal and is_terminal():
        raise UsageError("Parquet is not for a terminal", where="--format", then="name a file with --output")
    parquet = load("leadglass.report.as_parquet", extra="parquet")
    return parquet.ParquetReport(stream.buffer)  # type: ignore[no-any-return]


def _is_finished(stored: StoredScan) -> bool:
    return stored.state == "complete"


def _ended(stored: StoredScan) -> datetime | None:
    return None if stored.ended is None else datetime.fromtimestamp(stored.ended, UTC)


def read_scope_file(path: Path) -> ScopeFile:
    """The scope in a file with its text, its names looked up and pinned; ``ScopeError`` names the line that is wrong."""
    text = read_scope_text(path)
    scope = parse(text, filename=str(path), moment=wiring.clock().posix())
    if scope.names():
        names = fetch("leadglass.wiring.names")
        scope = names.pinned(scope, names.resolver())
    return ScopeFile(scope, text, str(path.resolve()))


def place_named(vantage: str) -> str:
    """The name of a vantage point as it was given; ``UsageError`` if it cannot be one."""
    if not 0 < len(vantage) <= _LONGEST_NAME or not vantage.isprintable():
        raise UsageError(
            f"this is no name: {vantage[:_LONGEST_NAME]!r}",
            where="--vantage",
            then=f"give 1 to {_LONGEST_NAME} printable characters",
        )
    return vantage
