"""How long does ``leadglass lint`` take for a tree of 10,000 configuration files, and how much memory.

The installed command, with its start-up and its report, reads projects made from the fixtures of the
tests; its result is compared with the number of files. ``python -m bench.lint``; ``--quick`` tries it
out with fewer files and keeps nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.lib.configurations import KINDS, make_projects
from bench.lib.quiet import wait_until_quiet
from bench.lib.results import keep, machine, table

FULL, QUICK = 10_000, 500
ROUNDS = 3
SOON = 30.0
"""Seconds that 10,000 files may take on two cores."""
_PATIENCE = 20.0


@dataclass(frozen=True, slots=True)
class Run:
    """One call of the command."""

    form: str
    seconds: float
    cpu: float
    """CPU seconds of all processes."""
    findings: int
    read: int


def run(folder: Path, form: str, files: int) -> Run:
    """Lint the tree, and make sure that every file was looked at."""
    report = folder.with_suffix(".json")
    installed = str(Path(sys.executable).with_name("leadglass"))
    command = [installed, "lint", str(folder), "--format", form, "--output", str(report)]
    before, began = _cpu(), time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - began
    if done.returncode not in {0, 1}:
        raise RuntimeError(f"exit {done.returncode}: {done.stderr[-2000:]}")
    counted = _counted(json.loads(report.read_text())) if form == "json" else (files, 0, files)
    if counted[0] != files:
        raise RuntimeError(f"{counted[0]} files were looked at, not {files}")
    return Run(form, seconds, _cpu() - before, counted[1], counted[2])


def _counted(report: dict[str, list[object]]) -> tuple[int, int, int]:
    read = len(report["files"])
    return read + len(report["unknown"]) + len(report["broken"]), len(report["findings"]), read


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def rows(runs: Sequence[Run], files: int) -> list[tuple[str, ...]]:
    """One row a form: its quickest run, for others only ever slow it down."""
    best = {
        form: min((one for one in runs if one.form == form), key=lambda one: one.seconds) for form in FORMS
    }
    return [
        (
            form,
            f"{one.seconds:.1f}",
            f"{files / one.seconds:,.0f}",
            f"{one.cpu:.1f}",
            f"{one.cpu / files * 1000:.2f}",
        )
        for form, one in best.items()
    ]


FORMS = ("json", "text")
HEAD = ("report", "seconds", "files a second", "CPU seconds", "CPU milliseconds a file")


def body(runs: Sequence[Run], files: int, size: int, begun: str) -> str:
    """What is to be read of it."""
    told = next(one for one in runs if one.form == "json")
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    shown = rows(runs, files)
    slowest = max(float(row[1]) for row in shown)
    about = (
        f"{files:,} files, {size / 1e6:.1f} MB ({KINDS}), {told.read:,} of a known kind, {told.findings:,} findings; "
        f"{os.cpu_count()} processes read. The whole command, with start-up and report, the best of "
        f"{len(runs) // len(FORMS)}."
    )
    said = (
        f"- at most {SOON:.0f} s: {slowest:.1f} s, {'reached' if slowest <= SOON else 'missed'}\n"
        f"- the largest of its processes had {largest:.0f} MiB"
    )
    return "\n\n".join((begun, about, table(HEAD, shown), said))


def main() -> None:
    """Measure, print, and keep what came out."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="fewer files; nothing is kept")
    is_quick = parser.parse_args().quick
    files = QUICK if is_quick else FULL
    begun = machine()
    with tempfile.TemporaryDirectory(prefix="leadglass-bench-") as place:
        folder = Path(place) / "projects"
        size = make_projects(folder, files)
        runs = []
        for form in FORMS * (1 if is_quick else ROUNDS):
            busy = wait_until_quiet(0 if is_quick else _PATIENCE)
            runs.append(run(folder, form, files))
            print(f"  {form}: {runs[-1].seconds:.1f} s ({busy:.2f} cores busy before)", flush=True)
    said = body(runs, files, size, begun)
    print(said)
    if not is_quick:
        keep("lint", said)


if __name__ == "__main__":
    main()
