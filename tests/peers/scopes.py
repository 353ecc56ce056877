"""Random scopes, each with the list of what it permits, worked out here and not by Leadglass.

Scope number n has a block of addresses of its own, so that packets can be told apart by where they
went, and many scopes can be scanned before the counters are read.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import random
import zoneinfo
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["DEPTHS", "NETWORKS", "RandomScope", "random_scope"]

NETWORKS = ("10.64.0.0/10", "fd99:1::/32")
"""All blocks lie in these."""
DEPTHS = ("passive", "connect", "associate", "negotiate", "blank-query")

_CEILINGS = {"owner": 4, "mandate": 4, "research": 3}
_ZONES = ("UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Pacific/Kiritimati")
_PORTS = (104, 443, 2761, 2762, 4242, 8042, 8080, 11112)


class Target(NamedTuple):
    """One ``[[targets]]`` table. ``depth`` counts in ``DEPTHS``; None: the limit."""

    network: ipaddress.IPv4Network | ipaddress.IPv6Network
    ports: tuple[tuple[int, int], ...]
    depth: int | None


@dataclass(frozen=True, slots=True)
class RandomScope:
    """A scope file and what may happen under it."""

    text: str
    permitted: dict[tuple[str, int], str]
    """Address and port to the deepest rung; what is not here gets no packet."""
    why_shut: str
    """Empty, or why nothing is permitted: "contradictory", "expired", "out of hours"."""


def random_scope(number: int, seed: int, now: dt.datetime) -> RandomScope:
    """Scope ``number`` of ``seed``; ``now`` is aware. The same arguments make the same scope."""
    chance = random.Random(f"{seed}/{number}")
    block = _block(number, chance)
    basis = chance.choice(tuple(_CEILINGS))
    limit = chance.choice((0, 1, 2, 3, 4, 4))
    targets = [_target(block, limit, chance) for _ in range(chance.choice((1, 1, 2, 3)))]
    holes = [_part(block, chance) for _ in range(chance.choice((0, 0, 1, 2)))]
    shut, calendar = _calendar(chance, now)
    if limit > _CEILINGS[basis] or any((target.depth or 0) > limit for target in targets):
        shut = "contradictory"
    permitted = {} if shut else _permitted(targets, holes, limit)
    head = _head(number, basis, calendar[0], limit, calendar[1], chance)
    return RandomScope(head + _tables(targets, holes), permitted, shut)


def _block(number: int, chance: random.Random) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    if chance.random() < 0.25:
        return ipaddress.IPv6Network(f"fd99:1:{number >> 16:x}:{number & 0xFFFF:x}::/120")
    return ipaddress.IPv4Network(((10 << 24) + (64 << 16) + (number << 8), 24))


def _part(
    block: ipaddress.IPv4Network | ipaddress.IPv6Network, chance: random.Random
) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """A random range within a block, 64 addresses at most."""
    host_bits = chance.choice((0, 0, 1, 2, 3, 4, 5, 6))
    step = 1 << host_bits
    first = chance.randrange(0, 256, step)
    return type(block)((int(block.network_address) + first, block.max_prefixlen - host_bits))


def _target(
    block: ipaddress.IPv4Network | ipaddress.IPv6Network, limit: int, chance: random.Random
) -> Target:
    """A random target; one in twenty goes deeper than the limit, which a target may not."""
    singles = [(port, port) for port in chance.sample(_PORTS, chance.choice((1, 1, 2)))]
    first = chance.randrange(1024, 65_500)
    ranges = [(first, first + chance.randrange(1, 4))] if chance.random() < 0.3 else []
    deepest = 4 if chance.random() < 0.05 else limit
    return Target(_part(block, chance), (*singles, *ranges), chance.choice((None, *range(deepest + 1))))


def _permitted(targets: Sequence[Target], holes: Sequence[object], limit: int) -> dict[tuple[str, int], str]:
    """Where targets overlap the shallowest holds, and an exclusion wins over all of them."""
    depths: dict[tuple[str, int], int] = {}
    for target in targets:
        depth = limit if target.depth is None else min(limit, target.depth)
        for endpoint in _endpoints(target):
            depths[endpoint] = min(depth, depths.get(endpoint, depth))
    excluded = {str(address) for hole in holes for address in hole}  # type: ignore[attr-defined]
    return {
        endpoint: DEPTHS[depth]
        for endpoint, depth in depths.items()
        if depth > 0 and endpoint[0] not in excluded
    }


def _endpoints(target: Target) -> Iterator[tuple[str, int]]:
    for address in target.network:
        for first, last in target.ports:
            for port in range(first, last + 1):
                yield str(address), port


def _calendar(chance: random.Random, now: dt.datetime) -> tuple[str, tuple[str, str]]:
    """Why the scope is shut, or nothing; and the lines for authorisation and limits that make it so."""
    zone = chance.choice(_ZONES)
    local = now.astimezone(zoneinfo.ZoneInfo(zone))
    until, hours, shut = "", "", ""
    if chance.random() < 0.4:
        ended = chance.random() < 0.5
        day = local.date() + dt.timedelta(days=-1 if ended else chance.choice((1, 300)))
        until, shut = f"valid_until = {day.isoformat()}\n", "expired" if ended else ""
    if chance.random() < 0.4:
        closed = chance.random() < 0.5
        shut = shut or ("out of hours" if closed else "")
        # Windows begin and end two hours away from now, so that no run meets an edge.
        shift = dt.timedelta(hours=2 if closed else -2)
        window = f"{local + shift:%H:%M}-{local + shift + dt.timedelta(hours=4):%H:%M}"
        hours = f'hours = "{window}"\n'
    return shut, (until, f'{hours}timezone = "{zone}"\n')


def _head(number: int, basis: str, until: str, limit: int, hours: str, chance: random.Random) -> str:
    return f"""
name = "random scope {number}"
[authorisation]
basis = "{basis}"
granted_by = "A. Tester"
contact = "tester@example.org"
{until}[limits]
deepest = "{DEPTHS[limit]}"
rate = 100000
connections_per_endpoint = {chance.randint(1, 6)}
concurrent_per_host = {chance.randint(1, 8)}
{hours}[vantage]
position = "inside"
"""


def _tables(targets: Sequence[Target], holes: Sequence[object]) -> str:
    tables = []
    for target in targets:
        ports = ", ".join(str(a) if a == b else f'"{a}-{b}"' for a, b in target.ports)
        depth = f'deepest = "{DEPTHS[target.depth]}"\n' if target.depth is not None else ""
        tables.append(f'[[targets]]\nrange = "{target.network}"\nports = [{ports}]\n{depth}')
    tables += [f'[[exclude]]\nrange = "{hole}"\nreason = "left alone"\n' for hole in holes]
    return "".join(tables)
