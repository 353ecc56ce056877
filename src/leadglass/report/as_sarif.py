"""SARIF 2.1.0: for systems that collect findings of many tools. Streams; keeps nothing.

One run, one rule an access word. A result has kind ``fail`` and a level when somebody should act, ``pass``
when nothing is to be done, ``open`` when it is undecided. Closed and filtered ports are
findings of nobody: they are only counted, in the properties of the run.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any, TextIO
from urllib.parse import quote

from leadglass.model.record import ScanRecord
from leadglass.model.verdict import Access, Severity
from leadglass.report import say, words
from leadglass.report.contract import Meta, Summary
from leadglass.report.gather import SILENT
from leadglass.report.safe import visible
from leadglass.report.sarif import LEVEL, SARIF_SCHEMA, SCORE

__all__ = ["SarifReport"]

_RULES = tuple(access for access in Access if access not in SILENT)

_OPEN_TO_ALL = frozenset(
    {Access.ANSWERS_QUERY, Access.OFFERS_QUERY, Access.OFFERS_STORAGE, Access.ASSOCIATES, Access.WANTS_TITLE}
)


class SarifReport:
    """Head, results and foot are written as they come; the whole is one JSON document."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._meta: Meta
        self._between = "\n"

    def begin(self, meta: Meta) -> None:
        """Write the head of the only run."""
        self._meta = meta
        head = (
            f'{{"$schema": "{SARIF_SCHEMA}", "version": "2.1.0", "runs": [{{\n'
            f'"tool": {_json(_tool(meta))},\n'
            f'"automationDetails": {_json({"id": f"leadglass/{meta.scan}"})},\n"results": ['
        )
        self._stream.write(head)

    def add(self, record: ScanRecord) -> None:
        """Write one result, unless nobody answered."""
        if record.access in SILENT:
            return
        self._stream.write(self._between + _json(_result(record)))
        self._between = ",\n"

    def end(self, summary: Summary) -> None:
        """Write the foot."""
        invocation = _json([_invocation(self._meta, summary)])
        foot = f'\n],\n"invocations": {invocation},\n"properties": {_json(_counts(self._meta, summary))}\n}}]}}\n'
        self._stream.write(foot)


def _json(value: object) -> str:
    """ASCII, so that text from elsewhere stays escaped wherever the file is shown."""
    return json.dumps(value)


def _tool(meta: Meta) -> dict[str, Any]:
    driver = {
        "name": "Leadglass",
        "version": meta.tool_version,
        "shortDescription": {"text": "Says what a stranger can do with a DICOM server."},
        "rules": [_rule(access) for access in _RULES],
    }
    return {"driver": driver}


def _rule(access: Access) -> dict[str, Any]:
    word = words.ACCESS[access]
    meanings = "\n".join(f"{severity}: {words.SEVERITY[severity].full}" for severity in Severity)
    tags = ["security", "dicom"]
    if access in _OPEN_TO_ALL:
        tags.append("external/cwe/cwe-306")  # missing authentication for a critical function
    return {
        "id": str(access),
        "name": "".join(part.capitalize() for part in access.split("-")),
        "shortDescription": {"text": f"A stranger {word.brief}."},
        "fullDescription": {"text": word.full},
        "help": {"text": f"{word.full}\n\nSeverity depends on access, vantage, nature and data.\n{meanings}"},
        "properties": {"tags": tags},
    }


def _result(record: ScanRecord) -> dict[str, Any]:
    return {
        "ruleId": str(record.access),
        "ruleIndex": _RULES.index(record.access),
        "kind": _kind(record),
        "level": LEVEL[record.severity] if _kind(record) == "fail" else "none",
        "rank": SCORE[record.severity],
        "message": {"text": visible(_message(record))},
        "locations": [_location(record)],
        "partialFingerprints": _fingerprints(record),
        "properties": _properties(record),
    }


def _kind(record: ScanRecord) -> str:
    """SARIF 2.1.0, 3.27.9: a level other than none goes with ``fail`` only."""
    if record.access is Access.INCONCLUSIVE:
        return "open"
    if record.access is Access.NOT_DICOM:
        return "notApplicable"
    return "pass" if record.severity is Severity.NONE else "fail"


def _message(record: ScanRecord) -> str:
    because = "; ".join(reason.text for reason in say.because(record))
    parts = (f"{record.endpoint}: {say.stranger(record)}", f"Because: {because}." if because else "")
    return " ".join(part for part in (*parts, *record.advice) if part)


def _location(record: ScanRecord) -> dict[str, Any]:
    uri = _uri(record)
    name = f" ({record.endpoint.name})" if record.endpoint.name else ""
    return {
        "physicalLocation": {"artifactLocation": {"uri": uri}},
        "logicalLocations": [
            {
                "fullyQualifiedName": uri,
                "name": visible(f"{record.endpoint}{name}"),
                "kind": "endpoint",
            }
        ],
    }


def _uri(record: ScanRecord) -> str:
    """RFC 3986 3.2.2; whatever a zone index holds is percent-encoded (RFC 6874)."""
    return f"dicom://{quote(str(record.endpoint), safe='[]:')}"


def _fingerprints(record: ScanRecord) -> dict[str, str]:
    """The same endpoint with the same access is the same finding in the next scan."""
    endpoint = hashlib.sha256(f"{record.endpoint}".encode()).hexdigest()
    finding = hashlib.sha256(f"{record.endpoint} {record.access}".encode()).hexdigest()
    return {"endpoint/v1": endpoint, "endpointAccess/v1": finding}


def _properties(record: ScanRecord) -> dict[str, Any]:
    """What SARIF has no field for, as in the record."""
    fields = {
        "observed_at",
        "tlp",
        "vantage",
        "rung",
        "capabilities",
        "software",
        "nature",
        "nature_settled",
        "data",
    }
    kept = record.model_dump(mode="json", by_alias=True, include={*fields, "severity", "settles"})
    return {**kept, "evidence": [fact.sha256 for fact in record.evidence]}


def _invocation(meta: Meta, summary: Summary) -> dict[str, Any]:
    notes = [f"Not looked at: {number} ({reason})" for reason, number in summary.skipped.items()]
    notes += [f"Not asked: {number} ({reason})" for reason, number in summary.denied.items()]
    if not summary.finished:
        notes.append("The scan was interrupted.")
    return {
        "executionSuccessful": summary.finished,
        "startTimeUtc": _time(meta.started),
        **({"endTimeUtc": _time(summary.ended)} if summary.ended else {}),
        "commandLine": visible(meta.command),
        "toolExecutionNotifications": [
            {"level": "note", "message": {"text": visible(note)}} for note in notes
        ],
    }


def _counts(meta: Meta, summary: Summary) -> dict[str, Any]:
    return {
        "endpoints": summary.endpoints,
        "undecided": summary.undecided,
        "access": dict(summary.access),
        "severity": dict(summary.severity),
        "position": meta.position,
        "scope": meta.scope.model_dump() if meta.scope else None,
        "tlp": meta.tlp,
    }


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
