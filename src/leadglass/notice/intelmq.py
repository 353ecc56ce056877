"""Findings as IntelMQ events (harmonised field names), one JSON object on each line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping

from leadglass.model.notice import Exposure
from leadglass.model.record_parts import Tlp

__all__ = ["as_events"]

_TLP: Mapping[Tlp, str] = {
    Tlp.CLEAR: "WHITE",
    Tlp.GREEN: "GREEN",
    Tlp.AMBER: "AMBER",
    Tlp.AMBER_STRICT: "AMBER",
    Tlp.RED: "RED",
}
"""IntelMQ knows the four words of TLP 1; the label as it was given stands in ``extra.tlp``."""


def as_events(exposures: Iterable[Exposure]) -> Iterator[str]:
    """One event for each, as a line with its end."""
    for one in exposures:
        fields = {name: value for name, value in _event(one).items() if value}
        yield json.dumps(fields, sort_keys=True) + "\n"


def _event(one: Exposure) -> Mapping[str, object]:
    return {
        "__type": "Event",
        "classification.identifier": "accessible-dicom",
        "classification.taxonomy": "vulnerable",
        "classification.type": "vulnerable-system",
        "feed.name": "leadglass",
        "protocol.application": "http" if one.web else "dicom",
        "protocol.transport": "tcp",
        "source.fqdn": one.name,
        "source.ip": one.address,
        "source.port": one.port,
        "time.source": one.seen_at.isoformat(),
        "tlp": None if one.tlp is None else _TLP[one.tlp],
        "extra.access": one.access.value,
        "extra.product": one.product,
        "extra.rules": list(one.rules),
        "extra.scan": one.scan,
        "extra.severity": one.severity.value,
        "extra.tlp": None if one.tlp is None else one.tlp.label,
        "extra.version": one.version,
    }
