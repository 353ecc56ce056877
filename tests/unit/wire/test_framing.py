"""A stream cut into PDUs: nothing unknown or oversized is waited for, and little is held."""

from __future__ import annotations

import pytest

from leadglass.errors import RemoteProtocolError
from leadglass.wire.framing import PduReader
from leadglass.wire.limits import DEFAULT, Limits

P_DATA = 0x04


def header(pdu_type: int, length: int) -> bytes:
    return bytes((pdu_type, 0)) + length.to_bytes(4, "big")


def refusal(stream: bytes, reader: PduReader | None = None) -> RemoteProtocolError:
    reader = reader or PduReader()
    reader.feed(stream)
    with pytest.raises(RemoteProtocolError) as caught:
        reader.next_pdu()
    return caught.value


def test_the_first_byte_tells_an_unknown_type() -> None:
    for first in (0, *range(8, 256)):
        assert refusal(bytes((first,))).abort_reason == 1
        assert refusal(header(first, 4) + bytes(4)).abort_reason == 1


@pytest.mark.parametrize(
    "banner", [b"HTTP/1.1 400 Bad Request\r\n", b"SSH-2.0-OpenSSH_9.2\r\n", b"\x15\3\1\0\2\2\x28"]
)
def test_another_protocol_is_not_a_pdu(banner: bytes) -> None:
    assert "is unknown" in str(refusal(banner))


@pytest.mark.parametrize("pdu_type", range(1, 8))
def test_a_header_that_claims_four_gigabytes_is_refused_at_once(pdu_type: int) -> None:
    assert refusal(header(pdu_type, 0xFFFFFFFF)).abort_reason == 6


@pytest.mark.parametrize(
    ("pdu_type", "longest"),
    [(1, DEFAULT.associate), (2, DEFAULT.associate), (4, DEFAULT.p_data), (3, 4), (5, 4), (6, 4), (7, 4)],
)
def test_each_type_has_its_longest_body(pdu_type: int, longest: int) -> None:
    reader = PduReader()
    reader.feed(header(pdu_type, longest))

    assert reader.next_pdu() is None
    refusal(header(pdu_type, longest + 1))


@pytest.mark.parametrize("pdu_type", [3, 5, 6, 7])
def test_a_fixed_pdu_may_not_be_short_either(pdu_type: int) -> None:
    refusal(header(pdu_type, 3))


def test_the_reserved_byte_is_not_tested() -> None:
    reader = PduReader()
    reader.feed(b"\5\xff\0\0\0\4abcd")

    assert reader.next_pdu() == (5, b"abcd")


def test_the_limit_of_data_follows_the_negotiation() -> None:
    reader = PduReader(Limits(p_data=100))

    reader.maximum_p_data = 10
    refusal(header(P_DATA, 11), reader)

    reader = PduReader(Limits(p_data=100))
    reader.maximum_p_data = 200
    reader.feed(header(P_DATA, 150))
    assert reader.next_pdu() is None


def test_a_broken_stream_stays_broken() -> None:
    reader = PduReader()
    refusal(b"\xff", reader)
    refusal(b"\5\0\0\0\0\4abcd", reader)


def test_a_large_pdu_in_single_bytes_takes_linear_time_and_its_own_size() -> None:
    reader = PduReader()
    stream = header(P_DATA, DEFAULT.p_data) + bytes(DEFAULT.p_data)

    most = 0
    for at in range(0, len(stream), 7):
        assert reader.next_pdu() is None
        reader.feed(stream[at : at + 7])
        most = max(most, reader.buffered)

    assert most == len(stream)
    framed = reader.next_pdu()
    assert framed is not None
    assert len(framed[1]) == DEFAULT.p_data
    assert reader.buffered == 0


def test_many_pdus_fed_at_once_come_out_one_by_one() -> None:
    reader = PduReader()
    reader.feed(b"\5\0\0\0\0\4aaaa" * 1000 + b"\6\0\0")

    assert [reader.next_pdu() for _ in range(1000)] == [(5, b"aaaa")] * 1000
    assert reader.next_pdu() is None
    reader.feed(b"\0\0\4bbbb")
    assert reader.next_pdu() == (6, b"bbbb")
    assert reader.next_pdu() is None
