"""bench/RESULTS.md: each bench has a section between markers, and rewrites no other."""

from __future__ import annotations

import datetime as dt
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

__all__ = ["keep", "machine", "table", "version_of"]

_PAGE = Path(__file__).parents[1] / "RESULTS.md"


def keep(name: str, body: str) -> None:
    """Put ``body`` in the place of what the bench ``name`` wrote before, or at the end."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    section = f"{begin}\n## {name}\n\n{body.strip()}\n{end}"
    page = _PAGE.read_text()
    before, found, rest = page.partition(begin)
    if found:
        after = rest.partition(end)[2]
        _PAGE.write_text(before + section + after)
    else:
        _PAGE.write_text(f"{page.rstrip()}\n\n{section}\n")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def machine(*versions: str) -> str:
    """The day, the machine, how busy it was, and the versions that count."""
    today = dt.datetime.now(tz=dt.UTC).date().isoformat()
    system = platform.freedesktop_os_release().get("PRETTY_NAME", "Linux")
    about = [
        f"{os.cpu_count()} cores ({_processor()})",
        f"Linux {platform.release()}",
        system,
        f"Python {platform.python_version()}",
        *versions,
    ]
    return f"{today}, {', '.join(about)}; load when it began {os.getloadavg()[0]:.2f}."


def version_of(*programs: str) -> list[str]:
    """Name and version of each of these programs that is here: the first line of what it says."""
    found = []
    for name in programs:
        path = shutil.which(name)
        if path is not None:
            said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
            number = re.search(r"\d+(\.\d+)+", said.partition("\n")[0].rpartition(")")[2] or said)
            found.append(f"{name} {number[0] if number else ''}".strip())
    return found


def _processor() -> str:
    found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1] if found else platform.machine()
