"""PS3.8 table 9-10 made ready for ``Association``: of each cell, what is told, sent and closed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from leadglass.wire import states
from leadglass.wire.events import (
    Aborted,
    AssociateAccepted,
    AssociateRejected,
    AssociateRequested,
    ConnectionLost,
    DataReceived,
    Event,
    Released,
    ReleaseRequested,
)
from leadglass.wire.states import Action, Role, State

__all__ = ["NAME_OF_PDU", "PLANS", "ROW_OF_PDU", "Cell"]


class Cell(NamedTuple):
    """One cell: where it leads and what we do about it."""

    action: Action
    state: State
    tells: Callable[[Any], Event] | None
    closes: bool
    refuses: bool


_RELEASE_REQUESTED = ReleaseRequested()
_RELEASED = Released()
_CONNECTION_LOST = ConnectionLost()

_TELLS: Mapping[Action, Callable[[Any], Event]] = {
    Action.AE_3: AssociateAccepted,
    Action.AE_4: AssociateRejected,
    Action.AE_6: AssociateRequested,
    Action.DT_2: lambda p_data: DataReceived(p_data.pdvs),
    Action.AR_2: lambda _: _RELEASE_REQUESTED,
    Action.AR_3: lambda _: _RELEASED,
    Action.AR_6: lambda p_data: DataReceived(p_data.pdvs),
    Action.AR_8: lambda _: _RELEASE_REQUESTED,
    Action.AR_10: lambda _: _RELEASED,
    Action.AA_3: lambda abort: Aborted(abort.source, abort.reason),
    Action.AA_4: lambda _: _CONNECTION_LOST,
}

_REFUSALS = frozenset({Action.AA_1, Action.AA_7, Action.AA_8})
"""The actions that send an A-ABORT. We close after each, although the standard would wait for the peer
to do it; and a PDU causes one only by being out of place."""


def _plan(role: Role) -> dict[tuple[states.Event, State], Cell]:
    plan: dict[tuple[states.Event, State], Cell] = {}
    for cell, (action, state) in states.transitions(role).items():
        refuses = action in _REFUSALS
        plan[cell] = Cell(action, state, _TELLS.get(action), refuses or state is State.STA1, refuses)
    return plan


PLANS = {role: _plan(role) for role in Role}

ROW_OF_PDU = (
    states.Event.EVT19,
    states.Event.EVT6,
    states.Event.EVT3,
    states.Event.EVT4,
    states.Event.EVT10,
    states.Event.EVT12,
    states.Event.EVT13,
    states.Event.EVT16,
)
NAME_OF_PDU = (
    "",
    "A-ASSOCIATE-RQ",
    "A-ASSOCIATE-AC",
    "A-ASSOCIATE-RJ",
    "P-DATA-TF",
    "A-RELEASE-RQ",
    "A-RELEASE-RP",
    "A-ABORT",
)
