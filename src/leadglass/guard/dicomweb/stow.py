"""A STOW-RS request (PS3.18 10.5) as it streams by: each object's head, then its bytes, then the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from leadglass.errors import RemoteProtocolError
from leadglass.guard.dicomweb.headers import media_type
from leadglass.guard.dicomweb.multipart import (
    BodyBegins,
    BodyEnds,
    Ended,
    MultipartReader,
    Piece,
    boundary_of,
)
from leadglass.guard.dicomweb.part10 import Failure, FileReader, Head
from leadglass.guard.dicomweb.refused import Refused

__all__ = ["Event", "ObjectData", "ObjectEnds", "ObjectHead", "StowReader", "closing", "opening"]

_DICOM = "application/dicom"
_ENCODINGS = frozenset({"", "binary", "8bit"})
_MOST_OBJECTS = 100_000


@dataclass(frozen=True, slots=True)
class ObjectHead:
    """An object was recognised, or it was not."""

    found: Head | Failure


@dataclass(frozen=True, slots=True)
class ObjectData:
    """Some of an object that was recognised."""

    data: bytes | memoryview


@dataclass(frozen=True, slots=True)
class ObjectEnds:
    """An object is complete."""


Event: TypeAlias = ObjectHead | ObjectData | ObjectEnds | Ended


class StowReader:
    """Give it the body as it comes, then take events until there is none.

    Raises ``Refused`` for what is no multipart body of DICOM files. What is wrong with one
    object alone is told in its head.
    """

    def __init__(self, content_type: str) -> None:
        kind, parameters = media_type(content_type)
        if kind != "multipart/related" or parameters.get("type", "").lower() != _DICOM:
            raise Refused("objects are taken as multipart/related of application/dicom only", 415)
        self._parts = MultipartReader(boundary_of(parameters))
        self._file: FileReader | None = None
        self._told = False
        self._ready: list[Event] = []
        self._objects = 0

    def receive(self, data: bytes | memoryview) -> None:
        """More of the body."""
        self._parts.receive(data)

    def next_event(self) -> Event | None:
        """The next event; None: more is needed."""
        while not self._ready:
            event = self._parts.next_event()
            if event is None:
                return None
            match event:
                case BodyBegins(headers):
                    _check(headers.get("content-type", ""), headers.get("content-transfer-encoding", ""))
                    self._begin("content-encoding" in headers)
                case Piece(data):
                    self._feed(data, last=False)
                case BodyEnds():
                    self._feed(b"", last=True)
                    self._ready.append(ObjectEnds())
                case Ended():
                    self._ready.append(event)
        return self._ready.pop(0)

    def finish(self) -> None:
        """The body is over; ``Refused`` if it should not be."""
        self._parts.finish()
        if not self._objects:
            raise Refused("a request to store nothing")

    def _begin(self, encoded: bool) -> None:
        self._objects += 1
        if encoded or self._objects > _MOST_OBJECTS:
            raise Refused("an encoded part, or too many parts", 415 if encoded else 413)
        self._file = FileReader()
        self._told = False

    def _feed(self, data: bytes | memoryview, *, last: bool) -> None:
        assert self._file is not None
        try:
            passing = self._file.feed(data, last=last)
        except RemoteProtocolError as exc:
            raise Refused(f"an object goes on otherwise than it began: {exc.what}") from None
        if not self._told and self._file.result is not None:
            self._told = True
            self._ready.append(ObjectHead(self._file.result))
        self._ready += [ObjectData(piece) for piece in passing if piece]


def _check(content_type: str, encoding: str) -> None:
    if media_type(content_type)[0] != _DICOM or encoding.lower() not in _ENCODINGS:
        raise Refused("a part that is no DICOM file", 415)


def opening(boundary: str) -> bytes:
    """What stands before an object in a body of our own."""
    return f"--{boundary}\r\nContent-Type: {_DICOM}\r\n\r\n".encode("ascii")


def closing(boundary: str) -> bytes:
    """What stands behind the last object and its line end."""
    return f"--{boundary}--\r\n".encode("ascii")
