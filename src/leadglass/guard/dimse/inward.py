"""What the archive asks of a client on its own association: C-GET sub-operations and commitment reports."""

from __future__ import annotations

from typing import Any

from leadglass.access.budgets import Measure
from leadglass.errors import RemoteProtocolError
from leadglass.guard.dimse import answers
from leadglass.guard.dimse.request import Desk, without_comment
from leadglass.guard.dimse.storing import Kept, read_head
from leadglass.guard.identifiers.head import HEAD_TAGS, STOP
from leadglass.guard.identifiers.refusal import Refused
from leadglass.wire import uids
from leadglass.wire.dimse import CStoreRQ, Message, NEventReportRQ, has_data_set
from leadglass.wire.heads import HeadReader
from leadglass.wire.streaming import Fragment

__all__ = ["Inward", "inward_for"]


class Inward:
    """A request of the archive's, refused: it is answered here and the client never sees it."""

    def __init__(self, desk: Desk, context_id: int, command: Any) -> None:
        self.desk = desk
        self.context_id = context_id
        self.command = command

    def begun(self) -> None:
        """The command is complete."""
        if not has_data_set(self.command):
            self._refuse()

    def response_piece(self, piece: Fragment) -> None:
        """A piece of its data set."""
        if piece.ends:
            self._refuse()

    def responded(self, command: Message) -> None:
        """The client's response goes back to the archive."""
        if self.desk.archive is not None:
            self.desk.archive.send(self.context_id, without_comment(command))

    def _refuse(self) -> None:
        response = answers.answer(self.command, answers.NOT_AUTHORISED)
        if response is not None and self.desk.archive is not None:
            self.desk.archive.send(self.context_id, response)


class Report(Inward):
    """A storage commitment report on the association that asked for it (PS3.4 annex J)."""

    def begun(self) -> None:
        """Passed on."""
        self.desk.client.send(self.context_id, self.command)
        self.desk.inward[self.command.message_id] = self

    def response_piece(self, piece: Fragment) -> None:
        """Passed on."""
        self.desk.client.send_piece(self.context_id, piece)


class SubOperation(Inward):
    """An object that C-GET brings: its head is read, though it was asked for by permitted UIDs only."""

    command: CStoreRQ

    def __init__(self, desk: Desk, context_id: int, command: CStoreRQ) -> None:
        super().__init__(desk, context_id, command)
        syntax = desk.syntax(context_id)
        self._head = None if syntax is None else HeadReader(syntax, HEAD_TAGS, STOP)
        self._kept = Kept()
        self._passes: bool | None = None
        self._size = 0

    def begun(self) -> None:
        """Its data set decides."""

    def response_piece(self, piece: Fragment) -> None:
        """Held until the head is read."""
        self._size += len(piece.data)
        if self._passes is None:
            self._passes = self._read(piece)
            if self._passes:
                self._go(piece)
            elif self._passes is None:
                self._kept.add(piece)
        elif self._passes:
            assert self._head is not None
            self._head.feed(piece.data, last=piece.ends)
            self.desk.client.send_piece(self.context_id, piece)
        if piece.ends:
            self._end()

    def _read(self, piece: Fragment) -> bool | None:
        """Whether it may pass; None: the head is not complete."""
        desk = self.desk
        if self._head is None or desk.who is None:
            return False
        try:
            if not read_head(self._head, piece):
                return None
            study = self.desk.heads.study(
                self._head.values,
                sop_class_uid=self.command.affected_sop_class_uid,
                sop_instance_uid=self.command.affected_sop_instance_uid,
            )
        except RemoteProtocolError:
            return False
        return not isinstance(study, Refused) and study.study_instance_uid in desk.retrieving

    def _go(self, piece: Fragment) -> None:
        self.desk.client.send(self.context_id, self.command)
        self.desk.inward[self.command.message_id] = self
        self.desk.client.send_piece(self.context_id, self._kept.with_last(piece))

    def _end(self) -> None:
        if self._passes:
            assert self.desk.who is not None
            self.desk.world.spent(self.desk.who, Measure.BYTES, self._size)
        else:
            self._kept.clear()
            self._refuse()


def inward_for(desk: Desk, context_id: int, command: Message) -> Inward:
    """What becomes of a request of the archive's."""
    abstract_syntax = desk.contexts.abstract_syntax(context_id)  # of the guard's own context, too: a query's
    if isinstance(command, CStoreRQ) and desk.retrieving and has_data_set(command):
        if command.affected_sop_class_uid == abstract_syntax:
            return SubOperation(desk, context_id, command)
    elif isinstance(command, NEventReportRQ) and abstract_syntax == uids.STORAGE_COMMITMENT:
        return Report(desk, context_id, command)
    return Inward(desk, context_id, command)
