"""The targets of a scope as servers that are to be protected."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping

from leadglass.configs.firewall.plan import Network, Server, service_at
from leadglass.configs.firewall.read import servers_at
from leadglass.scope.rules import Range
from leadglass.scope.scope import Scope

__all__ = ["scope_servers"]


def scope_servers(scope: Scope) -> tuple[Server, ...]:
    """The targets of a scope whose names are pinned, without what it excludes; services by their usual ports."""
    pins = dict(scope.pins or ())
    excluded = [network for one in scope.exclusions for network in _networks(one.range, pins)]
    return servers_at(
        (part, {port: service_at(port) for port in target.ports})
        for target in scope.rules
        for network in _networks(target.range, pins)
        for part in _without(network, excluded)
    )


def _networks(range_: Range, pins: Mapping[str, tuple[str, ...]]) -> Iterable[Network]:
    if isinstance(range_, str):
        return map(ipaddress.ip_network, pins.get(range_, ()))
    return (range_,)


def _without(network: Network, excluded: Iterable[Network]) -> Iterator[Network]:
    parts: list[Network] = [network]
    for hole in excluded:
        parts = [part for one in parts for part in _cut(one, hole)]
    yield from parts


def _cut(network: Network, hole: Network) -> Iterable[Network]:
    if isinstance(network, ipaddress.IPv4Network) and isinstance(hole, ipaddress.IPv4Network):
        return network.address_exclude(hole) if hole.subnet_of(network) else _outside(network, hole)
    if isinstance(network, ipaddress.IPv6Network) and isinstance(hole, ipaddress.IPv6Network):
        return network.address_exclude(hole) if hole.subnet_of(network) else _outside(network, hole)
    return (network,)


def _outside(network: Network, hole: Network) -> Iterable[Network]:
    """Two networks overlap only where one holds the other."""
    return () if network.overlaps(hole) else (network,)
