"""P-DATA read and framed piece by piece says the same as PDUs read whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadglass.errors import RemoteProtocolError
from leadglass.wire import pdu
from leadglass.wire.framing import PduReader
from leadglass.wire.streaming import Fragment, Other, Piece, StreamReader, ValueFramer

VALUES = st.lists(
    st.builds(
        pdu.PresentationDataValue,
        st.sampled_from((1, 3, 255)),
        st.booleans(),
        st.booleans(),
        st.binary(max_size=40),
    ),
    min_size=1,
    max_size=4,
)
PDUS = st.lists(
    st.one_of(
        st.builds(lambda values: pdu.PDataTF(tuple(values)), VALUES),
        st.just(pdu.AReleaseRQ()),
        st.just(pdu.AAbort(2, 1)),
    ),
    max_size=5,
)


def pieces(reader: StreamReader, data: bytes, sizes: list[int]) -> list[Piece]:
    found: list[Piece] = []
    at = 0
    for size in [*sizes, len(data)]:
        chunk = memoryview(data[at : at + size])
        at += len(chunk)
        inside = 0
        while True:
            inside, piece = reader.take(chunk, inside)
            if piece is None:
                break
            found.append(piece._replace(data=memoryview(bytes(piece.data))))
    return found


def values_of(found: list[Piece]) -> list[tuple[int, bool, bool, bytes]]:
    told: list[tuple[int, bool, bool, bytes]] = []
    for piece in found:
        if isinstance(piece, Other):
            continue
        if piece.opens >= 0:
            told.append((piece.context_id, piece.is_command, piece.is_last, b""))
        *rest, data = told.pop()
        told.append((rest[0], rest[1], rest[2], data + bytes(piece.data)))  # type: ignore[arg-type]
    return told


@given(PDUS, st.lists(st.integers(1, 30), max_size=12))
def test_however_a_stream_is_cut_its_values_and_other_pdus_are_told(
    sent: list[pdu.Pdu], sizes: list[int]
) -> None:
    stream = b"".join(map(pdu.encode, sent))
    found = pieces(StreamReader(), stream, sizes)
    expected = [
        (v.context_id, v.is_command, v.is_last, bytes(v.data))
        for p in sent
        if isinstance(p, pdu.PDataTF)
        for v in p.pdvs
    ]
    assert values_of(found) == expected
    ended = [p.context_id for p in found if isinstance(p, Fragment) and p.ends]
    assert ended == [context_id for context_id, _, is_last, _ in expected if is_last]
    others = b"".join(bytes(p.data) for p in found if isinstance(p, Other))
    assert others == b"".join(pdu.encode(p) for p in sent if not isinstance(p, pdu.PDataTF))


@given(VALUES, st.lists(st.integers(1, 30), max_size=12), st.sampled_from((0, 7, 8, 20, 64)))
def test_values_framed_for_another_peer_hold_the_same_in_pdus_it_takes(
    values: list[pdu.PresentationDataValue], sizes: list[int], maximum: int
) -> None:
    stream = pdu.encode(pdu.PDataTF(tuple(values)))
    framer = ValueFramer(maximum)
    out = b"".join(
        bytes(part)
        for piece in pieces(StreamReader(), stream, sizes)
        if isinstance(piece, Fragment)
        for part in framer.frame(piece, 9)
    )
    reader = PduReader()
    reader.feed(out)
    told: list[pdu.PresentationDataValue] = []
    while (framed := reader.next_pdu()) is not None:
        assert not maximum or len(framed[1]) <= maximum
        decoded = pdu.decode(*framed)
        assert isinstance(decoded, pdu.PDataTF)
        told.extend(decoded.pdvs)
    assert {value.context_id for value in told} == {9}
    joined: list[tuple[bool, bool, bytes]] = []
    rest = b""
    for value, original in zip_parts(told, values):
        rest += bytes(value.data)
        if len(rest) == len(original.data):
            joined.append((value.is_command, value.is_last, rest))
            rest = b""
    assert joined == [(v.is_command, v.is_last, bytes(v.data)) for v in values]


def zip_parts(
    told: list[pdu.PresentationDataValue], values: list[pdu.PresentationDataValue]
) -> list[tuple[pdu.PresentationDataValue, pdu.PresentationDataValue]]:
    pairs = []
    parts = iter(told)
    for original in values:
        left = len(original.data)
        while True:
            part = next(parts)
            pairs.append((part, original))
            left -= len(part.data)
            if left <= 0:
                break
    assert next(parts, None) is None
    return pairs


@pytest.mark.parametrize(
    "stream",
    [
        bytes.fromhex("04 00 00000000"),
        bytes.fromhex("04 00 00000005 00000001 01"),
        bytes.fromhex("04 00 00000008 00000001 0102 0000"),
        bytes.fromhex("04 00 00000008 00000009 0102 0000"),
        bytes.fromhex("04 00 0000000a 00000004 0202 0000"),
        bytes.fromhex("04 00 0000000b 00000004 0102 0000 000000"),
        bytes.fromhex("04 00 7fffffff 00000004 0102"),
    ],
    ids=["empty", "short", "length 1", "beyond", "even context", "rest too short", "two gigabytes"],
)
def test_lengths_that_do_not_add_up_are_malformed(stream: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        pieces(StreamReader(), stream, [])


def test_more_values_than_the_limit_are_malformed() -> None:
    values = tuple(pdu.PresentationDataValue(1, False, False, b"x") for _ in range(257))
    with pytest.raises(RemoteProtocolError):
        pieces(StreamReader(), pdu.encode(pdu.PDataTF(values)), [])


def test_an_unknown_first_byte_is_told_at_once() -> None:
    assert [bytes(piece.data) for piece in pieces(StreamReader(), b"G", [])] == [b"G"]


@pytest.mark.parametrize("maximum", [0, 16, 100])
def test_a_framer_knows_whether_what_it_began_is_whole(maximum: int) -> None:
    value = pdu.encode(pdu.PDataTF((pdu.PresentationDataValue(1, False, True, bytes(50)),)))
    framer, reader, sent = ValueFramer(maximum), StreamReader(), b""
    for at in range(len(value)):
        _, piece = reader.take(memoryview(value[at : at + 1]), 0)
        if isinstance(piece, Fragment):
            sent += b"".join(framer.frame(piece, 1))
            whole = PduReader()
            whole.feed(sent)
            while whole.next_pdu() is not None:
                pass
            assert framer.within is (whole.buffered > 0)
    assert not framer.within
