"""A gateway between a scripted client and a scripted archive, without sockets and on a clock of its own.

Bytes move only when a test moves them, in whatever pieces, and time passes only when nothing else is
to be done. Both peers are made of ``wire.association`` and ``wire.pdata``.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from tests.unit.guard.dimse.scripted import (
    ADDRESS,
    HIDDEN,
    OPEN,
    REQUEST,
    TITLE,
    Actor,
    Honest,
    Pipe,
    accepted,
    found,
    oblige,
)
from tests.unit.guard.elapsing import elapse, turn

from leadglass.access.budgets import Limits
from leadglass.errors import ResourceError, TransportError
from leadglass.guard.audit.events import AuditEvent, Happening
from leadglass.guard.budgets import Budgets
from leadglass.guard.dimse.archive import Archive
from leadglass.guard.dimse.gateway import Gateway
from leadglass.guard.dimse.leg import Leg
from leadglass.guard.identity.people import Passcodes, People
from leadglass.guard.moves import Move, Moves
from leadglass.guard.studies import Studies
from leadglass.guard.trail import Trail
from leadglass.guard.world import World
from leadglass.model.access import Action, Circumstances, Decision, Kind, Principal, Resource, Study
from leadglass.model.enrolment import Enrolled, Roll
from leadglass.net.services import Service
from leadglass.wire.association import (
    AssociateAccepted,
    Role,
)
from leadglass.wire.pdata import Completed
from leadglass.wire.pdu import (
    AAssociateRQ,
)

__all__ = ["Line", "Rules", "Stage"]


# ---- the world


class Rules:
    """Policies: everything is allowed but what names a hidden study, and what ``closed`` has."""

    version = 1
    attributes_read = frozenset({"patient_id"})

    def __init__(self) -> None:
        self.closed: set[Action] = set()

    def needed(self, _: Principal, __: Action) -> frozenset[str]:
        return self.attributes_read

    def decide(self, _: Principal, action: Action, resource: Resource, __: Circumstances) -> Decision:
        hidden = isinstance(resource, Study) and resource.study_instance_uid == HIDDEN
        return Decision(not hidden and action not in self.closed, ("rule",), "as it is")


class Line(Archive):
    """The archive, reached by pipes; each association is an ``Actor`` in ``actors``."""

    def __init__(self, answer: Callable[[Actor, Completed], None]) -> None:
        super().__init__(Service("the archive", "192.0.2.1", 104))
        self.answer = answer
        self.actors: list[Actor] = []
        self.away = False
        self.accepts = accepted
        self.delay: Awaitable[object] | None = None

    async def dial(self, leg: Leg) -> None:
        if self.delay is not None:
            await self.delay
        if self.away:
            raise TransportError("cannot be reached")
        pipe = Pipe(leg)
        leg.channel = pipe
        actor = Actor(Role.ACCEPTOR, pipe)
        actor.answer, actor.accepts = self.answer, self.accepts
        actor.open()
        self.actors.append(actor)
        pipe.start()


class _Known:
    """What the archive tells of studies when the guard asks."""

    def __init__(self) -> None:
        self.late: Awaitable[object] | None = None
        self.asked: list[str] = []

    async def study(self, uid: str) -> Study | None:
        self.asked.append(uid)
        if self.late is not None:
            await self.late
        return found(uid) if uid in {OPEN, HIDDEN} else None

    async def of_patient(self, _: str, __: bytes) -> list[Study]:
        return [found(OPEN), found(HIDDEN)]

    async def holder(self, instance: str) -> str | None:
        self.asked.append(instance)
        return {"2.25.51": OPEN, "2.25.566": HIDDEN}.get(instance)

    async def contains(self, study: str, _: str, __: str) -> bool:
        return study == OPEN


class _Moves(Moves):
    """Moves, kept without a thread."""

    def __init__(self) -> None:
        self.expected: list[Move] = []

    async def expect(
        self, destination: str, originator: str, message_id: int, principal: str, studies: Sequence[str]
    ) -> None:
        self.expected.append(Move(destination, originator, message_id, principal, frozenset(studies)))


@dataclass
class _Clock:
    loop: asyncio.AbstractEventLoop

    def monotonic(self) -> float:
        return self.loop.time()

    def posix(self) -> float:
        return self.loop.time()


@dataclass
class Stage:
    """Everybody, in place; use within a running ``Loop``."""

    honest: Honest = field(default_factory=Honest)
    rules: Rules = field(default_factory=Rules)
    known: _Known = field(default_factory=_Known)
    limits: Limits | None = None
    told: list[AuditEvent] = field(default_factory=list)
    mistakes: list[BaseException] = field(default_factory=list)
    full: bool = False
    """The audit can take no more."""

    def __post_init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.moves = _Moves()
        self.line = Line(self.honest)
        self.world = self._world()
        self.gateway = Gateway(self.world, ADDRESS, tls=False)
        self.gone = Counter[str]()
        self.gateway.left = lambda: self.gone.update(client=1)
        self.world.gateways.add(self.gateway)
        self.pipe = Pipe(self.gateway.client)
        self.gateway.client.channel = self.pipe
        self.client = Actor(Role.REQUESTOR, self.pipe)
        self.client.answer = oblige
        self.pipe.start()

    def _world(self) -> World:
        clock = _Clock(self.loop)
        roll = Roll(
            1,
            {
                "modality": Enrolled("modality", Kind.DEVICE, (TITLE,), ("10.0.0.0/8",), plain=True),
                "reader": Enrolled(
                    "reader", Kind.DEVICE, ("READER",), ("10.0.0.0/8",), address="10.0.0.8:104"
                ),
            },
            {},
        )
        return World(
            policy=self.rules,  # type: ignore[arg-type]  # decides without Cedar
            roll=roll,
            titles=frozenset({"ARCHIVE"}),
            archive=self.line,
            studies=Studies(
                self.known.study,
                self.known.of_patient,
                self.known.contains,
                self.known.holder,
                self.loop.time,
            ),
            trail=Trail(self._write, self.loop.time, lambda: self.gone.update(lost=1)),
            moves=self.moves,
            people=People(Passcodes(clock), None),
            budgets=Budgets(self.limits, b"k" * 32, self.loop.time, lambda *_: None),
            posix=self.loop.time,
            monotonic=self.loop.time,
            mint=lambda: "2.25.404",
            mistake=self.mistakes.append,
            line_to=lambda _: self.line,
        )

    def _write(self, event: AuditEvent, *, reserved: bool) -> None:
        if self.full and not reserved:
            raise ResourceError("the disk is full")
        self.told.append(event)

    @property
    def archive(self) -> Actor:
        """The latest association to the archive."""
        return self.line.actors[-1]

    @property
    def happened(self) -> list[Happening]:
        """What the audit was told."""
        return [event.happening for event in self.told]

    def begin(self, rq: AAssociateRQ = REQUEST) -> None:
        """The client asks for an association."""
        self.client.open(rq)

    async def associated(self, rq: AAssociateRQ = REQUEST) -> None:
        """The client has an association."""
        self.begin(rq)
        await self.play()
        assert any(isinstance(event, AssociateAccepted) for event in self.client.events), self.client.events

    async def play(self, most: int | None = None) -> None:
        """Move bytes until nobody has any more to say; time stands still."""
        idle = 0
        while idle < 8:
            moved = [actor.say(most) | actor.hear(most) for actor in (self.client, *self.line.actors)]
            await turn()
            idle = 0 if any(moved) else idle + 1

    async def later(self, seconds: float = 1.0) -> None:
        """Time passes, and what was waiting for it is done: some answers take as long as others would."""
        await elapse(seconds)
        await self.play()

    def trusted(self) -> None:
        """Nothing went wrong on our side."""
        assert self.mistakes == []
