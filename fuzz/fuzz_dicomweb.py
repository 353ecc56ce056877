"""Any bytes from a client or from an archive: an answer or an end; never another exception, never unbounded memory.

Input: a byte that chooses a door, then bytes. The doors: a request line and its parameters, a head, an array
of matches, a body in chunks (beside h11), a multipart body of objects, the whole relay with a hostile client, and
the whole relay with a hostile archive. How a stream is cut must make no difference; nothing of a study that is
hidden may reach the client.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parent.parent))

with atheris.instrument_imports(include=["leadglass.guard.dicomweb"]):
    from leadglass.guard.dicomweb.array import ArrayReader, Element
    from leadglass.guard.dicomweb.framing import Chunked
    from leadglass.guard.dicomweb.headers import Reader
    from leadglass.guard.dicomweb.matches import study_uid
    from leadglass.guard.dicomweb.paths import Request, Service, parse, target
    from leadglass.guard.dicomweb.query import read as read_search
    from leadglass.guard.dicomweb.stow import StowReader

import h11
from harness import run  # type: ignore[import-not-found]
from tests.unit.guard.dicomweb.conversing import HIDDEN, HOSTS, MINE, ROOTS, Conversation, Reply, get
from tests.unit.guard.dicomweb.files import KIND, file, multipart

from leadglass.errors import RemoteProtocolError

HIDDEN_MATCH = b'{"0020000D":{"vr":"UI","Value":["%b"]}}' % HIDDEN.encode()
MINE_MATCH = b'{"0020000D":{"vr":"UI","Value":["%b"]}}' % MINE.encode()
JSON_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/dicom+json\r\n"


def pieces(data: bytes) -> Iterable[bytes]:
    """The same bytes, cut into pieces whose size the last of them says."""
    size = 1 + (data[-1] if data else 0) % 37
    return (data[at : at + size] for at in range(0, len(data), size))


def requests(data: bytes) -> None:
    """A request line: what is asked of the archive is written by us."""
    method, _, raw = data.partition(b" ")
    try:
        found: Request = parse(method, raw, ROOTS, HOSTS)
        path = target(found, ROOTS, found.at).partition("?")[0]
        assert ".." not in path
        assert "%" not in path
        if found.service is Service.SEARCH:
            read_search(found, "", frozenset({"institution", "labels"}))
    except RemoteProtocolError:
        return


def heads(data: bytes) -> None:
    """A head: what is read, h11 reads as well, and with the same length."""
    raw = data + b"\r\n\r\n"
    end = raw.index(b"\r\n\r\n") + 4
    try:
        head = Reader(HOSTS).read(raw[:end])
    except RemoteProtocolError:
        return
    server = h11.Connection(h11.SERVER)
    server.receive_data(raw[:end])
    event = server.next_event()
    assert isinstance(event, h11.Request)
    assert (event.method, event.target) == (head.method, head.target)
    lengths = [int(value) for name, value in event.headers if name == b"content-length"]
    assert head.length is None or (lengths or [0]) == [head.length]


def arrays(data: bytes) -> None:
    """An array of matches: the same however it is cut."""

    def elements(parts: Iterable[bytes]) -> list[Element] | None:
        reader = ArrayReader(largest=1000)
        try:
            return [e for part in parts for e in reader.feed(part)] + reader.feed(b"", last=True)
        except RemoteProtocolError:
            return None

    if len(data) < 1000:
        assert elements([data]) == elements(pieces(data))


def chunks(data: bytes) -> None:
    """A body in chunks: what is read, h11 reads as well."""
    reader = Chunked(strict=bool(len(data) % 2))
    try:
        found = b"".join(piece for part in pieces(data) for piece in reader.feed(part))
    except RemoteProtocolError:
        return
    if not reader.done or reader.excess:
        return
    server = h11.Connection(h11.SERVER)
    server.receive_data(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + data)
    body = b""
    while not isinstance(event := server.next_event(), h11.EndOfMessage):
        body += bytes(event.data) if isinstance(event, h11.Data) else b""
    assert body == found


def objects(data: bytes) -> None:
    """A body of objects: the same however it is cut."""

    def read_all(parts: Iterable[bytes]) -> list[str]:
        reader = StowReader(KIND)
        found: list[str] = []
        try:
            for part in parts:
                reader.receive(part)
                while (event := reader.next_event()) is not None:
                    found.append(type(event).__name__)
            reader.finish()
        except RemoteProtocolError:
            return [name for name in found if name in {"ObjectHead", "ObjectEnds"}] + ["refused"]
        return [name for name in found if name in {"ObjectHead", "ObjectEnds"}]

    assert read_all([data]) == read_all(pieces(data))


def clients(data: bytes) -> None:
    """A hostile client: whatever it says, it sees nothing of a hidden study."""
    talk = Conversation(lambda _: Reply(200, b"image", (("Content-Type", "image/jpeg"),)))
    for piece in pieces(data):
        if talk.end is None:
            talk.say(piece)
    assert all(HIDDEN not in asked.target for asked in talk.asked)
    talk.leave()
    assert talk.relay.over


def archives(data: bytes) -> None:
    """A hostile archive: whatever it says, the client's answer is whole, broken off, or a bad gateway."""
    for question in (
        "/dicom-web/studies",
        f"/dicom-web/studies/{MINE}/rendered",
        f"/dicom-web/studies/{MINE}/series",
    ):
        talk = Conversation(lambda _: Reply(raw=b"")).say(get(question))
        for piece in pieces(data):
            talk.archive_says(piece)
        talk.archive_says(b"")
        assert talk.answers
        assert all(answer.whole for answer in talk.answers) or talk.end == "aborted"
        # What is retrieved from a permitted study passes unread; what is found is written anew.
        if "rendered" not in question and talk.answers[0].status == 200 and talk.end != "aborted":
            assert all(study_uid(match) in {None, MINE} for match in json.loads(talk.answers[0].body))


