"""The report of a lint as SARIF 2.1.0: one rule a rule, one result a finding, with its place and its fix."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TextIO
from urllib.parse import quote

from leadglass.configs.catalogue import Rule, rules
from leadglass.configs.source import Source
from leadglass.model.finding import Edit, Finding
from leadglass.model.verdict import Severity
from leadglass.report import words
from leadglass.report.lint_contract import LintReport
from leadglass.report.safe import visible
from leadglass.report.sarif import LEVEL, SARIF_SCHEMA, SCORE

__all__ = ["lint_sarif"]

_Json = dict[str, Any]
_DRIVE = re.compile("[A-Za-z]:/")


def lint_sarif(report: LintReport, stream: TextIO) -> None:
    """One run. Accepted findings are results with a suppression; files that are broken are notifications."""
    known = sorted({finding.rule for finding in report.linted.findings})
    log = {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [_run(report, known)]}
    stream.write(f"{json.dumps(log, indent=1)}\n")


def _run(report: LintReport, known: Sequence[str]) -> _Json:
    sources = {reading.source.path: reading.source for reading in report.linted.readings}
    driver = {
        "name": "Leadglass",
        "version": report.tool_version,
        "shortDescription": {"text": "Says what the configuration of an imaging server exposes."},
        "rules": [_rule(rules()[rule]) for rule in known],
    }
    return {
        "tool": {"driver": driver},
        "automationDetails": {"id": "leadglass/lint/"},
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, report, known, sources) for finding in report.linted.findings],
        "invocations": [
            {
                "executionSuccessful": not report.linted.broken,
                "toolExecutionNotifications": list(_notes(report)),
            }
        ],
    }


def _rule(rule: Rule) -> _Json:
    cited = [
        *(f"HIPAA 45 CFR {section}" for section in rule.hipaa),
        *(f"DICOM PS3.15 {c}" for c in rule.ps315),
    ]
    tags = ["security", "dicom", *(_tag("hipaa", name) for name in rule.hipaa)]
    tags += [_tag("ps3.15", clause) for clause in rule.ps315]
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.why},
        "help": {"text": "\n\n".join((rule.why, f"What to do: {rule.fix}", "; ".join(cited)))},
        "helpUri": rule.documentation,
        "defaultConfiguration": {"level": LEVEL[rule.severity]},
        "properties": {"tags": tags, "security-severity": f"{SCORE[rule.severity] / 10:.1f}"},
    }


def _tag(standard: str, clause: str) -> str:
    return f"{standard}/{clause}"


def _result(
    finding: Finding, report: LintReport, known: Sequence[str], sources: Mapping[str, Source]
) -> _Json:
    result: _Json = {
        "ruleId": finding.rule,
        "ruleIndex": known.index(finding.rule),
        "kind": "informational" if finding.severity is Severity.NONE else "fail",
        "level": LEVEL[finding.severity],
        "rank": SCORE[finding.severity],
        "message": {"text": _message(finding)},
        "locations": [_location(finding)],
        "partialFingerprints": {"ruleOption/v1": _fingerprint(finding)},
        "properties": {
            "severity": finding.severity,
            "exposure": finding.exposure,
            "cause": finding.cause,
            "certainty": finding.certainty,
        },
    }
    if finding.edits:
        result["fixes"] = [_fix(finding, sources)]
    if (risk := report.accepted.get(id(finding))) is not None:
        said = visible(f"{risk.owner}, until {risk.expires}: {risk.reason}")
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": said}]
    return result


def _message(finding: Finding) -> str:
    exposes = (
        ""
        if finding.exposure is None
        else f"A stranger who reaches it {words.ACCESS[finding.exposure].brief}."
    )
    parts = (
        f"{finding.option}: {finding.says}.",
        exposes,
        finding.reached and f"{finding.reached}.",
        f"What to do: {finding.fix}.",
    )
    return visible(" ".join(filter(None, parts)))


def _location(finding: Finding) -> _Json:
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": _uri(finding.place.path)},
            "region": {"startLine": finding.place.line, "startColumn": finding.place.column},
        },
        "logicalLocations": [{"name": visible(finding.option), "kind": "member"}],
    }


def _fix(finding: Finding, sources: Mapping[str, Source]) -> _Json:
    paths = dict.fromkeys(edit.path for edit in finding.edits)
    changes = [
        {
            "artifactLocation": {"uri": _uri(path)},
            "replacements": [
                _replacement(edit, sources[path]) for edit in finding.edits if edit.path == path
            ],
        }
        for path in paths
        if path in sources
    ]
    return {"description": {"text": visible(finding.fix)}, "artifactChanges": changes}


def _replacement(edit: Edit, source: Source) -> _Json:
    start, end = source.place(edit.start), source.place(edit.end)
    region = {
        "startLine": start.line,
        "startColumn": start.column,
        "endLine": end.line,
        "endColumn": end.column,
    }
    return {"deletedRegion": region, "insertedContent": {"text": edit.text}}


def _notes(report: LintReport) -> Iterator[_Json]:
    for broken in report.linted.broken:
        yield _note("error", broken.why)
    for path in report.undecided:
        yield _note("warning", f"{path}: no kind of configuration that is known")
    for path, why in report.skipped:
        yield _note("note", f"{path}: {why}")


def _note(level: str, text: str) -> _Json:
    return {"level": level, "message": {"text": visible(text)}}


def _fingerprint(finding: Finding) -> str:
    """The same option of the same file is the same finding, wherever its line has gone."""
    name = f"{finding.rule}\0{finding.place.path}\0{finding.option}"
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()


def _uri(path: str) -> str:
    """RFC 3986; relative as the path is, with ``file`` before one that is not."""
    has_drive = _DRIVE.match(path) is not None  # of Windows, RFC 8089 E.2
    quoted = quote(path.encode("utf-8", "surrogateescape"), safe="/:" if has_drive else "/")
    if has_drive:
        return f"file:///{quoted}"
    return f"file://{quoted}" if quoted.startswith("/") else quoted
