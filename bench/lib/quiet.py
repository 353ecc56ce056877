"""Whether somebody else is using this machine: figures taken beside others' work flatter the slow."""

from __future__ import annotations

import os
import time
from pathlib import Path

__all__ = ["wait_until_quiet"]

_SAMPLE = 0.3
_QUIET = 0.15
_IDLE = (3, 4)
"""Columns of idle and iowait in the first line of /proc/stat (proc(5))."""


def wait_until_quiet(patience: float) -> float:
    """Wait at most ``patience`` seconds for a quiet machine; how many cores were busy at the last look."""
    until = time.monotonic() + patience
    busy = _busy_cores()
    while busy > _QUIET and time.monotonic() < until:
        busy = _busy_cores()
    return busy


def _busy_cores() -> float:
    before = _ticks()
    time.sleep(_SAMPLE)
    spent = [after - earlier for earlier, after in zip(before, _ticks(), strict=True)]
    idle = sum(spent[column] for column in _IDLE)
    return (sum(spent) - idle) / max(1, sum(spent)) * (os.cpu_count() or 1)


def _ticks() -> list[int]:
    # guest and guest_nice, at the end, are counted in user and nice already.
    return [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
