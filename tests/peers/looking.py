"""Running Leadglass as a user does, from the other side of the cable, and reading what it says."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.peers.places import Place

from leadglass import cli

__all__ = ["AUTHORISED", "RUNGS", "Seen", "leadglass", "look", "repeat"]

ROOT = Path(__file__).parents[2]
RUNGS = ("connect", "associate", "negotiate", "blank-query")
AUTHORISED = ("--authorised-by", "A. Tester, change 4711")


@dataclass(frozen=True, slots=True)
class Seen:
    """One scan record, and how the command ended that printed it."""

    record: dict[str, Any]
    exit_code: int

    @property
    def access(self) -> str:
        """The one word."""
        return str(self.record["access"])

    @property
    def software(self) -> str | None:
        """The product's name."""
        name: str | None = self.record["software"]["product"]
        return name

    def capability(self, name: str) -> str:
        """How far ``name`` was established."""
        return str(self.record["capabilities"][name])

    @property
    def rules(self) -> set[str]:
        """The rules that fired."""
        return {reason.partition(":")[0] for reason in self.record["reasons"]}

    def fact(self, identifier: str) -> Any:
        """The value of one piece of evidence; ``KeyError`` if it is not there."""
        return {fact["id"]: fact["value"] for fact in self.record["evidence"]}[identifier]


def leadglass(
    place: Place, words: Sequence[str | Path], cwd: Path, timeout: float = 120
) -> subprocess.CompletedProcess[str]:
    """Run the command line at ``place``; files that it writes unasked fall into ``cwd``."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "HOME": str(cwd), "TMPDIR": str(cwd)}
    # A core file would hold everything: it must be able to appear for a test to miss it.
    argv = ["prlimit", "--core=unlimited", sys.executable, "-m", "leadglass", *words]
    return place.run(argv, cwd=cwd, env=environment, timeout=timeout)


def repeat(place: Place, lines: Sequence[Sequence[str]], timeout: float = 120) -> list[int]:
    """Run several command lines at ``place``, one after the other in one process; their exit codes."""
    told = place.must(
        [sys.executable, "-m", "tests.peers.repeat"],
        input="".join(f"{shlex.join(words)}\n" for words in lines),
        stdin=None,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"},
        timeout=timeout,
    )
    return [int(code) for code in told.split()]


def look(place: Place, target: str, cwd: Path, *options: str, rung: str = "blank-query") -> Seen:
    """What ``leadglass check`` says of one endpoint, seen from ``place``; run in this process, which is quicker."""
    report = cwd / f"{target}-{rung}.jsonl"
    how = ["--deepest", rung, "--fail-on", "low", "--format", "jsonl", "--output", str(report)]
    with place.inside():
        code = cli.main(["check", target, *AUTHORISED, *how, *options])
    (line,) = report.read_text().splitlines()
    return Seen(json.loads(line), code)
