"""Where the lab listens: loopback addresses and ports, claimed all together or not at all.

Each persona is a host of its own in 127.77.0.0/16 with its product's usual ports; where a server of
this machine holds one of those on all addresses, 20000 is added to each. Where there is only 127.0.0.1
(macOS), all share it, with ports from 20000 on. Nothing but loopback is ever listened on.
"""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import itertools
import socket
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from leadglass.errors import LocalProtocolError, ResourceError
from leadglass.lab.personas import Persona

__all__ = ["Place", "claim", "listen", "places"]

_BLOCKS = 4
"""Labs that can run beside one another, in each of the three ways."""
_SHIFT = 20000
_SHARED = "127.0.0.1"
_BLOCK_SIZE = 100
_BACKLOG = 64


class Place(NamedTuple):
    """One persona's address and, for each of its services, the port."""

    address: str
    ports: tuple[int, ...]


def places(personas: Sequence[Persona]) -> Iterator[tuple[Place, ...]]:
    """All the ways to house ``personas``, the best first."""
    wanted = [tuple(service.port for service in persona.services) for persona in personas]
    for shift, block in itertools.product((0, _SHIFT), range(_BLOCKS)):
        yield tuple(
            Place(f"127.77.{block}.{i}", tuple(port + shift for port in ports))
            for i, ports in enumerate(wanted, 1)
        )
    for block in range(_BLOCKS):
        numbers = itertools.count(_SHIFT + block * _BLOCK_SIZE)
        yield tuple(Place(_SHARED, tuple(itertools.islice(numbers, len(ports)))) for ports in wanted)


def claim(ways: Iterable[tuple[Place, ...]]) -> tuple[tuple[Place, ...], list[list[socket.socket]]]:
    """The first of ``ways`` whose every port is free, and its listening sockets.

    ``ResourceError`` names the port that stood in the last one's way.
    """
    problem = ResourceError("there is no place for the lab")
    for way in ways:
        with contextlib.ExitStack() as opened:
            try:
                sockets = [
                    [opened.enter_context(listen(place.address, port)) for port in place.ports]
                    for place in way
                ]
            except ResourceError as error:
                problem = error
                continue
            opened.pop_all()
            return way, sockets
    raise problem


def listen(address: str, port: int) -> socket.socket:
    """A listening socket on loopback; ``ResourceError`` if the place is taken, or there is none."""
    if not ipaddress.ip_address(address).is_loopback:
        raise LocalProtocolError(f"the lab serves loopback only, not {address}")
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setblocking(False)
        sock.bind((address, port))
        sock.listen(_BACKLOG)
    except OSError as exc:
        sock.close()
        raise _no_place(address, port, exc) from exc
    return sock


def _no_place(address: str, port: int, exc: OSError) -> ResourceError:
    where = f"{address}:{port}"
    if exc.errno == errno.EADDRINUSE:
        return ResourceError(
            "this port is taken", where=where, then="end what listens there (another lab?) and start again"
        )
    return ResourceError(f"the lab cannot listen here ({exc.strerror})", where=where)
