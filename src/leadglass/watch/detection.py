"""How long it took to learn of something: it happened between two looks, so there are bounds and no more."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Detection", "detection"]


@dataclass(frozen=True, slots=True)
class Detection:
    """Over some alerts, in seconds. At the least it took none: it may have happened just before the look."""

    alerts: int
    median_at_most: float
    """Half of them were seen within so much of happening."""
    worst_at_most: float
    """All of them were."""


def detection(bounds: Sequence[tuple[int, int]]) -> Detection | None:
    """From pairs of the last look that saw it otherwise and the first that saw it so; None of none."""
    longest = [max(0, seen - before) for before, seen in bounds]
    if not longest:
        return None
    return Detection(len(longest), statistics.median(longest), max(longest))
