"""A DICOM server's side of one association, as one of many products would behave.

``Manners`` say how: whom it accepts, which services it grants, what it does with a query. Nothing that
a client sends is kept: stored images are dropped as they come, and an identifier is forgotten with
its answer.
"""

from __future__ import annotations

import enum
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from leadglass.errors import RemoteProtocolError
from leadglass.lab.archive import Archive
from leadglass.lab.dataset import Elements, decode, encode
from leadglass.lab.session import Act, End
from leadglass.wire import uids
from leadglass.wire.association import (
    AssociateRequested,
    Association,
    DataReceived,
    Event,
    ReleaseRequested,
    Role,
)
from leadglass.wire.command import encode_command
from leadglass.wire.dimse import (
    DATA_SET,
    CCancelRQ,
    CEchoRQ,
    CEchoRSP,
    CFindRQ,
    CFindRSP,
    CGetRQ,
    CGetRSP,
    CMoveRQ,
    CMoveRSP,
    CStoreRQ,
    CStoreRSP,
    Message,
    has_data_set,
)
from leadglass.wire.pdata import CommandReceived, DataSetFragment, Passed, Passthrough, fragment
from leadglass.wire.pdu import (
    AAssociateAC,
    AAssociateRJ,
    AAssociateRQ,
    PresentationContextAC,
    PresentationContextRQ,
    UserInformation,
)

__all__ = ["RETRIEVE", "STORAGE", "DicomSession", "Manners", "OnQuery", "OnStore"]

STORAGE = frozenset(
    {
        uids.CT_IMAGE_STORAGE,
        uids.MR_IMAGE_STORAGE,
        uids.CR,
        uids.DX,
        uids.MG,
        uids.US,
        uids.US_MULTI_FRAME,
        uids.SECONDARY_CAPTURE,
        uids.XA,
        uids.RF,
        uids.NM,
        uids.PET,
    }
)
RETRIEVE = frozenset(
    {uids.PATIENT_ROOT_MOVE, uids.PATIENT_ROOT_GET, uids.STUDY_ROOT_MOVE, uids.STUDY_ROOT_GET}
)

_LARGEST_IDENTIFIER = 64 * 1024
_SMALLEST_PDU = 128
"""A peer that announces less gets this all the same: no command would fit."""
_PATIENCE = 30.0
_BATCH = 20
"""Records in one go of a stream."""
_PAUSE = 0.02
"""Seconds between two goes."""
_MOST_RECORDS = 10_000

_SUCCESS, _PENDING = 0x0000, 0xFF00
_UNREADABLE = 0xC000
_NO_LEVEL = 0xA900
_UNKNOWN_DESTINATION = 0xA801
_CANNOT_SEND = 0xA702
_STORE_REFUSED = 0x0124  # not authorised (PS3.7 C.4.6)


class OnQuery(enum.Enum):
    """What becomes of a C-FIND, C-MOVE or C-GET."""

    ANSWER = "answer"
    ABORT = "abort"
    """A-ABORT 0/0, as Orthanc does with a stranger."""
    STREAM = "stream"
    """Keys are ignored, and so is C-CANCEL: all records, over and over."""


class OnStore(enum.Enum):
    """What becomes of a C-STORE. The image is dropped in either case."""

    ACCEPT = "accept"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Manners:
    """How one DICOM server behaves."""

    grants: frozenset[str] = frozenset()
    """Abstract syntaxes that are accepted; Verification always is."""
    grants_everything: bool = False
    """Whatever is proposed, in the first transfer syntax proposed."""
    transfer_syntaxes: tuple[str, ...] = (uids.EXPLICIT_VR_LE, uids.IMPLICIT_VR_LE)
    """In the order of preference."""
    reject: tuple[int, int, int] | None = None
    """Result, source, reason for everybody."""
    wants_calling: str | None = None
    """The only caller it talks to; others are rejected with 1/1/3."""
    wants_called: str | None = None
    """The only called title it answers to; others are rejected with 1/1/7."""
    on_query: OnQuery = OnQuery.ANSWER
    on_store: OnStore = OnStore.ACCEPT
    information: UserInformation = field(
        default=UserInformation(
            maximum_length=16384,
            implementation_class_uid="2.25.180862379543726581208932115743229870915",
            implementation_version_name="LEADGLASS_LAB",
        )
    )
    """Who it says it is."""
    title: str = "LEADGLASS-LAB"
    """Its own title, in answers to queries."""


