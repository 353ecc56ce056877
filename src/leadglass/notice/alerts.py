"""Alerts in words: a line, a mail, JSON for a webhook, a syslog message. What a peer wrote is in none of them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from email.message import EmailMessage
from email.policy import SMTP
from typing import Literal, TypeAlias

from leadglass.model.alert import Alert, AlertKind
from leadglass.model.alert_record import message_of, record_of
from leadglass.model.verdict import Severity

__all__ = ["Told", "as_json", "as_line", "as_mail", "as_syslog"]

Occasion: TypeAlias = Literal["raised", "escalated"]
Told: TypeAlias = tuple[Alert, Occasion]
"""An alert, and why it is told."""

_FACILITY = 10
"""Security and authorisation messages (RFC 5424 6.2.1)."""
_LEVELS = {
    Severity.CRITICAL: 2,
    Severity.HIGH: 3,
    Severity.MEDIUM: 4,
    Severity.LOW: 5,
    Severity.NONE: 5,
}
_ENTERPRISE = 32473
"""The number that RFC 5612 keeps for documentation: Leadglass has none of its own."""
_BOM = b"\xef\xbb\xbf"
_NOT_PRINTABLE = re.compile(r"[^\x21-\x7e]")
_DO = {
    AlertKind.NEW_SERVER: "Find out who runs it: declare it in the register, or close it.",
    AlertKind.NEWLY_OPEN: "Close the port, or declare it in the register.",
    AlertKind.CONTROL_LOST: "Ask what was changed there, and have it put back.",
    AlertKind.CERTIFICATE: "Have it renewed before that day.",
    AlertKind.UNDECLARED: "Declare it in the register, or close it.",
    AlertKind.ENDED: "Decide anew: accept the risk until another day, or mitigate it.",
    AlertKind.REVIEW: "Review its controls, and write the review down.",
    AlertKind.NOT_SCANNED: "Put right what stands in the way; until then nobody knows what is open.",
}


def as_line(alert: Alert, occasion: Occasion = "raised") -> str:
    """One line of text."""
    again = f" (seen {alert.times} times)" if alert.times > 1 else ""
    urgent = "nobody has acknowledged: " if occasion == "escalated" else ""
    return f"[{alert.severity}] {urgent}{_line(alert.summary)}{again}"


def as_json(told: Sequence[Told], watch: str) -> bytes:
    """The body of a webhook's message: ASCII JSON, ``leadglass schema alert``."""
    message = message_of([record_of(alert, occasion) for alert, occasion in told], watch)
    return message.model_dump_json(by_alias=True, ensure_ascii=True).encode("ascii")


def as_mail(told: Sequence[Told], watch: str, sender: str, recipient: str, date: str) -> EmailMessage:
    """One mail for all of them; ``date`` is as RFC 5322 3.3 wants it."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = sender
    mail["To"] = recipient
    mail["Date"] = date
    mail["Subject"] = _subject(told, watch)
    mail["Message-ID"] = f"<{told[0][0].id}.{told[0][1]}.{len(told)}@{sender.partition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answer from machines
    mail.set_content("\n".join(_paragraph(alert, occasion) for alert, occasion in told), cte="base64")
    return mail


def as_syslog(alert: Alert, occasion: Occasion, host: str) -> bytes:
    """One message (RFC 5424) with what programs want to know as structured data; without its length."""
    at = dt.datetime.fromtimestamp(alert.last_at, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    spot = alert.endpoint
    data = {
        "id": alert.id,
        "kind": alert.kind,
        "severity": alert.severity,
        "occasion": occasion,
        "schedule": alert.schedule,
        "scope": alert.scope,
        "address": "" if spot is None else spot.address,
        "port": "" if spot is None else str(spot.port),
        "system": alert.system or "",
        "scan": alert.scan or "",
        "registerHead": alert.head,
    }
    said = " ".join(f'{name}="{_value(value)}"' for name, value in data.items() if value)
    priority = _FACILITY * 8 + _LEVELS[alert.severity]
    name = _NOT_PRINTABLE.sub("", host)[:255] or "-"
    head = f"<{priority}>1 {at} {name} leadglass watch {alert.kind} [leadglass@{_ENTERPRISE} {said}] "
    return head.encode() + _BOM + as_line(alert, occasion).encode()


def _subject(told: Sequence[Told], watch: str) -> str:
    worst = min((alert for alert, _ in told), key=lambda alert: alert.severity.rank)
    more = f", and {len(told) - 1} more" if len(told) > 1 else ""
    text = f"[Leadglass {_line(watch)}] {worst.severity}: {_line(worst.summary)}"
    return f"{text[:180]}{more}"


def _paragraph(alert: Alert, occasion: Occasion) -> str:
    rows = [as_line(alert, occasion), f"  kind      {alert.kind}"]
    if alert.endpoint is not None:
        rows.append(f"  endpoint  {alert.endpoint}")
    if alert.system:
        rows.append(f"  system    {_line(alert.system)}")
    rows.append(f"  seen      {_when(alert.first_at)}")
    if alert.not_before is not None:
        rows.append(f"  otherwise {_when(alert.not_before)}, the last time")
    rows += [f"  scope     {_line(alert.scope)}", f"  alert     {alert.id}"]
    if alert.scan:
        rows.append(f"  scan      {alert.scan}")
    if alert.head:
        rows.append(f"  register  {alert.head}")
    if alert.kind in _DO:
        rows.append(f"  {_DO[alert.kind]}")
    return "\n".join(rows) + "\n"


def _when(at: int) -> str:
    return dt.datetime.fromtimestamp(at, dt.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _line(text: str) -> str:
    """Without anything that could be a line end or a control character."""
    return "".join(char if char.isprintable() else "?" for char in text)


def _value(text: str) -> str:
    """As a parameter of structured data has it (RFC 5424 6.3.3)."""
    return re.sub(r'(["\\\]])', r"\\\1", _line(text))[:255]
