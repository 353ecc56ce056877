"""Command sets: annotated bytes, what is forgiven and what is not, and every message there and back."""

from __future__ import annotations

import dataclasses
import struct

import pytest
from tests.unit.wire import vectors

from leadglass.errors import LocalProtocolError, RemoteProtocolError
from leadglass.wire import dimse, uids
from leadglass.wire.command import _remembered, decode_command, encode_command
from leadglass.wire.limits import Limits

MESSAGES = [
    dimse.CEchoRQ(1),
    dimse.CEchoRSP(1, 0),
    dimse.CEchoRSP(65535, 0x0122, uids.VERIFICATION, offending_element=(0x00100020, 0x00000900)),
    dimse.CStoreRQ(2, uids.CT_IMAGE_STORAGE, "2.25.7", dimse.Priority.LOW),
    dimse.CStoreRQ(2, uids.CT_IMAGE_STORAGE, "2.25.77", dimse.Priority.HIGH, "ODD", 65535),
    dimse.CStoreRSP(2, 0xA700, uids.CT_IMAGE_STORAGE, "2.25.7", error_comment="out of resources"),
    dimse.CFindRQ(3, uids.STUDY_ROOT_FIND),
    dimse.CFindRSP(3, 0xFF00, uids.STUDY_ROOT_FIND, dimse.DATA_SET),
    dimse.CFindRSP(3, 0x0000, uids.STUDY_ROOT_FIND),
    dimse.CCancelRQ(3),
    dimse.CGetRQ(4, uids.STUDY_ROOT_GET),
    dimse.CGetRSP(4, 0xFF00, uids.STUDY_ROOT_GET, 1, 2, 3, 4),
    dimse.CMoveRQ(5, uids.STUDY_ROOT_MOVE, "ELSEWHERE"),
    dimse.CMoveRSP(5, 0xA801, uids.STUDY_ROOT_MOVE, 0, 0, 0, 0, dimse.DATA_SET),
    dimse.NEventReportRQ(6, uids.STORAGE_COMMITMENT, "2.25.7", 1),
    dimse.NEventReportRSP(6, 0x0000, uids.STORAGE_COMMITMENT, "2.25.77", 1),
    dimse.NEventReportRSP(6, 0x0113, event_type_id=9, error_id=65535, error_comment="no such event"),
    dimse.NGetRQ(7, uids.MPPS, "2.25.7", (0x00400252, 0x00080060)),
    dimse.NGetRQ(7, uids.MPPS, "2.25.7"),
    dimse.NGetRSP(7, 0x0107, uids.MPPS, "2.25.7", dimse.DATA_SET, (0x00100010,)),
    dimse.NSetRQ(8, uids.MPPS, "2.25.77"),
    dimse.NSetRSP(8, 0x0110, uids.MPPS, "2.25.7", attribute_identifier_list=(0x00400252,), error_id=1),
    dimse.NActionRQ(9, uids.STORAGE_COMMITMENT, "1.2.840.10008.1.20.1.1", 1),
    dimse.NActionRSP(9, 0x0000, uids.STORAGE_COMMITMENT, "1.2.840.10008.1.20.1.1", 1),
    dimse.NCreateRQ(10, uids.MPPS, "2.25.7"),
    dimse.NCreateRQ(10, uids.MPPS),
    dimse.NCreateRSP(10, 0x0120, uids.MPPS, "2.25.7", attribute_identifier_list=(0x00400253,)),
    dimse.NDeleteRQ(11, uids.MPPS, "2.25.7"),
    dimse.NDeleteRSP(11, 0x0124, uids.MPPS, "2.25.7", error_comment="not authorised"),
]
EACH = [pytest.param(message, id=f"{type(message).__name__}-{at}") for at, message in enumerate(MESSAGES)]


def element(tag: int, value: bytes, *, group: int = 0, length: int | None = None) -> bytes:
    return struct.pack("<HHL", group, tag, len(value) if length is None else length) + value


def us(tag: int, value: int) -> bytes:
    return element(tag, struct.pack("<H", value))


def command_set(*elements: bytes, group_length: int | None = None) -> bytes:
    body = b"".join(elements)
    return element(0, struct.pack("<L", len(body) if group_length is None else group_length)) + body


FIELDS = [
    element(0x0002, b"1.2.840.10008.1.1\0"),
    us(0x0100, 0x8030),
    us(0x0120, 1),
    us(0x0800, 0x0101),
    us(0x0900, 0),
]
ECHO_RSP = command_set(*FIELDS)


def with_field(at: int, replacement: bytes) -> bytes:
    return command_set(*FIELDS[:at], replacement, *FIELDS[at + 1 :])


# ---- there and back


@pytest.mark.parametrize("message", EACH)
def test_a_message_survives_encoding_and_decoding(message: dimse.Message) -> None:
    assert decode_command(encode_command(message)) == message


