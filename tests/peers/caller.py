"""A client that may do anything: whole associations from our own ``wire``, and bytes that no ``wire`` would make.

What real clients can say is said with real clients; this one says the rest.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import pydicom
from pydicom.filewriter import write_dataset

from leadglass.wire import association as ul
from leadglass.wire import command, dimse, pdata, pdu, uids

__all__ = ["Answer", "Caller", "contexts", "data_set", "identifier", "request"]

PATIENCE = 15.0
_LARGEST = 1 << 20


class Answer(NamedTuple):
    """One message of the other side."""

    context_id: int
    command: dimse.Message
    data_set: bytes | None


def contexts(
    *abstract_syntaxes: str, syntax: str = uids.IMPLICIT_VR_LE
) -> tuple[pdu.PresentationContextRQ, ...]:
    """Proposals with ids 1, 3, 5 and so on."""
    return tuple(
        pdu.PresentationContextRQ(2 * n + 1, uid, (syntax,)) for n, uid in enumerate(abstract_syntaxes)
    )


def request(
    calling: str,
    called: str,
    proposed: Sequence[pdu.PresentationContextRQ],
    *,
    identity: pdu.UserIdentityRQ | None = None,
    roles: Iterable[str] = (),
    extended: tuple[pdu.ExtendedNegotiation, ...] = (),
    maximum: int = 16384,
) -> pdu.AAssociateRQ:
    """An A-ASSOCIATE-RQ; ``roles`` are the classes of which it wants objects sent to it."""
    information = pdu.UserInformation(
        maximum_length=maximum,
        implementation_class_uid="2.25.1",
        role_selections=tuple(pdu.RoleSelection(uid, scu_role=True, scp_role=True) for uid in roles),
        extended_negotiations=extended,
        user_identity=identity,
    )
    return pdu.AAssociateRQ(called, calling, tuple(proposed), information)


def data_set(made: pydicom.Dataset) -> bytes:
    """A data set in implicit VR little endian, without file meta information."""
    buffer = pydicom.filebase.DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = True, True
    write_dataset(buffer, made)
    encoded: bytes = buffer.getvalue()
    return encoded


def identifier(level: str, **keys: str | list[str]) -> bytes:
    """A query or retrieve identifier, by keyword, in implicit VR little endian."""
    made = pydicom.Dataset()
    made.QueryRetrieveLevel = level
    for name, value in keys.items():
        setattr(made, name, value)
    return data_set(made)


@dataclass(slots=True)
class Caller:
    """One connection."""

    sock: socket.socket
    association: ul.Association = field(default_factory=lambda: ul.Association(ul.Role.REQUESTOR))
    ended: ul.Event | None = None
    """How the other side ended it: ``AssociateRejected``, ``Aborted``, ``Released``, ``ConnectionLost``."""
    accepted: pdu.AAssociateAC | None = None
    heard: bytearray = field(default_factory=bytearray)
    """Everything that came, byte by byte."""
    _assembler: pdata.MessageAssembler = field(default_factory=pdata.MessageAssembler)
    _messages: list[Answer] = field(default_factory=list)
    _number: int = 0

    # Associations.

    def associate(self, rq: pdu.AAssociateRQ) -> pdu.AAssociateAC | None:
        """Ask for an association; None if it did not come about (see ``ended``)."""
        self.association.associate(rq, time.monotonic())
        self.association.connection_opened(time.monotonic())
        self._flush()
        while self.accepted is None and self.ended is None:
            self._read()
        return self.accepted

    def context_of(self, abstract_syntax: str, rq: pdu.AAssociateRQ) -> int:
        """The id of an accepted context."""
        wanted = [c.context_id for c in rq.presentation_contexts if c.abstract_syntax == abstract_syntax]
        assert self.accepted is not None
        return next(each for each in wanted if each in self.accepted.accepted_ids)

    def release(self) -> ul.Event | None:
        """An orderly end."""
        with contextlib.suppress(OSError):
            self.association.release(time.monotonic())
            self._flush()
            self.until_end()
        self.close()
        return self.ended

    def end_half(self) -> None:
        """Say that nothing more will come, and go on listening."""
        if isinstance(self.sock, ssl.SSLSocket):
            with contextlib.suppress(OSError):
                self.sock.setblocking(False)
                self.sock.unwrap()  # sends close_notify (RFC 8446 6.1) and does not wait for theirs
        else:
            self.sock.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Hang up."""
        self.sock.close()

    # Messages.

    def number(self) -> int:
        """A new message id."""
        self._number += 1
        return self._number

    def send(self, context_id: int, message: dimse.Message, data: bytes | None = None) -> None:
        """Send a message."""
        size = self.association.peer_maximum_length
        self.raw(pdata.fragment(context_id, command.encode_command(message), data, size))

    def raw(self, data: bytes) -> None:
        """Send anything."""
        self.sock.sendall(data)

    def answers(self, responded: int) -> list[Answer]:
        """All responses to a message, the final one last; shorter if the association ended before that."""
        found: list[Answer] = []
        for answer in self.messages():
            if getattr(answer.command, "message_id_being_responded_to", None) == responded:
                found.append(answer)
                if getattr(answer.command, "status", 0) not in {0xFF00, 0xFF01}:
                    break
            elif isinstance(answer.command, dimse.CStoreRQ):
                found.append(answer)
                self._stored(answer.context_id, answer.command)
        return found

    def ask(self, context_id: int, message: dimse.Message, data: bytes | None = None) -> list[Answer]:
        """Send a message, and all responses to it; objects that C-GET brings are taken and stand among them."""
        self.send(context_id, message, data)
        return self.answers(message.message_id)  # type: ignore[union-attr]

    def status(self, context_id: int, message: dimse.Message, data: bytes | None = None) -> int | None:
        """The final status; None if the association ended without one."""
        found = self.ask(context_id, message, data)
        return getattr(found[-1].command, "status", None) if found else None

    def messages(self) -> Iterator[Answer]:
        """What comes, until the association ends."""
        while True:
            while self._messages:
                yield self._messages.pop(0)
            if self.ended is not None:
                return
            self._read()

    def until_end(self) -> ul.Event | None:
        """Wait until the other side has ended it."""
        while self.ended is None:
            self._read()
        return self.ended

    # Inside.

    def _stored(self, context_id: int, rq: dimse.CStoreRQ) -> None:
        self.send(
            context_id,
            dimse.CStoreRSP(rq.message_id, 0, rq.affected_sop_class_uid, rq.affected_sop_instance_uid),
        )

    def _flush(self) -> None:
        data = self.association.data_to_send()
        if data:
            self.sock.sendall(data)

    def _read(self) -> None:
        self.sock.settimeout(PATIENCE)
        try:
            data = self.sock.recv(_LARGEST)
        except (ConnectionError, ssl.SSLError):
            data = b""
        if not data:
            self.ended = ul.ConnectionLost()
            return
        self.heard += data
        for event in self.association.receive(data, time.monotonic()):
            self._take(event)

    def _take(self, event: ul.Event) -> None:
        if isinstance(event, ul.AssociateAccepted):
            self.accepted = event.pdu
        elif isinstance(event, ul.DataReceived):
            for pdv in event.pdvs:
                done = self._assembler.feed(pdv)
                if done is not None:
                    self._messages.append(Answer(*done))
        else:
            self.ended = event
