"""What one source says of who runs an endpoint."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

__all__ = ["Clue", "Source", "domain_of", "in_certificate"]


class Source(enum.StrEnum):
    """Where it was read, the surest first."""

    STATEMENT = "statement"
    """The owner's own word; it overrules the rest."""
    REGISTRY = "registry"
    """The organisation to which the addresses are registered (RDAP)."""
    CERTIFICATE = "certificate"
    """Names in the server's certificate."""
    CONFIRMED_NAME = "confirmed-name"
    """The name that the address has in the DNS, which leads back to the address."""
    NAME = "name"
    """A name in the DNS that does not lead back: anybody can write one."""
    NETWORK = "network"
    """The network's name in a database that the user brought."""


@dataclass(frozen=True, slots=True)
class Clue:
    """One name. What is written there is others' text: it is shown only through ``report.safe``."""

    source: Source
    name: str
    """A host name in lower case, or the name of an organisation."""
    country: str | None = None
    """ISO 3166-1 alpha-2, upper case."""
    when: str | None = None
    """The day the source itself is of, where it says one."""

    @property
    def domain(self) -> str | None:
        """The registrable domain, if it is a host name."""
        return domain_of(self.name)


_LABELS = "ac co com edu go gob gov gouv govt health ltd mil ne net nhs nom or org sch"
_SECOND = frozenset(_LABELS.split())
"""Labels under which names of a country are registered; a list of all of them would be out of date tomorrow."""


def domain_of(name: str) -> str | None:
    """``hospital.org.br`` of ``pacs.hospital.org.br``; None if it is no host name.

    A rule of thumb: two labels, three where the second is one under which countries register.
    """
    labels = name.rstrip(".").lower().split(".")
    if len(labels) < 2 or not all(_is_label(label) for label in labels) or labels[-1].isdigit():
        return None
    wide = len(labels[-1]) == 2 and labels[-2] in _SECOND and len(labels) > 2
    return ".".join(labels[-3:] if wide else labels[-2:])


def _is_label(label: str) -> bool:
    return 0 < len(label) <= 63 and label.replace("-", "").replace("_", "").isalnum()


_PART = re.compile(r"(?:^|[,+])([A-Za-z0-9.]+)=((?:\\.|[^\\,+])*)")
"""An attribute of a name as RFC 4514 writes it; a comma within a value has a backslash before it."""
_ESCAPED = re.compile(r"\\(.)")
_MADE_UP = (
    "internet widgits pty ltd; default company ltd; acme co; my company; my company name; some company;"
    " someorganization; unspecified; unknown; none; example; test; localhost; self-signed; self signed"
)
_NOBODY = frozenset(name.strip() for name in _MADE_UP.split(";"))
"""Organisations that tools fill in when nobody does."""
_SHORTEST = 3


def in_certificate(subject: str, sans: Iterable[str]) -> Iterator[Clue]:
    """The hosts that a certificate is for, those of a wildcard too, and the organisation that it names."""
    parts = [(key.upper(), _ESCAPED.sub(r"\1", value)) for key, value in _PART.findall(subject)]
    for name in (*sans, *(value for key, value in parts if key == "CN")):
        host = name.lower().removeprefix("*.")
        if domain_of(host):
            yield Clue(Source.CERTIFICATE, host)
    for key, value in parts:
        if key == "O" and len(value) >= _SHORTEST and value.lower().rstrip(".") not in _NOBODY:
            yield Clue(Source.CERTIFICATE, value)
