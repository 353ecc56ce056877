"""The connection itself: framing, identities, patience."""

from __future__ import annotations

import dataclasses

import pytest
from tests.unit.guard.dicomweb.conversing import (
    DOOR,
    MINE,
    Asked,
    Conversation,
    Desk,
    Reply,
    get,
    json_reply,
    refusal,
)

from leadglass.guard.dicomweb.configured import login_of
from leadglass.guard.dicomweb.ports import Door
from leadglass.model.access import Action

OK = Reply(200, b"image", (("Content-Type", "image/jpeg"),))
RENDERED = f"/dicom-web/studies/{MINE}/rendered"


def archive(asked: Asked) -> Reply:
    return OK


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_requests_are_understood_however_they_are_cut(size: int) -> None:
    talk = Conversation(archive).say(get(RENDERED), size).say(get(RENDERED), size)

    assert [answer.status for answer in talk.answers] == [200, 200]
    assert talk.end is None
    assert talk.dialled == 2  # each time from the pool, as far as the pool has one


def test_a_connection_ends_when_the_client_wants_it() -> None:
    talk = Conversation(archive).say(get(RENDERED, "Connection: close"))

    assert talk.answer.status == 200
    assert talk.answer.headers["connection"] == "close"
    assert talk.end == "closed"
    assert talk.relay.over


def test_http_1_0_is_understood() -> None:
    talk = Conversation(archive).say(get(RENDERED).replace(b"HTTP/1.1", b"HTTP/1.0"))

    assert talk.answer.body == b"image"
    assert talk.end == "closed"


def test_answers_forbid_to_be_kept_or_run() -> None:
    for raw in (get(RENDERED), get("/dicom-web/nothing"), get("/x\x00")):
        headers = Conversation(archive).say(raw).answer.headers
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in headers["content-security-policy"]
        assert "server" not in headers


# ---- what the archive hears


def test_the_archive_hears_nothing_of_the_clients_headers() -> None:
    talk = Conversation(archive).say(
        get(
            RENDERED,
            "Authorization: Bearer secret",
            "Cookie: session=1",
            "Accept-Encoding: gzip",
            "Connection: keep-alive, X-Hop",
            "X-Hop: 1",
            "X-Forwarded-For: 127.0.0.1",
            "Forwarded: for=127.0.0.1;host=archive",
            "Proxy-Authorization: Basic x",
            "Range: bytes=0-1",
            "If-None-Match: x",
            "TE: trailers",
            "X-HTTP-Method-Override: DELETE",
            "X-Original-URL: /system",
            "X-Rewrite-URL: /system",
            "Accept: image/jpeg",
        )
    )

    assert talk.asked[0].headers == {
        "host": "archive.example:8042",
        "user-agent": "leadglass",
        "accept": "image/jpeg",
    }


def test_the_archive_hears_the_guards_own_password_and_nobody_elses() -> None:
    talk = Conversation(archive, door=dataclasses.replace(DOOR, login=login_of("guard", "wörd")))
    talk.say(get(RENDERED, "Authorization: Bearer secret"))

    assert talk.asked[0].headers["authorization"] == "Basic Z3VhcmQ6d8O2cmQ="
    assert b"Z3VhcmQ6d8O2cmQ" not in talk.sent
    assert "Z3VhcmQ6d8O2cmQ" not in repr(talk.relay) + repr(dataclasses.replace(DOOR, login="Basic Z3VhcmQ6"))


# ---- smuggling: more than one request in what looks like one


@pytest.mark.parametrize(
    "raw",
    [
        get(RENDERED, "Content-Length: 5", "Transfer-Encoding: chunked") + b"0\r\n\r\n",
        get(RENDERED, "Content-Length: 30") + get("/dicom-web/studies"),
        get(RENDERED, "Transfer-Encoding: chunked") + b"0\r\n\r\n" + get("/system"),
        get(RENDERED, "Transfer-Encoding : chunked") + b"0\r\n\r\n",
        get(RENDERED, "Transfer-Encoding: xchunked"),
        get(RENDERED, "Content-Length: 0", "Content-Length: 10") + b"x" * 10,
        get(RENDERED, "X: a\n\nGET /system HTTP/1.1"),
        get(RENDERED).replace(b"\r\n", b"\n"),
        get(RENDERED, "X: y\rz"),
        get(RENDERED, " folded: 1"),
    ],
)
def test_smuggled_requests_get_nowhere(raw: bytes) -> None:
    talk = Conversation(archive).say(raw)

    assert [answer.status for answer in talk.answers] == [400]
    assert talk.asked == []
    assert talk.end == "closed"


def test_a_request_for_another_host_is_misdirected() -> None:
    assert refusal(get("http://archive.example:8042/instances")) == 421
    assert refusal(get(RENDERED).replace(b"guard.example", b"archive.example")) == 421


def test_a_second_request_in_the_same_breath_is_not_answered() -> None:
    talk = Conversation(archive).say(get(RENDERED) + get("/dicom-web/studies"))

    assert [answer.status for answer in talk.answers] == [200]
    assert talk.answers[0].headers["connection"] == "close"
    assert len(talk.asked) == 1
    assert talk.end == "closed"