@pytest.mark.parametrize("message", EACH)
def test_a_command_set_is_even_ascending_and_counts_itself(message: dimse.Message) -> None:
    encoded = encode_command(message)
    tags, at = [], 0
    while at < len(encoded):
        group, tag, length = struct.unpack_from("<HHL", encoded, at)
        assert (group, length % 2) == (0, 0)
        tags.append(tag)
        at += 8 + length

    assert at == len(encoded)
    assert tags == sorted(set(tags))
    assert encoded[:12] == struct.pack("<HHLL", 0, 0, 4, len(encoded) - 12)


@pytest.mark.parametrize("message", EACH)
def test_a_command_set_cut_anywhere_is_malformed(message: dimse.Message) -> None:
    encoded = encode_command(message)

    for size in range(len(encoded)):
        with pytest.raises(RemoteProtocolError):
            decode_command(encoded[:size])


def test_every_service_is_known_by_its_command_field() -> None:
    requests = {0x0001, 0x0010, 0x0020, 0x0021, 0x0030, 0x0100, 0x0110, 0x0120, 0x0130, 0x0140, 0x0150}

    assert set(dimse.MESSAGES) == requests | {0x8000 | request for request in requests} | {0x0FFF}
    assert {type(message) for message in MESSAGES} == set(dimse.MESSAGES.values())


@pytest.mark.parametrize("kind", dimse.MESSAGES.values())
def test_every_field_of_a_message_is_an_element(kind: type[dimse.Message]) -> None:
    assert {f.name for f in dataclasses.fields(kind)} == {e.name for e in kind.ELEMENTS}
    required = {f.name for f in dataclasses.fields(kind) if f.default is dataclasses.MISSING}

    assert required <= {e.name for e in kind.ELEMENTS if e.required}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("storescp-echo", dimse.CEchoRSP(1, 0, uids.VERIFICATION)),
        ("dcmqrscp-echo", dimse.CEchoRSP(1, 0, uids.VERIFICATION)),
        ("orthanc-echo", dimse.CEchoRSP(1, 0, uids.VERIFICATION)),
        ("pynetdicom-echoscp-echo", dimse.CEchoRSP(1, 0, uids.VERIFICATION)),
        ("dcmqrscp-find", dimse.CFindRSP(2, 0, uids.STUDY_ROOT_FIND)),
        ("echoscu-data", dimse.CEchoRQ(1)),
        ("findscu-data", dimse.CFindRQ(1, uids.STUDY_ROOT_FIND)),
    ],
)
def test_what_real_peers_sent_is_understood_and_is_what_we_would_send(
    name: str, message: dimse.Message
) -> None:
    captured = vectors.CAPTURED[name][12:]

    assert decode_command(captured) == message
    assert encode_command(message) == captured


# ---- forgiven


@pytest.mark.parametrize("tag", [0x0001, 0x0003, 0x0010, 0x0902, 0x5110, 0xFFFF])
def test_an_element_that_the_message_does_not_have_is_skipped(tag: int) -> None:
    mixed = sorted([*FIELDS, element(tag, b"whatever")], key=lambda e: int.from_bytes(e[2:4], "little"))

    decoded = decode_command(command_set(*mixed))

    comment = "whatever" if tag == 0x0902 else None
    assert decoded == dimse.CEchoRSP(1, 0, uids.VERIFICATION, error_comment=comment)


def test_a_missing_group_length_contradicts_nothing() -> None:
    assert decode_command(b"".join(FIELDS)) == decode_command(ECHO_RSP)


@pytest.mark.parametrize("padding", [b"", b"\0", b" ", b"\0\0\0", b" \0"])
def test_padding_of_any_kind_is_not_part_of_a_uid(padding: bytes) -> None:
    padded = with_field(0, element(0x0002, b"1.2.840.10008.1.1" + padding))

    assert decode_command(padded) == dimse.CEchoRSP(1, 0, uids.VERIFICATION)


def test_a_long_comment_does_not_hide_the_status_beside_it() -> None:
    decoded = decode_command(command_set(*FIELDS[:-1], us(0x0900, 0x0122), element(0x0902, b"x" * 1000)))

    assert decoded == dimse.CEchoRSP(1, 0x0122, uids.VERIFICATION, error_comment="x" * 64)


def test_free_text_and_instances_are_not_in_what_is_printed() -> None:
    response = dimse.CStoreRSP(2, 0xC000, uids.CT_IMAGE_STORAGE, "2.25.7", error_comment="Doe^Jane")

    assert "Jane" not in repr(response)
    assert "2.25.7" not in repr(response)


@pytest.mark.parametrize("message", EACH)
def test_no_message_prints_an_instance(message: dimse.Message) -> None:
    shown = repr(message)

    assert "2.25.7" not in shown
    assert "1.20.1.1" not in shown
    assert "comment" not in shown


def test_bytes_that_are_not_ascii_are_never_another_error() -> None:
    strange = command_set(*FIELDS, element(0x0902, b"\xff\xfe\xc3"))

    assert decode_command(strange) == dimse.CEchoRSP(1, 0, uids.VERIFICATION, error_comment="ÿþÃ")


# ---- not forgiven


