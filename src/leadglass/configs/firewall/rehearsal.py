"""Who tries what, so that rules can be proved: each peer and a stranger, at every port, both ways."""

from __future__ import annotations

import ipaddress
import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from leadglass.configs.firewall.dry_run import Judge
from leadglass.configs.firewall.flows import Flow
from leadglass.configs.firewall.plan import Address, Direction, Network, Plan
from leadglass.errors import UsageError

__all__ = ["MOST", "STRANGER", "Attempt", "Rehearsal", "rehearsal"]

MOST = 64
"""Addresses that try, or that are tried; of more, only the first are taken."""
STRANGER = "a stranger"

_HERE = (ipaddress.ip_address("198.18.0.1"), ipaddress.ip_address("fd00:6c67::1"))
"""What a server without an address has in the rehearsal."""
_STRANGERS = tuple(
    map(ipaddress.ip_network, ("203.0.113.0/24", "198.51.100.0/24", "192.0.2.0/24", "2001:db8:6c67::/120"))
)
"""Networks for documentation (RFC 5737, RFC 3849), whose addresses are nobody's."""


class Attempt(NamedTuple):
    """One connection to be tried."""

    direction: Direction
    source: Address
    destination: Address
    port: int
    who: str
    """The peer at the other side of the server."""
    allowed: bool


class Rehearsal(NamedTuple):
    """What a proof consists of."""

    inside: tuple[Address, ...]
    """The addresses of the servers."""
    outside: tuple[Address, ...]
    """The addresses of peers and strangers."""
    attempts: tuple[Attempt, ...]
    notes: tuple[str, ...]
    """What is not tried, and why."""


def rehearsal(plan: Plan) -> Rehearsal:
    """Every port of every server, tried from every peer and from a stranger, in both families."""
    judge = Judge(plan, tuple(map(ipaddress.ip_network, _HERE)))
    inside = _servers(plan)
    if any(address.is_loopback for address in inside):
        raise UsageError(
            "loopback cannot be tried from outside", where="test", then="leave out the server's address"
        )
    others, notes = _others(plan, set(inside))
    attempts = [
        *_attempts(Direction.IN, judge, inside, others, _ports(plan, Direction.IN)),
        *_attempts(Direction.OUT, judge, inside, others, _ports(plan, Direction.OUT)),
    ]
    return Rehearsal(inside, tuple(address for _, address in others), tuple(attempts), tuple(notes))


def _servers(plan: Plan) -> tuple[Address, ...]:
    found: dict[Address, None] = {}
    for server in plan.servers:
        found.update(dict.fromkeys(map(_first, server.networks) if server.networks else _HERE))
    return tuple(itertools.islice(found, MOST))


def _others(plan: Plan, servers: set[Address]) -> tuple[list[tuple[str, Address]], list[str]]:
    notes: list[str] = []
    found: dict[Address, str] = {}
    for peer in plan.peers:
        for address in map(_first, peer.networks):
            if address in servers or address.is_loopback:
                notes.append(f"not tried: {peer.name} at {address}, which is a server of the plan itself")
            else:
                found.setdefault(address, peer.name)
    if len(found) > MOST:
        notes.append(f"tried: the first {MOST} of {len(found):,} addresses of peers")
    others = [(name, address) for address, name in itertools.islice(found.items(), MOST)]
    for version in (4, 6):
        stranger = _stranger(plan, version, servers)
        if stranger is None:
            notes.append(f"everybody is a peer in IPv{version}: there is no stranger to try")
        else:
            others.append((STRANGER, stranger))
    return others, notes


def _stranger(plan: Plan, version: int, servers: set[Address]) -> Address | None:
    known = [network for peer in plan.peers for network in peer.networks if network.version == version]
    candidates = (
        address for network in _STRANGERS if network.version == version for address in network.hosts()
    )
    return next(
        (
            address
            for address in candidates
            if address not in servers and not any(address in network for network in known)
        ),
        None,
    )


def _ports(plan: Plan, direction: Direction) -> Sequence[int]:
    return sorted({port for door in plan.doors if door.direction is direction for port in door.ports})


def _attempts(
    direction: Direction,
    judge: Judge,
    inside: Iterable[Address],
    others: Sequence[tuple[str, Address]],
    ports: Sequence[int],
) -> Iterator[Attempt]:
    for (who, other), server, port in itertools.product(others, inside, ports):
        if other.version != server.version:
            continue
        ends = (other, server) if direction is Direction.IN else (server, other)
        fate = judge.fate(Flow(*ends, port))
        if fate is not None and fate.direction is direction:
            yield Attempt(direction, *ends, port, who, fate.allowed)


def _first(network: Network) -> Address:
    """The first address of a network that a machine can have."""
    return network[0] if network.num_addresses <= 2 else network[1]
