"""Every request has an answer of the right kind, which names what the request named."""

from __future__ import annotations

import pytest

from leadglass.guard.dimse.answers import answer, away, fits
from leadglass.wire import dimse, uids
from leadglass.wire.command import decode_command, encode_command

REQUESTS: list[dimse.Message] = [
    dimse.CEchoRQ(7),
    dimse.CFindRQ(7, uids.STUDY_ROOT_FIND),
    dimse.CMoveRQ(7, uids.STUDY_ROOT_MOVE, "READER"),
    dimse.CGetRQ(7, uids.STUDY_ROOT_GET),
    dimse.CStoreRQ(7, uids.CT_IMAGE_STORAGE, "2.25.1"),
    dimse.NEventReportRQ(7, uids.STORAGE_COMMITMENT, "2.25.1", 1),
    dimse.NGetRQ(7, uids.MPPS, "2.25.1"),
    dimse.NSetRQ(7, uids.MPPS, "2.25.1"),
    dimse.NActionRQ(7, uids.STORAGE_COMMITMENT, "2.25.1", 1),
    dimse.NCreateRQ(7, uids.MPPS, "2.25.1"),
    dimse.NDeleteRQ(7, uids.MPPS, "2.25.1"),
]
ABOUT_INSTANCES = REQUESTS[4:]


def name(message: dimse.Message) -> str:
    return type(message).__name__


def test_there_is_a_request_of_every_kind_here() -> None:
    every = {kind for field, kind in dimse.MESSAGES.items() if field < 0x8000} - {dimse.CCancelRQ}
    assert {type(request) for request in REQUESTS} == every


@pytest.mark.parametrize("request_", REQUESTS, ids=name)
def test_an_answer_is_of_its_kind_and_names_what_was_asked(request_: dimse.Message) -> None:
    response = answer(request_, 0x0124, "x" * 100)
    assert response is not None
    read = decode_command(encode_command(response))

    assert read.COMMAND_FIELD == request_.COMMAND_FIELD | 0x8000
    assert read.message_id_being_responded_to == 7  # type: ignore[union-attr]  # a response
    assert read.status == 0x0124  # type: ignore[union-attr]
    assert read.error_comment == "x" * 64  # type: ignore[union-attr]  # LO (PS3.5 table 6.2-1)
    assert not dimse.has_data_set(read)
    asked = getattr(request_, "affected_sop_class_uid", None) or getattr(
        request_, "requested_sop_class_uid", None
    )
    assert read.affected_sop_class_uid == asked  # type: ignore[union-attr]
    if request_ in ABOUT_INSTANCES:
        assert read.affected_sop_instance_uid == "2.25.1"  # type: ignore[union-attr]


@pytest.mark.parametrize("request_", REQUESTS, ids=name)
def test_only_a_response_of_its_own_kind_fits_a_request(request_: dimse.Message) -> None:
    responses = [response for each in REQUESTS if (response := answer(each, 0)) is not None]

    assert [fits(request_, response) for response in responses] == [each is request_ for each in REQUESTS]
    assert not fits(request_, request_)


def test_a_cancel_has_no_answer() -> None:
    assert answer(dimse.CCancelRQ(7), 0) is None


def test_an_archive_that_is_away_is_told_in_the_words_of_the_service() -> None:
    told = {name(request): away(request) for request in REQUESTS}

    assert (told["CFindRQ"], told["CStoreRQ"], told["CMoveRQ"], told["CGetRQ"]) == (
        0xA700,
        0xA700,
        0xA702,
        0xA702,
    )
    assert {told[name(request)] for request in (REQUESTS[0], *REQUESTS[5:])} == {0x0110}
