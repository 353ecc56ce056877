"""A clock that jumps, channels without sockets, and peers made of ``wire.association`` and ``wire.pdata``."""

from __future__ import annotations

import asyncio
import itertools
import selectors
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from leadglass.guard.channel import HIGH_WATER, Channel, Owner
from leadglass.model.access import Study
from leadglass.wire import dataset, dimse, uids
from leadglass.wire.association import (
    AssociateRequested,
    Association,
    DataReceived,
    Event,
    ReleaseRequested,
    Role,
    State,
)
from leadglass.wire.command import encode_command
from leadglass.wire.elements import encode_element, syntax_of
from leadglass.wire.pdata import Completed, MessageAssembler, fragment
from leadglass.wire.pdu import (
    AAssociateAC,
    AAssociateRQ,
    PresentationContextAC,
    PresentationContextRQ,
    RoleSelection,
    UserInformation,
)

__all__ = [
    "ADDRESS",
    "COMMIT",
    "ECHO",
    "FIND",
    "GET",
    "HIDDEN",
    "MOVE",
    "OPEN",
    "REQUEST",
    "STORE",
    "SYNTAX",
    "TITLE",
    "Actor",
    "Honest",
    "Loop",
    "Pipe",
    "accepted",
    "found",
    "image",
    "oblige",
    "on_stage",
    "query",
    "response_to",
]

OPEN, HIDDEN = "2.25.1", "2.25.666"
"""Studies that policy shows, and hides."""
TITLE, ADDRESS = "MODALITY", "10.0.0.7"
ECHO, FIND, STORE, GET, MOVE, COMMIT = 1, 3, 5, 7, 9, 11
"""Presentation contexts of ``REQUEST``."""
_OFFERED = {
    ECHO: uids.VERIFICATION,
    FIND: uids.STUDY_ROOT_FIND,
    STORE: uids.CT_IMAGE_STORAGE,
    GET: uids.STUDY_ROOT_GET,
    MOVE: uids.STUDY_ROOT_MOVE,
    COMMIT: uids.STORAGE_COMMITMENT,
}
REQUEST = AAssociateRQ(
    "ARCHIVE",
    TITLE,
    tuple(PresentationContextRQ(n, uid, (uids.IMPLICIT_VR_LE,)) for n, uid in _OFFERED.items()),
    UserInformation(
        maximum_length=16384,
        role_selections=(RoleSelection(uids.CT_IMAGE_STORAGE, scu_role=True, scp_role=True),),
    ),
)


# ---- time


class _Jumping(selectors.DefaultSelector):
    """Waits for nothing: where nothing is to be done, the clock is moved on."""

    loop: Loop

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if not ready and timeout is None:
            raise AssertionError("everybody waits for somebody else")
        if not ready and timeout:
            self.loop.moment += max(timeout, 1e-6)  # a clock that has run for long has no smaller steps
        return ready


