"""A client, a guard's door and an archive in memory: what each of them says, and what was written down."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import h11

from leadglass.access.admission import Peer
from leadglass.access.budgets import Measure
from leadglass.access.identity import IdentityRefusal
from leadglass.errors import LeadglassError
from leadglass.guard.client import Client
from leadglass.guard.dicomweb.effects import (
    AbortClient,
    CloseClient,
    CloseUpstream,
    Contains,
    Dial,
    Effect,
    Even,
    Identify,
    LookUp,
    SendClient,
    SendUpstream,
)
from leadglass.guard.dicomweb.paths import Request, Roots
from leadglass.guard.dicomweb.ports import Door
from leadglass.guard.dicomweb.relay import Relay
from leadglass.guard.studies import UNKNOWN, Unknown
from leadglass.model.access import Action, Decision, Kind, Node, Principal, Resource, Study
from leadglass.model.enrolment import Enrolled

ROOTS = Roots("/dicom-web", "/wado")
HOSTS = frozenset({"guard.example"})
DOOR = Door(
    public="https://guard.example/dicom-web",
    authorities=HOSTS,
    host="archive.example:8042",
    title="ARCHIVE",
    own=ROOTS,
    archive=Roots("/archive/web", "/archive/wado"),
)
ADA = Client(
    Principal(Kind.PERSON, "ada", institutions=frozenset({"North"})),
    Enrolled("reading room", Kind.DEVICE, (), ()),
    Peer("192.0.2.1", None, tls=True),
    calling="",
    called="ARCHIVE",
)
MINE, HIDDEN, ABSENT = "1.2.1", "1.2.2", "1.2.3"
SEEN = Study(MINE, patient_id="P1", institution="North")
UNSEEN = Study(HIDDEN, patient_id="P2", institution="South")


class Asked(NamedTuple):
    """What the archive was asked."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


class Reply(NamedTuple):
    """What it answers; raw bytes in ``raw`` go as they are."""

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    raw: bytes | None = None
    closes: bool = False


Script = Callable[[Asked], Reply]


def json_reply(content: Any, *headers: tuple[str, str], status: int = 200) -> Reply:
    body = json.dumps(content).encode()
    return Reply(status, body, (("Content-Type", "application/dicom+json"), *headers))


class Desk:
    """The rest of the guard (``ports.Ports``)."""

    def __init__(self, *studies: Study) -> None:
        self.studies = {study.study_instance_uid: study for study in studies or (SEEN, UNSEEN)}
        self.members: set[tuple[str, str, str]] = set()
        self.written: list[tuple[str, Any]] = []
        self.minted = 0
        self.budgets: dict[Measure, int] = {}
        self.counted: Counter[Measure] = Counter()
        self.services = frozenset(Action)
        self.looked: list[str] = []
        self.remembered_studies: dict[str, Study | None] = {}
        self.reads = frozenset({"institution"})
        self.broken: LeadglassError | None = None
        self.stranger = False

    def identify(self, authorization: str | None) -> Client | IdentityRefusal:
        if self.stranger:
            return IdentityRefusal("no token", "token-missing")
        return ADA

    def remembered(self, authorization: str | None) -> Client | None:
        return None

    def member(self, study: str, series: str, instance: str) -> bool:
        return False

    async def person(self, authorization: str | None) -> Client | IdentityRefusal:
        return self.identify(authorization)

    async def study(self, uid: str) -> Study | None:
        return self.studies.get(uid)

    async def contains(self, study: str, series: str, instance: str) -> bool:
        return (study, series, instance) in self.members

    def decide(self, client: Client, action: Action, resource: Resource) -> Decision:
        if isinstance(resource, Node):
            allowed = action in self.services and resource.title == "ARCHIVE"
        else:
            allowed = resource.institution in client.principal.institutions
        return Decision(allowed, (), "permitted" if allowed else "no policy permits it")

    def needed(self, client: Client, action: Action) -> frozenset[str]:
        return self.reads

    def known(self, uid: str) -> Study | Unknown | None:
        return self.remembered_studies.get(uid, UNKNOWN)

    def spend(self, client: Client, measure: Measure, what: int | str) -> bool:
        if measure not in self.budgets:
            return True
        self.budgets[measure] -= what if isinstance(what, int) else 1
        return self.budgets[measure] >= 0

    def left(self, client: Client, measure: Measure) -> bool:
        return self.budgets.get(measure, 1) > 0

    def spent(self, client: Client, measure: Measure, amount: int) -> None:
        self.counted[measure] += amount

    def mint(self) -> str:
        self.minted += 1
        return f"2.25.{self.minted}"

    def posix(self) -> float:
        return 1_800_000_000.0

    def unknown(self, refusal: IdentityRefusal) -> None:
        self.written.append(("unknown", refusal.rule))

    def refused(self, client: Client | None, request: Request | None, why: str, rule: str) -> None:
        self.written.append(("refused", rule))

    def searching(self, client: Client, request: Request, target: str) -> None:
        self._write("searching", target)

    def retrieving(self, client: Client, study: Study) -> None:
        self._write("retrieving", study.study_instance_uid)

    def retrieved(self, client: Client, study: Study, size: int, why: str) -> None:
        self._write("retrieved", (study.study_instance_uid, size, why))

    def storing(self, client: Client, study: Study) -> None:
        self._write("storing", study.study_instance_uid)

    def stored(self, client: Client, study: Study, sop_class: str, size: int) -> None:
        self._write("stored", (study.study_instance_uid, sop_class, size))

    def managing(self, client: Client, request: Request) -> None:
        self._write("managing", request.tail)

    def _write(self, kind: str, what: Any) -> None:
        if self.broken is not None:
            raise self.broken
        self.written.append((kind, what))


