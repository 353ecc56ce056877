"""Answers remembered, so many and no more."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

__all__ = ["Memo"]

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Memo(Generic[Key, Value]):
    """At most ``most`` answers; those not asked for longest are forgotten, half of them at a time.

    Two generations instead of a list in order of use: a hit among the young is one look-up, which
    is what it is for.
    """

    __slots__ = ("_half", "_old", "_young")

    def __init__(self, most: int) -> None:
        self._half = most // 2
        self._young: dict[Key, Value] = {}
        self._old: dict[Key, Value] = {}

    def __len__(self) -> int:
        return len(self._young.keys() | self._old.keys())

    def get(self, key: Key) -> Value | None:
        """The answer; None where it is not remembered."""
        found = self._young.get(key)
        if found is None:
            found = self._old.get(key)
            if found is not None:
                self.put(key, found)
        return found

    def put(self, key: Key, value: Value) -> None:
        """Remember an answer, which is not None."""
        if len(self._young) >= self._half:
            self._old, self._young = self._young, {}
        self._young[key] = value
