"""How many to look at, how many in each stratum, and which ones.

Which ones is decided by a keyed hash of each server's name (BLAKE2b): the n with the smallest digests.
That is a simple random sample for whoever cannot choose the names after knowing the seed; it is the same
whatever the order of the list, counts a server once however often it stands there, and needs no list
in memory. The seed is an argument.
"""

from __future__ import annotations

import hashlib
import heapq
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from leadglass.survey.interval import LEVEL, require
from leadglass.survey.proportion import clopper_pearson, effective_size, wilson

__all__ = ["SMALLEST", "Lot", "Stratum", "allocate", "halving_size", "sample_size"]

SMALLEST = 2
"""Servers in a stratum that is looked at: one alone says nothing of the spread."""
_MOST = 10**11


@dataclass(frozen=True, slots=True)
class Stratum:
    """A part of the population that is sampled by itself."""

    name: str
    size: int
    """How many servers it has."""
    expected: float = 0.5
    """The share that is expected in it; half is the most cautious."""


def sample_size(
    precision: float, population: int | None = None, expected: float = 0.5, level: float = LEVEL
) -> int:
    """The fewest with which Wilson's interval reaches ``precision`` to each side of its middle, on average."""
    require(0 < precision < 0.5, "a precision lies between 0 and 0.5", where="--precision")
    require(0 <= expected <= 1, "an expected share lies between 0 and 1", where="--expected")

    def enough(size: int) -> bool:
        return wilson(expected, effective_size(size, population), level).width <= 2 * precision

    return _fewest(enough, 1, _MOST if population is None else population)


def halving_size(positive: int, sampled: int, population: int | None, level: float = LEVEL) -> int:
    """How many to review for an interval half as wide, if the share stays as it is.

    By Clopper-Pearson for an endless population; by the corrected Wilson interval for a finite one.
    """
    share = positive / sampled

    def width(size: int) -> float:
        if population is None:
            return clopper_pearson(share * size, size, level).width
        return wilson(share, effective_size(size, population), level).width

    now = width(sampled)
    return _fewest(lambda size: width(size) <= now / 2, sampled, _MOST if population is None else population)


def allocate(strata: tuple[Stratum, ...], size: int) -> Mapping[str, int]:
    """How many of ``size`` to take from each stratum, after Neyman (1934): by number times spread.

    Each gets ``SMALLEST`` at least, and never more than it has; what is left goes to the others.
    """
    total = sum(stratum.size for stratum in strata)
    least = {stratum.name: min(SMALLEST, stratum.size) for stratum in strata}
    require(bool(strata) and total > 0, "there is no stratum with a server in it")
    require(
        size >= sum(least.values()),
        f"a sample of {size} is too small for {len(strata)} strata",
        then=f"take {sum(least.values())} or more",
    )
    taken = dict(least)
    for _ in range(min(size, total) - sum(least.values())):
        # One at a time to whoever lacks most: Huntington and Hill's divisors, which Neyman's optimum in
        # whole numbers comes to (Wright, "Exact Optimal Sample Allocation", 2014).
        name = max((s for s in strata if taken[s.name] < s.size), key=lambda s: _claim(s, taken[s.name])).name
        taken[name] += 1
    return taken


def _claim(stratum: Stratum, taken: int) -> float:
    spread = math.sqrt(max(stratum.expected * (1 - stratum.expected), 1e-6))
    return stratum.size * spread / math.sqrt(max(taken, 1) * (taken + 1))


def _fewest(enough: Callable[[int], bool], low: int, high: int) -> int:
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle + 1, high)
    return low


class Lot:
    """Draws ``size`` of the servers that are shown to it, each as likely as any other."""

    def __init__(self, size: int, seed: str) -> None:
        self._size = size
        self._key = hashlib.sha256(seed.encode()).digest()
        self._held: set[int] = set()
        self._heap: list[tuple[int, str]] = []

    def show(self, server: str) -> None:
        """Take part, however often."""
        digest = hashlib.blake2b(
            server.encode(errors="surrogatepass"), digest_size=16, key=self._key
        ).digest()
        number = -int.from_bytes(digest, "big")  # the largest digest on top of the heap, to go first
        if number in self._held or self._size == 0:
            return
        if len(self._heap) < self._size:
            heapq.heappush(self._heap, (number, server))
            self._held.add(number)
        elif number > self._heap[0][0]:
            self._held.discard(heapq.heapreplace(self._heap, (number, server))[0])
            self._held.add(number)

    def drawn(self, size: int | None = None) -> tuple[str, ...]:
        """Those that were drawn, in the order of the draw: of fewer, the first are the same."""
        return tuple(server for _, server in sorted(self._heap, reverse=True))[:size]