class Loop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next thing that is to be done."""

    def __init__(self) -> None:
        self.moment = 1000.0
        selector = _Jumping()
        selector.loop = self
        super().__init__(selector)
        self._clock_resolution = 1e-6  # of a clock that has run for long
        self.failures: list[str] = []
        self.set_exception_handler(lambda _, context: self.failures.append(str(context)))

    def time(self) -> float:
        return self.moment


def on_stage(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """A test that is a coroutine, run on a loop of its own."""

    def run(**given: Any) -> None:
        loop = Loop()
        try:
            loop.run_until_complete(test(**given))
            assert loop.failures == []
        finally:
            loop.close()

    run.__name__, run.__doc__ = test.__name__, test.__doc__
    return run


# ---- bytes


class Pipe(Channel):
    """A channel without a socket: what the guard sent waits in ``out``, what it gets comes by ``feed``."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._loop = asyncio.get_running_loop()
        self.out = bytearray()
        self.waiting = bytearray()
        self.paused = False
        self.closing = False
        self._high = False
        self.dead = False

    @property
    def queued(self) -> int:  # type: ignore[override]
        """What the peer has not taken."""
        return len(self.out)

    @property
    def peer_certificate(self) -> bytes | None:
        """Nobody shows one."""
        return None

    def start(self) -> None:
        self._owner.opened()

    def send(self, data: bytes | memoryview) -> None:
        if not self.closing:
            self.out += data
            self._high = self._high or len(self.out) > HIGH_WATER

    def send_all(self, parts: Sequence[bytes | memoryview]) -> None:
        for part in parts:
            self.send(part)

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        if self.paused:
            self.paused = False
            self._loop.call_soon(self._deliver)

    def close(self) -> None:
        self.closing = True
        self.waiting.clear()

    def abort(self) -> None:
        self.end("")

    # What a test does.

    def take(self, most: int | None = None) -> bytes:
        """The peer reads, up to ``most`` bytes."""
        taken = bytes(self.out[:most])
        del self.out[: len(taken)]
        if self._high and len(self.out) < HIGH_WATER // 4 and not self.closing:
            self._high = False
            self._owner.drained()
        return taken

    def feed(self, data: bytes) -> None:
        """The peer sends."""
        if not self.closing:
            self.waiting += data
            self._deliver()

    def end(self, why: str = "") -> None:
        """The connection is over."""
        self.closing = True
        if not self.dead:
            self.dead = True
            self._owner.closed(why)

    def _deliver(self) -> None:
        if self.waiting and not self.paused and not self.closing:
            data, self.waiting = self.waiting, bytearray()
            self._owner.received(memoryview(data))


# ---- peers


class Actor:
    """A client or an archive: an association over a pipe, and what it heard."""

    def __init__(self, role: Role, pipe: Pipe) -> None:
        self.pipe = pipe
        self.association = Association(role)
        self.assembler = MessageAssembler()
        self.heard: list[Completed] = []
        self.events: list[Event] = []
        self.answer: Callable[[Actor, Completed], None] = lambda actor, message: None
        self.accepts: Callable[[AAssociateRQ], AAssociateAC] = accepted
        self._unsent = bytearray()

    def open(self, rq: AAssociateRQ | None = None) -> None:
        """Begin, by asking for an association where it is a client."""
        if rq is not None:
            self.association.associate(rq, 0.0)
        self.association.connection_opened(0.0)

    def send(self, context_id: int, command: dimse.Message, data_set: bytes | None = None) -> None:
        """Say something; an association that is over swallows it."""
        if self.association.state is State.STA6:
            size = self.association.peer_maximum_length
            self.association.send(fragment(context_id, encode_command(command), data_set, size), 0.0)

    def hear(self, most: int | None = None) -> bool:
        """Read up to ``most`` bytes from the guard; whether there were any."""
        data = self.pipe.take(most)
        for event in self.association.receive(data, 0.0) if data else ():
            self.events.append(event)
            self._understand(event)
        return bool(data)

    def say(self, most: int | None = None) -> bool:
        """Send up to ``most`` bytes to the guard; whether there were any."""
        self._unsent += self.association.data_to_send()
        part = bytes(self._unsent[:most])
        del self._unsent[: len(part)]
        if part:
            self.pipe.feed(part)
        if self.association.wants_close and not self._unsent:
            self.pipe.end()
        return bool(part)

    def statuses(self, message_id: int) -> list[int]:
        """The statuses of the responses to a request, in order."""
        return [
            message.command.status
            for message in self.heard
            if getattr(message.command, "message_id_being_responded_to", None) == message_id
            and hasattr(message.command, "status")
        ]

    @property
    def commands(self) -> list[str]:
        """The kinds of commands heard, in order."""
        return [type(message.command).__name__ for message in self.heard]

    @property
    def open_for_data(self) -> bool:
        """Whether messages can pass."""
        return self.association.state is State.STA6

    def _understand(self, event: Event) -> None:
        if isinstance(event, AssociateRequested):
            self.association.accept(self.accepts(event.pdu), 0.0)
        elif isinstance(event, ReleaseRequested):
            self.association.release_reply(0.0)
        elif isinstance(event, DataReceived):
            for value in event.pdvs:
                completed = self.assembler.feed(value)
                if completed is not None:
                    self.heard.append(completed)
                    self.answer(self, completed)


