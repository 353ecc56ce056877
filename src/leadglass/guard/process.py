"""One process of a guard, from the moment that everything it needs has been made."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import uvloop

from leadglass.guard.dicomweb.serve import WebDoor
from leadglass.guard.dimse.gateway import Gateway
from leadglass.guard.dimse.returning import Return
from leadglass.guard.doors import Crowd, Door, Enter, listen
from leadglass.guard.edge import Edge
from leadglass.guard.worker import Keeping, Worker
from leadglass.guard.world import World
from leadglass.settings.guard import Address, ListenSettings

__all__ = ["Parts", "ask", "run", "run_edge"]


T = TypeVar("T")

_DEVICES = 64
"""Associations that a device may have at once."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a process is made of."""

    listen: ListenSettings
    tls: Callable[[], ssl.SSLContext]
    """The settings for the next connection."""
    crowd: Crowd
    world: Callable[[], World]
    """Made on the event loop."""
    web: Callable[[World], WebDoor] | None
    """The door for DICOMweb, made on the event loop; None: there is none."""
    keeping: Keeping
    beside: Sequence[Callable[[World], Awaitable[None]]]
    """What runs for as long as the doors are open."""
    stop_on: int
    """The signal that asks it to end."""
    reload_on: int
    """The signal that asks it to read certificates and policies anew."""


def run(parts: Parts) -> None:
    """Open the doors, and come back when the last client has gone after ``stop_on``.

    ``ResourceError`` if an address to listen on cannot be had.
    """
    uvloop.run(_run(parts))


def run_edge(
    edge: Callable[[], Edge], address: Address, stop_on: tuple[int, ...], ready: Callable[[int], None]
) -> None:
    """Carry a device's associations until a signal of ``stop_on``; ``ready`` is told the port."""
    uvloop.run(_run_edge(edge, address, stop_on, ready))


async def _run_edge(
    edge: Callable[[], Edge], address: Address, stop_on: tuple[int, ...], ready: Callable[[int], None]
) -> None:
    stopped = asyncio.Event()
    for number in stop_on:
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    door = Door(listen(address), Crowd(_DEVICES, _DEVICES), edge().enter)
    ready(door.port)
    await stopped.wait()
    door.close()


def ask(about: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """What comes of one question to the archive."""
    return uvloop.run(about())


async def _run(parts: Parts) -> None:
    world = parts.world()
    web = None if parts.web is None else parts.web(world)
    doors = _doors(parts, world, web)
    beside = [each(world) for each in parts.beside]
    worker = Worker(world, parts.keeping, [door.close for door in doors], beside, web)
    loop = asyncio.get_running_loop()
    # What nobody caught is told by its place alone: its words may be a patient's.
    loop.set_exception_handler(
        lambda _, about: world.mistake(about.get("exception") or RuntimeError(about["message"]))
    )
    loop.add_signal_handler(parts.stop_on, worker.stop)
    loop.add_signal_handler(parts.reload_on, worker.reload)
    await worker.run()


def _doors(parts: Parts, world: World, web: WebDoor | None) -> list[Door]:
    told = parts.listen
    wanted: list[tuple[Address | None, Enter]] = [
        (told.dicom, _enter(world, Gateway, parts.tls)),
        (told.plain, _enter(world, Gateway, None)),
        (told.from_archive, _enter(world, Return, None)),
    ]
    if web is not None:
        wanted.append((told.web, web.enter))
    return [Door(listen(address), parts.crowd, enter) for address, enter in wanted if address is not None]


def _enter(world: World, kind: type[Gateway], tls: Callable[[], ssl.SSLContext] | None) -> Enter:
    def enter(sock: socket.socket, address: str, left: Callable[[], None]) -> None:
        gateway = kind(world, address, tls=tls is not None)
        gateway.left = left
        gateway.enter(sock, None if tls is None else tls())

    return enter
