"""C-MOVEs under way: what the archive may send to a destination, because somebody was allowed to ask.

The archive opens an association of its own for what it moves, perhaps to another process of the
guard, so that requests are kept where all of them look. While nobody can look there, this process goes
by what it has let through itself: in an emergency that is better than nothing.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias, TypeVar

from leadglass.errors import LeadglassError, TransportError

__all__ = ["Move", "MoveStore", "Moves"]

_LIFETIME = 3600.0
"""Seconds after which an archive's objects are nobody's request any more."""
_PATIENCE = 5.0
_MOST = 1000
"""Moves of this process that are remembered."""

T = TypeVar("T")
_Key: TypeAlias = tuple[str, str, int]


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
        self._own: OrderedDict[_Key, tuple[float, Move]] = OrderedDict()

    async def expect(
        self, destination: str, originator: str, message_id: int, principal: str, studies: Sequence[str]
    ) -> None:
        """The archive will send these studies there.

        ``LeadglassError`` if the other processes cannot be told of it; this one knows nevertheless.
        """
        move = Move(destination, originator, message_id, principal, frozenset(studies))
        until = self._now() + _LIFETIME
        self._own[destination, originator, message_id] = (until, move)
        self._own.move_to_end((destination, originator, message_id))
        if len(self._own) > _MOST:
            self._own.popitem(last=False)
        await _in_time(asyncio.to_thread(self._store.put, move, until))

    async def claimed(self, destination: str, originator: str, message_id: int) -> Move | None:
        """The request that an object of the archive's names; ``LeadglassError`` if nobody can say."""
        try:
            return await _in_time(asyncio.to_thread(self._store.get, destination, originator, message_id))
        except LeadglassError:
            until, move = self._own.get((destination, originator, message_id), (0.0, None))
            if move is None or until < self._now():
                raise
            return move


async def _in_time(work: Awaitable[T]) -> T:
    try:
        async with asyncio.timeout(_PATIENCE):
            return await work
    except TimeoutError as exc:
        raise TransportError("does not answer in time", where="the shared state") from exc
