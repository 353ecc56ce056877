"""Opens the database, and holds the two doors to it: ``read`` and ``write``, one transaction each.

Whatever goes wrong inside them comes out as one of our errors (``store.trouble``).
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeAlias

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import ConnectionPoolEntry

from leadglass.errors import ConfigError
from leadglass.store.filelock import lock
from leadglass.store.revisions import NEWEST, create, refuse_strangers, revision_of
from leadglass.store.trouble import explained

__all__ = ["BUSY_SECONDS", "Database", "Upgrade", "no_upgrade", "open_database"]

BUSY_SECONDS = 30.0
"""How long a writer waits for another one."""

_SMALLEST = 512
"""Bytes that every SQLite file has. A smaller one counts as empty there, and would be written over."""

_MIGRATING = 0x1EAD61A55
"""The advisory lock of PostgreSQL that one migration at a time holds."""

_SETTINGS = (
    # A crash of the program loses nothing. A power loss may lose the last transactions, never half of one:
    # their shards are then simply not done yet.
    "PRAGMA synchronous = NORMAL",
    # Checked by tests instead: with it, deleting one verdict reads all observations.
    "PRAGMA foreign_keys = OFF",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA secure_delete = ON",  # what is pruned was a list of targets
    "PRAGMA cache_size = -32768",  # KiB: rows arrive in pseudo-random order
    "PRAGMA wal_autocheckpoint = 8192",  # pages: 32 MiB
    "PRAGMA journal_size_limit = 67108864",
)

_SESSION = {
    "application_name": "leadglass",
    # A machine that is cut off must notice before its leases end, and must not hold locks that others wait for.
    "connect_timeout": "5",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
    # Compiling a plan takes longer than what is compiled here: 37 of 114 ms a shard.
    "options": "-c jit=off -c lock_timeout=30000 -c idle_in_transaction_session_timeout=20000"
    " -c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3"
    " -c tcp_user_timeout=10000",
}
"""What libpq is told, unless the URL says otherwise."""

_READING: Mapping[str, Any] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}


class Database:
    """An open database. Threads may share it; a forked process opens its own."""

    def __init__(self, engine: Engine, where: str, clock: Callable[[], float], path: Path | None) -> None:
        self._engine = engine
        self._clock = clock
        self._driver = engine.dialect.loaded_dbapi.Error
        self.where = where
        """The place, for messages: never with a password."""
        self.path = path
        """The file; None on PostgreSQL."""
        self.is_postgres = path is None

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """One transaction that sees the database as it is at its first query, to the end."""
        with explained(self.where, self._driver), self._engine.connect() as connection:
            reading = connection.execution_options(**_READING) if self.is_postgres else connection
            with reading.begin():
                if self.is_postgres:  # a reader may stand still, as in a pipe to a pager: it holds no lock
                    reading.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
                yield reading

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction, kept when the block ends and undone when it raises."""
        with explained(self.where, self._driver), self._engine.connect() as connection:
            writing = connection.execution_options(leadglass_writes=True)
            with writing.begin():
                yield writing

    def moment(self, connection: Connection) -> float:
        """POSIX seconds, by one clock for all who share the database: leases are compared with it."""
        if not self.is_postgres:
            return self._clock()
        return float(connection.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one())

    def run(self, *statements: str) -> list[Any]:
        """The rows of ``statements`` that stand outside of transactions, such as those on the file itself."""
        with explained(self.where, self._driver):
            connection = self._engine.raw_connection()
            try:
                cursor = connection.cursor()
                return [row for statement in statements for row in cursor.execute(statement).fetchall()]
            finally:
                connection.close()

    def close(self) -> None:
        """Close every connection that is not in use."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


Upgrade: TypeAlias = Callable[[Connection, str], None]
"""Brings the database at a connection, called so in messages, forward to the newest revision."""


def no_upgrade(_: Connection, where: str) -> None:
    """For who only meets databases that he made himself: ``ConfigError``."""
    raise ConfigError(
        "this database was made by an older Leadglass",
        where=where,
        then="leadglass scan list brings it up to date",
    )


def open_database(where: str, clock: Callable[[], float], upgrade: Upgrade = no_upgrade) -> Database:
    """The database at ``where``: a file (SQLite) or a ``postgresql://`` URL; made, or upgraded, if need be.

    ``clock`` gives POSIX seconds; PostgreSQL has its own. ``ConfigError`` if there can be no such
    database, if it holds something else or is of a newer version; ``ResourceError`` if it cannot be reached.
    """
    database = _postgres(where, clock) if "://" in where else _sqlite(where, clock)
    try:
        _bring_up_to_date(database, upgrade)
    except BaseException:  # an interruption too: it is raised again, and nothing is left open
        database.close()
        raise
    return database


def _bring_up_to_date(database: Database, upgrade: Upgrade) -> None:
    with database.read() as connection:
        if revision_of(connection) == NEWEST:
            return
        refuse_strangers(connection, database.where)  # before anything is altered
    with _alone(database), database.write() as connection:
        if database.is_postgres:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATING})
        revision = revision_of(connection)
        if revision is None:
            create(connection)
        elif revision != NEWEST:
            upgrade(connection, database.where)


# ---- PostgreSQL


def _postgres(where: str, clock: Callable[[], float]) -> Database:
    url = _parsed(where)
    told = {**_SESSION, **{name: value for name, value in url.query.items() if isinstance(value, str)}}
    try:
        engine = create_engine(url.set(query=url.query | told), pool_pre_ping=True)
    except ModuleNotFoundError as error:
        raise ConfigError(
            "PostgreSQL needs packages that are not installed",
            where=_shown(url),
            then="pip install 'leadglass[postgres]'",
        ) from error
    return Database(engine, _shown(url), clock, None)


def _parsed(where: str) -> URL:
    scheme, _, rest = where.partition("://")
    then = "give a file, or postgresql://USER@HOST/DATABASE"
    if scheme not in {"postgresql", "postgres", "postgresql+psycopg"}:
        raise ConfigError(f"there is no way to store in {scheme!r}", where="--database", then=then)
    try:
        return make_url(f"postgresql+psycopg://{rest}")
    except (ArgumentError, ValueError):
        # The error is not chained: it may quote the address, and the password in it.
        raise ConfigError("this is no address of a database", where="--database", then=then) from None


def _shown(url: URL) -> str:
    """The address without password and options, one of which may be a password too."""
    return url.set(drivername="postgresql", query={}).render_as_string(hide_password=True)


# ---- SQLite


def _sqlite(where: str, clock: Callable[[], float]) -> Database:
    path = Path(where)
    _create(path)
    engine = create_engine(URL.create("sqlite", database=str(path)), connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    return Database(engine, where, clock, path)


def _create(path: Path) -> None:
    """Make the file, for its owner alone: it is a list of targets. SQLite gives -wal and -shm the same rights."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Only a file that is new is opened: closing it would drop the locks that SQLite has on it.
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        if not path.is_file():
            raise _impossible(str(path), "this is no file") from None
        if 0 < path.stat().st_size < _SMALLEST:
            raise ConfigError(
                "this is not a database", where=str(path), then="choose another file with --database"
            ) from None
    except (OSError, ValueError) as error:
        raise _impossible(str(path), getattr(error, "strerror", None) or str(error)) from error


def _impossible(where: str, why: str | None) -> ConfigError:
    return ConfigError(
        f"a database cannot be made here ({why})", where=where, then="choose another file with --database"
    )


def _on_connect(raw: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
    raw.isolation_level = None  # transactions begin in ``_on_begin``, not where the driver thinks
    for setting in _SETTINGS:
        raw.execute(setting)


def _on_begin(connection: Connection) -> None:
    """A writer takes its lock first: one that had read before could only fail when it comes to write."""
    writes = connection.get_execution_options().get("leadglass_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextlib.contextmanager
def _alone(database: Database) -> Iterator[None]:
    """Keep other processes from making the same SQLite file: its switch to WAL does not wait for anybody."""
    if database.path is None:
        yield
        return
    with contextlib.ExitStack() as stack:
        try:
            descriptor = os.open(f"{database.path}.lock", os.O_CREAT | os.O_RDWR, 0o600)
            stack.callback(os.close, descriptor)
            lock(descriptor)
        except OSError as error:
            raise _impossible(database.where, error.strerror) from error
        database.run("PRAGMA auto_vacuum = INCREMENTAL", "PRAGMA journal_mode = WAL")
        yield
