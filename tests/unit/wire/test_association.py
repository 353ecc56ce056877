"""Two associations talking to each other through bytes, and what they make of peers that do not behave."""

from __future__ import annotations

import dataclasses

import pytest
from tests.unit.wire import conversing
from tests.unit.wire.conversing import AC, AC_BYTES, ECHO, RQ, RQ_BYTES, brought

from leadglass.errors import LocalProtocolError, RemoteProtocolError
from leadglass.wire import association as ul
from leadglass.wire import command, dimse, pdata, pdu, uids
from leadglass.wire.association import Association, Role, State
from leadglass.wire.limits import Limits

NOW = 5.0
ESTABLISHED = {role: conversing.PATHS[role, State.STA6] for role in Role}


class Wire:
    """A requestor and an acceptor, and the bytes between them, in pieces of ``size``."""

    def __init__(self, size: int = 10**6) -> None:
        self.size = size
        self.requestor = Association(Role.REQUESTOR)
        self.acceptor = Association(Role.ACCEPTOR)
        self.requestor.associate(RQ, NOW)
        self.requestor.connection_opened(NOW)
        self.acceptor.connection_opened(NOW)

    def states(self) -> tuple[State, State]:
        return self.requestor.state, self.acceptor.state

    def to_acceptor(self) -> list[ul.Event]:
        return self._carry(self.requestor, self.acceptor)

    def to_requestor(self) -> list[ul.Event]:
        return self._carry(self.acceptor, self.requestor)

    def _carry(self, sender: Association, receiver: Association) -> list[ul.Event]:
        data = sender.data_to_send()
        pieces = [data[at : at + self.size] for at in range(0, len(data), self.size)]
        return [event for piece in pieces for event in receiver.receive(piece, NOW)]

    def establish(self) -> None:
        self.to_acceptor()
        self.acceptor.accept(AC, NOW)
        self.to_requestor()


def violation(events: list[ul.Event]) -> RemoteProtocolError:
    (last,) = events[-1:]
    assert isinstance(last, ul.ProtocolViolation)
    return last.error


# ---- whole conversations


@pytest.mark.parametrize("size", [1, 7, 10**6])
def test_an_echo_from_the_first_byte_to_the_last(size: int) -> None:
    wire = Wire(size)

    assert wire.to_acceptor() == [ul.AssociateRequested(RQ)]
    wire.acceptor.accept(AC, NOW)
    assert wire.to_requestor() == [ul.AssociateAccepted(AC)]
    wire.requestor.send(ECHO, NOW)
    (data,) = wire.to_acceptor()
    assert isinstance(data, ul.DataReceived)
    completed = pdata.MessageAssembler().feed(data.pdvs[0])
    assert completed is not None
    assert completed.command == dimse.CEchoRQ(1)
    wire.acceptor.send(pdata.fragment(1, command.encode_command(dimse.CEchoRSP(1, 0)), None, 0), NOW)
    assert len(wire.to_requestor()) == 1
    wire.requestor.release(NOW)
    assert wire.to_acceptor() == [ul.ReleaseRequested()]
    wire.acceptor.release_reply(NOW)
    assert wire.to_requestor() == [ul.Released()]

    assert wire.requestor.wants_close
    assert wire.acceptor.connection_closed(NOW) == []
    assert wire.states() == (State.STA1, State.STA1)


def test_a_rejection_ends_the_requestor_and_leaves_the_acceptor_waiting_for_the_close() -> None:
    wire = Wire()
    wire.to_acceptor()

    wire.acceptor.reject(pdu.AAssociateRJ(2, 3, 1), NOW)

    assert wire.to_requestor() == [ul.AssociateRejected(pdu.AAssociateRJ(2, 3, 1))]
    assert wire.requestor.wants_close
    assert not wire.acceptor.wants_close
    assert wire.acceptor.deadline == NOW + 30.0


