"""Messages to fragments and back: kept, dropped, passed on."""

from __future__ import annotations

import pytest

from leadglass.errors import LocalProtocolError, RemoteProtocolError
from leadglass.wire import dimse, pdata, pdu, uids
from leadglass.wire.command import encode_command
from leadglass.wire.framing import PduReader
from leadglass.wire.limits import Limits
from leadglass.wire.pdu import PresentationDataValue

FIND = dimse.CFindRSP(1, 0xFF00, uids.STUDY_ROOT_FIND, dimse.DATA_SET)
DONE = dimse.CFindRSP(1, 0x0000, uids.STUDY_ROOT_FIND)
FIND_BYTES, DONE_BYTES = encode_command(FIND), encode_command(DONE)
DATA_SET = bytes(range(256)) * 2


def values(stream: bytes) -> list[PresentationDataValue]:
    reader, found = PduReader(), list[PresentationDataValue]()
    reader.feed(stream)
    while (framed := reader.next_pdu()) is not None:
        decoded = pdu.decode(*framed)
        assert isinstance(decoded, pdu.PDataTF)
        found.extend(decoded.pdvs)
    return found


def value(data: bytes, *, command: bool, last: bool, context_id: int = 1) -> PresentationDataValue:
    return PresentationDataValue(context_id, command, last, data)


def completed(receiver: pdata.MessageAssembler, stream: bytes) -> list[pdata.Completed]:
    return [done for one in values(stream) if (done := receiver.feed(one)) is not None]


# ---- sending


@pytest.mark.parametrize("maximum_length", [7, 8, 13, 64, 100, 16384, 0])
def test_no_pdu_is_longer_than_the_peer_takes(maximum_length: int) -> None:
    stream = pdata.fragment(3, FIND_BYTES, DATA_SET, maximum_length)
    at = 0
    while at < len(stream):
        length = int.from_bytes(stream[at + 2 : at + 6], "big")
        assert not maximum_length or length <= maximum_length
        at += 6 + length

    assert at == len(stream)


@pytest.mark.parametrize("maximum_length", [7, 8, 13, 64, 100, 16384, 0])
def test_a_message_survives_fragmentation_and_assembly(maximum_length: int) -> None:
    stream = pdata.fragment(3, FIND_BYTES, DATA_SET, maximum_length) + pdata.fragment(
        3, DONE_BYTES, None, maximum_length
    )

    assert completed(pdata.MessageAssembler(), stream) == [(3, FIND, DATA_SET), (3, DONE, None)]


def test_only_the_last_fragment_says_so() -> None:
    flags = [(one.is_command, one.is_last) for one in values(pdata.fragment(1, FIND_BYTES, DATA_SET, 206))]

    assert flags == [(True, True), (False, False), (False, False), (False, True)]


def test_an_exact_fit_makes_no_empty_fragment() -> None:
    assert [len(one.data) for one in values(pdata.fragment(1, FIND_BYTES, bytes(400), 206))][1:] == [200, 200]


@pytest.mark.parametrize("maximum_length", [0, 7])
def test_an_empty_data_set_is_sent_as_one_empty_fragment(maximum_length: int) -> None:
    stream = pdata.fragment(1, FIND_BYTES, b"", maximum_length)

    assert [one.data for one in values(stream) if not one.is_command] == [b""]
    assert completed(pdata.MessageAssembler(), stream) == [(1, FIND, b"")]


@pytest.mark.parametrize("maximum_length", [1, 6, -1])
def test_a_maximum_length_without_room_for_data_is_our_own_error(maximum_length: int) -> None:
    with pytest.raises(LocalProtocolError, match="no room"):
        pdata.fragment(1, FIND_BYTES, None, maximum_length)


@pytest.mark.parametrize("context_id", [0, 2, 256, 257, -1])
def test_a_context_id_that_cannot_be_is_our_own_error(context_id: int) -> None:
    with pytest.raises(LocalProtocolError, match="is not odd"):
        pdata.fragment(context_id, FIND_BYTES, None, 0)


# ---- receiving without keeping


def test_a_data_set_that_is_not_kept_is_told_when_it_begins() -> None:
    receiver = pdata.MessageAssembler(keep_data_set=False)
    command, *pieces = values(pdata.fragment(1, FIND_BYTES, DATA_SET, 106))

    assert receiver.feed(command) is None
    told = [receiver.feed(piece) for piece in pieces]

    assert told == [(1, FIND, b""), *[None] * (len(pieces) - 1)]
    assert completed(receiver, pdata.fragment(1, DONE_BYTES, None, 0)) == [(1, DONE, None)]


