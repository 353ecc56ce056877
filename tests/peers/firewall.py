"""Packet counters and dropped ports on the server side of a pair, with nftables.

The counters stand before routing, so that they see every packet that comes over the cable,
whatever address it is for.
"""

from __future__ import annotations

import ipaddress
import json
from collections import Counter
from typing import NamedTuple

from tests.peers.places import Place

__all__ = ["Contact", "count_arrivals", "drop_port", "forget_arrivals", "read_arrivals"]


class Contact(NamedTuple):
    """Where packets went. ``port`` is None for what has no ports (ICMP)."""

    address: str
    protocol: str
    port: int | None


# A set learns each (address, protocol, port) from the packets and counts them. Neighbour discovery
# and multicast are how the cable works, not something a program sent: they are left out by ICMPv6 type.
_COUNTERS = """
table inet arrivals {
    set v4 { type ipv4_addr . inet_proto . inet_service; flags dynamic; counter; size 4194304; }
    set v6 { type ipv6_addr . inet_proto . inet_service; flags dynamic; counter; size 4194304; }
    set v4_bare { type ipv4_addr . inet_proto; flags dynamic; counter; size 1048576; }
    set v6_bare { type ipv6_addr . inet_proto; flags dynamic; counter; size 1048576; }
    chain arriving {
        type filter hook prerouting priority raw; policy accept;
        iifname != "cable" accept
        icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert, mld2-listener-report } accept
        meta l4proto { tcp, udp } ip version 4 update @v4 { ip daddr . meta l4proto . th dport }
        meta l4proto { tcp, udp } ip6 version 6 update @v6 { ip6 daddr . meta l4proto . th dport }
        meta l4proto != { tcp, udp } ip version 4 update @v4_bare { ip daddr . meta l4proto }
        meta l4proto != { tcp, udp } ip6 version 6 update @v6_bare { ip6 daddr . meta l4proto }
    }
}
"""
_SETS = ("v4", "v6", "v4_bare", "v6_bare")


def count_arrivals(server: Place) -> None:
    """Start counting every packet that arrives at ``server``, per address, protocol and port."""
    server.must(["nft", "-f", "-"], input=_COUNTERS, stdin=None)


def forget_arrivals(server: Place) -> None:
    """Set all counters back to nothing."""
    for name in _SETS:
        server.must(["nft", "flush", "set", "inet", "arrivals", name])


def read_arrivals(server: Place) -> Counter[Contact]:
    """How many packets arrived for each address, protocol and port since counting began."""
    seen: Counter[Contact] = Counter()
    for name in _SETS:
        listing = json.loads(server.must(["nft", "-j", "list", "set", "inet", "arrivals", name]))
        for element in listing["nftables"][1]["set"].get("elem", []):
            seen[_contact(element["elem"]["val"]["concat"])] += element["elem"]["counter"]["packets"]
    return seen


def _contact(parts: list[str | int]) -> Contact:
    address = str(ipaddress.ip_address(parts[0]))
    return Contact(address, str(parts[1]), int(parts[2]) if len(parts) > 2 else None)


def drop_port(server: Place, port: int) -> None:
    """Throw away, unanswered, what comes for TCP ``port`` of ``server.address`` over the cable."""
    family = "ip6" if ":" in server.address else "ip"
    rules = f"""
        table inet dropped {{
            chain arriving {{
                type filter hook prerouting priority mangle; policy accept;
                iifname "cable" {family} daddr {server.address} tcp dport {port} drop
            }}
        }}
    """
    server.must(["nft", "-f", "-"], input=rules, stdin=None)
