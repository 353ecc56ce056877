"""The web question, against canned HTTP answers."""

from __future__ import annotations

import json

import pytest

from leadglass.model.evidence import Reply
from leadglass.ports.conversation import Loss
from leadglass.probe.http import Caller
from leadglass.probe.web import WebConversation, content_kind, login_kind

NOW = 1000.0
CALLER = Caller("192.0.2.1:8042", "Leadglass/0")
SYSTEM = json.dumps(
    {
        "ApiVersion": 18,
        "DatabaseVersion": 6,
        "DicomAet": "ORTHANC",
        "DicomPort": 4242,
        "HttpPort": 8042,
        "Name": "CANARY HOSPITAL",
        "PluginsEnabled": True,
        "Version": "1.10.1",
    }
).encode()


def answer(status: str, *headers: str, body: bytes = b"") -> bytes:
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(head).encode() + body


ORTHANC_ROOT = answer("301 Moved Permanently", "Location: app/explorer.html")
ORTHANC_SYSTEM = answer("200 OK", "Content-Type: application/json; charset=utf-8", body=SYSTEM)
ORTHANC_LOGIN = answer("401 Unauthorized", 'WWW-Authenticate: Basic realm="Orthanc Secure Area"')
PAGE = answer(
    "200 OK",
    "Server: nginx/1.22.1 (CANARY)",
    "Content-Type: text/html",
    body=b"<html><title>CANARY^PATIENT</title></html>",
)


def ask(
    *answers: bytes, paths: tuple[str, ...] = ("/", "/system", "/other"), piece: int = 1 << 20
) -> WebConversation:
    probe = WebConversation(CALLER, paths)
    step = probe.connected(NOW)
    for reply in answers:
        for at in range(0, len(reply), piece):
            if step.close:
                return probe
            step = probe.received(reply[at : at + piece], NOW)
    if not step.close:
        probe.lost(Loss.EOF, NOW)
    return probe


@pytest.mark.parametrize("piece", [1, 5, 1 << 20])
def test_an_open_orthanc_is_recognised_by_a_path_without_patient_data(piece: int) -> None:
    seen = ask(ORTHANC_ROOT, ORTHANC_SYSTEM, piece=piece)

    assert [a.path for a in seen.evidence.answers] == ["/", "/system"]
    assert "orthanc-system" in seen.evidence.answers[1].fingerprints
    assert seen.evidence.software_version == "1.10.1"
    assert seen.remaining == ()


def test_the_login_of_a_known_product_decides_at_once() -> None:
    seen = ask(ORTHANC_LOGIN)

    assert [(a.status, a.login, a.fingerprints) for a in seen.evidence.answers] == [
        (401, "basic", ("orthanc-realm",))
    ]
    assert seen.remaining == ()


def test_no_text_of_a_page_is_kept() -> None:
    seen = ask(PAGE, ORTHANC_SYSTEM)

    assert "CANARY" not in repr(seen.evidence)
    assert seen.evidence.server == "nginx/1.22.1"


@pytest.mark.parametrize(
    "body", [b"[]", b'"x"', b"{" * 100_000, b'{"Version": {"a": 1}}', b"\xff\xfe", b"null"]
)
def test_json_that_is_not_what_it_seems_does_no_harm(body: bytes) -> None:
    seen = ask(ORTHANC_ROOT, answer("200 OK", "Content-Type: application/json", body=body))

    assert seen.evidence.software_version is None


def test_what_the_server_did_not_answer_before_it_closed_can_be_asked_again() -> None:
    seen = ask(answer("404 Not Found", "Connection: close"))

    assert seen.remaining == ("/system", "/other")


def test_a_body_without_end_is_cut() -> None:
    probe = WebConversation(CALLER, ("/", "/system"))
    probe.connected(NOW)
    step = probe.received(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n", NOW)
    read = 0
    while not step.close and read < 10_000_000:
        step = probe.received(b"x" * 65536, NOW)
        read += 65536

    assert read <= 2 * 65536
    assert probe.evidence.reply is Reply.ANSWERED


@pytest.mark.parametrize(
    ("location", "redirect"),
    [
        ("/ui/app/", "same-host"),
        ("http://192.0.2.1:8042/x", "same-host"),
        ("https://elsewhere.example/", "other-host"),
        ("http://192.0.2.1:9999/", "other-host"),
        ("//elsewhere.example/", "other-host"),
        ("http://[broken", "other-host"),
    ],
)
def test_redirects_are_told_apart_and_never_followed(location: str, redirect: str) -> None:
    probe = WebConversation(CALLER, ("/",))
    probe.connected(NOW)
    step = probe.received(answer("302 Found", f"Location: {location}"), NOW)

    assert (step.close, step.send) == (True, b"")
    assert probe.evidence.answers[0].redirect == redirect


@pytest.mark.parametrize(
    ("status", "headers", "body", "login"),
    [
        (401, {"www-authenticate": "Bearer realm=x"}, b"", "bearer"),
        (401, {"www-authenticate": "Digest x"}, b"", "digest"),
        (401, {}, b"", "other"),
        (302, {"location": "/realms/dcm4che/protocol/openid-connect"}, b"", "redirect"),
        (200, {}, b"<input name=p type='password'>", "form"),
        (200, {}, b"<p>password</p>", None),
        (404, {}, b"", None),
    ],
)
def test_a_demand_for_credentials_is_recognised(
    status: int, headers: dict[str, str], body: bytes, login: str | None
) -> None:
    assert login_kind(status, headers, body) == login


@pytest.mark.parametrize(
    ("content_type", "body", "kind"),
    [
        ("", b"", "empty"),
        ("text/html", b"x", "html"),
        ("", b"<a>", "html"),
        ("application/json", b" {", "json-object"),
        ("application/dicom+json", b"[", "json-array"),
        ("application/json", b"x", "other"),
        ("text/plain", b"[", "other"),
    ],
)
def test_a_body_is_reduced_to_its_kind(content_type: str, body: bytes, kind: str) -> None:
    assert content_kind(content_type, body) == kind
