"""Wake-ups over a real PostgreSQL: each is heard once, by whom it is for, also after the server was away."""

from __future__ import annotations

import contextlib
import queue
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from procrastinate.schema import SchemaManager
from sqlalchemy import text
from tests.contract.samples import plan
from tests.peers.postgresql import Cluster

from leadglass.errors import ConfigError, LeadglassError
from leadglass.store import scans
from leadglass.store.database import Database, open_database
from leadglass.store.wakeups import SCHEMA, Listener, prepare, wake

pytestmark = pytest.mark.peer("postgresql")

PATIENCE = 20.0
OLD = "02.14.01_01_add_indexes_for_fetch_job"


@pytest.fixture
def where(cluster: Cluster) -> Iterator[str]:
    """An empty database; wake-ups are for PostgreSQL alone."""
    with cluster.database() as name:
        yield cluster.url(name)


class Ear:
    """A listener in a thread, with what it heard and what it complained of."""

    def __init__(self, database: Database, place: str) -> None:
        self.heard = 0
        self.lost: list[str] = []
        self._heard: queue.Queue[None] = queue.Queue()
        self._listener = Listener(database, place, self._wake, self._complain)
        self._thread = threading.Thread(target=self._listener.run, daemon=True)
        self._thread.start()

    def hears(self) -> None:
        """Wait for one more."""
        self._heard.get(timeout=PATIENCE)
        self.heard += 1

    def silent(self) -> bool:
        """Whether nothing came that was not waited for."""
        return self._heard.empty()

    def stop(self) -> None:
        self._listener.stop()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()

    def _wake(self) -> None:
        self._heard.put(None)

    def _complain(self, error: LeadglassError) -> None:
        self.lost.append(str(error))


@pytest.fixture
def ear(database: Database) -> Iterator[Callable[[str], Ear]]:
    """Listens from a place until the test ends."""
    with contextlib.ExitStack() as stack:

        def listening(place: str) -> Ear:
            made = Ear(database, place)
            stack.callback(made.stop)
            return made

        yield listening


def jobs(database: Database) -> list[tuple[str, str, int]]:
    """Queue, status and number of the jobs that there are."""
    query = (
        f"SELECT queue_name, status::text, count(*) FROM {SCHEMA}.procrastinate_jobs GROUP BY 1, 2 ORDER BY 3"
    )
    with database.read() as connection:
        return [(name, status, count) for name, status, count in connection.execute(text(query))]


def until_nothing_waits(database: Database) -> None:
    with contextlib.suppress(IndexError):
        for _ in range(int(PATIENCE / 0.05)):
            assert jobs(database)[0]
            threading.Event().wait(0.05)
        raise AssertionError(jobs(database))


def queues(cluster: Cluster, database: str) -> str:
    """The schema of the queue as SQL, without what differs between two dumps of the same."""
    dump = re.sub(r"^\\(un)?restrict .*$", "", cluster.dump(database), flags=re.MULTILINE)
    return "\n".join(sorted(line for line in dump.splitlines() if line.strip()))


# ---- the queue itself


