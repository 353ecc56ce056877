"""Amazon, Azure and Google: groups of rules as Terraform.

Amazon's security groups only ever allow, so what closes the ports there is that no other group opens them; the
other two refuse by themselves.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from leadglass.configs.firewall.plan import Direction, Network, Plan, Server, of_version
from leadglass.configs.firewall.terraform import Value, block, names, port_texts, variable
from leadglass.configs.firewall.words import Written, closing, head, identifier, note, port_ranges
from leadglass.errors import UsageError

__all__ = ["amazon", "azure", "google"]

_LOAD = ("terraform init; terraform plan; read what it says; terraform apply",)

_WAYS = {Direction.IN: "Inbound", Direction.OUT: "Outbound"}

_PER_GROUP = 60
"""Amazon: rules of each direction and each family in one security group, unless the quota was raised."""
_GROUPS = 5
"""Amazon: security groups of one network interface, unless the quota was raised."""
_FIRST, _LAST = 1000, 4096
"""Azure: priorities go from 100 to 4096, each direction apart; what is below 1000 stays free for others."""
_CLOSING = 4000
_MOST_AZURE = 1000
"""Azure: rules in one group."""
_ADDRESSES_AZURE = 4000
"""Azure: addresses in the rules of one group."""
_RANGES = 256
"""Google: addresses in one rule, in older projects; newer ones allow more."""


class _Opening(NamedTuple):
    """What one peer may do, in one family; without ``there``, what all others may not."""

    name: str
    version: int
    direction: Direction
    server: Server
    ports: tuple[int, ...]
    here: tuple[Network, ...]
    there: tuple[Network, ...]
    says: str


# ---- Amazon


def amazon(plan: Plan, *, log_only: bool = False) -> Written:
    """Security groups, one and more for each server; ``UsageError`` for ``log_only``, which they cannot."""
    if log_only:
        raise UsageError(
            "a security group cannot only log",
            where="--log-only",
            then="turn on VPC flow logs, and see leadglass firewall dry-run",
        )
    by_server: dict[int, list[_Opening]] = defaultdict(list)
    for one in _openings(plan):
        by_server[id(one.server)].append(one)
    lines = variable("vpc_id", "The VPC of the servers")
    notes = ["aws: take away the other groups' rules for these ports: a group only ever allows"]
    for label, server in zip(
        names((identifier(s.name) for s in plan.servers), 40), plan.servers, strict=True
    ):
        groups = list(_grouped(by_server[id(server)]))
        if len(groups) > 1:
            notes.append(f"aws: {label} takes {len(groups)} groups of at most {_PER_GROUP} rules")
        if len(groups) > _GROUPS:
            notes.append(
                f"aws: more than the {_GROUPS} groups of one network interface; ask for a higher quota"
            )
        for number, group in enumerate(groups or [[]], 1):
            lines += _security_group(f"leadglass-{label}-{number}", group)
    return Written(head(plan, _LOAD) + "\n".join(lines) + "\n", tuple(notes))


class _Single(NamedTuple):
    """One rule as Amazon counts them: one network, one range of ports."""

    opening: _Opening
    network: Network
    first: int
    last: int


def _grouped(openings: Iterable[_Opening]) -> Iterator[list[_Single]]:
    """Single rules, in groups that hold no more of one direction and family than is allowed."""
    group: list[_Single] = []
    counts: dict[tuple[Direction, int], int] = {}
    for one in openings:
        for network, (first, last) in itertools.product(one.there, port_ranges(one.ports)):
            key = one.direction, network.version
            if counts.get(key, 0) == _PER_GROUP:
                yield group
                group, counts = [], {}
            counts[key] = counts.get(key, 0) + 1
            group.append(_Single(one, network, first, last))
    if group:
        yield group


def _security_group(name: str, rules: Sequence[_Single]) -> list[str]:
    body: dict[str, Value] = {
        "name": name,
        "description": "Known peers of an imaging server - written by leadglass firewall",
        "vpc_id": "=var.vpc_id",
    }
    lines = block("resource", ["aws_security_group", name], body)
    for number, one in enumerate(rules, 1):
        way = "ingress" if one.opening.direction is Direction.IN else "egress"
        cidr = "cidr_ipv4" if one.network.version == 4 else "cidr_ipv6"
        lines += block(
            "resource",
            [f"aws_vpc_security_group_{way}_rule", f"{name}-{number}"],
            {
                "security_group_id": f"=aws_security_group.{name}.id",
                "description": one.opening.says,
                "ip_protocol": "tcp",
                "from_port": one.first,
                "to_port": one.last,
                cidr: str(one.network),
            },
        )
    return lines


# ---- Azure


def azure(plan: Plan, *, log_only: bool = False) -> Written:
    """A network security group; with ``log_only`` its last rules allow, and flow logs tell what they let in."""
    rules = list(_azure_rules(plan, log_only=log_only))
    most = max(Counter(rule.way for rule in rules if not rule.closes).values(), default=0)
    if most > _CLOSING - _FIRST:
        raise UsageError(
            f"{most:,} rules of one direction; a group of Azure's has room for {_CLOSING - _FIRST:,}",
            where="--format",
            then="take fewer peers, or networks instead of addresses",
        )
    counters = {way: itertools.count(_FIRST) for way in _WAYS.values()}
    closers = {way: itertools.count(_CLOSING) for way in _WAYS.values()}
    inner: list[str] = []
    for label, rule in zip(names((rule.name for rule in rules), 80), rules, strict=True):
        priority = next((closers if rule.closes else counters)[rule.way])
        first: dict[str, Value] = {"name": label, "priority": priority, "direction": rule.way}
        inner += block("security_rule", [], {**first, **rule.body})
    lines = [
        *variable("resource_group_name", "The resource group of the servers"),
        *variable("location", "Its region"),
        *block(
            "resource",
            ["azurerm_network_security_group", "leadglass"],
            {
                "name": "leadglass",
                "location": "=var.location",
                "resource_group_name": "=var.resource_group_name",
            },
            inner,
        ),
    ]
    return Written(head(plan, _LOAD) + "\n".join(lines) + "\n", tuple(_azure_notes(plan, len(rules))))


class _AzureRule(NamedTuple):
    way: str
    name: str
    closes: bool
    body: dict[str, Value]


def _azure_rules(plan: Plan, *, log_only: bool) -> Iterator[_AzureRule]:
    for one in _openings(plan):
        yield _AzureRule(_WAYS[one.direction], one.name, closes=False, body=_azure_body("Allow", one))
    action = "Allow" if log_only else "Deny"
    for one in _closings(plan):
        yield _AzureRule(_WAYS[one.direction], one.name, closes=True, body=_azure_body(action, one))


def _azure_body(action: str, one: _Opening) -> dict[str, Value]:
    near, far = ("destination", "source") if one.direction is Direction.IN else ("source", "destination")
    return {
        "description": one.says,
        "access": action,
        "protocol": "Tcp",
        "source_port_range": "*",
        "destination_port_ranges": port_texts(one.ports),
        **_azure_side(far, one.there),
        **_azure_side(near, one.here),
    }


def _azure_side(side: str, networks: Sequence[Network]) -> dict[str, Value]:
    if not networks:
        return {f"{side}_address_prefix": "*"}
    return {f"{side}_address_prefixes": [str(network) for network in networks]}


def _azure_notes(plan: Plan, rules: int) -> Iterator[str]:
    if rules > _MOST_AZURE:
        yield f"azure: {rules:,} rules; a group takes {_MOST_AZURE:,}"
    addresses = sum(len(one.there) + len(one.here) for one in _openings(plan))
    if addresses > _ADDRESSES_AZURE:
        yield f"azure: {addresses:,} addresses; the rules of a group take {_ADDRESSES_AZURE:,}"


# ---- Google


def google(plan: Plan, *, log_only: bool = False) -> Written:
    """Firewall rules of a VPC network; with ``log_only`` the last ones allow, and log it."""
    lines = [
        *variable("network", "The VPC network of the servers"),
        *variable("target_tags", "Network tags of the servers", kind="list(string)"),
    ]
    rules = [*_google_openings(plan), *_google_closings(plan, log_only=log_only)]
    for label, (_, body, verb, ports, logs) in zip(names((r[0] for r in rules), 62), rules, strict=True):
        inner = block(verb, [], {"protocol": "tcp", "ports": port_texts(ports)})
        if logs:
            inner += block("log_config", [], {"metadata": "INCLUDE_ALL_METADATA"})
        named = {"name": label, "network": "=var.network", "target_tags": "=var.target_tags", **body}
        lines += block("resource", ["google_compute_firewall", label], named, inner)
    widest = max((len(one.there) for one in _openings(plan)), default=0)
    notes = (
        [f"gcp: {widest} addresses in one rule; older projects take {_RANGES}"] if widest > _RANGES else []
    )
    return Written(head(plan, _LOAD) + "\n".join(lines) + "\n", tuple(notes))


_GoogleRule = tuple[str, dict[str, Value], str, Sequence[int], bool]


def _google_openings(plan: Plan) -> Iterator[_GoogleRule]:
    for one in _openings(plan):
        yield f"leadglass-{one.name}", _google_body(900, one), "allow", one.ports, False


def _google_closings(plan: Plan, *, log_only: bool) -> Iterator[_GoogleRule]:
    for one in _closings(plan):
        far = "source_ranges" if one.direction is Direction.IN else "destination_ranges"
        body = {**_google_body(950, one), far: ["0.0.0.0/0" if one.version == 4 else "::/0"]}
        yield f"leadglass-{one.name}", body, "allow" if log_only else "deny", one.ports, True


def _google_body(priority: int, one: _Opening) -> dict[str, Value]:
    incoming = one.direction is Direction.IN
    near, far = (
        ("destination_ranges", "source_ranges") if incoming else ("source_ranges", "destination_ranges")
    )
    body: dict[str, Value] = {
        "description": one.says,
        "direction": "INGRESS" if incoming else "EGRESS",
        "priority": priority,
        far: [str(network) for network in one.there],
    }
    return {**body, near: [str(network) for network in one.here]} if one.here else body


# ---- all three


def _openings(plan: Plan) -> Iterator[_Opening]:
    """What is allowed, by family: no cloud takes both in one rule."""
    for rule in plan.rules:
        for version in (4, 6):
            there = of_version(rule.peer.networks, version)
            here = of_version(rule.server.networks, version)
            if there and (here or not rule.server.networks):
                name = f"{identifier(rule.peer.name, 24)}-{identifier(rule.server.name, 16)}-{rule.direction}"
                yield _Opening(
                    name, version, rule.direction, rule.server, rule.ports, here, there, note(rule)
                )


def _closings(plan: Plan) -> Iterator[_Opening]:
    """What is closed, by family."""
    for door in plan.doors:
        for version in (4, 6):
            here = of_version(door.server.networks, version)
            if here or not door.server.networks:
                name = f"closed-{identifier(door.server.name, 24)}-{door.direction}-ipv{version}"
                yield _Opening(
                    name, version, door.direction, door.server, door.ports, here, (), closing(door)
                )
