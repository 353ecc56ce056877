"""What a front asks of a caller before it lets a request through."""

from __future__ import annotations

import enum
import functools
import ipaddress
import operator
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from leadglass.configs.reading import Reach
from leadglass.model.verdict import Access

__all__ = [
    "OPEN",
    "WORST_REACH",
    "Gate",
    "Need",
    "both",
    "bound_to",
    "either",
    "exposure",
    "is_open",
    "reach",
]


class Need(enum.StrEnum):
    """One thing a caller needs, the easiest for a stranger first."""

    SECRET = "secret"  # noqa: S105 -- a word, not a password
    """A header, cookie or parameter with a value that stands in the file."""
    UNKNOWN = "unknown"
    """A program decides that was not read: Lua, a module of a third party."""
    LOGIN = "login"
    CERTIFICATE = "certificate"
    ADDRESS = "address"
    """To call from a named address or network."""
    NOBODY = "nobody"
    """Nobody is let through: refused, or sent elsewhere."""


Gate: TypeAlias = frozenset[Need]
"""All of them are needed; a stranger needs nothing where it is empty."""

OPEN: Gate = frozenset()

_EASIEST = tuple(Need)
_EXPOSURE: Sequence[tuple[Need, Access]] = (
    (Need.NOBODY, Access.CLOSED),
    (Need.CERTIFICATE, Access.DEMANDS_CERTIFICATE),
    (Need.LOGIN, Access.DEMANDS_LOGIN),
    (Need.SECRET, Access.DEMANDS_LOGIN),
    (Need.UNKNOWN, Access.INCONCLUSIVE),
)
WORST_REACH = (
    Reach.EVERYWHERE,
    Reach.UNKNOWN,
    Reach.NAMED,
    Reach.BEHIND_FRONT,
    Reach.CONTAINERS,
    Reach.LOOPBACK,
)
"""The widest first."""


def both(gates: Iterable[Gate]) -> Gate:
    """One gate behind the other: everything is needed."""
    return functools.reduce(operator.or_, gates, OPEN)


def either(gates: Iterable[Gate]) -> Gate:
    """Gates beside each other: the stranger takes the easiest; nobody gets through where there is none."""
    return min(gates, key=_difficulty, default=frozenset({Need.NOBODY}))


def exposure(gate: Gate) -> Access:
    """What a stranger meets. An address is no question that is asked: it is the reach that it limits."""
    return next((access for need, access in _EXPOSURE if need in gate), Access.ANSWERS_QUERY)


def is_open(gate: Gate) -> bool:
    """Whether whoever may call at all gets through with nothing to show."""
    return gate <= {Need.ADDRESS}


def reach(gate: Gate, bound: Reach) -> Reach:
    """Who can come this far, given who can reach the port."""
    return Reach.NAMED if Need.ADDRESS in gate and bound in {Reach.EVERYWHERE, Reach.UNKNOWN} else bound


def bound_to(address: str) -> Reach:
    """Who can reach a port that is bound to ``address``; ``""`` and ``*`` are all of them.

    All interfaces may be those of a container: who publishes its ports stands in another file.
    """
    if address in {"", "*"} or address.startswith("$"):
        return Reach.UNKNOWN
    if address.startswith("unix:") or address == "localhost":
        return Reach.LOOPBACK
    try:
        number = ipaddress.ip_address(address.strip("[]"))
    except ValueError:
        return Reach.UNKNOWN
    if number.is_unspecified:
        return Reach.UNKNOWN
    if number.is_loopback:
        return Reach.LOOPBACK
    return Reach.EVERYWHERE if number.is_global else Reach.NAMED


def _difficulty(gate: Gate) -> int:
    """The hardest of what it needs."""
    return max((_EASIEST.index(need) for need in gate), default=-1)
