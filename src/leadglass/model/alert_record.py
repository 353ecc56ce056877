"""What a webhook gets, and what ``watch alerts --format json`` prints: alerts as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from leadglass.model.alert import Alert, AlertKind, AlertState
from leadglass.model.verdict import Access, Severity

__all__ = ["ALERT_SCHEMA", "AlertMessage", "AlertRecord", "message_of", "record_of"]

ALERT_SCHEMA = "leadglass.alert/1"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AlertEndpoint(_Strict):
    """Where."""

    address: str
    port: int
    name: str | None = None


class AlertRecord(_Strict):
    """One alert. Times are POSIX seconds."""

    id: str = Field(description="A ULID; the same whenever it is told.")
    key: str = Field(description="What makes two alerts the same.")
    kind: AlertKind
    severity: Severity
    state: AlertState
    schedule: str
    scope: str
    summary: str = Field(description="One line.")
    endpoint: AlertEndpoint | None = None
    system: str | None = Field(default=None, description="The system of the register, if it knows one.")
    before: Access | None = None
    after: Access | None = None
    scan: str | None = Field(default=None, description="The scan that saw it.")
    not_before: int | None = Field(
        default=None,
        description="The last look that saw it otherwise: it happened between then and first_at.",
    )
    first_at: int
    last_at: int
    times: int
    changed_by: str = ""
    register_head: str = Field(
        default="", description="Hash of the register's last entry when it was raised; empty: no entry."
    )
    occasion: Literal["raised", "escalated"] = "raised"


class AlertMessage(_Strict):
    """One message: alerts that are told together, oldest first."""

    schema_: Literal["leadglass.alert/1"] = Field(default="leadglass.alert/1", alias="schema")
    watch: str = Field(default="", description="Whose watch tells it.")
    alerts: tuple[AlertRecord, ...]


def record_of(alert: Alert, occasion: Literal["raised", "escalated"] = "raised") -> AlertRecord:
    """An alert as it is told."""
    spot = alert.endpoint
    return AlertRecord(
        id=alert.id,
        key=alert.key,
        kind=alert.kind,
        severity=alert.severity,
        state=alert.state,
        schedule=alert.schedule,
        scope=alert.scope,
        summary=alert.summary,
        endpoint=None
        if spot is None
        else AlertEndpoint(address=spot.address, port=spot.port, name=spot.name),
        system=alert.system,
        before=alert.before,
        after=alert.after,
        scan=alert.scan,
        not_before=alert.not_before,
        first_at=alert.first_at,
        last_at=alert.last_at,
        times=alert.times,
        changed_by=alert.changed_by,
        register_head=alert.head,
        occasion=occasion,
    )


def message_of(records: Sequence[AlertRecord], watch: str = "") -> AlertMessage:
    """Alerts that are told together."""
    return AlertMessage(watch=watch, alerts=tuple(records))
