"""A scan of the lab that is one shard is seen to move while it goes on."""

from __future__ import annotations

import itertools
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.acceptance.test_command import command

from leadglass.errors import LeadglassError
from leadglass.store.database import Database, open_database
from leadglass.store.overview import scan_row
from leadglass.store.scans import find
from leadglass.store.work import Progress, progress

PATIENCE = 60.0


@pytest.fixture(scope="module")
def scope(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The lab's own, at a pace that takes some seconds."""
    path = tmp_path_factory.mktemp("lab") / "scope.toml"
    with subprocess.Popen(
        command("lab", "--scope", str(path)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as lab:
        deadline = time.monotonic() + 20
        while not (path.exists() and path.read_text()) and time.monotonic() < deadline:
            time.sleep(0.05)
        head, _, tail = path.read_text().partition("[limits]\n")
        assert tail
        path.write_text(f"{head}[limits]\nrate = 30\n{tail}")
        yield path
        lab.terminate()


def test_a_scan_of_one_shard_is_seen_to_move_and_never_back(scope: Path, tmp_path: Path) -> None:
    path = tmp_path / "scans.sqlite"
    with subprocess.Popen(
        command("scan", "--scope", str(scope), "--database", str(path)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        seen = list(looks(path, process))
    with open_database(str(path), time.time) as database:
        at_last, row = progress(database, find(database, "last")), shown(database)

    between = [far for far, _ in seen if 0 < far.share < 1]
    assert at_last.shards == 1, "the lab has grown: this needs a smaller one"
    assert len({far.asked for far in between}) >= 2
    assert {(far.done, far.seen) for far in between} == {(0, 0)}
    assert all(earlier.asked <= later.asked for (earlier, _), (later, _) in itertools.pairwise(seen))
    assert any(0 < listed < 1 for _, listed in seen)
    assert (at_last.share, at_last.under_way, at_last.seen, row) == (1, 0, at_last.endpoints, 1)


def looks(path: Path, process: subprocess.Popen[bytes]) -> Iterator[tuple[Progress, float]]:
    """What is told of the scan, by itself and in a list, until its process ends."""
    until = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < until:
        time.sleep(0.2)
        try:
            with open_database(str(path), time.time) as database:
                yield progress(database, find(database, "last")), shown(database)
        except LeadglassError:
            continue  # it has not begun


def shown(database: Database) -> float:
    row = scan_row(database, find(database, "last").plan.ulid)
    assert row is not None
    return row.progress
