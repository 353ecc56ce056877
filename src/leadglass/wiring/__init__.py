"""The only place that knows every concrete class, the real clock and real randomness."""

from __future__ import annotations

import secrets
import time

from leadglass.ports.world import Clock, Randomness

__all__ = ["clock", "randomness"]


class _SystemClock:
    """The machine's clocks."""

    def monotonic(self) -> float:
        return time.monotonic()

    def posix(self) -> float:
        return time.time()


class _SystemRandomness:
    """The kernel's random numbers."""

    def token(self, size: int) -> bytes:
        return secrets.token_bytes(size)


def clock() -> Clock:
    """The machine's clocks."""
    return _SystemClock()


def randomness() -> Randomness:
    """The kernel's random numbers."""
    return _SystemRandomness()
