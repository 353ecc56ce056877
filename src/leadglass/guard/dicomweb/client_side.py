"""HTTP/1.1 towards the client: one request after the other, each answered before the next is read."""

from __future__ import annotations

import email.utils
import functools
from collections import deque
from collections.abc import Iterable
from http import HTTPStatus

from leadglass.errors import LocalProtocolError, RemoteProtocolError
from leadglass.guard.dicomweb.framing import Body, Chunked, Counted, chunk_head
from leadglass.guard.dicomweb.headers import LARGEST_HEAD, Head, Reader
from leadglass.guard.dicomweb.refused import Refused

__all__ = ["ClientSide"]

_FIXED = (
    b"Cache-Control: no-store\r\n"
    b"X-Content-Type-Options: nosniff\r\n"
    b"Content-Security-Policy: default-src 'none'; sandbox\r\n"
    b"Referrer-Policy: no-referrer\r\n"
)
"""Of every answer: patients' data are not to be kept by a browser, nor run in it."""
_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus}
_WITHOUT_BODY = frozenset({204, 304})


class ClientSide:
    """Reads requests and writes answers."""

    def __init__(self, authorities: frozenset[str], origins: frozenset[str]) -> None:
        self._heads = Reader(authorities)
        self._origins = origins
        self._raw = bytearray()
        self._looked = 0
        self._head: Head | None = None
        self._body: Body | None = None
        self._pieces: deque[bytes] = deque()
        self._broken: RemoteProtocolError | None = None
        self._spoilt = False
        self._chunks = False
        self.received = 0
        """Bytes of the body of the present request that were read."""
        self.answering = False
        """Whether an answer has begun and is not complete."""
        self.answered = False
        """Whether the answer to the present request is complete."""

    # Requests.

    def receive(self, data: bytes | memoryview) -> None:
        """Bytes came."""
        if self._body is None and self._head is None:
            self._raw += data
        elif self._body is None or self._body.done:
            # Nobody who talks DICOMweb sends a request before the last one is answered.
            self._spoilt = True
        elif not self._spoilt:
            self._feed(self._body, bytes(data))

    def _feed(self, body: Body, data: bytes) -> None:
        try:
            self._pieces += body.feed(data)
        except RemoteProtocolError as exc:
            self._broken = exc
            self._spoilt = True
        self._spoilt = self._spoilt or body.excess

    @property
    def begun(self) -> bool:
        """Whether some of a request has come."""
        return bool(self._raw)

    def head(self) -> Head | None:
        """The head of the next request; None: more is needed. ``Refused`` if it breaks the grammar."""
        end = self._raw.find(b"\r\n\r\n", max(0, self._looked - 3), LARGEST_HEAD)
        if end < 0:
            self._check_beginning()
            return None
        raw, rest = bytes(self._raw[: end + 4]), bytes(self._raw[end + 4 :])
        self._raw.clear()
        self._looked = self.received = 0
        self._head = head = self._heads.read(raw)
        self._body = body = Chunked(strict=True) if head.length is None else Counted(head.length)
        if rest:
            self._feed(body, rest)
        return head

    def _check_beginning(self) -> None:
        """What can be no head is refused as soon as that is seen."""
        if len(self._raw) >= LARGEST_HEAD:
            raise Refused("the head of a request is too large", 431)
        at = self._raw.find(b"\n", self._looked)
        while at >= 0:
            if self._raw[at - 1 : at] != b"\r":
                raise Refused("a line end without a carriage return")
            at = self._raw.find(b"\n", at + 1)
        self._looked = len(self._raw)

    @property
    def complete(self) -> bool:
        """Whether all of the request has come."""
        return self._body is not None and self._body.done

    def body(self) -> bytes | None:
        """Some of the body; b"": it is complete; None: more is needed. ``Refused`` if it breaks RFC 9112."""
        if self._pieces:
            piece = self._pieces.popleft()
            self.received += len(piece)
            return piece
        if self._broken is not None:
            raise Refused(self._broken.what)
        return b"" if self.complete else None

    def ignore_rest(self) -> None:
        """The rest of the body is not wanted any more."""
        self._spoilt = True

    # Answers.

    def go_on(self) -> bytes:
        """100 Continue, to a client that waits for it."""
        waits = self._head is not None and self._head.waits and not self.complete
        return b"HTTP/1.1 100 Continue\r\n\r\n" if waits and not self._pieces else b""

    def respond(self, status: int, headers: Iterable[tuple[str, str]], posix: float) -> bytes:
        """The head of an answer. Without Content-Length it is sent in chunks, or ends with the connection."""
        told = "".join(f"{name}: {value}\r\n" for name, value in headers)
        if "\n" in told.replace("\r\n", "") or "\0" in told:
            raise LocalProtocolError("a header with a line end in it")
        unbounded = status not in _WITHOUT_BODY and "Content-Length: " not in told
        self._chunks = unbounded and self._head is not None and not self._head.old
        if self.must_close or (unbounded and not self._chunks):
            self._spoilt = True
            told += "Connection: close\r\n"
        elif self._head is not None and self._head.old:
            told += "Connection: keep-alive\r\n"
        if self._chunks:
            told += "Transfer-Encoding: chunked\r\n"
        told += self._shared()
        self.answering = True
        return b"%bDate: %b\r\n%b%b\r\n" % (_LINES[status], _date(int(posix)), _FIXED, told.encode("ascii"))

    def _shared(self) -> str:
        """Who else may read the answer in a browser: a page that the guard's file names, and no other."""
        if not self._origins:
            return ""
        origin = "" if self._head is None else self._head.origin
        named = f"Access-Control-Allow-Origin: {origin}\r\n" if origin in self._origins else ""
        return f"{named}Vary: Origin\r\n"

    def piece(self, data: bytes | memoryview) -> list[bytes | memoryview]:
        """Some of the body of an answer."""
        return [chunk_head(len(data)), data, b"\r\n"] if self._chunks else [data]

    def end(self) -> bytes:
        """The end of an answer."""
        self.answering, self.answered = False, True
        return b"0\r\n\r\n" if self._chunks else b""

    @property
    def must_close(self) -> bool:
        """Whether this is the last request of the connection."""
        unread = not self.complete or bool(self._pieces)
        return self._spoilt or unread or self._head is None or self._head.closes

    def next_request(self) -> bool:
        """After an answer: whether another request may come on this connection."""
        if not self.answered or self.must_close:
            return False
        self._head = self._body = None
        self.answered = False
        return True


@functools.lru_cache(maxsize=4)
def _date(posix: int) -> bytes:
    """RFC 9110 5.6.7."""
    return email.utils.formatdate(posix, usegmt=True).encode("ascii")
