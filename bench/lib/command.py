"""The installed command ``leadglass scan``, as a user calls it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.lib.addresses import Block
from bench.lib.scopes import scope_text

__all__ = ["DATABASE", "REPORT", "on_disk", "scan_command"]

DATABASE, REPORT, _SCOPE = "bench.sqlite", "report.csv", "scope.toml"


@contextmanager
def on_disk() -> Iterator[Path]:
    """A new directory, not in memory as /tmp often is; it goes when the block ends."""
    with TemporaryDirectory(prefix="leadglass-bench-", dir="/var/tmp") as directory:
        yield Path(directory)


def scan_command(home: Path, block: Block, ports: Sequence[int]) -> list[str | Path]:
    """The words that scan ``block`` into ``home / DATABASE`` and report it to ``home / REPORT``."""
    scope = home / _SCOPE
    scope.write_text(scope_text(block, ports))
    kept = ("--database", home / DATABASE, "--format", "csv", "--output", home / REPORT)
    command = Path(sys.executable).with_name("leadglass")
    return [command, "scan", "--scope", scope, *kept, "--fail-on", "critical"]
