"""The unit tier is cut off from the network: no test here may open, name or await a connection.

Python tells an audit hook of every connect, bind, send and look-up, whichever class or module
makes it. A hook cannot be taken out again, so one hook stands for the whole run and acts only
inside a unit test.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

FORBIDDEN = frozenset(
    {
        "socket.connect",
        "socket.bind",
        "socket.sendto",
        "socket.sendmsg",
        "socket.getaddrinfo",
        "socket.gethostbyname",
        "socket.gethostbyaddr",
        "socket.getnameinfo",
    }
)


class NetworkTouchedError(BaseException):
    """Not an ``Exception``: the code under test may not swallow it."""


class Guard:
    """The one hook; ``active`` while a unit test runs."""

    active = False

    def __call__(self, event: str, args: tuple[object, ...]) -> None:
        if self.active and event in FORBIDDEN:
            raise NetworkTouchedError(
                f"{event}{args[1:]!r} in a unit test: unit tests have no network; "
                "a test that needs even loopback belongs under tests/interop"
            )


_guard = Guard()
sys.addaudithook(_guard)


@pytest.fixture(autouse=True)
def no_network() -> Iterator[None]:
    """Cut the network for the length of a test."""
    _guard.active = True
    yield
    _guard.active = False
