"""An archive that can be told to misbehave: no real one does so at a word.

It takes every context that is offered and answers the guard's own questions honestly; what it does
with everything else is up to the script of the moment.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pydicom
from tests.peers.caller import Answer, data_set
from tests.peers.clinic import STUDIES

from leadglass.wire import association as ul
from leadglass.wire import dimse, pdata, pdu, uids
from leadglass.wire.command import encode_command
from leadglass.wire.dimse import CFindRQ, CFindRSP
from leadglass.wire.elements import syntax_of, walk

__all__ = ["Line", "ScriptedArchive", "described", "scripted_archive"]

_OWN = "LEADGLASS"
_IMPLICIT = syntax_of(uids.IMPLICIT_VR_LE)


@dataclass(slots=True)
class Line:
    """One association of a caller's."""

    archive: ScriptedArchive
    sock: socket.socket
    association: ul.Association = field(default_factory=lambda: ul.Association(ul.Role.ACCEPTOR))
    calling: str = ""
    heard: list[Answer] = field(default_factory=list)
    """Messages that came, responses to its own requests among them."""
    _assembler: pdata.MessageAssembler = field(default_factory=pdata.MessageAssembler)

    def send(self, context_id: int, message: dimse.Message, data: bytes | None = None) -> None:
        """Send a message."""
        self.raw(pdata.fragment(context_id, encode_command(message), data, 16384))

    def raw(self, data: bytes) -> None:
        """Send anything."""
        with contextlib.suppress(OSError):
            self.sock.sendall(data)

    def close(self) -> None:
        """Hang up."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)

    def serve(self) -> None:
        """Until it is over."""
        self.association.connection_opened(time.monotonic())
        octets = 0
        with contextlib.suppress(OSError):
            while not self.association.wants_close and (data := self.sock.recv(1 << 16)):
                octets += len(data)
                if self.archive.most is not None and octets > self.archive.most:
                    break
                for event in self.association.receive(data, time.monotonic()):
                    self._take(event)
                self.sock.sendall(self.association.data_to_send())
        self.sock.close()

    def _take(self, event: ul.Event) -> None:
        if isinstance(event, ul.AssociateRequested):
            self.calling = event.pdu.calling_ae_title
            self.archive.accept(self, event.pdu)
        elif isinstance(event, ul.ReleaseRequested):
            self.archive.released(self)
        elif isinstance(event, ul.DataReceived):
            for pdv in event.pdvs:
                done = self._assembler.feed(pdv)
                if done is not None:
                    self._heard(Answer(*done))

    def _heard(self, answer: Answer) -> None:
        self.heard.append(answer)
        if self.calling == _OWN and isinstance(answer.command, CFindRQ):
            self._tell(answer, answer.command)
        elif not hasattr(answer.command, "message_id_being_responded_to"):
            self.archive.act(self, answer)

    def _tell(self, answer: Answer, rq: CFindRQ) -> None:
        """The truth about a study."""
        assert _IMPLICIT is not None
        asked = answer.data_set or b""
        found = {s.tag: asked[s.value_at : s.end].decode().strip("\0 ") for s in walk(asked, _IMPLICIT)}
        known = {study.uid: study.name for study in STUDIES.values()}
        name = known.get(found.get(0x0020000D, ""))
        if name is not None and found[0x00080052] == "STUDY":
            pending = CFindRSP(rq.message_id, 0xFF00, rq.affected_sop_class_uid, dimse.DATA_SET)
            self.send(answer.context_id, pending, described(name))
        self.send(answer.context_id, CFindRSP(rq.message_id, 0, rq.affected_sop_class_uid))


def described(name: str, **more: str | list[str]) -> bytes:
    """A match at STUDY level for a study of the clinic, with all that policies read."""
    study = STUDIES[name]
    made = pydicom.Dataset()
    made.QueryRetrieveLevel = "STUDY"
    made.StudyInstanceUID = study.uid
    made.PatientID = study.patient
    made.InstitutionName = study.institution
    made.ReferringPhysicianName = study.referrer
    made.StudyDate = study.date
    made.ModalitiesInStudy = study.series[0].modality
    for key, value in more.items():
        setattr(made, key, value)
    return data_set(made)


Act = Callable[[Line, Answer], None]


def _nothing(line: Line, answer: Answer) -> None:
    """Say nothing."""


def accept_all(line: Line, rq: pdu.AAssociateRQ) -> None:
    """Take every context in its first transfer syntax."""
    accepted = tuple(
        pdu.PresentationContextAC(c.context_id, 0, c.transfer_syntaxes[0]) for c in rq.presentation_contexts
    )
    said = pdu.UserInformation(
        maximum_length=16384,
        implementation_class_uid="2.25.2",
        role_selections=rq.user_information.role_selections,
    )
    ac = pdu.AAssociateAC(rq.called_ae_title, rq.calling_ae_title, accepted, said)
    line.association.accept(ac, time.monotonic())


def reply_release(line: Line) -> None:
    """Agree to a release."""
    line.association.release_reply(time.monotonic())


@dataclass(slots=True)
class ScriptedArchive:
    """What it does now; ``lines`` are all associations so far."""

    port: int
    act: Act = _nothing
    accept: Callable[[Line, pdu.AAssociateRQ], None] = accept_all
    released: Callable[[Line], None] = reply_release
    most: int | None = None
    """Bytes after which it hangs up; None: as many as come."""
    lines: list[Line] = field(default_factory=list)

    def behave(self) -> None:
        """Back to saying nothing."""
        self.act, self.accept, self.released, self.most = _nothing, accept_all, reply_release, None

    def of(self, calling: str) -> list[Line]:
        """The associations under a calling title."""
        return [line for line in self.lines if line.calling == calling]


@contextlib.contextmanager
def scripted_archive() -> Iterator[ScriptedArchive]:
    """Serve on loopback while the block runs."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    archive = ScriptedArchive(listener.getsockname()[1])

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = listener.accept()
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                line = Line(archive, sock)
                archive.lines.append(line)
                threading.Thread(target=line.serve, daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield archive
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for line in archive.lines:
            line.close()
        thread.join(5)
