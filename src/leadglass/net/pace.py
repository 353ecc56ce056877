"""How fast and how gently: the numbers, and the token bucket that keeps them."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Pace", "TokenBucket"]


@dataclass(frozen=True, slots=True)
class Pace:
    """Limits of one engine."""

    rate: float = 500.0
    """New connections a second, all hosts together."""
    per_host: int = 8
    """Connections open at once to one address."""
    in_flight: int = 4096
    """Connections open at once, all hosts together; lowered to the descriptors there are."""
    connect_timeout: float = 2.5
    """Seconds for the TCP handshake: two SYNs (the kernel repeats after one second), not three."""
    lifetime: float = 40.0
    """Seconds after which a connection is closed whatever its conversation says."""


class TokenBucket:
    """``rate`` tokens a second, at most a twentieth of a second's worth saved up (at least one)."""

    def __init__(self, rate: float, now: float) -> None:
        self._rate = rate
        self._size = max(1.0, rate / 20)
        self._tokens = self._size
        self._filled_at = now

    def take(self, now: float) -> bool:
        """Take one token if there is one."""
        self._fill(now)
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True

    def wait(self, now: float) -> float:
        """Seconds until a token is there; 0 if one is."""
        self._fill(now)
        return max(0.0, (1.0 - self._tokens) / self._rate)

    def _fill(self, now: float) -> None:
        self._tokens = min(self._size, self._tokens + (now - self._filled_at) * self._rate)
        self._filled_at = now
