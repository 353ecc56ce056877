"""The foreman against members that do what a test says, and a real store in a file."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from leadglass.errors import ResourceError
from leadglass.model.key import pack
from leadglass.model.look import Look, Sighting
from leadglass.model.rung import Rung
from leadglass.model.verdict import Access, Position, Severity
from leadglass.scan.foreman import LEASE, Errands, Foreman, Outcome
from leadglass.scan.messages import Drop, Hungry, Message, Result, SoFar, Stop, Task, Trouble, Turn
from leadglass.scope.parse import parse
from leadglass.scope.scope import Scope
from leadglass.store.database import Database, open_database
from leadglass.store.scans import Plan, StoredScan, begin, complete, open_scans
from leadglass.store.schema import observations
from leadglass.store.work import Shard, Work, progress

TEXT = """name = "foreman"
[authorisation]
basis = "owner"
granted_by = "A. Example"
contact = "security@example.org"
reference = "1"
valid_until = 2099-12-31
[limits]
deepest = "associate"
rate = 100
hours = "00:00-12:00"
timezone = "UTC"
[[targets]]
range = "10.0.0.0/24"
ports = [104]
"""
SCOPE = parse(TEXT, filename="scope.toml", moment=0.0)
LOOK = Look("[]", "{}", Rung.CONNECT, Access.CLOSED, Severity.NONE, None, None, None, "0")


class Hands:
    """A clock that ticks with each look at it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        self.now += 0.01
        return self.now

    def posix(self) -> float:
        return self.now


class Members:
    """A crew whose members answer each order at once, as ``answer`` has it."""

    def __init__(self, answer: Callable[[Members, int, Message], None], size: int = 2) -> None:
        self.size = size
        self.said: deque[tuple[int, Message | None]] = deque()
        self.heard: list[tuple[int, Message]] = []
        self._answer = answer

    def send(self, member: int, message: Message) -> None:
        self.heard.append((member, message))
        if isinstance(message, Stop):
            self.said.append((member, None))
        else:
            self._answer(self, member, message)

    def receive(self, timeout: float) -> tuple[int, Message | None] | None:
        return self.said.popleft() if self.said else None

    def told(self, kind: type[Message]) -> list[Message]:
        return [message for _, message in self.heard if isinstance(message, kind)]


def seen(task: Task, rest: tuple[tuple[int, int], ...] = ()) -> Result:
    left = {n for first, after in rest for n in range(first, after)}
    hosts = [n for n in range(task.first, task.after) if n not in left]
    return Result(task.shard, [Sighting(pack(f"10.0.0.{n}", 104), 1000, None, LOOK) for n in hosts], rest)


def diligent(members: Members, member: int, message: Message) -> None:
    if isinstance(message, Task):
        members.said += [(member, Hungry()), (member, seen(message))]


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
def store(tmp_path: Path, clock: Hands) -> Iterator[Database]:
    with open_database(str(tmp_path / "scans.sqlite"), clock.posix) as database:
        yield database


def scan(store: Database, number: int = 1) -> StoredScan:
    plan = Plan(
        ulid=f"01{number:024}",
        began=1000,
        tool_version="0",
        command="leadglass scan",
        position=Position.OUTSIDE,
        deepest=Rung.ASSOCIATE,
        rate=100.0,
        scope_name="foreman",
        scope_note=None,
        scope_digest=hashlib.sha256(TEXT.encode()).digest(),
        scope_text=TEXT,
        scope_file=None,
        pins="{}",
        permutation_key=bytes(16),
        invented_sop_class="2.25.1",
        hosts=256,
        endpoints=256,
        is_listed=False,
        wanted=(),
        shard_hosts=10,
    )
    return begin(store, plan)


def work(store: Database, stored: StoredScan, worker: str = "me") -> Work:
    tokens = map(str, range(10**6))
    return Work(
        store,
        stored,
        "here",
        Position.OUTSIDE,
        worker=worker,
        token=lambda: f"{worker}{next(tokens)}",
        lease=LEASE,
    )


def foreman(
    store: Database, stored: StoredScan, members: Members, clock: Hands, scope: Scope = SCOPE
) -> Foreman:
    errands = Errands(
        seen=lambda _: None,
        task=lambda shard: Task(shard.number, shard.first, shard.after),
        left=lambda: any(other.id == stored.id for other in open_scans(store, "here")),
        patient=False,
    )
    return Foreman(work(store, stored), members, scope, clock, errands)


