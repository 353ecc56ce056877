"""The head of a request (RFC 9110, 9112) by a grammar narrower than what servers usually bear with.

Two servers that read one request differently are how one request is smuggled inside another. So what
leaves room for two readings is refused: line ends without CR, folded lines, blanks before a colon,
control characters, two lengths, a length beside chunks, a header twice.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from leadglass.guard.dicomweb.refused import Refused

__all__ = ["LARGEST_HEAD", "Head", "Reader", "accepts", "media_type"]

LARGEST_HEAD = 32 * 1024
"""Bytes: room for a token, which is at most 16 KiB."""
_MOST_HEADERS = 64
_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_LINE = re.compile(rb"([A-Z]{1,16}) ([\x21-\x7e]+) HTTP/1\.([01])\r\n")
_HEADER = re.compile(rb"(" + _TOKEN + rb"):[ \t]*((?:[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?)?)[ \t]*\r\n")
_UNHEARD_OF = frozenset({b"CONNECT", b"TRACE"})
_SINGLE = frozenset(
    {"authorization", "content-encoding", "content-length", "content-type", "expect", "host", "origin"}
    | {"transfer-encoding", "upgrade"}
)
"""Headers that mean something to us and may come once only."""
_LENGTH = re.compile(r"[0-9]{1,15}\Z")
_MEDIA = re.compile(
    r"[ \t]*([A-Za-z0-9!#$&^_.+*-]+/[A-Za-z0-9!#$&^_.+*-]+)[ \t]*"
    r'((?:;[ \t]*[A-Za-z0-9!#$&^_.+-]+=(?:[^\s;,"]+|"[^"\\]*")[ \t]*)*)\Z'
)
_PARAMETER = re.compile(r';[ \t]*([A-Za-z0-9!#$&^_.+-]+)=(?:([^\s;,"]+)|"([^"\\]*)")')
_UNWANTED = re.compile(r";[ \t]*q=0(?:\.0*)?[ \t]*(?:;|\Z)")
_RANGE = re.compile(r'((?:[^,"]|"[^"]*")+)')


@dataclass(frozen=True, slots=True)
class Head:
    """What the guard wants to know of a head. Nothing else of it is looked at, or passed on."""

    method: bytes
    target: bytes
    authorization: str | None = field(default=None, repr=False)
    accept: str = ""
    content_type: str = ""
    length: int | None = None
    """Bytes of the body; None where chunks tell."""
    waits: bool = False
    """The client sends the body only when told to go on (RFC 9110 10.1.1)."""
    closes: bool = False
    """The client wants the connection to end with the answer."""
    old: bool = False
    """HTTP/1.0, which has no chunks."""
    origin: str = ""
    """Whose page asks, where a browser says so."""
    asks_first: bool = False
    """A browser asks whether a page may ask (the Fetch standard calls it a preflight)."""

    @property
    def has_body(self) -> bool:
        """Whether anything follows."""
        return self.length != 0


class Reader:
    """Reads the heads that come on one connection: most clients send the same headers each time."""

    def __init__(self, authorities: frozenset[str]) -> None:
        self._authorities = authorities
        self._same = b""
        """What came last behind a target: the version and the headers."""
        self._last = Head(b"", b"")

    def read(self, raw: bytes) -> Head:
        """The head ``raw``, from the request line to the empty line; ``Refused`` if it leaves any doubt."""
        line = _LINE.match(raw)
        if line is None:
            raise Refused("a request line that breaks RFC 9112")
        if line[1] in _UNHEARD_OF:
            raise Refused("a method that no resource has", 405, (("Allow", "GET, POST"),))
        same = raw[line.end(2) :]
        if same != self._same:
            self._last = self._read(raw, line)
            self._same = same
        last = self._last
        return Head(
            line[1],
            line[2],
            last.authorization,
            last.accept,
            last.content_type,
            last.length,
            last.waits,
            last.closes,
            last.old,
            last.origin,
            last.asks_first and line[1] == b"OPTIONS",
        )

    def _read(self, raw: bytes, line: re.Match[bytes]) -> Head:
        headers = _headers(raw, line.end())
        _check(headers, self._authorities)
        new = line[3] == b"1"
        return Head(
            b"",
            b"",
            headers.get("authorization"),
            headers.get("accept", ""),
            headers.get("content-type", ""),
            _length(headers, new),
            _waits(headers),
            _closes(headers, new),
            not new,
            headers.get("origin", ""),
            "access-control-request-method" in headers,
        )


def media_type(value: str) -> tuple[str, Mapping[str, str]]:
    """Type and parameters of one media type (RFC 9110 8.3.1), names in lower case; ``Refused`` if it is none."""
    match = _MEDIA.match(value)
    if match is None:
        raise Refused("a media type that breaks the grammar", 415)
    found = [(name.lower(), word or quoted) for name, word, quoted in _PARAMETER.findall(match[2])]
    if len(dict(found)) != len(found):
        raise Refused("a media type with a parameter twice", 415)
    return match[1].lower(), dict(found)


@functools.lru_cache(maxsize=64)
def accepts(accept: str, *offered: str) -> bool:
    """Whether one of ``offered`` is acceptable (RFC 9110 12.5.1); no Accept header accepts all."""
    if not accept:
        return True
    return any(_covers(wanted, offer) for wanted in _RANGE.findall(accept) for offer in offered)


def _covers(wanted: str, offer: str) -> bool:
    match = _MEDIA.match(wanted)
    if match is None or _UNWANTED.search(match[2]):
        return False
    return match[1].lower() in {"*/*", offer.partition("/")[0] + "/*", offer}


def _headers(raw: bytes, at: int) -> Mapping[str, str]:
    headers: dict[str, str] = {}
    count = 0
    while (match := _HEADER.match(raw, at)) is not None:
        at, count = match.end(), count + 1
        name, value = match[1].decode("ascii").lower(), match[2].decode("ascii")
        if name in headers and name in _SINGLE:
            raise Refused("a header that came twice")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    if raw[at:] != b"\r\n":
        raise Refused("a header that breaks RFC 9112")
    if count > _MOST_HEADERS:
        raise Refused("too many headers", 431)
    return headers


def _check(headers: Mapping[str, str], authorities: frozenset[str]) -> None:
    if "host" not in headers:
        raise Refused("a request without Host")
    if headers["host"].lower() not in authorities:
        raise Refused("a request for another host", 421)
    if "upgrade" in headers:
        raise Refused("no other protocol is spoken here")
    if "content-encoding" in headers:
        raise Refused("encoded bodies are not taken", 415)


def _length(headers: Mapping[str, str], chunks: bool) -> int | None:
    coding, length = headers.get("transfer-encoding"), headers.get("content-length")
    if coding is not None:
        if length is not None or coding.lower() != "chunked" or not chunks:
            raise Refused("a body whose length can be read in two ways")
        return None
    if length is not None and not _LENGTH.match(length):
        raise Refused("a Content-Length that is no number")
    return int(length or 0)


def _closes(headers: Mapping[str, str], persistent: bool) -> bool:
    """RFC 9112 9.3."""
    wishes = {wish.strip(" \t").lower() for wish in headers.get("connection", "").split(",")}
    return "close" in wishes or not (persistent or "keep-alive" in wishes)


def _waits(headers: Mapping[str, str]) -> bool:
    expected = headers.get("expect")
    if expected is not None and expected.lower() != "100-continue":
        raise Refused("an expectation that cannot be met", 417)
    return expected is not None
