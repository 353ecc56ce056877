"""One form for an address, so that the same host is always the same to a rule."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import TypeAlias

__all__ = ["Address", "address", "within"]

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address


def address(text: str) -> Address:
    """The address without its zone; an IPv4 address mapped into IPv6 (RFC 4291 2.5.5.2) as IPv4.

    ``ValueError`` where the text is no address.
    """
    found = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        return found.ipv4_mapped
    return found


def within(text: str, networks: Iterable[str]) -> bool:
    """Whether an address lies in one of the networks (CIDR); no where one of them cannot be read."""
    try:
        found = address(text)
        return any(found in ipaddress.ip_network(network, strict=False) for network in networks)
    except ValueError:
        return False
