"""A DICOM server that can be opened and closed at one place, a scope for it, and a watch over it."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pynetdicom import AE, AllStoragePresentationContexts
from pynetdicom.sop_class import Verification

from leadglass import wiring
from leadglass.settings.watch_file import WatchSettings, read_watch
from leadglass.store.database import Database
from leadglass.wiring.watching import Tempo, run_watch

__all__ = ["QUICK", "Clock", "Ward", "free_port", "until", "watching"]

QUICK = Tempo(look=0.05, beat=1.0, register=0.5, send=0.05, rest=0.2)

SCOPE = """
name = "Example Radiology"
[authorisation]
basis = "owner"
granted_by = "A. Tester"
contact = "tester@example.org"
reference = "change 4711"
valid_until = {until}
[limits]
deepest = "associate"
{limits}
[vantage]
position = "inside"
[[targets]]
range = "127.0.0.1"
ports = [{ports}]
"""
WATCH = """
name = "Example Radiology"
[[schedule]]
name = "nightly"
scope = "scope.toml"
cron = "{cron}"
window = "1h"
fail_on = "low"
"""


class Clock:
    """The machine's clock, put forward by ``ahead`` seconds."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def monotonic(self) -> float:
        return time.monotonic()

    def posix(self) -> float:
        return time.time() + self.ahead


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


def until(holds: Callable[[], Any], seconds: float = 60.0) -> Any:
    """What ``holds`` says once it is true; fails if that takes too long."""
    deadline = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.02)
    return found


@dataclass
class Ward:
    """A folder with ``scope.toml`` and ``watch.toml``, and a server's place."""

    folder: Path
    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        self.write_scope()
        self.write_watch()

    def write_scope(self, valid_until: str = "2199-12-31", limits: str = "") -> None:
        """A scope for the server's port, with more ``limits``."""
        text = SCOPE.format(until=valid_until, ports=self.port, limits=limits)
        (self.folder / "scope.toml").write_text(text)

    def write_watch(self, more: str = "", cron: str = "0 0 1 1 *") -> None:
        """A watch of that scope, with ``more`` in the file; by itself it scans but once a year."""
        (self.folder / "watch.toml").write_text(WATCH.format(cron=cron) + more)

    @property
    def settings(self) -> WatchSettings:
        """What ``watch.toml`` says."""
        path = self.folder / "watch.toml"
        return read_watch(path.read_text(), filename=str(path), folder=str(self.folder))

    @contextlib.contextmanager
    def server(self) -> Iterator[None]:
        """The server is there, and whoever comes may associate."""
        entity = AE(ae_title="ARCHIVE")
        entity.supported_contexts = [*AllStoragePresentationContexts[:3]]
        entity.add_supported_context(Verification)
        server = entity.start_server(("127.0.0.1", self.port), block=False)
        try:
            yield
        finally:
            assert server is not None
            server.shutdown()


@contextlib.contextmanager
def watching(
    database: Database, settings: WatchSettings, clock: Clock | None = None, tempo: Tempo = QUICK
) -> Iterator[list[str]]:
    """A watch in a thread, as the dashboard has it; what it says."""
    said: list[str] = []
    stop = threading.Event()
    failed: list[BaseException] = []

    def run() -> None:
        try:
            run_watch(database, settings, stop, said.append, clock=clock or wiring.clock(), tempo=tempo)
        except BaseException as exc:  # noqa: BLE001 - it is raised where the test sees it
            failed.append(exc)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield said
    finally:
        stop.set()
        thread.join(40)
        assert not thread.is_alive()
    if failed:
        raise failed[0]
