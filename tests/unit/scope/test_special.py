"""Which addresses are what, and what a range takes in."""

from __future__ import annotations

import ipaddress

import pytest

from leadglass.scope.special import Kind, Span, kind_of, never_reason, spans, subtract, translated


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("8.8.8.8", Kind.PUBLIC),
        ("192.0.2.1", Kind.PUBLIC),
        ("9.255.255.255", Kind.PUBLIC),
        ("10.0.0.0", Kind.PRIVATE),
        ("10.255.255.255", Kind.PRIVATE),
        ("11.0.0.0", Kind.PUBLIC),
        ("172.15.255.255", Kind.PUBLIC),
        ("172.16.0.0", Kind.PRIVATE),
        ("172.31.255.255", Kind.PRIVATE),
        ("172.32.0.0", Kind.PUBLIC),
        ("192.168.1.1", Kind.PRIVATE),
        ("100.64.0.1", Kind.SHARED),
        ("100.128.0.0", Kind.PUBLIC),
        ("127.0.0.1", Kind.LOOPBACK),
        ("127.255.255.254", Kind.LOOPBACK),
        ("169.254.169.254", Kind.LINK_LOCAL),
        ("0.0.0.0", Kind.NEVER),
        ("0.1.2.3", Kind.NEVER),
        ("224.0.0.1", Kind.NEVER),
        ("239.255.255.255", Kind.NEVER),
        ("255.255.255.255", Kind.NEVER),
        ("2001:db8::1", Kind.PUBLIC),
        ("::", Kind.NEVER),
        ("::1", Kind.LOOPBACK),
        ("::2", Kind.PUBLIC),
        ("fc00::1", Kind.PRIVATE),
        ("fdff::1", Kind.PRIVATE),
        ("fe80::1", Kind.LINK_LOCAL),
        ("ff02::1", Kind.NEVER),
        ("::ffff:8.8.8.8", Kind.NEVER),
        ("64:ff9b::8.8.8.8", Kind.PUBLIC),
        ("64:ff9b::10.0.0.1", Kind.PRIVATE),
        ("64:ff9b::127.0.0.1", Kind.LOOPBACK),
        ("64:ff9b::224.0.0.1", Kind.NEVER),
    ],
)
def test_each_address_is_of_its_kind(address: str, kind: Kind) -> None:
    assert kind_of(ipaddress.ip_address(address)) is kind


@pytest.mark.parametrize(
    "network", ["0.0.0.0/8", "224.0.0.0/8", "255.255.255.255", "ff02::/16", "::", "::ffff:1.2.3.0/120"]
)
def test_a_range_without_hosts_says_why(network: str) -> None:
    assert never_reason(ipaddress.ip_network(network))


@pytest.mark.parametrize("network", ["0.0.0.0/0", "0.0.0.0/7", "192.0.2.0/24", "::/0", "::/64", "10.0.0.0/8"])
def test_a_range_with_hosts_has_no_such_reason(network: str) -> None:
    assert never_reason(ipaddress.ip_network(network)) is None


def test_a_range_wider_than_a_special_block_does_not_take_it_in() -> None:
    assert spans(ipaddress.ip_network("8.0.0.0/6")) == (
        Span(8 << 24, (10 << 24) - 1),
        Span(11 << 24, (12 << 24) - 1),
    )


@pytest.mark.parametrize("network", ["10.0.0.0/8", "10.1.0.0/16", "127.0.0.1", "fd00::/8", "192.0.2.0/24"])
def test_a_range_takes_in_all_of_itself_if_it_is_no_wider_than_its_block(network: str) -> None:
    wanted = ipaddress.ip_network(network)

    assert spans(wanted) == (Span(int(wanted.network_address), int(wanted.broadcast_address)),)


def test_the_whole_internet_is_everything_but_the_special_blocks() -> None:
    every = spans(ipaddress.ip_network("0.0.0.0/0"))
    size = sum(span.last - span.first + 1 for span in every)
    blocks = [
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
        *("172.16.0.0/12", "192.168.0.0/16", "224.0.0.0/4", "240.0.0.0/4"),
    ]

    assert size == 2**32 - sum(ipaddress.ip_network(block).num_addresses for block in blocks)


@pytest.mark.parametrize(
    ("holes", "rest"),
    [
        ([], [(10, 20)]),
        ([(10, 20)], []),
        ([(10, 12)], [(13, 20)]),
        ([(18, 20)], [(10, 17)]),
        ([(12, 13), (15, 15)], [(10, 11), (14, 14), (16, 20)]),
    ],
)
def test_subtracting_leaves_what_lies_between(
    holes: list[tuple[int, int]], rest: list[tuple[int, int]]
) -> None:
    assert list(subtract(Span(10, 20), [Span(*hole) for hole in holes])) == [Span(*span) for span in rest]


def test_an_ipv4_range_is_known_behind_a_nat64_gateway_too() -> None:
    assert translated(ipaddress.ip_network("192.0.2.0/28")) == (
        ipaddress.ip_network("64:ff9b::192.0.2.0/124"),
    )
    assert translated(ipaddress.ip_network("2001:db8::/32")) == ()
