"""The machine obeys table 9-10 in every cell: state, bytes sent, what the user hears, deadline."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from tests.unit.wire import conversing

from leadglass.errors import LocalProtocolError
from leadglass.wire import association as ul
from leadglass.wire.association import Association, Role, State
from leadglass.wire.states import Action, Event, transitions

NOW = 200.0

DEEDS: Mapping[Event, str] = {
    Event.EVT1: "associate",
    Event.EVT2: "opened",
    Event.EVT3: "AC",
    Event.EVT4: "RJ",
    Event.EVT5: "opened",
    Event.EVT6: "RQ",
    Event.EVT7: "accept",
    Event.EVT8: "reject",
    Event.EVT9: "send",
    Event.EVT10: "DATA",
    Event.EVT11: "release",
    Event.EVT12: "RELEASE-RQ",
    Event.EVT13: "RELEASE-RP",
    Event.EVT14: "reply",
    Event.EVT15: "abort",
    Event.EVT16: "ABORT",
    Event.EVT17: "closed",
    Event.EVT19: "GARBAGE",
}

OF_THE_OTHER_ROLE = {Role.REQUESTOR: {Event.EVT5}, Role.ACCEPTOR: {Event.EVT1, Event.EVT2}}

SENDS: Mapping[Action, bytes] = {
    Action.AE_2: conversing.RQ_BYTES,
    Action.AE_7: conversing.AC_BYTES,
    Action.AE_8: conversing.RJ_BYTES,
    Action.DT_1: conversing.ECHO,
    Action.AR_1: conversing.RELEASE_RQ,
    Action.AR_4: conversing.RELEASE_RP,
    Action.AR_7: conversing.ECHO,
    Action.AR_9: conversing.RELEASE_RP,
    Action.AA_1: b"\7\0\0\0\0\4\0\0\0\0",  # service user, reason not significant
    Action.AA_7: b"\7\0\0\0\0\4\0\0\2",  # service provider, then the reason
    Action.AA_8: b"\7\0\0\0\0\4\0\0\2",
}

SAYS: Mapping[Action, type[ul.Event]] = {
    Action.AE_3: ul.AssociateAccepted,
    Action.AE_4: ul.AssociateRejected,
    Action.AE_6: ul.AssociateRequested,
    Action.DT_2: ul.DataReceived,
    Action.AR_2: ul.ReleaseRequested,
    Action.AR_3: ul.Released,
    Action.AR_6: ul.DataReceived,
    Action.AR_8: ul.ReleaseRequested,
    Action.AR_10: ul.Released,
    Action.AA_3: ul.Aborted,
    Action.AA_4: ul.ConnectionLost,
    Action.AA_7: ul.ProtocolViolation,
    Action.AA_8: ul.ProtocolViolation,
}

WAITS = {State.STA1: None, State.STA2: 30.0, State.STA13: 30.0}
WAITS |= dict.fromkeys((State.STA3, State.STA8, State.STA9, State.STA12))
WAITS |= dict.fromkeys((State.STA4, State.STA5, State.STA6, State.STA7, State.STA10, State.STA11), 60.0)

REACHABLE = [
    pytest.param(role, state, path, id=f"{role.value}-{state.name}")
    for (role, state), path in conversing.PATHS.items()
]


def cells() -> list[object]:
    """Every reachable state with every event of its role."""
    return [
        pytest.param(role, state, event, id=f"{role.value}-{state.name}-{event.name}")
        for role, state in conversing.PATHS
        for event in Event
        if event not in OF_THE_OTHER_ROLE[role] and event in DEEDS
    ]


def do(association: Association, event: Event) -> list[ul.Event]:
    told = conversing.DEEDS[DEEDS[event]](association, NOW)
    return told if isinstance(told, list) else []


def test_every_state_is_reached_by_one_role_or_the_other() -> None:
    assert {state for _, state in conversing.PATHS} == set(State)


@pytest.mark.parametrize(("role", "state", "path"), REACHABLE)
def test_the_way_to_a_state_leads_there(role: Role, state: State, path: str) -> None:
    association = conversing.brought(role, path)

    assert association.state is state
    assert not association.wants_close
    wait = WAITS[state]
    assert association.deadline == (None if wait is None else 100.0 + wait)


@pytest.mark.parametrize(("role", "state", "event"), cells())
def test_a_cell_of_the_table(role: Role, state: State, event: Event) -> None:
    association = conversing.brought(role, conversing.PATHS[role, state])
    cell = transitions(role).get((event, state))

    if cell is None and (event, state) == (Event.EVT17, State.STA1):
        assert do(association, event) == []  # nothing was there to lose
    elif cell is None:
        with pytest.raises(LocalProtocolError):
            do(association, event)
        assert association.state is state
        assert association.data_to_send() == b""
    else:
        told = do(association, event)
        check(association, *cell, told, event)


def check(association: Association, action: Action, after: State, told: list[ul.Event], event: Event) -> None:
    sent = association.data_to_send()
    says = ul.ProtocolViolation if action is Action.AA_1 and event is not Event.EVT15 else SAYS.get(action)
    wait = WAITS[after]
    began = 100.0 if action is Action.AA_6 else NOW

    assert association.state is after
    assert sent.startswith(SENDS.get(action, b""))
    assert bool(sent) == (action in SENDS)
    assert [type(one) for one in told] == ([says] if says else [])
    assert association.deadline == (None if wait is None else began + wait)
    assert association.wants_close == (
        after is State.STA1 or action in {Action.AA_1, Action.AA_7, Action.AA_8}
    )


@pytest.mark.parametrize(("role", "state", "path"), REACHABLE)
def test_the_deadline_ends_every_wait_for_the_peer(role: Role, state: State, path: str) -> None:
    association = conversing.brought(role, path)
    deadline = association.deadline

    if deadline is None:
        assert association.timeout(1e9) == []
        assert association.state is state
        return
    assert association.timeout(deadline - 0.001) == []
    assert association.state is state
    assert association.timeout(deadline) == [ul.TimedOut(state)]
    assert association.wants_close
    silent = state in {State.STA2, State.STA4, State.STA13}  # ARTIM closes, AA-2; else AA-1 says so first
    assert association.data_to_send() == (b"" if silent else conversing.ABORT)
    assert association.state is (State.STA1 if silent else State.STA13)
