"""Alerts as rows, and back."""

from __future__ import annotations

from typing import Any

from leadglass.model.alert import Alert, AlertKind, AlertState
from leadglass.model.endpoint import Endpoint
from leadglass.model.key import pack, unpack
from leadglass.model.verdict import Access, Severity

__all__ = ["alert_of", "row_of"]

_WORDS = ("id", "key", "schedule", "scope", "summary", "first_at", "last_at", "times", "system", "scan")
_MORE = ("not_before", "changed_by", "head")


def row_of(alert: Alert, source: str) -> dict[str, Any]:
    """The columns of ``alert``, which ``source`` (a scan, an order) told of."""
    spot = alert.endpoint
    return {
        **{name: getattr(alert, name) for name in (*_WORDS, *_MORE)},
        "open_key": None if alert.state is AlertState.CLOSED else alert.key,
        "kind": alert.kind.value,
        "severity": alert.severity.value,
        "state": alert.state.value,
        "endpoint": None if spot is None else pack(spot.address, spot.port),
        "endpoint_name": None if spot is None else spot.name,
        "before": None if alert.before is None else alert.before.value,
        "after": None if alert.after is None else alert.after.value,
        "last_source": source,
    }


def alert_of(row: Any) -> Alert:
    """The alert that a row with all columns is."""
    return Alert(
        **{name: getattr(row, name) for name in (*_WORDS, *_MORE)},
        kind=AlertKind(row.kind),
        severity=Severity(row.severity),
        state=AlertState(row.state),
        endpoint=None if row.endpoint is None else Endpoint(*unpack(row.endpoint), row.endpoint_name),
        before=None if row.before is None else Access(row.before),
        after=None if row.after is None else Access(row.after),
    )
