"""A probe and a lab server in one room: bytes go across in memory, and time passes when both wait."""

from __future__ import annotations

import hashlib

from leadglass.lab.session import Act, End, Session
from leadglass.ports.conversation import Conversation, Loss, Step

__all__ = ["Dice", "converse", "feed"]

MOST_TURNS = 5000


class Dice:
    """Randomness that comes out the same each time."""

    def __init__(self, seed: bytes = b"leadglass") -> None:
        self._state = seed

    def token(self, size: int) -> bytes:
        made = b""
        while len(made) < size:
            self._state = hashlib.sha256(self._state).digest()
            made += self._state
        return made[:size]


def converse(probe: Conversation, server: Session, limit: float = 120.0) -> float:
    """Let ``probe`` ask ``server`` until one of them closes; the seconds it took on their clocks."""
    room = _Room(probe, server)
    room.run(limit)
    return room.now


def feed(server: Session, *pieces: bytes, now: float = 0.0) -> list[Act]:
    """What ``server`` does when a client connects and sends ``pieces``; it stops where the server closes."""
    acts = [server.connected(now)]
    for piece in pieces:
        if acts[-1].end is not End.OPEN:
            break
        acts.append(server.received(piece, now))
    return acts


class _Room:
    def __init__(self, probe: Conversation, server: Session) -> None:
        self.now = 0.0
        self._probe = probe
        self._server = server
        self._probe_wakes: float | None = None
        self._server_wakes: float | None = None
        self._over = False

    def run(self, limit: float) -> None:
        self._served(self._server.connected(self.now))
        self._probed(self._probe.connected(self.now))
        for _ in range(MOST_TURNS):
            if self._over:
                return
            times = [t for t in (self._probe_wakes, self._server_wakes) if t is not None]
            assert times, "both wait for ever"
            self.now = max(self.now, min(times))
            assert self.now < limit, "too slow"
            self._wake()
        raise AssertionError("they never come to an end")

    def _wake(self) -> None:
        if self._server_wakes is not None and self._server_wakes <= self.now:
            self._server_wakes = None
            self._served(self._server.woken(self.now))
        elif self._probe_wakes is not None and self._probe_wakes <= self.now:
            self._probe_wakes = None
            self._probed(self._probe.woken(self.now))

    def _probed(self, step: Step) -> None:
        if step.wake_at is not None:
            self._probe_wakes = step.wake_at
        if step.send and not self._over:
            self._served(self._server.received(step.send, self.now), sender_closed=step.close)
        self._over = self._over or step.close

    def _served(self, act: Act, *, sender_closed: bool = False) -> None:
        self._server_wakes = act.wake_at
        if sender_closed or self._over:
            return
        if act.end is not End.RESET and act.send:
            self._probed(self._probe.received(act.send, self.now))
        if act.end is not End.OPEN and not self._over:
            self._over = True
            self._probe.lost(Loss.RESET if act.end is End.RESET else Loss.EOF, self.now)
