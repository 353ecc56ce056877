"""What a probe promises the engine.

A *conversation* is one question over one connection, without I/O: bytes and ``now`` in;
bytes to send, a wake-up time and "close" out. A *visit* is everything asked of one endpoint:
it hands out conversations one after the other, each chosen in the light of the last.
The *gate* is the scope: it is asked at each connect, and a refusal ends the visit.

``now`` is always ``Clock.monotonic()`` in seconds.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final, Protocol

from leadglass.model.endpoint import Endpoint, Permit
from leadglass.model.rung import Rung

__all__ = ["CLOSE", "WAIT", "Conversation", "Gate", "Loss", "Step", "Visit"]


class Loss(enum.Enum):
    """How a connection failed or ended from the other side."""

    __hash__ = (
        object.__hash__
    )  # that of enumerations takes ten times as long, and endings are looked up by it

    REFUSED = "refused"
    """RST in answer to the SYN."""
    UNANSWERED = "unanswered"
    """No answer to the SYN within the engine's connect time-out."""
    UNREACHABLE = "unreachable"
    """ICMP error, no route."""
    RESET = "reset"
    """RST on an open connection."""
    EOF = "eof"
    """The peer closed an open connection."""


@dataclass(slots=True)
class Step:
    """What the conversation wants done now."""

    send: Final[bytes] = b""
    """Sent whole, in one write."""
    wake_at: Final[float | None] = None
    """Call ``woken`` at this time unless something happens first; None leaves the last one standing."""
    close: Final[bool] = False
    """Close at once, after ``send``. No further method is called."""


WAIT = Step()
CLOSE = Step(close=True)


class Conversation(Protocol):
    """One question, one connection. Methods never raise because of a peer's bytes."""

    rung: Rung

    def connected(self, now: float) -> Step:
        """The connection is open. The returned step must set ``wake_at``: nothing idles."""
        ...

    def received(self, data: bytes, now: float) -> Step:
        """Bytes came, in whatever pieces."""
        ...

    def woken(self, now: float) -> Step:
        """``wake_at`` has passed."""
        ...

    def stopped(self, now: float) -> Step:
        """The scan is being interrupted: say goodbye properly (A-ABORT) and close."""
        ...

    def lost(self, loss: Loss, now: float) -> None:
        """The peer ended the open connection: ``RESET`` or ``EOF``."""
        ...


class Visit(Protocol):
    """Everything asked of one endpoint, one connection at a time."""

    endpoint: Endpoint
    not_before: float
    """When the conversation that ``next`` handed out last may begin (for a retry after "busy"); 0: at once."""

    def next(self, now: float) -> Conversation | None:
        """The next conversation, or None when the visit is complete.

        Called once at first, and again after each conversation has ended.
        """
        ...

    def source(self, address: str) -> None:
        """The local address of the connection, told once per connection."""
        ...

    def failed(self, loss: Loss) -> None:
        """The connection could not be made; ``next`` is called again."""
        ...

    def denied(self, why: str) -> None:
        """The gate refused the last conversation's rung; nothing was sent, ``next`` is called again."""
        ...


class Gate(Protocol):
    """Who may be asked, how deep, now. The scope is the one real implementation."""

    def permit(self, endpoint: Endpoint, rung: Rung, moment: float) -> Permit:
        """Leave for one connection at POSIX time ``moment``; ``ScopeDenied`` says why not."""
        ...
