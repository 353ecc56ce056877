"""pf: an anchor for ``pf.conf``, as FreeBSD, macOS and OPNsense take it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from leadglass.configs.firewall.plan import Direction, Door, Network, Plan, Rule, Server, of_version
from leadglass.configs.firewall.words import Written, closing, head, note, port_ranges, short

__all__ = ["pf"]

_FAMILIES = {4: "inet", 6: "inet6"}
_LOAD = (
    "Once in pf.conf, before other rules for these ports: anchor leadglass",
    "Load it, as often as you like: pfctl -a leadglass -f FILE",
)


def pf(plan: Plan, *, log_only: bool = False) -> Written:
    """The anchor's rules, the first that fits decides; ``log_only`` passes and logs what would be blocked."""
    # By identity: a peer with many networks takes long to hash.
    peers = {id(peer): f"lg_p{number}" for number, peer in enumerate(plan.peers, 1)}
    lines = [
        f"table <{name}_v{version}> const {_braces(networks)}"
        for peer, name in zip(plan.peers, peers.values(), strict=True)
        for version in _FAMILIES
        if (networks := of_version(peer.networks, version))
    ]
    for rule in plan.rules:
        lines += _allow(rule, peers[id(rule.peer)])
    for door in plan.doors:
        lines += _close(door, log_only=log_only)
    notes = ("pf: pflog has no rate limit; watch how fast it grows",)
    return Written(head(plan, _LOAD) + "\n".join(lines) + "\n", notes)


def _allow(rule: Rule, name: str) -> Iterator[str]:
    yield f"# {note(rule)}"
    for version, family in _FAMILIES.items():
        if of_version(rule.peer.networks, version):
            for place in _places(rule.server, version):
                table = f"<{name}_v{version}>"
                yield f"pass {_way(rule.direction, family, table, place, rule.ports)} keep state"


def _close(door: Door, *, log_only: bool) -> Iterator[str]:
    yield f"# {closing(door)}"
    # Replies belong to a state and are not asked here, so only a connection's first packet is refused.
    action, end = ("pass", " keep state") if log_only else ("block drop", "")
    for version, family in _FAMILIES.items():
        for place in _places(door.server, version):
            yield f"{action} {_way(door.direction, family, 'any', place, door.ports, log=True)}{end}"


def _way(
    direction: Direction, family: str, other: str, place: str, ports: Sequence[int], *, log: bool = False
) -> str:
    found = [f"{first}:{last}" if last > first else str(first) for first, last in port_ranges(ports)]
    port = f"port {{ {', '.join(found)} }}"
    ends = (
        f"from {other} to {place} {port}" if direction is Direction.IN else f"from {place} to {other} {port}"
    )
    return f"{direction}{' log' if log else ''} quick {family} proto tcp {ends}"


def _places(server: Server, version: int) -> Sequence[str]:
    if not server.networks:
        return ("self",)
    networks = of_version(server.networks, version)
    return (_braces(networks),) if networks else ()


def _braces(networks: Sequence[Network]) -> str:
    return f"{{ {', '.join(map(short, networks))} }}"
