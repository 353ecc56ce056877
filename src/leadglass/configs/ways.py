"""How strangers come to what a server opens: directly, as it is published, or through a front."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from leadglass.configs.reading import Front, Reach
from leadglass.model.verdict import Access

__all__ = ["GUARDED", "OPENNESS", "Door", "Doors", "Way", "ancestors", "beside", "least_open", "most_open"]

GUARDED = frozenset({Access.DEMANDS_LOGIN, Access.DEMANDS_CERTIFICATE, Access.FILTERED, Access.CLOSED})
"""What a front asks so that what stands behind it is not open."""

OPENNESS = (
    Reach.EVERYWHERE,
    Reach.UNKNOWN,
    Reach.NAMED,
    Reach.BEHIND_FRONT,
    Reach.CONTAINERS,
    Reach.LOOPBACK,
)
"""Most open first. What is not known may be everywhere."""

_LOCAL = ("localhost", "127.", "::1", "[::1]", "0.0.0.0", "host.docker.internal")  # noqa: S104  # compared with
_MOST = 16
"""Servers that one front may mean; of more it is not known which."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to a listener."""

    reach: Reach
    said: str = ""
    """Which file says so, in one line; "" when none does."""
    asks: Access | None = None
    """What a stranger finds at the front that is passed first; None: there is none."""

    @property
    def is_open(self) -> bool:
        """Whether nothing in front asks who it is."""
        return self.asks not in GUARDED


def most_open(ways: Sequence[Way]) -> Way:
    """The worst of at least one way; an open front before one that asks."""
    return min(ways, key=lambda way: (not way.is_open, OPENNESS.index(way.reach)))


def least_open(first: Way, second: Way) -> Way:
    """What remains when both have to be passed; what is not known takes nothing away."""
    if second.reach is Reach.UNKNOWN:
        return first
    if first.reach is Reach.UNKNOWN:
        return second
    return max(first, second, key=lambda way: OPENNESS.index(way.reach))


def beside(path: str, name: str) -> str:
    """The path of ``name`` as the file at ``path`` has it; the folder that all paths begin in is ``""``."""
    found = posixpath.normpath(posixpath.join(posixpath.dirname(path), name))
    return "" if found == "." else found


def ancestors(path: str) -> Iterator[str]:
    """The folders that a path lies in, nearest first; the last is ``""`` or ``/``."""
    while (above := posixpath.dirname(path)) != path:
        yield above
        path = above


@dataclass(frozen=True, slots=True)
class Door:
    """A listener as a front would name it."""

    path: str
    """Of the file that configures it."""
    listener: str
    owners: tuple[str, ...]
    """Names of the containers or services it may run in; none: on a host."""
    inside: int | None
    """Its port where it runs."""
    outside: tuple[int | None, ...]
    """The ports it has on the host."""

    @property
    def names(self) -> Iterator[tuple[str, int | None]]:
        """Host and port that may mean it; the host is ``""`` for the machine that the front runs on."""
        for owner in self.owners:
            yield from ((owner, self.inside), (owner, None))
        on_host = self.outside if self.owners else (*self.outside, self.inside)
        yield from (("", port) for port in set(on_host) if port is not None)


class Doors:
    """Finds the listeners that a front means: those of its project, that is the nearest in the tree of folders."""

    def __init__(self, doors: Iterable[Door]) -> None:
        self._near: defaultdict[tuple[str, int | None, str], list[Door]] = defaultdict(list)
        for door in doors:
            for folder in ancestors(posixpath.normpath(door.path)):
                for name, port in door.names:
                    self._near[name, port, folder].append(door)

    def behind(self, path: str, front: Front) -> Sequence[Door]:
        """What ``front`` of the file at ``path`` leads to, if any of it was read."""
        name = "" if front.host.startswith(_LOCAL) else front.host
        for folder in ancestors(posixpath.normpath(path)):
            if found := self._near.get((name, front.port, folder)):
                return found if len(found) <= _MOST else ()
        return ()
