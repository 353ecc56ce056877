"""For all values and all bytes: what is sent arrives, and what is damaged is an event or RemoteProtocolError."""

from __future__ import annotations

import contextlib
import itertools

from hypothesis import assume, given
from hypothesis import strategies as st
from tests.property import wire_strategies as some
from tests.unit.wire import conversing, vectors

from leadglass.errors import LocalProtocolError, RemoteProtocolError
from leadglass.wire import association as ul
from leadglass.wire import pdata, pdu
from leadglass.wire.association import Association, Role, State
from leadglass.wire.command import decode_command, encode_command
from leadglass.wire.dimse import Message, has_data_set
from leadglass.wire.framing import PduReader
from leadglass.wire.limits import DEFAULT

VALID = list({**vectors.ANNOTATED, **vectors.CAPTURED}.values())
valid_pdus = st.sampled_from(VALID) | some.pdus.map(pdu.encode)
streams = st.lists(valid_pdus, min_size=1, max_size=4).map(b"".join)


# ---- what is sent arrives


@given(some.pdus)
def test_every_pdu_survives_encoding_and_decoding(value: pdu.Pdu) -> None:
    encoded = pdu.encode(value)

    assert int.from_bytes(encoded[2:6], "big") == len(encoded) - 6
    assert pdu.decode(encoded[0], encoded[6:]) == value


@given(some.messages)
def test_every_message_survives_encoding_and_decoding(message: Message) -> None:
    assert decode_command(encode_command(message)) == message


@given(some.messages, st.binary(max_size=500), some.odd_ids, st.integers(7, 300) | st.just(0))
def test_every_message_survives_fragments_of_every_size(
    message: Message, data_set: bytes, context_id: int, maximum_length: int
) -> None:
    carried = data_set if has_data_set(message) else None
    stream = pdata.fragment(context_id, encode_command(message), carried, maximum_length)
    receiver = pdata.MessageAssembler()

    told = [receiver.feed(value) for value in values_of(stream)]

    assert told == [*[None] * (len(told) - 1), (context_id, message, carried)]


def values_of(stream: bytes) -> list[pdu.PresentationDataValue]:
    reader, found = PduReader(), list[pdu.PresentationDataValue]()
    reader.feed(stream)
    while (framed := reader.next_pdu()) is not None:
        decoded = pdu.decode(*framed)
        assert isinstance(decoded, pdu.PDataTF)
        found.extend(decoded.pdvs)
    return found


@given(st.data(), st.lists(some.pdus, min_size=1, max_size=5))
def test_how_a_stream_is_cut_does_not_matter(data: st.DataObject, sent: list[pdu.Pdu]) -> None:
    stream = b"".join(map(pdu.encode, sent))
    cuts = data.draw(some.cuttings(len(stream)))
    reader, came = PduReader(), list[pdu.Pdu]()

    for start, stop in itertools.pairwise(cuts):
        reader.feed(stream[start:stop])
        while (framed := reader.next_pdu()) is not None:
            came.append(pdu.decode(*framed))

    assert came == sent
    assert reader.buffered == 0


# ---- what is damaged


@given(some.damaged(valid_pdus))
def test_a_damaged_pdu_decodes_to_what_can_be_sent_again_or_is_refused(data: bytes) -> None:
    assume(data)
    try:
        decoded = pdu.decode(data[0], data[6:])
    except RemoteProtocolError:
        return
    encoded = pdu.encode(decoded)
    assert pdu.decode(encoded[0], encoded[6:]) == decoded


@given(some.damaged(some.messages.map(encode_command)))
def test_a_damaged_command_set_decodes_to_what_can_be_sent_again_or_is_refused(data: bytes) -> None:
    try:
        decoded = decode_command(data)
    except RemoteProtocolError:
        return
    assert decode_command(encode_command(decoded)) == decoded


