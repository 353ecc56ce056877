"""A scope's addresses by number: just those that may be connected to."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import chain

from leadglass.model.key import pack, unpack
from leadglass.scope.hosts import Hosts, Segment
from leadglass.scope.parse import parse
from leadglass.scope.scope import Scope

HEAD = """name = "hosts"
[authorisation]
basis = "owner"
granted_by = "A. Example"
contact = "security@example.org"
reference = "1"
valid_until = 2099-12-31
[limits]
deepest = "associate"
[vantage]
position = "outside"
"""


def scope(*targets: str) -> Scope:
    return parse(HEAD + "\n".join(targets), filename="scope.toml", moment=0.0)


def target(range_: str, ports: str = "[104, 11112]", more: str = "") -> str:
    return f'[[targets]]\nrange = "{range_}"\nports = {ports}\n{more}'


def endpoints(hosts: Hosts) -> Iterator[tuple[str, int]]:
    for number in range(hosts.count):
        address, _, segment = hosts.at(number)
        for port in ports(segment):
            yield address, port


def ports(segment: Segment) -> Iterator[int]:
    return chain.from_iterable(some for some, _ in segment.asked)


def test_the_numbered_hosts_are_the_targets_of_the_scope() -> None:
    given = scope(
        target("192.0.2.0/28"),
        target("192.0.2.4/30", '["100-110", 104]'),
        target("2001:db8::/126", "[2762]"),
        '[[exclude]]\nrange = "192.0.2.9"\nreason = "life support network"',
    )
    hosts = given.hosts()

    assert sorted(endpoints(hosts)) == sorted(given.targets())
    assert (hosts.count, hosts.endpoints) == (15 + 4, given.count())


def test_what_may_only_be_looked_up_is_not_visited() -> None:
    hosts = scope(target("192.0.2.0/30"), target("198.51.100.0/30", more='deepest = "passive"')).hosts()

    assert {address for address, _ in endpoints(hosts)} == {f"192.0.2.{n}" for n in range(4)}


def test_a_host_knows_its_key_and_its_rules() -> None:
    given = scope(target("192.0.2.7", more='called_ae = "ARCHIVE"'), target("2001:db8::7", "[104]"))
    (_, four, rules), (_, six, _) = (given.hosts().at(number) for number in (0, 1))

    assert four + (104).to_bytes(2, "big") == pack("192.0.2.7", 104)
    assert unpack(six + (104).to_bytes(2, "big")) == ("2001:db8::7", 104)
    assert rules.cell.grant(104) == given.grant("192.0.2.7", 104)
    assert (list(ports(rules)), rules.count) == ([104, 11112], 2)
    assert {grant for _, grant in rules.asked} == {rules.cell.grant(104)}


def test_the_scope_says_the_same_of_a_host_that_it_made_the_address_of() -> None:
    targets = (
        target("192.0.2.0/26", more='deepest = "connect"'),
        target("192.0.2.32/27", "[104, 4242]"),
        target("2001:db8::/122", "[2762]"),
        '[[exclude]]\nrange = "192.0.2.40/30"\nreason = "life support network"',
    )
    fresh, used = scope(*targets), scope(*targets)
    hosts = used.hosts()
    made = [hosts.at(number)[0] for number in range(hosts.count)]

    for address in (*made, "192.0.2.40", "192.0.2.64", "192.0.2.07", "2001:db8::40"):
        for port in (103, 104, 2762, 4242, 11112):
            assert used.grant(address, port) == fresh.grant(address, port)


def test_not_every_host_is_remembered() -> None:
    given = scope(target("10.0.0.0/8"))
    hosts = given.hosts()
    for number in range(20_000):
        hosts.at(number)

    assert len(given._compiled.known) < 20_000
    assert given.grant("10.0.0.0", 104) is not None


def test_a_scope_of_sixteen_million_hosts_is_numbered_at_once() -> None:
    began = time.process_time()
    hosts = scope(target("10.0.0.0/8")).hosts()

    assert hosts.at(hosts.count - 1)[0] == "10.255.255.255"
    assert time.process_time() - began < 0.5
