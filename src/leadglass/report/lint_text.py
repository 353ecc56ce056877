"""The report of a lint for a terminal: file by file, the worst first, in words that a practice can act on."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import TextIO

from leadglass.configs.catalogue import rules
from leadglass.configs.lint import promises
from leadglass.model.finding import Certainty, Finding
from leadglass.model.verdict import Severity
from leadglass.report import words
from leadglass.report.lint_contract import LintReport
from leadglass.report.safe import visible

__all__ = ["lint_text"]

_PROSE = 100
_NARROWEST = 60
_INDENT = "    "
_LABEL = 10
_LISTED = 20
"""Files that are named under a heading; the others are counted."""

_STYLE: Mapping[Severity, str] = {
    Severity.CRITICAL: "\x1b[1;31m",
    Severity.HIGH: "\x1b[31m",
    Severity.MEDIUM: "\x1b[33m",
    Severity.LOW: "\x1b[36m",
    Severity.NONE: "\x1b[32m",
}
_BOLD = "\x1b[1m"
_OFF = "\x1b[0m"
_CERTAINTY: Mapping[Certainty, str] = {
    Certainty.SURE: "",
    Certainty.LIKELY: "as it behaves unless something else says otherwise",
    Certainty.DEPENDS: "depends on something that was not read",
}


def lint_text(report: LintReport, stream: TextIO, *, width: int, colour: bool) -> None:
    """Write it whole; ``width`` in columns."""
    writer = _Writer(report, min(max(width, _NARROWEST), _PROSE), colour)
    stream.writelines(f"{line}\n" for line in writer.lines())


class _Writer:
    def __init__(self, report: LintReport, width: int, colour: bool) -> None:
        self._report = report
        self._width = width
        self._colour = colour
        self._known: dict[tuple[str, str], Sequence[str]] = {}

    def lines(self) -> Iterator[str]:
        kinds = {reading.source.path: reading.kind for reading in self._report.linted.readings}
        for path, findings in _by_file(self._report.weighed.open).items():
            yield self._styled(_BOLD, f"{visible(path)} ({kinds[path]})")
            for finding in findings:
                yield from self._finding(finding)
            yield ""
        yield from self._accepted()
        yield from self._not_read()
        yield from textwrap.wrap(self._report.summary(), self._width)

    def _finding(self, finding: Finding) -> Iterator[str]:
        rule = rules()[finding.rule]
        place = f"{finding.place.line}:{finding.place.column}"
        severity = self._styled(_STYLE[finding.severity], finding.severity)
        yield f"  {place}  {severity}  {visible(finding.option)}  {finding.rule}"
        yield from self._wrapped("", finding.says)
        if finding.exposure is not None:
            yield from self._wrapped(
                "exposes", f"a stranger who reaches it {words.ACCESS[finding.exposure].brief}"
            )
        if how := finding.reached or _CERTAINTY[finding.certainty]:
            yield from self._wrapped("reached" if finding.reached else "how sure", how)
        yield from self._wrapped("why", rule.why)
        yield from self._wrapped("fix", finding.fix)
        if (risk := self._report.expired.get(id(finding))) is not None:
            yield from self._wrapped(
                "EXPIRED", f"{risk.owner} accepted it until {risk.expires}: {risk.reason}"
            )

    def _accepted(self) -> Iterator[str]:
        if not self._report.weighed.accepted:
            return
        yield self._styled(_BOLD, "accepted by the baseline")
        for finding, risk in self._report.weighed.accepted:
            what = f"{finding.place} {finding.rule} {finding.option}: {risk.owner}, until {risk.expires}: {risk.reason}"
            yield from self._wrapped("", what)
        yield ""

    def _not_read(self) -> Iterator[str]:
        report = self._report
        listed = [
            ("broken", [broken.why for broken in report.linted.broken]),
            (
                "of no known kind",
                [path for path in report.linted.unknown if path in report.named or promises(path)],
            ),
            ("not opened", [f"{path}: {why}" for path, why in report.skipped]),
        ]
        for title, lines in listed:
            if lines:
                yield self._styled(_BOLD, title)
                yield from (f"  {visible(line)}" for line in lines[:_LISTED])
                if len(lines) > _LISTED:
                    yield f"  and {len(lines) - _LISTED:,} more"
                yield ""

    def _wrapped(self, label: str, text: str) -> Sequence[str]:
        """A paragraph under a finding, with a word before it. Most of them occur again and again."""
        lines = self._known.get((label, text))
        if lines is None:
            first = f"{_INDENT}{label.ljust(_LABEL)}" if label else _INDENT
            rest = " " * len(first)
            lines = self._known[label, text] = textwrap.wrap(
                visible(text),
                self._width,
                initial_indent=first,
                subsequent_indent=rest,
                break_on_hyphens=False,
            )
        return lines

    def _styled(self, style: str, text: str) -> str:
        return f"{style}{text}{_OFF}" if self._colour else text


def _by_file(findings: Sequence[Finding]) -> Mapping[str, list[Finding]]:
    """In the order of the worst of each file."""
    found: dict[str, list[Finding]] = {}
    for finding in findings:
        found.setdefault(finding.place.path, []).append(finding)
    return found