def test_a_release_collision_ends_well_for_both() -> None:
    wire = Wire()
    wire.establish()
    wire.requestor.release(NOW)
    wire.acceptor.release(NOW)

    assert wire.to_requestor() == [ul.ReleaseRequested()]
    assert wire.to_acceptor() == [ul.ReleaseRequested()]
    assert wire.states() == (State.STA9, State.STA10)
    with pytest.raises(LocalProtocolError):
        wire.acceptor.release_reply(NOW)  # the acceptor hears the requestor out first
    wire.requestor.release_reply(NOW)
    assert wire.to_acceptor() == [ul.Released()]
    assert wire.states() == (State.STA11, State.STA12)
    wire.acceptor.release_reply(NOW)
    assert wire.to_requestor() == [ul.Released()]
    assert wire.requestor.wants_close
    assert wire.acceptor.connection_closed(NOW) == []


@pytest.mark.parametrize("side", Role)
@pytest.mark.parametrize("state", [State.STA5, State.STA6, State.STA7, State.STA8])
def test_an_abort_ends_both_sides_at_any_point(state: State, side: Role) -> None:
    wire = Wire()
    if state is not State.STA5:
        wire.establish()
    if state in {State.STA7, State.STA8}:
        (wire.requestor if state is State.STA7 else wire.acceptor).release(NOW)
    wire.to_acceptor()
    wire.to_requestor()
    aborting, hearing = (
        (wire.requestor, wire.to_acceptor) if side is Role.REQUESTOR else (wire.acceptor, wire.to_requestor)
    )

    aborting.abort(0, 0, NOW)

    assert aborting.wants_close
    assert hearing() == [ul.Aborted(0, 0)]
    assert wire.requestor.wants_close
    assert wire.acceptor.wants_close


@pytest.mark.parametrize(("role", "state"), [cell for cell in conversing.PATHS if cell[1] is not State.STA1])
def test_a_lost_connection_is_told_unless_the_association_had_ended(role: Role, state: State) -> None:
    association = brought(role, conversing.PATHS[role, state])

    told = association.connection_closed(NOW)

    assert told == ([] if state in {State.STA2, State.STA13} else [ul.ConnectionLost()])
    assert association.wants_close
    assert association.deadline is None
    assert association.connection_closed(NOW) == []


# ---- peers that do not behave


def test_what_came_before_a_violation_is_told_first() -> None:
    wire = Wire()
    wire.to_acceptor()

    events = list(wire.requestor.receive(AC_BYTES + ECHO + b"HTTP/1.1 400", NOW))

    assert [type(event) for event in events] == [ul.AssociateAccepted, ul.DataReceived, ul.ProtocolViolation]
    assert violation(events).abort_reason == 1
    assert wire.requestor.data_to_send() == pdu.encode(pdu.AAbort(2, 1))


def test_after_a_violation_the_rest_of_the_stream_is_ignored() -> None:
    requestor = brought(Role.REQUESTOR, "associate opened")

    violation(list(requestor.receive(b"\xff", NOW)))
    requestor.data_to_send()

    assert list(requestor.receive(AC_BYTES, NOW)) == []
    assert requestor.data_to_send() == b""
    assert requestor.state is State.STA13
    assert requestor.connection_closed(NOW) == []


def test_after_the_end_the_rest_of_the_stream_is_ignored() -> None:
    requestor = brought(Role.REQUESTOR, "associate opened")

    assert len(list(requestor.receive(conversing.RJ_BYTES + AC_BYTES + b"\xff", NOW))) == 1
    assert list(requestor.receive(b"\xff", NOW)) == []


@pytest.mark.parametrize("role", Role)
def test_an_association_is_used_once(role: Role) -> None:
    association = brought(role, ESTABLISHED[role])
    list(association.receive(conversing.ABORT, NOW))

    with pytest.raises(LocalProtocolError):
        association.connection_opened(NOW)
    if role is Role.REQUESTOR:
        with pytest.raises(LocalProtocolError):
            association.associate(RQ, NOW)


@pytest.mark.parametrize("role", Role)
def test_an_unexpected_pdu_is_answered_with_reason_2(role: Role) -> None:
    association = brought(role, ESTABLISHED[role])

    error = violation(list(association.receive(conversing.RELEASE_RP, NOW)))

    assert str(error) == "A-RELEASE-RP is not expected in STA6"
    assert association.data_to_send() == pdu.encode(pdu.AAbort(2, 2))


