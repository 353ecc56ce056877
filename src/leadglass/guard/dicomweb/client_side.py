"""HTTP/1.1 towards the client: one request after the other, each answered before the next is read."""

from __future__ import annotations

import email.utils
from collections.abc import Iterable
from http import HTTPStatus

import h11

from leadglass.guard.dicomweb.headers import LARGEST_HEAD, Head, read
from leadglass.guard.dicomweb.refused import Refused

__all__ = ["ClientSide"]

_LARGEST_FRAME = 16 * 1024
"""Bytes in a chunk header or in trailers."""
_FIXED = (
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "default-src 'none'; sandbox"),
    ("Referrer-Policy", "no-referrer"),
)
"""Of every answer: patients' data are not to be kept by a browser, nor run in it."""
_REASONS = {status.value: status.phrase.encode() for status in HTTPStatus}


class ClientSide:
    """Reads requests and writes answers."""

    def __init__(self, authorities: frozenset[str]) -> None:
        self._authorities = authorities
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=_LARGEST_FRAME)
        self._raw = bytearray()
        self._looked = 0
        self._asked = False
        self._spoilt = False
        self.received = 0
        """Bytes of the body of the present request that were read."""

    # Requests.

    def receive(self, data: bytes | memoryview) -> None:
        """Bytes came."""
        if not self._asked:
            self._raw += data
        elif self._http.their_state is h11.SEND_BODY and not self._spoilt:
            self._http.receive_data(data)  # type: ignore[arg-type]  # it is copied
        else:
            # Nobody who talks DICOMweb sends a request before the last one is answered.
            self._spoilt = True

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
        self._asked = True
        head = read(raw, self._authorities)
        self._http.receive_data(raw)
        self._next()
        if rest:
            self.receive(rest)
        if not head.has_body:
            self._next()
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
        return self._http.their_state is h11.DONE

    def body(self) -> bytes | None:
        """Some of the body; b"": it is complete; None: more is needed. ``Refused`` if it breaks RFC 9112."""
        event = self._next()
        if isinstance(event, h11.Data):
            self.received += len(event.data)
            return bytes(event.data)
        return b"" if isinstance(event, h11.EndOfMessage) else None

    def ignore_rest(self) -> None:
        """The rest of the body is not wanted any more."""
        self._spoilt = True

    def _next(self) -> object:
        try:
            event = self._http.next_event()
        except h11.RemoteProtocolError as exc:
            raise Refused("a request that breaks RFC 9112", exc.error_status_hint) from None
        if isinstance(event, h11.EndOfMessage) and self._http.trailing_data[0]:
            self._spoilt = True
        return event

    # Answers.

    @property
    def answering(self) -> bool:
        """Whether an answer has begun."""
        return self._http.our_state is h11.SEND_BODY

    @property
    def answered(self) -> bool:
        """Whether an answer is complete."""
        return self._http.our_state not in {h11.IDLE, h11.SEND_RESPONSE, h11.SEND_BODY}

    def go_on(self) -> bytes:
        """100 Continue, to a client that waits for it."""
        if not self._http.they_are_waiting_for_100_continue:
            return b""
        return (
            self._http.send(h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue")) or b""
        )

    def respond(self, status: int, headers: Iterable[tuple[str, str]], posix: float) -> bytes:
        """The head of an answer. Without Content-Length it is sent in chunks."""
        date = ("Date", email.utils.formatdate(posix, usegmt=True))
        ending = [("Connection", "close")] if self._must_close else []
        response = h11.Response(
            status_code=status, headers=[date, *_FIXED, *headers, *ending], reason=_REASONS.get(status, b"")
        )
        return self._http.send(response) or b""

    def piece(self, data: bytes | memoryview) -> list[bytes]:
        """Some of the body of an answer."""
        return self._http.send_with_data_passthrough(h11.Data(data=data)) or []  # type: ignore[arg-type]

    def end(self) -> bytes:
        """The end of an answer."""
        return self._http.send(h11.EndOfMessage()) or b""

    @property
    def _must_close(self) -> bool:
        return self._spoilt or self._http.their_state is not h11.DONE

    def next_request(self) -> bool:
        """After an answer: whether another request may come on this connection."""
        if self._spoilt or self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
            return False
        self._http.start_next_cycle()
        self._asked = False
        return True
