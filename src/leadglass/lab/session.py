"""What a lab server does on one connection, without I/O: bytes and ``now`` in, an ``Act`` out.

A session never opens, reads or waits for anything; ``serve`` carries its acts out. So a whole
conversation between a probe and a persona can be run in memory, and the slow server is a wrapper.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Callable
from typing import NamedTuple, Protocol, TypeAlias

__all__ = ["WAIT", "Act", "End", "MakeSession", "Session", "SlowSession"]


class End(enum.Enum):
    """What becomes of the connection after an act."""

    OPEN = "open"
    CLOSE = "close"
    """Closed once everything has been sent."""
    RESET = "reset"
    """RST at once; what was not sent is lost."""


class Act(NamedTuple):
    """What a session wants done now."""

    send: bytes = b""
    wake_at: float | None = None
    """Call ``woken`` then; None: no earlier time counts any more."""
    end: End = End.OPEN


WAIT = Act()


class Session(Protocol):
    """One connection of one server. Methods never raise because of a peer's bytes."""

    def connected(self, now: float) -> Act:
        """A client has connected."""
        ...

    def received(self, data: bytes, now: float) -> Act:
        """Bytes came, in whatever pieces."""
        ...

    def woken(self, now: float) -> Act:
        """``wake_at`` has passed, and everything sent before has left."""
        ...


MakeSession: TypeAlias = Callable[[], Session]


class SlowSession:
    """Any other session, with each of its acts done ``delay`` seconds later."""

    def __init__(self, inner: Session, delay: float) -> None:
        self._inner = inner
        self._delay = delay
        self._waiting: deque[tuple[float, Act]] = deque()
        self._inner_wakes: float | None = None

    def connected(self, now: float) -> Act:
        """A client has connected."""
        return self._later(self._inner.connected(now), now)

    def received(self, data: bytes, now: float) -> Act:
        """The inner session thinks at once and acts later."""
        return self._later(self._inner.received(data, now), now)

    def woken(self, now: float) -> Act:
        """Do what is due."""
        if self._inner_wakes is not None and now >= self._inner_wakes:
            self._later(self._inner.woken(now), now)
        send, end = b"", End.OPEN
        while self._waiting and self._waiting[0][0] <= now:
            _, act = self._waiting.popleft()
            send, end = send + act.send, act.end
        return Act(send, self._next(), end)

    def _later(self, act: Act, now: float) -> Act:
        self._inner_wakes = act.wake_at
        if act.send or act.end is not End.OPEN:
            self._waiting.append((now + self._delay, act))
        return Act(wake_at=self._next())

    def _next(self) -> float | None:
        times = [self._waiting[0][0]] if self._waiting else []
        return min([*times, *filter(None, [self._inner_wakes])], default=None)
