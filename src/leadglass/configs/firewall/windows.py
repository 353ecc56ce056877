"""Windows: PowerShell with ``New-NetFirewallRule``.

Windows lets a block win over every allow, whatever their order, so what is blocked are the ranges between the
addresses that are allowed. So an older, wider rule, such as an installer makes for its program, opens nothing.
"""

from __future__ import annotations

import ipaddress
import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from leadglass.configs.firewall.plan import Direction, Door, Network, Plan, Rule, collapsed
from leadglass.configs.firewall.words import Written, closing, head, note, plain, port_ranges, short

__all__ = ["between", "quoted", "windows"]

_GROUP = "Leadglass"
_LOAD = ("Run it as administrator, as often as you like: powershell -ExecutionPolicy Bypass -File FILE",)
_ENDS = {4: (1, (1 << 32) - 2), 6: (1, (1 << 128) - 2)}
"""First and last address of each version that anybody could come from."""
_DIRECTIONS = {Direction.IN: "Inbound", Direction.OUT: "Outbound"}


def windows(plan: Plan, *, log_only: bool = False) -> Written:
    """A script; ``log_only`` blocks nothing and has Windows log which connections are allowed."""
    lines = [
        "$ErrorActionPreference = 'Stop'",
        f"Get-NetFirewallRule -Group {quoted(_GROUP)} -ErrorAction SilentlyContinue | Remove-NetFirewallRule",
        *map(_allow, plan.rules),
        *(line for door in plan.doors for line in _blocks(plan, door) if not log_only),
        f"Set-NetFirewallProfile -All -LogMaxSizeKilobytes 32767 -Log{'Allowed' if log_only else 'Blocked'} True",
    ]
    notes = ("windows: the log is %windir%/System32/LogFiles/Firewall/pfirewall.log, for the whole machine",)
    return Written(head(plan, _LOAD) + "\n".join(lines) + "\n", notes)


def between(networks: Iterable[Network], version: int) -> Iterator[str]:
    """Every range of addresses of one version that is in none of ``networks``, as ``first-last``."""
    start, end = _ENDS[version]
    for network in collapsed(networks):
        if network.version != version:
            continue
        first, last = int(network.network_address), int(network.broadcast_address)
        if first > start:
            yield _span(version, start, first - 1)
        start = max(start, last + 1)
    if start <= end:
        yield _span(version, start, end)


def quoted(text: str) -> str:
    """A literal string; in single quotes only the quotes themselves are anything else, the curly ones too."""
    return "'" + "".join(char * 2 if char in _QUOTES else char for char in text) + "'"


_QUOTES = frozenset("'\u2018\u2019\u201a\u201b")


def _span(version: int, first: int, last: int) -> str:
    make = ipaddress.IPv4Address if version == 4 else ipaddress.IPv6Address
    return f"{make(first)}-{make(last)}"


def _allow(rule: Rule) -> str:
    name = f"Leadglass {rule.direction} {plain(rule.peer.name, 40)}"
    remote = [short(network) for network in collapsed(rule.peer.networks)]
    return _rule(name, note(rule), "Allow", rule, remote)


def _blocks(plan: Plan, door: Door) -> Iterator[str]:
    """One rule for all the ports of a door that the same peers may use."""
    alike: dict[tuple[Network, ...], list[int]] = defaultdict(list)
    for port in door.ports:
        alike[plan.allowed(door, port)].append(port)
    name = f"Leadglass {door.direction} closed {plain(door.server.name, 40)}"
    for allowed, ports in alike.items():
        remote = list(itertools.chain(between(allowed, 4), between(allowed, 6))) if allowed else ["Any"]
        if remote:
            closed = Door(door.direction, door.server, tuple(ports))
            yield _rule(name, closing(door), "Block", closed, remote)


def _rule(name: str, says: str, action: str, one: Rule | Door, remote: Sequence[str]) -> str:
    side = "LocalPort" if one.direction is Direction.IN else "RemotePort"
    spans = [f"{first}-{last}" if last > first else str(first) for first, last in port_ranges(one.ports)]
    here = one.server.networks
    local = [f"-LocalAddress {_array(map(short, collapsed(here)))}"] if here else []
    words = [
        f"New-NetFirewallRule -Group {quoted(_GROUP)} -DisplayName {quoted(name)} -Description {quoted(says)}",
        f"-Direction {_DIRECTIONS[one.direction]} -Action {action} -Profile Any -Protocol TCP",
        f"-{side} {_array(spans)} -RemoteAddress {_array(remote)}",
        *local,
        "| Out-Null",
    ]
    return " ".join(words)


def _array(values: Iterable[str]) -> str:
    return f"@({', '.join(map(quoted, values))})"
