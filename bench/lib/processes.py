"""What the processes of a command cost, from /proc (proc(5))."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterator
from pathlib import Path

__all__ = ["cpu_of", "descendants", "pss_of"]

_PSS = re.compile(rb"^Pss: +(\d+) kB$", re.MULTILINE)


def descendants(pid: int) -> Iterator[int]:
    """The processes that ``pid`` has started, and theirs."""
    for listing in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            for child in map(int, listing.read_text().split()):
                yield child
                yield from descendants(child)


def cpu_of(pid: int) -> float:
    """CPU seconds of a living process, all threads, to the nanosecond."""
    return time.clock_gettime(~pid << 3 | 2)  # the clock that clock_getcpuclockid(3) names


def pss_of(pid: int) -> int:
    """Bytes in memory, each shared page divided by those who share it; 0 if the process is gone."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        found = _PSS.search(Path(f"/proc/{pid}/smaps_rollup").read_bytes())
        return int(found[1]) * 1024 if found else 0
    return 0
