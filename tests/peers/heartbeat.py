"""An ordinary client that calls an archive again and again, and notes how long it had to wait each time."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import pynetdicom
from tests.peers.places import Place
from tests.peers.running import Peer
from tests.peers.taking_turns import take_turns

__all__ = ["Beat", "Heartbeat", "heartbeat"]

_VERIFICATION = "1.2.840.10008.1.1"


class Beat(NamedTuple):
    """One association with one C-ECHO: how many seconds it took, and whether it was answered."""

    seconds: float
    answered: bool


@dataclass(slots=True)
class Heartbeat:
    """The beats so far; the list grows while the block of ``heartbeat`` runs."""

    beats: list[Beat] = field(default_factory=list)

    @property
    def slowest(self) -> float:
        """The longest wait, in seconds."""
        return max(beat.seconds for beat in self.beats)

    @property
    def failed(self) -> int:
        """How many calls were not answered."""
        return sum(not beat.answered for beat in self.beats)


@contextlib.contextmanager
def heartbeat(
    place: Place, peer: Peer, called: str = "ANY-SCP", patience: float = 40.0
) -> Iterator[Heartbeat]:
    """Call ``peer`` from ``place`` with a new association each time, until the block ends.

    A call that hangs counts with the time it hung, ``patience`` seconds at most. The first
    call is over when the block begins.
    """
    heart, first, last = Heartbeat(), threading.Event(), threading.Event()

    def beat() -> None:
        with place.inside():
            while not last.is_set():
                heart.beats.append(_beat(peer, called, patience))
                first.set()

    thread = threading.Thread(target=beat, name="heartbeat")
    thread.start()
    try:
        assert first.wait(patience), "the peer does not even answer when it is left alone"
        yield heart
    finally:
        last.set()
        thread.join()


def _beat(peer: Peer, called: str, patience: float) -> Beat:
    entity = pynetdicom.AE(ae_title="HEARTBEAT")
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = patience
    entity.add_requested_context(_VERIFICATION)
    begun = time.monotonic()
    association = entity.associate(peer.host, peer.port, ae_title=called)
    take_turns(association)
    answered = association.is_established and association.send_c_echo().get("Status") == 0
    if association.is_established:
        association.release()
    return Beat(time.monotonic() - begun, answered)
