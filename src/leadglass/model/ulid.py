"""Identifiers that sort by time and are unique without asking anybody: ULIDs."""

from __future__ import annotations

__all__ = ["RANDOM_BYTES", "ulid"]

RANDOM_BYTES = 10
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def ulid(moment: float, random: bytes) -> str:
    """48 bits of milliseconds of POSIX time ``moment`` and ``RANDOM_BYTES`` random ones, in 26 characters."""
    number = int(moment * 1000) << 80 | int.from_bytes(random, "big")
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))
