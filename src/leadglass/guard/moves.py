"""C-MOVEs under way: what the archive may send to a destination, because somebody was allowed to ask.

The archive opens an association of its own for what it moves, perhaps to another process of the
guard, so that requests are kept where all of them look. While nobody can look there, this process goes
by what it has let through itself: in an emergency that is better than nothing.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeAlias, TypeVar

from leadglass.errors import LeadglassError, TransportError

__all__ = ["Move", "MoveStore", "Moves"]

_LIFETIME = 3600.0
"""Seconds after which an archive's objects are nobody's request any more."""
_PATIENCE = 5.0
_MOST = 1000
"""Moves of this process that are remembered."""
_MOST_STUDIES = 10_000

T = TypeVar("T")
_Key: TypeAlias = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class Move:
    """A permitted C-MOVE, or several in force with the same numbers: clients begin at 1 in each association."""

    destination: str
    originator: str
    """Calling AE title of who asked (Move Originator Application Entity Title, PS3.7 9.1.1.1.7)."""
    message_id: int
    principal: str
    """Who asked, its kind before a colon."""
    studies: frozenset[str]


class MoveStore(Protocol):
    """Where moves are kept; called in a thread."""

    def put(self, move: Move, until: float) -> None:
        """Keep it beside those with the same numbers; ``ResourceError`` if that is impossible."""
        ...

    def get(self, destination: str, originator: str, message_id: int) -> Move | None:
        """What is in force, as one."""
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
        key = (destination, originator, message_id)
        since, before = self._own.get(key, (0.0, move))
        lasts = since >= self._now() and len(before.studies) < _MOST_STUDIES
        self._own[key] = (until, replace(move, studies=move.studies | before.studies) if lasts else move)
        self._own.move_to_end(key)
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