@given(st.data(), st.sampled_from(sorted(conversing.PATHS, key=str)), some.damaged(streams))
def test_a_damaged_stream_is_told_the_same_however_it_is_cut(
    data: st.DataObject, cell: tuple[Role, State], stream: bytes
) -> None:
    assume(cell[1] not in {State.STA1, State.STA4})
    cuts = data.draw(some.cuttings(len(stream)))
    pieces = [stream[start:stop] for start, stop in itertools.pairwise(cuts)]

    assert heard(cell, pieces) == heard(cell, [stream])


def heard(cell: tuple[Role, State], pieces: list[bytes]) -> tuple[list[object], bytes, State, bool]:
    association = conversing.brought(cell[0], conversing.PATHS[cell])
    events = [event for piece in pieces for event in association.receive(piece, 1.0)]
    violations = [at for at, event in enumerate(events) if isinstance(event, ul.ProtocolViolation)]

    assert violations in ([], [len(events) - 1])
    assert association.wants_close or not violations
    said: list[object] = [str(e.error) if isinstance(e, ul.ProtocolViolation) else e for e in events]
    return said, association.data_to_send(), association.state, association.wants_close


# ---- whatever our own user does

deeds = st.lists(st.sampled_from(sorted(conversing.DEEDS)), max_size=12)


@given(st.sampled_from(Role), deeds)
def test_misuse_is_refused_and_changes_nothing(role: Role, wanted: list[str]) -> None:
    association = Association(role)
    for now, deed in enumerate(wanted):
        before = association.state, association.deadline, association.wants_close
        try:
            conversing.DEEDS[deed](association, float(now))
        except LocalProtocolError:
            assert (association.state, association.deadline, association.wants_close) == before
            assert association.data_to_send() == b""
        association.data_to_send()


user_deeds = st.sampled_from(["accept", "reject", "send", "release", "reply", "abort"])
steps = st.lists(
    st.tuples(user_deeds, st.sampled_from([0, 1]), st.sampled_from([(), (0,), (1,), (0, 1)])), max_size=20
)

OUR_TURN = {State.STA3, State.STA8, State.STA9, State.STA12}
"""Where an association waits for its own user, as long as it takes."""


@given(steps)
def test_two_associations_never_violate_the_standard_against_each_other(
    wanted: list[tuple[str, int, tuple[int, ...]]],
) -> None:
    """Deeds of both users in any order, bytes delivered at any time: no violation, and both come to an end."""
    sides = conversing.brought(Role.REQUESTOR, "associate"), conversing.brought(Role.ACCEPTOR, "opened")
    sides[0].connection_opened(0.0)
    waiting = [b"", b""]
    for deed, at, delivered in wanted:
        with contextlib.suppress(LocalProtocolError):
            conversing.DEEDS[deed](sides[at], 0.0)
        exchange(sides, waiting, delivered)
    exchange(sides, waiting, (0, 1))
    exchange(sides, waiting, (0, 1))

    for side in sides:
        if side.deadline is not None:
            side.timeout(side.deadline)
            side.connection_closed(side.deadline or 0.0)
    assert all(side.wants_close or side.state in OUR_TURN for side in sides)


def exchange(sides: tuple[Association, Association], waiting: list[bytes], deliver: tuple[int, ...]) -> None:
    for at, side in enumerate(sides):
        waiting[1 - at] += side.data_to_send()
    for at in deliver:
        came, waiting[at] = waiting[at], b""
        events = list(sides[at].receive(came, 0.0))
        assert not any(isinstance(event, ul.ProtocolViolation) for event in events)


# ---- how much is held


@given(st.sampled_from(sorted(conversing.PATHS, key=str)), st.lists(st.binary(max_size=2000), max_size=20))
def test_no_stream_makes_us_hold_more_than_one_pdu(cell: tuple[Role, State], pieces: list[bytes]) -> None:
    assume(cell[1] not in {State.STA1, State.STA4})
    association = conversing.brought(cell[0], conversing.PATHS[cell])
    for piece in pieces:
        list(association.receive(piece, 1.0))

    assert association._reader.buffered <= max(DEFAULT.associate, DEFAULT.p_data) + 6
    assert len(association.data_to_send()) <= 10
