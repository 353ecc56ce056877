"""Keeping to a scope: what it permits is taken, the rest is counted so that it can be said aloud."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial

from leadglass.imports.found import Answered, Broken, Found

__all__ = ["SHOWN", "Tally", "within"]

SHOWN = 10
"""Broken lines that are remembered one by one."""


@dataclass(slots=True)
class Tally:
    """What became of a file so far."""

    taken: int = 0
    outside: int = 0
    """Endpoints that the scope does not permit."""
    portless: int = 0
    """Addresses in the scope whose port the file does not tell; each counts as taken at every port of the scope."""
    broken: int = 0
    first_broken: list[Broken] = field(default_factory=list)
    """The first ``SHOWN`` of them."""

    def broke(self, broken: Broken) -> None:
        """Count one broken line."""
        self.broken += 1
        if len(self.first_broken) < SHOWN:
            self.first_broken.append(broken)


def within(
    found: Iterable[Found | Answered | Broken],
    permits: Callable[[str, int], bool],
    ports: Callable[[str], Iterable[int]],
    tally: Tally,
) -> Iterator[Found]:
    """What ``permits`` (address, port) lets through, counted in ``tally`` as it goes by.

    An address whose port the file does not tell is taken at each of its ``ports`` that is permitted.
    An endpoint that a file tells twice comes out twice, and is counted twice.
    """
    for one in found:
        if isinstance(one, Broken):
            tally.broke(one)
        elif isinstance(one, Answered):
            yield from _everywhere(
                one.address, filter(partial(permits, one.address), ports(one.address)), tally
            )
        elif permits(one.address, one.port):
            tally.taken += 1
            yield one
        else:
            tally.outside += 1


def _everywhere(address: str, ports: Iterable[int], tally: Tally) -> Iterator[Found]:
    """``address`` at all of ``ports``; without any it lies outside."""
    before = tally.taken
    for port in ports:
        tally.taken += 1
        yield Found(address, port, None)
    if tally.taken == before:
        tally.outside += 1
    else:
        tally.portless += 1
