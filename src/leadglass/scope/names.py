"""DNS names as scopes spell them: lower case, without the final dot, letters a server can have."""

from __future__ import annotations

import re

__all__ = ["host_name"]

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_LONGEST = 253


def host_name(text: str) -> str:
    """The name in canonical form (RFC 1123 2.1, with the underscore that some networks use).

    ``ValueError`` if it is no host name. A last label of digits is a mistyped address, not a name.
    """
    name = text.strip().lower().removesuffix(".")
    if not name.isascii():
        raise ValueError(f"{text!r} is not ASCII; write the name's xn-- form")
    labels = name.split(".")
    if len(name) > _LONGEST or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError(f"{text!r} is neither an address nor a host name")
    if labels[-1].isdigit():
        raise ValueError(f"{text!r} is not an address")
    return name
