"""Whom to write to, in the order that studies of notification show to work.

Direct and named comes first: a message to the operator's own contact with all detail was fixed oftenest (Li et
al., USENIX Security 2016; Maass et al., USENIX Security 2021), one by way of a CERT less often. National CSIRTs
are in ``knowledge/csirts.toml``, with the page where each says how to reach it.
"""

from __future__ import annotations

import enum
import functools
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import resources

__all__ = ["Contact", "Csirt", "Way", "csirts", "in_order", "security_txt"]


class Way(enum.StrEnum):
    """Kinds of contact, the best first; the order of the members is the ranking."""

    OWN = "own"
    """A person or office that somebody looked up by hand and entered."""
    SECURITY_TXT = "security.txt"
    """RFC 9116, at the operator's own domain."""
    ABUSE = "abuse"
    """The abuse contact of the addresses, in the registry."""
    REGISTRY = "registry"
    """Technical and administrative contacts in the registry."""
    CSIRT = "csirt"
    """The national CSIRT."""


@dataclass(frozen=True, slots=True)
class Contact:
    """One way to reach somebody."""

    way: Way
    address: str
    """A ``mailto:`` address without the scheme, or a URL."""
    of: str
    """Whose it is."""


@dataclass(frozen=True, slots=True)
class Csirt:
    """A national CSIRT."""

    country: str
    name: str
    page: str


def in_order(contacts: Iterable[Contact]) -> tuple[Contact, ...]:
    """The best way first, each address once."""
    ranked = sorted(contacts, key=lambda contact: list(Way).index(contact.way))
    return tuple({contact.address.lower(): contact for contact in reversed(ranked)}.values())[::-1]


@functools.cache
def csirts() -> Mapping[str, Csirt]:
    """National CSIRTs by country."""
    text = resources.files("leadglass.owner").joinpath("knowledge", "csirts.toml").read_text("utf-8")
    return {row["country"]: Csirt(**row) for row in tomllib.loads(text)["csirt"]}


_CONTACT = re.compile(r"^contact:[ \t]*(\S+)[ \t]*$", re.IGNORECASE)
_MAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,253}")
_WEB = re.compile(r"https://[A-Za-z0-9.-]+(/[!-~]*)?")
_LONGEST = 1 << 15


def security_txt(text: str, of: str) -> Iterator[Contact]:
    """The contacts in a security.txt (RFC 9116 2.5.3), in its order; what is neither mail nor HTTPS is left out."""
    for line in text[:_LONGEST].splitlines():
        found = _CONTACT.match(line.strip())
        if found:
            address = found[1].removeprefix("mailto:")
            if _MAIL.fullmatch(address) or _WEB.fullmatch(address):
                yield Contact(Way.SECURITY_TXT, address, of)
