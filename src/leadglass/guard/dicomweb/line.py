"""A client's connection and the archive's, as the services see them (``exchange.Line``).

Everything that waits stops the coroutine of the relay; nothing here knows how it is gone on with.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Generator, Mapping
from typing import Any

from leadglass.errors import LeadglassError
from leadglass.guard.dicomweb.archive_side import Answer, ArchiveSide
from leadglass.guard.dicomweb.client_side import ClientSide
from leadglass.guard.dicomweb.effects import (
    CloseUpstream,
    Dial,
    Effect,
    Even,
    Question,
    SendClient,
    SendUpstream,
)
from leadglass.guard.dicomweb.headers import Head
from leadglass.guard.dicomweb.ports import Door
from leadglass.guard.dicomweb.refused import Refused

__all__ = ["Connections", "TimeUpError"]

# Patience, in seconds.
_HEAD = 10.0
_BODY_PIECE = 20.0
_SLOWEST = 4096.0
"""Bytes a second: who sends a body slower, after as long as for a piece, is not waited for."""
_ANSWER = 60.0
_ANSWER_PIECE = 30.0
_QUESTION = 30.0


class TimeUpError(Exception):
    """Something that was waited for did not come."""


@types.coroutine
def _stop() -> Generator[None, Any, Any]:
    """Stop here; what it is resumed with."""
    return (yield)


class Connections:
    """Both connections, what is to be done with them, and until when something is waited for."""

    def __init__(self, door: Door, posix: Callable[[], float], now: float) -> None:
        self._door = door
        self._posix = posix
        self.client = ClientSide(door.authorities, door.origins)
        self.archive: ArchiveSide | None = None
        self.effects: list[Effect] = []
        self.now = now
        self.deadline: float | None = None
        self.asking = False
        self._patience = 0.0
        self._begun = now

    def put_off(self, now: float) -> None:
        """Time in which one side was not read from, because the other was slow, does not count."""
        if self.deadline is not None:
            self._begun += max(0.0, now + self._patience - self.deadline)
            self.deadline = now + self._patience

    async def _wait(self, patience: float) -> Any:
        """Stop until something comes; with an answer, what it is."""
        self._patience = patience
        self.deadline = self.now + patience
        return await _stop()

    async def request_head(self) -> Head | None:
        """The head of the next request; None if nobody has one for a long time."""
        begun: float | None = None
        while (head := self.client.head()) is None:
            if begun is None and self.client.begun:
                begun = self.now
            try:
                await self._wait(self._door.silence if begun is None else begun + _HEAD - self.now)
            except TimeUpError:
                if begun is None:
                    return None
                raise
        self._begun = self.now
        return head

    async def even(self) -> None:
        """Wait a moment, so that the time of an answer does not tell hidden from absent."""
        await self.ask(Even(self._begun))

    # The archive.

    async def ask(self, question: Question) -> Any:
        """Somebody else's answer."""
        self.effects.append(question)
        self.asking = True
        try:
            return await self._wait(_QUESTION)
        except TimeUpError:
            raise LeadglassError("a question that nobody answered in time") from None
        finally:
            self.asking = False

    async def fetch(self, target: str, headers: Mapping[str, str]) -> Answer:
        """GET from the archive, up to the head of its answer.

        A connection that was kept may have been closed in the meantime; then it is asked once more.
        """
        used = await self._send("GET", target, headers, fresh=False)
        archive = self.archive
        assert archive is not None
        try:
            return await self._answer_head()
        except Refused:
            if not used or archive.touched:
                raise
        self.done_with_archive()
        await self._send("GET", target, headers, fresh=True)
        return await self._answer_head()

    async def _send(self, method: str, target: str, headers: Mapping[str, str], *, fresh: bool) -> bool:
        used: bool = await self.ask(Dial(fresh))
        login = () if self._door.login is None else (("Authorization", self._door.login),)
        named = (("Host", self._door.host), ("User-Agent", "leadglass"), *login, *headers.items())
        self.archive = ArchiveSide(method, target, named)
        self.effects.append(
            SendUpstream(self.archive.head() + (self.archive.end() if method == "GET" else b""))
        )
        return used

    async def open(self, method: str, target: str, headers: Mapping[str, str]) -> None:
        """Begin a request with a body, on a connection of its own."""
        await self._send(method, target, headers, fresh=True)

    def upload(self, data: bytes | memoryview) -> None:
        """Some of that body."""
        archive = self.archive
        if data and archive is not None and not archive.touched:
            self.effects += [SendUpstream(piece) for piece in archive.piece(data)]

    async def finish(self) -> Answer:
        """The end of that body, and the head of the answer."""
        archive = self.archive
        assert archive is not None
        if not archive.touched:
            self.effects.append(SendUpstream(archive.end()))
        return await self._answer_head()

    async def _answer_head(self) -> Answer:
        archive = self.archive
        assert archive is not None
        while (answer := archive.answer()) is None:
            await self._wait(_ANSWER)
        return answer

    async def answer_piece(self) -> bytes:
        """Some of the archive's answer; empty at its end."""
        archive = self.archive
        assert archive is not None
        while (piece := archive.body()) is None:
            await self._wait(_ANSWER_PIECE)
        return piece

    def done_with_archive(self) -> None:
        """Its answer is read as far as it is needed."""
        if self.archive is not None:
            self.effects.append(CloseUpstream(self.archive.idle))
            self.archive = None

    # The client.

    async def body_piece(self) -> bytes | None:
        """Some of the client's body; empty at its end, None if the archive has answered before."""
        while (piece := self.client.body()) is None:
            if self.archive is not None and self.archive.touched:
                self.client.ignore_rest()
                return None
            received = self.client.received
            at_this_pace = self._begun + _BODY_PIECE + received / _SLOWEST - self.now
            await self._wait(min(_BODY_PIECE, at_this_pace))
        if self.client.received > self._door.largest_body:
            raise Refused("a body that is too large", 413)
        return piece

    @property
    def body_size(self) -> int:
        """Bytes of the client's body so far."""
        return self.client.received

    def go_on(self) -> None:
        """Tell a client that waits to send its body."""
        self._tell_client(self.client.go_on())

    def respond(self, status: int, headers: Mapping[str, str], length: int | None) -> None:
        """The head of the answer to the client."""
        told = {} if length is None else {"Content-Length": str(length)}
        self._tell_client(self.client.respond(status, {**headers, **told}.items(), self._posix()))

    def send(self, data: bytes | memoryview) -> None:
        """Some of its body."""
        if data:
            for piece in self.client.piece(data):
                self._tell_client(piece)

    def end(self) -> None:
        """Its end."""
        self._tell_client(self.client.end())

    @property
    def responding(self) -> bool:
        """Whether the client has the head of an answer."""
        return self.client.answering

    def _tell_client(self, data: bytes | memoryview) -> None:
        if data:
            self.effects.append(SendClient(data))
