"""iptables and ip6tables: chains of their own in the format of ``iptables-save``.

They are loaded without flushing, so that nothing else changes, and asked by one jump that is set once. They stand
in the table ``mangle``, before destinations are translated, so that ports which containers publish are covered.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from leadglass.configs.firewall.nftables import DROPPED, PASSED
from leadglass.configs.firewall.plan import Direction, Door, Plan, Rule, Server, of_version
from leadglass.configs.firewall.words import Written, closing, head, note, port_ranges
from leadglass.errors import UsageError

__all__ = ["iptables"]

_MOST = 20_000
"""Rules; iptables asks them one by one."""
_AT_ONCE = 15
"""Ports that one ``multiport`` takes; a range counts as two."""
_CHAINS = {Direction.IN: ("LEADGLASS-IN", "PREROUTING"), Direction.OUT: ("LEADGLASS-OUT", "POSTROUTING")}
_LIMIT = "-m limit --limit 30/minute --limit-burst 60"


def iptables(plan: Plan, version: int, *, log_only: bool = False) -> Written:
    """The rules of one family, 4 or 6; ``UsageError`` if that would be too many for iptables."""
    lines = list(itertools.islice(_rules(plan, version, log_only=log_only), _MOST + 1))
    if len(lines) > _MOST:
        raise UsageError(
            f"these would be more than {_MOST:,} rules", where="--format", then="write --format nftables"
        )
    program = "iptables" if version == 4 else "ip6tables"
    used = [_CHAINS[way] for way in Direction if any(door.direction is way for door in plan.doors)]
    text = "\n".join(("*mangle", *(f":{chain} - [0:0]" for chain, _ in used), *lines, "COMMIT"))
    return Written(head(plan, _loading(program, used)) + text + "\n", _told(plan))


def _loading(program: str, used: Sequence[tuple[str, str]]) -> Iterator[str]:
    yield f"Load it, as often as you like: {program}-restore --noflush FILE"
    for chain, hook in used:
        jump = f"{program} -t mangle"
        yield f"Once: {jump} -C {hook} -j {chain} || {jump} -I {hook} -j {chain}"


def _told(plan: Plan) -> tuple[str, ...]:
    if not plan.outgoing:
        return ()
    return ("iptables: what containers open themselves is not seen as the server's; nftables sees it",)


def _rules(plan: Plan, version: int, *, log_only: bool) -> Iterator[str]:
    for way in Direction:
        chain, _ = _CHAINS[way]
        doors = [door for door in plan.doors if door.direction is way]
        if doors:
            yield f"-A {chain} -m conntrack --ctdir REPLY -j RETURN"
            yield f"-A {chain} {'-i' if way is Direction.IN else '-o'} lo -j RETURN"
        for rule in plan.rules:
            if rule.direction is way:
                yield from _allow(chain, rule, version)
        for door in doors:
            yield from _close(chain, door, version, log_only=log_only)


def _allow(chain: str, rule: Rule, version: int) -> Iterator[str]:
    side = "-s" if rule.direction is Direction.IN else "-d"
    for place, peer, ports in itertools.product(
        _places(rule.server, rule.direction, version),
        of_version(rule.peer.networks, version),
        _portions(rule.ports),
    ):
        yield (
            f'-A {chain} {place} {side} {peer} -p tcp {ports} -m comment --comment "{note(rule)}" -j RETURN'
        )


def _close(chain: str, door: Door, version: int, *, log_only: bool) -> Iterator[str]:
    prefix = PASSED if log_only else DROPPED
    for place, ports in itertools.product(
        _places(door.server, door.direction, version), _portions(door.ports)
    ):
        match = f'-A {chain} {place} -p tcp {ports} -m comment --comment "{closing(door)}"'
        yield f'{match} {_LIMIT} -j LOG --log-prefix "{prefix}"'
        yield f"{match} -j {'RETURN' if log_only else 'DROP'}"


def _places(server: Server, direction: Direction, version: int) -> Sequence[str]:
    incoming = direction is Direction.IN
    if not server.networks:
        return (f"-m addrtype --{'dst' if incoming else 'src'}-type LOCAL",)
    side = "-d" if incoming else "-s"
    return [f"{side} {network}" for network in of_version(server.networks, version)]


def _portions(ports: Sequence[int]) -> Iterator[str]:
    portion: list[str] = []
    room = _AT_ONCE
    for first, last in port_ranges(ports):
        size = 1 if first == last else 2
        if size > room:
            yield f"-m multiport --dports {','.join(portion)}"
            portion, room = [], _AT_ONCE
        portion.append(str(first) if first == last else f"{first}:{last}")
        room -= size
    yield f"-m multiport --dports {','.join(portion)}"
