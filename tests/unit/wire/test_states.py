"""Table 9-10 of PS3.8, checked against another transcription and against what any such table must obey."""

from __future__ import annotations

from collections import Counter

import pytest
from pynetdicom import fsm

from leadglass.wire.states import ACTIONS, ARTIM_STATES, TABLE, Action, Event, Role, State, transitions

LOCAL = {Event(row) for row in (1, 7, 8, 9, 11, 14, 15)}
RECEIVED = {Event(row) for row in (3, 4, 6, 10, 12, 13, 16, 19)}
OPEN = set(State) - {State.STA1, State.STA4}
"""The states in which there is a transport connection."""


def test_the_table_agrees_with_an_independent_transcription() -> None:
    theirs = {
        (Event(int(event.removeprefix("Evt"))), State(int(state.removeprefix("Sta")))): Action(action)
        for (event, state), action in fsm.TRANSITION_TABLE.items()
    }

    assert dict(TABLE) == theirs


def test_each_action_leads_where_an_independent_transcription_says() -> None:
    theirs = {
        Action(name): {int(s.removeprefix("Sta")) for s in ([next_] if isinstance(next_, str) else next_)}
        for name, (_, _, next_) in fsm.ACTIONS.items()
    }

    assert {action: set(map(int, states)) for action, (_, states) in ACTIONS.items()} == theirs


def test_how_often_each_action_occurs() -> None:
    once = ["AE-1", "AE-2", "AE-3", "AE-4", "AE-5", "AE-6", "AE-7", "AE-8"]
    once += ["DT-1", "DT-2", "AR-1", "AR-2", "AR-5", "AR-6", "AR-7", "AR-8", "AR-9", "AR-10", "AA-5"]
    more = {
        "AR-3": 2,
        "AR-4": 2,
        "AA-1": 15,
        "AA-2": 5,
        "AA-3": 9,
        "AA-4": 10,
        "AA-6": 5,
        "AA-7": 2,
        "AA-8": 54,
    }

    assert Counter(action.value for action in TABLE.values()) == Counter(once) + Counter(more)


def test_every_action_of_the_standard_is_used() -> None:
    assert set(TABLE.values()) == set(Action) == set(ACTIONS)


@pytest.mark.parametrize("event", sorted(RECEIVED))
def test_a_pdu_has_a_meaning_wherever_there_is_a_connection_and_nowhere_else(event: Event) -> None:
    assert {state for e, state in TABLE if e is event} == OPEN


def test_the_end_of_a_connection_has_a_meaning_wherever_there_is_one_or_one_is_made() -> None:
    assert {state for event, state in TABLE if event is Event.EVT17} == OPEN | {State.STA4}


def test_artim_expires_only_where_it_runs() -> None:
    assert {state for event, state in TABLE if event is Event.EVT18} == ARTIM_STATES


@pytest.mark.parametrize("state", sorted(OPEN))
def test_a_pdu_out_of_place_is_met_like_an_invalid_one(state: State) -> None:
    refusals = {Action.AA_1, Action.AA_7, Action.AA_8}
    met = {TABLE[event, state] for event in RECEIVED} & refusals

    assert met == {TABLE[Event.EVT19, state]}


@pytest.mark.parametrize("role", Role)
def test_only_a_collision_depends_on_the_role(role: Role) -> None:
    resolved = transitions(role)
    collision = {state for action, state in resolved.values() if action is Action.AR_8}

    assert {cell: action for cell, (action, _) in resolved.items()} == dict(TABLE)
    assert collision == {State.STA9 if role is Role.REQUESTOR else State.STA10}
    assert all(state in ACTIONS[action][1] for action, state in resolved.values())


@pytest.mark.parametrize("role", Role)
def test_from_every_state_the_end_can_be_reached_without_the_local_user(role: Role) -> None:
    resolved = transitions(role)

    for state in OPEN:
        assert resolved[Event.EVT17, state][1] is State.STA1
        assert resolved[Event.EVT16, state][1] is State.STA1


def test_the_local_user_can_abort_every_association_it_knows_of() -> None:
    known = set(State) - {State.STA1, State.STA2, State.STA13}

    assert {state for event, state in TABLE if event is Event.EVT15} == known
    assert {event for event, _ in TABLE} == set(Event)
    assert set(Event) > LOCAL
