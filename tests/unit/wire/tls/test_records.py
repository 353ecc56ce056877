from __future__ import annotations

import pytest
from tests.unit.wire.tls.captured import record

from leadglass.errors import RemoteProtocolError
from leadglass.wire.tls.records import (
    MAX_PAYLOAD,
    MAX_TOTAL,
    ContentType,
    NotTls,
    Record,
    RecordReader,
    is_tls,
)

ALERT = record("02 28", kind=21)
HANDSHAKE = record("0e 000000")


def cut(data: bytes, size: int, reader: RecordReader | None = None) -> list[Record | NotTls]:
    reader, found = reader or RecordReader(), list[Record | NotTls]()
    for at in range(0, len(data), size):
        reader.feed(data[at : at + size])
        while (piece := reader.next()) is not None:
            found.append(piece)
    return found


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_records_come_out_whatever_pieces_went_in(size: int) -> None:
    assert cut(HANDSHAKE + ALERT, size) == [
        Record(ContentType.HANDSHAKE, 0x0303, bytes.fromhex("0e000000")),
        Record(ContentType.ALERT, 0x0303, bytes.fromhex("0228")),
    ]


@pytest.mark.parametrize("size", range(1, len(HANDSHAKE)))
def test_a_truncated_record_waits_for_more(size: int) -> None:
    assert cut(HANDSHAKE[:size], 1000) == []


@pytest.mark.parametrize(
    ("said", "head"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n", b"H"),
        (b"SSH-2.0-OpenSSH_9.2p1\r\n", b"S"),
        (bytes.fromhex("07 00 00000004 0000 0200"), b"\x07"),  # A-ABORT, PS3.8 9.3.8
        (bytes.fromhex("03 00 00000004 00 01 01 07"), b"\x03"),  # A-ASSOCIATE-RJ, PS3.8 9.3.4
        (bytes.fromhex("80 2b 04 00 01 00 02"), b"\x80"),  # SSLv2 SERVER-HELLO
        (bytes.fromhex("00 03 00 00 01"), b"\x00"),  # SSLv2 ERROR
        (b"\x16\x02\x00\x00\x04", b"\x16\x02"),
        (b"\x15 and so on", b"\x15 "),
        (b"\n", b"\n"),
    ],
)
@pytest.mark.parametrize("size", [1, 1000])
def test_another_protocol_is_told_apart_by_its_first_bytes(said: bytes, head: bytes, size: int) -> None:
    assert cut(said, size) == [NotTls(head)]


def test_one_byte_is_not_always_enough_to_tell() -> None:
    assert is_tls(b"") is None
    assert is_tls(b"\x16") is None
    assert is_tls(b"\x16\x03") is True
    assert is_tls(b"\x17\x03") is True
    assert is_tls(b"\x18\x03") is False  # Heartbeat: nobody begins with one.


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("an empty record", record("")),
        ("a record beyond 2^14 + 2048", b"\x16\x03\x03" + (MAX_PAYLOAD + 1).to_bytes(2)),
        ("minor version 5", record("0228", kind=21, version=0x0305)),
        ("an unknown type after the first record", HANDSHAKE + record("00", kind=24)),
        ("another protocol after the first record", HANDSHAKE + b"HTTP/1.1"),
    ],
)
@pytest.mark.parametrize("size", [1, 1000])
def test_broken_framing_is_the_peers_error(name: str, broken: bytes, size: int) -> None:
    with pytest.raises(RemoteProtocolError):
        cut(broken, size)


def test_the_largest_record_passes() -> None:
    (piece,) = cut(record(bytes(MAX_PAYLOAD)), 4096)

    assert isinstance(piece, Record)
    assert len(piece.payload) == MAX_PAYLOAD


@pytest.mark.parametrize("size", [1500, MAX_TOTAL * 2])
def test_a_flood_is_cut_off_and_not_kept(size: int) -> None:
    reader = RecordReader()
    data = record(bytes(16384)) * (2 * MAX_TOTAL // 16384)

    with pytest.raises(RemoteProtocolError, match="more than 524288 bytes"):
        cut(data, size, reader)
    assert len(reader._buffer) <= MAX_TOTAL


def test_after_another_protocol_nothing_more_is_kept() -> None:
    reader = RecordReader()
    reader.feed(b"HTTP")
    assert reader.next() == NotTls(b"H")

    reader.feed(bytes(100_000))

    assert reader.next() is None
    assert not reader._buffer
