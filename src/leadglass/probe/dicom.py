"""What every DICOM probe does alike: open an association, put its question, end it properly.

The conversation goes through three stages (associate, command, release). Whatever ends it early
is written down for the stage it happened in. A reject, an abort or a time-out closes at once;
nothing idles, because one idle association blocks some servers.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable

from leadglass.errors import RemoteProtocolError
from leadglass.model.evidence import Reply, clean
from leadglass.model.rung import Rung
from leadglass.ports.conversation import Loss, Step
from leadglass.probe.sniff import DICOM, spoken
from leadglass.wire.association import (
    Aborted,
    AssociateAccepted,
    AssociateRejected,
    Association,
    DataReceived,
    Event,
    ProtocolViolation,
    Released,
    ReleaseRequested,
    Role,
)
from leadglass.wire.dimse import Message
from leadglass.wire.pdata import CommandReceived, Passthrough, fragment
from leadglass.wire.pdu import AAssociateAC, AAssociateRQ, PresentationDataValue

__all__ = ["DicomConversation"]

_RELEASE_PATIENCE = 1.0
"""Seconds to wait for A-RELEASE-RP. The question is answered by then; this is courtesy."""


class _Stage(enum.Enum):
    ASSOCIATE = enum.auto()
    COMMAND = enum.auto()
    RELEASE = enum.auto()


class DicomConversation:
    """One association. Subclasses say what to ask once it stands, in ``_established``."""

    rung: Rung

    def __init__(self, request: AAssociateRQ, *, over_tls: bool = False, patience: float = 5.0) -> None:
        self._request = request
        self.over_tls = over_tls
        self._patience = patience
        self._machine = Association(Role.REQUESTOR)
        self._messages = Passthrough()
        self._stage = _Stage.ASSOCIATE
        self._head = b""
        self._finished = False
        self._wake_at: float | None = None
        self.reply: Reply | None = None
        self.reject: tuple[int, int, int] | None = None
        self.abort: tuple[int, int] | None = None
        self.spoke: str | None = None
        self.detail: str | None = None

    # The contract with the engine.

    def connected(self, now: float) -> Step:
        """Send the A-ASSOCIATE-RQ, whole."""
        self._machine.associate(self._request, now)
        self._machine.connection_opened(now)
        return Step(self._machine.data_to_send(), now + self._patience)

    def received(self, data: bytes, now: float) -> Step:
        """Hand the bytes to the state machine and act on its events."""
        if self.spoke is None and not self._is_dicom(data):
            return self._leave(now)
        for event in self._machine.receive(data, now):
            self._handle(event, now)
            if self._finished:
                break
        return self._step()

    def woken(self, now: float) -> Step:
        """The answer did not come in time."""
        self._ended(Reply.SILENT)
        return self._leave(now)

    def stopped(self, now: float) -> Step:
        """Say goodbye."""
        return self._leave(now)

    def lost(self, loss: Loss, now: float) -> None:  # noqa: ARG002 - the contract's signature
        """The connection ended from the other side."""
        if self._finished:
            return
        if self._head and self.spoke is None:
            self._ended(Reply.OTHER_PROTOCOL)
        else:
            self._ended(Reply.RESET if loss is Loss.RESET else Reply.CLOSED)

    # For subclasses.

    def _established(self, ac: AAssociateAC, now: float) -> None:
        """The association stands: ask with ``_ask``, or release."""
        raise NotImplementedError

    def _answered(self, message: Message | None, now: float) -> None:
        """A DIMSE message arrived, or the beginning of a data set (None), which is dropped."""
        raise NotImplementedError

    def _command_ended(self, reply: Reply) -> None:
        """The command got no response; ``reply`` says how it ended."""

    def _ask(
        self, context_id: int, command: bytes, data_set: bytes | None, peer_limit: int, now: float
    ) -> None:
        self._stage = _Stage.COMMAND
        self._machine.send(fragment(context_id, command, data_set, peer_limit), now)
        self._wake_at = now + self._patience

    def _release(self, now: float) -> None:
        self._stage = _Stage.RELEASE
        self._machine.release(now)
        self._wake_at = now + min(_RELEASE_PATIENCE, self._patience)

    def _abort(self, now: float) -> None:
        self._machine.abort(0, 0, now)
        self._finished = True

    @property
    def _is_asking(self) -> bool:
        """Whether a command waits for its answer."""
        return self._stage is _Stage.COMMAND

    # Inside.

    def _is_dicom(self, data: bytes) -> bool:
        self._head += data[:8]
        if len(self._head) < 2:
            return True  # One byte tells nothing yet; the state machine keeps it.
        self.spoke = spoken(self._head)
        if self.spoke != DICOM:
            self._ended(Reply.OTHER_PROTOCOL)
        return self.spoke == DICOM

    def _handle(self, event: Event, now: float) -> None:
        match event:
            case AssociateAccepted(pdu=ac):
                self.reply = Reply.ACCEPTED
                self._established(ac, now)
            case AssociateRejected(pdu=rj):
                self.reject = (rj.result, rj.source, rj.reason)
                self._ended(Reply.REJECTED)
            case DataReceived(pdvs=pdvs):
                self._data(pdvs, now)
            case Aborted(source=source, reason=reason):
                self.abort = (source, reason)
                self._ended(Reply.ABORTED)
            case ProtocolViolation(error=error):
                self.detail = clean(error.what, 120)
                self._ended(Reply.MALFORMED)
            case ReleaseRequested():
                self._machine.release_reply(now)
                self._ended(Reply.CLOSED)
            case Released():
                self._finished = True
            case _:
                self._ended(Reply.CLOSED)

    def _data(self, pdvs: Iterable[PresentationDataValue], now: float) -> None:
        for pdv in pdvs:
            if self._finished or not self._is_asking:
                return  # Nothing was asked that this could answer.
            try:
                passed = self._messages.feed(pdv)
            except RemoteProtocolError as exc:
                self.detail = clean(exc.what, 120)
                self._ended(Reply.MALFORMED)
                self._abort(now)
                return
            if passed is not None:
                # A data set means a match; its bytes go no further than this line.
                self._answered(passed.command if isinstance(passed, CommandReceived) else None, now)

    def _ended(self, reply: Reply) -> None:
        """The stage we are in ended without the answer we hoped for."""
        if self._stage is _Stage.ASSOCIATE:
            self.reply = reply
        elif self._stage is _Stage.COMMAND:
            self._command_ended(reply)
        self._finished = True

    def _leave(self, now: float) -> Step:
        self._abort(now)
        return Step(self._machine.data_to_send(), close=True)

    def _step(self) -> Step:
        wake_at, self._wake_at = self._wake_at, None
        close = self._finished or self._machine.wants_close
        return Step(self._machine.data_to_send(), wake_at, close)
