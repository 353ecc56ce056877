"""C-STORE: nothing of an object leaves before its head is decided, then it passes as it comes."""

from __future__ import annotations

from leadglass.access.budgets import Measure
from leadglass.errors import LeadglassError, RemoteProtocolError
from leadglass.guard.client import Client
from leadglass.guard.dimse import answers
from leadglass.guard.dimse.leg import Leg
from leadglass.guard.dimse.request import Desk, Request
from leadglass.guard.identifiers.head import HEAD_TAGS, STOP
from leadglass.guard.identifiers.refusal import CANNOT_UNDERSTAND, Refused
from leadglass.guard.studies import UNKNOWN, Unknown
from leadglass.model.access import Action, Study
from leadglass.wire.dimse import CStoreRQ, Message, has_data_set
from leadglass.wire.heads import HeadReader
from leadglass.wire.streaming import Fragment

__all__ = ["Kept", "Store", "copied", "read_head"]

_HEAD = 4096
"""Bytes in which most heads are complete."""


def copied(piece: Fragment) -> Fragment:
    """The piece with bytes of its own, so that it can be kept."""
    return piece._replace(data=memoryview(bytes(piece.data)))


def read_head(head: HeadReader, piece: Fragment) -> bool:
    """Feed ``piece`` to ``head``, a little first: what comes after the head need not be kept."""
    data = piece.data
    first = data[:_HEAD]
    if len(first) == len(data):
        return head.feed(data, last=piece.ends)
    head.feed(first, last=False)
    return head.feed(data[_HEAD:], last=piece.ends)


class Kept:
    """The pieces that come before a head is complete, as one: however small they are, they cost their bytes only."""

    __slots__ = ("_data", "_opens")

    def __init__(self) -> None:
        self._data = bytearray()
        self._opens = 0

    def add(self, piece: Fragment) -> None:
        """One more, which does not end the data set."""
        self._data += piece.data
        self._opens += max(0, piece.opens)

    def clear(self) -> None:
        """They are not wanted any more."""
        self._data = bytearray()
        self._opens = 0

    def with_last(self, piece: Fragment) -> Fragment:
        """All of them and ``piece``: where values were cut means nothing (PS3.8 annex E)."""
        if not self._opens:
            return piece
        opens, data = self._opens + max(0, piece.opens), self._data + piece.data
        self.clear()
        return piece._replace(opens=opens, data=memoryview(data))


