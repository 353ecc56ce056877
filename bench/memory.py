"""How much memory does ``leadglass scan`` take, and does it grow with the scope.

The installed command goes through closed ports on loopback, in a network namespace of its own (which
needs root), once with few targets and once with ten times as many. Twice a second the proportional set
sizes (PSS, proc(5)) of all of its processes are summed; the largest sum counts. Also: the size of
the database for each endpoint, and how long the report takes.
``python -m bench.memory``; ``--quick`` tries it out with fewer targets and keeps nothing.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench.lib.addresses import Block
from bench.lib.command import DATABASE, REPORT, on_disk, scan_command
from bench.lib.processes import descendants, pss_of
from bench.lib.results import keep, machine, table

FIRST, PORT = "127.1.0.0", 11190
FULL, QUICK = (1_000_000, 10_000_000), (50_000, 500_000)
EVERY = 0.5
MIB = 1 << 20
MOST = 200 * MIB
GROWTH = 1.1
"""The larger scope may take so many times the memory of the smaller one, and still count as constant."""

_ALONE = ("unshare", "--net", "--", "sh", "-c", 'ip link set lo up && exec "$0" "$@"')
_TOOLS = ("unshare", "ip")


@dataclass(slots=True)
class Phase:
    """What was seen while the command asked, or while it reported."""

    most: int = 0
    """Bytes: the largest sum."""
    of: tuple[int, ...] = ()
    """What it is the sum of: first the process that writes and reports."""
    seconds: float = 0.0

    def add(self, sizes: tuple[int, ...]) -> None:
        """One look at all processes."""
        if sum(sizes) > self.most:
            self.most, self.of = sum(sizes), sizes

    @property
    def shown(self) -> str:
        """The sum and its parts, in MiB."""
        parts = " + ".join(f"{size / MIB:.0f}" for size in self.of)
        return f"{self.most / MIB:.0f} ({parts})"


@dataclass(slots=True)
class Run:
    """One scan of so many targets."""

    targets: int
    asking: Phase = field(default_factory=Phase)
    reporting: Phase = field(default_factory=Phase)
    database: int = 0
    """Bytes of the file."""

    @property
    def most(self) -> int:
        """Bytes: the largest sum at any time."""
        return max(self.asking.most, self.reporting.most)


def run_of(targets: int) -> Run:
    """Scan so many closed ports, and watch."""
    run = Run(targets)
    with on_disk() as home:
        command = [*_ALONE, *scan_command(home, Block(FIRST, targets), (PORT,))]
        with subprocess.Popen(command) as process:
            try:
                watch(process, run)
            finally:
                process.kill()
        if process.returncode != 0:
            raise RuntimeError(f"the scan ended with {process.returncode}")
        require_all(home / REPORT, targets)
        run.database = (home / DATABASE).stat().st_size
    return run


def watch(process: subprocess.Popen[bytes], run: Run) -> None:
    """Look at all processes until the command ends; when those that ask have ended, it reports."""
    began = changed = time.monotonic()
    while process.poll() is None:
        members = list(descendants(process.pid))
        sizes = tuple(map(pss_of, (process.pid, *members)))
        if members:
            run.asking.add(sizes)
            changed = time.monotonic()
        elif run.asking.of:
            run.reporting.add(sizes)
        time.sleep(EVERY)
    run.asking.seconds, run.reporting.seconds = changed - began, time.monotonic() - changed


def require_all(report: Path, targets: int) -> None:
    """Each target has its line, and was closed."""
    with report.open() as lines:
        found = sum(",closed," in line for line in lines)
    if found != targets:
        raise RuntimeError(f"{found:,} of {targets:,} are reported")


def told(runs: list[Run]) -> Iterator[str]:
    """The table, and what became of the targets."""
    rows = [
        (
            f"{run.targets:,}",
            run.asking.shown,
            run.reporting.shown,
            f"{run.targets / run.asking.seconds:,.0f}",
            f"{run.database / run.targets:.1f}",
            f"{run.reporting.seconds:.0f} s, {run.targets / run.reporting.seconds:,.0f} a second",
        )
        for run in runs
    ]
    head = (
        "targets",
        "most while asking, MiB",
        "most while reporting, MiB",
        "asked a second",
        "bytes of database for each",
        "report (CSV)",
    )
    yield table(head, rows)
    few, many = runs
    fits = "reached" if many.most <= MOST else "missed"
    yield f"- {many.most / MIB:.0f} MiB for {many.targets:,} targets; target {MOST // MIB}: {fits}"
    grown = many.most / few.most
    is_constant = "reached" if grown <= GROWTH else "missed"
    yield f"- {grown:.2f} times that for {few.targets:,}; target constant (at most {GROWTH}): {is_constant}"


def missing() -> str | None:
    """Why this cannot be measured here; None if it can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    return next((f"there is no {tool}" for tool in _TOOLS if shutil.which(tool) is None), None)


def main() -> None:
    parser = argparse.ArgumentParser(description="memory of a scan of millions of targets")
    parser.add_argument("--quick", action="store_true", help="try it out with few targets; keep nothing")
    quick = parser.parse_args().quick
    lacking = missing()
    if lacking is not None:
        print(f"skipped: {lacking}")
        return
    head = machine()
    runs = []
    for targets in QUICK if quick else FULL:
        print(f"{targets:,} targets", flush=True)
        runs.append(run_of(targets))
    about = (
        f"Closed ports on loopback, one port for each address; PSS summed every {EVERY} s over all processes,"
        " first the one that writes and reports, then those that ask. The time while asking holds the start-up."
    )
    table_of_runs, *verdicts = told(runs)
    body = "\n\n".join((head, about, table_of_runs, "\n".join(verdicts)))
    print(body)
    if not quick:
        keep("memory", body)


if __name__ == "__main__":
    main()
