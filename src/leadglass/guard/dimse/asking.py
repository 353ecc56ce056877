"""The guard's own questions to the archive: what a study is, and which study a series is of.

One association, opened when there is a question and released soon after the last, under the guard's
own title. Answers are bounded; whoever asks learns that there was no answer as ``TransportError``.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from leadglass.errors import TransportError
from leadglass.guard.dimse.archive import Archive
from leadglass.guard.dimse.contexts import (
    IMPLEMENTATION_CLASS_UID,
    IMPLEMENTATION_VERSION_NAME,
    MAXIMUM_LENGTH,
    STUDY_ROOT_FIND,
)
from leadglass.guard.dimse.leg import Leg
from leadglass.wire import uids
from leadglass.wire.association import Role
from leadglass.wire.dimse import CFindRQ, CFindRSP, Message
from leadglass.wire.pdu import AAssociateAC, AAssociateRQ, PresentationContextRQ, UserInformation
from leadglass.wire.streaming import Fragment

__all__ = ["SYNTAX_UID", "Asker"]

SYNTAX_UID = uids.IMPLICIT_VR_LE
_PATIENCE = 10.0
"""Seconds for a whole answer."""
_IDLE = 2.0
"""Seconds after the last question until the association is released."""
_MATCHES = 10_000
_MATCH_SIZE = 64 * 1024
_PENDING = frozenset({0xFF00, 0xFF01})
_FORBIDDEN = frozenset({0x0122, 0x0124})
"""SOP class not supported; not authorized (PS3.7 annex C)."""


class Asker:
    """Asks one question at a time; more wait."""

    def __init__(self, archive: Archive, called: str, calling: str) -> None:
        self._archive = archive
        self._rq = AAssociateRQ(
            called,
            calling,
            (PresentationContextRQ(1, STUDY_ROOT_FIND, (SYNTAX_UID,)),),
            UserInformation(
                maximum_length=MAXIMUM_LENGTH,
                implementation_class_uid=IMPLEMENTATION_CLASS_UID,
                implementation_version_name=IMPLEMENTATION_VERSION_NAME,
            ),
        )
        self._turn = asyncio.Lock()
        self._conversation: _Conversation | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def find(self, identifier: bytes) -> list[bytes]:
        """The matches' data sets, in implicit VR little endian."""
        async with self._in_turn():
            if self._timer is not None:
                self._timer.cancel()
            try:
                async with asyncio.timeout(_PATIENCE):
                    found = await self._asked(identifier)
            except TimeoutError as exc:
                self.close()
                raise TransportError("did not answer in time", where=str(self._archive.service)) from exc
            except TransportError:
                self._note()
                raise
            except asyncio.CancelledError:
                self.close()  # its answer would be taken for the next one's
                raise
            finally:
                self._timer = asyncio.get_running_loop().call_later(_IDLE, self._rest)
            self._archive.unasked.over()
            return found

    def _note(self) -> None:
        if self._conversation is not None and self._conversation.refused:
            self._archive.unasked.met(self._conversation.refused)

    async def _asked(self, identifier: bytes) -> list[bytes]:
        before, conversation = self._conversation, await self._open()
        try:
            return await conversation.ask(identifier)
        except TransportError:
            if conversation is not before or not conversation.left:
                raise
        # The archive was leaving an association that was idle: it has not had the question.
        conversation = await self._open()
        return await conversation.ask(identifier)

    @contextlib.asynccontextmanager
    async def _in_turn(self) -> AsyncIterator[None]:
        # An archive that is silent costs each question its whole patience: those behind it do not add theirs up.
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._turn.acquire()
        except TimeoutError as exc:
            raise TransportError("has been asked too much already", where=str(self._archive.service)) from exc
        try:
            yield
        finally:
            self._turn.release()

    def close(self) -> None:
        """End the association at once."""
        if self._conversation is not None:
            self._conversation.leg.abort()
            self._conversation = None

    async def _open(self) -> _Conversation:
        if self._conversation is None or not self._conversation.leg.open:
            self._conversation = conversation = _Conversation(
                str(self._archive.service), self._rq.calling_ae_title
            )
            conversation.leg.associate(self._rq)
            await self._archive.dial(conversation.leg)
            await conversation.ready
        return self._conversation

    def _rest(self) -> None:
        if not self._turn.locked() and self._conversation is not None:
            self._conversation.leg.release()
            self._conversation = None


