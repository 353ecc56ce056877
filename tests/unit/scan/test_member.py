"""A process that asks sends what it has seen of whole hosts, and gives back the rest by number."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import TypeAlias

import pytest

from leadglass.model.endpoint import Endpoint
from leadglass.model.key import unpack
from leadglass.model.rung import Rung
from leadglass.net.engine import Engine
from leadglass.ports.conversation import Loss, Visit
from leadglass.probe.questions import Questions
from leadglass.scan.member import Member
from leadglass.scan.messages import Drop, Hungry, Message, Result, SoFar, Task, decode
from leadglass.scan.run import Scan
from leadglass.scope.parse import parse
from leadglass.scope.permutation import Permutation

SCOPE = """name = "unit"
[authorisation]
basis = "owner"
granted_by = "A. Example"
contact = "security@example.org"
[limits]
deepest = "associate"
[[targets]]
range = "192.0.2.0/28"
ports = [104, 11112]
[[targets]]
range = "2001:db8::/124"
ports = [104]
"""
HOSTS = 32
Done: TypeAlias = Callable[[Visit], None]
Act: TypeAlias = Callable[["HandEngine", Iterator[Visit | None], Done], None]


class HandEngine(Engine):
    """An engine that has no network: the test says what becomes of each visit."""

    def __init__(self, act: Act) -> None:
        self._act = act

    def run(self, visits: Iterator[Visit | None], done: Done) -> None:
        self._act(self, visits, done)

    def stop(self) -> None: ...


class Clock:
    """Always the same moment, or so many seconds later with each look at it."""

    def __init__(self, tick: float = 0.0) -> None:
        self._now, self._tick = 1_790_000_000.75, tick

    def monotonic(self) -> float:
        return 100.0

    def posix(self) -> float:
        self._now += self._tick
        return self._now


class NoRandomness:
    """Nobody asks for it here."""

    def token(self, size: int) -> bytes:
        return bytes(size)


def sent(act: Act, *orders: Message, tick: float = 0.0) -> list[Message]:
    """What a member says that is given ``orders`` before it begins."""
    said: list[Message] = []
    scope = parse(SCOPE, filename="scope.toml", moment=0.0)
    member = Member(
        Scan("01J", scope, Questions(NoRandomness(), "2.25.1")),
        Permutation(HOSTS, bytes(16)),
        engine=HandEngine(act),
        clock=Clock(tick),
        send=lambda data: said.append(decode(data)),
        tool="0.1",
    )
    for order in orders:
        member.order(order)
    member.run()
    return said


def results(said: list[Message]) -> list[Result]:
    return [message for message in said if isinstance(message, Result)]


def endpoints(result: Result) -> list[tuple[str, int]]:
    return sorted(unpack(sighting.endpoint) for sighting in result.sightings)


def closed(visit: Visit, done: Done) -> None:
    """The port is closed."""
    visit.failed(Loss.REFUSED)
    done(visit)


def upto(visits: Iterator[Visit | None], count: int) -> list[Visit]:
    """The next ``count`` visits; fewer if there are none just now."""
    taken = itertools.takewhile(lambda visit: visit is not None, itertools.islice(visits, count))
    return [visit for visit in taken if visit is not None]


def all_closed(_: HandEngine, visits: Iterator[Visit | None], done: Done) -> None:
    for visit in upto(visits, 10_000):
        closed(visit, done)


def test_a_shard_is_sent_when_all_of_it_is_complete() -> None:
    said = sent(all_closed, Task(7, 0, HOSTS))
    (result,) = results(said)
    found = endpoints(result)

    assert (result.shard, result.rest) == (7, ())
    assert found == sorted(
        [(f"192.0.2.{n}", port) for n in range(16) for port in (104, 11112)]
        + [(f"2001:db8::{n:x}" if n else "2001:db8::", 104) for n in range(16)]
    )
    assert {sighting.observed_at for sighting in result.sightings} == {1_790_000_000}
    assert {sighting.source for sighting in result.sightings} == {None}
    assert {sighting.look.access for sighting in result.sightings} == {"closed"}
    assert Hungry() in said


def test_how_far_a_shard_is_is_told_once_a_second() -> None:
    told = [
        message for message in sent(all_closed, Task(7, 0, HOSTS), tick=0.1) if isinstance(message, SoFar)
    ]
    asked = [endpoints for message in told for shard, endpoints in message.asked if shard == 7]

    assert asked == sorted({*asked})
    assert 0 < asked[0] < asked[-1] < 48
    assert len(told) in {4, 5}  # 48 endpoints take a little less than five seconds


def test_the_last_that_came_in_is_told_while_others_are_waited_for() -> None:
    def act(_: HandEngine, visits: Iterator[Visit | None], done: Done) -> None:
        *some, _silent = upto(visits, 48)
        for visit in some:
            closed(visit, done)
        assert [next(visits) for _look in range(20)] == [None] * 20

    told = [message for message in sent(act, Task(7, 0, HOSTS), tick=0.1) if isinstance(message, SoFar)]

    assert told[-1].asked == ((7, 47),)


def test_two_shards_are_the_whole_scope() -> None:
    first, second = results(sent(all_closed, Task(1, 0, 11), Task(2, 11, HOSTS)))

    assert (first.shard, second.shard) == (1, 2)
    assert len({*endpoints(first), *endpoints(second)}) == 48


def test_listed_hosts_are_asked_at_the_ports_they_were_listed_with() -> None:
    listed = (("192.0.2.3", (104,)), ("2001:db8::9", (104,)), ("198.51.100.1", (104, 4242)))
    (result,) = results(sent(all_closed, Task(1, 40, 43, listed)))

    assert endpoints(result) == [
        ("192.0.2.3", 104), ("198.51.100.1", 104), ("198.51.100.1", 4242), ("2001:db8::9", 104),
    ]  # fmt: skip


@pytest.mark.parametrize("listed", [False, True])
def test_stopped_it_keeps_whole_hosts_and_gives_back_the_others(listed: bool) -> None:
    given = tuple((f"192.0.2.{n}", (104, 11112)) for n in range(16))
    seen: list[str] = []

    def act(_: HandEngine, visits: Iterator[Visit | None], done: Done) -> None:
        begun = upto(visits, 12)
        # The second port of the first host with two of them is still asked when it ends.
        left = next(b for a, b in itertools.pairwise(begun) if a.endpoint.address == b.endpoint.address)
        seen.append(left.endpoint.address)
        for visit in begun:
            if visit is not left:
                closed(visit, done)

    task = Task(5, 100, 116, given) if listed else Task(5, 3, 30)
    (result,) = results(sent(act, task))
    found = endpoints(result)

    assert seen[0] not in {address for address, _ in found}
    assert all(found.count((address, port)) == 1 for address, port in found)
    begun = {address for address, _ in found} | {seen[0]}
    positions = [n for first, after in result.rest for n in range(first, after)]
    assert positions == sorted(set(positions))
    assert len(positions) == task.after - task.first - len(begun) + 1
    assert all(task.first <= position < task.after for position in positions)


def test_what_was_given_back_is_what_is_missing() -> None:
    whole = {*endpoints(results(sent(all_closed, Task(1, 0, HOSTS)))[0])}

    def some(_: HandEngine, visits: Iterator[Visit | None], done: Done) -> None:
        for number, visit in enumerate(upto(visits, 20)):
            if number % 5:
                closed(visit, done)

    (part,) = results(sent(some, Task(1, 0, HOSTS)))
    rest = results(
        sent(all_closed, *(Task(2 + number, *stretch) for number, stretch in enumerate(part.rest)))
    )

    assert sorted([*endpoints(part), *(e for result in rest for e in endpoints(result))]) == sorted(whole)


def test_a_host_that_may_no_longer_be_asked_is_given_back() -> None:
    def act(_: HandEngine, visits: Iterator[Visit | None], done: Done) -> None:
        for visit in upto(visits, 10_000):
            if visit.endpoint == Endpoint("192.0.2.5", 11112):
                visit.denied("outside the hours")
                done(visit)
            else:
                closed(visit, done)

    (result,) = results(sent(act, Task(1, 0, HOSTS)))

    assert len(result.sightings) == 46
    assert "192.0.2.5" not in {address for address, _ in endpoints(result)}
    ((first, after),) = result.rest
    (again,) = results(sent(all_closed, Task(2, first, after)))
    assert endpoints(again) == [("192.0.2.5", 104), ("192.0.2.5", 11112)]


def test_of_a_dropped_shard_nothing_is_sent() -> None:
    assert results(sent(all_closed, Task(1, 0, 16), Drop((1,)))) == []


def test_what_was_not_begun_is_given_back_whole() -> None:
    def act(_: HandEngine, visits: Iterator[Visit | None], done: Done) -> None:
        for visit in upto(visits, 1):
            closed(visit, done)

    said = sent(act, Task(1, 0, 16), Task(2, 16, HOSTS))

    assert {result.shard: (len(result.sightings), result.rest) for result in results(said)}[2] == (
        0,
        ((16, HOSTS),),
    )


def test_looks_are_sent_once_and_told_apart_by_depth() -> None:
    (result,) = results(sent(all_closed, Task(1, 0, HOSTS)))

    assert len({id(sighting.look) for sighting in result.sightings}) == 2  # port 104 and port 11112
    assert {sighting.look.rung for sighting in result.sightings} == {Rung.ASSOCIATE}
