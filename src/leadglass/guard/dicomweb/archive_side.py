"""HTTP/1.1 towards the archive: one request and its answer. Whatever is wrong with it is the archive's fault: 502."""

from __future__ import annotations

import functools
import re
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from leadglass.errors import LocalProtocolError, RemoteProtocolError
from leadglass.guard.dicomweb.framing import Body, Chunked, Counted, UntilClose, chunk_head
from leadglass.guard.dicomweb.headers import media_type
from leadglass.guard.dicomweb.refused import Refused

__all__ = ["Answer", "ArchiveSide", "failed"]

_LARGEST_HEAD = 64 * 1024
_MOST_INTERIM = 8
_LONGEST_TYPE = 1024
_SHORT_HEAD = 1024
"""Bytes of a head that may be remembered."""
_STATUS = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9]{2})(?: [\t\x20-\x7e\x80-\xff]*)?\r\n")
_HEADER = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([^\r\n\0]*?)[ \t]*\r\n")
_LENGTH = re.compile(rb"[0-9]{1,15}\Z")
_MORE = re.compile(rb"299[ \t]")
_TIMEOUT = re.compile(rb"(?:\A|[,; \t])timeout=([0-9]{1,6})")
_FRAMING = frozenset({b"content-length", b"transfer-encoding"})
_IDLE = 4.0
"""Seconds that a connection may be kept where the archive does not say for how long."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the guard wants to know of an answer's head. Nothing else of it reaches the client."""

    status: int
    content_type: str | None
    length: int | None
    """Bytes of the body, where they are told."""
    more: bool
    """There are more matches than were sent (PS3.18 8.3.4.4.1)."""


def failed(what: str, status: int = 502) -> Refused:
    """The archive did not do what it should have."""
    return Refused(f"the archive {what}", status, rule="archive")


class ArchiveSide:
    """Writes a request, reads the answer. One object for one request."""

    def __init__(self, method: str, target: str, headers: Iterable[tuple[str, str]]) -> None:
        told = "".join(f"{name}: {value}\r\n" for name, value in headers)
        self._head = f"{method} {target} HTTP/1.1\r\n{told}\r\n".encode("ascii")
        if self._head.count(b"\n") != told.count("\r\n") + 2 or b" " in target.encode("ascii"):
            raise LocalProtocolError("a request with a line end in it")
        self._chunks = "Transfer-Encoding: chunked\r\n" in told
        self._raw = b""
        self._interim = 0
        self._answer: Answer | None = None
        self._body: Body | None = None
        self._pieces: deque[bytes] = deque()
        self._fault: Refused | None = None
        self._kept = _IDLE
        self._complete = method == "GET"
        self._closed = False
        self.touched = False
        """Whether anything has come back."""

    # The request.

    def head(self) -> bytes:
        """The head of the request."""
        return self._head

    def piece(self, data: bytes | memoryview) -> list[bytes | memoryview]:
        """Some of its body."""
        return [chunk_head(len(data)), data, b"\r\n"] if self._chunks else [data]

    def end(self) -> bytes:
        """Its end."""
        self._complete = True
        return b"0\r\n\r\n" if self._chunks else b""

    # The answer.

    def receive(self, data: bytes | memoryview) -> None:
        """Bytes came; b"": the archive has closed."""
        self.touched = self.touched or bool(data)
        if self._fault is None:
            try:
                self._read(bytes(data))
            except Refused as refused:
                self._fault = refused
            except RemoteProtocolError as exc:
                self._fault = failed(f"sent {exc.what}")

    def answer(self) -> Answer | None:
        """The head of the answer; None: more is needed. ``Refused`` if there will be none."""
        if self._answer is None and self._fault is not None:
            raise self._fault
        return self._answer

    def body(self) -> bytes | None:
        """Some of the body; b"": it is complete; None: more is needed. ``Refused`` if it breaks off."""
        if self._pieces:
            return self._pieces.popleft()
        if self._fault is not None:
            raise self._fault
        return b"" if self._body is not None and self._body.done else None

    @property
    def idle(self) -> float:
        """Seconds that the connection may be kept for another request; 0: it may not."""
        body = self._body
        done = body is not None and body.done and not body.excess and not self._closed
        return self._kept if done and self._complete and self._fault is None else 0.0

    def _read(self, data: bytes) -> None:
        if not data:
            self._closed = True
            if self._body is None:
                raise failed("closed the connection instead of answering")
            self._body.close()
        elif self._body is not None:
            self._pieces += self._body.feed(data)
        else:
            self._raw += data
            while self._read_head():
                pass

    def _read_head(self) -> bool:
        """Read one head; whether it was one in the interim, and another may follow."""
        end = self._raw.find(b"\r\n\r\n", 0, _LARGEST_HEAD)
        if end < 0:
            if len(self._raw) >= _LARGEST_HEAD or not b"HTTP/1.".startswith(self._raw[:7]):
                raise failed("answered with something else than HTTP")
            return False
        raw, self._raw = self._raw[: end + 4], self._raw[end + 4 :]
        told = _remembered(raw) if len(raw) <= _SHORT_HEAD else _understood(raw)
        if told.answer.status < 200:
            self._interim += 1
            if told.answer.status == 101 or self._interim > _MOST_INTERIM:
                raise failed("switched to another protocol, or never answers")
            return True
        self._body, self._answer, self._kept = told.body(), told.answer, told.kept
        if self._raw:
            self._pieces += self._body.feed(self._raw)
            self._raw = b""
        return False


