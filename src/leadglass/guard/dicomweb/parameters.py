"""Query parameters (RFC 3986 3.4) by a strict grammar: read once, written anew, never passed on as they came.

A value is decoded exactly once and encoded again by us, so an encoding of an encoding stays text.
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote_to_bytes

from leadglass.guard.dicomweb.refused import Refused

__all__ = ["Parameters", "decode", "encode"]

Parameters = tuple[tuple[str, str], ...]
"""Names and decoded values in the order they came."""

_MOST = 64
_LONGEST_VALUE = 1024
_NAME = re.compile(r"[A-Za-z0-9._-]{1,128}\Z")
# RFC 3986 3.4 without what HTML forms and the decoder give a meaning; no other character may stand there.
_RAW = re.compile(r"(?:[A-Za-z0-9\-._~!$'()*,;:@/?+\\^|=\[\]]|%[0-9A-Fa-f]{2})*\Z")
_SAFE = "-._~!*'():@/,"
_PLAIN = re.compile(r"[A-Za-z0-9\-._~!*'():@/,]*\Z")


def decode(query: str) -> Parameters:
    """The parameters of ``query`` (what follows the question mark); ``Refused`` if it breaks the grammar."""
    if not query:
        return ()
    pieces = query.split("&")
    if len(pieces) > _MOST:
        raise Refused("more query parameters than anybody needs")
    return tuple([_decode(piece) for piece in pieces if piece])


def encode(parameters: Parameters) -> str:
    """``parameters`` as a query, with its question mark; empty if there are none."""
    if not parameters:
        return ""
    pairs = [
        f"{name}={value if _PLAIN.match(value) else quote(value, safe=_SAFE)}" for name, value in parameters
    ]
    return "?" + "&".join(pairs)


def _decode(piece: str) -> tuple[str, str]:
    name, _, raw = piece.partition("=")
    if not _NAME.match(name) or not _RAW.match(raw):
        raise Refused("a query parameter that breaks the grammar")
    value = _unquoted(raw) if "%" in raw or "+" in raw else raw
    if len(value) > _LONGEST_VALUE or not value.isprintable():
        raise Refused("a query parameter with control characters, or too long")
    return name, value


def _unquoted(raw: str) -> str:
    try:
        return unquote_to_bytes(raw.replace("+", " ")).decode()
    except UnicodeDecodeError:
        raise Refused("a query parameter that is not UTF-8") from None
