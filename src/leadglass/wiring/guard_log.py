"""The guard's log: one JSON object a line on standard error, never a patient's name."""

from __future__ import annotations

import json
import logging
import time
import traceback
from collections.abc import Mapping

from leadglass.guard.audit.events import AuditEvent, Happening, Outcome

__all__ = ["log", "mistake", "open_log", "refusal"]

_REFUSALS = frozenset({Happening.ASSOCIATION, Happening.LOGIN, Happening.REFUSED})
_LOGGER = logging.getLogger("leadglass.guard")


class _Lines(logging.Formatter):
    """JSON Lines."""

    def format(self, record: logging.LogRecord) -> str:
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        given = getattr(record, "given", {})
        told = {"at": f"{moment}Z", "level": record.levelname.lower(), "event": record.getMessage(), **given}
        return json.dumps(told)


def open_log() -> None:
    """Send everything to standard error, as lines."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Lines())
    _LOGGER.addHandler(handler)
    _LOGGER.setLevel(logging.INFO)
    _LOGGER.propagate = False


def log(event: str, given: Mapping[str, str]) -> None:
    """Something an operator should see."""
    level = logging.WARNING if event in {"problem", "break-glass begins", "refused"} else logging.INFO
    _LOGGER.log(level, event, extra={"given": dict(given)})


def refusal(event: AuditEvent) -> None:
    """Say why somebody was turned away or denied: DICOM has a number for it at most, and no words."""
    if event.outcome is Outcome.SUCCESS or event.happening not in _REFUSALS:
        return
    told = {
        # Not who somebody claimed to be: people type their passcode where the name belongs.
        "who": None if event.who is None else event.who.name,
        "device": event.device,
        "title": event.title,
        "address": event.address,
        "action": None if event.action is None else event.action.value,
        "reason": event.reason,
        "rules": ", ".join(event.rules),
    }
    log("refused", {key: value for key, value in told.items() if value})


def mistake(exc: BaseException) -> None:
    """An exception that should not have been: where it was raised, without its words, which may hold anything."""
    where = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(exc.__traceback__)][-3:]
    _LOGGER.error("mistake", extra={"given": {"type": type(exc).__name__, "where": " ".join(where)}})
