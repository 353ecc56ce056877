"""nftables: a table of its own, which may be loaded again and again.

Incoming rules stand before the translation of destinations and outgoing ones behind that of sources, so that the
same file works on the server, on a router before it, and for ports that containers publish. ``accept``
here ends only this table: whatever else the machine's firewall says still holds.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from leadglass.configs.firewall.plan import Direction, Door, Network, Peer, Plan, Rule, Server, of_version
from leadglass.configs.firewall.words import Written, closing, head, note, plain, port_ranges, short

__all__ = ["DROPPED", "PASSED", "TABLE", "Refusal", "Style", "nftables"]

TABLE = "leadglass_firewall"
DROPPED = "leadglass drop "
"""Before each line of the log that tells of a packet that was dropped ..."""
PASSED = "leadglass would drop "
"""... or would have been."""

_FAMILIES = {4: "ip", 6: "ip6"}
_LIMIT = "limit rate 30/minute burst 60 packets"


class Refusal(enum.StrEnum):
    """What a stranger gets."""

    DROP = "drop"
    """Nothing: the port looks filtered."""
    RESET = "reject with tcp reset"
    """The port looks closed, and nobody waits for a time-out."""


@dataclass(frozen=True, slots=True)
class Style:
    """How a plan is written down."""

    log_only: bool = False
    """Nothing is refused; what would have been is logged."""
    refusal: Refusal = Refusal.DROP
    table: str = TABLE
    load: str = "nft -f FILE"


_STYLE = Style()


def nftables(plan: Plan, style: Style = _STYLE) -> Written:
    """A file for ``nft -f``."""
    named = _Named(plan)
    body = [*named.sets(), *_chain(named, Direction.IN, style), *_chain(named, Direction.OUT, style)]
    lines = [
        f"table inet {style.table}",
        f"delete table inet {style.table}",
        f"table inet {style.table} {{",
        *(f"    {line}" for line in body),
        "}",
    ]
    return Written(head(plan, [f"Load it, as often as you like: {style.load}"]) + "\n".join(lines) + "\n")


class _Named:
    """A plan whose servers and peers have the names of their sets."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        # By identity: what has many ports or networks takes long to hash.
        self.servers = {id(server): f"s{number}" for number, server in enumerate(plan.servers, 1)}
        self.peers = {id(peer): f"p{number}" for number, peer in enumerate(plan.peers, 1)}

    def sets(self) -> Iterator[str]:
        """The addresses of each, by family."""
        servers, peers = self.plan.servers, self.plan.peers
        holders: Iterable[Server | Peer] = (*servers, *peers)
        for holder, name in zip(holders, (*self.servers.values(), *self.peers.values()), strict=True):
            for version in _FAMILIES:
                if networks := of_version(holder.networks, version):
                    yield f"# {plain(holder.name, 60)}"
                    yield from _set(f"{name}_v{version}", version, networks)


def _set(name: str, version: int, networks: Sequence[Network]) -> Iterator[str]:
    yield f"set {name} {{"
    yield f"    type ipv{version}_addr; flags interval;"
    yield f"    elements = {{ {', '.join(map(short, networks))} }}"
    yield "}"


def _chain(named: _Named, direction: Direction, style: Style) -> Iterator[str]:
    doors = [door for door in named.plan.doors if door.direction is direction]
    if not doors:
        return
    incoming = direction is Direction.IN
    yield "chain incoming {" if incoming else "chain outgoing {"
    hook = "prerouting priority dstnat - 10" if incoming else "postrouting priority srcnat + 10"
    yield f"    type filter hook {hook}; policy accept;"
    ports = sorted({port for door in doors for port in door.ports})
    yield '    meta l4proto != tcp accept comment "not concerned"'
    yield f'    tcp dport != {_ports(ports)} accept comment "not concerned"'
    # What a peer answers comes to a port of its own choice, which may be one of ours.
    yield '    ct direction reply accept comment "answers"'
    yield f'    {"iif" if incoming else "oif"} "lo" accept'
    for rule in named.plan.rules:
        if rule.direction is direction:
            yield from (f"    {line}" for line in _allow(named, rule))
    for door in doors:
        yield from (f"    {line}" for line in _close(named, door, style))
    yield "}"


def _allow(named: _Named, rule: Rule) -> Iterator[str]:
    peer = named.peers[id(rule.peer)]
    side = "saddr" if rule.direction is Direction.IN else "daddr"
    for version, family in _FAMILIES.items():
        if not of_version(rule.peer.networks, version):
            continue
        for place in _places(named, rule.server, rule.direction, version):
            match = f"{place}tcp dport {_ports(rule.ports)} {family} {side} @{peer}_v{version}"
            yield f'{match} counter accept comment "{note(rule)}"'


def _close(named: _Named, door: Door, style: Style) -> Iterator[str]:
    end = "" if style.log_only else f" {style.refusal}"
    prefix = PASSED if style.log_only else DROPPED
    places = [
        place
        for version in ((4, 6) if door.server.networks else (4,))
        for place in _places(named, door.server, door.direction, version)
    ]
    for place in places:
        match = f"{place}tcp dport {_ports(door.ports)}"
        yield f'{match} {_LIMIT} log prefix "{prefix}"'
        yield f'{match} counter{end} comment "{closing(door)}"'


def _places(named: _Named, server: Server, direction: Direction, version: int) -> Sequence[str]:
    """How the server's side of a packet is told; none if it has no address of that kind."""
    side = "daddr" if direction is Direction.IN else "saddr"
    if not server.networks:
        return (f"fib {side} type local ",)
    if not of_version(server.networks, version):
        return ()
    return (f"{_FAMILIES[version]} {side} @{named.servers[id(server)]}_v{version} ",)


def _ports(ports: Sequence[int]) -> str:
    return f"{{ {', '.join(_range(*pair) for pair in port_ranges(ports))} }}"


def _range(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"