def test_a_request_while_another_is_under_way_is_not_answered() -> None:
    talk = Conversation(lambda asked: Reply(raw=b""))
    talk.say(get(RENDERED)).say(get("/dicom-web/studies"), 10)
    talk.archive_says(b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: 2\r\n\r\nab")

    assert [answer.body for answer in talk.answers] == [b"ab"]
    assert len(talk.asked) == 1
    assert talk.end == "closed"


@pytest.mark.parametrize("method", ["CONNECT", "TRACE", "OPTIONS", "DELETE", "PUT", "PATCH"])
def test_other_methods_are_refused(method: str) -> None:
    assert refusal(get(f"/dicom-web/studies/{MINE}", method=method)) == 405


def test_a_body_belongs_to_no_retrieval() -> None:
    for lines in (["Content-Length: 3"], ["Transfer-Encoding: chunked"]):
        talk = Conversation(archive).say(get(RENDERED, *lines))
        assert talk.answer.status == 400
        assert talk.end == "closed"
        assert talk.asked == []


@pytest.mark.parametrize(
    "body",
    [
        b"zz\r\nabc",
        b"-1\r\n",
        b"5 \x00\r\nabcde\r\n0\r\n\r\n",
        b"3\r\nabcde\r\n0\r\n\r\n",
        b"f" * 30 + b"\r\n",
        b"1;" + b"x" * 20_000,
    ],
)
def test_chunks_that_break_the_grammar_end_the_request(body: bytes) -> None:
    raw = get(
        "/dicom-web/studies",
        "Transfer-Encoding: chunked",
        "Content-Type: multipart/related; type=application/dicom; boundary=b",
        method="POST",
    )
    talk = Conversation(archive).say(raw + body)

    assert talk.answer.status in {400, 431}
    assert talk.end == "closed"


@pytest.mark.parametrize(
    "raw",
    [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n", b"\x01\0\0\0\0\xcd\0\1\0\0\n", b"\n", b"SSH-2.0-x\n"],
)
def test_another_protocol_is_refused_at_once(raw: bytes) -> None:
    talk = Conversation(archive).say(raw)

    assert talk.answer.status == 400
    assert talk.end == "closed"


def test_a_head_is_bounded() -> None:
    talk = Conversation(archive)
    for _ in range(40):
        if talk.end is None:
            talk.say(b"GET /" + b"x" * 1000)

    assert talk.answer.status == 431
    assert talk.end == "closed"


# ---- who asks


def test_a_stranger_learns_nothing() -> None:
    desk = Desk()
    desk.stranger = True
    answers = {
        Conversation(archive, desk).say(raw).sent
        for raw in (
            get(RENDERED),
            get("/dicom-web/studies"),
            get("/dicom-web/nothing"),
            get("/system"),
            get("/dicom-web/studies/1.2.3"),
            get(f"/dicom-web/studies/{MINE}", method="DELETE"),
        )
    }

    assert len(answers) == 1
    assert b"401 Unauthorized" in answers.pop()
    assert desk.written == [("unknown", "token-missing")] * 6


def test_a_stranger_is_told_how_to_become_known() -> None:
    desk = Desk()
    desk.stranger = True

    challenge = Conversation(archive, desk).say(get(RENDERED)).answer.headers["www-authenticate"]
    assert challenge == 'Bearer realm="DICOMweb"'
    challenge = (
        Conversation(archive, desk)
        .say(get(RENDERED, "Authorization: Bearer x"))
        .answer.headers["www-authenticate"]
    )
    assert challenge == 'Bearer realm="DICOMweb", error="invalid_token"'


def test_every_request_says_anew_who_asks() -> None:
    desk = Desk()
    talk = Conversation(archive, desk).say(get(RENDERED))
    desk.stranger = True
    talk.say(get(RENDERED))

    assert [answer.status for answer in talk.answers] == [200, 401]


# ---- viewers in a browser

VIEWER = "https://viewer.example"
SHARED = dataclasses.replace(DOOR, origins=frozenset({VIEWER}))
FIRST = ("Access-Control-Request-Method: GET", "Access-Control-Request-Headers: authorization")


def test_a_page_that_the_guards_file_names_may_ask_and_read() -> None:
    desk = Desk()
    desk.stranger = True
    talk = Conversation(archive, desk, SHARED).say(
        get(RENDERED, f"Origin: {VIEWER}", *FIRST, method="OPTIONS")
    )
    first = talk.answer
    desk.stranger = False
    talk.say(get(RENDERED, f"Origin: {VIEWER}"))

    assert (first.status, first.headers["access-control-allow-origin"]) == (204, VIEWER)
    assert first.headers["access-control-allow-headers"] == "Accept, Authorization, Content-Type"
    assert first.headers["access-control-allow-methods"] == "GET, POST"
    assert "access-control-allow-credentials" not in first.headers
    assert desk.written[0] == ("retrieving", MINE)
    assert talk.answers[1].status == 200
    assert talk.answers[1].headers["access-control-allow-origin"] == VIEWER
    assert talk.answers[1].headers["vary"] == "Origin"


def test_a_page_may_read_why_it_was_refused() -> None:
    desk = Desk()
    desk.stranger = True
    refused = Conversation(archive, desk, SHARED).say(get(RENDERED, f"Origin: {VIEWER}")).answer

    assert (refused.status, refused.headers["access-control-allow-origin"]) == (401, VIEWER)


@pytest.mark.parametrize(
    "origin",
    ["https://viewer.example.evil", "https://VIEWER.example", "null", "*", f"{VIEWER}, {VIEWER}", ""],
)
@pytest.mark.parametrize("door", [DOOR, SHARED])
def test_another_page_is_told_nothing(origin: str, door: Door) -> None:
    desk = Desk()
    asked = Conversation(archive, desk, door).say(get(RENDERED, f"Origin: {origin}")).answer
    desk.stranger = True
    first = Conversation(archive, desk, door).say(
        get(RENDERED, f"Origin: {origin}", *FIRST, method="OPTIONS")
    )

    assert asked.status == 200
    assert first.answer.status == 401
    assert not [name for name in (*asked.headers, *first.answer.headers) if name.startswith("access-control")]


def test_the_question_beforehand_is_none_of_another_method_or_with_a_body() -> None:
    desk = Desk()
    desk.stranger = True
    for raw in (
        get(RENDERED, f"Origin: {VIEWER}", *FIRST),
        get(RENDERED, f"Origin: {VIEWER}", method="OPTIONS"),
        get(RENDERED, f"Origin: {VIEWER}", *FIRST, "Content-Length: 1", method="OPTIONS") + b"x",
    ):
        assert Conversation(archive, desk, SHARED).say(raw).answer.status == 401


# ---- patience


def test_nobody_idles_for_ever() -> None:
    talk = Conversation(archive)
    talk.wait(61)

    assert (talk.end, talk.sent) == ("closed", b"")


def test_a_head_must_come_within_ten_seconds() -> None:
    talk = Conversation(archive)
    talk.wait(50)
    for _ in range(9):
        talk.say(b"G")
        talk.wait(1)
        assert talk.end is None
    talk.say(b"G")
    talk.wait(1)

    assert talk.answer.status == 408
    assert talk.end == "closed"


def test_a_timer_that_rings_early_does_nothing() -> None:
    talk = Conversation(archive)
    talk.wait(59)

    assert talk.end is None


def test_a_client_that_leaves_before_it_asked_is_forgotten() -> None:
    talk = Conversation(archive).say(b"GET /")
    talk.leave()

    assert talk.relay.over
    assert talk.relay.deadline is None
    talk.say(b"more")
    talk.wait(100)
    assert talk.sent == b""


def test_a_client_may_leave_while_a_question_is_open() -> None:
    talk = Conversation(archive)
    talk.answering = False
    talk.say(get(RENDERED))
    assert talk.relay.asking
    talk.leave()

    assert talk.relay.over
    talk.relay.answered(None, 0.0)
    assert talk.sent == b""


# ---- UPS-RS


def test_work_items_are_refused_unless_they_are_carried() -> None:
    assert refusal(get("/dicom-web/workitems")) == 403


def test_work_items_are_carried_where_a_policy_permits() -> None:
    door = dataclasses.replace(DOOR, workitems=True)
    document = b'{"00741202":{"vr":"LO"}}'
    raw = get(
        "/dicom-web/workitems?1.2.3",
        "Content-Type: application/dicom+json",
        f"Content-Length: {len(document)}",
        method="POST",
    ).replace(b"?1.2.3", b"")
    talk = Conversation(lambda asked: Reply(201, b"", (("Location", "http://pacs/x"),)), door=door).say(
        raw + document
    )

    assert talk.answer.status == 201
    assert "location" not in talk.answer.headers
    assert talk.asked[0].body == document
    assert (talk.asked[0].method, talk.asked[0].target) == ("POST", "/archive/web/workitems")
    assert talk.desk.written == [("managing", ("workitems",))]

    talk = Conversation(lambda asked: json_reply([]), door=door).say(get("/dicom-web/workitems"))
    assert talk.answer.body == b"[]"

    desk = Desk()
    desk.services = frozenset(Action) - {Action.UPS}
    assert Conversation(archive, desk, door).say(get("/dicom-web/workitems")).answer.status == 403


@pytest.mark.parametrize(
    ("lines", "body", "status"),
    [
        (("Content-Type: text/html", "Content-Length: 2"), b"{}", 415),
        (("Content-Type: application/dicom+json", "Content-Length: 2000000"), b"x" * 1_100_000, 413),
        (("Content-Length: 2",), b"{}", 415),
    ],
)
def test_work_items_are_small_documents(lines: tuple[str, ...], body: bytes, status: int) -> None:
    door = dataclasses.replace(DOOR, workitems=True)
    talk = Conversation(archive, door=door).say(get("/dicom-web/workitems", *lines, method="POST") + body)

    assert talk.answer.status == status
    assert talk.asked == []
