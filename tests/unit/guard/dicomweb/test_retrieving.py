"""Retrievals through the whole door."""

from __future__ import annotations

import pytest
from tests.unit.guard.dicomweb.conversing import (
    ABSENT,
    HIDDEN,
    MINE,
    UNSEEN,
    Asked,
    Conversation,
    Desk,
    Reply,
    get,
    json_reply,
)

from leadglass.access.budgets import Measure
from leadglass.errors import ResourceError, TransportError
from leadglass.model.access import Action

KIND = 'multipart/related; type="application/dicom"; boundary=x'
OBJECTS = Reply(200, b"--x\r\n...", (("Content-Type", KIND), ("X-Secret", "1"), ("Server", "pacs")))
NOT_THERE = Reply(404, b"no study 1.2.3 of Doe^John", (("Content-Type", "text/plain"),))
EMPTY = Reply(404)


def wado(uid: str, series: str = "1.5", instance: str = "1.6") -> str:
    return f"/wado?requestType=WADO&studyUID={uid}&seriesUID={series}&objectUID={instance}"


def archive(asked: Asked) -> Reply:
    """Everything in every study but those that the guard made up."""
    return NOT_THERE if "2.25." in asked.target else OBJECTS


def test_what_is_permitted_passes_unread() -> None:
    talk = Conversation(archive).say(
        get(f"/dicom-web/studies/{MINE}", 'Accept: multipart/related; type="application/dicom"')
    )

    assert talk.asked[0].target == f"/archive/web/studies/{MINE}"
    assert talk.asked[0].headers["accept"] == 'multipart/related; type="application/dicom"'
    assert talk.answer.status == 200
    assert talk.answer.body == OBJECTS.body
    assert talk.answer.headers["content-type"] == KIND
    assert "x-secret" not in talk.answer.headers
    assert "server" not in talk.answer.headers
    assert talk.desk.written == [("retrieving", MINE), ("retrieved", (MINE, len(OBJECTS.body), ""))]
    assert talk.desk.counted[Measure.BYTES] == len(OBJECTS.body)
    assert talk.evened == 0


@pytest.mark.parametrize(
    "target",
    [
        "/dicom-web/studies/{}",
        "/dicom-web/studies/{}/metadata",
        "/dicom-web/studies/{}/rendered",
        "/dicom-web/studies/{}/series/1.5",
        "/dicom-web/studies/{}/series/1.5/metadata",
        "/dicom-web/studies/{}/series/1.5/instances/1.6",
        "/dicom-web/studies/{}/series/1.5/instances/1.6/frames/1",
        "/dicom-web/studies/{}/series/1.5/instances/1.6/rendered?viewport=1,1",
        "/dicom-web/studies/{}/series/1.5/instances/1.6/bulk/7fe00010",
        "/wado?requestType=WADO&studyUID={}&seriesUID=1.5&objectUID=1.6",
    ],
)
@pytest.mark.parametrize(
    "script", [archive, lambda asked: OBJECTS, lambda asked: EMPTY, lambda asked: Reply(400)]
)
def test_a_hidden_study_answers_like_one_that_does_not_exist(target: str, script: object) -> None:
    desk = Desk()
    desk.members = {(HIDDEN, "1.5", ""), (HIDDEN, "1.5", "1.6")}
    hidden = Conversation(script, desk).say(get(target.format(HIDDEN)))  # type: ignore[arg-type]
    absent = Conversation(script).say(get(target.format(ABSENT)))  # type: ignore[arg-type]

    assert hidden.sent == absent.sent
    assert hidden.answer.status in {400, 404}
    assert b"Doe" not in hidden.sent
    assert b"2.25" not in hidden.sent
    assert hidden.asked == absent.asked
    assert HIDDEN not in hidden.asked[0].target
    assert "1.5" not in hidden.asked[0].target
    assert hidden.closed == absent.closed
    assert hidden.refusals == absent.refusals == ["study", hidden.refusals[1]]
    assert hidden.dialled == absent.dialled == 1
    assert hidden.evened == absent.evened == 1


