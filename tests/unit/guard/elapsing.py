"""Letting others have their turn, and time pass on a loop whose clock is the test's; nothing here sleeps."""

from __future__ import annotations

import asyncio

__all__ = ["elapse", "turn"]


async def turn() -> None:
    """Everybody who is ready goes on for one step."""
    passed = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(passed.set_result, None)
    await passed


async def elapse(seconds: float) -> None:
    """So many seconds of the loop's own clock."""
    passed = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(seconds, passed.set_result, None)
    await passed
