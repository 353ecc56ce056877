"""A pseudo-random order over 0 .. size-1 that is never listed: any position of it can be asked for.

A Feistel network on two halves that need not be equal (Black and Rogaway, "Ciphers with Arbitrary
Finite Domains", 2002, section 6), its rounds keyed with bytes of the caller's. It spreads; it is
not meant to keep a secret.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

__all__ = ["Permutation"]

KEY_BYTES = 16
_MASK = (1 << 64) - 1
_MIX = 0x9E3779B97F4A7C15
"""2**64 divided by the golden ratio: multiplying by it spreads neighbours over the high bits."""


class Permutation:
    """One order over ``range(size)`` for each ``key`` of 16 bytes."""

    __slots__ = ("_keys", "_left", "_right", "size")

    def __init__(self, size: int, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"a key has {KEY_BYTES} bytes")
        self.size = size
        self._left = math.isqrt(max(size - 1, 0)) + 1
        self._right = -(-size // self._left) or 1
        self._keys = tuple(int.from_bytes(key[i : i + 4], "big") * _MIX & _MASK for i in range(0, 16, 4))

    def at(self, position: int) -> int:
        """What stands at ``position``; ``IndexError`` outside 0 .. size-1."""
        if not 0 <= position < self.size:
            raise IndexError(position)
        number = self._shuffled(position)
        while number >= self.size:  # left * right may be a little more than size: walk on until inside
            number = self._shuffled(number)
        return number

    def stretch(self, first: int, after: int) -> Iterator[int]:
        """What stands at the positions ``first`` to ``after - 1``."""
        return map(self.at, range(first, after))

    def _shuffled(self, number: int) -> int:
        a, b = self._left, self._right
        k1, k2, k3, k4 = self._keys
        left, right = divmod(number, b)
        left = (left + (((right ^ k1) * _MIX & _MASK) >> 20)) % a
        right = (right + (((left ^ k2) * _MIX & _MASK) >> 20)) % b
        left = (left + (((right ^ k3) * _MIX & _MASK) >> 20)) % a
        right = (right + (((left ^ k4) * _MIX & _MASK) >> 20)) % b
        return left * b + right