@pytest.mark.parametrize("target", ["/dicom-web/studies/{}", "/dicom-web/studies/{}/series", wado("{}")])
def test_what_is_remembered_is_refused_no_sooner_than_what_is_not(target: str) -> None:
    desk = Desk()
    desk.remembered_studies = {HIDDEN: UNSEEN, "1.2.4": None}

    looked_up = [
        len(Conversation(archive, Desk()).say(get(target.format(ABSENT))).desk.looked),
        len(Conversation(archive, desk).say(get(target.format(HIDDEN))).desk.looked),
        len(Conversation(archive, desk).say(get(target.format("1.2.4"))).desk.looked) - 1,
    ]
    assert looked_up == [1, 1, 1]
    assert HIDDEN not in desk.looked


def test_a_series_or_instance_of_another_study_does_not_exist() -> None:
    desk = Desk()
    desk.members = {(MINE, "1.5", ""), (MINE, "1.5", "1.6"), (HIDDEN, "1.7", "1.8")}

    for series, instance, there in (("1.5", "1.6", True), ("1.7", "1.8", False), ("1.5", "1.8", False)):
        path = f"/dicom-web/studies/{MINE}/series/{series}/instances/{instance}"
        found = Conversation(archive, desk).say(get(path + "/frames/1"))
        assert (found.answer.status == 200) is there
        assert (series in found.asked[0].target) is there
        assert Conversation(archive, desk).say(get(wado(MINE, series, instance))).answer.status == (
            200 if there else 404
        )
    assert Conversation(archive, desk).say(get(f"/dicom-web/studies/{MINE}/series/1.7")).answer.status == 404


def test_metadata_name_our_addresses() -> None:
    found = [{"7FE00010": {"vr": "OW", "BulkDataURI": f"http://pacs/archive/web/studies/{MINE}/bulk/1"}}]
    talk = Conversation(lambda asked: json_reply(found)).say(get(f"/dicom-web/studies/{MINE}/metadata"))

    assert b"pacs" not in talk.answer.body
    assert f'"https://guard.example/dicom-web/studies/{MINE}/bulk/1"'.encode() in talk.answer.body


def test_an_answer_without_a_length_goes_on_until_the_archive_closes() -> None:
    raw = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: image/jpeg\r\n\r\n" + b"x" * 100
    talk = Conversation(lambda asked: Reply(raw=raw, closes=True)).say(
        get(f"/dicom-web/studies/{MINE}/rendered")
    )

    assert talk.answer.body == b"x" * 100
    assert talk.answer.whole
    assert talk.closed == [0]


def test_chunks_of_the_archive_come_as_our_own() -> None:
    raw = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: image/jpeg\r\nTrailer: X\r\n\r\n"
        b"3;ext=1\r\nabc\r\n2\r\nde\r\n0\r\nX: 1\r\n\r\n"
    )
    talk = Conversation(lambda asked: Reply(raw=raw)).say(get(f"/dicom-web/studies/{MINE}/rendered"))

    assert talk.answer.body == b"abcde"
    assert b"ext" not in talk.sent
    assert b"X: 1" not in talk.sent
    assert talk.closed == [4.0]


def test_what_breaks_off_is_broken_off() -> None:
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nContent-Type: image/jpeg\r\n\r\nabc"
    talk = Conversation(lambda asked: Reply(raw=raw, closes=True)).say(
        get(f"/dicom-web/studies/{MINE}/rendered")
    )

    assert not talk.answer.whole
    assert talk.end == "aborted"
    assert talk.desk.written[-2][1][:2] == (MINE, 3)
    assert talk.desk.written[-2][1][2]


