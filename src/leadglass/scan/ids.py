"""Names for scans: ULIDs, which sort by time and are unique without asking anybody."""

from __future__ import annotations

from leadglass.model.ulid import RANDOM_BYTES, ulid
from leadglass.ports.world import Randomness

__all__ = ["scan_id"]


def scan_id(moment: float, randomness: Randomness) -> str:
    """A ULID: 48 bits of milliseconds of POSIX time ``moment``, 80 random bits, in 26 characters."""
    return ulid(moment, randomness.token(RANDOM_BYTES))
