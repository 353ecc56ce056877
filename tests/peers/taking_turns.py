"""pynetdicom's reader, kept from answers that somebody waits for.

An association of pynetdicom reads in a thread of its own, which a question tells to pause. It says that it
is paused a moment before it looks whether it has to be: an answer that comes within that moment goes to the
thread, which knows no question, and is lost ("Received unexpected ... service message"). So is the end of
the connection, if the thread takes note of it there: who asks or releases then waits until its time is up.
"""

from __future__ import annotations

import threading

from pynetdicom.association import Association
from pynetdicom.pdu_primitives import A_P_ABORT

__all__ = ["take_turns"]

_MOMENT = 0.05
"""Seconds between two looks at whether the thread still runs."""


class _Checkpoint(threading.Event):
    """Cleared only once the thread has come to stand at it, or has ended."""

    def __init__(self, association: Association) -> None:
        super().__init__()
        self._association = association
        self._standing = threading.Event()
        self.set()

    def clear(self) -> None:
        if self.is_set():
            self._standing.clear()
            super().clear()
            while not self._standing.wait(_MOMENT):
                if not self._association.is_alive():
                    # As it tells those who ask, and those who release, that the connection has ended.
                    self._association.dimse.msg_queue.put((None, None))
                    self._association.dul.to_user_queue.put(A_P_ABORT())
                    return

    def wait(self, timeout: float | None = None) -> bool:
        if not self.is_set():
            self._standing.set()
        return super().wait(timeout)


def take_turns(association: Association) -> None:
    """From now on ``association`` asks only while its thread stands still."""
    association._reactor_checkpoint = _Checkpoint(association)
