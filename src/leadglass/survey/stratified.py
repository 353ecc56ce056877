"""A share over several strata, each sampled by itself.

The estimate weighs each stratum by its size. Its interval is Wilson's for the effective sample size, which is
that of a simple sample with the same variance; the variance is of shares moved a little towards a half, since
none of five does not mean that there is no spread (as Agresti and Coull do, 1998).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from leadglass.survey.distributions import normal_quantile
from leadglass.survey.interval import LEVEL, Interval, require, require_counts
from leadglass.survey.misclassification import Validation
from leadglass.survey.proportion import wilson

__all__ = ["Stratified", "StratumCount", "by_call", "stratified"]


@dataclass(frozen=True, slots=True)
class StratumCount:
    """What was found in one stratum."""

    name: str
    positive: int
    sampled: int
    size: int
    """How many servers the stratum has."""


@dataclass(frozen=True, slots=True)
class Stratified:
    """A share of all strata together."""

    strata: tuple[StratumCount, ...]
    level: float
    share: float
    interval: Interval
    effective: float
    """How large a simple random sample would tell as much; infinite if all were looked at."""

    @property
    def population(self) -> int:
        """How many servers there are in all."""
        return sum(stratum.size for stratum in self.strata)


def stratified(strata: Sequence[StratumCount], level: float = LEVEL) -> Stratified:
    """The share over ``strata``; ``UsageError`` if one was not sampled, or counts cannot be."""
    require(bool(strata), "there is no stratum")
    for stratum in strata:
        require(stratum.size > 0, "a stratum without servers", where=stratum.name)
        require_counts(stratum.positive, stratum.sampled, stratum.size, where=stratum.name)
    population = sum(stratum.size for stratum in strata)
    share = math.fsum(s.size / population * s.positive / s.sampled for s in strata)
    size = _effective(strata, population, normal_quantile(level))
    return Stratified(tuple(strata), level, share, wilson(share, size, level), size)


def by_call(called: int, sampled: int, validation: Validation, level: float = LEVEL) -> Stratified:
    """The share among ``sampled``, of which ``called`` were called so, by what is true of either part.

    Double sampling for stratification (Cochran, 1977, 12.2): the strata are what was called. ``UsageError`` if
    none of one part was validated.
    """
    sizes = (called, sampled - called)
    looked_at = (validation.called, validation.positives + validation.negatives - validation.called)
    for name, size, seen in zip(("called private", "not called private"), sizes, looked_at, strict=True):
        require(
            seen <= size,
            f"{seen:,} of the validated were {name}, of all only {size:,}: they are no part of these servers",
            where="--validation",
            then="if they are others, get bounds: --validated-elsewhere",
        )
    parts = (
        StratumCount(
            "called so",
            validation.true_positive,
            validation.true_positive + validation.false_positive,
            sizes[0],
        ),
        StratumCount(
            "not", validation.false_negative, validation.false_negative + validation.true_negative, sizes[1]
        ),
    )
    return stratified([part for part in parts if part.size], level)


def _effective(strata: Sequence[StratumCount], population: int, z: float) -> float:
    """The size of a simple random sample with the same variance."""
    variance = middle = 0.0
    for s in strata:
        weight = s.size / population
        near = (s.positive + z * z / 2 / len(strata)) / (s.sampled + z * z / len(strata))
        unseen = (s.size - s.sampled) / max(s.size - 1, 1)
        variance += weight * weight * near * (1 - near) / s.sampled * unseen
        middle += weight * near
    return middle * (1 - middle) / variance if variance > 0 else math.inf
