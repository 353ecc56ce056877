"""What all our SARIF 2.1.0 logs have in common: the schema, and how our severities are called there."""

from __future__ import annotations

from collections.abc import Mapping

from leadglass.model.verdict import Severity

__all__ = ["LEVEL", "SARIF_SCHEMA", "SCORE"]

SARIF_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

LEVEL: Mapping[Severity, str] = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.NONE: "none",
}
SCORE: Mapping[Severity, float] = {
    Severity.CRITICAL: 95.0,
    Severity.HIGH: 80.0,
    Severity.MEDIUM: 55.0,
    Severity.LOW: 20.0,
    Severity.NONE: 0.0,
}
"""A result's rank, 0 to 100."""