class _Conversation:
    """The keeper of the guard's own association."""

    def __init__(self, where: str, title: str) -> None:
        loop = asyncio.get_running_loop()
        self.leg = Leg(Role.REQUESTOR, self, artim=5.0, idle=_PATIENCE)
        self.ready: asyncio.Future[None] = loop.create_future()
        self._where = where
        self._title = title
        self.refused = ""
        """In which words the archive did not answer, if it is the archive that did not."""
        self._answer: asyncio.Future[list[bytes]] | None = None
        self._matches: list[bytes] = []
        self._match = bytearray()
        self._status = 0
        self._message_id = 0
        self._heard = False

    @property
    def left(self) -> bool:
        """Whether the archive ended it without a word on the last question."""
        return self.leg.over and not self.leg.fault and not self._heard

    async def ask(self, identifier: bytes) -> list[bytes]:
        """One C-FIND."""
        self._answer = asyncio.get_running_loop().create_future()
        self._matches, self._heard = [], False
        self._message_id = self._message_id % 0xFFFF + 1
        self.leg.send(1, CFindRQ(self._message_id, STUDY_ROOT_FIND), identifier)
        self.leg.flush()
        return await self._answer

    def requested(self, leg: Leg, rq: object) -> None:
        """Nobody asks us."""

    def accepted(self, leg: Leg, ac: AAssociateAC) -> None:
        """Ready, if the query was accepted."""
        if self.ready.done():
            return
        if ac.accepted_ids:
            self.ready.set_result(None)
        else:
            self.ready.set_exception(self._unanswered("the service is refused"))
            leg.abort()

    def message(self, leg: Leg, context_id: int, command: Message) -> None:
        """An answer, or the end of them."""
        self._heard = True
        if not isinstance(command, CFindRSP) or command.message_id_being_responded_to != self._message_id:
            leg.abort()
            return
        self._status = command.status
        self._match.clear()
        if self._status not in _PENDING:
            self._finish(command.status)

    def data(self, leg: Leg, piece: Fragment) -> None:
        """A piece of a match."""
        self._match += piece.data
        if len(self._match) > _MATCH_SIZE or len(self._matches) >= _MATCHES:
            self._fail("answers more than fits")
            leg.abort()
        elif piece.ends and self._status in _PENDING:
            self._matches.append(bytes(self._match))

    def release_asked(self, leg: Leg) -> None:
        """The archive has had enough."""
        leg.release_reply()

    def drained(self, leg: Leg) -> None:
        """Questions are small."""

    def round_over(self) -> None:
        """Nothing waits."""

    def mistaken(self, exc: Exception) -> None:
        """There is no answer that could be read."""
        asyncio.get_running_loop().call_exception_handler({"message": "asking the archive", "exception": exc})
        self._fail("gave no answer that could be read")

    def gone(self, leg: Leg, why: str) -> None:
        """No answer comes any more: many archives tell a title that may not query just so."""
        if any(future is not None and not future.done() for future in (self.ready, self._answer)):
            self._end(self._unanswered(why or "it ended the association"))

    def _finish(self, status: int) -> None:
        answer, self._answer = self._answer, None
        if answer is None or answer.done():
            return
        if status == 0:
            answer.set_result(self._matches)
        else:
            answer.set_exception(self._refused(status))

    def _refused(self, status: int) -> TransportError:
        # Other statuses can be about this one question: not all archives look an instance up by itself.
        if status in _FORBIDDEN:
            return self._unanswered(f"{status:04X}H")
        return TransportError(f"answered a query with {status:04X}H", where=self._where)

    def _unanswered(self, why: str) -> TransportError:
        """What whoever runs the archive can do about it is said too."""
        error = TransportError(
            f"does not answer the guard's own query as {self._title} ({why})",
            where=self._where,
            then=f"it has to take queries from {self._title}",
        )
        self.refused = str(error)
        return error

    def _fail(self, why: str) -> None:
        self._end(TransportError(why, where=self._where))

    def _end(self, error: TransportError) -> None:
        for future in (self.ready, self._answer):
            if future is not None and not future.done():
                future.set_exception(error)
                future.exception()  # it may be that nobody waits
        self._answer = None
