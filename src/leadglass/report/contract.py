"""The contract of every report.

``begin`` once, ``add`` for each record, ``end`` once, also after an interruption. What a
report needs to know beside its records comes in ``Meta`` before and ``Summary`` after;
``Tally`` makes the latter while records go by, in memory that does not grow with them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from leadglass.model.record import ScanRecord, ScopeNote, Tlp
from leadglass.model.verdict import Access, Position, Severity

__all__ = ["Meta", "ReportWriter", "Summary", "Tally"]


@dataclass(frozen=True, slots=True)
class Meta:
    """What is known when a scan begins."""

    scan: str
    started: datetime
    """Aware, UTC."""
    tool_version: str
    command: str
    """The command line, as typed."""
    position: Position = Position.UNKNOWN
    scope: ScopeNote | None = None
    """None: loopback, where none is needed."""
    tlp: Tlp | None = None
    """How far the report may be passed on; None: nobody said."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What is known when a scan ends. Mappings hold only what occurred."""

    endpoints: int
    """Endpoints with a record."""
    access: Mapping[Access, int] = field(default_factory=dict)
    severity: Mapping[Severity, int] = field(default_factory=dict)
    undecided: int = 0
    """Endpoints that are ``inconclusive``."""
    skipped: Mapping[str, int] = field(default_factory=dict)
    """Reason to number of endpoints that were left out, e.g. excluded or not resolved."""
    denied: Mapping[str, int] = field(default_factory=dict)
    """Reason to number of questions that the scope did not permit."""
    finished: bool = True
    """False: interrupted; what is missing can be resumed."""
    ended: datetime | None = None
    """Aware, UTC."""


class Tally:
    """Counts while records go by."""

    def __init__(self) -> None:
        self._access: Counter[Access] = Counter()
        self._severity: Counter[Severity] = Counter()
        self._skipped: Counter[str] = Counter()
        self._denied: Counter[str] = Counter()

    def add(self, record: ScanRecord) -> None:
        """Count one endpoint."""
        self._access[record.access] += 1
        self._severity[record.severity] += 1

    def skipped(self, reason: str, endpoints: int = 1) -> None:
        """Count endpoints that were left out."""
        self._skipped[reason] += endpoints

    def denied(self, reason: str, questions: int = 1) -> None:
        """Count questions that the scope did not permit."""
        self._denied[reason] += questions

    def summary(self, *, finished: bool, ended: datetime | None = None) -> Summary:
        """The counts so far, worst first."""
        return Summary(
            endpoints=self._access.total(),
            access={access: self._access[access] for access in Access if self._access[access]},
            severity={
                severity: self._severity[severity] for severity in Severity if self._severity[severity]
            },
            undecided=self._access[Access.INCONCLUSIVE],
            skipped=dict(sorted(self._skipped.items())),
            denied=dict(sorted(self._denied.items())),
            finished=finished,
            ended=ended,
        )


class ReportWriter(Protocol):
    """One report, written to the text stream it was made with.

    Methods raise only what the stream raises (``OSError`` on a full disk).
    """

    def begin(self, meta: Meta) -> None:
        """Called once, first."""
        ...

    def add(self, record: ScanRecord) -> None:
        """Called for each record, in any order of endpoints."""
        ...

    def end(self, summary: Summary) -> None:
        """Called once, last, also when the scan was interrupted. The stream stays open."""
        ...
