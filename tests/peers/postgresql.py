"""A PostgreSQL cluster of one's own: real, thrown away afterwards, able to stop and come back.

It runs as an unprivileged user, since it refuses to be root, and without fsync: nobody will miss it.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.peers.places import LOOPBACK, Place, free_port

__all__ = ["Cluster", "cluster", "programs"]

_PATIENCE = 30.0
_CONFIG = """
fsync = off
synchronous_commit = off
full_page_writes = off
shared_buffers = 256MB
max_connections = 60
unix_socket_directories = '{data}'
listen_addresses = '{listen}'
port = {port}
password_encryption = scram-sha-256
logging_collector = off
"""
_ACCESS = """
local all postgres trust
local all all scram-sha-256
host all postgres all trust
host all all all scram-sha-256
"""


def programs() -> Path:
    """Where PostgreSQL's programs lie."""
    return max(Path("/usr/lib/postgresql").glob("*/bin"))


class Cluster:
    """A server at ``place``. The user postgres needs no password; others do."""

    def __init__(self, place: Place, data: Path, *, listen: str | None = None) -> None:
        self.place = place
        self.port = free_port(place)
        self.log = data / "server.log"
        self._data = data
        self._user = _unprivileged(data)
        self._process: subprocess.Popen[bytes] | None = None
        self._call(
            "initdb", "--auth=trust", "--username=postgres", "--no-sync", "--encoding=UTF8", "--no-locale"
        )
        config = _CONFIG.format(data=data, listen=listen or place.address, port=self.port)
        (data / "postgresql.auto.conf").write_text(config)
        (data / "pg_hba.conf").write_text(_ACCESS)

    def url(self, database: str, *, user: str = "postgres", password: str | None = None) -> str:
        """The address of ``database`` for a client on another machine of the same network."""
        secret = f":{password}" if password else ""
        return f"postgresql://{user}{secret}@{self.place.address}:{self.port}/{database}"

    def start(self) -> None:
        """Start, and wait until it takes connections."""
        with self.log.open("ab") as log:
            self._process = self.place.popen(
                [*self._user, "--pdeathsig=INT", "--", programs() / "postgres", "-D", self._data],
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self._data,
            )
        deadline = time.monotonic() + _PATIENCE
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{self.log.read_text()[-4000:]}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Break every connection and end."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                self._process.send_signal(signal.SIGQUIT)
                self._process.wait()

    def pause(self) -> None:
        """Let it take connections and say nothing."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        # A backend is a group of its own.
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        for pid in (self._process.pid, *map(int, children)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def sql(self, statement: str, *, database: str = "postgres") -> str:
        """What ``psql`` answers to ``statement``, unadorned."""
        return self._call("psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-c", statement, *self._at(database))

    def dump(self, database: str) -> str:
        """The schema of ``database`` as SQL."""
        return self._call("pg_dump", "--schema-only", *self._at(database))

    @contextlib.contextmanager
    def database(self) -> Iterator[str]:
        """A database that is new and empty, by name; dropped in the end, whoever is still connected."""
        name = f"test_{secrets.token_hex(6)}"
        self.sql(f"CREATE DATABASE {name} STRATEGY file_copy")
        try:
            yield name
        finally:
            self.sql(f"DROP DATABASE {name} WITH (FORCE)")

    def _at(self, database: str) -> list[str]:
        return ["-h", str(self._data), "-p", str(self.port), "-U", "postgres", "-d", database]

    def _is_ready(self) -> bool:
        asked = ["-q", "-h", str(self._data), "-p", str(self.port)]
        return subprocess.run([str(programs() / "pg_isready"), *asked], check=False).returncode == 0

    def _call(self, program: str, *words: str) -> str:
        environment = {**os.environ, "PGDATA": str(self._data), "LC_ALL": "C.UTF-8"}
        command = [*self._user, "--", str(programs() / program), *words]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=120, env=environment, cwd=self._data
        )
        if done.returncode != 0:
            raise RuntimeError(f"{program}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout.strip()


@contextlib.contextmanager
def cluster(place: Place = LOOPBACK, *, listen: str | None = None) -> Iterator[Cluster]:
    """A running cluster that listens at the address of ``place``, or at ``listen`` (``*`` for all)."""
    # pytest's folders belong to root alone, so the data lies beside them.
    data = Path(tempfile.mkdtemp(prefix="leadglass-postgresql-"))
    made = None
    try:
        made = Cluster(place, data, listen=listen)
        made.start()
        yield made
    finally:
        if made is not None:
            made.stop()
        shutil.rmtree(data, ignore_errors=True)


def _unprivileged(folder: Path) -> list[str]:
    """The words before a command that run it as somebody who may run PostgreSQL and who owns ``folder``."""
    if os.geteuid() != 0:
        return ["setpriv"]
    try:
        entry = pwd.getpwnam("postgres")
    except KeyError:
        entry = pwd.getpwnam("nobody")
    os.chown(folder, entry.pw_uid, entry.pw_gid)
    return ["setpriv", f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups"]
