"""The DICOMweb question, against canned HTTP answers in every cut."""

from __future__ import annotations

import pytest

from leadglass.model.evidence import QidoAnswer, Reply
from leadglass.ports.conversation import Loss
from leadglass.probe.http import Caller
from leadglass.probe.qido import QidoConversation

NOW = 1000.0
UID = "2.25.42"
CALLER = Caller("192.0.2.1:8042", "Leadglass/0 (+https://example.org)")
JSON = b"application/dicom+json"


def answer(status: bytes, content_type: bytes, body: bytes, *, extra: bytes = b"") -> bytes:
    return (
        b"HTTP/1.1 "
        + status
        + b"\r\nContent-Type: "
        + content_type
        + b"\r\nContent-Length: "
        + str(len(body)).encode()
        + b"\r\n"
        + extra
        + b"\r\n"
        + body
    )


def ask(
    *answers: bytes, roots: tuple[str, ...] = ("/dicom-web/studies", "/rs/studies"), piece: int = 1 << 20
) -> tuple[QidoConversation, list[bytes]]:
    probe = QidoConversation(CALLER, roots, UID)
    step = probe.connected(NOW)
    sent = [step.send]
    for reply in answers:
        for at in range(0, len(reply), piece):
            step = probe.received(reply[at : at + piece], NOW)
            if step.send:
                sent.append(step.send)
            if step.close:
                return probe, sent
    probe.lost(Loss.EOF, NOW)
    return probe, sent


@pytest.mark.parametrize("piece", [1, 3, 1 << 20])
@pytest.mark.parametrize(
    ("reply", "empty"),
    [
        (answer(b"200 OK", JSON, b"[]"), True),
        (answer(b"200 OK", JSON, b" \r\n[ \n ]"), True),
        (answer(b"200 OK", b"application/json; charset=utf-8", b"[]"), True),
        (answer(b"204 No Content", b"", b""), True),
        (answer(b"200 OK", JSON, b'[{"00100010":{"Value":["CANARY"]}}]'), False),
        (answer(b"200 OK", JSON, b"[{"), False),
        (answer(b"200 OK", b"text/html", b"[]"), None),
        (answer(b"200 OK", b"text/html", b"<html>[]"), None),
        (answer(b"200 OK", JSON, b"{}"), None),
        (answer(b"200 OK", JSON, b""), None),
        (answer(b"401 Unauthorized", JSON, b"[]"), None),
        (answer(b"403 Forbidden", b"", b""), None),
        (answer(b"404 Not Found", JSON, b"[]"), None),
        (answer(b"302 Found", b"text/html", b"", extra=b"Location: /login\r\n"), None),
    ],
)
def test_only_no_content_or_a_json_array_is_an_answer(reply: bytes, empty: bool | None, piece: int) -> None:
    probe, _ = ask(reply, roots=("/dicom-web/studies",), piece=piece)

    assert probe.answers == [QidoAnswer("/dicom-web/studies", int(reply[9:12]), empty)]
    assert "CANARY" not in repr(probe.answers)


def test_the_query_asks_for_one_study_that_was_minted_a_moment_ago() -> None:
    _, sent = ask(answer(b"404 Not Found", b"", b""), answer(b"204 No Content", b"", b""))

    assert sent[0].startswith(b"GET /dicom-web/studies?StudyInstanceUID=2.25.42&limit=1 HTTP/1.1\r\n")
    assert b"user-agent: leadglass/0 (+https://example.org)\r\n" in sent[0].lower()
    assert b"accept: application/dicom+json\r\n" in sent[0].lower()
    assert sent[1].startswith(b"GET /rs/studies?")


def test_the_first_root_that_processes_the_query_is_the_last_one_asked() -> None:
    probe, sent = ask(answer(b"200 OK", JSON, b"[]"))

    assert len(sent) == 1
    assert probe.remaining == ()


def test_what_a_closing_server_left_unasked_can_be_asked_again() -> None:
    probe, _ = ask(answer(b"404 Not Found", b"", b"", extra=b"Connection: close\r\n"))

    assert probe.remaining == ("/rs/studies",)


def test_records_are_cut_off_at_the_first_of_them() -> None:
    endless = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n[" + b'{"CANARY": 1},' * 10
    probe, _ = ask(endless)

    assert probe.answers[0].empty is False


@pytest.mark.parametrize(
    ("data", "reply"),
    [
        (b"\x07\x00\x00\x00\x00\x04\0\0\0\0", Reply.OTHER_PROTOCOL),
        (b"HTTP/1.1 abc\r\n\r\n", Reply.MALFORMED),
        (b"", Reply.CLOSED),
    ],
)
def test_what_is_no_http_is_told_apart(data: bytes, reply: Reply) -> None:
    probe, _ = ask(data)

    assert probe.reply is reply


def test_silence_is_written_down() -> None:
    probe = QidoConversation(CALLER, ("/dicom-web/studies",), UID)
    probe.connected(NOW)

    assert probe.woken(NOW + 9).close
    assert (probe.reply, probe.answers) == (Reply.SILENT, [QidoAnswer("/dicom-web/studies", None)])


def test_a_body_without_end_is_not_read_without_end() -> None:
    probe = QidoConversation(CALLER, ("/dicom-web/studies",), UID)
    probe.connected(NOW)
    step = probe.received(b"HTTP/1.1 404 Not Found\r\n\r\n", NOW)
    read = 0
    while not step.close and read < 10_000_000:
        step = probe.received(bytes(65536), NOW)
        read += 65536

    assert read <= 4 * 65536
