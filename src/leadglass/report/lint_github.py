"""The report of a lint as workflow commands of GitHub Actions: annotations at the lines of a change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TextIO

from leadglass.configs.catalogue import rules
from leadglass.model.finding import Finding
from leadglass.model.verdict import Severity
from leadglass.report.lint_contract import LintReport
from leadglass.report.safe import visible

__all__ = ["lint_github"]

_COMMAND: Mapping[Severity, str] = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "notice",
    Severity.NONE: "notice",
}


def lint_github(report: LintReport, stream: TextIO) -> None:
    """One line a finding, then one that says how many there are."""
    stream.writelines(_annotation(finding) for finding in report.weighed.open)
    stream.writelines(
        f"::error {_properties(file=one.path)}::{_data(one.why)}\n" for one in report.linted.broken
    )
    stream.writelines(
        f"::warning {_properties(file=path)}::no kind of configuration that is known\n"
        for path in report.undecided
    )
    stream.write(f"{report.summary()}\n")


def _annotation(finding: Finding) -> str:
    rule = rules()[finding.rule]
    place = _properties(
        file=finding.place.path,
        line=str(finding.place.line),
        col=str(finding.place.column),
        title=f"{finding.rule} ({finding.severity}): {rule.title}",
    )
    said = ". ".join(
        filter(None, (f"{finding.option}: {finding.says}", finding.reached, f"What to do: {finding.fix}"))
    )
    return f"::{_COMMAND[finding.severity]} {place}::{_data(said)}\n"


def _properties(**values: str) -> str:
    return ",".join(f"{name}={_property(value)}" for name, value in values.items())


def _data(text: str) -> str:
    """A message: ``%`` and line ends would end or change the command."""
    return visible(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
