"""Who is let in, and who waits: per host, per network, and after a host has asked for rest."""

from __future__ import annotations

from dataclasses import dataclass

from leadglass.model.endpoint import Endpoint
from leadglass.net.pace import Pace
from leadglass.net.roster import Roster, prefix_of
from leadglass.ports.conversation import Conversation, Loss, Visit


@dataclass(eq=False)
class AVisit:
    endpoint: Endpoint
    not_before: float = 0.0

    def next(self, now: float) -> Conversation | None:
        return None

    def source(self, address: str) -> None: ...

    def failed(self, loss: Loss) -> None: ...

    def denied(self, why: str) -> None: ...


def visit(address: str, port: int = 104) -> AVisit:
    return AVisit(Endpoint(address, port))


def test_one_host_has_so_many_visitors_and_no_more() -> None:
    roster = Roster(Pace(per_host=2))
    visits = [visit("192.0.2.1", port) for port in range(5)]

    assert [roster.enter(each, 0.0) for each in visits] == [True, True, False, False, False]
    assert roster.waiting == 3
    assert roster.freed(0.0) is None
    roster.leave(visits[0])
    assert roster.freed(0.0) is visits[2]
    assert roster.waiting == 2


def test_one_network_has_so_many_visitors_and_its_neighbour_as_many() -> None:
    roster = Roster(Pace(per_prefix=3))

    assert [roster.enter(visit(f"192.0.2.{n}"), 0.0) for n in range(5)] == [True] * 3 + [False] * 2
    assert roster.enter(visit("192.0.3.1"), 0.0)


def test_networks_are_a_24_and_a_48() -> None:
    assert prefix_of("192.0.2.7") == prefix_of("192.0.2.77") != prefix_of("192.0.20.7")
    assert prefix_of("2001:db8:1::7") == prefix_of("2001:db8:1:ffff::1") != prefix_of("2001:db8:2::7")


def test_a_host_that_asked_for_rest_is_left_alone_until_then() -> None:
    roster = Roster(Pace())
    first, second, elsewhere = visit("192.0.2.1"), visit("192.0.2.1", 105), visit("192.0.2.2")
    assert roster.enter(first, 0.0)
    roster.rest("192.0.2.1", 3.0)

    assert not roster.enter(second, 1.0)
    assert roster.enter(elsewhere, 1.0)
    assert roster.freed(2.9) is None
    assert roster.freed(3.0) is second
    assert roster.enter(second, 3.0)


def test_everybody_gets_in_in_the_end_and_nothing_is_kept_of_it() -> None:
    roster = Roster(Pace(per_host=2, per_prefix=5))
    todo = [visit(f"192.0.2.{n % 4}", n) for n in range(100)]
    inside: list[Visit] = []
    done = most = 0
    while todo or inside or roster.waiting:
        again = roster.freed(0.0)
        if again is not None:
            inside += [again] if roster.enter(again, 0.0) else []
        elif todo:
            each = todo.pop()
            inside += [each] if roster.enter(each, 0.0) else []
        else:
            roster.leave(inside.pop(0))
            done += 1
        most = max(most, len(inside))

    assert (done, most) == (100, 5)
    assert (roster._at, roster._prefixes, roster._parked, roster._resting) == ({}, {}, {}, {})
