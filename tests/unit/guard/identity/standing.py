"""A provider and clocks that do what a test says, and a loop to run the test on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from joserfc.jwk import ECKey, OKPKey, RSAKey
from tests.unit.access.minting import NOW, key_set

from leadglass.access.key_set import Keys
from leadglass.errors import LeadglassError

__all__ = ["Clocks", "Publisher", "on_a_loop", "others"]


def on_a_loop(test: Callable[..., Any]) -> Callable[[], None]:
    """A test that is a coroutine, as one that is none."""

    def run() -> None:
        asyncio.run(test())

    run.__name__, run.__doc__ = test.__name__, test.__doc__
    return run


async def others() -> None:
    """Let everything end that others have under way."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    await asyncio.gather(*tasks)


class Clocks:
    """Both clocks, moved by hand."""

    def __init__(self) -> None:
        self.since_start = 1000.0

    def monotonic(self) -> float:
        return self.since_start

    def posix(self) -> float:
        return NOW + self.since_start - 1000.0


class Publisher:
    """Publishes keys or fails, and counts how often it was asked."""

    def __init__(self, *keys: RSAKey | ECKey | OKPKey) -> None:
        self.keys: Sequence[RSAKey | ECKey | OKPKey] = keys
        self.max_age: float | None = None
        self.failure: LeadglassError | None = None
        self.held: Awaitable[Any] | None = None
        self.asked = 0

    async def fetch(self) -> tuple[Keys, float | None]:
        self.asked += 1
        if self.held:
            await self.held
        if self.failure:
            raise self.failure
        return key_set(*self.keys), self.max_age
