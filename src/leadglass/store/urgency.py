"""Severity and access as one number that sorts: 0 is worst."""

from __future__ import annotations

from leadglass.model.verdict import Access, Severity

__all__ = ["SILENT", "STEPS", "access_of", "severity_of", "urgency_below", "urgency_of"]

STEPS = 16
"""From one severity to the next; there are fewer words for access."""
SILENT = Access.FILTERED.rank
"""Of the ranks of access, those from here on are no answer."""

_SEVERITY, _ACCESS = tuple(Severity), tuple(Access)


def urgency_of(severity: Severity, access: Access) -> int:
    """The number for both."""
    return severity.rank * STEPS + access.rank


def urgency_below(severity: Severity) -> int:
    """The first number that is milder than ``severity``."""
    return (severity.rank + 1) * STEPS


def severity_of(urgency: int) -> Severity:
    """The severity in it."""
    return _SEVERITY[urgency // STEPS]


def access_of(urgency: int) -> Access:
    """The access in it."""
    return _ACCESS[urgency % STEPS]
