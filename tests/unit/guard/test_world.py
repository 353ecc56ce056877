"""What a client may do when: by policy, while it is believed, and in grace when the guard is out of date."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from tests.unit.guard.somebody import Paper, client

from leadglass.access.admission import Peer
from leadglass.access.budgets import Limits, Measure, Spent
from leadglass.guard.budgets import Budgets
from leadglass.guard.client import Client
from leadglass.guard.world import World
from leadglass.model.access import Action, Circumstances, Decision, Kind, Node, Principal, Resource, Study
from leadglass.model.enrolment import Enrolled, Roll, User

HOUR = 3600.0
CARE = {Action.ECHO, Action.STORE, Action.STOW, Action.WORKLIST, Action.COMMIT, Action.MPPS}
ALLOWED = Decision(allowed=True, rules=("p",), reason="permitted by p")


@dataclass
class Permits:
    """A policy that allows everything but ``but``, and keeps what it was asked."""

    but: set[Action] = field(default_factory=set)
    asked: list[Circumstances] = field(default_factory=list)

    def decide(self, _: Principal, action: Action, __: Resource, circumstances: Circumstances) -> Decision:
        self.asked.append(circumstances)
        return ALLOWED if action not in self.but else Decision(allowed=False, rules=(), reason="no")


class Clock:
    """POSIX and monotonic seconds, moved by hand."""

    posix = 1_800_000_000.0
    monotonic = 50.0


def world(clock: Clock, *, limits: Limits | None = None, told: list[Any] | None = None, **more: Any) -> World:
    enrolled: Mapping[str, Enrolled] = more.pop("enrolled", {})
    emergencies: Mapping[str, tuple[str, float]] = more.pop("emergencies", {})
    heard = told if told is not None else []
    unused: Any = None
    return World(
        policy=more.pop("policy", Permits()),
        roll=Roll(1, enrolled, {}, emergencies=emergencies),
        titles=frozenset({"ARCHIVE"}),
        archive=unused,
        studies=unused,
        trail=Paper().trail(),
        moves=unused,
        people=unused,
        budgets=Budgets(limits, b"k" * 32, lambda: clock.posix, lambda *what: heard.append(what)),
        posix=lambda: clock.posix,
        monotonic=lambda: clock.monotonic,
        mint=lambda: "2.25.404",
        mistake=unused,
        line_to=unused,
        **more,
    )


def may(one: World, who: Client) -> set[Action]:
    return {action for action in Action if one.offers(who, action)}


# ---- decisions


def test_policy_decides_and_decisions_are_counted() -> None:
    one = world(Clock(), policy=Permits(but={Action.FIND}))

    assert may(one, client()) == {*Action} - {Action.FIND}
    assert (one.counts["allowed"], one.counts["denied"]) == (len(Action) - 1, 1)


def test_who_is_believed_until_a_moment_may_nothing_from_then_on() -> None:
    clock = Clock()
    one, who = world(clock), client(Kind.PERSON, until=clock.posix + 10)
    assert may(one, who) == {*Action}
    clock.posix += 10
    assert may(one, who) == set()


@pytest.mark.parametrize("kind", Kind)
def test_while_the_guard_is_out_of_date_only_the_care_of_devices_goes_on(kind: Kind) -> None:
    clock = Clock()
    one = world(clock, grace=8 * HOUR)
    one.stale_since = clock.monotonic
    device = CARE if kind is Kind.DEVICE else set()

    assert may(one, client(kind)) == device
    clock.monotonic += 8 * HOUR - 1
    assert may(one, client(kind)) == device
    clock.monotonic += 1
    assert may(one, client(kind)) == set()
    one.stale_since = None
    assert may(one, client(kind)) == {*Action}


def test_who_sets_the_clock_back_does_not_prolong_the_grace() -> None:
    clock = Clock()
    one = world(clock, grace=HOUR)
    one.stale_since = clock.monotonic
    clock.posix -= 100 * HOUR
    clock.monotonic += 2 * HOUR

    assert may(one, client()) == set()


def test_grace_forgives_no_policy() -> None:
    one = world(Clock(), policy=Permits(but={Action.STORE}))
    one.stale_since = 50.0

    assert may(one, client()) == CARE - {Action.STORE}


# ---- emergencies


def test_an_emergency_lasts_until_its_end_and_is_nobody_elses() -> None:
    clock = Clock()
    one = world(clock, emergencies={"ada": ("unconscious", clock.posix + 60)})

    assert one.emergency(client(Kind.PERSON, "ada")) == "unconscious"
    assert one.emergency(client(Kind.PERSON, "eve")) is None
    assert one.emergency(client(Kind.SERVICE, "ada")) is None
    clock.posix += 60
    assert one.emergency(client(Kind.PERSON, "ada")) is None


def test_an_emergency_of_an_entry_is_not_that_of_a_tokens_subject_with_its_name() -> None:
    clock = Clock()
    one = world(clock, emergencies={"er": ("unconscious", clock.posix + 60)})
    one.roll = replace(one.roll, enrolled={"er": Enrolled("er", Kind.DEVICE, ("ER",), ("10.0.0.0/8",))})
    assert one.emergency(client(Kind.DEVICE, "er")) == "unconscious"
    assert one.emergency(client(Kind.PERSON, "er")) is None
    one.roll = replace(one.roll, users={"er": User("er", "")})
    assert one.emergency(client(Kind.PERSON, "er")) == "unconscious"


def test_in_an_emergency_everything_is_care() -> None:
    clock = Clock()
    one = world(clock, emergencies={"ada": ("unconscious", clock.posix + HOUR)})
    one.stale_since = clock.monotonic

    assert may(one, client(Kind.PERSON, "ada")) == {*Action}
    assert {action for action in Action if one.care(client(), action)} == CARE


# ---- circumstances


def test_circumstances_are_those_of_the_minute_the_peer_and_the_device() -> None:
    clock, policy = Clock(), Permits()
    one = world(clock, policy=policy, emergencies={"ada": ("unconscious", clock.posix + 90)})
    who = client(Kind.PERSON, "ada")
    clock.posix += 42
    one.decide(who, Action.FIND, Node("ARCHIVE"))
    clock.posix += 60
    one.decide(who, Action.FIND, Node("ARCHIVE"))
    one.decide(client(), Action.FIND, Node("ARCHIVE"))

    first, second, third = policy.asked
    assert first == Circumstances("10.0.0.7", moment(clock.posix - 102), "ab" * 32, "ct1", "unconscious")
    assert (second.moment, second.emergency) == (moment(clock.posix - 42), None)
    assert third.emergency is None


def moment(posix: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(posix // 60 * 60, tz=dt.UTC)


def test_what_came_without_a_device_has_none() -> None:
    clock, policy = Clock(), Permits()
    service = Enrolled("router", Kind.SERVICE, ("ROUTER",), ("10.0.0.0/8",))
    peer = Peer("2001:db8::1", None, tls=False)
    world(clock, policy=policy).decide(client(enrolled=service, peer=peer), Action.FIND, Node("ARCHIVE"))

    assert (policy.asked[0].device, policy.asked[0].certificate) == (None, None)


# ---- destinations


def test_a_destination_is_enrolled_has_an_address_and_is_not_over() -> None:
    clock = Clock()
    networks = ("10.0.0.0/8",)
    reader = Enrolled("reader", Kind.DEVICE, ("READER", "READER2"), networks, address="10.0.0.8:104")
    guest = Enrolled(
        "guest", Kind.DEVICE, ("GUEST",), networks, address="10.0.0.9:104", until=clock.posix + 5
    )
    deaf = Enrolled("deaf", Kind.DEVICE, ("DEAF",), networks)
    one = world(clock, enrolled={"reader": reader, "guest": guest, "deaf": deaf})

    assert one.destination("READER2") == reader
    assert one.destination("GUEST") == guest
    assert [one.destination(title) for title in ("DEAF", "NOBODY", "reader", "")] == [None] * 4
    clock.posix += 5
    assert one.destination("GUEST") is None


# ---- budgets


def test_a_budget_is_one_principals_and_comes_back_with_time() -> None:
    clock, told = Clock(), list[Any]()
    one = world(clock, limits=Limits(HOUR, queries=2), told=told)
    ada, eve = client(Kind.PERSON, "ada"), client(Kind.PERSON, "eve")

    assert [one.spend(ada, Measure.QUERIES, 1) for _ in range(3)] == [True, True, False]
    assert one.spend(eve, Measure.QUERIES, 1)
    assert not one.left(ada, Measure.QUERIES)
    assert one.left(eve, Measure.QUERIES)
    assert one.counts["over_budget"] == 1
    assert (ada.principal, Measure.QUERIES, Spent.REFUSED) in told
    clock.posix += 2 * HOUR
    assert one.spend(ada, Measure.QUERIES, 1)


def test_a_device_and_a_person_of_one_name_have_a_budget_each() -> None:
    one = world(Clock(), limits=Limits(HOUR, queries=1))

    assert one.spend(client(Kind.PERSON, "x"), Measure.QUERIES, 1)
    assert one.spend(client(Kind.DEVICE, "x"), Measure.QUERIES, 1)


def test_an_emergency_is_counted_and_never_stopped() -> None:
    clock, told = Clock(), list[Any]()
    emergencies = {"ada": ("unconscious", clock.posix + 60)}
    one = world(clock, limits=Limits(HOUR, matches=1), emergencies=emergencies, told=told)
    ada = client(Kind.PERSON, "ada")

    assert all(one.spend(ada, Measure.MATCHES, 1) for _ in range(5))
    assert one.left(ada, Measure.MATCHES)
    clock.posix += 61
    assert not one.spend(ada, Measure.MATCHES, 1)
    assert told


def test_what_has_been_had_counts_although_it_was_more_than_there_was() -> None:
    one, who = world(Clock(), limits=Limits(HOUR, bytes=100)), client()
    one.spent(who, Measure.BYTES, 1000)

    assert not one.left(who, Measure.BYTES)


def test_studies_are_spent_with_their_patients_and_each_once() -> None:
    one, who = world(Clock(), limits=Limits(HOUR, patients=1, studies=3)), client()
    mine = [Study("2.25.1", patient_id="P1"), Study("2.25.2", patient_id="P1"), Study("2.25.3")]

    assert one.spend_studies(who, mine)
    assert one.spend_studies(who, mine)
    assert not one.spend_studies(who, [Study("2.25.2", patient_id="P2")])
    assert not one.spend_studies(who, [Study("2.25.4")])


def test_without_limits_nothing_is_counted() -> None:
    one, who = world(Clock()), client()

    assert all(one.spend(who, measure, 10**9) for measure in (Measure.BYTES, Measure.QUERIES))
    assert one.left(who, Measure.BYTES)
    assert (one.budgets.unlimited, one.budgets.step(), one.budgets.snapshot(0)) == (True, 0, {})


def test_what_others_have_counted_is_gone_here_too() -> None:
    clock = Clock()
    here, there = (world(clock, limits=Limits(HOUR, queries=10)) for _ in range(2))
    there.spend(client(), Measure.QUERIES, 9)
    told = there.budgets.snapshot(0)
    merged: dict[str, dict[int, list[Any]]] = {}
    for (name, step), totals in told.items():
        merged.setdefault(name, {})[step] = [totals]
    here.budgets.merge(merged)

    assert [here.spend(client(), Measure.QUERIES, 1) for _ in range(2)] == [True, False]


def test_a_refusal_is_told_once_and_again_after_a_while() -> None:
    clock, told = Clock(), list[Any]()
    one, who = world(clock, limits=Limits(HOUR, queries=1), told=told), client()
    for _ in range(50):
        one.spend(who, Measure.QUERIES, 1)
    refusals = [what for what in told if what[2] is Spent.REFUSED]

    assert len(refusals) == 1
