"""Entries of the spool as events: what was written by the guard, and what was noted about the trail itself."""

from __future__ import annotations

import datetime as dt
from typing import Any

from leadglass.errors import RemoteProtocolError
from leadglass.guard.audit.bodies import event_of
from leadglass.guard.audit.events import AuditEvent, Happening, Outcome
from leadglass.ledger.chain import Entry

__all__ = ["damage", "told"]

_NOTES = {
    "cut": "{octets} octets behind the last whole entry were cut off; SHA-256 {sha256}",
    "lost": "entries {first} to {last} had been written and are gone",
    "file-lost": "the file that was written to was deleted, after entry {last}",
    "not-synced": "a loss of power could take entries {first} to {last}: {why}",
}
"""What the notes of ``store.spool`` say. What was cut off stays in the spool: it may name a patient."""


def told(entry: Entry) -> AuditEvent:
    """What ``entry`` tells; one that tells nothing known is told as that."""
    try:
        body = entry.body
        return _noted(entry, body) if "note" in body else event_of(body)
    except (RemoteProtocolError, ValueError, TypeError, RecursionError):
        return _about(entry.at, Outcome.SERIOUS, f"entry {entry.n} tells no event")


def damage(after: int, at: dt.datetime) -> AuditEvent:
    """A line behind entry ``after`` cannot be read."""
    return AuditEvent(
        Happening.AUDIT_REPAIRED, at, Outcome.SERIOUS, reason=f"an entry behind entry {after} is damaged"
    )


def _noted(entry: Entry, body: dict[str, Any]) -> AuditEvent:
    try:
        said = _NOTES[str(body["note"])].format_map(body)
    except KeyError:
        said = "a note about the trail"
    return _about(entry.at, Outcome.MINOR, f"entry {entry.n}: {said}")


def _about(at: str, outcome: Outcome, reason: str) -> AuditEvent:
    try:
        moment = dt.datetime.fromisoformat(at).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        moment = dt.datetime.fromtimestamp(0, dt.UTC)
    return AuditEvent(Happening.AUDIT_REPAIRED, moment, outcome, reason=reason)
