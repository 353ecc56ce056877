"""Has a certificate of the dashboard taken up anew when its files change: it lasts for weeks, a server for longer."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from leadglass.errors import ConfigError
from leadglass.web.certificate import Certificate

__all__ = ["Renewing"]

_PAUSE = 5.0
"""Seconds between two looks at the files."""


class Renewing:
    """A certificate and its key, and their files."""

    def __init__(self, certificate: str, key: str) -> None:
        """Paths of PEM files; ``ConfigError`` if they cannot be used."""
        self._files = (certificate, key)
        self._known = self._state()  # before they are read: what comes meanwhile is seen later
        self.certificate = Certificate(certificate, key)

    def keep(self, end: threading.Event, say: Callable[[str], None]) -> None:
        """Look after it until ``end``; ``say`` hears of each change, whether it can be used or not."""
        while not end.wait(_PAUSE):
            before, self._known = self._known, self._state()
            if self._known != before:
                say(self._taken_up())

    def _taken_up(self) -> str:
        try:
            self.certificate.renew()
        except ConfigError as exc:
            return f"the certificate stays what it was: {exc}"
        return "the certificate was renewed, and is shown from now on"

    def _state(self) -> Sequence[tuple[int, int, int]]:
        """What is different once somebody has written a file, or put another in its place."""
        found = []
        for file in self._files:
            with contextlib.suppress(OSError):
                state = Path(file).stat()
                found.append((state.st_ino, state.st_size, state.st_mtime_ns))
        return found
