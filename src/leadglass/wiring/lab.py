"""Puts a lab together: real randomness, the real clock, and a private folder for its keys."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from leadglass import wiring
from leadglass.lab.personas import PERSONAS, Persona
from leadglass.lab.serve import Lab

__all__ = ["running_lab", "until_stopped"]

if sys.platform == "win32":
    _SECONDS = 0.5
    """Between two chances for Ctrl-C."""

    @contextlib.contextmanager
    def until_stopped() -> Iterator[Callable[[], None]]:
        """Give what waits for Ctrl-C, which also ends whatever else stands in the block."""
        with contextlib.suppress(KeyboardInterrupt):
            yield _wait

    def _wait() -> None:
        while True:
            time.sleep(_SECONDS)

else:
    _STOP = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})

    @contextlib.contextmanager
    def until_stopped() -> Iterator[Callable[[], None]]:
        """Give what waits for Ctrl-C, SIGTERM or SIGHUP: none of them interrupts, so that no key file is left."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _STOP)
        try:
            yield _wait
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _wait() -> None:
        signal.sigwait(_STOP)


@contextlib.contextmanager
def running_lab(personas: Sequence[Persona] = PERSONAS) -> Iterator[Lab]:
    """A lab of ``personas`` that serves until the context ends; ``ResourceError`` if there is no place for it."""
    with tempfile.TemporaryDirectory(prefix="leadglass-lab-") as home:  # readable by this user only

        def keep(name: str, content: bytes) -> str:
            path = Path(home, name)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
            return str(path)

        with Lab(wiring.randomness(), wiring.clock(), keep, personas) as lab:
            yield lab
