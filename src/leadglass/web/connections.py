"""Connections of browsers: how many from one address, and how long the head of a request may take.

uvicorn limits how many there are in all and how long one may idle between requests, and not these two.
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["Connection"]

_SLOWEST_HEAD = 10.0
"""Seconds in which the head of a request has arrived."""
_SHARE = 2
"""One address has no more than a half of the connections."""


class Connection(H11Protocol):
    """One connection."""

    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take it in, unless there are too many from there."""
        super().connection_made(cast("asyncio.Transport", transport))
        if self._is_too_many():
            self.transport.abort()
            return
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Go on; and wait no longer than is fair for the rest of a head."""
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._wait_no_more()
        elif self._waiting is None:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        self._wait_no_more()
        super().connection_lost(exc)

    def _is_too_many(self) -> bool:
        if self.limit_concurrency is None or self.client is None:
            return False
        others: set[Any] = self.connections
        theirs = sum(1 for one in others if one.client and one.client[0] == self.client[0])
        return theirs > max(self.limit_concurrency // _SHARE, 1)

    def _wait(self) -> None:
        self._waiting = self.loop.call_later(_SLOWEST_HEAD, self.transport.abort)

    def _wait_no_more(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