def test_a_data_set_that_is_not_kept_may_be_endless() -> None:
    receiver = pdata.MessageAssembler(Limits(data_set=10), keep_data_set=False)
    receiver.feed(value(FIND_BYTES, command=True, last=True))

    for _ in range(100):
        receiver.feed(value(bytes(1000), command=False, last=False))


# ---- passing on


def test_data_set_fragments_are_passed_on_uncopied_as_they_come() -> None:
    passing = pdata.Passthrough()
    command, *pieces = values(pdata.fragment(5, FIND_BYTES, DATA_SET, 206))

    assert passing.idle
    assert passing.feed(command) == pdata.CommandReceived(5, FIND, FIND_BYTES)
    assert not passing.idle
    for piece in pieces:
        passed = passing.feed(piece)
        assert isinstance(passed, pdata.DataSetFragment)
        assert passed.data is piece.data
        assert isinstance(passed.data, memoryview)
        assert passed.is_last == (piece is pieces[-1])
    assert passing.idle


def test_a_command_in_pieces_is_passed_on_whole() -> None:
    passing = pdata.Passthrough()
    *pieces, last = values(pdata.fragment(1, DONE_BYTES, None, 16))

    assert [passing.feed(piece) for piece in pieces] == [None] * len(pieces)
    assert passing.feed(last) == pdata.CommandReceived(1, DONE, DONE_BYTES)
    assert passing.idle


def test_no_data_set_is_in_what_is_printed() -> None:
    secret = b"Doe^Jane"
    piece = value(secret, command=False, last=True)
    passing, keeping = pdata.Passthrough(), pdata.MessageAssembler()
    for receiver in (passing, keeping):
        receiver.feed(value(FIND_BYTES, command=True, last=True))

    printed = repr((piece, pdu.PDataTF((piece,)), passing.feed(piece), keeping.feed(piece)))

    assert "Jane" not in printed
    assert "8 bytes" in printed


# ---- peers that do not behave

COMMAND = value(FIND_BYTES, command=True, last=True)
HALF = value(FIND_BYTES[:20], command=True, last=False)
PIECE = value(b"xx", command=False, last=False)


@pytest.mark.parametrize(
    "order",
    [
        pytest.param([PIECE], id="data first"),
        pytest.param([HALF, PIECE], id="data within a command"),
        pytest.param([COMMAND, COMMAND], id="a command instead of data"),
        pytest.param([COMMAND, PIECE, HALF], id="a command within data"),
        pytest.param(
            [HALF, value(FIND_BYTES[20:], command=True, last=True, context_id=3)], id="command moves"
        ),
        pytest.param([COMMAND, value(b"x", command=False, last=True, context_id=3)], id="data moves"),
        pytest.param([value(DONE_BYTES, command=True, last=True), PIECE], id="data that nobody announced"),
        pytest.param([value(b"", command=True, last=True)], id="an empty command"),
    ],
)
def test_mixed_messages_are_malformed(order: list[PresentationDataValue]) -> None:
    *before, last = order
    for receiver in (
        pdata.MessageAssembler(),
        pdata.MessageAssembler(keep_data_set=False),
        pdata.Passthrough(),
    ):
        for one in before:
            receiver.feed(one)
        with pytest.raises(RemoteProtocolError):
            receiver.feed(last)


@pytest.mark.parametrize("piece", [1, 100])
def test_an_endless_command_is_refused(piece: int) -> None:
    receiver = pdata.MessageAssembler(Limits(command=1000))
    for _ in range(1000 // piece):
        receiver.feed(value(bytes(piece), command=True, last=False))

    with pytest.raises(RemoteProtocolError, match="more than 1000 bytes"):
        receiver.feed(value(b"x", command=True, last=False))


def test_an_endless_data_set_is_refused_where_it_would_be_kept() -> None:
    receiver = pdata.MessageAssembler(Limits(data_set=1000))
    receiver.feed(COMMAND)
    for _ in range(1000):
        receiver.feed(value(b"x", command=False, last=False))

    with pytest.raises(RemoteProtocolError, match="more than 1000 bytes"):
        receiver.feed(value(b"x", command=False, last=False))


def test_empty_fragments_take_no_memory() -> None:
    receiver = pdata.MessageAssembler()

    for _ in range(10_000):
        assert receiver.feed(value(b"", command=True, last=False)) is None
    assert receiver.feed(value(DONE_BYTES, command=True, last=True)) == (1, DONE, None)
