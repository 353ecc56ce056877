"""The report for a terminal or a mail: a table, the hosts in words, then a paragraph a server.

Plain ASCII layout that reads the same without colour; colour only repeats what a word says. This
module does not know whether it writes to a terminal: width and colour are told.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, TextIO

from leadglass.model.record import ScanRecord
from leadglass.model.verdict import Access, Severity
from leadglass.report import say, words
from leadglass.report.contract import Meta, Summary
from leadglass.report.gather import SILENT, Gatherer, Host, by_host
from leadglass.report.safe import columns, cut, padded, visible

__all__ = ["TextReport"]

_PROSE = 100
"""Longer lines are hard to read, however wide the terminal is."""
_LABEL = 11
_GAP = 2
_NARROWEST = 64

_STYLE: Mapping[Severity, str] = {
    Severity.CRITICAL: "\x1b[1;31m",
    Severity.HIGH: "\x1b[31m",
    Severity.MEDIUM: "\x1b[33m",
    Severity.LOW: "\x1b[36m",
    Severity.NONE: "\x1b[32m",
}
_BOLD = "\x1b[1m"
_OFF = "\x1b[0m"


class _Row(NamedTuple):
    host: str
    port: str
    access: str
    severity: str
    software: str
    tls: str


_HEAD = _Row("HOST", "PORT", "ACCESS", "SEVERITY", "SOFTWARE", "TLS")


class TextReport:
    """Written whole at the end, because the worst comes first."""

    def __init__(self, stream: TextIO, *, width: int = 80, colour: bool = False) -> None:
        self._stream = stream
        self._width = max(width, _NARROWEST)
        self._prose = min(self._width, _PROSE)
        self._colour = colour
        self._gathered = Gatherer()
        self._is_from_several = False
        self._meta: Meta

    def begin(self, meta: Meta) -> None:
        """Remember what the head says."""
        self._meta = meta

    def add(self, record: ScanRecord) -> None:
        """Keep or count one record."""
        self._gathered.add(record)

    def end(self, summary: Summary) -> None:
        """Write everything."""
        records = self._gathered.records()
        hosts = by_host(records)
        self._is_from_several = len({record.vantage.name for record in records}) > 1
        sections = (
            self._head(records),
            self._wrapped(f"{say.headline(summary, hosts)} {say.urgent(summary)}"),
            self._table(hosts),
            self._hosts(hosts),
            *(
                self._server(record)
                for host in hosts
                for record in host.records
                if record.access not in SILENT
            ),
            self._foot(summary),
        )
        text = "\n\n".join("\n".join(lines) for section in sections if (lines := tuple(section)))
        if self._meta.tlp is not None:
            # TLP 2.0 wants the label above and below, on the right.
            label = self._styled(_BOLD, self._meta.tlp.label.rjust(self._prose))
            text = f"{label}\n{text}\n{label}"
        self._stream.write(f"{text}\n")

    def _head(self, records: Sequence[ScanRecord]) -> Iterator[str]:
        meta = self._meta
        yield f"Leadglass {meta.tool_version}, scan {visible(meta.scan)}, {meta.started:%Y-%m-%d %H:%M} UTC"
        if meta.scope is not None:
            leave = f"{meta.scope.name} (basis {meta.scope.basis}"
            by = f", granted by {meta.scope.granted_by}" if meta.scope.granted_by else ""
            reference = f", reference {meta.scope.reference}" if meta.scope.reference else ""
            yield from self._wrapped(f"{leave}{by}{reference})")
        yield from self._wrapped(say.sources(records, meta.position))

    def _table(self, hosts: Sequence[Host]) -> Iterator[str]:
        rows = [_row(record, first=i == 0) for host in hosts for i, record in enumerate(host.records)]
        if not rows:
            return
        widths = _widths(rows, self._width)
        yield self._styled(_BOLD, _line(_HEAD, widths, _HEAD.severity))
        for row in rows:
            if columns(row.host) > widths.host:
                yield row.host
            yield _line(row, widths, self._styled(_STYLE[Severity(row.severity)], row.severity))

    def _hosts(self, hosts: Sequence[Host]) -> Iterator[str]:
        if hosts:
            yield self._styled(_BOLD, "Hosts, worst first")
        for host in hosts:
            names = f" ({', '.join(host.names)})" if host.names else ""
            label = f"{padded(host.severity, 8)}  "
            said = self._wrapped(f"{host.address}{names}: {say.host_verdict(host)}", label, indent=len(label))
            yield from self._tinted(said, host.severity)

    def _server(self, record: ScanRecord) -> Iterator[str]:
        name = f" ({record.endpoint.name})" if record.endpoint.name else ""
        act = words.SEVERITY[record.severity].act
        place = f", from {record.vantage.name or 'elsewhere'}" if self._is_from_several else ""
        title = f"{record.endpoint}{name}{place}: {record.access}, severity {record.severity}: {act}"
        yield from (self._styled(_STYLE[record.severity], line) for line in self._wrapped(title))
        yield from self._labelled("stranger", say.stranger(record))
        if product := say.software(record):
            why = f": {record.software.why}" if record.software.why else ""
            yield from self._labelled(
                "software", f"{product}, confidence {record.software.confidence:.0%}{why}"
            )
        if facts := say.tls(record):
            yield from self._labelled("tls", facts)
        yield from self._because(record)
        yield from self._listed("unknown", say.unknown(record))
        if kind := say.behind(record):
            yield from self._labelled("behind it", kind)
        yield from self._listed("next", record.advice, numbered=True)

    def _because(self, record: ScanRecord) -> Iterator[str]:
        reasons = say.deciding(record)
        mark = "- " if len(reasons) > 1 else ""
        for i, reason in enumerate(reasons):
            rule = f" ({reason.rule})" if reason.rule else ""
            yield from self._labelled("" if i else "because", f"{mark}{reason.text}{rule}", hang=len(mark))
            for fact in reason.seen:
                yield from self._wrapped(
                    f"{fact.id} = {say.value(fact)}", " " * (_LABEL + 4), indent=_LABEL + 6, most=3
                )
            if reason.again:
                yield from self._wrapped(
                    f"as above: {', '.join(reason.again)}", " " * (_LABEL + 4), indent=_LABEL + 6
                )

    def _listed(self, label: str, sentences: Sequence[str], *, numbered: bool = False) -> Iterator[str]:
        """One sentence as it is, several with a mark each."""
        for i, sentence in enumerate(sentences, start=1):
            mark = "" if len(sentences) == 1 else f"{i}. " if numbered else "- "
            yield from self._labelled(label if i == 1 else "", mark + sentence, hang=len(mark))

    def _foot(self, summary: Summary) -> Iterator[str]:
        yield from self._wrapped(_totals(summary, self._gathered.counted()))
        for reason, number in summary.skipped.items():
            yield from self._wrapped(f"Not looked at: {say.count(number, 'endpoint')}, {reason}.")
        for reason, number in summary.denied.items():
            yield from self._wrapped(f"Not asked: {say.count(number, 'question')}, {reason}.")
        if not summary.finished:
            yield from self._wrapped("The scan was interrupted: what is missing here was not looked at.")
        rungs = {record.rung for record in self._gathered.records()}
        yield from self._wrapped(say.promise(rungs))

    def _labelled(self, label: str, text: str, *, hang: int = 0) -> Iterator[str]:
        return self._wrapped(text, f"  {label}".ljust(_LABEL + 2), indent=_LABEL + 2 + hang)

    def _wrapped(
        self, text: str, label: str = "", *, indent: int = 0, most: int | None = None
    ) -> Iterator[str]:
        wrapper = textwrap.TextWrapper(
            self._prose,
            initial_indent=label,
            subsequent_indent=" " * indent,
            break_on_hyphens=False,
            max_lines=most,
            placeholder=" ...",
        )
        yield from wrapper.wrap(visible(text))

    def _tinted(self, lines: Iterable[str], severity: Severity) -> Iterator[str]:
        """The severity word that begins the first line, in its colour."""
        for i, line in enumerate(lines):
            yield line if i else self._styled(_STYLE[severity], severity) + line[len(severity) :]

    def _styled(self, style: str, text: str) -> str:
        return f"{style}{text}{_OFF}" if self._colour else text


def _row(record: ScanRecord, *, first: bool) -> _Row:
    name = f" {record.endpoint.name}" if record.endpoint.name else ""
    tls = record.transport.tls
    return _Row(
        visible(f"{record.endpoint.address}{name}") if first else "",
        str(record.endpoint.port),
        record.access,
        record.severity,
        visible(say.software(record)) or "-",
        "-" if tls is None else visible(tls.version or "yes"),
    )


class _Widths(NamedTuple):
    host: int
    access: int
    software: int


def _widths(rows: Sequence[_Row], width: int) -> _Widths:
    """Host and software share what the other columns leave; a host that does not fit gets its own line."""
    access = max(len(row.access) for row in rows)
    room = width - access - 5 - 8 - max(columns(row.tls) for row in rows) - 5 * _GAP
    least = len(_HEAD.software)
    hosts = (columns(row.host) for row in rows)
    host = max((width for width in hosts if width <= min(room // 2 + _GAP, room - least)), default=0)
    host = max(host, len(_HEAD.host))
    software = max(columns(row.software) for row in rows)
    return _Widths(host, access, max(min(software, room - host), least))


def _line(row: _Row, widths: _Widths, severity: str) -> str:
    """One row; ``severity`` is the word as it is shown, with or without colour."""
    cells = (
        padded("" if columns(row.host) > widths.host else row.host, widths.host),
        row.port.rjust(5),
        row.access.ljust(widths.access),
        severity + " " * (8 - len(row.severity)),
        padded(cut(row.software, widths.software), widths.software),
        row.tls,
    )
    return (" " * _GAP).join(cells)


def _totals(summary: Summary, counted: Mapping[Access, int]) -> str:
    total = f"{say.count(summary.endpoints, 'endpoint')} looked at"
    listed = ", ".join(f"{number:,} {access}" for access, number in summary.access.items())
    unlisted = ", ".join(f"{number:,} {access}" for access, number in counted.items())
    tail = f" Not listed above: {unlisted}." if unlisted else ""
    return f"{total}: {listed}.{tail}" if listed else f"{total}."
