"""Who may be visited now: so many at once at one host, so many in one network, nobody who asked for rest."""

from __future__ import annotations

import heapq
import ipaddress
import itertools
from collections import deque

from leadglass.net.pace import Pace
from leadglass.ports.conversation import Visit

__all__ = ["Roster"]


class Roster:
    """Lets visits in as the pace allows and keeps the rest waiting, in order."""

    def __init__(self, pace: Pace) -> None:
        self._per_host = pace.per_host
        self._per_prefix = pace.per_prefix
        self._at: dict[str, int] = {}
        """Visits under way, by host and by prefix; neither looks like the other."""
        self._prefixes: dict[str, str] = {}
        """By host, of those that are visited."""
        self._parked: dict[str, deque[Visit]] = {}
        self._freed: deque[Visit] = deque()
        self._resting: dict[str, float] = {}
        self._asleep: list[tuple[float, int, Visit]] = []
        self._serial = itertools.count()
        self.waiting = 0
        """Visits that were taken up and may not begin yet."""

    def enter(self, visit: Visit, now: float) -> bool:
        """Whether ``visit`` begins now. If not it waits here, and ``freed`` hands it out in time."""
        host = visit.endpoint.address
        at = self._at
        busy = at.get(host, 0)
        prefix = self._prefixes[host] if busy else prefix_of(host)
        crowd = at.get(prefix, 0)
        if self._resting and self._rests(host, now):
            heapq.heappush(self._asleep, (self._resting[host], next(self._serial), visit))
        elif busy >= self._per_host:
            self._parked.setdefault(host, deque()).append(visit)
        elif crowd >= self._per_prefix:
            self._parked.setdefault(prefix, deque()).append(visit)
        else:
            at[host], at[prefix], self._prefixes[host] = busy + 1, crowd + 1, prefix
            return True
        self.waiting += 1
        return False

    def leave(self, visit: Visit) -> None:
        """``visit`` is complete; one that waited for its place may have it."""
        host = visit.endpoint.address
        at, prefix = self._at, self._prefixes[host]
        if at[host] == 1:
            del at[host], self._prefixes[host]
            if self._resting:
                self._resting.pop(host, None)
        else:
            at[host] -= 1
        if at[prefix] == 1:
            del at[prefix]
        else:
            at[prefix] -= 1
        if self._parked:
            self._unpark(host)
            self._unpark(prefix)

    def freed(self, now: float) -> Visit | None:
        """A visit that waited and may try to ``enter`` again."""
        while self._asleep and self._asleep[0][0] <= now:
            self._freed.append(heapq.heappop(self._asleep)[2])
        if not self._freed:
            return None
        self.waiting -= 1
        return self._freed.popleft()

    def rest(self, host: str, until: float) -> None:
        """The host says it is busy: no visit to it begins before ``until``."""
        self._resting[host] = max(until, self._resting.get(host, 0.0))

    def _rests(self, host: str, now: float) -> bool:
        until = self._resting.get(host)
        if until is None:
            return False
        if until <= now:
            del self._resting[host]
        return until > now

    def _unpark(self, place: str) -> None:
        parked = self._parked.get(place)
        if parked is None:
            return
        self._freed.append(parked.popleft())
        if not parked:
            del self._parked[place]


def prefix_of(address: str) -> str:
    """The network of an address as far as manners go: an IPv4 /24 (``192.0.2.``), an IPv6 /48."""
    if ":" in address:
        return f"{int(ipaddress.IPv6Address(address)) >> 80:x}/48"
    return address[: address.rindex(".") + 1]