def recorded(store: Database) -> int:
    with store.read() as connection:
        return int(connection.execute(select(func.count()).select_from(observations)).scalar_one())


def test_every_host_is_asked_and_written_down_once(store: Database, clock: Hands) -> None:
    stored, members = scan(store), Members(diligent)

    assert foreman(store, stored, members, clock).run() is Outcome.COMPLETE
    assert recorded(store) == 256
    assert complete(store, stored)
    hosts = [n for task in members.told(Task) for n in range(task.first, task.after)]  # type: ignore[union-attr]
    assert sorted(hosts) == list(range(256))


def test_the_rate_is_divided_among_the_members(store: Database, clock: Hands) -> None:
    members = Members(diligent, size=4)
    foreman(store, scan(store), members, clock).run()

    assert {message.rate for message in members.told(Turn)} == {25.0}  # type: ignore[union-attr]


def test_what_a_member_could_not_finish_is_asked_again(store: Database, clock: Hands) -> None:
    first: list[int] = []

    def halfway(members: Members, member: int, message: Message) -> None:
        if isinstance(message, Task) and not first:
            first.append(message.shard)
            members.said += [(member, Hungry()), (member, seen(message, ((3, 5), (8, 10))))]
        else:
            diligent(members, member, message)

    stored, members = scan(store), Members(halfway)

    assert foreman(store, stored, members, clock).run() is Outcome.COMPLETE
    assert recorded(store) == 256
    assert [(t.first, t.after) for t in members.told(Task)][-2:] == [(3, 5), (8, 10)]  # type: ignore[union-attr]


class Slow(Members):
    """One member that is asked ten hosts at a time, and tells of each."""

    def __init__(self, clock: Hands, look: Callable[[], None]) -> None:
        super().__init__(self._begin, size=1)
        self._clock, self._look = clock, look
        self._tasks: deque[Task] = deque()
        self._asked = 0

    def _begin(self, _: Members, member: int, message: Message) -> None:
        if isinstance(message, Task):
            self._tasks.append(message)
            self.said.append((member, Hungry()))

    def receive(self, timeout: float) -> tuple[int, Message | None] | None:
        self._look()
        if timeout and self._tasks and not self.said:
            self.said.append((0, self._next()))
        return super().receive(timeout)

    def _next(self) -> Message:
        self._clock.now += 0.3
        self._asked += 1
        task = self._tasks[0]
        if self._asked < task.after - task.first:
            return SoFar(((task.shard, self._asked),))
        self._asked = 0
        return seen(self._tasks.popleft())


def test_how_far_a_shard_is_is_written_down_now_and_then(store: Database, clock: Hands) -> None:
    stored, known, counts = scan(store), list[int](), list[int]()
    members = Slow(clock, lambda: known.append(progress(store, stored).asked))
    errands = Errands(
        seen=counts.append,
        task=lambda shard: Task(shard.number, shard.first, shard.after),
        left=lambda: bool(open_scans(store, "here")),
        patient=False,
    )

    assert Foreman(work(store, stored), members, SCOPE, clock, errands).run() is Outcome.COMPLETE

    assert known == sorted(known)
    written = {asked for asked in known if asked % 10}
    assert 26 < len(written) < 256 / 3  # several times in each of the 26 shards, and not at each host
    assert sum(counts) == recorded(store) == 256


def test_what_was_asked_in_vain_is_not_counted(store: Database, clock: Hands) -> None:
    stored, counts = scan(store), list[int]()
    lost = list[Shard]()

    def robbed(members: Members, member: int, message: Message) -> None:
        if isinstance(message, Task) and not lost:
            members.said.append((member, SoFar(((message.shard, 7),))))
            clock.now += LEASE + 1
            taken = work(store, stored, "other").take()
            assert taken is not None
            lost.append(taken)
        elif isinstance(message, Task):
            diligent(members, member, message)
        elif isinstance(message, Drop):
            shard = lost[0]
            work(store, stored, "other").finish(
                shard, seen(Task(shard.number, shard.first, shard.after)).sightings
            )

    errands = Errands(
        seen=counts.append,
        task=lambda shard: Task(shard.number, shard.first, shard.after),
        left=lambda: bool(open_scans(store, "here")),
        patient=True,
    )

    assert Foreman(work(store, stored), Members(robbed), SCOPE, clock, errands).run() is Outcome.COMPLETE
    assert (7 in counts, -7 in counts, sum(counts)) == (True, True, 246)


