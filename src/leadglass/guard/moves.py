"""C-MOVEs under way: what the archive may send to a destination, because somebody was allowed to ask.

The archive opens an association of its own for what it moves, perhaps to another process of the
guard, so that requests are kept where all of them look.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

__all__ = ["Move", "MoveStore", "Moves"]

_LIFETIME = 3600.0
"""Seconds after which an archive's objects are nobody's request any more."""


@dataclass(frozen=True, slots=True)
class Move:
    """One permitted C-MOVE."""

    destination: str
    originator: str
    """Calling AE title of who asked (Move Originator Application Entity Title, PS3.7 9.1.1.1.7)."""
    message_id: int
    principal: str
    studies: frozenset[str]


class MoveStore(Protocol):
    """Where moves are kept; called in a thread."""

    def put(self, move: Move, until: float) -> None:
        """Keep it; ``ResourceError`` if that is impossible."""
        ...

    def get(self, destination: str, originator: str, message_id: int) -> Move | None:
        """The one that is in force."""
        ...


class Moves:
    """Moves, written down before the archive hears of them."""

    def __init__(self, store: MoveStore, now: Callable[[], float]) -> None:
        self._store = store
        self._now = now

    async def expect(
        self, destination: str, originator: str, message_id: int, principal: str, studies: Sequence[str]
    ) -> None:
        """The archive will send these studies there."""
        move = Move(destination, originator, message_id, principal, frozenset(studies))
        await asyncio.to_thread(self._store.put, move, self._now() + _LIFETIME)

    async def claimed(self, destination: str, originator: str, message_id: int) -> Move | None:
        """The request that an object of the archive's names."""
        return await asyncio.to_thread(self._store.get, destination, originator, message_id)
