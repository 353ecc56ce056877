"""When keys are to be fetched, and until when those that were fetched may be used. No I/O.

Times are monotonic seconds, arguments throughout.
"""

from __future__ import annotations

__all__ = ["LAST_GOOD", "Freshness"]

LAST_GOOD = 4 * 3600.0
"""Seconds for which keys are used whose provider cannot be reached any more."""

_UNSAID = 300.0
_SHORTEST, _LONGEST = 60.0, 3600.0
_EARLY = 0.75
"""The part of their lifetime after which keys are fetched anew, so that nobody has to wait for them."""
_PACE = 10.0
"""Seconds between two questions, whatever strangers' tokens or failures ask for."""


class Freshness:
    """How old the keys are."""

    def __init__(self, last_good: float = LAST_GOOD) -> None:
        self._last_good = last_good
        self._asked: float | None = None
        self._fetched: float | None = None
        self._lifetime = 0.0

    def asked(self, now: float) -> None:
        """The provider is being asked."""
        self._asked = now

    def fetched(self, now: float, max_age: float | None) -> None:
        """It answered, with keys for ``max_age`` seconds; None: it did not say for how long."""
        self._fetched = now
        self._lifetime = min(max(_UNSAID if max_age is None else max_age, _SHORTEST), _LONGEST)

    def kept(self, since: float) -> None:
        """It answered at ``since``, in another life: the keys may be used, and should be asked for."""
        self._fetched = since
        self._lifetime = 0.0

    def fresh(self, now: float) -> bool:
        """Whether what was fetched is within its lifetime."""
        return self._fetched is not None and now < self._fetched + self._lifetime

    def usable(self, now: float) -> bool:
        """Whether what was fetched may be used: for its lifetime, and as the last good one for longer."""
        return self._fetched is not None and now < self._fetched + max(self._lifetime, self._last_good)

    def may_ask(self, now: float) -> bool:
        """Whether the last question is long enough ago."""
        return self._asked is None or now >= self._asked + _PACE

    def due(self, now: float) -> bool:
        """Whether it is time to ask."""
        return now >= self.due_at(now)

    def due_at(self, now: float) -> float:
        """When to ask next; never later than needed, never faster than the pace."""
        wanted = now if self._fetched is None else self._fetched + self._lifetime * _EARLY
        return wanted if self._asked is None else max(wanted, self._asked + _PACE)

    def age(self, now: float) -> float | None:
        """Seconds since the last answer, for the health of the guard; None: there was none."""
        return None if self._fetched is None else now - self._fetched
