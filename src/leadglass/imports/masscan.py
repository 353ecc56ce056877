"""masscan's JSON (``-oJ``, and one object a line, ``-oD``) and its list (``-oL``): TCP ports that were open.

Banners stand in both, on lines and in objects of their own; they are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from leadglass.imports.found import Broken, Found, Json, UnfitError
from leadglass.imports.lines import each_line
from leadglass.imports.records import each_record
from leadglass.imports.words import IPV4, address_of, at, port_of

__all__ = ["LIST_LINE", "read_masscan_json", "read_masscan_list"]

_FINISHED = b"{finished"
"""Old versions end the array with a line that is no JSON."""

_OPEN = re.compile(rf"open tcp ([0-9]{{1,5}}) ({IPV4}) [0-9]+\r?".encode())
LIST_LINE = re.compile(rb"(open|closed|up|banner) ([a-z0-9-]+) ([0-9]{1,5}) (\S+) ([0-9]+)(?: .*)?\r?")
"""State, protocol, port, address, POSIX time; then, of a banner, what it says."""


def read_masscan_list(pieces: Iterable[bytes]) -> Iterator[Found | Broken]:
    """Every ``open tcp`` line."""
    return each_line(pieces, _listed)


def _listed(line: bytes) -> tuple[Found, ...]:
    match = _OPEN.fullmatch(line)
    if match is not None and 1 <= (port := int(match[1])) <= 65535:
        return (Found(match[2].decode(), port, None),)
    return _otherwise_listed(line)


def _otherwise_listed(line: bytes) -> tuple[Found, ...]:
    if not line.strip() or line.startswith(b"#"):
        return ()
    match = LIST_LINE.fullmatch(line)
    if match is None:
        raise UnfitError("not a line of masscan's list")
    if (match[1], match[2]) != (b"open", b"tcp"):
        return ()
    return (Found(address_of(match[4].decode("ascii", "replace")), port_of(match[3].decode()), None),)


def read_masscan_json(pieces: Iterable[bytes]) -> Iterator[Found | Broken]:
    """Every port whose status is open."""
    return each_record(pieces, _ports, _found, ending=_FINISHED)


def _ports(value: Json) -> Iterator[tuple[Json, Json]]:
    """Addresses with what is said of one port; None of what is no record."""
    address, ports = at(value, "ip"), at(value, "ports")
    if at(value, "rec_type") is not None:  # one object a line: the status stands a level deeper
        yield address, {**value, "status": at(value, "data", "status")}
    elif address is not None and isinstance(ports, list):
        yield from ((address, port) for port in ports)
    else:
        yield None, None


def _found(said: tuple[Json, Json]) -> Iterator[Found]:
    address, port = said
    if not isinstance(port, dict):
        raise UnfitError("not a record of masscan")
    if (port.get("proto"), port.get("status")) == ("tcp", "open"):
        yield Found(address_of(address), port_of(port.get("port")), None)
