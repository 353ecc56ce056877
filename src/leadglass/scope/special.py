"""Addresses that are not somebody's server on the Internet (IANA special-purpose registries).

A range that is wider than such a block does not take it in: ``0.0.0.0/0`` means the Internet, not
the network the scanner stands in. To scan a private network, write that network.
"""

from __future__ import annotations

import enum
import ipaddress
from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

__all__ = ["Address", "Kind", "Network", "Span", "kind_of", "never_reason", "spans", "subtract", "translated"]

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


class Kind(enum.Enum):
    """What sort of place an address is."""

    PUBLIC = "public"
    LOOPBACK = "loopback"
    PRIVATE = "private"
    """RFC 1918 and RFC 4193."""
    LINK_LOCAL = "link-local"
    SHARED = "shared by a provider's customers"
    """RFC 6598: behind a provider's address translation, where others live too."""
    NEVER = "not a host"


class Span(NamedTuple):
    """Addresses ``first`` to ``last``, both included, as integers."""

    first: int
    last: int


class _Block(NamedTuple):
    network: Network
    kind: Kind
    why: str


def _block(network: str, kind: Kind, why: str) -> _Block:
    return _Block(ipaddress.ip_network(network), kind, why)


_BLOCKS = (
    _block("0.0.0.0/8", Kind.NEVER, "unspecified addresses (RFC 1122)"),
    _block("10.0.0.0/8", Kind.PRIVATE, "private (RFC 1918)"),
    _block("100.64.0.0/10", Kind.SHARED, "shared by a provider's customers (RFC 6598)"),
    _block("127.0.0.0/8", Kind.LOOPBACK, "loopback (RFC 1122)"),
    _block("169.254.0.0/16", Kind.LINK_LOCAL, "link-local (RFC 3927)"),
    _block("172.16.0.0/12", Kind.PRIVATE, "private (RFC 1918)"),
    _block("192.168.0.0/16", Kind.PRIVATE, "private (RFC 1918)"),
    _block("224.0.0.0/4", Kind.NEVER, "multicast (RFC 5771)"),
    _block("240.0.0.0/4", Kind.NEVER, "reserved and broadcast (RFC 1112, RFC 919)"),
    _block("::/128", Kind.NEVER, "the unspecified address (RFC 4291)"),
    _block("::1/128", Kind.LOOPBACK, "loopback (RFC 4291)"),
    _block("::ffff:0:0/96", Kind.NEVER, "IPv4 in disguise (RFC 4291 2.5.5.2); write it as IPv4"),
    _block("fc00::/7", Kind.PRIVATE, "private (RFC 4193)"),
    _block("fe80::/10", Kind.LINK_LOCAL, "link-local (RFC 4291)"),
    _block("ff00::/8", Kind.NEVER, "multicast (RFC 4291)"),
)

_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")
"""Where a NAT64 gateway puts the IPv4 Internet (RFC 6052 2.1)."""


def kind_of(address: Address) -> Kind:
    """What sort of place ``address`` is."""
    if address.version == 6 and address in _TRANSLATED:
        address = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    found = _enclosing(ipaddress.ip_network(address))
    return found.kind if found else Kind.PUBLIC


def never_reason(network: Network) -> str | None:
    """Why nothing in ``network`` can be a target; None if something can."""
    found = _enclosing(network)
    return found.why if found and found.kind is Kind.NEVER else None


def translated(network: Network) -> tuple[Network, ...]:
    """The other addresses under which a NAT64 gateway reaches an IPv4 ``network``."""
    if network.version == 6:
        return ()
    first = int(_TRANSLATED.network_address) | int(network.network_address)
    return (ipaddress.IPv6Network((first, 96 + network.prefixlen)),)


def spans(network: Network) -> tuple[Span, ...]:
    """What a range takes in: all of it, without the special blocks that are smaller than itself."""
    holes = [_span(b.network) for b in _BLOCKS if b.network != network and _within(b.network, network)]
    return tuple(subtract(_span(network), sorted(holes)))


def subtract(span: Span, holes: list[Span]) -> Iterator[Span]:
    """``span`` without ``holes``, which are sorted and do not overlap."""
    first = span.first
    for hole in holes:
        if first < hole.first:
            yield Span(first, hole.first - 1)
        first = hole.last + 1
    if first <= span.last:
        yield Span(first, span.last)


def _enclosing(network: Network) -> _Block | None:
    return next((block for block in _BLOCKS if _within(network, block.network)), None)


def _within(inner: Network, outer: Network) -> bool:
    if inner.version != outer.version or inner.prefixlen < outer.prefixlen:
        return False
    return int(outer.network_address) <= int(inner.network_address) <= int(outer.broadcast_address)


def _span(network: Network) -> Span:
    return Span(int(network.network_address), int(network.broadcast_address))
