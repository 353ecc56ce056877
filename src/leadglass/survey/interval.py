"""What every estimator says: an interval, and the mistakes that its input can have."""

from __future__ import annotations

from dataclasses import dataclass

from leadglass.errors import UsageError

__all__ = ["LEVEL", "Interval", "clipped", "require", "require_counts"]

LEVEL = 0.95
"""How often an interval shall hold the truth, unless somebody wants it otherwise."""

_MOST = 10**10
"""The largest count that is taken; counting further would lose single servers in floating point."""


@dataclass(frozen=True, slots=True)
class Interval:
    """From ``low`` to ``high``, both within."""

    low: float
    high: float

    @property
    def width(self) -> float:
        """How far apart the ends are."""
        return self.high - self.low

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    def times(self, factor: float) -> Interval:
        """The same of shares as numbers of ``factor`` things."""
        return Interval(self.low * factor, self.high * factor)

    def around(self, value: float) -> Interval:
        """The same, wide enough to hold ``value``."""
        return Interval(min(self.low, value), max(self.high, value))


def clipped(low: float, high: float) -> Interval:
    """The interval as far as it lies between 0 and 1."""
    return Interval(min(max(low, 0.0), 1.0), min(max(high, 0.0), 1.0))


def require(condition: bool, what: str, *, where: str = "", then: str = "") -> None:
    """``UsageError`` with these words unless ``condition``."""
    if not condition:
        raise UsageError(what, where=where, then=then)


def require_counts(
    positive: float, sampled: float, population: float | None = None, *, where: str = ""
) -> None:
    """``UsageError`` unless ``positive`` of ``sampled`` of ``population`` can be."""
    require(
        sampled >= 1,
        "nothing was reviewed, so nothing follows",
        where=where,
        then="review at least one server",
    )
    require(0 <= positive <= sampled, f"{positive:,} of {sampled:,} cannot be", where=where)
    require(sampled <= _MOST, f"{sampled:,} is more than can be counted here", where=where)
    if population is not None:
        require(population >= sampled, f"{sampled:,} cannot be drawn from {population:,}", where=where)
        require(population <= _MOST, f"{population:,} is more than can be counted here", where=where)
