"""DICOMweb: how bytes are cut makes no difference, and what is shown is what a plain reading would show."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.guard.dicomweb.conversing import (
    HIDDEN,
    HOSTS,
    MINE,
    ROOTS,
    Asked,
    Conversation,
    Desk,
    Reply,
    get,
    json_reply,
)
from tests.unit.guard.dicomweb.files import BOUNDARY, KIND, file, multipart

from leadglass.errors import RemoteProtocolError
from leadglass.guard.dicomweb.array import ArrayReader, write
from leadglass.guard.dicomweb.framing import Chunked, Counted
from leadglass.guard.dicomweb.multipart import BodyBegins, MultipartReader, Piece
from leadglass.guard.dicomweb.parameters import decode, encode
from leadglass.guard.dicomweb.paths import Place, Request, parse, target
from leadglass.guard.dicomweb.refused import Refused
from leadglass.guard.dicomweb.urls import UrlWriter

CUTS = st.lists(st.integers(1, 40), max_size=20)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
ELEMENTS = st.lists(st.dictionaries(st.text(max_size=8), VALUES, max_size=4), max_size=5)
UIDS = st.sampled_from([MINE, HIDDEN, "1.2.7", "1.2.8", "../x", "1.2.1\\1.2.2"])


def cut(data: bytes, sizes: Sequence[int]) -> Iterator[bytes]:
    """The bytes in pieces of these sizes, over and over."""
    at, turn = 0, 0
    while at < len(data):
        size = sizes[turn % len(sizes)] if sizes else len(data)
        yield data[at : at + size]
        at, turn = at + size, turn + 1


def outcome(what: Callable[[], Any]) -> Any:
    """What it returns, or that it refuses."""
    try:
        return what()
    except RemoteProtocolError:
        return "refused"


# ---- arrays of matches


@given(ELEMENTS, CUTS, st.sampled_from([None, 1]), st.booleans())
def test_an_array_is_the_same_wherever_it_is_cut(
    elements: list[Any], sizes: list[int], indent: int | None, escaped: bool
) -> None:
    data = json.dumps(elements, indent=indent, ensure_ascii=escaped).encode(errors="surrogatepass")

    def read() -> list[Any]:
        reader = ArrayReader()
        return [e for piece in cut(data, sizes) for e in reader.feed(piece)] + reader.feed(b"", last=True)

    def plainly() -> list[Any]:
        try:
            found: list[Any] = json.loads(data)
        except UnicodeDecodeError:
            raise RemoteProtocolError("lone surrogates") from None
        return found

    assert outcome(read) == outcome(plainly)


@given(st.binary(max_size=60) | st.text('[]{},:"a1 \\', max_size=60).map(str.encode), CUTS)
def test_any_bytes_are_an_array_or_break_the_protocol(data: bytes, sizes: list[int]) -> None:
    def read(pieces: Iterator[bytes]) -> list[Any]:
        reader = ArrayReader()
        return [e for piece in pieces for e in reader.feed(piece)] + reader.feed(b"", last=True)

    whole = outcome(lambda: read(iter([data])))
    assert outcome(lambda: read(cut(data, sizes))) == whole
    if whole != "refused":
        assert whole == json.loads(data)
        assert json.loads(b"[" + write(whole) + b"]") == whole


MATCHES = st.lists(
    st.fixed_dictionaries(
        {"0020000D": st.builds(lambda uid: {"vr": "UI", "Value": [uid]}, UIDS)},
        optional={
            "00080080": st.sampled_from(["North", "South", ""]).map(lambda v: {"vr": "LO", "Value": [v]}),
            "00201200": st.just({"vr": "IS", "Value": [7]}),
            "77771010": st.just({"vr": "LO", "Value": ["private"]}),
        },
    ),
    max_size=12,
)


@given(MATCHES, CUTS, st.integers(0, 4), st.none() | st.integers(0, 4), st.integers(1, 5))
def test_a_filtered_search_shows_what_a_plain_reading_would_show(
    matches: list[dict[str, Any]], sizes: list[int], offset: int, limit: int | None, most: int
) -> None:
    def archive(asked: Asked) -> Reply:
        told = dict(pair.split("=") for pair in asked.target.partition("?")[2].split("&"))
        start, size = int(told.get("offset", 0)), min(int(told.get("limit", most)), most)
        more = [("Warning", "299 x more")] if start + size < len(matches) else []
        reply = json_reply(matches[start : start + size], *more)
        head = "".join(f"{name}: {value}\r\n" for name, value in reply.headers)
        pieces = [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in cut(reply.body, sizes)]
        chunked = f"HTTP/1.1 200 OK\r\n{head}Transfer-Encoding: chunked\r\n\r\n".encode()
        return Reply(raw=chunked + b"".join(pieces) + b"0\r\n\r\n")

    desk = Desk()
    talk = Conversation(archive, desk)
    limited = "" if limit is None else f"&limit={limit}"
    talk.say(get(f"/dicom-web/studies?offset={offset}{limited}&includefield=InstitutionName"))
    visible = [match for match in matches if plainly_visible(match, desk)]
    wanted = visible[offset:] if limit is None else visible[offset : offset + limit]
    shown = json.loads(talk.answer.body) if talk.answer.body else []

    assert [match["0020000D"] for match in shown] == [match["0020000D"] for match in wanted]
    assert all("77771010" not in match for match in shown)
    assert all(match.get("00201200", {"vr": "IS"}) == {"vr": "IS"} for match in shown)


def plainly_visible(match: dict[str, Any], desk: Desk) -> bool:
    """By what the match says, or else by what the archive says."""
    uid = match["0020000D"]["Value"][0]
    if not all(part.isdigit() for part in uid.split(".")):
        return False
    told = match.get("00080080", {"Value": [""]})["Value"][0]
    known = desk.studies.get(uid)
    return (told or (known.institution if known else None)) == "North"


# ---- multipart bodies


@given(
    st.lists(st.binary(max_size=50) | st.sampled_from([b"\r\n--", b"\r\n-", b"--b", b"\r"]), max_size=4), CUTS
)
def test_a_multipart_body_is_the_same_wherever_it_is_cut(contents: list[bytes], sizes: list[int]) -> None:
    def read(pieces: Iterator[bytes]) -> list[bytes]:
        reader, found = MultipartReader(BOUNDARY.encode()), list[bytes]()
        for piece in pieces:
            reader.receive(piece)
            while (event := reader.next_event()) is not None:
                if isinstance(event, BodyBegins):
                    found.append(b"")
                elif isinstance(event, Piece):
                    found[-1] += bytes(event.data)
        reader.finish()
        return found

    assert read(cut(multipart(contents), sizes)) == contents


@given(st.binary(max_size=80) | st.text("-b\r\n: aA", max_size=80).map(str.encode), CUTS)
def test_any_bytes_are_a_multipart_body_or_refused(data: bytes, sizes: list[int]) -> None:
    def read(pieces: Iterator[bytes]) -> list[tuple[str, bytes]]:
        reader, found = MultipartReader(b"b"), list[tuple[str, bytes]]()
        for piece in pieces:
            reader.receive(piece)
            while (event := reader.next_event()) is not None:
                if isinstance(event, Piece):
                    found[-1] = (found[-1][0], found[-1][1] + bytes(event.data))
                else:
                    found.append((type(event).__name__, b""))
        reader.finish()
        return found

    assert outcome(lambda: read(cut(data, sizes))) == outcome(lambda: read(iter([data])))


@given(CUTS, st.integers(0, 400), st.integers(0, 255))
def test_a_damaged_object_never_reaches_the_archive_whole(sizes: list[int], at: int, value: int) -> None:
    content = bytearray(file(MINE, "1.2.901"))
    content[128 + at % (len(content) - 128)] = value
    body = multipart([bytes(content)])
    head = (
        f"POST /dicom-web/studies HTTP/1.1\r\nHost: guard.example\r\nContent-Type: {KIND}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    talk = Conversation(lambda asked: json_reply({}, status=202))
    for piece in cut(head.encode() + body, [*sizes, 200]):
        if talk.end is None:
            talk.say(piece)
    # Whatever was passed on is, byte for byte, what came: of a study that the client may store to.
    for asked in talk.asked:
        assert bytes(content) in asked.body
    assert talk.answer.status in {200, 202, 400, 409}


# ---- HTTP, beside h11


@given(st.lists(st.binary(min_size=1, max_size=30), max_size=5), CUTS, st.booleans())
def test_chunks_are_read_as_h11_reads_them(parts: list[bytes], sizes: list[int], strict: bool) -> None:
    extension = b"" if strict else b";a=b"
    data = b"".join(b"%x%b\r\n%b\r\n" % (len(part), extension, part) for part in parts) + b"0\r\n\r\n"
    reader = Chunked(strict=strict)
    found = b"".join(piece for wire in cut(data, sizes) for piece in reader.feed(wire))

    assert (found, reader.done, reader.excess) == (b"".join(parts), True, False)
    assert by_h11(data) == found


@given(st.binary(max_size=40) | st.text("0123afF;\r\n x", max_size=40).map(str.encode), CUTS)
def test_whatever_is_read_as_chunks_h11_reads_so_too(data: bytes, sizes: list[int]) -> None:
    for strict in (True, False):
        reader = Chunked(strict=strict)

        def read(reader: Chunked = reader) -> bytes:
            return b"".join(piece for wire in cut(data, sizes) for piece in reader.feed(wire))

        found = outcome(read)
        if found != "refused" and reader.done and not reader.excess:
            assert by_h11(data) == found


def by_h11(data: bytes) -> bytes | None:
    """A chunked body as h11 reads it; None if it does not."""
    server = h11.Connection(h11.SERVER)
    server.receive_data(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + data)
    found = b""
    try:
        while not isinstance(event := server.next_event(), h11.EndOfMessage):
            if event is h11.NEED_DATA:
                return None
            if isinstance(event, h11.Data):
                found += bytes(event.data)
    except h11.RemoteProtocolError:
        return None
    return found


@given(st.binary(max_size=50), st.integers(0, 60), CUTS)
def test_a_counted_body_has_its_length(data: bytes, length: int, sizes: list[int]) -> None:
    reader = Counted(length)
    found = b"".join(piece for wire in cut(data, sizes) for piece in reader.feed(wire))

    assert found == data[:length]
    assert reader.done == (len(data) >= length)
    assert reader.excess == (len(data) > length)


# ---- targets


SEGMENTS = st.sampled_from(
    [
        "studies",
        "series",
        "instances",
        "metadata",
        "frames",
        "1",
        "1.2.3",
        "rendered",
        "bulkdata",
        "..",
        ".",
        "%2e",
        "workitems",
        "a",
        "1,2",
        "*",
        ";",
        "\\",
    ]
) | st.just("")


@given(
    st.lists(SEGMENTS, max_size=9),
    st.sampled_from(["GET", "POST", "PUT", "DELETE"]),
    st.text("ab=&%2fF.?#/", max_size=12),
)
def test_what_is_asked_of_the_archive_is_written_by_us(segments: list[str], method: str, query: str) -> None:
    raw = ("/dicom-web/" + "/".join(segments) + "?" + query).encode()

    def read() -> Request:
        return parse(method.encode(), raw, ROOTS, HOSTS)

    found = outcome(read)
    if isinstance(found, Request):
        asked = target(found, ROOTS, found.at)
        assert asked.partition("?")[0] == "/dicom-web/" + "/".join(segments)
        assert ".." not in segments
        assert "%" not in asked.partition("?")[0]
        made_up = target(found, ROOTS, Place(*("9.9" if uid else None for uid in found.at)))
        assert found.at.study is None or f"studies/{found.at.study}" not in made_up or found.at.study == "9.9"


@given(
    st.lists(st.tuples(st.from_regex(r"[A-Za-z0-9.]{1,8}", fullmatch=True), st.text(max_size=12)), max_size=5)
)
def test_parameters_survive_being_written(parameters: list[tuple[str, str]]) -> None:
    try:
        assert decode(encode(tuple(parameters))[1:]) == tuple(parameters)
    except Refused:
        assert not all(value.isprintable() for _, value in parameters)


@given(st.text('"htps:/abc.\\ ', max_size=80).map(str.encode), CUTS)
def test_addresses_are_the_same_wherever_the_text_is_cut(text: bytes, sizes: list[int]) -> None:
    data = text.replace(b"a", b'"http://pacs/web/studies').replace(b"b", b"http:\\/\\/p\\/web\\/series")

    def change(pieces: Iterator[bytes]) -> bytes:
        writer = UrlWriter("/web", "https://guard/dicom-web")
        return b"".join(map(writer.feed, pieces)) + writer.finish()

    assert change(cut(data, sizes)) == change(iter([data]))


@pytest.mark.deep
@given(st.lists(st.binary(max_size=200), max_size=5))
def test_any_bytes_leave_a_relay_in_order(pieces: list[bytes]) -> None:
    talk = Conversation(lambda asked: Reply(404))
    for piece in pieces:
        if talk.end is None:
            talk.say(piece)

    assert talk.end is None or talk.relay.over
