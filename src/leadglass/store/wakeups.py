"""Wakes workers on other machines when there is something to do, by procrastinate's queue on the same PostgreSQL.

A job is a wake-up and nothing more: what is to be done, and who does it, stands in our own tables. So a
job may come twice, or be lost with whoever had it. The queue lives in a PostgreSQL schema of its own.
"""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
from procrastinate import App, PsycopgConnector, SyncPsycopgConnector
from procrastinate.connector import Notify
from procrastinate.exceptions import ConnectorException, ProcrastinateException
from procrastinate.schema import SchemaManager
from procrastinate.types import JSONDict
from procrastinate.worker import Worker
from psycopg.conninfo import make_conninfo
from sqlalchemy import Connection, func, select, text

from leadglass.errors import LeadglassError, ResourceError
from leadglass.store.database import Database
from leadglass.store.scans import WAITING, StoredScan
from leadglass.store.schema import places, shards

__all__ = ["SCHEMA", "Listener", "prepare", "wake"]

SCHEMA = "leadglass_wakeups"
"""Where the queue lives."""

_TASK = "leadglass.scan"
_ANYWHERE = "anywhere"
_MOST = 1000
"""Wake-ups for one scan and place: more workers than that find it when they next look by themselves."""
_PREPARING = 0x1EAD61A59
"""The advisory lock that one preparation at a time holds."""
_PAUSE = 2.0
"""Seconds until a broken connection is made anew."""
_LOOK = 5.0
"""Seconds after which the queue is read: what came just before we listened notifies nobody."""
_CONNECT = 5.0
"""Seconds that a connection may take."""

_DISCARD = text(
    "DELETE FROM procrastinate_jobs WHERE status NOT IN ('todo', 'doing') OR status = 'doing' AND worker_id IS NULL"
)
"""Wake-ups whose worker has died. Those that end as they should are deleted by themselves."""


def prepare(database: Database) -> None:
    """Make the queue in ``database``, which is a PostgreSQL, or bring it up to date.

    Errors as ``Database.write``; ``ConfigError`` if the user may not make it.
    """
    while _is_behind(database):
        _catch_up(database)


def wake(database: Database, scan: StoredScan) -> None:
    """Wake whoever may work at ``scan``: once for each shard that waits. Errors as ``Database.write``."""
    app = App(connector=SyncPsycopgConnector())
    with database.write() as connection, _unwrapped():
        waiting = _waiting(connection, scan)
        _enter(connection)
        connection.execute(_DISCARD)
        for place, count in waiting:
            job = app.configure_task(_TASK, queue=_queue(place), connection=_driver(connection))
            words: JSONDict = {"scan": scan.plan.ulid}
            job.batch_defer(*[words] * min(count, _MOST))


class Listener:
    """Hears the wake-ups for one place, one at a time, until ``stop``.

    ``woken`` is called in a thread for each, and the next one comes when it has returned. ``lost`` is
    told what went wrong each time that the connection must be made anew.
    """

    def __init__(
        self,
        database: Database,
        place: str,
        woken: Callable[[], None],
        lost: Callable[[LeadglassError], None],
    ) -> None:
        self._database = database
        self._queues = [_queue(None), _queue(place)]
        self._woken = woken
        self._lost = lost
        self._app: _Listening | None = None
        self._stopped = threading.Event()

    def run(self) -> None:
        """Listen; to be called once, in a thread of its own."""
        while not self._stopped.is_set():
            try:
                prepare(self._database)
                self._listen()
            except LeadglassError as error:
                self._lost(error)
            self._stopped.wait(_PAUSE)

    def stop(self) -> None:
        """Make ``run`` return, once the wake-up that is being heard is over. Not for signal handlers."""
        self._stopped.set()
        if self._app is not None:
            self._app.stop()

    def _listen(self) -> None:
        self._app = app = _Listening(_address(self._database))
        app.task(name=_TASK)(self._hear)
        broke: Exception | None = None
        try:
            app.run_worker(
                queues=self._queues,
                delete_jobs="always",
                install_signal_handlers=False,
                fetch_job_polling_interval=_LOOK,
            )
        except (ProcrastinateException, psycopg.Error, OSError) as error:
            broke = error
        if not self._stopped.is_set():
            raise ResourceError(
                "the connection that wakes this worker broke", where=self._database.where
            ) from broke

    def _hear(self, scan: str) -> None:
        """Take one wake-up. ``scan`` is for whoever looks into the queue: all open scans are looked through."""
        del scan
        if not self._stopped.is_set():
            self._woken()