class DicomSession:
    """One association (``session.Session``)."""

    def __init__(self, manners: Manners, archive: Archive) -> None:
        self._manners = manners
        self._archive = archive
        self._machine = Association(Role.ACCEPTOR, artim=_PATIENCE, idle=_PATIENCE)
        self._messages = Passthrough()
        self._contexts: Mapping[int, tuple[str, str]] = {}
        """Context id to abstract and transfer syntax, of those accepted."""
        self._command: Message | None = None
        self._identifier = bytearray()
        self._stream: Iterator[bytes] | None = None

    # The contract with ``serve``.

    def connected(self, now: float) -> Act:
        """Wait for an A-ASSOCIATE-RQ, not for ever."""
        self._machine.connection_opened(now)
        return self._act()

    def received(self, data: bytes, now: float) -> Act:
        """Let the state machine say what it means, and answer."""
        for event in self._machine.receive(data, now):
            self._handle(event, now)
        return self._act(now)

    def woken(self, now: float) -> Act:
        """More of a stream, or the end of patience."""
        if self._stream is not None and not self._machine.wants_close:
            for piece in itertools.islice(self._stream, _BATCH):
                self._machine.send(piece, now)
        self._machine.timeout(now)
        return self._act(now)

    # Events.

    def _act(self, now: float = 0.0) -> Act:
        machine = self._machine
        wake_at = machine.deadline if self._stream is None else now + _PAUSE
        return Act(machine.data_to_send(), wake_at, End.CLOSE if machine.wants_close else End.OPEN)

    def _handle(self, event: Event, now: float) -> None:
        match event:
            case AssociateRequested(pdu=rq):
                self._requested(rq, now)
            case DataReceived(pdvs=pdvs):
                for pdv in pdvs:
                    if self._machine.wants_close:
                        return
                    try:
                        self._passed(self._messages.feed(pdv), now)
                    except RemoteProtocolError:
                        self._machine.abort(2, 0, now)
            case ReleaseRequested():
                self._machine.release_reply(now)
                self._stream = None
            case _:
                self._stream = None  # Aborted, lost or timed out: there is nobody to send to.

    # The association.

    def _requested(self, rq: AAssociateRQ, now: float) -> None:
        manners = self._manners
        if manners.reject is not None:
            self._machine.reject(AAssociateRJ(*manners.reject), now)
        elif manners.wants_called not in (None, rq.called_ae_title):
            self._machine.reject(AAssociateRJ(1, 1, 7), now)
        elif manners.wants_calling not in (None, rq.calling_ae_title):
            self._machine.reject(AAssociateRJ(1, 1, 3), now)
        else:
            self._accept(rq, now)

    def _accept(self, rq: AAssociateRQ, now: float) -> None:
        answers = tuple(self._answer(context) for context in rq.presentation_contexts)
        offered = {c.context_id: c.abstract_syntax for c in rq.presentation_contexts}
        self._contexts = {
            a.context_id: (offered[a.context_id], a.transfer_syntax or "") for a in answers if a.result == 0
        }
        information = self._manners.information
        self._machine.accept(AAssociateAC(rq.called_ae_title, rq.calling_ae_title, answers, information), now)

    def _answer(self, context: PresentationContextRQ) -> PresentationContextAC:
        """Result 3: the abstract syntax is not supported, 4: none of its transfer syntaxes is (PS3.8 table 9-18)."""
        manners, first = self._manners, context.transfer_syntaxes[0]
        if manners.grants_everything:
            return PresentationContextAC(context.context_id, 0, first)
        if context.abstract_syntax not in manners.grants | {uids.VERIFICATION}:
            return PresentationContextAC(context.context_id, 3, first)
        if context.abstract_syntax in STORAGE:
            return PresentationContextAC(context.context_id, 0, first)
        chosen = next((t for t in manners.transfer_syntaxes if t in context.transfer_syntaxes), None)
        return PresentationContextAC(context.context_id, 4 if chosen is None else 0, chosen or first)

    # Messages.

    def _passed(self, passed: Passed | None, now: float) -> None:
        if isinstance(passed, CommandReceived):
            if has_data_set(passed.command):
                self._command = passed.command
            else:
                self._answer_to(passed.context_id, passed.command, b"", now)
        elif isinstance(passed, DataSetFragment):
            self._data_set(passed, now)

    def _data_set(self, piece: DataSetFragment, now: float) -> None:
        command = self._command
        assert command is not None
        if isinstance(command, CFindRQ):
            if len(self._identifier) + len(piece.data) > _LARGEST_IDENTIFIER:
                self._machine.abort(2, 0, now)
                return
            self._identifier += piece.data
        if piece.is_last:
            identifier, self._command = bytes(self._identifier), None
            self._identifier.clear()
            self._answer_to(piece.context_id, command, identifier, now)

    def _answer_to(self, context_id: int, command: Message, identifier: bytes, now: float) -> None:
        match command:
            case CEchoRQ():
                self._say(
                    context_id, CEchoRSP(command.message_id, _SUCCESS, command.affected_sop_class_uid), now
                )
            case CStoreRQ():
                self._stored(context_id, command, now)
            case CFindRQ() | CMoveRQ() | CGetRQ() if self._manners.on_query is OnQuery.ABORT:
                self._machine.abort(0, 0, now)
            case CFindRQ() if self._manners.on_query is OnQuery.STREAM:
                self._stream = self._all_records(context_id, command)
            case CFindRQ():
                self._find(context_id, command, identifier, now)
            case CMoveRQ():
                self._say(context_id, CMoveRSP(command.message_id, _UNKNOWN_DESTINATION), now)
            case CGetRQ():
                self._say(context_id, CGetRSP(command.message_id, _CANNOT_SEND), now)
            case CCancelRQ():
                """Every answer has gone out by now, and the stream does not listen."""
            case _:
                self._machine.abort(0, 0, now)

    def _stored(self, context_id: int, command: CStoreRQ, now: float) -> None:
        status = _SUCCESS if self._manners.on_store is OnStore.ACCEPT else _STORE_REFUSED
        response = CStoreRSP(
            command.message_id, status, command.affected_sop_class_uid, command.affected_sop_instance_uid
        )
        self._say(context_id, response, now)

    def _find(self, context_id: int, command: CFindRQ, identifier: bytes, now: float) -> None:
        model, syntax = self._contexts[context_id]
        try:
            found = self._matches(model, identifier, syntax)
        except RemoteProtocolError:
            self._say(context_id, CFindRSP(command.message_id, _UNREADABLE, model), now)
            return
        for match in found or ():
            self._machine.send(self._pending(context_id, command, match), now)
        status = _NO_LEVEL if found is None else _SUCCESS
        self._say(context_id, CFindRSP(command.message_id, status, model), now)

    def _matches(self, model: str, identifier: bytes, syntax: str) -> Iterator[Elements] | None:
        keys = decode(identifier, explicit=syntax != uids.IMPLICIT_VR_LE)
        if model == uids.MODALITY_WORKLIST_FIND:
            return self._archive.worklist(keys, self._manners.title)
        return self._archive.find(model, keys, self._manners.title)

    def _all_records(self, context_id: int, command: CFindRQ) -> Iterator[bytes]:
        studies = [dict(study) for study in self._archive.studies()]
        for study in itertools.islice(itertools.cycle(studies), _MOST_RECORDS):
            yield self._pending(context_id, command, study)
        yield self._encoded(context_id, CFindRSP(command.message_id, _SUCCESS), None)
        self._stream = None

    def _pending(self, context_id: int, command: CFindRQ, match: Elements) -> bytes:
        model, syntax = self._contexts[context_id]
        response = CFindRSP(command.message_id, _PENDING, model, command_data_set_type=DATA_SET)
        return self._encoded(context_id, response, encode(match, explicit=syntax != uids.IMPLICIT_VR_LE))

    def _say(self, context_id: int, message: Message, now: float) -> None:
        self._machine.send(self._encoded(context_id, message, None), now)

    def _encoded(self, context_id: int, message: Message, data_set: bytes | None) -> bytes:
        limit = self._machine.peer_maximum_length
        size = max(limit, _SMALLEST_PDU) if limit else 0
        return fragment(context_id, encode_command(message), data_set, size)