def test_a_queue_is_made_once_whoever_comes_first(database: Database) -> None:
    troubles: list[Exception] = []

    def preparing() -> None:
        try:
            prepare(database)
        except LeadglassError as error:
            troubles.append(error)

    threads = [threading.Thread(target=preparing) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    prepare(database)

    assert troubles == []
    assert jobs(database) == []


def test_a_queue_of_an_older_version_is_brought_up_to_date(
    database: Database, where: str, cluster: Cluster
) -> None:
    migrations = sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql"))
    name = where.rpartition("/")[2]
    cluster.sql(f"CREATE SCHEMA {SCHEMA}; COMMENT ON SCHEMA {SCHEMA} IS '{OLD}'", database=name)
    cluster.sql(f"ALTER DATABASE {name} SET search_path TO {SCHEMA}")
    for script in migrations:
        if script.stem <= OLD:
            cluster.sql(script.read_text(), database=name)
    cluster.sql(f"ALTER DATABASE {name} RESET search_path")
    before = queues(cluster, name)

    prepare(database)

    with cluster.database() as other, open_database(cluster.url(other), lambda: 0.0) as fresh:
        prepare(fresh)
        assert queues(cluster, name) == queues(cluster, other) != before
    scan = scans.begin(database, plan(hosts=4))
    wake(database, scan)
    assert [count for _, _, count in jobs(database)] == [1]


def test_a_queue_of_a_newer_version_is_left_alone(database: Database) -> None:
    prepare(database)
    with database.write() as connection:
        connection.execute(text(f"COMMENT ON SCHEMA {SCHEMA} IS '99.00.00_01_everything_new'"))

    prepare(database)

    with database.read() as connection:
        said = connection.execute(text(f"SELECT obj_description('{SCHEMA}'::regnamespace)")).scalar()
    assert said == "99.00.00_01_everything_new"


def test_who_may_not_make_a_queue_is_told_so(cluster: Cluster, where: str, database: Database) -> None:
    name = where.rpartition("/")[2]
    user = f"reader_{name}"
    cluster.sql(f"CREATE ROLE {user} LOGIN PASSWORD 'x'")
    cluster.sql(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {user}", database=name)
    try:
        with (
            open_database(cluster.url(name, user=user, password="x"), lambda: 0.0) as theirs,
            pytest.raises(ConfigError, match="grant the right"),
        ):
            prepare(theirs)
    finally:
        cluster.sql(f"DROP OWNED BY {user}; DROP ROLE {user}", database=name)


# ---- waking


def test_there_is_a_wake_up_for_each_shard_up_to_a_thousand(database: Database) -> None:
    prepare(database)
    wake(database, scans.begin(database, plan(hosts=10, shard_hosts=4)))
    assert [count for _, _, count in jobs(database)] == [3]

    wake(database, scans.begin(database, plan(ulid="01JD5Y0000000000000000000B", hosts=5000, shard_hosts=1)))

    assert [(name, count) for name, _, count in jobs(database)] == [("anywhere", 1003)]


def test_shards_that_are_done_wake_nobody(database: Database) -> None:
    prepare(database)
    scan = scans.begin(database, plan(hosts=10, shard_hosts=4))
    with database.write() as connection:
        connection.execute(text("UPDATE shards SET state = 2 WHERE number > 0"))

    wake(database, scan)

    assert [count for _, _, count in jobs(database)] == [1]


def test_each_wake_up_is_heard_by_one(database: Database, ear: Callable[[str], Ear]) -> None:
    prepare(database)
    ears = [ear("berlin"), ear("paris")]
    both: queue.Queue[None] = queue.Queue()
    for each in ears:
        each._heard = both
    wake(database, scans.begin(database, plan(hosts=40, shard_hosts=1)))

    for _ in range(40):
        both.get(timeout=PATIENCE)

    until_nothing_waits(database)
    assert both.empty()
    assert jobs(database) == []


def test_a_place_hears_what_is_for_it(database: Database, ear: Callable[[str], Ear]) -> None:
    prepare(database)
    odd = "Zürich, 2. Stock " + "x" * 40
    zurich, paris = ear(odd), ear("paris")
    wake(database, scans.begin(database, plan(hosts=2, shard_hosts=1, wanted=(odd,))))

    zurich.hears()
    zurich.hears()

    until_nothing_waits(database)
    assert paris.silent()


def test_wake_ups_before_anybody_listens_are_heard_later(
    database: Database, ear: Callable[[str], Ear]
) -> None:
    prepare(database)
    wake(database, scans.begin(database, plan(hosts=2, shard_hosts=2)))

    ear("late").hears()


def test_what_a_dead_worker_had_in_hand_is_thrown_away(database: Database) -> None:
    prepare(database)
    wake(database, scans.begin(database, plan(hosts=3, shard_hosts=1)))
    with database.write() as connection:
        connection.execute(text(f"SET LOCAL search_path TO {SCHEMA}"))
        connection.execute(text("UPDATE procrastinate_jobs SET status = 'doing' WHERE id = 1"))

    wake(database, scans.begin(database, plan(ulid="01JD5Y0000000000000000000B", hosts=1, shard_hosts=1)))

    assert [(status, count) for _, status, count in jobs(database)] == [("todo", 3)]


# ---- trouble


def test_a_listener_whose_connections_are_cut_hears_again(
    cluster: Cluster, where: str, database: Database, ear: Callable[[str], Ear]
) -> None:
    one = ear("here")
    wake(database, _scan_in(database))
    one.hears()
    until_nothing_waits(database)

    name = where.rpartition("/")[2]
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname"
    cluster.sql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    cluster.sql(f"{cut} = '{name}'")
    while not one.lost:
        threading.Event().wait(0.05)
    cluster.sql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    with open_database(where, lambda: 0.0) as again:
        wake(again, scans.begin(again, plan(ulid="01JD5Y0000000000000000000B", hosts=1)))

    one.hears()
    assert "the connection that wakes this worker broke" in one.lost[0]
    assert all("\n" not in line and "password" not in line for line in one.lost)


def test_a_listener_signs_in_with_its_password(cluster: Cluster) -> None:
    with cluster.database() as name:
        user = f"keeper_{name}"
        secret = "a 'b\\c d"
        quoted = secret.replace("'", "''")
        cluster.sql(f"CREATE ROLE {user} LOGIN PASSWORD '{quoted}'; ALTER DATABASE {name} OWNER TO {user}")
        address = cluster.url(name, user=user, password="a%20%27b%5Cc%20d")
        try:
            with open_database(address, lambda: 0.0) as database:
                prepare(database)
                one = Ear(database, "here")
                wake(database, _scan_in(database))
                one.hears()
                one.stop()
                assert one.lost == []
        finally:
            cluster.sql(f"REASSIGN OWNED BY {user} TO postgres", database=name)
            cluster.sql(f"ALTER DATABASE {name} OWNER TO postgres; DROP ROLE {user}")


def _scan_in(database: Database) -> scans.StoredScan:
    prepare(database)
    return scans.begin(database, plan(hosts=1))
