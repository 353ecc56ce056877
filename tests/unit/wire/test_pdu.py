"""The smaller PDUs: fixed ones, and P-DATA-TF with its values."""

from __future__ import annotations

import pytest

from leadglass.errors import RemoteProtocolError
from leadglass.wire import pdu
from leadglass.wire.limits import DEFAULT


def p_data(*values: bytes) -> pdu.PDataTF:
    decoded = pdu.decode(0x04, b"".join(values))
    assert isinstance(decoded, pdu.PDataTF)
    return decoded


def value(control: int, data: bytes = b"", context_id: int = 1, length: int | None = None) -> bytes:
    size = len(data) + 2 if length is None else length
    return size.to_bytes(4, "big") + bytes((context_id, control)) + data


@pytest.mark.parametrize("pdu_type", [0, 8, 255, 0x48, -1])
def test_an_unknown_type_is_refused(pdu_type: int) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        pdu.decode(pdu_type, b"")

    assert caught.value.abort_reason == 1


@pytest.mark.parametrize("pdu_type", [3, 5, 6, 7])
def test_a_fixed_pdu_of_another_size_is_malformed(pdu_type: int) -> None:
    for size in (0, 1, 2, 3, 5, 68):
        with pytest.raises(RemoteProtocolError, match=f"{size} bytes instead of 4"):
            pdu.decode(pdu_type, bytes(size))


@pytest.mark.parametrize("triple", [(1, 1, 3), (2, 3, 2), (0, 0, 0), (255, 255, 255)])
def test_a_rejection_keeps_its_three_numbers_whatever_they_are(triple: tuple[int, int, int]) -> None:
    assert pdu.decode(3, bytes((9, *triple))) == pdu.AAssociateRJ(*triple)


def test_only_the_two_low_bits_of_a_control_header_count() -> None:
    for control in range(256):
        (decoded,) = p_data(value(control, b"xy")).pdvs

        assert (decoded.is_command, decoded.is_last) == (bool(control & 1), bool(control & 2))
        assert decoded.data == b"xy"


def test_data_set_fragments_are_views_and_command_fragments_are_not() -> None:
    command, data_set = p_data(value(3, b"ab"), value(2, b"cd")).pdvs

    assert type(command.data) is bytes
    assert isinstance(data_set.data, memoryview)
    assert data_set.data.readonly


@pytest.mark.parametrize("context_id", [0, 2, 254])
def test_data_on_an_even_context_is_malformed(context_id: int) -> None:
    with pytest.raises(RemoteProtocolError, match="is not odd"):
        p_data(value(3, b"x", context_id))


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="no value"),
        pytest.param(value(3, length=1), id="a length without room for the header"),
        pytest.param(value(3, length=0), id="no length"),
        pytest.param(value(3, b"x", length=4), id="a value that is cut"),
        pytest.param(value(3, b"x", length=2), id="a byte between values"),
        pytest.param(value(3, b"x") + b"\0\0\0\2\1", id="a second value that is cut"),
        pytest.param(value(3, length=0xFFFFFFFF), id="four gigabytes"),
    ],
)
def test_values_that_do_not_fill_their_pdu_are_malformed(body: bytes) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        p_data(body)

    assert caught.value.abort_reason == 6


def test_too_many_values_are_refused() -> None:
    assert len(p_data(*[value(0)] * DEFAULT.pdvs).pdvs) == DEFAULT.pdvs
    with pytest.raises(RemoteProtocolError, match="more than 256 values"):
        p_data(*[value(0)] * (DEFAULT.pdvs + 1))


def test_values_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        pdu.AAbort(0, 0).source = 1  # type: ignore[misc]