@dataclass(frozen=True, slots=True)
class _Told:
    """All that a head says."""

    answer: Answer
    body: Callable[[], Body]
    kept: float


def _understood(raw: bytes) -> _Told:
    minor, status, headers = _parse(raw)
    if status < 200:
        return _Told(Answer(status, None, None, more=False), UntilClose, 0.0)
    body = _body(status, headers)
    kept = 0.0 if body is UntilClose else _kept(minor, headers)
    return _Told(_answer(status, headers), body, kept)


# The frames of a series, the page of a list: answers often come with the very same head.
_remembered = functools.lru_cache(maxsize=256)(_understood)


def _parse(raw: bytes) -> tuple[int, int, Mapping[bytes, bytes]]:
    line = _STATUS.match(raw)
    if line is None:
        raise failed("answered with something else than HTTP")
    headers: dict[bytes, bytes] = {}
    at = line.end()
    while (match := _HEADER.match(raw, at)) is not None:
        at = match.end()
        name, value = match[1].lower(), match[2]
        if name in _FRAMING and headers.get(name, value) != value:
            raise failed("answered with two lengths")
        headers[name] = (
            f"{headers[name].decode('latin-1')}, {value.decode('latin-1')}".encode("latin-1")
            if name in headers and name not in _FRAMING
            else value
        )
    if raw[at:] != b"\r\n":
        raise failed("answered with a header that breaks RFC 9112")
    return int(line[1]), int(line[2]), headers


def _body(status: int, headers: Mapping[bytes, bytes]) -> Callable[[], Body]:
    """What makes its reader (RFC 9112 6.3)."""
    coding, length = headers.get(b"transfer-encoding"), headers.get(b"content-length")
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise failed("encoded an answer, which it was not asked to do")
    if status in {204, 304}:
        return functools.partial(Counted, 0)
    if coding is not None:
        if length is not None or coding.lower() != b"chunked":
            raise failed("answered with a body whose length can be read in two ways")
        return functools.partial(Chunked, strict=False)
    if length is None:
        return UntilClose
    if not _LENGTH.match(length):
        raise failed("answered with a length that is no number")
    return functools.partial(Counted, int(length))


def _answer(status: int, headers: Mapping[bytes, bytes]) -> Answer:
    length = headers.get(b"content-length")
    return Answer(
        status,
        _content_type(headers.get(b"content-type")),
        int(length) if length is not None and b"transfer-encoding" not in headers else None,
        _MORE.search(headers.get(b"warning", b"")) is not None,
    )


def _kept(minor: int, headers: Mapping[bytes, bytes]) -> float:
    """For how long the connection may be kept; half of what the archive says: one about to close must not be asked."""
    wishes = {wish.strip().lower() for wish in headers.get(b"connection", b"").split(b",")}
    if b"close" in wishes or (minor == 0 and b"keep-alive" not in wishes):
        return 0.0
    timeout = _TIMEOUT.search(headers.get(b"keep-alive", b""))
    return _IDLE if timeout is None else min(_IDLE, int(timeout[1]) / 2)


def _content_type(value: bytes | None) -> str | None:
    if value is None:
        return None
    try:
        text = value.decode("ascii")
        media_type(text)
    except (UnicodeDecodeError, Refused):
        raise failed("sent a media type that is none") from None
    if len(text) > _LONGEST_TYPE:
        raise failed("sent a media type that is too long")
    return text
