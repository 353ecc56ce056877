"""One text for one value, so that a hash of it can be checked by anybody (RFC 8785, without floats).

Members are sorted, nothing is blank, text is UTF-8. Where RFC 8785 and Python differ (how floats are
written, how keys beyond ASCII are sorted) there is nothing to differ about: both are refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from leadglass.errors import LocalProtocolError

__all__ = ["Json", "canonical"]

Json: TypeAlias = "bool | int | str | Sequence[Json] | Mapping[str, Json] | None"
"""What may stand in an entry: JSON without floats."""

_EXACT = 2**53
"""Above it, a reader that takes numbers for IEEE doubles (RFC 8785 3.2.2.3) would read another one."""

_DEEPEST = 16

_encode = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, allow_nan=False, sort_keys=True, separators=(",", ":")
).encode


def canonical(value: Json) -> bytes:
    """``value`` as canonical JSON; ``LocalProtocolError`` for what has no such form."""
    _require_plain(value, _DEEPEST)
    try:
        return _encode(value).encode()
    except UnicodeEncodeError as error:
        raise LocalProtocolError("a lone surrogate has no place in the ledger") from error


def _require_plain(value: Any, depth: int) -> None:
    kind = type(value)
    if kind is str or value is None or kind is bool:
        return
    if kind is int:
        if -_EXACT < value < _EXACT:
            return
    elif depth and (kind is list or kind is tuple):
        for item in value:
            _require_plain(item, depth - 1)
        return
    elif depth and kind is dict:
        for key, item in value.items():
            if type(key) is not str or not key.isascii():
                break
            if type(item) is not str:
                _require_plain(item, depth - 1)
        else:
            return
    raise LocalProtocolError(f"a {kind.__name__} like this has no place in the ledger")
