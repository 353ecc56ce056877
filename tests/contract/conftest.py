"""Every test that takes ``database`` runs twice: over SQLite and over a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest
from sqlalchemy import text
from tests.peers import postgresql

from leadglass.store.database import Database, open_database
from leadglass.store.migrating import migrate

Opening: TypeAlias = Callable[[], Database]
"""Opens the test's database once more, as another program would."""


class Clock:
    """POSIX seconds that pass only when a test says so. PostgreSQL has a clock of its own."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """2026-11-21T05:00:00Z."""
    return Clock(1_795_237_200.0)


@pytest.fixture(scope="session")
def cluster() -> Iterator[postgresql.Cluster]:
    """One PostgreSQL for the whole run."""
    with postgresql.cluster() as made:
        yield made


@pytest.fixture(
    params=[
        pytest.param("sqlite"),
        pytest.param("postgresql", marks=pytest.mark.peer("postgresql")),
    ]
)
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty place for a database, as ``--database`` takes it."""
    if request.param == "sqlite":
        yield str(tmp_path / "store" / "leadglass.sqlite")
        return
    made: postgresql.Cluster = request.getfixturevalue("cluster")
    with made.database() as name:
        yield made.url(name)


@pytest.fixture
def opening(where: str, clock: Clock) -> Iterator[Opening]:
    """Opens the database; everything that it opened is closed after the test."""
    opened: list[Database] = []

    def opener() -> Database:
        opened.append(open_database(where, clock, migrate))
        return opened[-1]

    yield opener
    for database in opened:
        database.close()


@pytest.fixture
def database(opening: Opening) -> Database:
    """A new database with the newest schema."""
    return opening()


@pytest.fixture
def wait(database: Database, clock: Clock) -> Callable[[float], None]:
    """Let ``seconds`` pass in the store's clock: PostgreSQL's own cannot be moved, so its leases are."""

    def waiting(seconds: float) -> None:
        clock.now += seconds
        if database.is_postgres:
            with database.write() as connection:
                for table in ("shards", "shares", "orders"):
                    connection.execute(text(f"UPDATE {table} SET lease_until = lease_until - {seconds}"))

    return waiting
