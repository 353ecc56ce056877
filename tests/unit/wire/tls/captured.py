"""Flights captured from real servers on loopback; each file says which server, and what it was asked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from leadglass.errors import RemoteProtocolError
from leadglass.wire.tls.flight import Event, FlightReader

__all__ = ["FLIGHTS", "captured", "events", "record"]

_FOLDER = Path(__file__).parent / "flights"

FLIGHTS = sorted(path.stem for path in _FOLDER.glob("*.hex") if ".body" not in path.name)


def captured(name: str) -> bytes:
    """The bytes of one capture; its first line is the comment."""
    return bytes.fromhex("".join((_FOLDER / f"{name}.hex").read_text().splitlines()[1:]))


def events(pieces: Sequence[bytes], *, highest: int = 0x0303) -> tuple[list[Event], str | None, bool]:
    """All events of a stream, what broke it, and whether the flight is finished."""
    reader, found = FlightReader(highest=highest), list[Event]()
    try:
        for piece in pieces:
            reader.feed(piece)
            while (event := reader.next()) is not None:
                found.append(event)
    except RemoteProtocolError as error:
        return found, error.what, reader.finished
    return found, None, reader.finished


def record(payload: str | bytes, *, kind: int = 22, version: int = 0x0303) -> bytes:
    """One record; a ``str`` is hexadecimal with blanks."""
    content = bytes.fromhex(payload) if isinstance(payload, str) else payload
    return bytes((kind,)) + version.to_bytes(2) + len(content).to_bytes(2) + content
