"""Databases that are locked, full, gone, too new or none at all: one line, and nothing half done."""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from tests.contract.conftest import Opening
from tests.contract.samples import look, plan, sighting
from tests.contract.test_work import count, recorded, taken, worker
from tests.peers import postgresql

from leadglass.errors import ConfigError, ResourceError
from leadglass.store import database as opening_module
from leadglass.store import scans
from leadglass.store.database import Database, open_database


def now() -> float:
    return 1_795_237_200.0


# ---- what it opens


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    where = tmp_path / "new" / "leadglass.sqlite"
    with open_database(str(where), now) as database:
        scans.begin(database, plan())

        assert where.parent.stat().st_mode & 0o777 == 0o700
        modes = {
            path.name.removeprefix("leadglass.sqlite"): path.stat().st_mode & 0o777
            for path in where.parent.iterdir()
        }
    assert modes == {"": 0o600, "-wal": 0o600, "-shm": 0o600, ".lock": 0o600}


def test_a_database_of_a_newer_version_is_left_alone(opening: Opening) -> None:
    with opening().write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(ConfigError, match=r"newer Leadglass \(revision 9999\); update Leadglass"):
        opening()


@pytest.mark.parametrize("content", [b"name = 'scope'\n" * 100, b"SQLite format 3\0" + bytes(9000), b"x"])
def test_a_file_that_is_no_database_is_told(tmp_path: Path, content: bytes) -> None:
    where = tmp_path / "scope.toml"
    where.write_bytes(content)

    with pytest.raises(ConfigError, match=r"scope.toml: .*(not a database|damaged)"):
        open_database(str(where), now)

    assert where.read_bytes() == content


def test_a_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    where = tmp_path / "places.sqlite"
    connection = sqlite3.connect(where)
    connection.execute("CREATE TABLE moz_places (id INTEGER)")
    connection.close()
    before = where.read_bytes()

    with pytest.raises(ConfigError, match="belongs to another program"):
        open_database(str(where), now)

    assert where.read_bytes() == before


@pytest.mark.parametrize("name", ["folder", "file/below", "a\0b", "x" * 300])
def test_a_place_where_no_file_can_be_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")

    with pytest.raises(ConfigError, match="cannot be made here"):
        open_database(str(tmp_path / name), now)


def test_a_database_that_cannot_be_locked_while_it_is_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "db.lock").mkdir()

    with pytest.raises(ConfigError, match="cannot be made here"):
        open_database(str(tmp_path / "db"), now)


def test_an_empty_file_becomes_a_database(tmp_path: Path) -> None:
    (tmp_path / "db").touch()

    with open_database(str(tmp_path / "db"), now) as database:
        assert count(database, "scans") == 0


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("mysql://user:secret@host/db", "no way to store in 'mysql'"),
        ("postgresql://user:secret@host:port/db", "no address of a database"),
        ("postgresql://user:secret@[::1/db", "no address of a database"),
    ],
)
def test_an_address_that_cannot_be_read_is_told_without_its_password(where: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        open_database(where, now)

    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_without_the_extra_its_name_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)

    with pytest.raises(ConfigError, match=r"pip install 'leadglass\[postgres\]'"):
        open_database("postgresql://user:secret@localhost/db", now)


def test_a_server_that_is_not_there_is_told_without_the_password() -> None:
    with pytest.raises(ResourceError, match="no connection to the server") as caught:
        open_database("postgresql://user:secret@127.0.0.1:1/db?password=secret2", now)

    assert str(caught.value).startswith("postgresql://user:***@127.0.0.1:1/db: ")
    assert "secret" not in str(caught.value)


@pytest.mark.peer("postgresql")
@pytest.mark.parametrize(
    ("user", "name", "said"),
    [
        ("nobody-we-know", "postgres", "refuses this user or password"),
        ("postgres", "no-such-database", "no such database"),
    ],
)
def test_what_the_server_refuses_is_told(
    cluster: postgresql.Cluster, user: str, name: str, said: str
) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        open_database(cluster.url(name, user=user, password="secret"), now)

    assert "secret" not in str(caught.value)


