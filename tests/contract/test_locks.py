"""One process at a time runs a scan that lies in a file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.contract.conftest import Opening
from tests.contract.samples import plan, ulid

from leadglass.errors import ResourceError
from leadglass.store import scans
from leadglass.store.database import Database, open_database
from leadglass.store.locks import sole

HOLD = """
import sys
from leadglass.store import scans
from leadglass.store.database import open_database
from leadglass.store.locks import sole
database = open_database(sys.argv[1], lambda: 0.0)
with sole(database, scans.find(database, "last")) as ours:
    print(ours, flush=True)
    sys.stdin.read()
"""


def test_the_first_has_it_until_it_lets_go(opening: Opening) -> None:
    database, another = opening(), opening()
    scan = scans.begin(database, plan())
    other = scans.begin(database, plan(ulid=ulid(2)))

    with sole(database, scan) as first:
        with sole(another, scan) as second, sole(another, other) as of_another:
            assert (first, second, of_another) == (True, database.is_postgres, True)
        with sole(another, scan) as second:
            assert second is database.is_postgres
    with sole(another, scan) as again:
        assert again


def test_a_process_that_was_killed_holds_nothing(tmp_path: Path) -> None:
    where = str(tmp_path / "db")
    with open_database(where, lambda: 0.0) as database:
        scan = scans.begin(database, plan())
        holder = subprocess.Popen(
            [sys.executable, "-c", HOLD, where], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        with holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "True\n"
            with sole(database, scan) as ours:
                assert not ours
            holder.kill()
            holder.wait()
            with sole(database, scan) as ours:
                assert ours


def test_the_lock_is_its_owners_alone_and_is_not_left_behind(tmp_path: Path) -> None:
    with open_database(str(tmp_path / "db"), lambda: 0.0) as database:
        scan = scans.begin(database, plan())
        path = Path(f"{database.path}.{scan.plan.ulid}.lock")
        with sole(database, scan):
            assert path.stat().st_mode & 0o777 == 0o600

        assert not path.exists()


def test_a_lock_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    with open_database(str(tmp_path / "db"), lambda: 0.0) as database:
        scan = scans.begin(database, plan())
        Path(f"{database.path}.{scan.plan.ulid}.lock").mkdir()

        with pytest.raises(ResourceError, match="no lock can be made"), sole(database, scan):
            pass


def test_what_fails_while_it_is_held_stays_what_it_is(database: Database) -> None:
    scan = scans.begin(database, plan())

    with pytest.raises(OSError, match="of its own"), sole(database, scan):
        raise OSError("something of its own")