def test_a_request_of_another_protocol_version_is_rejected_by_the_provider() -> None:
    acceptor = brought(Role.ACCEPTOR, "opened")
    other = pdu.encode(dataclasses.replace(RQ, protocol_version=2))

    assert list(acceptor.receive(other, NOW)) == []
    assert acceptor.data_to_send() == pdu.encode(pdu.AAssociateRJ(1, 2, 2))
    assert acceptor.state is State.STA13
    assert acceptor.deadline == NOW + 30.0
    assert not acceptor.wants_close


def test_further_version_bits_do_not_matter() -> None:
    acceptor = brought(Role.ACCEPTOR, "opened")

    (event,) = list(acceptor.receive(pdu.encode(dataclasses.replace(RQ, protocol_version=3)), NOW))

    assert isinstance(event, ul.AssociateRequested)


def test_an_answer_to_what_was_not_proposed_is_a_violation() -> None:
    requestor = brought(Role.REQUESTOR, "associate opened")
    strange = dataclasses.replace(
        AC, presentation_contexts=(pdu.PresentationContextAC(5, 0, uids.IMPLICIT_VR_LE),)
    )

    assert "not proposed" in str(violation(list(requestor.receive(pdu.encode(strange), NOW))))
    assert requestor.data_to_send() == pdu.encode(pdu.AAbort(2, 6))


@pytest.mark.parametrize("context_id", [3, 5])
def test_data_on_a_context_that_was_not_accepted_is_a_violation(context_id: int) -> None:
    requestor = brought(Role.REQUESTOR, ESTABLISHED[Role.REQUESTOR])
    data = pdata.fragment(context_id, command.encode_command(dimse.CEchoRSP(1, 0)), None, 0)

    assert "not accepted" in str(violation(list(requestor.receive(data, NOW))))


def test_data_beyond_what_we_announced_is_a_violation_before_it_has_come() -> None:
    requestor = brought(Role.REQUESTOR, ESTABLISHED[Role.REQUESTOR])
    within, beyond = (b"\4\0" + size.to_bytes(4, "big") for size in (16384 + 6, 16384 + 7))

    assert list(requestor.receive(beyond, NOW)) != []
    requestor = brought(Role.REQUESTOR, ESTABLISHED[Role.REQUESTOR])
    assert list(requestor.receive(within, NOW)) == []


def test_an_unlimited_announcement_does_not_lift_our_own_limit() -> None:
    asked = dataclasses.replace(RQ, user_information=pdu.UserInformation(maximum_length=0))
    requestor = Association(Role.REQUESTOR, limits=Limits(p_data=1000))
    requestor.associate(asked, NOW)
    requestor.connection_opened(NOW)
    list(requestor.receive(AC_BYTES, NOW))

    violation(list(requestor.receive(b"\4\0\0\0\x03\xe9", NOW)))


def test_a_peer_that_goes_on_talking_after_the_end_wins_no_time() -> None:
    acceptor = brought(Role.ACCEPTOR, "opened RQ reject", now=0.0)

    for now in range(1, 29):
        assert list(acceptor.receive(conversing.RELEASE_RQ + ECHO, float(now))) == []
    assert acceptor.deadline == 30.0
    assert acceptor.timeout(30.0) == [ul.TimedOut(State.STA13)]


def test_a_peer_that_sends_single_bytes_wins_no_time() -> None:
    acceptor = brought(Role.ACCEPTOR, "opened", now=0.0)

    for at, now in enumerate(range(1, 30)):
        assert list(acceptor.receive(RQ_BYTES[at : at + 1], float(now))) == []
    assert acceptor.timeout(30.0) == [ul.TimedOut(State.STA2)]


def test_data_keeps_an_association_alive() -> None:
    acceptor = brought(Role.ACCEPTOR, ESTABLISHED[Role.ACCEPTOR], now=0.0)

    list(acceptor.receive(ECHO, 59.0))
    assert acceptor.timeout(60.0) == []
    assert acceptor.deadline == 119.0
    acceptor.send(ECHO, 118.0)
    assert acceptor.deadline == 178.0


# ---- what both sides learn


