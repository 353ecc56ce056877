"""What a web client may do and what is written down of it, by the guard's own world (``ports.Ports``)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from leadglass.access.admission import Peer, Refusal, admit_web, principal_of
from leadglass.access.budgets import Measure
from leadglass.access.identity import IdentityRefusal
from leadglass.errors import ResourceError
from leadglass.guard.client import Client
from leadglass.guard.dicomweb.paths import Request
from leadglass.guard.dicomweb.refused import Refused
from leadglass.guard.identity.people import Believed
from leadglass.guard.studies import Unknown
from leadglass.guard.trail import Diary
from leadglass.guard.world import LEFT_ALONE, World
from leadglass.model.access import Action, Decision, Kind, Resource, Study
from leadglass.model.enrolment import Enrolled, Roll

__all__ = ["Members", "WorldDesk"]

_NO_DEVICE = Enrolled("", Kind.PERSON, (), ())
"""Through which a person comes who has shown a token and no certificate."""
_FAULTS = frozenset({"archive", "absent"})
_BELIEVED = 5.0
"""Seconds for which a client that says the same again, under the same roll, is not asked again who it is."""
_MEMBER = 60.0
_MOST_MEMBERS = 50_000
_TOGETHER = 60.0
"""Seconds within which retrievals of one study are written down as one: a viewer asks frame by frame."""

_MOST_RETRIEVED = 256
"""Studies of one connection whose retrievals are still counted together."""


@dataclass(slots=True)
class _Retrieved:
    study: Study
    since: float
    under_way: int = 0
    octets: int = 0
    why: str = ""


class Members:
    """What was found to be part of which study, for a bounded time; bounded in number."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._until: OrderedDict[tuple[str, str, str], float] = OrderedDict()

    def add(self, member: tuple[str, str, str]) -> None:
        """Study, series and instance belong together."""
        self._until[member] = self._now() + _MEMBER
        self._until.move_to_end(member)
        if len(self._until) > _MOST_MEMBERS:
            self._until.popitem(last=False)

    def __contains__(self, member: tuple[str, str, str]) -> bool:
        return self._until.get(member, 0.0) > self._now()


