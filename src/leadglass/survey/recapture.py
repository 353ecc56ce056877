"""How many servers no list names, from how far lists overlap.

Two lists: Chapman's estimate (1951) and the transformed logit interval of Sadinle ("Transformed Logit Confidence
Intervals for Small Populations in Single Capture-Recapture Estimation", 2009), whose upper end is without measure
where hardly anything is on one list alone: there it is that of the profile likelihood. Three or more: log-linear
models of the capture histories (Fienberg, 1972), whose dependences between two lists are chosen one by one by AIC;
the interval is that of the profile likelihood (Cormack, 1992).

All of them suppose that there is one closed population, and that the lists depend on each other only as the model
says. Lists that copy ports, or that see the same easy servers, overlap more than by chance: then the estimate is
a lower bound.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from leadglass.errors import UsageError
from leadglass.survey.distributions import chi_square_above, chi_square_quantile, normal_quantile
from leadglass.survey.interval import LEVEL, Interval, require
from leadglass.survey.loglinear import Fit, fit

__all__ = ["MOST_LISTS", "Histories", "Pair", "Recaptured", "attempted", "chapman", "lists_of", "recaptured"]

MOST_LISTS = 6
"""Beyond that there are more histories than servers."""

Histories: TypeAlias = Mapping[frozenset[str], int]
"""How many servers are on exactly these lists."""
Pair: TypeAlias = tuple[str, str]

_UNFIT = 0.001
"""So seldom would chance alone part the counts so far from a model that fits."""
_FEW_UNSEEN = 0.5
"""With fewer servers expected on neither list, the transformed logit interval has no upper end worth telling."""
_AIC_GAIN = 2.0
"""A dependence is taken in only if AIC falls by more than that."""
_FARTHEST = 1e12
_NEAR = 5e-3
"""An end of the interval that is told so closely, beside the unseen, is told to less than the interval means."""


@dataclass(frozen=True, slots=True)
class Recaptured:
    """How many there are, seen and unseen."""

    seen: int
    """On any list."""
    estimate: float
    interval: Interval
    dependences: tuple[Pair, ...]
    """Pairs of lists that the model lets depend on each other."""
    models: Mapping[tuple[Pair, ...], float]
    """What every model that was tried on the way estimates."""
    deviance: float | None = None
    """Of the chosen model, with ``freedom`` degrees of freedom; None for two lists."""
    freedom: int = 0

    @property
    def fits(self) -> bool | None:
        """Whether the counts may come from the chosen model; None if it leaves nothing to compare."""
        if self.deviance is None or not self.freedom:
            return None
        return chi_square_above(self.deviance, self.freedom) >= _UNFIT


def recaptured(histories: Histories, level: float = LEVEL) -> Recaptured:
    """By Chapman for two lists, by a log-linear model for more; ``UsageError`` if there is nothing to go by."""
    names = lists_of(histories)
    require(len(names) >= 2, "one list alone does not tell what is on none", then="give two lists or more")
    require(len(names) <= MOST_LISTS, f"more than {MOST_LISTS} lists", then="put some of them together")
    require(all(count >= 0 for count in histories.values()), "a count is not negative")
    require(
        frozenset() not in histories,
        "what is on no list was not counted",
        then="leave it out: it is the question",
    )
    require(
        sum(count for on, count in histories.items() if len(on) > 1) > 0,
        "no server is on two lists, so nothing follows",
        then="longer lists are needed",
    )
    if len(names) == 2:
        first, second = names
        both = histories.get(frozenset(names), 0)
        alone = [histories.get(frozenset({name}), 0) for name in (first, second)]
        return chapman(both + alone[0], both + alone[1], both, level)
    return _loglinear(histories, names, level)


def attempted(histories: Histories, level: float = LEVEL) -> Recaptured | str:
    """As ``recaptured``, or why nothing follows: for lists that nobody chose."""
    try:
        return recaptured(histories, level)
    except UsageError as exc:
        return exc.what


def lists_of(histories: Histories) -> tuple[str, ...]:
    """The names of all lists, in order."""
    return tuple(sorted({name for on in histories for name in on}))


def chapman(first: int, second: int, both: int, level: float = LEVEL) -> Recaptured:
    """From the lengths of two lists and of what is on both."""
    require(0 <= both <= min(first, second), f"{both:,} cannot be on lists of {first:,} and {second:,}")
    require(both > 0, "no server is on both lists, so nothing follows", then="longer lists are needed")
    only_first, only_second = first - both, second - both
    seen = only_first + only_second + both
    estimate = (first + 1) * (second + 1) / (both + 1) - 1
    unseen = (only_first + 0.5) * (only_second + 0.5) / (both + 0.5)
    spread = math.sqrt(
        1 / (both + 0.5)
        + 1 / (only_first + 0.5)
        + 1 / (only_second + 0.5)
        + (both + 0.5) / ((only_first + 0.5) * (only_second + 0.5))
    )
    factor = math.exp(normal_quantile(level) * spread)
    most = seen - 0.5 + unseen * factor
    if unseen < _FEW_UNSEEN:
        most = min(most, _most_likely(first, second, seen, chi_square_quantile(level) / 2))
    interval = Interval(max(seen - 0.5 + unseen / factor, seen), most)
    return Recaptured(seen, estimate, interval.around(estimate), (), {(): estimate})


def _most_likely(first: int, second: int, seen: int, limit: float) -> float:
    """The first whole number of servers whose profile likelihood lies ``limit`` below the largest."""

    def likelihood(total: int) -> float:
        apart = _xlogx(total - first) + _xlogx(total - second) - 2 * _xlogx(total)
        return math.lgamma(total + 1) - math.lgamma(total - seen + 1) + apart

    best = total = max(seen, first * second // (first + second - seen))
    while likelihood(total) > likelihood(best) - limit:
        total += 1
    return total


def _xlogx(value: float) -> float:
    return value * math.log(value) if value > 0 else 0.0


def _loglinear(histories: Histories, names: tuple[str, ...], level: float) -> Recaptured:
    cells = _cells(names)
    counts = [float(histories.get(cell, 0)) for cell in cells]
    models: dict[tuple[Pair, ...], float] = {}
    best = _Model.of(names, cells, counts, ())
    require(best is not None, "the lists overlap too little to fit a model", then="longer lists are needed")
    assert best is not None
    models[()] = best.total
    while (better := _better(best, names, cells, counts, models)) is not None:
        best = better
    freedom = len(cells) - 1 - len(names) - len(best.pairs)
    interval = best.profile(level)
    seen = int(sum(counts))
    return Recaptured(
        seen, best.total, interval.around(best.total), best.pairs, models, best.fitted.deviance, freedom
    )


def _better(
    now: _Model,
    names: tuple[str, ...],
    cells: Sequence[frozenset[str]],
    counts: Sequence[float],
    models: dict[tuple[Pair, ...], float],
) -> _Model | None:
    """The best model with one dependence more, if it is worth it."""
    found = None
    for pair in itertools.combinations(names, 2):
        pairs = (*now.pairs, pair)
        if pair in now.pairs or 1 + len(names) + len(pairs) > len(cells):
            continue
        model = _Model.of(names, cells, counts, pairs)
        if model is None:
            continue
        models[pairs] = model.total
        if model.aic < now.aic - _AIC_GAIN and (found is None or model.aic < found.aic):
            found = model
    return found


def _cells(names: Sequence[str]) -> tuple[frozenset[str], ...]:
    """Every history but that of being on no list."""
    return tuple(
        frozenset(chosen)
        for number in range(1, len(names) + 1)
        for chosen in itertools.combinations(names, number)
    )


@dataclass(frozen=True, slots=True)
class _Model:
    """One log-linear model, fitted to what was seen."""

    pairs: tuple[Pair, ...]
    design: tuple[tuple[float, ...], ...]
    """A row for each history: 1, the lists, the pairs."""
    counts: tuple[float, ...]
    fitted: Fit

    @classmethod
    def of(
        cls,
        names: Sequence[str],
        cells: Sequence[frozenset[str]],
        counts: Sequence[float],
        pairs: tuple[Pair, ...],
    ) -> _Model | None:
        """None if it cannot be fitted: a pair that was never seen apart, say."""
        design = tuple(
            (1.0, *(float(name in cell) for name in names), *(float(cell.issuperset(p)) for p in pairs))
            for cell in cells
        )
        fitted = fit(design, counts)
        if fitted is None or fitted.coefficients[0] > math.log(_FARTHEST):
            return None
        return cls(pairs, design, tuple(counts), fitted)

    @property
    def total(self) -> float:
        """The estimate: those seen, and those on no list, whose history has only the constant."""
        return sum(self.counts) + math.exp(self.fitted.coefficients[0])

    @property
    def aic(self) -> float:
        """Up to a constant: less is better."""
        return self.fitted.deviance + 2 * len(self.design[0])

    def profile(self, level: float) -> Interval:
        """All numbers of servers whose likelihood is not too far below the largest."""
        limit = chi_square_quantile(level) / 2
        top = max(math.exp(self.fitted.coefficients[0]), 0.01)
        best = self._likelihood(top)
        seen = sum(self.counts)
        low = self._edge(best - limit, top, 0.0)
        high = top
        while high < _FARTHEST and self._likelihood(high) > best - limit:
            high *= 2
        return Interval(seen + low, seen + self._edge(best - limit, top, high))

    def _edge(self, wanted: float, inside: float, outside: float) -> float:
        """Where the likelihood crosses ``wanted``, on the way from ``inside`` to ``outside``."""
        if self._likelihood(outside) > wanted:
            return outside
        for _ in range(40):
            middle = (inside + outside) / 2
            inside, outside = (middle, outside) if self._likelihood(middle) > wanted else (inside, middle)
            if abs(outside - inside) < _NEAR * (1 + inside):
                break
        return inside

    def _likelihood(self, unseen: float) -> float:
        """The largest log-likelihood with so many unseen (multinomial, up to a constant)."""
        counts = (*self.counts, unseen)
        design = (*self.design, (1.0, *[0.0] * (len(self.design[0]) - 1)))
        fitted = fit(design, counts, start=self.fitted.coefficients)
        if fitted is None:
            return -math.inf
        total = sum(counts)
        logs = sum(n * math.log(mean / total) for n, mean in zip(counts, fitted.means, strict=True) if n > 0)
        return math.lgamma(total + 1) - math.lgamma(unseen + 1) + logs
