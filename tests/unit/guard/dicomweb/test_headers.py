"""The head of a request: read in one way or refused."""

from __future__ import annotations

import pytest
from tests.unit.guard.dicomweb.conversing import HOSTS

from leadglass.guard.dicomweb.headers import Head, Reader, accepts, media_type
from leadglass.guard.dicomweb.refused import Refused


def head(*lines: str, first: str = "GET /x HTTP/1.1", host: str = "Host: guard.example") -> Head:
    return Reader(HOSTS).read(
        "\r\n".join([first, *([host] if host else []), *lines, "", ""]).encode("latin-1")
    )


def status(*lines: str, first: str = "GET /x HTTP/1.1", host: str = "Host: guard.example") -> int:
    with pytest.raises(Refused) as caught:
        head(*lines, first=first, host=host)
    return caught.value.status


def test_what_matters_is_read() -> None:
    found = head(
        "Authorization: Bearer abc",
        "Accept: application/dicom+json",
        "accept: image/jpeg;q=0.5",
        "Content-Type: text/plain",
        "Content-Length: 12",
        "Expect: 100-continue",
        "X-Anything: one",
        "X-Anything: two",
        first="POST /x HTTP/1.1",
    )

    assert found == Head(
        b"POST",
        b"/x",
        "Bearer abc",
        "application/dicom+json, image/jpeg;q=0.5",
        "text/plain",
        12,
        waits=True,
    )
    assert "abc" not in repr(found)
    assert head("Transfer-Encoding: chunked").length is None
    assert not head().has_body


# ---- attacks: what two servers could read in two ways


@pytest.mark.parametrize(
    "lines",
    [
        ("Content-Length: 5", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: chunked", "Content-Length: 5"),
    ],
)
def test_a_length_beside_chunks_is_refused(lines: tuple[str, ...]) -> None:
    assert status(*lines) == 400


@pytest.mark.parametrize(
    "lines",
    [
        ("Content-Length: 5", "Content-Length: 5"),
        ("Content-Length: 5", "Content-Length: 6"),
        ("Content-Length: 5, 5",),
        ("Content-Length: +5",),
        ("Content-Length: 0x5",),
        ("Content-Length: -1",),
        ("Content-Length: 5 6",),
        ("Content-Length: " + "9" * 16,),
        ("Content-Length:",),
    ],
)
def test_a_length_that_is_no_plain_number_is_refused(lines: tuple[str, ...]) -> None:
    assert status(*lines) == 400


@pytest.mark.parametrize(
    "line",
    [
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked;x",
        "Transfer-Encoding:\x0bchunked",
        "Transfer-Encoding : chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
    ],
)
def test_a_transfer_coding_that_is_not_chunked_alone_is_refused(line: str) -> None:
    assert status(line) == 400


def test_chunks_do_not_exist_in_http_1_0() -> None:
    assert status("Transfer-Encoding: chunked", first="POST /x HTTP/1.0") == 400


@pytest.mark.parametrize(
    "line",
    [
        "X: a\r\n folded",
        "X: a\r\n\tfolded",
        " X: a",
        "X : a",
        "X\t: a",
        ": a",
        "X a",
        "X\xe9: a",
        "X: a\x00b",
        "X: a\rb",
        "X: a\nY: b",
        "X: \xe9",
        "(X): a",
        "X: a\x7f",
    ],
)
def test_headers_that_break_the_grammar_are_refused(line: str) -> None:
    assert status(line) == 400


@pytest.mark.parametrize(
    "first",
    [
        "GET /x HTTP/2.0",
        "GET /x HTTP/0.9",
        "GET /x HTTP/1.2",
        "GET /x",
        "get /x HTTP/1.1",
        "GET  /x HTTP/1.1",
        "GET /x  HTTP/1.1",
        "GET /x\tHTTP/1.1",
        "GET /x y HTTP/1.1",
        "\r\nGET /x HTTP/1.1",
        "GET /\xe9 HTTP/1.1",
        "GET /x HTTP/1.1 ",
        "G@T /x HTTP/1.1",
        "A" * 17 + " /x HTTP/1.1",
    ],
)
def test_request_lines_that_break_the_grammar_are_refused(first: str) -> None:
    assert status(first=first) == 400


@pytest.mark.parametrize(
    "name", ["Host", "Content-Type", "Authorization", "Expect", "Content-Length", "Transfer-Encoding"]
)
def test_a_header_that_must_be_single_may_not_come_twice(name: str) -> None:
    value = {"Host": "guard.example", "Expect": "100-continue", "Content-Length": "1"}.get(name, "x")
    lines = [f"{name}: {value}"] * (1 if name == "Host" else 2)

    assert status(*lines) == 400


def test_a_request_for_nobody_or_another_host_is_refused() -> None:
    assert status(host="") == 400
    assert status(host="Host: archive.example") == 421
    assert status(host="Host: guard.example:80@archive") == 421
    assert status(host="Host:") == 421
    assert head(host="HOST: Guard.Example").method == b"GET"


@pytest.mark.parametrize("method", ["CONNECT", "TRACE"])
def test_methods_of_proxies_are_refused(method: str) -> None:
    assert status(first=f"{method} guard.example:443 HTTP/1.1") == 405


def test_no_other_protocol_is_switched_to() -> None:
    assert status("Upgrade: h2c", "Connection: Upgrade, HTTP2-Settings", "HTTP2-Settings: AA") == 400
    assert status("Upgrade: websocket", "Connection: Upgrade") == 400


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "identity, gzip"])
def test_an_encoded_body_is_refused(coding: str) -> None:
    assert status(f"Content-Encoding: {coding}") == 415


