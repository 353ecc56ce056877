"""One request of a client: refused here, or passed on and its responses passed back."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any, Protocol

from leadglass.guard.client import Client
from leadglass.guard.dimse import answers
from leadglass.guard.dimse.contexts import Contexts, action_of
from leadglass.guard.dimse.leg import Leg
from leadglass.guard.identifiers.head import Heads
from leadglass.guard.trail import Diary
from leadglass.guard.world import World
from leadglass.model.access import Action
from leadglass.wire.dimse import Message, has_data_set
from leadglass.wire.elements import Syntax
from leadglass.wire.fields import malformed
from leadglass.wire.streaming import Fragment

__all__ = ["PENDING", "Collected", "Desk", "Refused", "Request", "even"]

PENDING = frozenset({0xFF00, 0xFF01})
_IDENTIFIER = 64 * 1024
"""Bytes in an identifier."""
_EVEN = 0.05
"""Seconds. An archive takes a little longer over what is there than over what is not."""
_CROSSING = 2.0
"""Seconds in which a request and the archive's end of an association that was idle can have crossed."""


async def even(began: float) -> None:
    """Wait for the end of a whole number of intervals since ``began``, on the loop's clock.

    Whatever shows less than was asked for is answered then, so that its time does not tell hidden from
    absent.
    """
    await asyncio.sleep(_EVEN - (asyncio.get_running_loop().time() - began) % _EVEN)


class Desk(Protocol):
    """The gateway, as far as a request knows it."""

    world: World
    client: Leg
    who: Client | None
    diary: Diary | None
    contexts: Contexts
    heads: Heads

    @property
    def archive(self) -> Leg | None:
        """The association to the archive, if there is one."""
        ...

    @property
    def archive_reused(self) -> bool:
        """Whether that association had been open when it was wanted last."""
        ...

    async def archive_ready(self) -> Leg:
        """The association to the archive; ``TransportError`` if there is none."""
        ...

    def syntax(self, context_id: int) -> Syntax | None:
        """How data sets on this context are written."""
        ...

    def syntax_uid(self, context_id: int) -> str | None:
        """The transfer syntax of a context."""
        ...

    def folding(self, context_id: int) -> int | None:
        """The guard's own context for queries about patients."""
        ...

    @property
    def retrieving(self) -> frozenset[str]:
        """The studies that C-GET may bring now."""
        ...

    @property
    def inward(self) -> dict[int, Any]:
        """The archive's requests that the client has to answer, by message id."""
        ...

    def relational(self, sop_class_uid: str) -> bool:
        """Whether relational queries were negotiated."""
        ...

    def may_use(self, action: Action) -> bool:
        """Whether the service itself is open to this client."""
        ...

    def started(self, request: Request) -> None:
        """The request went to the archive."""
        ...

    def finished(self, request: Request) -> None:
        """The request has its last response."""
        ...

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something that takes time."""
        ...

    def round_over(self) -> None:
        """Send what has come together."""
        ...


class Request:
    """A request that is refused: its data set is dropped and its answer is a status.

    Subclasses pass theirs on.
    """

    def __init__(self, desk: Desk, context_id: int, command: Any) -> None:
        self.desk = desk
        self.context_id = context_id
        self.command = command
        self.message_id: int = command.message_id
        self.upstream_context = context_id
        self.over = False
        self.heard = False
        """Something of the archive's answer has come."""
        self._crossing: tuple[float, bytes | None] | None = None

    @property
    def client(self) -> Client:
        """Who asks."""
        assert self.desk.who is not None
        return self.desk.who

    @property
    def diary(self) -> Diary:
        """Where it is written down."""
        assert self.desk.diary is not None
        return self.desk.diary

    @property
    def action(self) -> Action | None:
        """What it asks for; None: nothing that is let through."""
        return action_of(self.desk.contexts.abstract_syntax(self.context_id))

    repeats = False
    """Whether asking twice is no more than asking once, and all of the question is at hand."""

    brings: frozenset[str] = frozenset()
    """The studies whose objects may come to the client because of this request."""

    # From the client.

    def begun(self) -> None:
        """The command is complete; a data set may follow."""

    def piece(self, piece: Fragment) -> None:
        """A piece of the data set."""

    # From the archive.

    def response(self, command: Message) -> None:
        """A response: as it came, in our own encoding."""
        status: int = command.status  # type: ignore[union-attr]  # every response has one
        self.desk.client.send(self.context_id, without_comment(command))
        if status not in PENDING and not has_data_set(command):
            self.finish()
        self._last = status not in PENDING

    def response_piece(self, piece: Fragment) -> None:
        """A piece of the response's data set."""
        self.desk.client.send_piece(self.context_id, piece)
        if piece.ends and self._last:
            self.finish()

    _last = False

    # Ends.

    def forward(self, leg: Leg, data_set: bytes | None = None) -> None:
        """Pass the request on."""
        leg.send(self.upstream_context, self.command, data_set)
        if self.repeats and self.desk.archive_reused:
            self._crossing = asyncio.get_running_loop().time() + _CROSSING, data_set
        self.desk.started(self)

    @property
    def crossed(self) -> bool:
        """Whether an end of the association now is one that the archive began before it had this request.

        Only an association that had been idle is left so, and only a request that nothing was heard of can
        be asked once more.
        """
        crossing = self._crossing
        return crossing is not None and not self.heard and asyncio.get_running_loop().time() < crossing[0]

    def again(self, leg: Leg) -> None:
        """Pass it on once more, for the last time."""
        assert self._crossing is not None
        leg.send(self.upstream_context, self.command, self._crossing[1])
        self._crossing = None

    def refuse(self, status: int, why: str, rule: str = "") -> None:
        """Answer it here, and tell the audit."""
        self.diary.refused(self.action, why, (rule,) if rule else ())
        self.answer(status, why)

    def answer(self, status: int, comment: str | None = None) -> None:
        """Answer it here."""
        response = answers.answer(self.command, status, comment)
        if response is not None:
            self.desk.client.send(self.context_id, response)
        self.finish()

    def failed(self, status: int, why: str) -> None:
        """The archive went away with the request."""
        self.diary.failed(self.action, why)
        self.answer(status, why)

    def finish(self) -> None:
        """It is over."""
        if not self.over:
            self.over = True
            self.ended("")
            self.desk.finished(self)

    def ended(self, why: str) -> None:
        """Told once at the end, with or without an answer: for the audit."""


