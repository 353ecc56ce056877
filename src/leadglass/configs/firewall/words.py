"""What rules say of themselves, in letters that no firewall's language takes for its own.

Names and owners come from a file and may hold anything. What is left of them is letters, digits and a few marks
that are plain text in every format, cut to what the narrowest of them takes: comments of nftables have 128
characters, Azure's 140, Amazon's descriptions allow hardly anything else.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

from leadglass.configs.firewall.plan import Direction, Door, Network, Plan, Rule

__all__ = [
    "LONGEST",
    "Written",
    "closing",
    "head",
    "identifier",
    "note",
    "plain",
    "port_ranges",
    "short",
]

LONGEST = 126
"""Characters of a note."""

_OTHER = re.compile(r"[^A-Za-z0-9 ._:/()@+-]")
_NOT_NAME = re.compile(r"[^a-z0-9]+")


class Written(NamedTuple):
    """Rules in one format."""

    text: str
    notes: tuple[str, ...] = ()
    """What whoever loads them has to know, one line each."""


def plain(text: str, most: int) -> str:
    """``text`` in plain letters, at most so many; whatever is none becomes an underscore."""
    bare = (char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    found = _OTHER.sub("_", "".join(bare)).strip()
    return found if len(found) <= most else f"{found[: most - 2].rstrip()}.."


def note(rule: Rule) -> str:
    """Peer, service, server, owner and review date of a rule, in one line."""
    services = plain(" ".join(rule.services), 22)
    way = "to" if rule.direction is Direction.IN else "from"
    peer, server = plain(rule.peer.name, 28), plain(rule.server.name, 16)
    owner = plain(rule.peer.owner, 24) or "unknown"
    review = "not set" if rule.peer.review is None else rule.peer.review.isoformat()
    return f"{peer}: {services} {way} {server} - owner {owner} - review {review}"


def closing(door: Door) -> str:
    """What a rule says that closes ``door``."""
    if door.direction is Direction.IN:
        return f"{plain(door.server.name, 40)}: closed to all others"
    return f"{plain(door.server.name, 40)}: opens no association to others"


def head(plan: Plan, load: Iterable[str]) -> str:
    """The first lines of a file, as comments with a hash: what it is, and how it is loaded."""
    lines = [f"{plain(plan.name, 100)}: written by leadglass firewall; change the peer list, not this file."]
    return "".join(f"# {line}\n" for line in (*lines, *load))


def identifier(text: str, most: int = 40) -> str:
    """Lower-case letters, digits and single hyphens, beginning with a letter."""
    found = _NOT_NAME.sub("-", plain(text, 200).lower()).strip("-")[:most].strip("-")
    return found if found[:1].isalpha() else f"x-{found}".strip("-")


def short(network: Network) -> str:
    """A network as text; a single address without its length."""
    text = str(network)
    return text.partition("/")[0] if network.prefixlen == network.max_prefixlen else text


def port_ranges(ports: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """Consecutive ports as (first, last), in order."""
    found: list[tuple[int, int]] = []
    for port in sorted(set(ports)):
        if found and found[-1][1] == port - 1:
            found[-1] = (found[-1][0], port)
        else:
            found.append((port, port))
    return tuple(found)
