"""Many configuration files of every kind, as a tree of projects: the fixtures of the tests, again and again."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

__all__ = ["KINDS", "make_projects"]

_FIXTURES = Path(__file__).parents[2] / "tests" / "fixtures" / "configs"
_DEBIAN = Path("/etc/orthanc")
"""Where there is an Orthanc, its own files with all their comments: those are the longest."""
_EACH = 24
"""Files in a project."""
KINDS = "fixtures of the tests, and Orthanc's own files as Debian ships them"


def make_projects(folder: Path, files: int) -> int:
    """Write ``files`` files into projects under ``folder``; how many bytes they have together."""
    total = 0
    for number, (name, raw) in zip(range(files), itertools.cycle(_originals()), strict=False):
        project = folder / f"{number // _EACH // 100:03}" / f"{number // _EACH:05}"
        project.mkdir(parents=True, exist_ok=True)
        (project / f"{number}-{name}").write_bytes(raw)
        total += len(raw)
    return total


def _originals() -> Iterator[tuple[str, bytes]]:
    """Name and content of each kind of file."""
    places = [*sorted(_FIXTURES.rglob("*")), *sorted(_DEBIAN.glob("*.json"))]
    return ((path.name, path.read_bytes()) for path in places if path.is_file())