def test_an_expectation_that_cannot_be_met_is_refused() -> None:
    assert status("Expect: 200-ok") == 417


def test_too_many_headers_are_refused() -> None:
    assert status(*[f"X-{number}: 1" for number in range(64)]) == 431


def test_a_message_repeats_nothing_of_what_was_sent() -> None:
    with pytest.raises(Refused) as caught:
        head("X-Secret-Thing : DoeJohn")

    assert "Doe" not in str(caught.value)


# ---- media types


@pytest.mark.parametrize(
    ("value", "kind", "parameters"),
    [
        ("application/dicom", "application/dicom", {}),
        ("Application/DICOM ; a=b", "application/dicom", {"a": "b"}),
        (
            'multipart/related; type="application/dicom"; boundary=x',
            "multipart/related",
            {"type": "application/dicom", "boundary": "x"},
        ),
        ("multipart/related;type=application/dicom", "multipart/related", {"type": "application/dicom"}),
    ],
)
def test_media_types_are_read(value: str, kind: str, parameters: dict[str, str]) -> None:
    assert media_type(value) == (kind, parameters)


@pytest.mark.parametrize(
    "value", ["", "x", "a/b/c", "a/b; c", "a/b; c=d; C=e", 'a/b; c="d', 'a/b; c="\\""', "a/b, c/d"]
)
def test_what_is_no_media_type_is_refused(value: str) -> None:
    with pytest.raises(Refused) as caught:
        media_type(value)

    assert caught.value.status == 415


@pytest.mark.parametrize(
    ("accept", "yes"),
    [
        ("", True),
        ("*/*", True),
        ("application/*", True),
        ("application/dicom+json", True),
        ("text/html, application/json;q=0.9", True),
        ("application/dicom+json; charset=utf-8", True),
        ('multipart/related; type="application/dicom+xml"', False),
        ("application/dicom+xml", False),
        ("application/dicom+json;q=0", False),
        ("image/*", False),
    ],
)
def test_what_is_acceptable_is_known(accept: str, yes: bool) -> None:
    assert accepts(accept, "application/dicom+json", "application/json") is yes


# ---- one connection


def test_each_head_of_a_connection_is_read_by_itself() -> None:
    reader = Reader(HOSTS)
    told = [
        ("GET", "/a", "Authorization: Bearer one"),
        ("GET", "/b", "Authorization: Bearer one"),
        ("POST", "/b", "Authorization: Bearer two"),
        ("GET", "/b", "Connection: close"),
    ]

    for method, target, line in told:
        raw = f"{method} {target} HTTP/1.1\r\nHost: guard.example\r\n{line}\r\n\r\n".encode()
        assert reader.read(raw) == Reader(HOSTS).read(raw)


@pytest.mark.parametrize(
    "next_head",
    [
        b"GET /a HTTP/1.1\r\nHost: other.example\r\n\r\n",
        b"TRACE /a HTTP/1.1\r\nHost: guard.example\r\n\r\n",
        b"GET /a HTTP/1.1\nHost: guard.example\r\n\r\n",
    ],
)
def test_no_head_is_believed_for_the_sake_of_the_one_before(next_head: bytes) -> None:
    reader = Reader(HOSTS)
    reader.read(b"GET /a HTTP/1.1\r\nHost: guard.example\r\n\r\n")

    with pytest.raises(Refused):
        reader.read(next_head)