@pytest.mark.parametrize(
    ("data", "what"),
    [
        pytest.param(b"", "without a known command field", id="nothing"),
        pytest.param(command_set(*FIELDS[:1], *FIELDS[2:]), "without a known", id="no command field"),
        pytest.param(with_field(1, us(0x0100, 0x0160)), "known command field", id="an unknown service"),
        pytest.param(with_field(1, us(0x0100, 0x0130)), "NActionRQ without requested", id="another service"),
        pytest.param(
            with_field(1, element(0x0100, b"\x30\x80\0\0")), "command field", id="a long command field"
        ),
        pytest.param(with_field(1, element(0x0100, b"\x30")), "command field", id="a short command field"),
        pytest.param(with_field(4, b""), "a CEchoRSP without status", id="no status"),
        pytest.param(with_field(3, b""), "without command_data_set_type", id="no data set type"),
        pytest.param(with_field(2, element(0x0120, b"\1")), "1 bytes instead of 2", id="a short number"),
        pytest.param(with_field(2, element(0x0120, b"\1\0\0\0")), "4 bytes instead of 2", id="a long number"),
        pytest.param(command_set(*FIELDS, element(0x0901, b"\0\0\2")), "multiple of 4", id="half a tag"),
        pytest.param(command_set(*reversed(FIELDS)), "out of order", id="descending"),
        pytest.param(command_set(*FIELDS, FIELDS[-1]), "out of order", id="twice"),
        pytest.param(command_set(*FIELDS, element(0x1000, b"", group=8)), "does not fit", id="another group"),
        pytest.param(
            command_set(*FIELDS, element(0x1000, b"x", length=2)), "does not fit", id="a long length"
        ),
        pytest.param(
            command_set(*FIELDS, element(0x1000, b"", length=0xFFFFFFFF)), "does not fit", id="a sequence"
        ),
        pytest.param(command_set(*FIELDS) + b"\0\0\0\x10\0\0\0", "cut short", id="seven bytes too many"),
        pytest.param(command_set(*FIELDS, group_length=1), "group length", id="a wrong group length"),
        pytest.param(element(0, b"\0\0") + b"".join(FIELDS), "group length", id="a short group length"),
        pytest.param(with_field(0, element(0x0002, b"1" * 66)), "more than 64", id="a long UID"),
    ],
)
def test_a_command_set_that_breaks_the_standard_is_malformed(data: bytes, what: str) -> None:
    with pytest.raises(RemoteProtocolError, match=what):
        decode_command(data)


def test_a_large_command_set_is_refused() -> None:
    large = command_set(*FIELDS, element(0x1000, b"", length=None), element(0x5000, bytes(200)))

    decode_command(large, Limits(command=len(large)))
    with pytest.raises(RemoteProtocolError, match="bytes, more than"):
        decode_command(large, Limits(command=len(large) - 1))


def test_too_many_elements_are_refused() -> None:
    many = [element(0x2000 + tag, b"") for tag in range(250)]

    decode_command(command_set(*FIELDS, *many))
    with pytest.raises(RemoteProtocolError, match="more than 256 elements"):
        decode_command(command_set(*FIELDS, *many, element(0x3000, b"")))


@pytest.mark.parametrize(
    "message",
    [
        dimse.CEchoRQ(65536),
        dimse.CEchoRQ(-1),
        dimse.CFindRQ(1, "Ω"),
        dimse.CEchoRSP(1, 0, offending_element=(2**32,)),
    ],
)
def test_what_does_not_fit_its_element_is_our_own_error(message: dimse.Message) -> None:
    with pytest.raises(LocalProtocolError):
        encode_command(message)


# ---- what is remembered


def test_plain_answers_are_decoded_once() -> None:
    again = bytes(bytearray(ECHO_RSP))

    assert decode_command(ECHO_RSP) is decode_command(again)


@pytest.mark.parametrize(
    "message",
    [
        dimse.CStoreRQ(2, uids.CT_IMAGE_STORAGE, "2.25.7"),
        dimse.CFindRSP(2, 0xC000, error_comment="Doe^Jane"),
        dimse.CMoveRQ(5, uids.STUDY_ROOT_MOVE, "ELSEWHERE"),
        dimse.NSetRQ(6, uids.MPPS, "2.25.7"),
        dimse.NCreateRSP(6, 0, uids.MPPS, "2.25.7"),
    ],
)
def test_nothing_that_may_name_somebody_is_remembered(message: dimse.Message) -> None:
    encoded = encode_command(message)

    assert decode_command(encoded) is not decode_command(encoded)


def test_what_is_remembered_is_bounded_and_respects_the_limits() -> None:
    for message_id in range(1000):
        assert decode_command(encode_command(dimse.CEchoRQ(message_id))) == dimse.CEchoRQ(message_id)
        assert len(_remembered) <= 256
    assert decode_command(ECHO_RSP) in _remembered.values()
    with pytest.raises(RemoteProtocolError):
        decode_command(ECHO_RSP, Limits(command=10))
