"""The lab as a whole: made from randomness, served by one loop in one thread, gone afterwards.

Only protocols and timers run in the loop, no tasks. A mistake of ours in a session ends its connection
and is told when the lab ends, so that no test can pass over it.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import socket
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from leadglass.errors import LocalProtocolError
from leadglass.lab.archive import Archive
from leadglass.lab.broken import Breakage, BrokenSession
from leadglass.lab.connection import Connection, Limits
from leadglass.lab.dicom import DicomSession, Manners
from leadglass.lab.fiction import Canaries, Stems, cast, stems
from leadglass.lab.papers import Keep, Papers, issue
from leadglass.lab.personas import PERSONAS, Persona, Service
from leadglass.lab.places import Place, claim, places
from leadglass.lab.secure import SecureSession, context
from leadglass.lab.session import MakeSession, Session, SlowSession
from leadglass.lab.web import WebSession
from leadglass.ports.world import Clock, Randomness

__all__ = ["Lab", "Running"]

_GARBAGE = 2048
"""Bytes of garbage."""

_SCOPE = """\
# The lab's own scope. It permits the lab and nothing else.
name = "Leadglass lab"

[authorisation]
basis = "owner"
granted_by = "whoever started this lab"
contact = "whoever started this lab"

[limits]
deepest = "blank-query"

[vantage]
position = "unknown"
"""


@dataclass(frozen=True, slots=True)
class Running:
    """One persona where it is served."""

    persona: Persona
    address: str
    ports: tuple[int, ...]
    """One for each of the persona's services, in order."""

    @property
    def services(self) -> Iterator[tuple[int, Service]]:
        """Each port with what is served there."""
        return zip(self.ports, self.persona.services, strict=True)


class Lab:
    """Servers for ``personas``, while the context lasts.

    ``keep`` holds the private files that TLS needs (see ``papers``). Entering raises ``ResourceError`` if
    no place on loopback has all the ports free. Leaving raises ``LocalProtocolError`` if a server
    failed in a way that no client may cause.
    """

    def __init__(
        self, randomness: Randomness, clock: Clock, keep: Keep, personas: Sequence[Persona] = PERSONAS
    ) -> None:
        self._personas = personas
        self._randomness = randomness
        self._clock = clock
        self._keep = keep
        self._limits = Limits()
        self._failures: list[str] = []
        self._loop: asyncio.AbstractEventLoop
        self._servers: list[asyncio.Server] = []
        self._thread: threading.Thread
        self._stems = stems(randomness)
        self._archives = {
            persona.name: _archive(number, persona, self._stems, randomness)
            for number, persona in enumerate(personas, 1)
        }
        self.servers: tuple[Running, ...] = ()
        self.papers: Papers
        """Paths of the certificates, while the lab runs; ``client`` opens the servers with mutual TLS."""

    @property
    def canaries(self) -> Canaries:
        """What gives this lab's patients away, wherever it turns up."""
        born = {
            image[0x0010, 0x0030]
            for archive in self._archives.values()
            for image in archive.select("PATIENT", {})
        }
        return Canaries(self._stems, tuple(sorted(born)))

    def scope_text(self) -> str:
        """A scope for exactly this lab: every endpoint, as deep as a blank query."""
        targets: dict[str, list[int]] = {}
        for running in self.servers:
            targets.setdefault(running.address, []).extend(running.ports)
        tables = (
            f"\n[[targets]]\nrange = {json.dumps(address)}\nports = {sorted(ports)}\n"
            for address, ports in targets.items()
        )
        return _SCOPE + "".join(tables)

    def __enter__(self) -> Self:
        way, sockets = claim(places(self._personas))
        with contextlib.ExitStack() as opened:
            for sock in (sock for listening in sockets for sock in listening):
                opened.enter_context(sock)
            self._move_in(way)
            self._loop = asyncio.new_event_loop()
            opened.callback(self._loop.close)
            self._loop.set_exception_handler(self._failed)
            self._loop.run_until_complete(self._serve(sockets))
            opened.pop_all()
        self._thread = threading.Thread(target=self._loop.run_forever, name="leadglass-lab", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop)
        self._thread.join()
        self._loop.run_until_complete(self._see_out())
        self._loop.close()
        if self._failures and kind is None:
            raise LocalProtocolError(f"a lab server failed: {self._failures[0]}")

    # Starting and stopping.

    def _move_in(self, way: Sequence[Place]) -> None:
        self.servers = tuple(
            Running(persona, *place) for persona, place in zip(self._personas, way, strict=True)
        )
        addresses = sorted({place.address for place in way})
        self.papers = issue(addresses, self._randomness, self._clock.posix(), self._keep)

    async def _serve(self, sockets: Sequence[Sequence[socket.socket]]) -> None:
        for running, listening in zip(self.servers, sockets, strict=True):
            for sock, service in zip(listening, running.persona.services, strict=True):
                make = self._maker(running.persona, service)
                connection = functools.partial(Connection, make, self._limits)
                self._servers.append(await self._loop.create_server(connection, sock=sock))

    def _stop(self) -> None:
        for server in self._servers:
            server.close()
        self._limits.hang_up()
        self._loop.call_soon(self._loop.stop)  # After the goodbyes that are queued by now.

    async def _see_out(self) -> None:
        """Whoever came in as the doors closed is half inside: let them in, and say goodbye."""
        if late := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(late, timeout=1)
        self._limits.hang_up()
        await asyncio.sleep(0)

    def _failed(self, _: asyncio.AbstractEventLoop, what: dict[str, Any]) -> None:
        """What asyncio caught. An OSError is the network's or this machine's; anything else is our mistake."""
        error = what.get("exception")
        if not isinstance(error, OSError):
            self._failures.append(f"{what.get('message')} {error!r}")

    # Making sessions.

    def _maker(self, persona: Persona, service: Service) -> MakeSession:
        make = self._plain(persona, service)
        if service.lock is not None:
            make = functools.partial(SecureSession, context(service.lock, self.papers), make)
        return functools.partial(_slow, make, service.delay) if service.delay else make

    def _plain(self, persona: Persona, service: Service) -> MakeSession:
        archive, behaviour = self._archives[persona.name], service.behaviour
        if isinstance(behaviour, Manners):
            return functools.partial(DicomSession, behaviour, archive)
        if isinstance(behaviour, Breakage):
            return functools.partial(BrokenSession, behaviour, b"\xff\xfe" + self._randomness.token(_GARBAGE))
        return functools.partial(WebSession, behaviour, archive)


def _slow(make: MakeSession, delay: float) -> Session:
    return SlowSession(make(), delay)


def _archive(number: int, persona: Persona, stem: Stems, randomness: Randomness) -> Archive:
    holds = persona.holds
    if holds is None:
        return Archive()
    return Archive(cast(holds.cast, stem, number, holds.patients, randomness))
