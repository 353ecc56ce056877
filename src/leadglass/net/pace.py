"""How fast and how gently: the numbers, the token bucket that keeps them, the clock that learns."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["Pace", "RoundTrip", "TokenBucket"]


@dataclass(frozen=True, slots=True)
class Pace:
    """Limits of one engine."""

    rate: float = 500.0
    """New connections a second, all hosts together."""
    per_host: int = 8
    """Connections open at once to one address."""
    per_prefix: int = 64
    """Endpoints looked at at once in one network: an IPv4 /24, an IPv6 /48."""
    in_flight: int = 4096
    """Endpoints looked at at once, all hosts together; lowered to the descriptors there are."""
    connect_timeout: float = 2.5
    """Seconds for the TCP handshake, until round trips were measured."""
    lifetime: float = 40.0
    """Seconds after which a connection is closed whatever its conversation says."""


class TokenBucket:
    """``rate`` tokens a second, at most a twentieth of a second's worth saved up (at least one; of 0, none)."""

    def __init__(self, rate: float, now: float) -> None:
        self._rate = rate
        self._size = max(1.0, rate / 20)
        self._tokens = self._size if rate else 0.0
        self._filled_at = now

    def turn(self, rate: float, now: float) -> None:
        """Go on at another ``rate``; 0 stops. What is saved up shrinks with it."""
        self._fill(now)
        self._rate, self._size = rate, max(1.0, rate / 20)
        self._tokens = min(self._tokens, self._size) if rate else 0.0

    def tokens(self, now: float) -> int:
        """How many there are to take."""
        self._fill(now)
        return int(self._tokens)

    def spend(self, tokens: int) -> None:
        """Take as many as ``tokens`` said, or fewer."""
        self._tokens -= tokens

    def wait(self, now: float) -> float:
        """Seconds until a token is there; 0 if one is."""
        self._fill(now)
        if self._tokens >= 1.0:
            return 0.0
        return (1.0 - self._tokens) / self._rate if self._rate else math.inf

    def _fill(self, now: float) -> None:
        self._tokens = min(self._size, self._tokens + (now - self._filled_at) * self._rate)
        self._filled_at = now


_REPEATED = 1.0
"""Seconds after which Linux repeats an unanswered SYN (RFC 6298 section 2.1): one loss must be survived."""
_LEAST = 0.3
"""Seconds that the repeated SYN is given at least: hosts differ more than the mean deviation says."""


class RoundTrip:
    """What connections took so far, smoothed as RFC 6298 section 2 has it."""

    __slots__ = ("_deviation", "_samples", "_smoothed", "_unmeasured", "allowance")

    def __init__(self, unmeasured: float) -> None:
        self._unmeasured = unmeasured
        self._samples = 0
        self._smoothed = 0.0
        self._deviation = 0.0
        self.allowance = 0.0
        """Seconds of network in an answer: smoothed round trip and four mean deviations."""

    def sample(self, seconds: float) -> None:
        """One connection took this long to open."""
        if self._samples == 0:
            self._smoothed, self._deviation = seconds, seconds / 2
        else:
            self._deviation += (abs(self._smoothed - seconds) - self._deviation) / 4
            self._smoothed += (seconds - self._smoothed) / 8
        self._samples += 1
        self.allowance = self._smoothed + 4 * self._deviation

    @property
    def connect_timeout(self) -> float:
        """Seconds for a handshake: two SYNs and an answer to the second; never more than when unmeasured."""
        if self._samples < _ENOUGH:
            return self._unmeasured
        return min(self._unmeasured, _REPEATED + max(_LEAST, self.allowance))


_ENOUGH = 16
"""Connections that must have opened before their round trips shorten anybody's time."""
