"""The report of a lint for programs: see ``model.lint_record``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TextIO

from leadglass.configs.catalogue import rules
from leadglass.configs.reading import Fact, Listener, Reading
from leadglass.model.finding import Finding
from leadglass.model.lint_record import (
    AcceptedRecord,
    EditRecord,
    FactValue,
    FileRecord,
    FindingRecord,
    LintRecord,
    ListenerRecord,
    UnreadRecord,
)
from leadglass.model.record_line import ascii_json
from leadglass.report.lint_contract import LintReport
from leadglass.settings.baseline_file import AcceptedTable

__all__ = ["lint_json", "lint_record"]


def lint_json(report: LintReport, stream: TextIO) -> None:
    """One document in ASCII, so that text from elsewhere stays escaped wherever it is shown."""
    stream.write(f"{ascii_json(lint_record(report).model_dump_json(by_alias=True))}\n")


def lint_record(report: LintReport) -> LintRecord:
    """The report as its record."""
    linted = report.linted
    return LintRecord(
        tool_version=report.tool_version,
        severity=dict(report.severity),
        findings=list(_findings(report)),
        files=[_file(reading) for reading in linted.readings],
        unknown=list(linted.unknown),
        broken=[UnreadRecord(path=one.path, why=one.why) for one in linted.broken],
        skipped=[UnreadRecord(path=path, why=why) for path, why in report.skipped],
    )


def _findings(report: LintReport) -> Iterator[FindingRecord]:
    for finding in report.linted.findings:
        counts_again = report.expired.get(id(finding))
        risk = report.accepted.get(id(finding), counts_again)
        yield _finding(finding, None if risk is None else _accepted(risk, counts_again is not None))


def _finding(finding: Finding, accepted: AcceptedRecord | None) -> FindingRecord:
    rule = rules()[finding.rule]
    return FindingRecord(
        rule=finding.rule,
        title=rule.title,
        path=finding.place.path,
        line=finding.place.line,
        column=finding.place.column,
        option=finding.option,
        says=finding.says,
        severity=finding.severity,
        exposure=finding.exposure,
        cause=finding.cause,
        certainty=finding.certainty,
        listener=finding.listener,
        reached=finding.reached,
        why=rule.why,
        fix=finding.fix,
        edits=[EditRecord(path=e.path, start=e.start, end=e.end, text=e.text) for e in finding.edits],
        documentation=rule.documentation,
        hipaa=list(rule.hipaa),
        ps315=list(rule.ps315),
        accepted=accepted,
    )


def _accepted(risk: AcceptedTable, expired: bool) -> AcceptedRecord:
    return AcceptedRecord(
        owner=risk.owner, reason=risk.reason, expires=risk.expires.isoformat(), expired=expired
    )


def _file(reading: Reading) -> FileRecord:
    return FileRecord(
        path=reading.source.path,
        kind=reading.kind,
        facts={name: _fact(fact) for name, fact in reading.facts.items()},
        listeners=[_listener(listener) for listener in reading.listeners],
    )


def _fact(fact: Fact) -> FactValue:
    return list(fact) if isinstance(fact, tuple) else fact


def _listener(listener: Listener) -> ListenerRecord:
    return ListenerRecord(
        name=listener.name,
        service=listener.service,
        port=listener.port,
        product=listener.product,
        exposure=listener.exposure,
        reach=listener.reach,
        login=listener.login,
        tls=listener.tls,
        client_certificate=listener.client_certificate,
    )
