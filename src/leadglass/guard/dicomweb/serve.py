"""The DICOMweb door on an event loop: carries out what relays want, on real connections."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import ssl
from collections.abc import Callable
from typing import Any, Protocol

from leadglass.access.admission import Peer
from leadglass.errors import LeadglassError, TransportError
from leadglass.guard.channel import HIGH_WATER, Channel
from leadglass.guard.dicomweb.effects import (
    AbortClient,
    CloseClient,
    CloseUpstream,
    Contains,
    Dial,
    Effect,
    Even,
    Identify,
    LookUp,
    Question,
    SendClient,
    SendUpstream,
)
from leadglass.guard.dicomweb.pool import Connection, Pool
from leadglass.guard.dicomweb.ports import Door, Ports
from leadglass.guard.dicomweb.relay import Relay
from leadglass.guard.dimse.request import even

__all__ = ["Desk", "WebDoor"]

_HANDSHAKE = 10.0
_STALLED = 60.0
"""Seconds that one side may not take what the other has sent."""
_LOOK_UPS = 8
"""Studies looked up at the same time for one search."""


class Desk(Ports, Protocol):
    """What answers the questions of one connection."""

    def still_welcome(self) -> bool:
        """Whether the roll still lets the client in as it came."""
        ...

    def ended(self, why: str) -> None:
        """The client has gone."""
        ...


class WebDoor:
    """Everything that the connections of one process share."""

    def __init__(
        self,
        door: Door,
        pool: Pool,
        desk: Callable[[Peer], Desk],
        tls: Callable[[], ssl.SSLContext] | None,
        mistake: Callable[[BaseException], None],
    ) -> None:
        """``tls`` gives the settings for the next connection; ``mistake`` hears of what should not have been."""
        self.door = door
        self.pool = pool
        self.desk = desk
        self.mistake = mistake
        self._tls = tls
        self.inside: set[Visitor] = set()
        """The clients that are connected."""

    def enter(self, sock: socket.socket, address: str, left: Callable[[], None]) -> None:
        """Somebody has connected (``doors.Enter``)."""
        visitor = Visitor(self, address, left, secure=self._tls is not None)
        self.inside.add(visitor)
        visitor.start(sock, None if self._tls is None else self._tls())

    def rest(self) -> None:
        """The guard is about to end: whoever asks for nothing just now is sent away."""
        for visitor in tuple(self.inside):
            if visitor.idle:
                visitor.leave()

    def check(self) -> None:
        """The roll has changed: whoever it does not let in any more is sent away, in the middle of an answer too."""
        for visitor in tuple(self.inside):
            if not visitor.welcome:
                visitor.leave()

    def close(self) -> None:
        """Send everybody away."""
        for visitor in tuple(self.inside):
            visitor.leave()
        self.pool.close()


class Visitor:
    """One client: its channel, its relay, and the connection to the archive while there is one."""

    def __init__(self, web: WebDoor, address: str, left: Callable[[], None], *, secure: bool) -> None:
        self._web = web
        self._address = address
        self._left = left
        self._secure = secure
        self._loop = asyncio.get_running_loop()
        self._channel: Channel
        self._relay: Relay | None = None
        self._desk: Desk | None = None
        self._archive: Connection | None = None
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._stalled_since: float | None = None
        self._early = False
        """Something came while a question was open: no more is read until it is answered."""
        self._over = False

    def start(self, sock: socket.socket, tls: ssl.SSLContext | None) -> None:
        """Begin with its connection; with ``tls``, by shaking hands."""
        self._channel = Channel(sock, self)
        if tls is None:
            self._channel.start()
        else:
            self._channel.start_tls(tls, server=True, name=None, patience=_HANDSHAKE)

    @property
    def idle(self) -> bool:
        """Whether nothing is under way."""
        return self._relay is None or self._relay.idle

    @property
    def welcome(self) -> bool:
        """Whether the roll still lets it in."""
        return self._desk is None or self._desk.still_welcome()

    def leave(self) -> None:
        """End it at once."""
        self._channel.abort()

    # What the client's channel tells.

    def opened(self) -> None:
        """The client is there, and has shown its certificate if it has one."""
        certificate = self._channel.peer_certificate
        digest = None if certificate is None else hashlib.sha256(certificate).hexdigest()
        self._desk = self._web.desk(Peer(self._address, digest, self._secure))
        self._relay = Relay(self._web.door, self._desk, self._loop.time())
        self._perform()

    def received(self, data: memoryview) -> None:
        """The client sent something."""
        if self._relay is not None:
            self._early = self._relay.asking
            self._tell(self._relay.client_data, data)

    def drained(self) -> None:
        """The client has taken what waited for it."""
        self._flow()

    def closed(self, why: str) -> None:
        """The client has gone."""
        if self._over:
            return
        self._over = True
        if self._relay is not None:
            self._tell(self._relay.client_closed)
        for handle in (self._task, self._timer):
            if handle is not None:
                handle.cancel()
        self._let_go(0.0)
        if self._desk is not None:
            self._desk.ended(why)
        self._web.inside.discard(self)
        self._left()

    # What the archive's connection tells.

    def archive_received(self, data: memoryview) -> None:
        """The archive sent something."""
        if self._relay is not None:
            self._early = self._relay.asking
            self._tell(self._relay.archive_data, data)

    def archive_drained(self) -> None:
        """The archive has taken what waited for it."""
        self._flow()

    def archive_closed(self) -> None:
        """The archive has closed."""
        if self._relay is not None:
            self._tell(self._relay.archive_data, b"")

    # What the relay wants.

    def _tell(self, what: Callable[..., None], *about: Any) -> None:
        try:
            what(*about, self._loop.time())
        except Exception as exc:  # noqa: BLE001 - our own mistake must not hurt the other clients
            self._mistaken(exc)
            return
        self._perform()

    def _mistaken(self, exc: BaseException) -> None:
        self._web.mistake(exc)
        self._relay = None
        self._channel.abort()

    def _perform(self) -> None:
        """Carry effects out; bytes for one side go together."""
        relay = self._relay
        if relay is None:
            return
        client: list[bytes | memoryview] = []
        archive: list[bytes | memoryview] = []
        while effects := relay.take():
            for effect in effects:
                if isinstance(effect, SendClient):
                    client.append(effect.data)
                elif isinstance(effect, SendUpstream):
                    archive.append(effect.data)
                else:
                    self._flush(client, archive)
                    self._do(effect)
        self._flush(client, archive)
        self._flow()
        self._set_timer()

    def _flush(self, client: list[bytes | memoryview], archive: list[bytes | memoryview]) -> None:
        if client:
            self._channel.send_all(tuple(client))
            client.clear()
        if archive:
            if self._archive is not None and self._archive.channel is not None:
                self._archive.channel.send_all(tuple(archive))
            archive.clear()

    def _do(self, effect: Effect) -> None:
        match effect:
            case CloseClient():
                self._channel.close()
            case AbortClient():
                self._channel.abort()
            case CloseUpstream(idle):
                self._let_go(idle)
            case Dial() | Identify() | LookUp() | Contains() | Even():
                answer = self._at_once(effect)
                if answer is None:
                    self._task = self._loop.create_task(self._answer(effect))
                elif self._relay is not None:
                    self._relay.answered(answer, self._loop.time())

    def _let_go(self, idle: float) -> None:
        connection, self._archive = self._archive, None
        if connection is not None:
            self._web.pool.give_back(connection, idle)

    def _at_once(self, question: Question) -> Any:
        """An answer that needs no waiting, None if there is none."""
        if isinstance(question, Dial) and not question.fresh:
            self._archive = self._web.pool.kept(self)
            return None if self._archive is None else True
        return None

    async def _answer(self, question: Question) -> None:
        relay = self._relay
        assert relay is not None
        try:
            answer = await self._ask(question)
        except LeadglassError as exc:
            self._tell(relay.failed, exc)
        except Exception as exc:  # noqa: BLE001 - as above
            self._mistaken(exc)
        else:
            self._tell(relay.answered, answer)

    async def _ask(self, question: Question) -> Any:
        desk = self._desk
        assert desk is not None
        match question:
            case Dial():
                return await self._dial()
            case Identify(authorization):
                return await desk.person(authorization)
            case LookUp(uids):
                return await _look_up(desk, uids)
            case Contains(study, series, instance):
                return await desk.contains(study, series, instance)
            case Even(began):
                return await even(began)

    async def _dial(self) -> bool:
        connection = await self._web.pool.take(self)
        if self._over or self._relay is None or not self._relay.asking:
            # Whoever wanted it has gone, or has given up.
            self._web.pool.give_back(connection, 0.0)
            raise TransportError("the client has gone")
        self._archive = connection
        return False

    # How fast, and how long.

    def _flow(self) -> None:
        """Read from each side only as fast as the other takes it, and no more while a question is open."""
        relay, archive = self._relay, self._archive
        if relay is None or self._over:
            return
        self._early = self._early and relay.asking
        waiting_for_client = self._channel.queued > HIGH_WATER
        upstream = None if archive is None else archive.channel
        waiting_for_archive = upstream is not None and upstream.queued > HIGH_WATER
        _read(self._channel, not (self._early or waiting_for_archive))
        if upstream is not None:
            _read(upstream, not (self._early or waiting_for_client))
        stalled = waiting_for_client or waiting_for_archive
        if stalled and self._stalled_since is None:
            self._stalled_since = self._loop.time()
        elif not stalled and self._stalled_since is not None:
            self._stalled_since = None
            relay.resumed(self._loop.time())

    def _set_timer(self) -> None:
        deadline = None if self._relay is None else self._relay.deadline
        if deadline is None or self._over:
            return
        if self._timer is None or self._timer.when() > deadline:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self._loop.call_at(deadline, self._ring)

    def _ring(self) -> None:
        self._timer = None
        if self._relay is None or self._over:
            return
        now = self._loop.time()
        if self._stalled_since is None:
            deadline = self._relay.deadline
            if deadline is not None and now >= deadline:
                self._give_up_question()
                self._tell(self._relay.timed_out)
                return
        elif now - self._stalled_since > _STALLED:
            self._channel.abort()
            return
        else:
            self._timer = self._loop.call_later(_STALLED, self._ring)
            return
        self._set_timer()

    def _give_up_question(self) -> None:
        if self._task is not None and not self._task.done():
            self._task.cancel()


def _read(channel: Channel, go: bool) -> None:
    if go:
        channel.resume()
    else:
        channel.pause()


async def _look_up(desk: Desk, uids: tuple[str, ...]) -> dict[str, Any]:
    turns = asyncio.Semaphore(_LOOK_UPS)

    async def one(uid: str) -> tuple[str, Any]:
        async with turns:
            return uid, await desk.study(uid)

    return dict(await asyncio.gather(*map(one, uids)))
