"""Starting a real server, waiting until it listens, and ending it.

Readiness is read from the kernel's table of listening sockets, never by connecting: a bare
connection is itself something that some of these servers mind.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.peers.places import Place

__all__ = ["Peer", "running", "version_of"]

_PATIENCE = 30.0
# Orthanc takes 3 s to say goodbye; nothing here is worth that.
_GRACE = 0.5
_LISTEN = "0A"  # the state column of proc_net_tcp


@dataclass(frozen=True, slots=True)
class Peer:
    """One running server."""

    product: str
    version: str
    place: Place
    ports: Mapping[str, int]
    """By what is spoken there: ``dicom``, ``http``, ``https``, ``ssh`` ...; the first is the main one."""
    home: Path
    log: Path
    """Everything it wrote to standard output and standard error."""
    pid: int

    @property
    def host(self) -> str:
        """The address that others reach it by."""
        return self.place.address

    @property
    def port(self) -> int:
        """The main port."""
        return next(iter(self.ports.values()))

    @property
    def target(self) -> str:
        """``host:port`` as the command line takes it."""
        return f"{self.host}:{self.port}"


@contextlib.contextmanager
def running(
    place: Place,
    argv: Sequence[str | Path],
    *,
    product: str,
    version: str,
    ports: Mapping[str, int],
    home: Path,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Peer]:
    """Start ``argv``, wait until every port listens, and end it with all its children on the way out."""
    log = home / f"{product}.log"
    with log.open("wb") as output:
        process = place.popen(
            argv, stdout=output, stderr=subprocess.STDOUT, cwd=home, env={**os.environ, **(environment or {})}
        )
    try:
        _await_listening(place, process, set(ports.values()), log)
        yield Peer(product, version, place, dict(ports), home, log, process.pid)
    finally:
        _end(process)


def version_of(argv: Sequence[str]) -> str:
    """The first word of the program's answer that looks like a version: digits and dots."""
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=30)
    for word in (done.stdout + done.stderr).replace("/", " ").replace("_", " ").split():
        number = word.strip("v=,").partition("-")[0].rstrip(",")
        if "." in number and number[0].isdigit():
            return number
    raise RuntimeError(f"{' '.join(argv)} names no version")


def _await_listening(place: Place, process: subprocess.Popen[bytes], ports: set[int], log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not ports <= _listening(place):
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.02)
            raise RuntimeError(f"it ended with {process.returncode}:\n{_tail(log)}")
        if time.monotonic() > deadline:
            raise RuntimeError(f"not all of {ports} listen:\n{_tail(log)}")


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-4000:]


def _listening(place: Place) -> set[int]:
    """The TCP ports that somebody listens on at ``place``."""
    with place.inside():
        tables = [Path(f"/proc/thread-self/net/{table}").read_text() for table in ("tcp", "tcp6")]
    columns = [row.split() for table in tables for row in table.splitlines()[1:]]
    return {int(column[1].rpartition(":")[2], 16) for column in columns if column[3] == _LISTEN}


def _end(process: subprocess.Popen[bytes]) -> None:
    _signal(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=_GRACE)
    # Children that outlived a leader which has gone are still in its group.
    _signal(process.pid, signal.SIGKILL)
    process.wait()


def _signal(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, number)
