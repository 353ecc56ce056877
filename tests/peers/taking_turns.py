"""pynetdicom's reader, kept from answers that somebody waits for.

An association of pynetdicom reads in a thread of its own, which a question tells to pause. It says that it
is paused a moment before it looks whether it has to be: an answer that comes within that moment goes to the
thread, which knows no question, and is lost ("Received unexpected ... service message").
"""

from __future__ import annotations

import threading

from pynetdicom.association import Association

__all__ = ["take_turns"]


class _Checkpoint(threading.Event):
    """Cleared only once the thread has come to stand at it."""

    def __init__(self) -> None:
        super().__init__()
        self._standing = threading.Event()
        self.set()

    def clear(self) -> None:
        if self.is_set():
            self._standing.clear()
            super().clear()
            self._standing.wait(1)

    def wait(self, timeout: float | None = None) -> bool:
        if not self.is_set():
            self._standing.set()
        return super().wait(timeout)


def take_turns(association: Association) -> None:
    """From now on ``association`` asks only while its thread stands still."""
    association._reactor_checkpoint = _Checkpoint()
