"""Where a page begins: a key of the last row, and which question it belongs to, as text that clients hand back.

A cursor gives nobody more than the page that it came from, so it is not signed; but it is read strictly, and fits only
the question that it was made for.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from dataclasses import dataclass
from typing import TypeAlias

from leadglass.errors import UsageError

__all__ = ["Cursor", "Key", "Shape", "digest_of", "read", "written"]

Key: TypeAlias = tuple[int | bytes, ...]
"""The columns by which rows are sorted, of one row."""
Shape: TypeAlias = tuple[type, ...]
"""``int`` or ``bytes`` for each of them."""

_TEXT = re.compile(r"[A-Za-z0-9_-]{8,200}")
_LARGEST = 2**63 - 1
_LONGEST = 16
"""Bytes of an address."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place between two rows."""

    key: Key
    backwards: bool
    """Whether the rows before ``key`` are wanted, not those after it."""


def digest_of(*question: object) -> str:
    """What tells one question from another: values whose ``repr`` is the same in every process."""
    return hashlib.sha256(repr(question).encode()).hexdigest()[:12]


def written(cursor: Cursor, question: str) -> str:
    """``cursor`` as text; ``question`` as ``digest_of`` says."""
    key = [part.hex() if isinstance(part, bytes) else part for part in cursor.key]
    told = json.dumps([question, int(cursor.backwards), *key], separators=(",", ":"))
    return base64.urlsafe_b64encode(told.encode()).decode().rstrip("=")


def read(text: str, question: str, shape: Shape) -> Cursor:
    """The cursor that ``text`` is; ``UsageError`` if it is none, or belongs to another question."""
    try:
        return _read(text, question, shape)
    except (ValueError, binascii.Error, RecursionError):
        raise UsageError(
            "this is no cursor of this list", then="begin at the first page, without a cursor"
        ) from None


def _read(text: str, question: str, shape: Shape) -> Cursor:
    if not _TEXT.fullmatch(text):
        raise ValueError
    match json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))):
        case [str(asked), int(backwards), *key] if asked == question and len(key) == len(shape):
            parts = tuple(_part(part, kind) for part, kind in zip(key, shape, strict=True))
            cursor = Cursor(parts, bool(backwards))
        case _:
            raise ValueError
    if written(cursor, question) != text:  # one cursor, one text
        raise ValueError
    return cursor


def _part(part: object, kind: type) -> int | bytes:
    if kind is int and type(part) is int and 0 <= part <= _LARGEST:
        return part
    if kind is bytes and type(part) is str and len(part) <= 2 * _LONGEST:
        return bytes.fromhex(part)
    raise ValueError
