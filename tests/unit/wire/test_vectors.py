"""Every annotated and captured vector: whole, byte by byte, with bytes behind it, and cut at every length."""

from __future__ import annotations

import pytest
from tests.unit.wire import vectors

from leadglass.errors import RemoteProtocolError
from leadglass.wire import pdu
from leadglass.wire.framing import PduReader

ALL = {**vectors.ANNOTATED, **vectors.CAPTURED}
EACH = [pytest.param(encoded, id=name) for name, encoded in ALL.items()]
DCMTK = "1.2.276.0.7230010.3.0.3.6.7", "OFFIS_DCMTK_367"
PYNETDICOM = "1.2.826.0.1.3680043.9.3811.3.0.4", "PYNETDICOM_304"


def value(encoded: bytes) -> pdu.Pdu:
    return pdu.decode(encoded[0], encoded[6:])


def framed(*pieces: bytes) -> tuple[list[tuple[int, bytes]], int]:
    """The PDUs of a stream in pieces, and how many bytes are left waiting."""
    reader, found = PduReader(), []
    for piece in pieces:
        reader.feed(piece)
        while (one := reader.next_pdu()) is not None:
            found.append(one)
    return found, reader.buffered


@pytest.mark.parametrize("name", sorted(vectors.ANNOTATED))
def test_an_annotated_vector_means_what_its_annotations_say(name: str) -> None:
    assert value(vectors.ANNOTATED[name]) == vectors.ANNOTATED_VALUES[name]


@pytest.mark.parametrize("name", sorted(set(vectors.ANNOTATED) - {"associate-ac-padded"}))
def test_an_annotated_vector_is_what_we_encode(name: str) -> None:
    assert pdu.encode(value(vectors.ANNOTATED[name])) == vectors.ANNOTATED[name]


def test_padding_is_not_sent_back() -> None:
    padded = value(vectors.ANNOTATED["associate-ac-padded"])

    assert value(pdu.encode(padded)) == padded
    assert len(pdu.encode(padded)) < len(vectors.ANNOTATED["associate-ac-padded"])


def test_every_vector_survives_decoding_and_encoding() -> None:
    for encoded in ALL.values():
        assert value(pdu.encode(value(encoded))) == value(encoded)


@pytest.mark.parametrize("encoded", EACH)
def test_a_stream_is_the_same_whole_and_byte_by_byte(encoded: bytes) -> None:
    single = [encoded[at : at + 1] for at in range(len(encoded))]

    assert framed(encoded) == framed(*single) == ([(encoded[0], encoded[6:])], 0)


@pytest.mark.parametrize("encoded", EACH)
def test_what_follows_a_pdu_does_not_change_it(encoded: bytes) -> None:
    found, waiting = framed(encoded + encoded + encoded[:5])

    assert found == [(encoded[0], encoded[6:])] * 2
    assert waiting == 5


@pytest.mark.parametrize("encoded", EACH)
def test_a_stream_cut_anywhere_waits_for_more(encoded: bytes) -> None:
    for size in range(len(encoded)):
        assert framed(encoded[:size]) == ([], size)


@pytest.mark.parametrize("encoded", EACH)
def test_a_body_cut_anywhere_within_an_item_is_malformed(encoded: bytes) -> None:
    whole_items = set(vectors.item_ends(encoded)) if encoded[0] == 0x02 else whole_values(encoded)
    for size in range(6, len(encoded)):
        if size not in whole_items:
            with pytest.raises(RemoteProtocolError):
                pdu.decode(encoded[0], encoded[6:size])


def whole_values(encoded: bytes) -> set[int]:
    """Where a P-DATA-TF may be cut and still hold whole values; for all other PDUs nowhere."""
    ends, at = set[int](), 6
    while encoded[0] == 0x04 and at < len(encoded):
        at += 4 + int.from_bytes(encoded[at : at + 4], "big")
        ends.add(at)
    return ends


def test_an_answer_cut_between_items_shows_what_is_missing() -> None:
    encoded = vectors.CAPTURED["orthanc-associate"]
    nothing, application, *contexts, whole = (value(encoded[:at]) for at in vectors.item_ends(encoded))

    assert isinstance(nothing, pdu.AAssociateAC)
    assert isinstance(application, pdu.AAssociateAC)
    assert nothing.application_context_name is None
    assert application.application_context_name == "1.2.840.10008.3.1.1.1"
    assert [len(c.presentation_contexts) for c in contexts if isinstance(c, pdu.AAssociateAC)] == [1, 2, 3, 4]
    assert all(
        c.user_information == pdu.UserInformation() for c in contexts if isinstance(c, pdu.AAssociateAC)
    )
    assert whole == value(encoded)


@pytest.mark.parametrize(
    ("name", "identity", "maximum_length", "results"),
    [
        ("storescp-associate", DCMTK, 16384, (0, 3, 0, 3)),
        ("dcmqrscp-associate", DCMTK, 16384, (0, 0, 0, 3)),
        ("orthanc-associate", DCMTK, 16384, (0, 0, 0, 3)),
        ("pynetdicom-echoscp-associate", PYNETDICOM, 16382, (0, 3, 3, 3)),
    ],
)
def test_a_real_server_says_who_it_is(
    name: str, identity: tuple[str, str], maximum_length: int, results: tuple[int, ...]
) -> None:
    answer = value(vectors.CAPTURED[name])

    assert isinstance(answer, pdu.AAssociateAC)
    information = answer.user_information
    assert (information.implementation_class_uid, information.implementation_version_name) == identity
    assert information.maximum_length == maximum_length
    assert tuple(context.result for context in answer.presentation_contexts) == results
    assert information.item_order == (0x51, 0x52, 0x55)


def test_a_real_archive_rejects_a_title_it_does_not_have() -> None:
    assert value(vectors.CAPTURED["dcmqrscp-wrong-title-associate"]) == pdu.AAssociateRJ(1, 1, 7)


def test_a_real_archive_aborts_the_query_of_a_stranger() -> None:
    assert value(vectors.CAPTURED["orthanc-find"]) == pdu.AAbort(0, 0)
