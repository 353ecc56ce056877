"""Keys that nobody holds: minted from randomness a moment before they are asked for."""

from __future__ import annotations

from leadglass.ports.world import Randomness

__all__ = ["patient_id", "uid"]

_VERSION_4 = 0x4 << 76
_VARIANT = 0b10 << 62
_FIXED_BITS = (0xF << 76) | (0b11 << 62)


def uid(randomness: Randomness) -> str:
    """A UID under 2.25 made from a random version 4 UUID (PS3.5 B.2, RFC 9562 5.4)."""
    number = int.from_bytes(randomness.token(16), "big")
    return f"2.25.{number & ~_FIXED_BITS | _VERSION_4 | _VARIANT}"


def patient_id(randomness: Randomness) -> str:
    """A Patient ID of 32 hexadecimal digits; 128 random bits match nobody."""
    return randomness.token(16).hex().upper()
