"""Runs a guard: starts its processes, starts those again that die, and tells its health."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from leadglass import wiring
from leadglass.errors import ResourceError
from leadglass.guard.doors import require_free
from leadglass.guard.health import Health, is_counter
from leadglass.settings.guard import Address
from leadglass.wiring.guard_log import log, open_log
from leadglass.wiring.guard_setup import Site

__all__ = ["Guard"]

_AGAIN = 1.0
"""Seconds before a process that died is started again."""
_PATIENCE = 40.0
"""Seconds for a process to end: those inside have thirty."""


class Guard:
    """All processes of one guard."""

    def __init__(self, site: Site, *, silent: bool = False) -> None:
        """``silent``: without a log, for a demonstration."""
        self._site = site
        self._silent = silent
        self._count = site.settings.limits.workers or os.cpu_count() or 1
        self._stop = threading.Event()
        self._numbers: dict[int, Mapping[str, float]] = {}
        self._running: dict[int, subprocess.Popen[bytes]] = {}
        self._past: Counter[str] = Counter()
        self._came_up = False
        self._restarts = 0
        self._health: Health | None = None

    def stop(self) -> None:
        """Let nobody in any more, and end."""
        self._stop.set()

    def reload(self) -> None:
        """Read certificates and policies anew; a process that is starting has just read them."""
        for number in list(self._numbers):
            self._signal(signal.SIGHUP, number)

    def run(self) -> None:
        """Until ``stop``; ``ResourceError`` if an address is taken, or no process comes up."""
        if not self._silent:
            open_log()
        self._require_free_doors()
        self._health = Health(self._site.settings.listen.health, self.numbers)
        try:
            for number in range(self._count):
                self._start(number)
            log("started", {name: str(address) for name, address in self._doors().items()})
            self._watch()
        finally:
            self._end()
            self._health.close()
            log("stopped", {})

    def numbers(self) -> Mapping[str, float]:
        """The numbers of all processes together."""
        running = list(self._numbers.values())
        total = self._past.copy()
        for told in running:
            total.update(told)
        stale = max((told.get("stale", 0.0) for told in running), default=0.0)
        serving = len(running) - int(total["waiting"])
        return {**total, "stale": stale, "workers": serving, "restarts": self._restarts}

    def _require_free_doors(self) -> None:
        """Processes share an address, so the system would let a second guard share it too."""
        for address in self._doors().values():
            require_free(address)

    def _doors(self) -> Mapping[str, Address]:
        told = self._site.settings.listen
        doors = {name: getattr(told, name) for name in ("dicom", "plain", "web", "from_archive")}
        return {name: address for name, address in doors.items() if address is not None}

    def _start(self, number: int) -> None:
        process = subprocess.Popen(  # noqa: S603 - this Python, with a path of ours
            [
                sys.executable,
                "-m",
                "leadglass.wiring.guard_member",
                str(Path(self._site.file).resolve()),
                str(number),
            ],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL if self._silent else None,
            stdout=subprocess.PIPE,
            process_group=0,
        )
        self._running[number] = process
        assert process.stdout is not None
        threading.Thread(target=self._listen, args=(number, process.stdout), daemon=True).start()

    def _listen(self, number: int, pipe: IO[bytes]) -> None:
        with pipe:
            for line in pipe:
                self._numbers[number] = json.loads(line)
                self._came_up = True
        last = self._numbers.pop(number, {})
        self._past.update({name: last[name] for name in last if is_counter(name)})

    def _watch(self) -> None:
        while not self._stop.wait(_AGAIN):
            for number, process in list(self._running.items()):
                if process.poll() is None:
                    continue
                log("process died", {"number": str(number), "status": str(process.returncode)})
                self._restarts += 1
                if not self._came_up and self._restarts >= self._count:
                    raise ResourceError("no process of the guard comes up", then="see the lines above")
                self._start(number)

    def _signal(self, what: signal.Signals, number: int) -> None:
        process = self._running[number]
        if process.poll() is None:
            process.send_signal(what)

    def _end(self) -> None:
        for number in self._running:
            self._signal(signal.SIGTERM, number)
        until = wiring.clock().monotonic() + _PATIENCE
        for process in self._running.values():
            try:
                process.wait(max(0.1, until - wiring.clock().monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