DOORS: tuple[Callable[[bytes], None], ...] = (requests, heads, arrays, chunks, objects, clients, archives)


def fuzz(data: bytes) -> None:
    """What the fuzzer calls."""
    if data:
        DOORS[data[0] % len(DOORS)](data[1:])


def seeds() -> list[bytes]:
    """One valid input for each door, and more for those with many ways."""
    targets = (
        "studies?limit=2&offset=1&includefield=all&PatientName=A*",
        f"studies/{MINE}/series/1.2/instances/1.3/frames/1",
    )
    stow = multipart([file(), file("1.2.5", "1.2.6")])
    post = (
        f"POST /dicom-web/studies HTTP/1.1\r\nHost: guard.example\r\nContent-Type: {KIND}\r\n"
        f"Content-Length: {len(stow)}\r\n\r\n"
    ).encode()
    matches = b"[%b,%b]" % (MINE_MATCH, HIDDEN_MATCH)
    return [
        *(b"\0GET /dicom-web/" + text.encode() for text in targets),
        b"\0GET /wado?requestType=WADO&studyUID=1.2&seriesUID=1.3&objectUID=1.4",
        b"\1" + get("/dicom-web/studies", "Content-Length: 5", "Expect: 100-continue")[:-4],
        b"\2" + matches,
        b"\3" + b"5\r\nabcde\r\n1;x=y\r\nz\r\n0\r\nX: 1\r\n\r\n",
        b"\4" + stow,
        b"\5" + get(f"/dicom-web/studies/{HIDDEN}/rendered"),
        b"\5" + post + stow,
        b"\6" + JSON_HEAD + b"Content-Length: %d\r\n\r\n%b" % (len(matches), matches),
        b"\6"
        + JSON_HEAD
        + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(matches), matches),
        b"\6HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 404 x\r\n\r\nno",
    ]


if __name__ == "__main__":
    run(fuzz, seeds())
