"""The exit codes that a command gives on purpose; those of errors stand at the errors."""

from __future__ import annotations

__all__ = ["EXPOSED", "UNFINISHED"]

EXPOSED = 1
UNFINISHED = 3
