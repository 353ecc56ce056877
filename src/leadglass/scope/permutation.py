"""A pseudo-random order over 0 .. size-1 that is never listed: any position of it can be asked for.

A Feistel network on two halves that need not be equal (Black and Rogaway, "Ciphers with Arbitrary
Finite Domains", 2002, section 6), its rounds keyed with bytes of the caller's. It spreads; it is
not meant to keep a secret.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

__all__ = ["KEY_BYTES", "Permutation"]

KEY_BYTES = 16
_MASK = (1 << 64) - 1
_MIX = 0x9E3779B97F4A7C15
"""2**64 divided by the golden ratio: multiplying by it spreads neighbours over the high bits."""
_TABLED = 1 << 14
"""Halves up to this size (orders of 268 million) have their rounds worked out once: 2 MB at the most."""


class Permutation:
    """One order over ``range(size)`` for each ``key`` of 16 bytes."""

    __slots__ = ("_keys", "_left", "_right", "_rounds", "size")

    def __init__(self, size: int, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"a key has {KEY_BYTES} bytes")
        self.size = size
        self._left = math.isqrt(max(size - 1, 0)) + 1
        self._right = -(-size // self._left) or 1
        self._keys = tuple(int.from_bytes(key[i : i + 4], "big") * _MIX & _MASK for i in range(0, 16, 4))
        self._rounds: tuple[Sequence[int], ...] | None = None

    def at(self, position: int) -> int:
        """What stands at ``position``; ``IndexError`` outside 0 .. size-1."""
        if not 0 <= position < self.size:
            raise IndexError(position)
        number = self._shuffled(position)
        while number >= self.size:  # left * right may be a little more than size: walk on until inside
            number = self._shuffled(number)
        return number

    def stretch(self, first: int, after: int) -> Iterator[int]:
        """What stands at the positions ``first`` to ``after - 1``, much sooner than by ``at`` if they are many."""
        if self._left > _TABLED or self._right > _TABLED:
            yield from map(self.at, range(first, after))
            return
        size, a, b = self.size, self._left, self._right
        first_round, second_round, third_round, fourth_round = self._tables()
        for position in range(first, after):
            number = position
            while True:
                left, right = divmod(number, b)
                left = (left + first_round[right]) % a
                right = (right + second_round[left]) % b
                left = (left + third_round[right]) % a
                number = left * b + (right + fourth_round[left]) % b
                if number < size:
                    break
            yield number

    def _shuffled(self, number: int) -> int:
        a, b = self._left, self._right
        k1, k2, k3, k4 = self._keys
        left, right = divmod(number, b)
        left = (left + _mixed(right, k1)) % a
        right = (right + _mixed(left, k2)) % b
        left = (left + _mixed(right, k3)) % a
        right = (right + _mixed(left, k4)) % b
        return left * b + right

    def _tables(self) -> tuple[Sequence[int], ...]:
        """For each round, what it adds to one half by the value of the other."""
        if self._rounds is None:
            halves = ((self._right, self._left), (self._left, self._right)) * 2
            self._rounds = tuple(
                [_mixed(value, key) % size for value in range(values)]
                for key, (values, size) in zip(self._keys, halves, strict=True)
            )
        return self._rounds


def _mixed(half: int, key: int) -> int:
    return ((half ^ key) * _MIX & _MASK) >> 20
