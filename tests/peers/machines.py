"""Workers on the machines of a star, with the database in the middle, as one scan sees them."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.peers import looking, netns
from tests.peers.places import Place
from tests.peers.postgresql import Cluster
from tests.peers.star import Star

from leadglass import wiring
from leadglass.model.rung import Rung
from leadglass.scope.parse import parse
from leadglass.store import scans, wakeups
from leadglass.store.database import open_database
from leadglass.wiring.session import ScopeFile, plan_of

__all__ = ["NAMES", "Field", "Machine", "fielded", "until"]

NAMES = ("berlin", "paris", "rome", "oslo")
_PATIENCE = 60.0


def until(done: Callable[[], bool], what: str, patience: float = _PATIENCE) -> None:
    """Wait for it; ``AssertionError`` with ``what`` if it does not come."""
    deadline = time.monotonic() + patience
    while not done():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


@dataclass
class Machine:
    """A namespace with a worker in it."""

    place: Place
    name: str
    log: Path
    process: subprocess.Popen[bytes]

    def processes(self) -> list[str]:
        """Whatever runs there."""
        return netns.ip("netns", "pids", str(self.place.namespace)).split()

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """What it exits with when it is sent a signal."""
        self.process.send_signal(number)
        return self.process.wait(_PATIENCE)

    def said(self) -> list[str]:
        """Each line that the worker wrote."""
        return self.log.read_text().splitlines()


@dataclass
class Field:
    """Machines, the database in their middle, and one scan."""

    star: Star
    cluster: Cluster
    database: str
    home: Path
    machines: list[Machine] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The database's, for all machines."""
        return self.cluster.url(self.database)

    def sql(self, statement: str) -> list[list[str]]:
        """Rows of text."""
        return [line.split("|") for line in self.cluster.sql(statement, database=self.database).splitlines()]

    def start(self, number: int, name: str | None = None) -> Machine:
        """One more worker, on the machine ``number``."""
        name = name or NAMES[number]
        log = self.home / f"{len(self.machines)}-{name}.log"
        words = ["-m", "leadglass", "worker", "--database", self.url, "--vantage", name]
        environment = {
            **os.environ,
            "PYTHONPATH": str(looking.ROOT / "src"),
            "PYTHONUNBUFFERED": "1",
            "HOME": str(self.home),
        }
        with log.open("wb") as output:
            process = self.star.spokes[number].popen(
                [sys.executable, *words],
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.home,
                env=environment,
            )
        self.machines.append(Machine(self.star.spokes[number], name, log, process))
        return self.machines[-1]

    def await_listening(self, count: int) -> None:
        """Until so many workers wait for wake-ups."""
        query = f"SELECT count(*) FROM {wakeups.SCHEMA}.procrastinate_workers"
        there = f"SELECT to_regclass('{wakeups.SCHEMA}.procrastinate_workers') IS NOT NULL"
        until(lambda: self.sql(there) == [["t"]] and self.sql(query) == [[str(count)]], "workers listen")

    def await_working(self, count: int) -> None:
        """Until so many workers have a part of the rate."""
        query = "SELECT count(*) FROM shares WHERE rate > 0"
        until(lambda: self.sql(query) == [[str(count)]], "workers work")

    def begin(self, text: str, shard_hosts: int) -> str:
        """Begin a scan and wake everybody; its identifier."""
        scope = parse(text, filename="scope.toml", moment=wiring.clock().posix())
        plan = plan_of(ScopeFile(scope, text, "scope.toml"), "test", Rung.ASSOCIATE)
        with (
            self.star.hub.inside(),
            open_database(self.url, wiring.clock().posix) as database,
        ):
            wakeups.prepare(database)
            stored = scans.begin(database, dataclasses.replace(plan, shard_hosts=shard_hosts))
            wakeups.wake(database, stored)
        return plan.ulid

    def await_complete(self) -> None:
        """Until the scan is."""
        until(lambda: self.sql("SELECT state FROM scans") == [["complete"]], "the scan is complete")

    def seen(self) -> list[tuple[str, str, str]]:
        """Endpoint, place and source address of each observation; no address where no connection opened."""
        rows = self.sql(
            "SELECT encode(o.endpoint, 'hex'), p.name, v.source FROM observations o"
            " JOIN places p ON p.id = o.place JOIN vantages v ON v.id = o.vantage AND v.place = o.place"
        )
        return [(endpoint, place, source) for endpoint, place, source in rows]

    def shards(self) -> Counter[str]:
        """How many shards are waiting (0), leased (1) and done (2)."""
        return Counter(state for (state,) in self.sql("SELECT state FROM shards"))


@contextlib.contextmanager
def fielded(star: Star, cluster: Cluster, home: Path) -> Iterator[Field]:
    """A database of one's own, and machines whose workers end with the block."""
    with cluster.database() as database:
        here = Field(star, cluster, database, home)
        try:
            yield here
        finally:
            for machine in here.machines:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(machine.process.pid, signal.SIGKILL)
                machine.process.wait()
