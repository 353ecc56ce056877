"""Poisson regression with a logarithmic link, by iteratively reweighted least squares, for a few dozen cells."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass

from leadglass.survey.linear import solve

__all__ = ["Fit", "fit"]

_ROUNDS = 60
_CLOSE = 1e-9
_STEEPEST = 40.0
"""No logarithm of a mean is larger: e**40 servers are on no list."""


@dataclass(frozen=True, slots=True)
class Fit:
    """A model at its largest likelihood."""

    coefficients: tuple[float, ...]
    means: tuple[float, ...]
    deviance: float


def fit(
    design: Sequence[Sequence[float]], counts: Sequence[float], *, start: Sequence[float] | None = None
) -> Fit | None:
    """The model in which the logarithm of each mean is its row of ``design`` times the coefficients.

    ``start`` is where to begin, where something near is known. None if the counts do not determine it.
    """
    etas = [math.log(count + 0.5) for count in counts] if start is None else _times(design, start)
    means = [math.exp(min(eta, _STEEPEST)) for eta in etas]
    before = math.inf
    for _ in range(_ROUNDS):
        coefficients = _step(design, counts, etas, means)
        if coefficients is None:
            return None
        etas = [max(min(eta, _STEEPEST), -_STEEPEST) for eta in _times(design, coefficients)]
        means = [math.exp(eta) for eta in etas]
        deviance = _deviance(counts, means)
        if abs(before - deviance) < _CLOSE * (abs(deviance) + 0.1):
            return Fit(tuple(coefficients), tuple(means), deviance)
        before = deviance
    return None


def _times(design: Sequence[Sequence[float]], coefficients: Sequence[float]) -> list[float]:
    return [sum(x * b for x, b in zip(row, coefficients, strict=True) if x) for row in design]


def _step(
    design: Sequence[Sequence[float]], counts: Sequence[float], etas: Sequence[float], means: Sequence[float]
) -> list[float] | None:
    """Weighted least squares of the working response (McCullagh and Nelder, 1989, 2.5)."""
    columns = list(zip(*design, strict=True))
    responses = [mean * eta + count - mean for count, eta, mean in zip(counts, etas, means, strict=True)]
    weighed = [list(map(operator.mul, column, means)) for column in columns]
    normal = [[sum(map(operator.mul, heavy, column)) for column in columns] for heavy in weighed]
    right = [[sum(map(operator.mul, column, responses))] for column in columns]
    solved = solve(normal, right)
    return None if solved is None else [value[0] for value in solved]


def _deviance(counts: Sequence[float], means: Sequence[float]) -> float:
    return 2 * sum(
        (count * math.log(count / mean) if count > 0 else 0.0) - count + mean
        for count, mean in zip(counts, means, strict=True)
    )
