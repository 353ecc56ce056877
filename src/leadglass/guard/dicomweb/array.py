"""A JSON array read element by element, however it is cut, holding no more than one element and a piece.

Each element is decoded by the standard library in one call. One that is incomplete is tried again when
what is held has doubled, so the work stays in proportion to the bytes.
"""

from __future__ import annotations

import codecs
import enum
import json
from collections.abc import Sequence
from typing import Any, NoReturn

from leadglass.errors import RemoteProtocolError

__all__ = ["ArrayReader", "Element", "write"]

Element = dict[str, Any]
"""One JSON object of the array."""

_LARGEST = 1024 * 1024
"""Characters in one element."""
_BLANKS = " \t\r\n"


class _Expects(enum.Enum):
    """What may come next."""

    ARRAY = "["
    FIRST = "an element or ]"
    ELEMENT = "an element"
    COMMA = ", or ]"
    END = "nothing"


def _no_constant(word: str) -> NoReturn:
    raise ValueError(word)


_Utf8 = codecs.getincrementaldecoder("utf-8")
_decode = json.JSONDecoder(parse_constant=_no_constant).raw_decode
_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


def write(elements: Sequence[Element]) -> bytes:
    """The elements as JSON, with commas between; ``RemoteProtocolError`` if one holds a number that JSON has not."""
    try:
        return _encode(elements)[1:-1].encode("ascii")
    except ValueError:
        raise RemoteProtocolError("a number out of range in an answer") from None


class ArrayReader:
    """Bytes in, elements out; ``RemoteProtocolError`` for what is no array of objects."""

    def __init__(self, largest: int = _LARGEST) -> None:
        self._largest = largest
        self._decoder = _Utf8()
        self._text = ""
        self._expects = _Expects.ARRAY
        self._try_at = 0

    def feed(self, data: bytes | memoryview, *, last: bool = False) -> list[Element]:
        """The elements that are complete now. With ``last`` the array must be, too."""
        try:
            self._text += self._decoder.decode(data, last)
        except UnicodeDecodeError:
            raise _broken() from None
        if len(self._text) < self._try_at <= self._largest and not last:
            return []
        elements = self._take()
        if last and self._expects is not _Expects.END:
            raise _broken()
        return elements

    def _take(self) -> list[Element]:
        text, at, elements = self._text, 0, []
        while (at := _skip(text, at)) < len(text):
            if self._expects in (_Expects.FIRST, _Expects.ELEMENT) and text[at] == "{":
                try:
                    element, at = _decode(text, at)
                except json.JSONDecodeError:
                    break
                except (ValueError, RecursionError):
                    raise _broken() from None
                elements.append(element)
                self._expects = _Expects.COMMA
            else:
                self._punctuation(text[at])
                at += 1
        self._keep(text[at:])
        return elements

    def _punctuation(self, mark: str) -> None:
        match self._expects, mark:
            case _Expects.ARRAY, "[":
                self._expects = _Expects.FIRST
            case ((_Expects.FIRST | _Expects.COMMA), "]"):
                self._expects = _Expects.END
            case _Expects.COMMA, ",":
                self._expects = _Expects.ELEMENT
            case _:
                raise _broken()

    def _keep(self, rest: str) -> None:
        if len(rest) > self._largest:
            raise RemoteProtocolError("a search result that is too large, or no JSON")
        self._text = rest
        self._try_at = 2 * len(rest)


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _BLANKS:
        at += 1
    return at


def _broken() -> RemoteProtocolError:
    return RemoteProtocolError("a search answer that is no JSON array of objects")