def test_when_the_client_leaves_so_does_the_archive() -> None:
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nContent-Type: image/jpeg\r\n\r\nabc"
    talk = Conversation(lambda asked: Reply(raw=raw)).say(get(f"/dicom-web/studies/{MINE}/rendered"))
    talk.leave()

    assert talk.closed == [0]
    assert talk.end == "aborted"
    assert talk.relay.over
    assert talk.desk.written[-1] == ("retrieved", (MINE, 3, "cut off"))


def test_a_service_that_is_not_open_is_forbidden_before_anything_is_looked_up() -> None:
    desk = Desk()
    desk.services = frozenset({Action.QIDO})
    talk = Conversation(archive, desk).say(get(f"/dicom-web/studies/{MINE}"))

    assert talk.answer.status == 403
    assert (talk.desk.looked, talk.asked) == ([], [])


@pytest.mark.parametrize("measure", [Measure.STUDIES, Measure.PATIENTS, Measure.BYTES])
def test_budgets_are_kept(measure: Measure) -> None:
    desk = Desk()
    desk.budgets = {measure: 0}
    talk = Conversation(archive, desk).say(get(f"/dicom-web/studies/{MINE}"))

    assert talk.answer.status == 429
    assert talk.asked == []


def test_what_cannot_be_written_down_is_not_done() -> None:
    desk = Desk()
    desk.broken = ResourceError("the disk is full")
    talk = Conversation(archive, desk).say(get(f"/dicom-web/studies/{MINE}"))

    assert talk.answer.status == 503
    assert talk.answer.headers["retry-after"] == "30"
    assert talk.asked == []


def test_an_archive_that_is_away_is_said_to_be_away() -> None:
    talk = Conversation(archive)
    talk.answering = False
    talk.say(get(f"/dicom-web/studies/{MINE}"))
    talk.relay.failed(TransportError("cannot be reached"), 0.0)
    talk.perform()

    assert talk.answer.status == 503
    assert b"reached" not in talk.sent


def test_a_kept_connection_that_was_closed_meanwhile_is_replaced() -> None:
    talk = Conversation(lambda asked: Reply(raw=b"", closes=True) if talk.dialled == 1 else OBJECTS)
    talk.kept_connection = True
    talk.say(get(f"/dicom-web/studies/{MINE}"))

    assert talk.answer.status == 200
    assert talk.dialled == 2


def test_a_new_connection_that_is_closed_is_not_tried_again() -> None:
    talk = Conversation(lambda asked: Reply(raw=b"", closes=True)).say(get(f"/dicom-web/studies/{MINE}"))

    assert talk.answer.status == 502
    assert talk.dialled == 1


def test_a_silent_archive_is_not_waited_for_for_ever() -> None:
    talk = Conversation(lambda asked: Reply(raw=b"")).say(get(f"/dicom-web/studies/{MINE}"))
    talk.wait(59)
    assert talk.sent == b""
    talk.wait(2)

    assert talk.answer.status == 504
    assert talk.closed == [0]


def test_an_archive_that_falls_silent_is_left() -> None:
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nContent-Type: image/jpeg\r\n\r\nabc"
    talk = Conversation(lambda asked: Reply(raw=raw)).say(get(f"/dicom-web/studies/{MINE}/rendered"))
    talk.wait(31)

    assert talk.end == "aborted"
    assert talk.closed == [0]


def test_time_in_which_the_client_did_not_read_does_not_count() -> None:
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nContent-Type: image/jpeg\r\n\r\nabc"
    talk = Conversation(lambda asked: Reply(raw=raw)).say(get(f"/dicom-web/studies/{MINE}/rendered"))
    talk.now += 100
    talk.relay.resumed(talk.now)
    talk.wait(29)
    talk.archive_says(b"x" * 97)

    assert talk.answer.whole


def test_a_media_type_must_be_told() -> None:
    talk = Conversation(lambda asked: Reply(200, b"x")).say(get(f"/dicom-web/studies/{MINE}/rendered"))

    assert talk.answer.status == 502
