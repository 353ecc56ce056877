"""The report of a lint as JUnit XML, which every CI shows: a suite a file, a failed case a finding."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import TextIO

from leadglass.configs.catalogue import rules
from leadglass.model.finding import Finding
from leadglass.report.lint_contract import LintReport
from leadglass.report.safe import visible
from leadglass.settings.baseline_file import AcceptedTable

__all__ = ["lint_junit"]


def lint_junit(report: LintReport, stream: TextIO) -> None:
    """Findings below ``fail_on`` are cases that pass, and say what was found; an accepted one is skipped."""
    suites = [*_suites(report), *_unread(report)]
    stream.write('<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="leadglass lint">\n')
    stream.writelines(suites)
    stream.write("</testsuites>\n")


def _suites(report: LintReport) -> Iterator[str]:
    failing = {id(finding) for finding in report.failing}
    found: dict[str, list[Finding]] = {reading.source.path: [] for reading in report.linted.readings}
    for finding in report.linted.findings:
        found.setdefault(finding.place.path, []).append(finding)
    for path, findings in found.items():
        yield _suite(path, findings, failing, report.accepted)


def _suite(
    path: str, findings: Sequence[Finding], failing: set[int], accepted: Mapping[int, AcceptedTable]
) -> str:
    cases = [_case(finding, id(finding) in failing, accepted.get(id(finding))) for finding in findings]
    if not cases:
        cases = [f"<testcase classname={_quoted(path)} name={_quoted('nothing found')}/>\n"]
    failures = sum(id(finding) in failing for finding in findings)
    skipped = sum(id(finding) in accepted for finding in findings)
    return _wrapped(path, cases, failures=failures, skipped=skipped)


def _case(finding: Finding, is_failure: bool, risk: AcceptedTable | None) -> str:
    name = f"{finding.rule} {finding.option} ({finding.place.line}:{finding.place.column})"
    rule = rules()[finding.rule]
    said = (f"{finding.place}: {finding.says}", finding.reached, rule.why, finding.fix)
    body = "\n".join(escape(visible(line)) for line in said if line)
    if risk is not None:
        answered = f"{risk.owner}, until {risk.expires}: {risk.reason}"
        inner = f"<skipped message={_quoted(answered)}/>"
    elif is_failure:
        inner = f"<failure type={_quoted(finding.severity)} message={_quoted(finding.says)}>{body}</failure>"
    else:
        inner = f"<system-out>{body}</system-out>"
    return f"<testcase classname={_quoted(finding.place.path)} name={_quoted(name)}>{inner}</testcase>\n"


def _unread(report: LintReport) -> Iterator[str]:
    for broken in report.linted.broken:
        inner = f"<error message={_quoted(broken.why)}/>"
        yield _wrapped(broken.path, [_named(broken.path, "can be read", inner)], errors=1)
    for path in report.undecided:
        inner = f"<skipped message={_quoted('no kind of configuration that is known')}/>"
        yield _wrapped(path, [_named(path, "is a configuration", inner)], skipped=1)


def _named(path: str, name: str, inner: str) -> str:
    return f"<testcase classname={_quoted(path)} name={_quoted(name)}>{inner}</testcase>\n"


def _wrapped(path: str, cases: Sequence[str], *, failures: int = 0, errors: int = 0, skipped: int = 0) -> str:
    counts = f'tests="{len(cases)}" failures="{failures}" errors="{errors}" skipped="{skipped}"'
    return f"<testsuite name={_quoted(path)} {counts}>\n{''.join(cases)}</testsuite>\n"


def _quoted(text: str) -> str:
    """An attribute: nothing in it that XML forbids, for what cannot be seen is written as an escape."""
    return f'"{escape(visible(text))}"'
