"""A multipart body (RFC 2046 5.1) as it streams by: events out, nothing held but a part's headers.

The grammar is narrower than the RFC's: no text before the first boundary or behind the last, no blanks
behind a boundary. Parts are never passed on in their old frame, so nothing can be read in two ways.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from leadglass.guard.dicomweb.refused import Refused

__all__ = ["BodyBegins", "BodyEnds", "Ended", "Event", "MultipartReader", "Piece", "boundary_of"]

_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]\Z")
_LARGEST_HEADERS = 4 * 1024
_MOST_HEADERS = 16
_HEADER = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\x20-\x7e\t]*)\r\n")


@dataclass(frozen=True, slots=True)
class BodyBegins:
    """A part begins; its headers, names in lower case."""

    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Piece:
    """Some of a part's body."""

    data: memoryview


@dataclass(frozen=True, slots=True)
class BodyEnds:
    """The part is complete."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The last boundary was read."""


Event: TypeAlias = BodyBegins | Piece | BodyEnds | Ended


class _In(enum.Enum):
    """What is being read."""

    PREAMBLE = enum.auto()
    DELIMITER = enum.auto()
    HEADERS = enum.auto()
    BODY = enum.auto()
    EPILOGUE = enum.auto()


def boundary_of(parameters: Mapping[str, str]) -> bytes:
    """The boundary among the parameters of a media type; ``Refused`` if there is none, or none by the grammar."""
    boundary = parameters.get("boundary", "")
    if not _BOUNDARY.match(boundary):
        raise Refused("a multipart body without a valid boundary")
    return boundary.encode("ascii")


class MultipartReader:
    """Give it what came, then take events until there is none. Raises ``Refused`` for what is no multipart."""

    def __init__(self, boundary: bytes) -> None:
        self._dash = b"--" + boundary
        self._delimiter = b"\r\n" + self._dash
        self._held = b""
        self._at = 0  # of what is held, how much was told: thousands of small parts come at once
        self._in = _In.PREAMBLE

    def receive(self, data: bytes | memoryview) -> None:
        """More of the body."""
        rest = self._held[self._at :]
        self._held = rest + data if rest else bytes(data)
        self._at = 0

    def next_event(self) -> Event | None:
        """The next event; None: more is needed."""
        event: Event | None = None
        while event is None:
            before = self._in
            event = _STEPS[before](self)
            if event is None and self._in is before:
                return None
        return event

    def finish(self) -> None:
        """The body is over; ``Refused`` if the last boundary has not come."""
        if self._in is not _In.EPILOGUE or self._held[self._at :] not in {b"", b"\r\n"}:
            raise Refused("a multipart body that is cut off, or goes on behind its end")

    @property
    def held(self) -> int:
        """Bytes received and not yet told."""
        return len(self._held) - self._at

    def _preamble(self) -> None:
        # A line end before the first boundary is usual, and means nothing.
        # Nothing has been told yet: what is held begins where the body does.
        if self._held.startswith(b"\r\n") or b"\r\n".startswith(self._held):
            start = self._delimiter
        else:
            start = self._dash
        if self._held.startswith(start):
            self._at = len(start)
            self._in = _In.DELIMITER
        elif not start.startswith(self._held):
            raise Refused("a multipart body that does not begin with its boundary")

    def _after_delimiter(self) -> Event | None:
        if self._held.startswith(b"\r\n", self._at):
            self._in = _In.HEADERS
        elif self._held.startswith(b"--", self._at):
            self._at += 2
            self._in = _In.EPILOGUE
            return Ended()
        elif self.held >= 2:
            raise Refused("a multipart boundary with something behind it")
        return None

    def _headers(self) -> Event | None:
        # What is held begins with the line end of the boundary.
        end = self._held.find(b"\r\n\r\n", self._at, self._at + _LARGEST_HEADERS)
        if end < 0:
            if self.held >= _LARGEST_HEADERS:
                raise Refused("the headers of a part are too large")
            return None
        headers = _parse(self._held[self._at + 2 : end + 2])
        self._at = end + 4
        self._in = _In.BODY
        return BodyBegins(headers)

    def _body(self) -> Event | None:
        held, at = self._held, self._at
        end = held.find(self._delimiter, at)
        if end == at:
            self._at += len(self._delimiter)
            self._in = _In.DELIMITER
            return BodyEnds()
        if end < 0:
            # The boundary may have begun: what could be its beginning waits.
            end = held.rfind(b"\r", max(at, len(held) - len(self._delimiter) + 1))
            end = len(held) if end < 0 else end
        if end == at:
            return None
        self._at = end
        return Piece(memoryview(held)[at:end])

    def _epilogue(self) -> None:
        if not b"\r\n".startswith(self._held[self._at :]):
            raise Refused("a multipart body that goes on behind its end")


def _parse(raw: bytes) -> Mapping[str, str]:
    headers: dict[str, str] = {}
    at = 0
    while (match := _HEADER.match(raw, at)) is not None:
        at = match.end()
        name = match[1].decode("ascii").lower()
        if name in headers or len(headers) == _MOST_HEADERS:
            raise Refused("a part with a header twice, or with too many")
        headers[name] = match[2].decode("ascii").strip(" \t")
    if at != len(raw):
        raise Refused("a part with a header that breaks the grammar")
    return headers


_STEPS = {
    _In.PREAMBLE: MultipartReader._preamble,  # noqa: SLF001 - its own table
    _In.DELIMITER: MultipartReader._after_delimiter,  # noqa: SLF001
    _In.HEADERS: MultipartReader._headers,  # noqa: SLF001
    _In.BODY: MultipartReader._body,  # noqa: SLF001
    _In.EPILOGUE: MultipartReader._epilogue,  # noqa: SLF001
}