class Refused(Request):
    """A request with a status of the guard's, sent when its data set is over."""

    def __init__(self, desk: Desk, context_id: int, command: Any, status: int, why: str) -> None:
        super().__init__(desk, context_id, command)
        self._status = status
        self._reason = why

    def begun(self) -> None:
        """Without a data set it is answered at once."""
        if not has_data_set(self.command):
            self.refuse(self._status, self._reason)

    def piece(self, piece: Fragment) -> None:
        """The data set is dropped."""
        if piece.ends:
            self.refuse(self._status, self._reason)


class Collected(Request):
    """A request whose data set is short, and is read whole before anything is done."""

    largest = _IDENTIFIER
    """Bytes in the data set."""

    def __init__(self, desk: Desk, context_id: int, command: Any) -> None:
        super().__init__(desk, context_id, command)
        self._data_set = bytearray()

    def begun(self) -> None:
        """Without a data set it can begin."""
        if not has_data_set(self.command):
            self._ready(None)

    def piece(self, piece: Fragment) -> None:
        """Kept, up to a bound."""
        if len(self._data_set) + len(piece.data) > self.largest:
            raise malformed(f"a data set with more than {self.largest} bytes, where all of it is read")
        self._data_set += piece.data
        if piece.ends:
            self._ready(bytes(self._data_set))

    def _ready(self, data_set: bytes | None) -> None:
        self.desk.client.hold("request")
        self.desk.begin(self._carried_out(data_set))

    async def _carried_out(self, data_set: bytes | None) -> None:
        await self.carry_out(data_set)
        self.desk.client.flush()
        self.desk.client.go_on("request")

    async def carry_out(self, data_set: bytes | None) -> None:
        """Decide, and pass on or refuse."""
        raise NotImplementedError


def without_comment(command: Message) -> Message:
    """The same message without the archive's free text, which may name anybody."""
    if getattr(command, "error_comment", None) is None:
        return command
    return replace(command, error_comment=None)  # type: ignore[arg-type]  # every response has one