@pytest.mark.parametrize(
    ("announced", "heard"), [(None, 16384), (0, 0), (4096, 4096), (2**32 - 1, 2**32 - 1)]
)
def test_both_sides_know_how_much_the_other_takes(announced: int | None, heard: int) -> None:
    information = pdu.UserInformation(maximum_length=announced)
    acceptor = brought(Role.ACCEPTOR, "opened")
    list(acceptor.receive(pdu.encode(dataclasses.replace(RQ, user_information=information)), NOW))
    requestor = brought(Role.REQUESTOR, "associate opened")
    list(requestor.receive(pdu.encode(dataclasses.replace(AC, user_information=information)), NOW))

    assert acceptor.peer_maximum_length == requestor.peer_maximum_length == heard


def test_both_sides_agree_on_the_accepted_contexts() -> None:
    wire = Wire()
    wire.establish()

    assert wire.requestor.accepted == wire.acceptor.accepted == {1}


# ---- our own misuse


@pytest.mark.parametrize("blank", ["", " ", "                "])
@pytest.mark.parametrize("title", ["called_ae_title", "calling_ae_title"])
def test_a_blank_title_is_never_sent(title: str, blank: str) -> None:
    association = Association(Role.REQUESTOR)

    with pytest.raises(LocalProtocolError, match="blank AE title"):
        association.associate(dataclasses.replace(RQ, **{title: blank}), NOW)  # type: ignore[arg-type]


def test_only_a_requestor_asks() -> None:
    with pytest.raises(LocalProtocolError, match="an acceptor cannot ask"):
        Association(Role.ACCEPTOR).associate(RQ, NOW)


def test_an_acceptor_answers_only_what_was_proposed() -> None:
    acceptor = brought(Role.ACCEPTOR, "opened RQ")
    strange = dataclasses.replace(
        AC, presentation_contexts=(pdu.PresentationContextAC(5, 0, uids.IMPLICIT_VR_LE),)
    )

    with pytest.raises(LocalProtocolError, match="was not proposed"):
        acceptor.accept(strange, NOW)
    acceptor.accept(AC, NOW)


@pytest.mark.parametrize("data", [b"", b"\5\0\0\0\0\4\0\0\0\0"])
def test_only_data_is_sent_as_data(data: bytes) -> None:
    requestor = brought(Role.REQUESTOR, ESTABLISHED[Role.REQUESTOR])

    with pytest.raises(LocalProtocolError, match="only P-DATA-TF"):
        requestor.send(data, NOW)


def test_data_may_be_sent_as_a_value() -> None:
    requestor = brought(Role.REQUESTOR, ESTABLISHED[Role.REQUESTOR])
    value = pdu.PDataTF((pdu.PresentationDataValue(1, is_command=True, is_last=True, data=b"xy"),))

    requestor.send(value, NOW)

    assert requestor.data_to_send() == pdu.encode(value)


def test_what_is_to_be_sent_is_handed_out_once_and_in_order() -> None:
    requestor = brought(Role.REQUESTOR, ESTABLISHED[Role.REQUESTOR])
    requestor.send(ECHO, NOW)
    requestor.release(NOW)

    assert requestor.data_to_send() == ECHO + conversing.RELEASE_RQ
    assert requestor.data_to_send() == b""


def test_a_failed_connection_ends_the_association() -> None:
    requestor = brought(Role.REQUESTOR, "associate")

    assert requestor.connection_closed(NOW) == [ul.ConnectionLost()]
    assert requestor.wants_close


def test_what_is_done_about_an_event_comes_before_the_next_pdu() -> None:
    acceptor = Association(Role.ACCEPTOR)
    acceptor.connection_opened(NOW)
    events = acceptor.receive(RQ_BYTES + ECHO, NOW)
    assert isinstance(next(events), ul.AssociateRequested)
    acceptor.accept(AC, NOW)

    assert isinstance(next(events), ul.DataReceived)


def test_what_was_not_taken_is_told_by_the_next_receive() -> None:
    acceptor = Association(Role.ACCEPTOR)
    acceptor.connection_opened(NOW)
    assert isinstance(next(acceptor.receive(RQ_BYTES + conversing.ABORT, NOW)), ul.AssociateRequested)

    (event,) = acceptor.receive(b"", NOW)
    assert isinstance(event, ul.Aborted)
