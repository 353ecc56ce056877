"""The files in which a guard keeps what others told it, so that it can begin while they are away.

One process writes for all of a guard, whole files for their owner alone; each reads when it begins.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from leadglass import wiring
from leadglass.errors import ConfigError, LeadglassError, ResourceError
from leadglass.guard.kept import KeptKeys, KeptState, read_keys, read_state, text_of
from leadglass.model.enrolment import Roll
from leadglass.wiring.guard_files import put, read_file

__all__ = ["KeptFiles"]

_AGAIN = 60.0
"""Seconds after which it is written down again that nothing has changed."""

T = TypeVar("T")


class KeptFiles:
    """What is kept in a folder."""

    def __init__(self, folder: Path, *, writes: bool) -> None:
        """``writes``: this is the process that keeps; the others only read."""
        self._folder = folder
        self._writes = writes
        self._state: KeptState | None = None
        self._changed = False
        self._written: float | None = None
        self.trouble = ""
        """Why something could not be kept; empty if it could."""

    def state(self) -> KeptState | None:
        """The shared state as it was last; None if none was kept that can be read."""
        return self._read("state.json", read_state)

    def keys(self, issuer: str) -> KeptKeys | None:
        """The keys of ``issuer`` as they were last; None if none were kept that can be read."""
        kept = self._read("keys.json", read_keys)
        return kept if kept is not None and kept.issuer == issuer else None

    def confirm(self, roll: Roll | None, key: bytes) -> None:
        """This is the roll, or (None) it is the one of before; ``write`` keeps it."""
        known = self._state.roll if self._state is not None else None
        told = known if roll is None else roll
        if told is not None:
            secret = base64.b64encode(key).decode()
            self._state = KeptState(wiring.clock().posix(), told, secret)
            self._changed = self._changed or roll is not None  # last: ``write`` looks at it first

    def write(self) -> None:
        """Keep what was confirmed, if that is another roll or it is time to say that it is the same one.

        Not where it is confirmed: a disk may take longer than a revocation may.
        """
        now, changed = wiring.clock().monotonic(), self._changed
        self._changed = False
        state = self._state
        due = changed or self._written is None or now >= self._written + _AGAIN
        if self._writes and state is not None and due:
            self._written = now
            self._put("state.json", state)

    def heard(self, issuer: str, document: bytes) -> None:
        """These are the keys of ``issuer``."""
        if self._writes:
            self._put("keys.json", KeptKeys(wiring.clock().posix(), issuer, document.decode()))

    def age(self, kept: KeptState | KeptKeys) -> float:
        """Seconds since it was confirmed, by the clock on the wall: no other outlives a process."""
        return max(0.0, wiring.clock().posix() - kept.confirmed)

    def _read(self, name: str, read: Callable[[bytes], T]) -> T | None:
        try:
            return read(read_file(self._folder / name))
        except ConfigError:
            return None

    def _put(self, name: str, kept: KeptState | KeptKeys) -> None:
        try:
            self._folder_made()
            put(self._folder / name, text_of(kept), secret=True)
        except LeadglassError as exc:
            self.trouble = str(exc)
        else:
            self.trouble = ""

    def _folder_made(self) -> None:
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as exc:
            why = (exc.strerror or str(exc)).lower()
            raise ResourceError(f"cannot be written ({why})", where=str(self._folder)) from exc
