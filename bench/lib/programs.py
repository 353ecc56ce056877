"""The C programs: compiled when a bench begins, in a directory that goes when it ends."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.lib.canned import ANSWERS, QUESTIONS
from bench.lib.measuring import on_cores

__all__ = ["Programs", "compiled", "serving"]

_SOURCES = Path(__file__).parents[1] / "c"
_OPTIONS = ("-O2", "-std=gnu11", "-pthread")


@dataclass(frozen=True, slots=True)
class Programs:
    """Where they are, with the bytes that they send."""

    home: Path

    @property
    def connect(self) -> Path:
        """Connects and closes."""
        return self.home / "connect"

    def client(self, first: str, count: int, port: int, window: int, processes: int) -> list[str | Path]:
        """The command that visits ``count`` addresses from ``first`` on."""
        numbers = map(str, (count, port, window, processes))
        return [self.home / "client", first, *numbers, self.home / "questions"]

    def server(self, port: int, processes: int) -> list[str | Path]:
        """The command that serves all of loopback."""
        return [self.home / "server", str(port), str(processes), self.home / "answers"]


@contextlib.contextmanager
def compiled(names: Sequence[str]) -> Iterator[Programs | None]:
    """Compile ``names``; None, after saying so, where there is no C compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        print("there is no C compiler (cc): nothing is compared with C")
        yield None
        return
    with TemporaryDirectory(prefix="leadglass-bench-") as directory:
        home = Path(directory)
        for name in names:
            subprocess.run([compiler, *_OPTIONS, "-o", home / name, _SOURCES / f"{name}.c"], check=True)
        (home / "questions").write_bytes(QUESTIONS)
        (home / "answers").write_bytes(ANSWERS)
        yield Programs(home)


@contextlib.contextmanager
def serving(command: Sequence[str | Path], cores: Collection[int] | None) -> Iterator[None]:
    """Run a server for the length of the block; it has said "ready" when the block begins."""
    with on_cores(cores):
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    with server:
        assert server.stdout is not None
        if server.stdout.readline() != "ready\n":
            raise RuntimeError(f"{command[0]} did not start")
        try:
            yield
        finally:
            server.kill()
