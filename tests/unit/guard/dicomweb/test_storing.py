"""Stored objects through the whole door."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.unit.guard.dicomweb.conversing import HIDDEN, MINE, Asked, Conversation, Desk, Reply, json_reply
from tests.unit.guard.dicomweb.files import CT, KIND, file, multipart

from leadglass.access.budgets import Measure
from leadglass.errors import ResourceError
from leadglass.model.access import Action

NEW = "1.2.50"


def post(body: bytes, *headers: str, path: str = "/dicom-web/studies", kind: str = KIND) -> bytes:
    length = [] if any("chunked" in header for header in headers) else [f"Content-Length: {len(body)}"]
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: guard.example",
        f"Content-Type: {kind}",
        *length,
        *headers,
        "",
        "",
    ]
    return "\r\n".join(lines).encode() + body


def chunked(body: bytes, size: int) -> bytes:
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def sop_uids(body: bytes) -> list[str]:
    """The objects in a multipart body, by the UIDs that stand in their data sets."""
    return [
        f"1.2.{n}" for n in range(900, 1000) if f"1.2.{n}\0".encode() in body or f"1.2.{n}".encode() in body
    ]


def accepting(asked: Asked) -> Reply:
    """An archive that takes everything."""
    items = [
        {
            "00081150": {"vr": "UI", "Value": [CT]},
            "00081155": {"vr": "UI", "Value": [uid]},
            "00081190": {"vr": "UR", "Value": ["http://pacs/archive/web/studies/x"]},
            "04000561": {"vr": "SQ", "Value": [{"00100010": {"vr": "PN"}}]},
        }
        for uid in sop_uids(asked.body)
    ]
    return json_reply(
        {"00081199": {"vr": "SQ", "Value": items}, "00081190": {"vr": "UR", "Value": ["http://pacs/"]}}
    )


def told(talk: Conversation) -> dict[str, list[str]]:
    """Stored and failed objects, with reasons."""
    body: dict[str, Any] = json.loads(talk.answer.body)
    found: dict[str, list[str]] = {}
    for name, tag in (("stored", "00081199"), ("failed", "00081198"), ("other", "0008119A")):
        for item in body.get(tag, {}).get("Value", []):
            uid = item.get("00081155", {"Value": [""]})["Value"][0]
            reason = item.get("00081197")
            found.setdefault(name, []).append(f"{uid} {reason['Value'][0]:04X}" if reason else uid)
    return found


@pytest.mark.parametrize("size", [50, 1000, 1 << 20])
@pytest.mark.parametrize("chunks", [True, False])
def test_permitted_objects_reach_the_archive_unchanged(size: int, chunks: bool) -> None:
    files = [file(NEW, "1.2.901"), file(MINE, "1.2.902", pixels=9000)]
    body = multipart(files)
    raw = post(chunked(body, 777), "Transfer-Encoding: chunked") if chunks else post(body)
    talk = Conversation(accepting).say(raw, size)

    (asked,) = talk.asked
    assert (asked.method, asked.target) == ("POST", "/archive/web/studies")
    assert all(content in asked.body for content in files)
    assert asked.headers["content-type"].startswith(
        'multipart/related; type="application/dicom"; boundary="2.25.'
    )
    assert told(talk) == {"stored": ["1.2.901", "1.2.902"]}
    assert talk.answer.status == 200
    assert b"pacs" not in talk.answer.body
    assert b"00100010" not in talk.answer.body
    assert f"https://guard.example/dicom-web/studies/{NEW}".encode() in talk.answer.body
    assert [kind for kind, _ in talk.desk.written] == ["storing", "storing", "stored", "stored"]
    assert talk.desk.written[-1] == ("stored", (MINE, CT, len(files[1])))
    assert talk.desk.counted[Measure.BYTES] == len(body)


@pytest.mark.parametrize(
    ("said", "way"),
    [
        ("http://pacs/web/studies/9/series/1.5/instances/1.2.901", "/series/1.5/instances/1.2.901"),
        ("http://pacs/web/studies/9/series/1.5/instances/1.2.902", ""),
        ("http://pacs/web/studies/9/series/1..5/instances/1.2.901", ""),
        ("http://pacs/web/studies/9/series/1.5/instances/1.2.901/..", ""),
        ("", ""),
    ],
)
def test_what_was_stored_is_told_with_our_address_of_it(said: str, way: str) -> None:
    def archive(asked: Asked) -> Reply:
        item = {"00081155": {"vr": "UI", "Value": ["1.2.901"]}, "00081190": {"vr": "UR", "Value": [said]}}
        return json_reply({"00081199": {"vr": "SQ", "Value": [item]}})

    body = json.loads(Conversation(archive).say(post(multipart([file(NEW, "1.2.901")]))).answer.body)
    study = f"https://guard.example/dicom-web/studies/{NEW}"

    assert body["00081190"] == {"vr": "UR", "Value": [study]}
    assert body["00081199"]["Value"][0]["00081190"]["Value"] == [study + way]


def test_the_frame_of_the_client_does_not_pass() -> None:
    body = multipart(
        [file(NEW, "1.2.901")],
        ["Content-Type: application/dicom", "X-Smuggled: 1", "Content-Location: http://x/"],
    )
    (asked,) = Conversation(accepting).say(post(body)).asked

    assert b"0f3cf5c0" not in asked.body
    assert b"Smuggled" not in asked.body
    assert b"http://x/" not in asked.body


def test_nothing_leaves_before_the_head_of_an_object_is_decided() -> None:
    raw = post(multipart([file(NEW, "1.2.901", pixels=20_000)]))
    talk = Conversation(accepting).say(raw[:500])
    assert talk.dialled == 0
    talk.say(raw[500:2000])
    assert talk.dialled == 1
    assert b"1.2.901" in talk.upstream
    talk.say(raw[2000:])
    assert talk.answer.status == 200


def test_a_foreign_study_cannot_be_added_to() -> None:
    claims = [
        file(
            HIDDEN, "1.2.901", institution="North", patient="P2"
        ),  # says that the study is of one's own house
        file(MINE, "1.2.902", patient="P9"),  # another patient's image in one's own study
        file(NEW, "1.2.903", institution="South"),  # a new study of another house
        file(NEW, "1.2.904"),
    ]
    talk = Conversation(accepting).say(post(multipart(claims)))

    assert talk.answer.status == 202
    assert told(talk) == {
        "stored": ["1.2.904"],
        "failed": ["1.2.901 0124", "1.2.902 0124", "1.2.903 0124"],
    }
    assert sop_uids(talk.asked[0].body) == ["1.2.904"]
    assert talk.refusals == ["0124H"] * 3


def test_when_nothing_may_be_stored_the_archive_hears_nothing() -> None:
    talk = Conversation(accepting).say(post(multipart([file(HIDDEN, "1.2.901"), b"no file"])))

    assert talk.answer.status == 409
    assert told(talk) == {"failed": ["1.2.901 0124"], "other": [" C000"]}
    assert (talk.asked, talk.dialled) == ([], 0)


def test_the_study_of_the_path_is_the_study_of_the_objects() -> None:
    body = multipart([file(MINE, "1.2.901"), file(NEW, "1.2.902")])
    talk = Conversation(accepting).say(post(body, path=f"/dicom-web/studies/{MINE}"))

    assert talk.asked[0].target == f"/archive/web/studies/{MINE}"
    assert told(talk) == {"stored": ["1.2.901"], "failed": ["1.2.902 A900"]}


def test_an_object_is_sent_once() -> None:
    talk = Conversation(accepting).say(post(multipart([file(NEW, "1.2.901"), file(MINE, "1.2.901")])))

    assert told(talk) == {"stored": ["1.2.901"], "failed": ["1.2.901 A900"]}


def test_what_the_archive_refuses_is_told_with_its_reason() -> None:
    def script(asked: Asked) -> Reply:
        failed = {"00081155": {"Value": ["1.2.902"]}, "00081197": {"vr": "US", "Value": [0xA700]}}
        stored = {"00081155": {"Value": ["1.2.901"]}, "00081196": {"vr": "US", "Value": [0xB000]}}
        foreign = {"00081155": {"Value": ["9.9.9"]}}
        body = {"00081198": {"Value": [failed, foreign]}, "00081199": {"Value": [stored, foreign]}}
        return json_reply(body, status=202)

    files = [file(NEW, f"1.2.{n}") for n in (901, 902, 903)]
    talk = Conversation(script).say(post(multipart(files)))

    assert talk.answer.status == 202
    assert told(talk) == {"stored": ["1.2.901"], "failed": ["1.2.902 A700", "1.2.903 0110"]}
    assert b"9.9.9" not in talk.answer.body


def test_an_executable_preamble_does_not_reach_the_archive() -> None:
    talk = Conversation(accepting).say(
        post(multipart([file(NEW, "1.2.901", preamble=b"MZ" + b"\x90" * 126)]))
    )

    assert b"MZ" not in talk.asked[0].body
    assert file(NEW, "1.2.901") in talk.asked[0].body


# ---- what is refused


@pytest.mark.parametrize(
    "kind",
    [
        "application/dicom",
        'multipart/related; type="application/dicom+json"; boundary=x',
        "application/zip",
        "x",
    ],
)
def test_other_bodies_are_not_taken(kind: str) -> None:
    talk = Conversation(accepting).say(post(b"x" * 100, kind=kind))

    assert talk.answer.status == 415
    assert talk.end == "closed"


def test_an_answer_in_xml_alone_is_not_given() -> None:
    body = multipart([file(NEW)])

    assert Conversation(accepting).say(post(body, "Accept: application/dicom+xml")).answer.status == 406


def test_a_service_that_is_not_open_is_forbidden_before_the_body_is_read() -> None:
    desk = Desk()
    desk.services = frozenset({Action.QIDO})
    talk = Conversation(accepting, desk).say(post(multipart([file(NEW)]))[:200])

    assert talk.answer.status == 403
    assert talk.end == "closed"


def test_a_client_that_waits_is_told_to_go_on_only_if_it_may() -> None:
    raw = post(multipart([file(NEW, "1.2.901")]), "Expect: 100-continue")
    head, body = raw.split(b"\r\n\r\n", 1)
    talk = Conversation(accepting).say(head + b"\r\n\r\n")
    assert talk.sent == b"HTTP/1.1 100 Continue\r\n\r\n"
    talk.say(body)
    assert talk.answer.status == 200

    desk = Desk()
    desk.services = frozenset()
    assert b" 100 " not in Conversation(accepting, desk).say(head + b"\r\n\r\n").sent


def test_bodies_are_bounded() -> None:
    huge = post(b"").replace(b"Content-Length: 0", b"Content-Length: 4294967297")
    talk = Conversation(accepting).say(huge)

    assert talk.answer.status == 413
    assert talk.dialled == 0


def test_a_budget_of_bytes_that_is_used_up_takes_nothing() -> None:
    desk = Desk()
    desk.budgets = {Measure.BYTES: 0}

    assert Conversation(accepting, desk).say(post(multipart([file(NEW)]))).answer.status == 429


def test_what_cannot_be_written_down_is_not_sent() -> None:
    desk = Desk()
    desk.broken = ResourceError("the disk is full")
    talk = Conversation(accepting, desk).say(post(multipart([file(NEW)])))

    assert talk.answer.status == 503
    assert talk.dialled == 0


def test_a_study_uid_behind_the_head_never_completes() -> None:
    again = b"\x20\0\x0d\0UI\x06\x001.2.2\0"
    talk = Conversation(accepting).say(post(multipart([file(NEW, "1.2.901", pixels=5000) + again])), 1000)

    assert talk.answer.status == 400
    assert talk.dialled == 1
    assert talk.asked == []
    assert talk.closed == [0]


def test_a_body_that_is_cut_off_never_completes() -> None:
    body = multipart([file(NEW, "1.2.901")])[:-6]
    talk = Conversation(accepting).say(post(body))

    assert talk.answer.status == 400
    assert talk.asked == []
    assert talk.closed == [0]


def test_when_the_client_leaves_the_archive_gets_no_half_object() -> None:
    raw = post(multipart([file(NEW, "1.2.901", pixels=5000)]))
    talk = Conversation(accepting).say(raw[:2000])
    assert talk.dialled == 1
    talk.leave()

    assert talk.asked == []
    assert talk.closed == [0]


def test_a_slow_sender_is_not_waited_for() -> None:
    raw = post(multipart([file(NEW, "1.2.901", pixels=5000)]))
    talk = Conversation(accepting).say(raw[:2000])
    talk.wait(21)

    assert talk.answer.status == 408
    assert talk.closed == [0]


def test_a_sender_that_dribbles_is_not_waited_for() -> None:
    raw = post(multipart([file(NEW, "1.2.901", pixels=50_000)]))
    talk = Conversation(accepting).say(raw[:2000])
    for at in range(2000, 2100):
        talk.wait(1)
        if talk.end:
            break
        talk.say(raw[at : at + 1])

    assert talk.end == "closed"
    assert talk.now < 25


def test_an_archive_that_answers_early_is_heard() -> None:
    raw = post(multipart([file(NEW, "1.2.901", pixels=50_000)]))
    talk = Conversation(accepting).say(raw[:2000])
    talk.archive_says(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")

    assert talk.answer.status == 503
    assert talk.end == "closed"
    assert talk.closed == [0]


def test_an_archive_that_only_begins_to_answer_does_not_fill_the_memory() -> None:
    raw = post(multipart([file(NEW, "1.2.901", pixels=4_000_000)]))
    talk = Conversation(accepting).say(raw[:2000])
    talk.archive_says(b"H")
    before = len(talk.upstream)
    talk.say(raw[2000:], 65536)

    assert len(talk.upstream) == before
    talk.wait(61)
    assert talk.answer.status == 504


@pytest.mark.parametrize(
    "reply",
    [
        json_reply([1]),
        Reply(200, b"<xml/>", (("Content-Type", "application/dicom+xml"),)),
        Reply(200, b"{", (("Content-Type", "application/dicom+json"),)),
        Reply(200, b"{}"),
        Reply(500),
        Reply(401),
        Reply(400, b"Doe^John"),
    ],
)
def test_an_archive_that_answers_nonsense_is_a_bad_gateway(reply: Reply) -> None:
    talk = Conversation(lambda asked: reply).say(post(multipart([file(NEW)])))

    assert talk.answer.status == 502
    assert b"Doe" not in talk.sent