def test_stopped_it_gives_back_what_it_held(store: Database, clock: Hands) -> None:
    stored = scan(store)
    asked: list[Foreman] = []

    def stopping(members: Members, member: int, message: Message) -> None:
        diligent(members, member, message)
        if recorded(store) > 50:
            asked[0].stop()

    asked.append(foreman(store, stored, Members(stopping), clock))

    assert asked[0].run() is Outcome.STOPPED
    now = progress(store, stored)
    assert (now.leased, now.workers) == (0, ())
    assert 50 < recorded(store) < 256
    assert foreman(store, stored, Members(diligent), clock).run() is Outcome.COMPLETE
    assert recorded(store) == 256


def test_outside_the_hours_it_ends_and_can_go_on_later(store: Database, clock: Hands) -> None:
    stored = scan(store)
    clock.now = 13 * 3600.0

    assert foreman(store, stored, Members(diligent), clock).run() is Outcome.CLOSED
    assert recorded(store) == 0
    clock.now = 86400.0
    assert foreman(store, stored, Members(diligent), clock).run() is Outcome.COMPLETE


@pytest.mark.parametrize("end", [None, Trouble("no descriptors are left", "raise the limit")])
def test_a_member_that_fails_ends_the_run_in_one_line(
    end: Message | None, store: Database, clock: Hands
) -> None:
    def failing(members: Members, member: int, message: Message) -> None:
        if isinstance(message, Task):
            members.said.append((member, end))

    stored = scan(store)
    with pytest.raises(ResourceError, match=r"by itself|no descriptors"):
        foreman(store, stored, Members(failing), clock).run()

    assert progress(store, stored).leased == 0


def test_what_somebody_else_took_over_is_dropped_and_not_written(store: Database, clock: Hands) -> None:
    stored, held = scan(store), list[Task]()

    def slow(members: Members, member: int, message: Message) -> None:
        if isinstance(message, Task) and len(held) < 4:
            held.append(message)
            if len(held) == 4:
                clock.now += LEASE + 1  # nobody heard of us for too long, and another worker came
                other = work(store, stored, "other")
                taken = [other.take() for _ in range(4)]
                assert {shard.number for shard in taken if shard} == {task.shard for task in held}
                for shard in taken:
                    assert shard is not None
                    assert other.finish(shard, seen(Task(shard.number, shard.first, shard.after)).sightings)
        else:
            diligent(members, member, message)

    members = Members(slow)
    assert foreman(store, stored, members, clock).run() is Outcome.COMPLETE

    assert {n for drop in members.told(Drop) for n in drop.shards} == {task.shard for task in held}  # type: ignore[union-attr]
    assert recorded(store) == 256


def test_a_shard_that_could_not_be_looked_up_is_done_later(store: Database, clock: Hands) -> None:
    stored, members, failed = scan(store), Members(diligent), list[int]()

    def task(shard: Shard) -> Task:
        if not failed:
            failed.append(shard.number)
            raise ResourceError("there is no connection to the server")
        return Task(shard.number, shard.first, shard.after)

    errands = Errands(
        seen=lambda _: None, task=task, left=lambda: bool(open_scans(store, "here")), patient=True
    )

    assert Foreman(work(store, stored), members, SCOPE, clock, errands).run() is Outcome.COMPLETE
    assert failed == [0]
    assert recorded(store) == 256


def test_whoever_waits_for_others_lets_them_have_its_part_of_the_rate(store: Database, clock: Hands) -> None:
    stored = scan(store)
    other = work(store, stored, "other")
    first = other.take()
    assert first is not None
    other.renew([first])
    asked: list[float] = []

    def left() -> bool:
        """What is left is the other's, who works on."""
        asked.append(other.renew([first]).rate)
        if len(asked) == 3:
            other.finish(first, seen(Task(first.number, first.first, first.after)).sightings)
        return bool(open_scans(store, "here"))

    errands = Errands(
        seen=lambda _: None,
        task=lambda shard: Task(shard.number, shard.first, shard.after),
        left=left,
        patient=True,
    )
    members = Members(diligent)

    assert Foreman(work(store, stored), members, SCOPE, clock, errands).run() is Outcome.COMPLETE
    assert asked == [50.0, 100.0, 100.0]
    assert members.told(Turn)[-1].rate == 0.0  # type: ignore[union-attr]
    assert recorded(store) == 256
