"""An endpoint as few bytes: what rows are keyed by where there are millions of them.

4 or 16 bytes of address and 2 of port, in network order, so that keys sort as addresses do.
"""

from __future__ import annotations

import ipaddress

__all__ = ["pack", "unpack"]


def pack(address: str, port: int) -> bytes:
    """The key of a canonical ``address`` and ``port``: 6 bytes for IPv4, 18 for IPv6; ``ValueError`` for others."""
    if ":" in address:
        return ipaddress.IPv6Address(address).packed + port.to_bytes(2, "big")
    a, b, c, d = address.split(".")
    return bytes((int(a), int(b), int(c), int(d), port >> 8, port & 255))


def unpack(key: bytes) -> tuple[str, int]:
    """The canonical address and the port that ``key`` stands for."""
    port = key[-2] << 8 | key[-1]
    if len(key) == 6:
        return f"{key[0]}.{key[1]}.{key[2]}.{key[3]}", port
    return str(ipaddress.IPv6Address(key[:-2])), port
