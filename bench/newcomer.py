"""How long does it take from nothing to a dossier: the steps of docs/tutorial/five-minutes.md, by machine.

A fresh copy of what is committed, a fresh environment, the page's own commands and files, a server that
answers strangers on loopback. What is measured is the machine's part; reading, and typing a password, is not.
Its table stands in the page. ``python -m bench.newcomer``; ``--quick`` installs nothing and keeps nothing.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.lib.results import machine, table
from tests.acceptance.test_command import open_archive, server
from tests.peers.newcomer import PAGE, Newcomer, blocks
from tests.peers.places import LOOPBACK, free_port

ROOT = Path(__file__).parents[1]
MOST = 300.0
"""Seconds that all of it may take."""
_ARCHIVE = 11112


def install(home: Path) -> float:
    """Do what the page's first block says in a copy of what is committed; the seconds that took."""
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(home)], check=True)
    began = time.perf_counter()
    for line in blocks("sh")[0].splitlines():
        if not line.startswith(". "):
            subprocess.run(["sh", "-ec", line], cwd=home, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def measured(*, quick: bool) -> dict[str, float]:
    """Seconds of each step."""
    with tempfile.TemporaryDirectory() as place:
        folder, home = Path(place, "work"), Path(place, "leadglass")
        folder.mkdir()
        steps = {} if quick else {"install, with packages from a registry near by": install(home)}
        program = Path(sys.executable if quick else home / ".venv/bin/python").with_name("leadglass")
        newcomer = Newcomer([str(program)], folder, free_port(LOOPBACK))
        with server(open_archive, port=_ARCHIVE):
            seen, dossier = newcomer.go()
        if "answers-query" not in seen or not dossier.startswith(b"%PDF-"):
            raise RuntimeError("it did not go as the page says")
        return steps | newcomer.seconds


def main() -> int:
    """Measure, show, and put it into the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="try it out; the page stays as it is")
    quick = parser.parse_args().quick
    about = machine()
    steps = measured(quick=quick)
    total = sum(steps.values())
    rows = [*((step, f"{seconds:.1f}") for step, seconds in steps.items()), ("**all of it**", f"{total:.1f}")]
    shown = f"{table(('step', 'seconds'), rows)}\n\nMeasured by `python -m bench.newcomer` on {about}"
    print(shown)
    if not quick:
        page = PAGE.read_text("utf-8")
        begin, end = "<!-- newcomer: begin -->", "<!-- newcomer: end -->"
        parts = re.split(f"({begin}|{end})", page)
        PAGE.write_text("".join([parts[0], begin, f"\n{shown}\n", end, parts[4]]), "utf-8")
    return int(total > MOST)


if __name__ == "__main__":
    sys.exit(main())
