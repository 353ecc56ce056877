"""A spool in a folder of the test's own, written and read back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from leadglass.ledger.chain import Entry, read_entry
from leadglass.ledger.verify import Broken, Verified, verify
from leadglass.store.spool import Spool, open_spool
from leadglass.store.spooled import START, Position, anchors_of, files_of, lines_of, unsent

WRITER = "worker-0"
NOW = 1_795_237_200.000_120  # 2026-11-21T05:00:00.000120Z


def opened(folder: Path, **more: Any) -> Spool:
    return open_spool(folder, WRITER, lambda: NOW, **{"reserve": 1 << 16, **more})


def written(folder: Path, count: int, **more: Any) -> None:
    with opened(folder, **more) as spool:
        for i in range(count):
            spool.append({"i": i})


def bodies(folder: Path) -> list[Any]:
    entries = [read_entry(line) for line in lines_of(files_of(WRITER, folder))]
    return [entry.body for entry in entries if entry is not None]


def verified(folder: Path) -> Verified | Broken:
    return verify(lines_of(files_of(WRITER, folder)), *anchors_of(folder, WRITER))


def behind(folder: Path, position: Position = START) -> Iterator[tuple[Entry | None, Position]]:
    return unsent(folder, WRITER, position)
