"""Names for scans: ULIDs, which sort by time and are unique without asking anybody."""

from __future__ import annotations

from leadglass.ports.world import Randomness

__all__ = ["scan_id"]

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def scan_id(moment: float, randomness: Randomness) -> str:
    """A ULID: 48 bits of milliseconds of POSIX time ``moment``, 80 random bits, in 26 characters."""
    number = int(moment * 1000) << 80 | int.from_bytes(randomness.token(10), "big")
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))
