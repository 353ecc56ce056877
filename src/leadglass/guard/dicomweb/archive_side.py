"""HTTP/1.1 towards the archive: one request and its answer. Whatever is wrong with it is the archive's fault: 502."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import h11

from leadglass.guard.dicomweb.headers import media_type
from leadglass.guard.dicomweb.refused import Refused

__all__ = ["Answer", "ArchiveSide", "failed"]

_LARGEST_HEAD = 64 * 1024
_LONGEST_TYPE = 1024
_MORE = re.compile(rb"[ \t]*299[ \t]")
_TIMEOUT = re.compile(rb"(?:\A|[,; \t])timeout=([0-9]{1,6})")
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
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_LARGEST_HEAD)
        self._request = h11.Request(method=method, target=target, headers=list(headers))
        self._idle = _IDLE
        self.touched = False
        """Whether anything has come back."""

    # The request.

    def head(self) -> bytes:
        """The head of the request."""
        return self._http.send(self._request) or b""

    def piece(self, data: bytes | memoryview) -> list[bytes]:
        """Some of its body."""
        return self._http.send_with_data_passthrough(h11.Data(data=data)) or []  # type: ignore[arg-type]

    def end(self) -> bytes:
        """Its end."""
        return self._http.send(h11.EndOfMessage()) or b""

    # The answer.

    def receive(self, data: bytes | memoryview) -> None:
        """Bytes came; b"": the archive has closed."""
        self.touched = self.touched or bool(data)
        self._http.receive_data(data)  # type: ignore[arg-type]  # it is copied

    def answer(self) -> Answer | None:
        """The head of the answer; None: more is needed."""
        while isinstance(event := self._next(), h11.InformationalResponse):
            pass
        return self._read(event) if isinstance(event, h11.Response) else None

    def body(self) -> bytes | None:
        """Some of the body; b"": it is complete; None: more is needed."""
        event = self._next()
        if isinstance(event, h11.Data):
            return bytes(event.data)
        return b"" if isinstance(event, h11.EndOfMessage) else None

    @property
    def idle(self) -> float:
        """Seconds that the connection may be kept for another request; 0: it may not."""
        done = self._http.our_state is h11.DONE and self._http.their_state is h11.DONE
        return self._idle if done and not self._http.trailing_data[0] else 0.0

    def _next(self) -> object:
        try:
            event = self._http.next_event()
        except h11.RemoteProtocolError:
            raise failed("broke off in the middle of an answer, or broke HTTP") from None
        if isinstance(event, h11.ConnectionClosed):
            raise failed("closed the connection instead of answering")
        return event

    def _read(self, response: h11.Response) -> Answer:
        headers = dict(response.headers)
        coding = headers.get(b"content-encoding", b"identity")
        if coding.lower() != b"identity":
            raise failed("encoded an answer, which it was not asked to do")
        timeout = _TIMEOUT.search(headers.get(b"keep-alive", b""))
        if timeout is not None:
            # Half of it: who is about to close must not be asked.
            self._idle = min(_IDLE, int(timeout[1]) / 2)
        length = headers.get(b"content-length")
        return Answer(
            response.status_code,
            _content_type(headers.get(b"content-type")),
            int(length) if length is not None and b"transfer-encoding" not in headers else None,
            bool(_MORE.match(headers.get(b"warning", b""))),
        )


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
