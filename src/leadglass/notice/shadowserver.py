"""Findings as CSIRTs already take them: a CSV with the field head of Shadowserver's ``scan_*`` reports.

The head is that of every such report (report_schema of The Shadowserver Foundation); device fields are
those of ``scan_ics``. What is not known here (network, country, sector) is left empty, not guessed.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping

from leadglass.model.notice import Exposure
from leadglass.model.verdict import Severity

__all__ = ["FIELDS", "as_csv"]

FIELDS = (
    *("timestamp", "severity", "ip", "protocol", "port", "hostname", "tag", "asn", "geo", "region", "city"),
    *("naics", "hostname_source", "sector"),
    *("device_vendor", "device_type", "device_model", "device_version", "device_sector"),
    *("access", "rules", "scan", "tlp"),
)
"""In this order; the last four are our own."""

_SEVERITY: Mapping[Severity, str] = {
    Severity.CRITICAL: "critical",
    Severity.HIGH: "high",
    Severity.MEDIUM: "medium",
    Severity.LOW: "low",
    Severity.NONE: "info",
}


def as_csv(exposures: Iterable[Exposure]) -> str:
    """The table with its head; every value is quoted, as there."""
    stream = io.StringIO()
    table = csv.DictWriter(stream, FIELDS, restval="", quoting=csv.QUOTE_ALL, lineterminator="\n")
    table.writeheader()
    for one in exposures:
        table.writerow({name: _cell(value) for name, value in _row(one).items()})
    return stream.getvalue()


def _row(one: Exposure) -> Mapping[str, str]:
    return {
        "timestamp": f"{one.seen_at:%Y-%m-%d %H:%M:%S}",
        "severity": _SEVERITY[one.severity],
        "ip": one.address,
        "protocol": "tcp",
        "port": str(one.port),
        "hostname": one.name or "",
        "tag": f"dicom;{one.access.value}",
        "hostname_source": "" if one.name is None else "scope",
        "device_type": "dicom",
        "device_model": one.product or "",
        "device_version": one.version or "",
        "access": one.access.value,
        "rules": ";".join(one.rules),
        "scan": one.scan,
        "tlp": "" if one.tlp is None else one.tlp.label,
    }


def _cell(text: str) -> str:
    """A spreadsheet runs a cell that begins like a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text
