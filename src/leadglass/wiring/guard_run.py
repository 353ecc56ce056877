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
from leadglass.guard.health import Health
from leadglass.wiring.guard_log import log, open_log
from leadglass.wiring.guard_setup import Site

__all__ = ["Guard"]

_AGAIN = 1.0
"""Seconds before a process that died is started again."""
_AT_ONCE = 3
"""A guard whose first processes die so soon cannot run at all."""
_PATIENCE = 40.0
"""Seconds for a process to end: those inside have thirty."""
_SUM_OF = frozenset({"stale"})


class Guard:
    """All processes of one guard."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._count = site.settings.limits.workers or os.cpu_count() or 1
        self._stop = threading.Event()
        self._numbers: dict[int, Mapping[str, float]] = {}
        self._running: dict[int, subprocess.Popen[bytes]] = {}
        self._restarts = 0
        self._health: Health | None = None

    def stop(self) -> None:
        """Let nobody in any more, and end."""
        self._stop.set()

    def reload(self) -> None:
        """Read certificates and policies anew."""
        self._signal(signal.SIGHUP)

    def run(self) -> None:
        """Until ``stop``; ``ResourceError`` if no process comes up."""
        open_log()
        self._health = Health(self._site.settings.listen.health, self.numbers)
        try:
            for number in range(self._count):
                self._start(number)
            self._watch()
        finally:
            self._end()
            self._health.close()

    def numbers(self) -> Mapping[str, float]:
        """The numbers of all processes together."""
        total: Counter[str] = Counter()
        for told in list(self._numbers.values()):
            total.update({name: value for name, value in told.items() if name not in _SUM_OF})
        stale = max((told.get("stale", 0.0) for told in self._numbers.values()), default=0.0)
        return {**total, "stale": stale, "workers": len(self._numbers), "restarts": self._restarts}

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
        self._numbers.pop(number, None)

    def _watch(self) -> None:
        early = 0
        while not self._stop.wait(_AGAIN):
            for number, process in list(self._running.items()):
                if process.poll() is None:
                    continue
                early += not self._numbers and not self._restarts
                if early >= min(_AT_ONCE, self._count):
                    raise ResourceError("no process of the guard comes up", then="see the lines above")
                log("process died", {"number": str(number), "status": str(process.returncode)})
                self._restarts += 1
                self._start(number)

    def _signal(self, number: signal.Signals) -> None:
        for process in self._running.values():
            if process.poll() is None:
                process.send_signal(number)

    def _end(self) -> None:
        self._signal(signal.SIGTERM)
        until = wiring.clock().monotonic() + _PATIENCE
        for process in self._running.values():
            try:
                process.wait(max(0.1, until - wiring.clock().monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