@pytest.mark.peer("postgresql")
def test_a_user_without_rights_is_told(cluster: postgresql.Cluster) -> None:
    with cluster.database() as name:
        cluster.sql("CREATE ROLE reader LOGIN PASSWORD 'secret'")
        try:
            with pytest.raises(ConfigError, match="may not do that"):
                open_database(cluster.url(name, user="reader", password="secret"), now)
        finally:
            cluster.sql("DROP ROLE reader")


# ---- what happens during work


def test_a_database_that_another_program_holds_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening_module, "BUSY_SECONDS", 0.05)
    with open_database(str(tmp_path / "db"), now) as database:
        scan = scans.begin(database, plan(hosts=4))
        work = worker(database, scan)
        shard = taken(work)
        holder = sqlite3.connect(tmp_path / "db", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(ResourceError, match=r"another program holds the database.*--resume"):
            work.finish(shard, [sighting(1)])
        holder.close()

        assert work.finish(shard, [sighting(1)])
        assert recorded(database) == ["10.0.0.1"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 3 MiB of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = os.system(f"mount -t tmpfs -o size=3m,mode=700 leadglass-test {place} 2>/dev/null") == 0
    if not mounted:
        pytest.skip("no right to mount a small disk")
    yield place
    os.system(f"umount {place}")


@pytest.mark.root
def test_a_full_disk_is_told_and_loses_nothing_that_was_finished(small_disk: Path) -> None:
    filler = small_disk / "filler"
    with open_database(str(small_disk / "db"), now) as database:
        scan = scans.begin(database, plan(hosts=4000, shard_hosts=4))
        work = worker(database, scan)
        kept = 0
        filler.write_bytes(bytes(3 << 19))

        def fill() -> None:
            nonlocal kept
            while shard := work.take():
                work.finish(
                    shard, [sighting(kept * 100 + n, look("x" * 5000 + str(kept))) for n in range(100)]
                )
                kept += 1

        with pytest.raises(ResourceError, match=r"the disk is full.*--resume"):
            fill()

        assert kept > 3
        filler.unlink()
        assert len(recorded(database)) == kept * 100
        scans.find(database, "last")
        assert work.finish(taken(work), [sighting(999_999)])


def test_a_file_that_may_grow_no_more_is_told(tmp_path: Path) -> None:
    with open_database(str(tmp_path / "db"), now) as database:
        scan = scans.begin(database, plan(hosts=8))
        work = worker(database, scan)
        assert work.finish(taken(work), [sighting(1)])
        shard = taken(work)
        limit = database.run("PRAGMA max_page_count = 1")[0][0]
        assert limit < 200
        with pytest.raises(ResourceError, match="the disk is full"):
            work.finish(shard, [sighting(n, look("x" * 5000 + str(n))) for n in range(100)])
        database.run("PRAGMA max_page_count = 1000000")

        assert recorded(database) == ["10.0.0.1"]
        assert work.finish(shard, [sighting(2)])


@pytest.mark.peer("postgresql")
def test_a_connection_that_breaks_in_the_middle_loses_nothing(
    cluster: postgresql.Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    with cluster.database() as name, open_database(cluster.url(name), now) as database:
        scan = scans.begin(database, plan(hosts=8))
        work = worker(database, scan)
        shard = taken(work)
        real = Database.moment

        def cut(self: Database, connection: object) -> float:
            cluster.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
            return real(self, connection)  # type: ignore[arg-type]  # as it came

        with monkeypatch.context() as patched:
            patched.setattr(Database, "moment", cut)
            with pytest.raises(ResourceError, match=r"the server ended the connection.*--resume"):
                work.finish(shard, [sighting(1)])

        assert recorded(database) == []
        assert work.finish(shard, [sighting(1)])
        assert recorded(database) == ["10.0.0.1"]


@pytest.mark.peer("postgresql")
def test_a_server_that_went_away_and_came_back_is_used_again() -> None:
    with postgresql.cluster() as own, open_database(own.url("postgres"), now) as database:
        scan = scans.begin(database, plan(hosts=8))
        work = worker(database, scan)
        shard = taken(work)
        own.stop()
        for _ in range(2):
            with pytest.raises(ResourceError, match="check the server and the network"):
                work.finish(shard, [sighting(1)])
        own.start()

        assert work.renew([shard]).lost == frozenset()
        assert work.finish(shard, [sighting(1)])
        assert recorded(database) == ["10.0.0.1"]
