"""``leadglass scan`` as a program that measures itself, from the first shard to the last commit.

``python -m bench.lib.leadglass BASE COUNT PORTS WINDOW PROCESSES``: every address on every port, into a
new database on disk. Prints what the C programs print, one line of JSON, with the words for access as keys.

It runs what the command runs, ``wiring.session.run``. The clock starts when the processes that ask are
up, before the first shard is handed out, and stops when the last one is committed: the C client's time
holds no start-up either. CPU is that of all processes in that time. All of them share as many cores as
PROCESSES says; each that asks keeps WINDOW connections open at once, because it may open no more files.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from bench.lib.addresses import Block
from bench.lib.command import DATABASE, on_disk
from bench.lib.processes import cpu_of, descendants
from bench.lib.scopes import scope_text

from leadglass import wiring
from leadglass.model.rung import Rung
from leadglass.scan.foreman import Foreman, Outcome
from leadglass.scope.parse import parse
from leadglass.store.database import Database
from leadglass.store.reading import tally
from leadglass.store.scans import StoredScan, begin, complete
from leadglass.wiring.session import HERE, ScopeFile, plan_of, run
from leadglass.wiring.storage import open_storage

__all__ = ["begun"]

_RESERVED = 64
"""Descriptors that a scan leaves for other things than connections (``wiring.scanning``)."""
_PATIENCE = 30.0
_POLLER = "anon_inode:[eventpoll]"


def begun(database: Database, block: Block, ports: tuple[int, ...]) -> StoredScan:
    """A scan of this, ready to run."""
    text = scope_text(block, ports)
    scope = parse(text, filename="bench", moment=wiring.clock().posix())
    return begin(database, plan_of(ScopeFile(scope, text, "bench"), "bench", Rung.ASSOCIATE))


@dataclass(slots=True)
class _Stopwatch:
    """Time and CPU from ``start``, when all members are up, to the last ``split``."""

    members: tuple[int, ...] = ()
    seconds: float = 0.0
    cpu: float = 0.0
    _began: float = 0.0
    _spent: float = 0.0

    def start(self, _: Foreman) -> None:
        """Wait until the members, which were started just now, wait for work; then begin."""
        self.members = tuple(descendants(os.getpid()))
        deadline = time.monotonic() + _PATIENCE
        while not all(map(_is_up, self.members)):
            if time.monotonic() > deadline:
                raise RuntimeError("the processes that ask did not start")
            time.sleep(0.01)
        self._spent, self._began = self._cpu(), time.perf_counter()

    def split(self, _: int) -> None:
        """A shard was committed."""
        self.seconds = time.perf_counter() - self._began
        self.cpu = self._cpu() - self._spent

    def _cpu(self) -> float:
        return sum(map(cpu_of, (os.getpid(), *self.members)))


def _is_up(pid: int) -> bool:
    """Whether this member has read its orders: the last thing that it makes is its poller."""
    return _POLLER in map(_behind, Path(f"/proc/{pid}/fd").iterdir())


def _behind(handle: Path) -> str:
    """What an open file is; "" if it was closed just now."""
    try:
        return str(handle.readlink())
    except FileNotFoundError:
        return ""


def _measured(database: Database, stored: StoredScan, processes: int) -> dict[str, float]:
    watch = _Stopwatch()
    outcome = run(database, stored, HERE, watch.split, watch.start)
    if outcome is not Outcome.COMPLETE or not complete(database, stored):
        raise RuntimeError(f"the scan did not come to its end: {outcome}")
    if len(watch.members) != processes:
        raise RuntimeError(f"{len(watch.members)} processes asked, not {processes}")
    found = {word.value: count for word, count in tally(database, stored).access.items()}
    return {**found, "seconds": watch.seconds, "cpu": watch.cpu}


def main() -> None:
    first, count, ports, window, processes = sys.argv[1:]
    files, cores = int(window) + _RESERVED, sorted(os.sched_getaffinity(0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    os.sched_setaffinity(0, cores[-int(processes) :])
    with on_disk() as home, open_storage(str(home / DATABASE)) as database:
        stored = begun(database, Block(first, int(count)), tuple(map(int, ports.split(","))))
        print(json.dumps(_measured(database, stored, int(processes))))


if __name__ == "__main__":
    main()