def accepted(rq: AAssociateRQ) -> AAssociateAC:
    """Everything, in the first transfer syntax, and in the roles that were asked for."""
    said = rq.user_information
    contexts = tuple(
        PresentationContextAC(c.context_id, 0, c.transfer_syntaxes[0]) for c in rq.presentation_contexts
    )
    information = UserInformation(
        maximum_length=16384,
        role_selections=said.role_selections,
        extended_negotiations=said.extended_negotiations,
    )
    return AAssociateAC(rq.called_ae_title, rq.calling_ae_title, contexts, information)


# ---- data


_IMPLICIT = syntax_of(uids.IMPLICIT_VR_LE)
assert _IMPLICIT is not None
SYNTAX = _IMPLICIT


def query(study: str = "", level: str = "STUDY") -> bytes:
    """An identifier, as a client or an archive writes it."""
    return dataset.identifier({dataset.QUERY_RETRIEVE_LEVEL: level, dataset.STUDY_INSTANCE_UID: study})


def image(instance: str, study: str = OPEN, pixels: int = 64) -> bytes:
    """A CT image."""
    words = {
        0x0008_0016: ("UI", uids.CT_IMAGE_STORAGE),
        0x0008_0018: ("UI", instance),
        0x0010_0020: ("LO", f"P{study}"),
        0x0020_000D: ("UI", study),
    }
    head = b"".join(encode_element(tag, vr, value.encode(), SYNTAX) for tag, (vr, value) in words.items())
    return head + encode_element(0x7FE0_0010, "OW", bytes(pixels), SYNTAX)


def found(study: str) -> Study:
    """A study, as the guard knows it."""
    return Study(study, patient_id=f"P{study}")


def oblige(actor: Actor, message: Completed) -> None:
    """A client takes what it is sent."""
    if isinstance(message.command, dimse.CStoreRQ | dimse.NEventReportRQ):
        actor.send(message.context_id, response_to(message.command))


class Honest:
    """What an archive answers: ``studies`` to each query, and two objects to each C-GET."""

    def __init__(self) -> None:
        self.studies = [OPEN, HIDDEN]
        self.silent = False
        self.objects = 2
        self.pixels = 64
        self._getting: dict[int, tuple[int, dimse.CGetRQ]] = {}
        """By the message id of the last object."""
        self._numbers = itertools.count(1000)

    def __call__(self, actor: Actor, message: Completed) -> None:
        if self.silent:
            return
        command = message.command
        if isinstance(command, dimse.CFindRQ):
            self._find(actor, message.context_id, command)
        elif isinstance(command, dimse.CGetRQ):
            self._get(actor, message.context_id, command)
        elif isinstance(command, dimse.CStoreRSP):
            self._got(actor, command)
        elif hasattr(command, "message_id"):
            actor.send(message.context_id, response_to(command))

    def _find(self, actor: Actor, context_id: int, command: dimse.CFindRQ) -> None:
        number, sop_class = command.message_id, command.affected_sop_class_uid
        for study in self.studies:
            pending = dimse.CFindRSP(number, 0xFF00, sop_class, dimse.DATA_SET)
            actor.send(context_id, pending, query(study))
        actor.send(context_id, dimse.CFindRSP(number, 0, sop_class))

    def _get(self, actor: Actor, context_id: int, command: dimse.CGetRQ) -> None:
        number = 0
        for at in range(self.objects):
            number, instance = next(self._numbers) % 0x10000, f"2.25.9{at}"
            store = dimse.CStoreRQ(number, uids.CT_IMAGE_STORAGE, instance)
            actor.send(STORE, store, image(instance, pixels=self.pixels))
        self._getting[number] = (context_id, command)

    def _got(self, actor: Actor, response: dimse.CStoreRSP) -> None:
        asked = self._getting.pop(response.message_id_being_responded_to, None)
        if asked is not None:
            context_id, command = asked
            actor.send(context_id, dimse.CGetRSP(command.message_id, 0, command.affected_sop_class_uid))


def response_to(command: Any, status: int = 0) -> dimse.Message:
    """The final response to a request."""
    kind = dimse.MESSAGES[command.COMMAND_FIELD | 0x8000]
    response: dimse.Message = kind(  # type: ignore[call-arg]  # every response has these
        message_id_being_responded_to=command.message_id, status=status
    )
    return response
