"""Which descriptors are ready: epoll on Linux, the portable selectors elsewhere.

Epoll is used edge-triggered and registered once for both directions, which saves a system call
at each change of direction; the portable one must be told when a descriptor stops or starts
waiting for room to write. Either way the engine reads until a read comes back short.
"""

from __future__ import annotations

import select
import selectors
import sys
import time
from collections.abc import Iterable
from typing import Protocol

__all__ = ["FAILED", "HANGUP", "READ", "WRITE", "EpollPoller", "Poller", "SelectorPoller", "best_poller"]

READ = 1
WRITE = 4
"""Bits of readiness; the values of EPOLLIN and EPOLLOUT. Errors and hang-ups count as both."""
FAILED = 0x18
"""EPOLLERR, EPOLLHUP: a connection attempt may have failed, ask the socket."""
HANGUP = 0x2000 | FAILED
"""EPOLLRDHUP as well: read on until the end is seen, there may be no further edge."""


class Poller(Protocol):
    """Readiness of many descriptors."""

    must_be_told: bool
    """Whether ``want_write`` and ``forget`` have anything to do."""

    def watch(self, fd: int) -> None:
        """Begin to watch a connecting descriptor for both directions."""
        ...

    def want_write(self, fd: int, wanted: bool) -> None:
        """Whether there is something left to write."""
        ...

    def forget(self, fd: int) -> None:
        """Stop watching; called before the descriptor is closed."""
        ...

    def ready(self, timeout: float) -> Iterable[tuple[int, int]]:
        """Descriptors with their readiness bits, waiting at most ``timeout`` seconds."""
        ...

    def close(self) -> None:
        """Give the resources back."""
        ...


if sys.platform == "linux":

    class EpollPoller:
        """Linux: edge-triggered epoll."""

        must_be_told = False

        def __init__(self, batch: int = 1024) -> None:
            self._epoll = select.epoll()
            self._batch = batch
            self._mask = select.EPOLLIN | select.EPOLLOUT | select.EPOLLRDHUP | select.EPOLLET

        def watch(self, fd: int) -> None:
            """Register once, for both directions."""
            self._epoll.register(fd, self._mask)

        def want_write(self, fd: int, wanted: bool) -> None:
            """Nothing to do: the next edge comes by itself."""

        def forget(self, fd: int) -> None:
            """Nothing to do: closing the descriptor removes it."""

        def ready(self, timeout: float) -> Iterable[tuple[int, int]]:
            """EPOLLERR and EPOLLHUP come with EPOLLIN and EPOLLOUT on TCP sockets."""
            return self._epoll.poll(timeout, self._batch)

        def close(self) -> None:
            """Close the epoll descriptor."""
            self._epoll.close()


class SelectorPoller:
    """Everywhere else: level-triggered ``selectors``."""

    must_be_told = True

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()

    def watch(self, fd: int) -> None:
        """Register for both directions."""
        self._selector.register(fd, selectors.EVENT_READ | selectors.EVENT_WRITE)

    def want_write(self, fd: int, wanted: bool) -> None:
        """Level-triggered: a writable descriptor nobody writes to would spin."""
        write = selectors.EVENT_WRITE if wanted else 0
        self._selector.modify(fd, selectors.EVENT_READ | write)

    def forget(self, fd: int) -> None:
        """Unregister."""
        self._selector.unregister(fd)

    def ready(self, timeout: float) -> Iterable[tuple[int, int]]:
        """Translate the selector's bits."""
        if not self._selector.get_map():  # Windows refuses to wait for nothing
            time.sleep(timeout)
            return
        for key, events in self._selector.select(timeout):
            read = READ if events & selectors.EVENT_READ else 0
            write = WRITE if events & selectors.EVENT_WRITE else 0
            yield key.fd, read | write | FAILED  # it cannot tell: the socket must be asked each time

    def close(self) -> None:
        """Close the selector."""
        self._selector.close()


def best_poller() -> Poller:
    """The quickest poller of this platform."""
    if sys.platform == "linux":
        return EpollPoller()
    return SelectorPoller()
