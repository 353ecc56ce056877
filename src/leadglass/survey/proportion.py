"""How large a share is, from a random sample: Wilson, Clopper-Pearson, and the exact finite one.

Wilson (1927) is near its level on average and sometimes below it. Clopper and Pearson (1934) never
fall below it, and are wider. Both are of an endless population. With a known number of servers, Wilson
is corrected by the effective sample size n(N-1)/(N-n) (Cochran, Sampling Techniques, 1977, 2.6), and the
exact interval inverts both tails of the hypergeometric distribution (Wright, "Exact Confidence Bounds
when Sampling from Small Finite Universes", 1991): it never falls below its level either.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from leadglass.survey.distributions import beta_quantile, normal_quantile
from leadglass.survey.interval import LEVEL, Interval, clipped, require_counts

__all__ = [
    "Proportion",
    "clopper_pearson",
    "difference",
    "effective_size",
    "hypergeometric",
    "proportion",
    "wilson",
]

_NEGLIGIBLE = 1e-17
"""Beside the sum so far; further terms change nothing."""


@dataclass(frozen=True, slots=True)
class Proportion:
    """A share and how sure it is."""

    positive: int
    sampled: int
    population: int | None
    """How many there are in all; None if nobody knows."""
    level: float
    share: float
    wilson: Interval
    """Corrected for a finite population, where that is known."""
    clopper_pearson: Interval
    """As if the population were endless."""
    exact: Interval
    """Never below its level: hypergeometric where the population is known, else Clopper-Pearson."""

    def projected(self, interval: Interval) -> Interval:
        """The same as whole numbers of servers in the population, which must be known."""
        assert self.population is not None
        counts = interval.times(self.population)
        seen = Interval(self.positive, self.population - self.sampled + self.positive)
        low, high = round(counts.low), round(counts.high)
        return Interval(max(low, seen.low), min(high, seen.high))


def proportion(
    positive: int, sampled: int, population: int | None = None, level: float = LEVEL
) -> Proportion:
    """What ``positive`` of ``sampled`` random ones tell of a ``population``; ``UsageError`` if they cannot be."""
    require_counts(positive, sampled, population)
    endless = clopper_pearson(positive, sampled, level)
    exact = endless
    if population is not None:
        exact = hypergeometric(positive, sampled, population, level).times(1 / population)
    share = positive / sampled
    near = wilson(share, effective_size(sampled, population), level)
    return Proportion(positive, sampled, population, level, share, near, endless, exact)


def effective_size(sampled: int, population: int | None) -> float:
    """How many of an endless population would tell as much; infinite for all of a finite one."""
    if population is None:
        return sampled
    return sampled * (population - 1) / (population - sampled) if population > sampled else math.inf


def wilson(share: float, size: float, level: float = LEVEL) -> Interval:
    """The score interval of Wilson for a ``share`` of ``size``, which need not be whole."""
    if math.isinf(size):
        return Interval(share, share)
    z = normal_quantile(level)
    middle = (share + z * z / (2 * size)) / (1 + z * z / size)
    half = z / (1 + z * z / size) * math.sqrt(share * (1 - share) / size + z * z / (4 * size * size))
    return clipped(middle - half, middle + half).around(share)


def difference(first: tuple[int, int], second: tuple[int, int], level: float = LEVEL) -> Interval:
    """By how much the share of the first (positive, sampled) exceeds that of the second.

    Newcombe's hybrid of two score intervals ("Interval estimation for the difference between independent
    proportions", 1998, method 10).
    """
    share, other = first[0] / first[1], second[0] / second[1]
    near, far = wilson(share, first[1], level), wilson(other, second[1], level)
    down = math.hypot(share - near.low, far.high - other)
    up = math.hypot(near.high - share, other - far.low)
    return Interval(share - other - down, share - other + up)


def clopper_pearson(positive: float, sampled: float, level: float = LEVEL) -> Interval:
    """The exact interval of Clopper and Pearson; counts need not be whole."""
    tail = (1 - level) / 2
    low = beta_quantile(tail, positive, sampled - positive + 1) if positive > 0 else 0.0
    high = beta_quantile(1 - tail, positive + 1, sampled - positive) if positive < sampled else 1.0
    return clipped(low, high).around(positive / sampled)


def hypergeometric(positive: int, sampled: int, population: int, level: float = LEVEL) -> Interval:
    """How many of ``population`` are positive, by both tails of the hypergeometric distribution: whole numbers.

    The ends are the fewest and the most with which a sample so extreme has more than half of 1 - ``level``.
    """
    tail = (1 - level) / 2
    first, last = positive, population - sampled + positive
    low = _first(first, last, lambda count: _at_least(positive, count, sampled, population) > tail)
    high = _last(first, last, lambda count: _at_most(positive, count, sampled, population) > tail)
    return Interval(low, high)


def _first(low: int, high: int, holds: Callable[[int], bool]) -> int:
    """The smallest for which it holds, if it holds from there on up to ``high``."""
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low


def _last(low: int, high: int, holds: Callable[[int], bool]) -> int:
    """The largest for which it holds, if it holds from ``low`` up to there."""
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if holds(middle) else (low, middle - 1)
    return low


def _at_least(positive: int, count: int, sampled: int, population: int) -> float:
    """The probability of ``positive`` or more in the sample: that of so few others or fewer."""
    return _at_most(sampled - positive, population - count, sampled, population)


def _at_most(positive: int, count: int, sampled: int, population: int) -> float:
    """The probability that a sample holds ``positive`` or fewer of the ``count`` that there are."""
    least, most = max(0, sampled - (population - count)), min(sampled, count)
    if positive >= most:
        return 1.0
    if positive < least:
        return 0.0
    if positive > sampled * count / population:  # the upper tail has the fewer and smaller terms
        return 1.0 - _tail(positive + 1, most, count, sampled, population)
    return _tail(positive, least, count, sampled, population)


def _tail(start: int, end: int, count: int, sampled: int, population: int) -> float:
    """The probabilities from ``start`` to ``end``, away from the mode, as far as they matter."""
    others, step = population - count, 1 if end > start else -1
    term = total = math.exp(_log_probability(start, count, sampled, population))
    for k in range(start, end, step):
        if step > 0:
            term *= (count - k) * (sampled - k) / ((k + 1) * (others - sampled + k + 1))
        else:
            term *= k * (others - sampled + k) / ((count - k + 1) * (sampled - k + 1))
        total += term
        if term < total * _NEGLIGIBLE:
            break
    return min(total, 1.0)


def _log_probability(k: int, count: int, sampled: int, population: int) -> float:
    return (
        _log_choose(count, k)
        + _log_choose(population - count, sampled - k)
        - _log_choose(population, sampled)
    )


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