class Answered(NamedTuple):
    """What the client got."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    whole: bool


class Conversation:
    """Carries the effects of a relay out, at once."""

    def __init__(
        self, script: Script = lambda asked: Reply(404), desk: Desk | None = None, door: Door = DOOR
    ) -> None:
        self.desk = desk or Desk()
        self.script = script
        self.now = 0.0
        self.sent = b""
        self.asked: list[Asked] = []
        self.closed: list[float] = []
        """For each connection to the archive: how long it may be kept."""
        self.dialled = self.evened = 0
        self.kept_connection = False
        self.end: str | None = None
        self.answering = True
        """Whether questions are answered and the archive reacts."""
        self.upstream = b""
        self.http = h11.Connection(h11.SERVER)
        self.relay = Relay(door, self.desk, self.now)
        self.perform()

    def say(self, data: bytes, size: int | None = None) -> Conversation:
        """The client sends, ``size`` bytes at a time."""
        for at in range(0, len(data), size or len(data) or 1):
            self.relay.client_data(data[at : at + (size or len(data))], self.now)
            self.perform()
        return self

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.relay.timed_out(self.now)
        self.perform()

    def archive_says(self, data: bytes) -> None:
        self.relay.archive_data(data, self.now)
        self.perform()

    def leave(self) -> None:
        self.relay.client_closed(self.now)
        self.perform()

    def perform(self) -> None:
        while effects := self.relay.take():
            for effect in effects:
                self._do(effect)

    def _do(self, effect: Effect) -> None:
        match effect:
            case SendClient(data):
                self.sent += bytes(data)
            case CloseClient():
                self.end = self.end or "closed"
            case AbortClient():
                self.end = self.end or "aborted"
            case SendUpstream(data):
                self.upstream += bytes(data)
                if self.answering:
                    self._react(bytes(data))
            case CloseUpstream(idle):
                self.closed.append(idle)
            case _ if self.answering:
                self._answer(effect)

    def _answer(self, question: Effect) -> None:
        match question:
            case Dial(fresh):
                self.dialled += 1
                self.http = h11.Connection(h11.SERVER)
                answer: Any = self.kept_connection and not fresh
            case Identify(authorization):
                answer = self.desk.identify(authorization)
            case LookUp(uids):
                self.desk.looked += uids
                answer = {uid: self.desk.studies.get(uid) for uid in uids}
            case Contains(study, series, instance):
                answer = (study, series, instance) in self.desk.members
            case Even():
                self.evened += 1
                answer = None
            case _:
                raise AssertionError(question)
        self.relay.answered(answer, self.now)

    def _react(self, data: bytes) -> None:
        self.http.receive_data(data)
        while True:
            event = self.http.next_event()
            if isinstance(event, h11.Request):
                self._head, self._body = event, b""
            elif isinstance(event, h11.Data):
                self._body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                self._reply()
                return
            else:
                return

    def _reply(self) -> None:
        headers = {name.decode(): value.decode() for name, value in self._head.headers}
        asked = Asked(self._head.method.decode(), self._head.target.decode(), headers, self._body)
        self.asked.append(asked)
        reply = self.script(asked)
        if reply.raw is None:
            length = ("Content-Length", str(len(reply.body)))
            data = (
                self.http.send(h11.Response(status_code=reply.status, headers=[length, *reply.headers]))
                or b""
            )
            data += reply.body if reply.status != 204 else b""
        else:
            data = reply.raw
        if data:
            self.relay.archive_data(data, self.now)
        if reply.closes:
            self.relay.archive_data(b"", self.now)

    @property
    def answers(self) -> list[Answered]:
        """What the client got, by an independent reading of the bytes."""
        client = h11.Connection(h11.CLIENT)
        found: list[Answered] = []
        rest = self.sent
        while rest:
            client = h11.Connection(h11.CLIENT)
            client.send(h11.Request(method="GET", target="/", headers=[("Host", "x")]))
            client.send(h11.EndOfMessage())
            client.receive_data(rest)
            if self.end is not None:
                client.receive_data(b"")
            found.append(_read(client))
            rest = client.trailing_data[0] if found[-1].whole else b""
        return found

    @property
    def answer(self) -> Answered:
        assert len(self.answers) == 1, self.sent
        return self.answers[0]

    @property
    def refusals(self) -> list[str]:
        return [what for kind, what in self.desk.written if kind == "refused"]


def _read(client: h11.Connection) -> Answered:
    status, headers, body = 0, dict[str, str](), b""
    while True:
        try:
            event = client.next_event()
        except h11.RemoteProtocolError:
            return Answered(status, headers, body, whole=False)
        if isinstance(event, h11.Response):
            status = event.status_code
            headers = {name.decode(): value.decode() for name, value in event.headers}
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage):
            return Answered(status, headers, body, whole=True)
        elif not isinstance(event, h11.InformationalResponse):
            return Answered(status, headers, body, whole=False)


def get(target: str, *headers: str, method: str = "GET") -> bytes:
    lines = [f"{method} {target} HTTP/1.1", "Host: guard.example", *headers, "", ""]
    return "\r\n".join(lines).encode()


def refusal(data: bytes) -> int:
    """The status with which a conversation of one request ends."""
    return Conversation().say(data).answer.status
