"""PS3.8 table 9-10, the state table of the DICOM Upper Layer, as data for both roles.

Two rules. Nothing but PS3.8's own meaning is in here: our timers for a silent peer, limits and the
moment of closing belong to ``association``. And the table is whole: a cell that is missing is blank
in the standard, a thing that cannot happen or that the local user must not ask for.

``TABLE`` has one row for each event and, in it, one action for each state; ``transitions`` resolves
the two actions whose next state depends: AR-8 (on the role) and AE-6 (Sta3; the refusal that leads
to Sta13 is decided by ``association``).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, IntEnum, StrEnum

__all__ = ["ACTIONS", "ARTIM_STATES", "TABLE", "Action", "Event", "Role", "State", "transitions"]


class Role(Enum):
    """Which side of the association we are."""

    REQUESTOR = "requestor"
    ACCEPTOR = "acceptor"


class State(IntEnum):
    """PS3.8 tables 9-1 to 9-5."""

    STA1 = 1
    """Idle."""
    STA2 = 2
    """Transport connection open, awaiting A-ASSOCIATE-RQ."""
    STA3 = 3
    """Awaiting the local A-ASSOCIATE response."""
    STA4 = 4
    """Awaiting the transport connection."""
    STA5 = 5
    """Awaiting A-ASSOCIATE-AC or -RJ."""
    STA6 = 6
    """Association established, ready for data."""
    STA7 = 7
    """Awaiting A-RELEASE-RP."""
    STA8 = 8
    """Awaiting the local A-RELEASE response."""
    STA9 = 9
    """Release collision, requestor side; awaiting the local A-RELEASE response."""
    STA10 = 10
    """Release collision, acceptor side; awaiting A-RELEASE-RP."""
    STA11 = 11
    """Release collision, requestor side; awaiting A-RELEASE-RP."""
    STA12 = 12
    """Release collision, acceptor side; awaiting the local A-RELEASE response."""
    STA13 = 13
    """Awaiting the close of the transport connection."""


class Event(IntEnum):
    """The rows of PS3.8 table 9-10."""

    EVT1 = 1
    """A-ASSOCIATE request of the local user."""
    EVT2 = 2
    """Transport connection confirmed."""
    EVT3 = 3
    """A-ASSOCIATE-AC received."""
    EVT4 = 4
    """A-ASSOCIATE-RJ received."""
    EVT5 = 5
    """Transport connection indicated."""
    EVT6 = 6
    """A-ASSOCIATE-RQ received."""
    EVT7 = 7
    """A-ASSOCIATE response of the local user: accept."""
    EVT8 = 8
    """A-ASSOCIATE response of the local user: reject."""
    EVT9 = 9
    """P-DATA request of the local user."""
    EVT10 = 10
    """P-DATA-TF received."""
    EVT11 = 11
    """A-RELEASE request of the local user."""
    EVT12 = 12
    """A-RELEASE-RQ received."""
    EVT13 = 13
    """A-RELEASE-RP received."""
    EVT14 = 14
    """A-RELEASE response of the local user."""
    EVT15 = 15
    """A-ABORT request of the local user."""
    EVT16 = 16
    """A-ABORT received."""
    EVT17 = 17
    """Transport connection closed."""
    EVT18 = 18
    """ARTIM timer expired."""
    EVT19 = 19
    """Unrecognised or invalid PDU received."""


class Action(StrEnum):
    """PS3.8 tables 9-6 to 9-9."""

    AE_1 = "AE-1"
    AE_2 = "AE-2"
    AE_3 = "AE-3"
    AE_4 = "AE-4"
    AE_5 = "AE-5"
    AE_6 = "AE-6"
    AE_7 = "AE-7"
    AE_8 = "AE-8"
    DT_1 = "DT-1"
    DT_2 = "DT-2"
    AR_1 = "AR-1"
    AR_2 = "AR-2"
    AR_3 = "AR-3"
    AR_4 = "AR-4"
    AR_5 = "AR-5"
    AR_6 = "AR-6"
    AR_7 = "AR-7"
    AR_8 = "AR-8"
    AR_9 = "AR-9"
    AR_10 = "AR-10"
    AA_1 = "AA-1"
    AA_2 = "AA-2"
    AA_3 = "AA-3"
    AA_4 = "AA-4"
    AA_5 = "AA-5"
    AA_6 = "AA-6"
    AA_7 = "AA-7"
    AA_8 = "AA-8"


ACTIONS: Mapping[Action, tuple[str, tuple[State, ...]]] = {
    Action.AE_1: ("open the transport connection", (State.STA4,)),
    Action.AE_2: ("send A-ASSOCIATE-RQ", (State.STA5,)),
    Action.AE_3: ("tell the user: accepted", (State.STA6,)),
    Action.AE_4: ("tell the user: rejected; close the transport connection", (State.STA1,)),
    Action.AE_5: ("take the transport connection; start ARTIM", (State.STA2,)),
    Action.AE_6: (
        "stop ARTIM; tell the user: requested, or reject and start ARTIM",
        (State.STA3, State.STA13),
    ),
    Action.AE_7: ("send A-ASSOCIATE-AC", (State.STA6,)),
    Action.AE_8: ("send A-ASSOCIATE-RJ; start ARTIM", (State.STA13,)),
    Action.DT_1: ("send P-DATA-TF", (State.STA6,)),
    Action.DT_2: ("tell the user: data", (State.STA6,)),
    Action.AR_1: ("send A-RELEASE-RQ", (State.STA7,)),
    Action.AR_2: ("tell the user: release requested", (State.STA8,)),
    Action.AR_3: ("tell the user: released; close the transport connection", (State.STA1,)),
    Action.AR_4: ("send A-RELEASE-RP; start ARTIM", (State.STA13,)),
    Action.AR_5: ("stop ARTIM", (State.STA1,)),
    Action.AR_6: ("tell the user: data", (State.STA7,)),
    Action.AR_7: ("send P-DATA-TF", (State.STA8,)),
    Action.AR_8: ("tell the user: release collision", (State.STA9, State.STA10)),
    Action.AR_9: ("send A-RELEASE-RP", (State.STA11,)),
    Action.AR_10: ("tell the user: released", (State.STA12,)),
    Action.AA_1: ("send A-ABORT (service user); start ARTIM", (State.STA13,)),
    Action.AA_2: ("stop ARTIM; close the transport connection", (State.STA1,)),
    Action.AA_3: ("tell the user: aborted; close the transport connection", (State.STA1,)),
    Action.AA_4: ("tell the user: aborted by the provider", (State.STA1,)),
    Action.AA_5: ("stop ARTIM", (State.STA1,)),
    Action.AA_6: ("ignore the PDU", (State.STA13,)),
    Action.AA_7: ("send A-ABORT", (State.STA13,)),
    Action.AA_8: ("send A-ABORT (service provider); tell the user: aborted; start ARTIM", (State.STA13,)),
}
"""What each action does and the states it can lead to."""

ARTIM_STATES = frozenset({State.STA2, State.STA13})
"""Where ARTIM runs: it is started on every way in and stopped on every way out."""

# One line per event, one word per state, Sta1 to Sta13; a dot is a blank cell.
_ROWS = """
 1  AE-1  .     .     .     .     .     .     .     .     .     .     .     .
 2  .     .     .     AE-2  .     .     .     .     .     .     .     .     .
 3  .     AA-1  AA-8  .     AE-3  AA-8  AA-8  AA-8  AA-8  AA-8  AA-8  AA-8  AA-6
 4  .     AA-1  AA-8  .     AE-4  AA-8  AA-8  AA-8  AA-8  AA-8  AA-8  AA-8  AA-6
 5  AE-5  .     .     .     .     .     .     .     .     .     .     .     .
 6  .     AE-6  AA-8  .     AA-8  AA-8  AA-8  AA-8  AA-8  AA-8  AA-8  AA-8  AA-7
 7  .     .     AE-7  .     .     .     .     .     .     .     .     .     .
 8  .     .     AE-8  .     .     .     .     .     .     .     .     .     .
 9  .     .     .     .     .     DT-1  .     AR-7  .     .     .     .     .