@dataclass(slots=True)
class WorldDesk:
    """The guard, to one web connection."""

    world: World
    peer: Peer
    title: str
    """What the archive is called."""
    members: Members | None = None
    """Shared by all connections of a process."""
    _client: Client | None = None
    _believed: tuple[str | None, Roll, float] | None = None
    """By which header, under which roll, and until when."""
    _diary: Diary | None = None
    _retrieved: dict[str, _Retrieved] = field(default_factory=dict)

    # Who asks.

    async def person(self, authorization: str | None) -> Client | IdentityRefusal:
        """Who asks, held against the roll as it is now."""
        world, roll = self.world, self.world.roll
        enrolled: Enrolled | None = None
        if self.peer.certificate is not None:
            found = admit_web(self.peer, roll, world.now())
            if isinstance(found, Refusal):
                return IdentityRefusal(found.reason, found.rule)
            enrolled = found
        believed = await world.people.requesting(authorization, enrolled, self.peer)
        if isinstance(believed, IdentityRefusal):
            return believed
        client = self._welcome(believed, enrolled or _NO_DEVICE)
        until = world.now() + _BELIEVED
        end = min(
            [until, *(moment for moment in (believed.until, client.enrolled.until) if moment is not None)]
        )
        self._believed = (authorization, roll, end)
        return client

    def remembered(self, authorization: str | None) -> Client | None:
        """Who asked last, if the same header is still good for the same answer."""
        if self._believed is None:
            return None
        header, roll, until = self._believed
        same = header == authorization and roll is self.world.roll and self.world.now() < until
        return self._client if same else None

    def still_welcome(self) -> bool:
        """Whether the roll still lets the client in as it came, as the same, with the same rights."""
        if self._client is None or self.peer.certificate is None:
            return True
        found = admit_web(self.peer, self.world.roll, self.world.now())
        return isinstance(found, Enrolled) and principal_of(found) == principal_of(self._client.enrolled)

    def _welcome(self, believed: Believed, enrolled: Enrolled) -> Client:
        client = Client(believed.principal, enrolled, self.peer, "", self.title, believed.until)
        if client == self._client:
            return client
        self.ended("")
        if not self.world.spend(client, Measure.ASSOCIATIONS, 1):
            raise Refused("over its budget of associations", 429, (("Retry-After", "60"),), rule="budget")
        diary = self.world.diary(client)
        diary.begun((Action.QIDO,))
        self._client, self._diary = client, diary
        return client

    def ended(self, why: str) -> None:
        """The client has gone, or is somebody else now."""
        diary = self._diary
        self._client = self._believed = None
        if diary is not None:
            for uid in tuple(self._retrieved):
                self._write(diary, uid)
            diary.ended(why)
        self._diary = None

    # What it may.

    def decide(self, client: Client, action: Action, resource: Resource) -> Decision:
        """What the policy says, here and now; ``ResourceError`` if the guard is out of date for this."""
        decision = self.world.decide(client, action, resource)
        if decision is LEFT_ALONE:
            # It passes, and is nobody's fault who asks: 403 would send them away for good.
            raise ResourceError(decision.reason)
        return decision

    def needed(self, client: Client, action: Action) -> frozenset[str]:
        """The attributes of ``Study`` that can decide."""
        return self.world.policy.needed(client.principal, action)

    def known(self, uid: str) -> Study | Unknown | None:
        """What is remembered of a study."""
        return self.world.studies.known(uid) if self.world.answers_queries else None

    async def study(self, uid: str) -> Study | None:
        """What the archive knows of a study."""
        return await self.world.studies.present(uid) if self.world.answers_queries else None

    async def contains(self, study: str, series: str, instance: str) -> bool:
        """Whether the series, and the instance unless empty, is one of the study's."""
        world = self.world
        found = world.answers_queries and await world.studies.contains(study, series, instance)
        if found and self.members is not None:
            self.members.add((study, series, instance))
        return found

    def member(self, study: str, series: str, instance: str) -> bool:
        """Whether ``contains`` has said so a short while ago."""
        return self.members is not None and (study, series, instance) in self.members

    def spend(self, client: Client, measure: Measure, what: int | str) -> bool:
        """Take from a budget."""
        return self.world.spend(client, measure, what)

    def left(self, client: Client, measure: Measure) -> bool:
        """Whether anything is left of a budget."""
        return self.world.left(client, measure)

    def spent(self, client: Client, measure: Measure, amount: int) -> None:
        """Count what has been had already."""
        self.world.spent(client, measure, amount)

    def mint(self) -> str:
        """A new UID that names nothing."""
        return self.world.mint()

    def posix(self) -> float:
        """POSIX seconds."""
        return self.world.now()

    # What is written down.

    def unknown(self, refusal: IdentityRefusal) -> None:
        """Somebody asked who is not believed."""
        self.world.trail.turned_away(self.peer, "", self.title, refusal.reason, refusal.rule)

    def refused(self, client: Client | None, request: Request | None, why: str, rule: str) -> None:
        """Something was refused, or could not be done."""
        diary = self._diary
        if client is None or diary is None:
            self.world.trail.turned_away(self.peer, "", self.title, why, rule)
            return
        action = None if request is None else request.action
        if rule in _FAULTS:
            diary.failed(action, why)
        else:
            uid = None if request is None else request.at.study
            diary.refused(action, why, [rule], [Study(uid)] if uid is not None else ())

    def searching(self, client: Client, request: Request, target: str) -> None:
        """A permitted search is about to be put to the archive."""
        self._pages(client).queried(request.action, "", target.encode(), None)

    def retrieving(self, client: Client, study: Study) -> None:
        """A permitted retrieval is about to be put to the archive: the first of a study is written down."""
        uid = study.study_instance_uid
        found = self._retrieved.get(uid)
        if found is not None and not found.under_way and self.world.now() - found.since > _TOGETHER:
            self._write(self._pages(client), uid)
            found = None
        if found is None:
            self._pages(client).retrieving(Action.WADO, [study], None)
            self._make_room()
            found = self._retrieved[uid] = _Retrieved(study, self.world.now())
        found.under_way += 1

    def _make_room(self) -> None:
        """What is over is written down before too much of it is remembered."""
        if self._diary is not None and len(self._retrieved) >= _MOST_RETRIEVED:
            for uid in [uid for uid, found in self._retrieved.items() if not found.under_way]:
                self._write(self._diary, uid)

    def retrieved(self, client: Client, study: Study, size: int, why: str) -> None:  # noqa: ARG002 - the contract's signature
        """It is over."""
        found = self._retrieved.get(study.study_instance_uid)
        if found is not None:
            found.under_way -= 1
            found.octets += size
            found.why = found.why or why

    def storing(self, client: Client, study: Study) -> None:
        """A permitted object is about to be put to the archive."""
        self._pages(client).storing(Action.STOW, study)

    def stored(self, client: Client, study: Study, sop_class: str, size: int) -> None:
        """The archive has it."""
        if self.world.answers_queries:
            self.world.studies.learn_stored(study)
        self._pages(client).stored(study, sop_class, size)

    def managing(self, client: Client, request: Request) -> None:
        """A permitted UPS-RS request is about to be put to the archive."""
        self._pages(client).asked(request.action)

    def _pages(self, client: Client) -> Diary:
        assert client == self._client
        assert self._diary is not None
        return self._diary

    def _write(self, diary: Diary, uid: str) -> None:
        found = self._retrieved.pop(uid)
        diary.retrieved(Action.WADO, [found.study], None, found.why)
