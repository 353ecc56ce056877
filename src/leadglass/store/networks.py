"""What people write for a network, as a stretch of addresses that sort as the tables of servers do."""

from __future__ import annotations

import ipaddress
import re
from typing import NamedTuple

from leadglass.errors import UsageError

__all__ = ["Stretch", "looks_like_one", "stretch_of"]

_BEGINNING = re.compile(r"(?:\d{1,3}\.){1,3}")
_ADDRESS = re.compile(r"[0-9A-Fa-f.:]*[.:][0-9A-Fa-f.:]*(?:/\d{1,3})?")
_LONGEST = 64


class Stretch(NamedTuple):
    """All addresses of one family from ``low`` to ``high``, both included."""

    family: int
    """4 or 6."""
    low: bytes
    high: bytes


def looks_like_one(text: str) -> bool:
    """Whether ``text`` can only be meant as an address or a network, and is one."""
    if not _ADDRESS.fullmatch(text):
        return False
    try:
        stretch_of(text)
    except UsageError:
        return False
    return True


def stretch_of(text: str) -> Stretch:
    """The addresses of ``text``: an address, a network (CIDR), or how an IPv4 address begins, as ``192.0.2.``.

    ``UsageError`` for anything else.
    """
    try:
        network = ipaddress.ip_network(_whole(text[:_LONGEST]), strict=False)
    except ValueError:
        raise UsageError(
            "this is no address and no network",
            then="give 192.0.2.9, 192.0.2.0/24, 192.0.2. or 2001:db8::/32",
        ) from None
    return Stretch(network.version, network[0].packed, network[-1].packed)


def _whole(text: str) -> str:
    """``192.0.2.`` as a network; anything else as it is, but for scoped addresses, which mean nothing elsewhere."""
    if "%" in text:
        raise ValueError
    if not _BEGINNING.fullmatch(text):
        return text
    given = text.count(".")
    return f"{text}{'.'.join('0' * (4 - given))}/{8 * given}"
