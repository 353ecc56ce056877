"""What a report of a lint is made from, and what all its forms count alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from leadglass.configs.accepting import Weighed
from leadglass.configs.lint import Linted
from leadglass.model.finding import Finding
from leadglass.model.verdict import Severity
from leadglass.report.words import count
from leadglass.settings.baseline_file import AcceptedTable

__all__ = ["LintReport"]


@dataclass(frozen=True)
class LintReport:
    """Everything that a form may tell."""

    linted: Linted
    weighed: Weighed
    fail_on: Severity
    """The severity from which on a finding fails the lint."""
    tool_version: str
    skipped: tuple[tuple[str, str], ...] = ()
    """Path and reason of what was not opened."""
    named: frozenset[str] = frozenset()
    """The files that the user named one by one."""

    @cached_property
    def severity(self) -> Mapping[Severity, int]:
        """How many findings count, worst severity first; only those that occur."""
        counted = Counter(finding.severity for finding in self.weighed.open)
        return {severity: counted[severity] for severity in Severity if counted[severity]}

    @property
    def failing(self) -> tuple[Finding, ...]:
        """The findings that fail the lint."""
        return tuple(one for one in self.weighed.open if one.severity.rank <= self.fail_on.rank)

    @property
    def undecided(self) -> tuple[str, ...]:
        """Files that the user named and that are of no known kind."""
        return tuple(path for path in self.linted.unknown if path in self.named)

    @cached_property
    def accepted(self) -> Mapping[int, AcceptedTable]:
        """Who answers for the findings that do not count, by ``id`` of the finding."""
        return {id(finding): risk for finding, risk in self.weighed.accepted}

    @cached_property
    def expired(self) -> Mapping[int, AcceptedTable]:
        """Who answered until lately for findings that count again, by ``id`` of the finding."""
        return {id(finding): risk for finding, risk in self.weighed.expired}

    def summary(self) -> str:
        """One sentence: how many files, how many findings."""
        linted = self.linted
        files = [
            f"{count(len(linted.readings), 'configuration file')} read",
            f"{len(linted.unknown):,} of no known kind" if linted.unknown else "",
            f"{len(linted.broken):,} broken" if linted.broken else "",
        ]
        found = ", ".join(f"{number:,} {severity}" for severity, number in self.severity.items())
        fixable = sum(bool(finding.edits) for finding in self.failing)
        more = [
            f"{count(len(self.weighed.open), 'finding')}{f' ({found})' if found else ''}",
            f"{len(self.weighed.accepted):,} accepted" if self.weighed.accepted else "",
            f"{fixable:,} can be closed with --fix" if fixable else "",
        ]
        return f"{', '.join(filter(None, files))}: {', '.join(filter(None, more))}."
