"""The guard's listening sockets: who comes in, how many at once, and by which door.

Every process of a guard has its own socket on the same address (``SO_REUSEPORT``), and the kernel
deals connections out among them. Whoever is one too many is sent away at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
from collections import Counter
from collections.abc import Callable
from typing import TypeAlias

from leadglass.errors import ResourceError
from leadglass.settings.guard import Address

__all__ = ["Crowd", "Door", "Enter", "listen", "require_free"]

_BACKLOG = 1024
_AT_ONCE = 32
"""Connections taken in a row before others have their turn."""

Enter: TypeAlias = Callable[[socket.socket, str, Callable[[], None]], None]
"""Takes a socket, its client's address, and what to call when the client has gone."""


class Crowd:
    """How many are inside, in all and from each address."""

    def __init__(self, most: int, per_address: int) -> None:
        self._most = most
        self._per_address = per_address
        self._inside: Counter[str] = Counter()
        self.total = 0
        self.turned_away = 0

    def enter(self, address: str) -> bool:
        """Whether one more from ``address`` has room."""
        if self.total >= self._most or self._inside[address] >= self._per_address:
            self.turned_away += 1
            return False
        self.total += 1
        self._inside[address] += 1
        return True

    def leave(self, address: str) -> None:
        """One has gone."""
        self.total -= 1
        self._inside[address] -= 1
        if not self._inside[address]:
            del self._inside[address]


class Door:
    """One listening socket."""

    def __init__(self, sock: socket.socket, crowd: Crowd, enter: Enter) -> None:
        self._sock = sock
        self._crowd = crowd
        self._enter = enter
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(sock, self._accept)

    @property
    def port(self) -> int:
        """Where it listens."""
        port: int = self._sock.getsockname()[1]
        return port

    def close(self) -> None:
        """Nobody comes in any more."""
        self._loop.remove_reader(self._sock)
        self._sock.close()

    def _accept(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                sock, name = self._sock.accept()
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                # Too few descriptors, or the client has gone already: the others wait in the backlog.
                self._loop.remove_reader(self._sock)
                self._loop.call_later(0.1, self._again)
                return
            self._welcome(sock, _plain(name[0]))

    def _again(self) -> None:
        with contextlib.suppress(ValueError, OSError):
            self._loop.add_reader(self._sock, self._accept)

    def _welcome(self, sock: socket.socket, address: str) -> None:
        if not self._crowd.enter(address):
            sock.close()
            return
        try:
            self._enter(sock, address, lambda: self._crowd.leave(address))
        except OSError:
            self._crowd.leave(address)
            sock.close()


def listen(address: Address) -> socket.socket:
    """A listening socket; ``ResourceError`` where the address cannot be had."""
    sock = _bound(address, shared=True)
    sock.listen(_BACKLOG)
    sock.setblocking(False)
    return sock


def require_free(address: Address) -> None:
    """``ResourceError`` if somebody listens there, even somebody who would share it."""
    _bound(address, shared=False).close()


def _bound(address: Address, *, shared: bool) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, int(shared))
        sock.bind((address.host, address.port))
    except OSError as exc:
        sock.close()
        raise ResourceError(
            f"cannot listen ({exc.strerror})", where=str(address), then="is something else there already?"
        ) from exc
    return sock


def _plain(host: str) -> str:
    """An IPv4 client of an IPv6 socket is an IPv4 client."""
    address = ipaddress.ip_address(host.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)
