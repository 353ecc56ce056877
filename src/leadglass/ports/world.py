"""The world outside, as arguments: clock, randomness, name resolution."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Clock", "Randomness", "Resolver"]


class Clock(Protocol):
    """Two readings of time: one that never jumps, one that people and scopes use."""

    def monotonic(self) -> float:
        """Seconds since an arbitrary moment; for deadlines and timers."""
        ...

    def posix(self) -> float:
        """Seconds since 1970-01-01T00:00:00Z; for hours, expiry and records."""
        ...


class Randomness(Protocol):
    """Bytes that nobody can guess."""

    def token(self, size: int) -> bytes:
        """``size`` random bytes."""
        ...


class Resolver(Protocol):
    """Name resolution, done once per name."""

    def addresses(self, name: str) -> tuple[str, ...]:
        """The canonical IPv4 and IPv6 literals of ``name``; ``TransportError`` if there are none."""
        ...

    def texts(self, name: str) -> tuple[str, ...]:
        """The TXT records at ``name``, each joined to one string; empty if there are none."""
        ...
