"""Migrations make exactly the schema that the code believes in."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine
from tests.peers.postgresql import Cluster

from leadglass.store import migrating
from leadglass.store.database import Database, open_database
from leadglass.store.schema import metadata


def test_the_newest_revision_is_the_head_of_one_line() -> None:
    assert migrating.scripts().get_heads() == [migrating.NEWEST]


def test_the_schema_is_what_the_migrations_make(database: Database) -> None:
    with database.read() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)

    assert differences == []


def shape(path: Path) -> dict[str, list[str]]:
    """Each table and index of a SQLite file, with the pieces of the statement that made it, in any order."""
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    connection.close()
    return {name: sorted(re.split(r"[(),\s]+", sql)) for name, sql in rows if name != "alembic_version"}


def test_sqlite_gets_the_very_tables_of_the_schema(tmp_path: Path) -> None:
    # Comparing metadata sees neither WITHOUT ROWID nor the conditions of indexes.
    open_database(str(tmp_path / "migrated"), lambda: 0.0).close()
    engine = create_engine(f"sqlite:///{tmp_path / 'made'}")
    metadata.create_all(engine)
    engine.dispose()

    assert "ROWID" in shape(tmp_path / "made")["observations"]
    assert shape(tmp_path / "migrated") == shape(tmp_path / "made")


def statements(dump: str) -> list[str]:
    """The dump without the words by which newer versions of pg_dump fence it in, new ones each time."""
    return [line for line in dump.splitlines() if not line.startswith("\\")]


@pytest.mark.peer("postgresql")
def test_postgresql_gets_the_very_tables_of_the_schema(cluster: Cluster) -> None:
    with cluster.database() as migrated, cluster.database() as made:
        open_database(cluster.url(migrated), lambda: 0.0).close()
        engine = create_engine(cluster.url(made).replace("postgresql:", "postgresql+psycopg:"))
        metadata.create_all(engine)
        engine.dispose()
        cluster.sql("DROP TABLE alembic_version", database=migrated)

        assert statements(cluster.dump(migrated)) == statements(cluster.dump(made))
