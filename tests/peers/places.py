"""Where a program runs: on loopback as anybody, or inside a network namespace as root.

A peer does not care which; it is started through ``Place.popen``. A place never changes the
calling process: ``inside()`` moves one thread for the length of a block and brings it back.
"""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import os
import random
import socket
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["LOOPBACK", "Place", "free_port"]

_CLONE_NEWNET = 0x40000000


@dataclass(frozen=True, slots=True)
class Place:
    """A network to run programs in. ``namespace`` is a name under /run/netns, or None for this one."""

    address: str
    """The address that others reach it by."""
    namespace: str | None = None

    @property
    def handle(self) -> Path:
        """The file that stands for the namespace."""
        return Path(f"/run/netns/{self.namespace}" if self.namespace else "/proc/self/ns/net")

    def command(self, argv: Sequence[str | Path]) -> list[str]:
        """``argv`` as it has to be called so that it runs here, and dies with this process."""
        enter = ["nsenter", f"--net={self.handle}", "--"] if self.namespace else []
        return [*enter, "setpriv", "--pdeathsig", "TERM", "--", *map(str, argv)]

    def run(self, argv: Sequence[str | Path], **options: Any) -> subprocess.CompletedProcess[str]:
        """Run to the end and return the output as text; a failing command is not an error here."""
        options = {"timeout": 60, "stdin": subprocess.DEVNULL} | options
        return subprocess.run(self.command(argv), check=False, capture_output=True, text=True, **options)

    def must(self, argv: Sequence[str | Path], **options: Any) -> str:
        """Run to the end; the standard output, or ``RuntimeError`` with what the command complained of."""
        done = self.run(argv, **options)
        if done.returncode != 0:
            raise RuntimeError(
                f"{' '.join(map(str, argv))}: exit {done.returncode}\n{done.stdout}{done.stderr}"
            )
        return done.stdout

    def popen(self, argv: Sequence[str | Path], **options: Any) -> subprocess.Popen[bytes]:
        """Start it, in a process group of its own, with nothing on standard input."""
        return subprocess.Popen(
            self.command(argv), stdin=subprocess.DEVNULL, start_new_session=True, **options
        )

    @contextlib.contextmanager
    def inside(self) -> Iterator[None]:
        """The calling thread, and threads it starts, open their sockets here for the length of the block."""
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        try:
            _enter(self.handle)
            yield
        finally:
            _setns(home)
            os.close(home)


LOOPBACK = Place("127.0.0.1")


def free_port(place: Place) -> int:
    """A TCP port that nobody listens on just now, and that nobody is given by chance before it is used.

    The system's own choice would be taken by any connection that is opened in the meantime, and each
    process of a run of tests has ports of its own.
    """
    with place.inside():
        while True:
            port = next(_PORTS)
            with socket.socket() as probe, contextlib.suppress(OSError):
                probe.bind(("", port))
                return port


def _own_ports() -> Iterator[int]:
    """Below the range of the system's choice and that of the lab, each a long time after it was told before."""
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    ports = [port for port in range(12_000, 20_000) if port % processes == number]
    random.Random(os.getpid()).shuffle(ports)  # others may test on this machine too
    return itertools.cycle(ports)


_PORTS = _own_ports()


def _enter(handle: Path) -> None:
    target = os.open(handle, os.O_RDONLY)
    try:
        _setns(target)
    finally:
        os.close(target)


def _setns(target: int) -> None:
    # os.setns came with Python 3.12.
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(target, _CLONE_NEWNET) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
