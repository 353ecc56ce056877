"""The audit trail on a disk that is really full, and by processes that are really killed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import DEEP

from leadglass.errors import ResourceError
from leadglass.ledger.chain import read_entry
from leadglass.ledger.verify import Verified, verify
from leadglass.store.spool import Spool, open_spool
from leadglass.store.spooled import anchors_of, files_of, lines_of, unfinished

WRITER = "worker-0"


def opened(folder: Path, **more: Any) -> Spool:
    return open_spool(folder, WRITER, time.time, **more)


# ---- a full disk


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one mebibyte, of the test's own."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "leadglass-test", place], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("needs root that may mount")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def fill(disk: Path) -> Path:
    """Take all room that is left."""
    path = disk / "other-program"
    with path.open("ab", buffering=0) as stream:
        for size in (4096, 1):
            try:
                while stream.write(bytes(size)):
                    pass
            except OSError:
                continue
    return path


def use_up(spool: Spool, *, reserved: bool = False) -> int:
    """Append until that cannot be; how many could be."""
    for i in range(10_000):
        try:
            spool.append({"i": i}, reserved=reserved)
        except ResourceError:
            return i
    raise AssertionError("there was no end")


def written(folder: Path) -> list[Any]:
    entries = [read_entry(line) for line in lines_of(files_of(WRITER, folder))]
    return [entry.body["i"] for entry in entries if entry is not None]


def test_on_a_full_disk_only_what_is_reserved_is_written_until_there_is_room(small_disk: Path) -> None:
    folder = small_disk / "audit"
    with opened(folder, reserve=128 << 10) as spool:
        spool.append({"i": 0})
        other = fill(small_disk)
        use_up(spool)  # the last block may have room for some
        with pytest.raises(ResourceError, match="no space left"):
            spool.append({"i": 0})
        before = spool.head.n

        for i in range(100):
            spool.append({"i": i}, reserved=True)
            fill(small_disk)  # whoever takes the disk does not get this room
        with pytest.raises(ResourceError):
            spool.append({"i": 0})
        assert not spool.has_reserve

        other.unlink()
        spool.append({"i": 1000})
        assert spool.has_reserve

    assert written(folder)[before:] == [*range(100), 1000]
    assert isinstance(verify(lines_of(files_of(WRITER, folder)), *anchors_of(folder, WRITER)), Verified)


def test_the_reserve_has_an_end_and_then_nothing_is_written(small_disk: Path) -> None:
    folder = small_disk / "audit"
    with opened(folder, reserve=64 << 10) as spool:
        fill(small_disk)
        count = use_up(spool, reserved=True)

        assert count > 200
        assert spool.head.n == count
        with pytest.raises(ResourceError, match="no space left"):
            spool.append({"i": count}, reserved=True)
    assert written(folder) == list(range(count))


def test_a_guard_that_is_killed_on_a_full_disk_goes_on_in_its_reserve(small_disk: Path) -> None:
    folder = small_disk / "audit"
    spool = opened(folder, reserve=128 << 10)
    other = fill(small_disk)
    for i in range(10):
        spool.append({"i": i}, reserved=True)
    # Killed: nothing is closed, only the lock goes.
    os.close(spool._lock)

    with opened(folder, reserve=128 << 10) as again:
        with pytest.raises(ResourceError):
            again.append({"i": -1})
        for i in range(10, 20):
            again.append({"i": i}, reserved=True)
        other.unlink()
        again.append({"i": 20})

    assert written(folder) == list(range(21))
    assert isinstance(verify(lines_of(files_of(WRITER, folder)), *anchors_of(folder, WRITER)), Verified)


def test_a_disk_that_is_full_from_the_beginning_takes_nothing_ordinary(small_disk: Path) -> None:
    with opened(small_disk / "audit", reserve=2 << 20) as spool:
        with pytest.raises(ResourceError, match="no space left"):
            spool.append({"i": 0})
        spool.append({"i": 1}, reserved=True)  # there is room, though not for a reserve

        assert spool.head.n == 1


# ---- killed writers


WRITING = """
import os, sys, time
from pathlib import Path
from leadglass.store.spool import open_spool
with open_spool(Path(sys.argv[1]), "worker-0", time.time, reserve=1 << 16, rotate_at=200_000) as spool:
    i = spool.head.n
    while True:
        spool.append({"i": i, "text": "x" * (i * 7919 % 20_000)}, reserved=i % 3 == 0)
        os.write(1, b"%d\\n" % i)
        i += 1
        if i % 50 == 0:
            spool.sync()
"""


@pytest.mark.timeout(600)
def test_a_writer_that_is_killed_at_any_moment_leaves_a_chain_that_holds(tmp_path: Path) -> None:
    folder, progress = tmp_path / "audit", tmp_path / "progress"
    torn = 0
    for i in range(50 if DEEP else 6):
        with progress.open("ab") as output:
            process = subprocess.Popen([sys.executable, "-c", WRITING, folder], stdout=output)
        before = progress.stat().st_size
        while progress.stat().st_size == before:
            assert process.poll() is None
            time.sleep(0.005)
        time.sleep((i * 37 % 50) / 1000)
        process.kill()
        process.wait()
        torn += bool(unfinished(files_of(WRITER, folder)))
    opened(folder).close()

    entries = [read_entry(line) for line in lines_of(files_of(WRITER, folder))]
    bodies = [entry.body for entry in entries if entry is not None]
    assert isinstance(verify(lines_of(files_of(WRITER, folder)), *anchors_of(folder, WRITER)), Verified)
    # What a writer had come back from is there, and each torn line is told once; the last one's not yet.
    assert {int(line) for line in progress.read_text().splitlines()} <= {body.get("i") for body in bodies}
    assert len([body for body in bodies if body.get("note") == "cut"]) in {torn, torn - 1}
