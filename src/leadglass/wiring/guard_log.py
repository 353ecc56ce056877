"""The guard's log: one JSON object a line on standard error, never a patient's name."""

from __future__ import annotations

import json
import logging
import time
import traceback
from collections.abc import Mapping

__all__ = ["log", "mistake", "open_log"]

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
    level = logging.WARNING if event in {"problem", "break-glass begins"} else logging.INFO
    _LOGGER.log(level, event, extra={"given": dict(given)})


def mistake(exc: BaseException) -> None:
    """An exception that should not have been: where it was raised, without its words, which may hold anything."""
    where = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(exc.__traceback__)][-3:]
    _LOGGER.error("mistake", extra={"given": {"type": type(exc).__name__, "where": " ".join(where)}})
