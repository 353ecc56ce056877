"""What would stop working: flows that were seen, held against a plan."""

from __future__ import annotations

import bisect
import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from leadglass.configs.firewall.flows import BrokenLine, Flow, Meeting
from leadglass.configs.firewall.plan import Address, Direction, Door, Network, Plan, Server, collapsed
from leadglass.errors import LocalProtocolError

__all__ = ["MOST", "Count", "Fate", "Judge", "Stopped", "Tally", "held_against"]

MOST = 50_000
"""Kinds of flows that are told one by one; what comes beyond is only counted."""
_FIRST_BROKEN = 20
_ANY = 0
"""Stands for whichever port it was."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """One kind of connection that the rules would stop."""

    direction: Direction
    server: str
    remote: Address
    """The peer."""
    port: int
    """The server's; outgoing: the peer's. 0: not told."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a flow."""

    direction: Direction
    server: Server
    remote: Address
    port: int
    allowed: bool

    @property
    def stopped(self) -> Stopped:
        """What it is counted under."""
        return Stopped(self.direction, self.server.name, self.remote, self.port)


@dataclass(slots=True)
class Count:
    """How often, and when last."""

    flows: int = 0
    last: dt.datetime | None = None

    def add(self, flow: Flow | Meeting) -> None:
        """One more flow, or as many as it stands for."""
        self.flows += flow.count
        if flow.seen is not None and (self.last is None or flow.seen > self.last):
            self.last = flow.seen


@dataclass(slots=True)
class Tally:
    """What came of a dry run; bounded, however much was read."""

    stopped: dict[tuple[str, str, str, int], tuple[Stopped, Count]] = field(default_factory=dict)
    allowed: int = 0
    """Flows that the rules let through."""
    untouched: int = 0
    """Flows to and from ports and machines that the rules do not know."""
    beyond: int = 0
    """Flows that would be stopped, of kinds beyond the first ``MOST``."""
    broken: int = 0
    """Lines."""
    first_broken: list[BrokenLine] = field(default_factory=list)

    @property
    def would_stop(self) -> int:
        """All flows that the rules would stop."""
        return self.beyond + sum(count.flows for _, count in self.stopped.values())

    @property
    def flows(self) -> int:
        """All that were read."""
        return self.would_stop + self.allowed + self.untouched

    def worst(self) -> Sequence[tuple[Stopped, Count]]:
        """What would be stopped, the most frequent first."""
        return sorted(self.stopped.values(), key=lambda found: (-found[1].flows, _order(found[0])))

    def add(self, fate: Fate | None, flow: Flow | Meeting) -> None:
        """One flow, and what becomes of it."""
        if fate is None:
            self.untouched += flow.count
        elif fate.allowed:
            self.allowed += flow.count
        else:
            self._stop(fate.stopped, flow)

    def lost(self, line: BrokenLine) -> None:
        """One line that told nothing."""
        self.broken += 1
        if len(self.first_broken) < _FIRST_BROKEN:
            self.first_broken.append(line)

    def _stop(self, stopped: Stopped, flow: Flow | Meeting) -> None:
        key = _order(stopped)
        if key not in self.stopped:
            if len(self.stopped) >= MOST:
                self.beyond += flow.count
                return
            self.stopped[key] = stopped, Count()
        self.stopped[key][1].add(flow)


def _order(stopped: Stopped) -> tuple[str, str, str, int]:
    return stopped.direction, stopped.server, str(stopped.remote), stopped.port


def held_against(
    plan: Plan,
    found: Iterable[Flow | Meeting | BrokenLine],
    here: Sequence[Network] = (),
    server: Server | None = None,
) -> Tally:
    """Every flow held against ``plan``.

    ``here`` are the addresses of servers that have none of their own; ``server`` is the one that meetings tell
    of, without which there may be none.
    """
    judge = Judge(plan, here)
    tally = Tally()
    for one in found:
        if isinstance(one, BrokenLine):
            tally.lost(one)
        elif isinstance(one, Flow):
            tally.add(judge.fate(one), one)
        elif server is not None:
            tally.add(judge.met(server, one), one)
        else:
            raise LocalProtocolError("nobody said which server was met")
    return tally


class _Closed(NamedTuple):
    """A door, where it is, and who may go through which part of it."""

    door: Door
    places: _Ranges
    ports: frozenset[int]
    openings: tuple[tuple[frozenset[int], _Ranges], ...]

    def fate(self, remote: Address, port: int) -> Fate:
        """What becomes of whoever comes to (outgoing: is at) ``port``; ``_ANY``: to one of them."""
        opens = any(remote in who for ports, who in self.openings if port == _ANY or port in ports)
        return Fate(self.door.direction, self.door.server, remote, port, opens)


class Judge:
    """Says what the rules of a plan do with a flow."""

    def __init__(self, plan: Plan, here: Sequence[Network] = ()) -> None:
        # By identity: a server with many ports takes long to hash.
        grouped: dict[tuple[Direction, int], dict[tuple[int, ...], list[Network]]] = defaultdict(dict)
        for rule in plan.rules:
            alike = grouped[rule.direction, id(rule.server)]
            alike.setdefault(rule.ports, []).extend(rule.peer.networks)
        self._closed = [
            _Closed(
                door,
                _Ranges(door.server.networks or here),
                frozenset(door.ports),
                tuple(
                    (frozenset(ports), _Ranges(networks))
                    for ports, networks in grouped[door.direction, id(door.server)].items()
                ),
            )
            for door in plan.doors
        ]
        self._ports = frozenset(port for door in plan.doors for port in door.ports)

    def fate(self, flow: Flow) -> Fate | None:
        """None: the rules do not touch it, as what a machine says to itself.

        A record of the way back, as NetFlow has one, is none of a connection that a server opens.
        """
        if flow.port not in self._ports or flow.source == flow.destination or flow.source.is_loopback:
            return None
        found = list(self._fates(flow))
        if any(fate.direction is Direction.OUT for fate in found) and self._is_answer(flow):
            found = [fate for fate in found if fate.direction is Direction.IN]
        # Nothing is closed before everything was asked that opens.
        return max(found, key=lambda fate: fate.allowed, default=None)

    def met(self, server: Server, meeting: Meeting) -> Fate | None:
        """What becomes of a connection of which nobody knows the port; None: that way nothing is closed."""
        for one in self._closed:
            if one.door.server is server and one.door.direction is meeting.direction:
                return one.fate(meeting.remote, _ANY)
        return None

    def _fates(self, flow: Flow) -> Iterator[Fate]:
        senders = (flow.source,) if flow.sent_as is None else (flow.source, flow.sent_as)
        for one in self._closed:
            if flow.port not in one.ports:
                continue
            incoming = one.door.direction is Direction.IN
            if any(place in one.places for place in ((flow.destination,) if incoming else senders)):
                yield one.fate(flow.source if incoming else flow.destination, flow.port)

    def _is_answer(self, flow: Flow) -> bool:
        return any(
            one.door.direction is Direction.IN and flow.source_port in one.ports and flow.source in one.places
            for one in self._closed
        )


class _Ranges:
    """Networks without overlaps, to look an address up in."""

    def __init__(self, networks: Iterable[Network]) -> None:
        found: Mapping[int, list[tuple[int, int]]] = {4: [], 6: []}
        for network in collapsed(networks):
            found[network.version].append((int(network.network_address), int(network.broadcast_address)))
        self._ranges = found

    def __contains__(self, address: Address) -> bool:
        ranges, value = self._ranges[address.version], int(address)
        at = bisect.bisect_right(ranges, (value, 1 << 128)) - 1
        return at >= 0 and value <= ranges[at][1]
