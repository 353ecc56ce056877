"""The few distributions that are needed, on plain numbers. The only module that needs scipy.

``scipy.special`` alone: ``scipy.stats`` takes three times as long to load.
"""

from __future__ import annotations

import functools

from scipy import special

__all__ = ["beta_quantile", "chi_square_above", "chi_square_quantile", "normal_quantile"]


def beta_quantile(probability: float, a: float, b: float) -> float:
    """Where the beta distribution with ``a`` and ``b`` (above 0) has ``probability`` to its left."""
    return float(special.betaincinv(a, b, probability))


@functools.cache
def normal_quantile(level: float) -> float:
    """How many standard deviations to each side hold ``level`` of the normal distribution: 1.96 for 0.95."""
    return float(special.ndtri((1 + level) / 2))


@functools.cache
def chi_square_quantile(level: float) -> float:
    """What chi-square with one degree of freedom stays below with probability ``level``: 3.84 for 0.95."""
    return normal_quantile(level) ** 2


def chi_square_above(value: float, freedom: int) -> float:
    """How often chi-square with so many degrees of freedom is larger than ``value``."""
    return float(special.chdtrc(freedom, value))
