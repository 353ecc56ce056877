"""Grammars without leniency, for what strangers write: base64url, JSON, names.

What two readers may read differently is refused: a member twice, a base64 text with stray bits, a
name with characters that cannot be seen. ``ValueError`` says so, and never repeats the text.
"""

from __future__ import annotations

import base64
import binascii
import json
import unicodedata
from collections.abc import Sequence
from typing import Any, NoReturn

__all__ = ["decode_base64url", "json_object", "plain_text"]


def decode_base64url(text: bytes) -> bytes:
    """The bytes behind base64url without padding (RFC 7515 2), in the one way it can be written."""
    try:
        data = base64.b64decode(text + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as exc:
        raise ValueError("not base64url") from exc
    if base64.urlsafe_b64encode(data).rstrip(b"=") != text:
        raise ValueError("not base64url in its one form")
    return data


def json_object(text: bytes) -> dict[str, Any]:
    """A JSON object in UTF-8 (RFC 8259) without a member twice, and without NaN or Infinity."""
    try:
        value = json.loads(text.decode("utf-8"), object_pairs_hook=_members, parse_constant=_no_constant)
    except RecursionError as exc:
        raise ValueError("JSON nested too deep") from exc
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - one kind of error for one kind of input
    return value


def plain_text(text: str, most: int) -> str:
    """``text`` in normal form C, of 1 to ``most`` characters that can be seen, no blank at its ends."""
    normal = unicodedata.normalize("NFC", text)
    if not 1 <= len(normal) <= most:
        raise ValueError(f"not 1 to {most} characters")
    if normal != normal.strip():
        raise ValueError("begins or ends with a blank")
    # Control, format, surrogate and unassigned characters, and every blank but the ordinary one.
    if not normal.isprintable():
        raise ValueError("holds a character that cannot be seen")
    return normal


def _members(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a JSON member twice")
    return members


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")
