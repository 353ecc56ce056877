"""A DICOM server without a socket: our acceptor machine, scripted, for conversations to talk to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from leadglass.ports.conversation import Conversation, Loss, Step
from leadglass.wire.association import (
    Aborted,
    AssociateRequested,
    Association,
    DataReceived,
    Released,
    ReleaseRequested,
    Role,
)
from leadglass.wire.command import encode_command
from leadglass.wire.dimse import CCancelRQ, CEchoRQ, CEchoRSP, CFindRQ, CFindRSP, Message
from leadglass.wire.pdata import CommandReceived, Passthrough, fragment
from leadglass.wire.pdu import (
    AAssociateAC,
    AAssociateRJ,
    AAssociateRQ,
    PresentationContextAC,
    UserInformation,
)
from leadglass.wire.uids import IMPLICIT_VR_LE

NOW = 1000.0


def grant_all(rq: AAssociateRQ) -> Iterable[PresentationContextAC]:
    return [PresentationContextAC(c.context_id, 0, IMPLICIT_VR_LE) for c in rq.presentation_contexts]


def grant(*abstract_syntaxes: str) -> Callable[[AAssociateRQ], Iterable[PresentationContextAC]]:
    def answer(rq: AAssociateRQ) -> Iterable[PresentationContextAC]:
        return [
            PresentationContextAC(
                c.context_id, 0 if c.abstract_syntax in abstract_syntaxes else 3, IMPLICIT_VR_LE
            )
            for c in rq.presentation_contexts
        ]

    return answer


@dataclass
class Acceptor:
    """What it answers is decided by its fields; what it was told is kept in its lists."""

    contexts: Callable[[AAssociateRQ], Iterable[PresentationContextAC]] = grant_all
    reject: AAssociateRJ | None = None
    find: Callable[[CFindRQ], bytes | None] | None = None
    """The bytes to send for a C-FIND after the context id is known; None: A-ABORT."""
    echo_status: int = 0
    requests: list[AAssociateRQ] = field(default_factory=list)
    commands: list[Message] = field(default_factory=list)
    data_sets: list[bytes] = field(default_factory=list)
    ends: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._machine = Association(Role.ACCEPTOR)
        self._machine.connection_opened(NOW)
        self._messages = Passthrough()
        self._context = 0
        self._query: CFindRQ | None = None

    def talk(self, data: bytes) -> bytes:
        """Bytes from the caller; bytes back."""
        for event in self._machine.receive(data, NOW):
            match event:
                case AssociateRequested(pdu=rq):
                    self._answer(rq)
                case DataReceived(pdvs=pdvs):
                    for pdv in pdvs:
                        passed = self._messages.feed(pdv)
                        if isinstance(passed, CommandReceived):
                            self._context = passed.context_id
                            self._command(passed.command)
                        elif passed is not None:
                            self.data_sets.append(bytes(passed.data))
                            self._answer_query()
                case ReleaseRequested():
                    self.ends.append("release")
                    self._machine.release_reply(NOW)
                case Aborted():
                    self.ends.append("abort")
                case Released():
                    pass
                case _:
                    self.ends.append(type(event).__name__)
        return self._machine.data_to_send()

    def _answer(self, rq: AAssociateRQ) -> None:
        self.requests.append(rq)
        if self.reject is not None:
            self._machine.reject(self.reject, NOW)
            return
        self._machine.accept(
            AAssociateAC(
                rq.called_ae_title,
                rq.calling_ae_title,
                tuple(self.contexts(rq)),
                UserInformation(
                    maximum_length=16384, implementation_class_uid="1.2.3", implementation_version_name="TEST"
                ),
            ),
            NOW,
        )

    def _command(self, command: Message) -> None:
        self.commands.append(command)
        if isinstance(command, CEchoRQ):
            self._send(
                encode_command(CEchoRSP(command.message_id, self.echo_status, command.affected_sop_class_uid))
            )
        elif isinstance(command, CFindRQ):
            self._query = command
        elif isinstance(command, CCancelRQ):
            self.ends.append("cancel")

    def _answer_query(self) -> None:
        if self.find is None or self._query is None:
            return
        answer = self.find(self._query)
        if answer is None:
            self._machine.abort(0, 0, NOW)
        else:
            self._machine.send(answer, NOW)

    def _send(self, command: bytes, data_set: bytes | None = None) -> None:
        self._machine.send(fragment(self._context, command, data_set, 16384), NOW)

    def response(self, status: int, data_set: bytes | None = None) -> bytes:
        """A C-FIND-RSP on the context of the query."""
        assert self._query is not None
        kind = 0x0101 if data_set is None else 0x0000
        rsp = CFindRSP(self._query.message_id, status, self._query.affected_sop_class_uid, kind)
        return fragment(self._context, encode_command(rsp), data_set, 16384)


def converse(conversation: Conversation, acceptor: Acceptor, *, piece: int = 1 << 20) -> Step:
    """Let the two talk until the conversation closes; answers arrive in pieces of ``piece`` bytes."""
    step = conversation.connected(NOW)
    while not step.close:
        answer = acceptor.talk(step.send)
        if not answer:
            return conversation.woken(step.wake_at or NOW + 60)
        step = _receive(conversation, answer, piece)
    acceptor.talk(step.send)
    return step


def _receive(conversation: Conversation, answer: bytes, piece: int) -> Step:
    sent = b""
    for at in range(0, len(answer), piece):
        step = conversation.received(answer[at : at + piece], NOW)
        sent += step.send
        if step.close:
            return Step(sent, None, close=True)
    return Step(sent, step.wake_at)


def cut(conversation: Conversation, answer: bytes, loss: Loss | None) -> None:
    """Send the request, receive ``answer``, then lose the connection, or hear no more (None)."""
    step = conversation.connected(NOW)
    assert step.wake_at is not None
    step = conversation.received(answer, NOW) if answer else step
    if step.close:
        return
    if loss is None:
        assert conversation.woken(NOW + 60).close
    else:
        conversation.lost(loss, NOW)
