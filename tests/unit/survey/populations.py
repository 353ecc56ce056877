"""Populations with known truth, looked at again and again by chance that can be repeated."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterable
from typing import NamedTuple

from leadglass.errors import UsageError
from leadglass.survey.interval import Interval

__all__ = ["TIMES", "Covered", "covered"]

TIMES = 2000 if os.environ.get("LEADGLASS_DEEP") == "1" else 100


class Covered(NamedTuple):
    """How an estimator did."""

    share: float
    """Of the intervals that hold the truth."""
    width: float
    """Of an interval, on average."""
    refused: int


def covered(
    name: str,
    look: Callable[[random.Random], Iterable[tuple[float, Interval]]],
    times: int = TIMES,
    seed: int = 4,
) -> Covered:
    """Look ``times`` times; each look gives pairs of a truth and an interval for it."""
    chance = random.Random(seed)
    held: list[bool] = []
    widths: list[float] = []
    refused = 0
    for _ in range(times):
        try:
            for truth, interval in look(chance):
                held.append(truth in interval)
                widths.append(interval.width)
        except UsageError:
            refused += 1
    found = Covered(sum(held) / len(held), sum(widths) / len(widths), refused)
    print(f"{name}: coverage {found.share:.3f}, width {found.width:.4g}, refused {refused} of {times}")
    return found