class _Listening(App):
    """An app whose worker can be told to stop, and stops when it can no longer listen."""

    def __init__(self, conninfo: str) -> None:
        connector = _Connector(self.stop, conninfo=conninfo, min_size=1, max_size=2, timeout=_CONNECT)
        super().__init__(connector=connector)
        self._current: Any = None  # a Worker, whose methods have no types
        self._stopped = False

    async def run_worker_async(self, **options: Any) -> None:
        self._current = Worker(self, **options)
        if not self._stopped:
            await self._current.run()

    def stop(self) -> None:
        self._stopped = True
        if self._current is not None:
            self._current.stop()


class _Connector(PsycopgConnector):
    """Says so when it can no longer listen: procrastinate itself would go on, deaf."""

    def __init__(self, deaf: Callable[[], None], **pool: Any) -> None:
        super().__init__(**pool)
        self._deaf = deaf

    async def listen_notify(self, on_notification: Notify, channels: Iterable[str]) -> None:
        try:
            await super().listen_notify(on_notification, channels)
        except ConnectorException:
            self._deaf()
            raise


# ---- the schema


def _applied(connection: Connection) -> str | None:
    """The last migration of the queue that was applied; None: there is no queue."""
    query = "SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = :name"
    return connection.execute(text(query), {"name": SCHEMA}).scalar()


def _missing(applied: str | None) -> Sequence[Path]:
    """The migrations that come after ``applied``, in their order. A queue that is newer lacks none."""
    scripts = sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql"))
    return [script for script in scripts if applied is None or script.stem > applied]


def _is_behind(database: Database) -> bool:
    with database.read() as connection:
        return bool(_missing(_applied(connection)))


def _catch_up(database: Database) -> None:
    """Make the queue as it is today, or apply the next migration: each may need what the last one committed."""
    with database.write() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _PREPARING})
        applied = _applied(connection)
        missing = _missing(applied)
        if applied is None:
            connection.execute(text(f"CREATE SCHEMA {SCHEMA}"))
            _apply(connection, SchemaManager.get_schema(), missing[-1].stem)
        elif missing:  # else somebody else has just done it
            _apply(connection, missing[0].read_text(), missing[0].stem)


def _apply(connection: Connection, script: str, migration: str) -> None:
    _enter(connection)
    connection.exec_driver_sql(script, execution_options={"no_parameters": True})
    connection.execute(text(f"COMMENT ON SCHEMA {SCHEMA} IS '{migration}'"))


def _enter(connection: Connection) -> None:
    """Let names mean the queue's tables and functions until the transaction ends."""
    connection.execute(text(f"SET LOCAL search_path TO {SCHEMA}"))


# ---- the queue


def _queue(place: str | None) -> str:
    """The queue of ``place``. PostgreSQL notifies by names of 63 bytes at most, and a place may be called anything."""
    return _ANYWHERE if place is None else f"place-{hashlib.sha256(place.encode()).hexdigest()[:32]}"


def _waiting(connection: Connection, scan: StoredScan) -> list[tuple[str | None, int]]:
    """How many shards of ``scan`` wait for each place, or for anybody."""
    query = (
        select(places.c.name, func.count())
        .select_from(shards.outerjoin(places, places.c.id == shards.c.place))
        .where(shards.c.scan == scan.id, shards.c.state == WAITING)
        .group_by(places.c.name)
    )
    return [(name, count) for name, count in connection.execute(query)]


def _driver(connection: Connection) -> psycopg.Connection[Any]:
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    return driver


def _address(database: Database) -> str:
    """What libpq needs to connect as ``database`` does, to the queue. It may hold a password."""
    with database.read() as connection:
        info = _driver(connection).info
        options = f"{info.get_parameters().get('options', '')} -c search_path={SCHEMA}"
        secret = {"password": info.password} if info.password else {}
        return make_conninfo(info.dsn, options=options, **secret)


@contextlib.contextmanager
def _unwrapped() -> Iterator[None]:
    """Let the driver's own errors out, which ``Database`` knows."""
    try:
        yield
    except ConnectorException as error:
        raise error.__cause__ or error from error
