"""Searches through the whole door: what the archive is asked, what of its answer the client sees."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import pytest
from tests.unit.guard.dicomweb.conversing import (
    ABSENT,
    HIDDEN,
    MINE,
    Asked,
    Conversation,
    Desk,
    Reply,
    get,
    json_reply,
)

from leadglass.access.budgets import Measure
from leadglass.errors import ResourceError
from leadglass.guard.dicomweb import query
from leadglass.model.access import Action, Study


def match(uid: str, institution: str | None = None, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"0020000D": {"vr": "UI", "Value": [uid]}, **more}
    if institution is not None:
        found["00080080"] = {"vr": "LO", "Value": [institution]}
    return found


def uids(conversation: Conversation) -> list[str]:
    return [found["0020000D"]["Value"][0] for found in json.loads(conversation.answer.body)]


def pages(everything: list[dict[str, Any]], most: int = 1000) -> Callable[[Asked], Reply]:
    """An archive with these matches, that sends at most ``most`` at once and says so."""

    def script(asked: Asked) -> Reply:
        told = dict(parse_qsl(asked.target.partition("?")[2]))
        start, limit = int(told.get("offset", 0)), min(int(told.get("limit", most)), most)
        found = everything[start : start + limit]
        more = start + limit < len(everything)
        warning = [("Warning", '299 pacs "There are more"')] if more else []
        return json_reply(found, *warning) if found else Reply(204)

    return script


def test_visible_matches_pass_and_hidden_ones_leave_no_trace() -> None:
    found = [match(MINE, "North"), match(HIDDEN, "South"), match("1.2.7", "North")]
    talk = Conversation(pages(found)).say(
        get("/dicom-web/studies?PatientName=A*&includefield=InstitutionName")
    )

    assert json.loads(talk.answer.body) == [found[0], found[2]]
    assert talk.answer.headers["content-type"] == "application/dicom+json"
    assert talk.answer.headers["content-length"] == str(len(talk.answer.body))
    assert talk.answer.headers["cache-control"] == "no-store"
    assert HIDDEN.encode() not in talk.sent
    assert talk.asked[0].target.startswith("/archive/web/studies?PatientName=A*&includefield=InstitutionName")
    assert talk.asked[0].headers["host"] == "archive.example:8042"
    assert talk.desk.looked == []
    assert talk.closed == [4.0]
    assert talk.end is None


def test_what_the_guard_asked_for_itself_is_taken_out_again() -> None:
    talk = Conversation(pages([match(MINE, "North")])).say(get("/dicom-web/studies"))

    assert json.loads(talk.answer.body) == [match(MINE)]


def test_a_match_that_does_not_tell_enough_is_looked_up() -> None:
    found = [match(MINE), match(HIDDEN), match(ABSENT), match(MINE)]
    talk = Conversation(pages(found)).say(get("/dicom-web/studies"))

    assert uids(talk) == [MINE, MINE]
    assert talk.desk.looked == [MINE, HIDDEN, ABSENT]


def test_a_value_that_the_client_brought_along_is_looked_up() -> None:
    talk = Conversation(pages([match(HIDDEN, "North")])).say(get("/dicom-web/studies?InstitutionName=North"))

    assert talk.answer.status == 204
    assert talk.desk.looked == [HIDDEN]


def test_nothing_visible_is_the_same_as_nothing() -> None:
    nothing = Conversation(pages([])).say(get("/dicom-web/studies"))
    hidden = Conversation(pages([match(HIDDEN, "South")])).say(get("/dicom-web/studies"))
    empty = Conversation(lambda asked: json_reply([])).say(get("/dicom-web/studies"))

    assert nothing.sent == hidden.sent == empty.sent
    assert nothing.answer.status == 204


@pytest.mark.parametrize(
    ("asked", "waits"),
    [
        ("studies", 0),
        (f"studies?StudyInstanceUID={MINE}", 0),
        (f"studies?StudyInstanceUID={MINE},{HIDDEN}", 1),
        (f"studies?0020000D={MINE}%5C1.2.9", 1),
        ("studies?PatientName=A*,B*", 0),
        ("studies?limit=1&offset=1", 1),
    ],
)
def test_a_search_that_shows_less_than_was_asked_for_waits(asked: str, waits: int) -> None:
    found = [match(MINE, "North"), match(HIDDEN, "South")]

    assert Conversation(pages(found)).say(get(f"/dicom-web/{asked}")).evened == waits
    assert Conversation(pages(found[1:])).say(get(f"/dicom-web/{asked}")).evened == 1
    assert Conversation(pages([])).say(get(f"/dicom-web/{asked}")).evened == 1


def test_offsets_and_limits_count_what_is_visible() -> None:
    everything = [match(f"1.2.{n}", "North" if n % 3 == 0 else "South") for n in range(300)]
    talk = Conversation(pages(everything, 50)).say(get("/dicom-web/studies?offset=10&limit=5"))

    assert uids(talk) == [f"1.2.{n}" for n in (30, 33, 36, 39, 42)]


def test_pages_are_asked_for_until_enough_is_visible() -> None:
    everything = [match(f"1.2.{n}", "North" if n > 250 else "South") for n in range(300)]
    talk = Conversation(pages(everything, 100)).say(get("/dicom-web/studies?limit=7"))

    assert uids(talk) == [f"1.2.{n}" for n in range(251, 258)]
    assert len(talk.asked) > 2
    assert "299" not in talk.sent.decode()
    assert "arning" not in talk.sent.decode()


def test_the_rest_of_a_page_that_is_not_needed_is_not_read() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99999\r\n\r\n"
    page = json.dumps([match(f"1.2.{n}", "North") for n in range(50)]).encode()
    talk = Conversation(lambda asked: Reply(raw=head + page)).say(get("/dicom-web/studies?limit=1"))

    assert uids(talk) == ["1.2.0"]
    assert talk.closed == [0]


def test_no_headers_of_the_archive_pass() -> None:
    script = pages([match(MINE, "North")])

    def telling(asked: Asked) -> Reply:
        reply = script(asked)
        return reply._replace(
            headers=(*reply.headers, ("X-Total-Count", "99"), ("Set-Cookie", "a=b"), ("Server", "x"))
        )

    talk = Conversation(telling).say(get("/dicom-web/studies"))

    assert talk.answer.headers.keys() == {
        "date",
        "cache-control",
        "x-content-type-options",
        "content-security-policy",
        "referrer-policy",
        "content-type",
        "content-length",
    }


@pytest.mark.parametrize("path", ["/dicom-web/series", "/dicom-web/instances"])
def test_series_and_instances_of_hidden_studies_are_hidden(path: str) -> None:
    # What a match says of its series is not what is known of the study.
    found = [match(MINE, "South"), match(HIDDEN, "North"), {"0020000E": {"Value": ["1.2"]}}]
    talk = Conversation(pages(found)).say(get(path))

    assert uids(talk) == [MINE]
    assert talk.desk.looked == [MINE, HIDDEN]


def test_in_a_permitted_study_matches_need_not_name_it() -> None:
    unclear = {"0020000D": {"vr": "UI", "value": [HIDDEN]}}
    found = [{"0020000E": {"vr": "UI", "Value": ["1.2.5"]}}, match(MINE), match(HIDDEN), unclear]
    talk = Conversation(pages(found)).say(get(f"/dicom-web/studies/{MINE}/series?Modality=CT"))

    assert json.loads(talk.answer.body) == found[:2]
    assert talk.asked[0].target == f"/archive/web/studies/{MINE}/series?Modality=CT"


def test_in_a_hidden_study_the_archive_is_asked_for_one_that_does_not_exist() -> None:
    answers = []
    for uid in (HIDDEN, ABSENT):
        talk = Conversation(pages([])).say(get(f"/dicom-web/studies/{uid}/series"))
        assert talk.asked[0].target == "/archive/web/studies/2.25.1/series"
        assert talk.refusals == ["study"]
        answers.append(talk.sent)

    assert answers[0] == answers[1]


def test_an_archive_that_ignores_the_study_of_a_path_tells_nothing() -> None:
    talk = Conversation(pages([match(HIDDEN), {"0020000E": {}}])).say(
        get(f"/dicom-web/studies/{HIDDEN}/series")
    )

    assert talk.answer.status == 204


def test_a_series_of_another_study_cannot_be_searched_through_ones_own() -> None:
    talk = Conversation(pages([])).say(get(f"/dicom-web/studies/{MINE}/series/1.2.5/instances"))

    assert talk.asked[0].target == "/archive/web/studies/2.25.1/series/2.25.2/instances"


def test_a_long_answer_streams() -> None:
    everything = [match(f"1.2.{n}", "North", **{"00081030": {"Value": ["x" * 1000]}}) for n in range(1, 500)]
    talk = Conversation(pages(everything, 10_000)).say(get("/dicom-web/studies"))

    assert talk.answer.headers["transfer-encoding"] == "chunked"
    assert uids(talk) == [f"1.2.{n}" for n in range(1, 500)]


# ---- what is refused


def test_a_service_that_is_not_open_is_forbidden() -> None:
    desk = Desk()
    desk.services = frozenset({Action.WADO})
    talk = Conversation(pages([]), desk).say(get("/dicom-web/studies"))

    assert talk.answer.status == 403
    assert talk.asked == []


def test_budgets_of_queries_and_matches_are_kept() -> None:
    desk = Desk()
    desk.budgets = {Measure.QUERIES: 1, Measure.MATCHES: 2}
    found = [match(f"1.2.{n}", "North") for n in range(3)]

    talk = Conversation(pages(found[:2]), desk)
    assert talk.say(get("/dicom-web/studies")).answer.status == 200
    assert talk.say(get("/dicom-web/studies")).answers[1].status == 429
    assert talk.answers[1].headers["retry-after"] == "60"
    assert talk.refusals == ["budget"]

    desk = Desk()
    desk.budgets = {Measure.MATCHES: 2}
    assert Conversation(pages(found), desk).say(get("/dicom-web/studies")).answer.status == 429


def test_what_cannot_be_written_down_is_not_done() -> None:
    desk = Desk()
    desk.broken = ResourceError("the disk is full")
    talk = Conversation(pages([]), desk).say(get("/dicom-web/studies"))

    assert talk.answer.status == 503
    assert talk.asked == []
    assert talk.refusals == ["absent"]


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, b"<html>", (("Content-Type", "text/html"),)),
        Reply(200, b"[]"),
        json_reply({"a": 1}),
        json_reply([1]),
        Reply(200, b'[{"a":', (("Content-Type", "application/dicom+json"),)),
        Reply(200, b"[" * 100_000, (("Content-Type", "application/dicom+json"),)),
        Reply(200, b"x" * 100, (("Content-Type", "application/dicom+json"), ("Content-Encoding", "gzip"))),
        Reply(200, b"[]", (("Content-Type", "nonsense"),)),
        Reply(302, b"", (("Location", "http://elsewhere/"),)),
        Reply(401, b"secret"),
        Reply(500, b"trace of patient Doe"),
        Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n"),
        Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        Reply(raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"),
        Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\n"),
        Reply(raw=b"HTTP/1.1 200 OK\r\nX: a\r\n folded\r\n\r\n"),
        Reply(raw=b"HTTP/1.1 200 OK\nContent-Length: 0\n\n", closes=True),
        Reply(raw=b"HTTP/1.1 101 Switching\r\n\r\n"),
        Reply(raw=b"HTTP/1.1 100 Continue\r\n\r\n" * 9),
        Reply(raw=b"HTTP/1.1 999 What\r\n\r\n"),
        Reply(raw=b"HTTP/2.0 200 OK\r\n\r\n"),
        Reply(raw=b"\x15\x03\x01\0\2\2\x0a"),
        Reply(raw=b"nonsense\r\n\r\n"),
        Reply(raw=b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000),
        Reply(
            raw=b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n[",
            closes=True,
        ),
        Reply(raw=b"", closes=True),
    ],
)
def test_an_archive_that_answers_nonsense_is_a_bad_gateway(reply: Reply) -> None:
    talk = Conversation(lambda asked: reply).say(get("/dicom-web/studies"))

    assert talk.answer.status == 502
    assert b"Doe" not in talk.sent
    assert talk.closed[-1] == 0 or reply.raw is None


def test_an_answer_that_breaks_off_after_it_began_is_broken_off() -> None:
    everything = [match(f"1.2.{n}", "North", **{"00081030": {"Value": ["x" * 1000]}}) for n in range(1, 200)]
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
    talk = Conversation(lambda asked: Reply(raw=head + json.dumps(everything).encode()[:-1]))
    talk.say(get("/dicom-web/studies"))
    talk.archive_says(b",nonsense]")

    assert talk.end == "aborted"
    assert not talk.answer.whole


def test_an_archive_with_too_many_hidden_matches_is_not_searched_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(query, "_MOST_SCANNED", 3000)
    page = json_reply([match(HIDDEN, "South")] * 1000, ("Warning", "299 x more"))
    talk = Conversation(lambda asked: page).say(get("/dicom-web/studies?limit=1"))

    assert talk.answer.status == 413
    assert len(talk.asked) == 3


def test_looking_up_needs_an_answer() -> None:
    talk = Conversation(pages([match(MINE)]))
    talk.answering = False
    talk.say(get("/dicom-web/studies"))
    talk.wait(31)

    assert talk.answer.status == 503


def test_labels_come_from_the_archive_too() -> None:
    desk = Desk(Study(MINE, institution="North"))
    desk.reads = frozenset({"institution", "labels"})
    talk = Conversation(pages([match(MINE, "North")]), desk).say(get("/dicom-web/studies"))

    assert desk.looked == [MINE]
    assert uids(talk) == [MINE]