10  .     AA-1  AA-8  .     AA-8  DT-2  AR-6  AA-8  AA-8  AA-8  AA-8  AA-8  AA-6
11  .     .     .     .     .     AR-1  .     .     .     .     .     .     .
12  .     AA-1  AA-8  .     AA-8  AR-2  AR-8  AA-8  AA-8  AA-8  AA-8  AA-8  AA-6
13  .     AA-1  AA-8  .     AA-8  AA-8  AR-3  AA-8  AA-8  AR-10 AR-3  AA-8  AA-6
14  .     .     .     .     .     .     .     AR-4  AR-9  .     .     AR-4  .
15  .     .     AA-1  AA-2  AA-1  AA-1  AA-1  AA-1  AA-1  AA-1  AA-1  AA-1  .
16  .     AA-2  AA-3  .     AA-3  AA-3  AA-3  AA-3  AA-3  AA-3  AA-3  AA-3  AA-2
17  .     AA-5  AA-4  AA-4  AA-4  AA-4  AA-4  AA-4  AA-4  AA-4  AA-4  AA-4  AR-5
18  .     AA-2  .     .     .     .     .     .     .     .     .     .     AA-2
19  .     AA-1  AA-8  .     AA-8  AA-8  AA-8  AA-8  AA-8  AA-8  AA-8  AA-8  AA-7
"""


def _read(rows: str) -> dict[tuple[Event, State], Action]:
    table: dict[tuple[Event, State], Action] = {}
    for row in rows.strip().splitlines():
        event, *cells = row.split()
        for state, cell in zip(State, cells, strict=True):
            if cell != ".":
                table[Event(int(event)), state] = Action(cell)
    return table


TABLE: Mapping[tuple[Event, State], Action] = _read(_ROWS)
"""Table 9-10: which action an event causes in a state; blank cells are absent."""


def transitions(role: Role) -> dict[tuple[Event, State], tuple[Action, State]]:
    """The table of one role: what an event in a state causes, and where it leads."""
    collision = State.STA9 if role is Role.REQUESTOR else State.STA10
    return {
        cell: (action, collision if action is Action.AR_8 else ACTIONS[action][1][0])
        for cell, action in TABLE.items()
    }
