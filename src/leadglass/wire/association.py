"""One association (PS3.8 clause 9.2): what has been sent, what may follow, when to give up.

The machine owns no socket and no clock. Give it what arrived, ask it what to send::

    association = Association(Role.REQUESTOR)
    association.associate(rq, now)             # may be called before there is a connection
    association.connection_opened(now)         # the A-ASSOCIATE-RQ is now in data_to_send()
    for event in association.receive(data, now): ...

After every call: send ``data_to_send()``, then close the connection if ``wants_close``, else call
``timeout`` when ``deadline`` has passed. One object is one association.

**One rule for bad bytes.** ``receive`` never raises because of a peer. Bytes that break the
standard, and PDUs the state table does not expect, queue the A-ABORT of table 9-10 (AA-1, AA-7 or
AA-8), set ``wants_close`` and are told as a ``ProtocolViolation``, the last event; the rest of
the stream is ignored. Only our own misuse raises: ``LocalProtocolError``.

Two things are ours and not PS3.8's. ``idle`` bounds every wait for the peer that ARTIM does not
cover, so no peer can hold a connection by silence. And after an A-ABORT of ours we close at once,
instead of waiting for the peer to do so: nothing idles. After an A-ASSOCIATE-RJ or an A-RELEASE-RP
the peer has until ARTIM to close, as the standard says.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from leadglass.errors import LocalProtocolError, RemoteProtocolError
from leadglass.wire import pdu, states
from leadglass.wire.cells import NAME_OF_PDU, PLANS, ROW_OF_PDU, Cell
from leadglass.wire.events import (
    Aborted,
    AssociateAccepted,
    AssociateRejected,
    AssociateRequested,
    ConnectionLost,
    DataReceived,
    Event,
    ProtocolViolation,
    Released,
    ReleaseRequested,
    TimedOut,
)
from leadglass.wire.fields import malformed
from leadglass.wire.framing import PduReader
from leadglass.wire.limits import DEFAULT, Limits
from leadglass.wire.states import Action, Role, State

__all__ = [
    "Aborted",
    "AssociateAccepted",
    "AssociateRejected",
    "AssociateRequested",
    "Association",
    "ConnectionLost",
    "DataReceived",
    "Event",
    "ProtocolViolation",
    "ReleaseRequested",
    "Released",
    "Role",
    "State",
    "TimedOut",
]


# Local names, because this is the path of every scanned endpoint.
_EVT1, _EVT2, _EVT5, _EVT7, _EVT8 = (states.Event(row) for row in (1, 2, 5, 7, 8))
_EVT9, _EVT10, _EVT11, _EVT14, _EVT15 = (states.Event(row) for row in (9, 10, 11, 14, 15))
_EVT17, _EVT18, _EVT19 = (states.Event(row) for row in (17, 18, 19))
_AA_6 = Action.AA_6
_STA1, _STA4, _STA6, _STA13 = State.STA1, State.STA4, State.STA6, State.STA13

_AWAITS_PEER = frozenset({State.STA4, State.STA5, State.STA6, State.STA7, State.STA10, State.STA11})
_RELEASE_RQ = pdu.encode(pdu.AReleaseRQ())
_RELEASE_RP = pdu.encode(pdu.AReleaseRP())
_UNEXPECTED_PDU = 2  # PS3.8 table 9-26
_UNSUPPORTED_VERSION = pdu.AAssociateRJ(result=1, source=2, reason=2)  # PS3.8 table 9-21
_PDV_HEADER = 6


@lru_cache(maxsize=64)
def _waits(artim: float, idle: float) -> tuple[float | None, ...]:
    """How long each state may last, by its number."""
    artim_states, idle_states = states.ARTIM_STATES, _AWAITS_PEER
    return (None, *(artim if s in artim_states else idle if s in idle_states else None for s in State))


class Association:
    """The state machine of one association, for either role; see the module for how to drive it.

    ``artim`` and ``idle`` are seconds; ``now`` is seconds on any clock that does not jump.
    """

    __slots__ = (
        "_idle",
        "_limits",
        "_out",
        "_plan",
        "_proposal",
        "_reader",
        "_waits",
        "accepted",
        "deadline",
        "peer_maximum_length",
        "role",
        "state",
        "wants_close",
    )

    def __init__(
        self, role: Role, *, limits: Limits = DEFAULT, artim: float = 30.0, idle: float = 60.0
    ) -> None:
        self.role = role
        self.state = _STA1
        self.deadline: float | None = None
        """When to call ``timeout``; None while the next step is the local user's."""
        self.wants_close = False
        """Close the connection, once ``data_to_send()`` has been sent."""
        self.accepted: frozenset[int] = frozenset()
        """The ids of the presentation contexts that data may flow on."""
        self.peer_maximum_length = 16384
        """The longest P-DATA-TF body the peer takes, 0 without limit; 16384 until it has said so."""
        self._limits = limits
        self._plan = PLANS[role]
        self._waits = _waits(artim, idle)
        self._idle = idle
        self._reader = PduReader(limits)
        self._proposal: pdu.AAssociateRQ | None = None
        self._out = b""

    # What the local user asks for. Each raises LocalProtocolError where table 9-10 has a blank.

    def associate(self, rq: pdu.AAssociateRQ, now: float) -> None:
        """Ask for an association; the request goes out when the connection is open."""
        if self.role is not Role.REQUESTOR:
            raise LocalProtocolError("an acceptor cannot ask for an association")
        if not rq.called_ae_title.strip() or not rq.calling_ae_title.strip():
            raise LocalProtocolError("a blank AE title leaves connections hanging and is never sent")
        self._step(_EVT1, now)
        self._proposal = rq
        self._announced(rq.user_information.maximum_length)

    def connection_opened(self, now: float) -> None:
        """The transport connection is open: ours (requestor) or the peer's (acceptor)."""
        if self.role is Role.ACCEPTOR:
            self._step(_EVT5, now)
            return
        self._step(_EVT2, now)
        assert self._proposal is not None
        self._out = pdu.encode(self._proposal)

    def accept(self, ac: pdu.AAssociateAC, now: float) -> None:
        """Accept the request, with the result of each proposed presentation context."""
        encoded = pdu.encode(ac)
        cell = self._cell(_EVT7)
        if not self._agree(ac):
            raise LocalProtocolError("the answer has a presentation context that was not proposed")
        self._enter(cell, now)
        self._out += encoded
        self._announced(ac.user_information.maximum_length)

    def reject(self, rj: pdu.AAssociateRJ, now: float) -> None:
        """Reject the request."""
        encoded = pdu.encode(rj)
        self._step(_EVT8, now)
        self._out += encoded

    def send(self, data: bytes | pdu.PDataTF, now: float) -> None:
        """Send data: whole P-DATA-TF PDUs, as ``pdata.fragment`` makes them, or one as a value."""
        encoded = data if isinstance(data, bytes) else pdu.encode(data)
        if encoded[:1] != b"\x04":
            raise LocalProtocolError("only P-DATA-TF PDUs are data")
        self._step(_EVT9, now)
        self._out += encoded

    def release(self, now: float) -> None:
        """Ask for an orderly end."""
        self._step(_EVT11, now)
        self._out += _RELEASE_RQ

    def release_reply(self, now: float) -> None:
        """Confirm the peer's release."""
        self._step(_EVT14, now)
        self._out += _RELEASE_RP

    def abort(self, source: int, reason: int, now: float) -> None:
        """End it now. Source 0 is the service user, 2 the provider (PS3.8 table 9-26)."""
        encoded = pdu.encode(pdu.AAbort(source, reason))
        if self._step(_EVT15, now).action is Action.AA_1:  # AA-2: there is nobody to tell yet
            self._out += encoded

    # What the world reports.

    def receive(self, data: bytes, now: float) -> Iterator[Event]:
        """Bytes came, in whatever pieces; what they mean. A peer's bad bytes do not raise.

        Each event is told before the next PDU is looked at, so that what is done about it comes first.
        What is not taken from the iterator is told by the next ``receive``.
        """
        if self.wants_close:
            return iter(())
        if self.state is _STA1 or self.state is _STA4:
            raise LocalProtocolError("bytes cannot arrive before the connection is open")
        self._reader.feed(data)
        return self._events(now)

    def data_passed(self, context_id: int, now: float) -> bool:
        """A data value came that somebody else reads (``wire.streaming``); whether it may be used.

        ``RemoteProtocolError`` where table 9-10 expects no data, or for a context that was not accepted:
        answer it with ``refuse``.
        """
        if self.state is _STA6 and context_id in self.accepted:  # DT-2: it stays as it is (table 9-10)
            self.deadline = now + self._idle
            return True
        cell = self._plan[_EVT10, self.state]
        if cell.refuses:
            what = f"P-DATA-TF is not expected in {self.state.name}"
            raise RemoteProtocolError(what, abort_reason=_UNEXPECTED_PDU)
        if cell.action is _AA_6:
            return False
        if context_id not in self.accepted:
            raise malformed(f"data on presentation context {context_id}, which was not accepted")
        self._enter(cell, now)
        return True

    def connection_closed(self, now: float) -> list[Event]:
        """The connection has ended, or could not be made."""
        if self.state is _STA1:
            self.wants_close = True
            return []
        cell = self._step(_EVT17, now)
        return [] if cell.tells is None else [cell.tells(None)]

    def timeout(self, now: float) -> list[Event]:
        """Time has passed; nothing happens before ``deadline``."""
        if self.deadline is None or now < self.deadline:
            return []
        waited_in = self.state
        if waited_in in states.ARTIM_STATES:
            self._step(_EVT18, now)
        else:
            self.abort(0, 0, now)
        return [TimedOut(waited_in)]

    def data_to_send(self) -> bytes:
        """What must be sent now, handed out once."""
        out = self._out
        self._out = b""
        return out

    def _step(self, row: states.Event, now: float) -> Cell:
        cell = self._cell(row)
        self._enter(cell, now)
        return cell

    def _cell(self, row: states.Event) -> Cell:
        cell = self._plan.get((row, self.state))
        over = self.wants_close and self.state is _STA1
        if cell is None or over:
            raise LocalProtocolError(f"{row.name} cannot happen in {self.state.name} (PS3.8 table 9-10)")
        return cell

    def _enter(self, cell: Cell, now: float) -> None:
        self.state = state = cell.state
        if cell.closes:
            self.wants_close = True
        if cell.action is not _AA_6:  # a peer that goes on talking does not win time
            wait = self._waits[state]
            self.deadline = None if wait is None else now + wait

    def _events(self, now: float) -> Iterator[Event]:
        reader = self._reader
        try:
            while not self.wants_close and (framed := reader.next_pdu()) is not None:
                event = self._received(framed[0], framed[1], now)
                if event is not None:
                    yield event
        except RemoteProtocolError as error:
            yield self.refuse(error, now)

    def _received(self, pdu_type: int, body: bytes, now: float) -> Event | None:
        value = pdu.decode(pdu_type, body, self._limits)
        cell = self._plan[ROW_OF_PDU[pdu_type], self.state]
        if cell.refuses:
            what = f"{NAME_OF_PDU[pdu_type]} is not expected in {self.state.name}"
            raise RemoteProtocolError(what, abort_reason=_UNEXPECTED_PDU)
        if cell.action is not _AA_6:
            if isinstance(value, pdu.PDataTF):
                self._check_data(value)
            elif isinstance(value, pdu.AAssociateAC):
                self._take_answer(value)
            elif isinstance(value, pdu.AAssociateRQ):
                if not value.protocol_version & 1:
                    self._refuse_version(now)
                    return None
                self._take_proposal(value)
        self._enter(cell, now)
        return None if cell.tells is None else cell.tells(value)

    def _check_data(self, data: pdu.PDataTF) -> None:
        accepted = self.accepted
        for pdv in data.pdvs:
            if pdv.context_id not in accepted:
                raise malformed(f"data on presentation context {pdv.context_id}, which was not accepted")

    def _take_answer(self, ac: pdu.AAssociateAC) -> None:
        if not self._agree(ac):
            raise malformed("the A-ASSOCIATE-AC has a presentation context that was not proposed")
        self._heard(ac.user_information.maximum_length)

    def _take_proposal(self, rq: pdu.AAssociateRQ) -> None:
        self._proposal = rq
        self._heard(rq.user_information.maximum_length)

    def _agree(self, ac: pdu.AAssociateAC) -> bool:
        """Whether the answer is one to the proposal; its accepted contexts are open from now on."""
        assert self._proposal is not None
        self.accepted = ac.accepted_ids
        return ac.context_ids <= self._proposal.context_ids

    def _heard(self, maximum_length: int | None) -> None:
        if maximum_length is not None:
            self.peer_maximum_length = maximum_length

    def _announced(self, maximum_length: int | None) -> None:
        # What we announced binds the peer; if we set no limit, or a higher one, ours still holds.
        if maximum_length:
            self._reader.maximum_p_data = min(maximum_length + _PDV_HEADER, self._limits.p_data)

    def _refuse_version(self, now: float) -> None:
        # The second branch of AE-6: the provider itself rejects, and the user hears nothing of it.
        self._out += pdu.encode(_UNSUPPORTED_VERSION)
        self.state = _STA13
        self.deadline = now + (self._waits[_STA13] or 0.0)

    def refuse(self, error: RemoteProtocolError, now: float) -> ProtocolViolation:
        """End it because of what the peer sent, as ``receive`` does with what it reads itself."""
        by_user = self._step(_EVT19, now).action is Action.AA_1
        self._out += pdu.encode(pdu.AAbort(0, 0) if by_user else pdu.AAbort(2, error.abort_reason))
        return ProtocolViolation(error)