class Store(Request):
    """An object on its way to the archive."""

    command: CStoreRQ

    def __init__(self, desk: Desk, context_id: int, command: CStoreRQ) -> None:
        super().__init__(desk, context_id, command)
        syntax = desk.syntax(context_id)
        self._head = None if syntax is None else HeadReader(syntax, HEAD_TAGS, STOP)
        self._kept = Kept()
        self._leg: Leg | None = None
        self._status = 0
        self._reason = ""
        self._complete = False
        self._study: Study | None = None
        self._size = 0

    # Pieces of the object, in one of three states: head unread, passing, refused.

    def begun(self) -> None:
        """Its data set decides."""
        if not has_data_set(self.command):
            self.refuse(CANNOT_UNDERSTAND, "an object without a data set", "object")

    def piece(self, piece: Fragment) -> None:
        """Held until the head is read; then passed on, or dropped."""
        self._size += len(piece.data)
        self._complete = piece.ends
        if self._leg is not None:
            assert self._head is not None
            self._head.feed(piece.data, last=piece.ends)  # what follows the head must not contradict it
            self._pass(piece)
        elif self._status:
            self._drop(piece)
        else:
            self._read(piece)

    def _pass(self, piece: Fragment) -> None:
        leg = self._leg
        assert leg is not None
        leg.send_piece(self.upstream_context, piece)
        if piece.ends:
            self._all_sent()

    @property
    def _spender(self) -> Client:
        """Whose budget the bytes are of."""
        return self.client

    def _all_sent(self) -> None:
        self.desk.world.spent(self._spender, Measure.BYTES, self._size)
        if self._status:  # the archive went away while the object was coming
            super().failed(self._status, self._reason)

    def _drop(self, piece: Fragment) -> None:
        if piece.ends:
            self.refuse(self._status, self._reason, self._rule)

    _rule = ""

    def _read(self, piece: Fragment) -> None:
        if self._head is None:
            self._deny(CANNOT_UNDERSTAND, "a transfer syntax that is not read", piece)
            return
        try:
            if not read_head(self._head, piece):
                self._kept.add(piece)
                return
            study = self.desk.heads.study(
                self._head.values,
                sop_class_uid=self.command.affected_sop_class_uid,
                sop_instance_uid=self.command.affected_sop_instance_uid,
            )
        except RemoteProtocolError as exc:
            study = Refused(CANNOT_UNDERSTAND, exc.what)
        if isinstance(study, Refused):
            self._deny(study.status, study.reason, piece, "object")
        else:
            self._decide(study, piece)

    def _deny(self, status: int, reason: str, piece: Fragment, rule: str = "") -> None:
        self._kept.clear()
        self._status, self._reason, self._rule = status, reason, rule
        self._drop(piece)

    def _decide(self, study: Study, piece: Fragment) -> None:
        self._study = study
        allowed, why = self._may(study)
        if not allowed:
            self._deny(answers.NOT_AUTHORISED, "not permitted for this study", piece, why)
            return
        known = self._present(study)
        leg = self.desk.archive
        if not isinstance(known, Unknown) and leg is not None and leg.open:
            self._decided(known, leg, piece)
            return
        self.desk.client.hold("request")
        self.desk.begin(self._ask(study, copied(piece)))

    def _present(self, study: Study) -> Study | Unknown | None:
        """What the archive has under the same UID: a foreign study may not be added to."""
        world = self.desk.world
        if not world.answers_queries:
            return None
        # That there was none a moment ago says nothing: somebody else may have begun it since.
        return world.studies.known(study.study_instance_uid) or UNKNOWN

    async def _ask(self, study: Study, piece: Fragment) -> None:
        world = self.desk.world
        known: Study | Unknown | None = self._present(study)
        try:
            if isinstance(known, Unknown):
                known = await world.studies.present(study.study_instance_uid)
            leg = await self.desk.archive_ready()
        except LeadglassError as exc:
            self._deny(answers.OUT_OF_RESOURCES, exc.what, piece)
        else:
            assert not isinstance(known, Unknown)
            self._decided(known, leg, piece)
        self.desk.round_over()
        self.desk.client.go_on("request")

    def _decided(self, known: Study | None, leg: Leg, piece: Fragment) -> None:
        world, study = self.desk.world, self._study
        assert study is not None
        for about in (study, known):
            allowed, why = (True, "") if about is None else self._may(about)
            if not allowed:
                self._deny(answers.NOT_AUTHORISED, "not permitted for this study", piece, why)
                return
        if known is not None and known.patient_id != study.patient_id:
            self._deny(answers.NOT_AUTHORISED, "the study is another patient's", piece, "foreign-study")
            return
        try:
            self.diary.storing(Action.STORE, study)
        except LeadglassError as exc:
            self._deny(answers.OUT_OF_RESOURCES, exc.what, piece)
            return
        if not world.left(self._spender, Measure.BYTES):
            self._deny(answers.OUT_OF_RESOURCES, "over its budget of bytes", piece, "budget")
            return
        self._go(leg, piece)

    def _may(self, study: Study) -> tuple[bool, str]:
        """Whether it may be stored, and by which rule not."""
        decision = self.desk.world.decide(self.client, Action.STORE, study)
        return decision.allowed, decision.reason

    def _go(self, leg: Leg, piece: Fragment) -> None:
        self.forward(leg)
        self._leg = leg
        self._pass(self._kept.with_last(piece))

    # Responses.

    def response(self, command: Message) -> None:
        """The archive has it, or not."""
        study = self._study
        assert study is not None
        status: int = command.status  # type: ignore[union-attr]  # a C-STORE-RSP
        if status == 0 or status >> 12 == 0xB:
            self.diary.stored(study, self.command.affected_sop_class_uid, self._size)
            studies = self.desk.world.studies
            studies.learn_instance(self.command.affected_sop_instance_uid, study)
            if self.desk.world.answers_queries:
                studies.learn_stored(study)
        super().response(command)

    def failed(self, status: int, why: str) -> None:
        """The archive went away: answered when the whole object has come."""
        if self._complete:
            super().failed(status, why)
        else:
            self._status, self._reason = status, why
