"""Multipart bodies in pieces."""

from __future__ import annotations

import pytest

from leadglass.guard.dicomweb.multipart import (
    BodyBegins,
    BodyEnds,
    Ended,
    MultipartReader,
    Piece,
    boundary_of,
)
from leadglass.guard.dicomweb.refused import Refused

BODY = (
    b"--b\r\nContent-Type: application/dicom\r\nX: 1\r\n\r\nfirst\r\n--not\r\n-\r\n--b\r\nContent-Type: a/b\r\n\r\n"
    b"\r\n--b\r\n\r\n\r\n\r\n--b--\r\n"
)
PARTS = [
    ({"content-type": "application/dicom", "x": "1"}, b"first\r\n--not\r\n-"),
    ({"content-type": "a/b"}, b""),
]


def read(data: bytes, size: int = 1 << 20, boundary: bytes = b"b") -> list[tuple[dict[str, str], bytes]]:
    reader = MultipartReader(boundary)
    parts: list[tuple[dict[str, str], bytes]] = []
    ended = complete = 0
    for at in range(0, len(data), size):
        reader.receive(data[at : at + size])
        while (event := reader.next_event()) is not None:
            match event:
                case BodyBegins(headers):
                    parts.append((dict(headers), b""))
                case Piece(piece):
                    assert piece
                    parts[-1] = (parts[-1][0], parts[-1][1] + bytes(piece))
                case BodyEnds():
                    complete += 1
                case Ended():
                    ended += 1
    reader.finish()
    assert (ended, complete) == (1, len(parts))
    return parts


@pytest.mark.parametrize("size", [1, 2, 3, 5, 11, 1 << 20])
def test_parts_come_out_however_the_body_is_cut(size: int) -> None:
    body = BODY.replace(b"\r\n--b\r\n\r\n\r\n\r\n--b--", b"\r\n--b--")

    assert read(body, size) == PARTS
    assert read(b"\r\n" + body, size) == PARTS
    assert read(body[:-2], size) == PARTS


@pytest.mark.parametrize("size", [1, 4, 1 << 20])
def test_what_only_resembles_a_boundary_is_part_of_the_body(size: int) -> None:
    content = b"\r\n--b\r\n--bx\r\n-\r\r\n\r\n-- bb"

    assert read(b"--bb\r\nA: b\r\n\r\n" + content + b"\r\n--bb--", size, b"bb") == [({"a": "b"}, content)]


def test_a_boundary_with_something_behind_it_is_refused() -> None:
    with pytest.raises(Refused):
        read(b"--b\r\nA: b\r\n\r\nx\r\n--bx\r\n--b--")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\r\n",
        b"x",
        b"preamble\r\n--b\r\nA: b\r\n\r\n\r\n--b--",
        b"--b",
        b"--b\r\nA: b\r\n\r\nx",
        b"--b\r\nA: b\r\n\r\nx\r\n--b",
        b"--b\r\nA: b\r\n\r\nx\r\n--b-",
        b"--b \r\nA: b\r\n\r\nx\r\n--b--",
        b"--b\nA: b\n\nx\n--b--",
        b"--b\r\nA: b\r\n\r\nx\r\n--b--epilogue",
        b"--b\r\nA: b\r\n\r\nx\r\n--b--\r\n\r\n",
        b"--b\r\nA : b\r\n\r\nx\r\n--b--",
        b"--b\r\n A: b\r\n\r\nx\r\n--b--",
        b"--b\r\nA: b\r\n c\r\n\r\nx\r\n--b--",
        b"--b\r\nA: b\r\na: c\r\n\r\nx\r\n--b--",
        b"--b\r\nA: b\x00\r\n\r\nx\r\n--b--",
        b"--b\r\n" + b"".join(b"A%d: b\r\n" % n for n in range(17)) + b"\r\nx\r\n--b--",
        b"--b\r\nA: " + b"x" * 5000 + b"\r\n\r\nx\r\n--b--",
        b"--b\r\nA: " + b"x" * 5000,
    ],
)
@pytest.mark.parametrize("size", [1, 1 << 20])
def test_what_is_no_multipart_is_refused(body: bytes, size: int) -> None:
    with pytest.raises(Refused):
        read(body, size)


@pytest.mark.parametrize("boundary", ["", " ", "x ", "x" * 71, "a\tb", "a;b", "é", 'a"b', "a\r\nb"])
def test_a_boundary_obeys_its_grammar(boundary: str) -> None:
    with pytest.raises(Refused):
        boundary_of({"boundary": boundary})


def test_there_must_be_a_boundary() -> None:
    assert boundary_of({"boundary": "a b"}) == b"a b"
    with pytest.raises(Refused):
        boundary_of({})


def test_little_is_held_while_a_body_passes() -> None:
    reader = MultipartReader(b"boundary")
    reader.receive(b"--boundary\r\nA: b\r\n\r\n")
    reader.next_event()
    for _ in range(1000):
        reader.receive(b"\r\n--bound\r\n\r\r\n" * 64)
        while reader.next_event() is not None:
            pass
        assert reader.held < 16
