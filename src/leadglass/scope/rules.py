"""What a scope says, as nouns, before anybody asks it anything."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass
from typing import TypeAlias

from leadglass.model.rung import Rung
from leadglass.scope.hours import Hours
from leadglass.scope.special import Network

__all__ = ["Authorisation", "Basis", "Exclusion", "Identity", "Limits", "Range", "Refusal", "Target"]

Range: TypeAlias = Network | str
"""Addresses, or the name that stands for some."""


class Basis(enum.StrEnum):
    """By what right somebody looks."""

    OWNER = "owner"
    MANDATE = "mandate"
    RESEARCH = "research"

    @property
    def ceiling(self) -> Rung:
        """The deepest rung that this basis can ever allow.

        A sample needs the owner's word; a query, even a blank one, needs the owner's or a mandate.
        """
        return _CEILINGS[self]


_CEILINGS = {
    Basis.OWNER: Rung.SAMPLE,
    Basis.MANDATE: Rung.BLANK_QUERY,
    Basis.RESEARCH: Rung.NEGOTIATE,
}


@dataclass(frozen=True, slots=True)
class Authorisation:
    """Who said yes, until the end of which day, and who to write to."""

    basis: Basis
    granted_by: str
    contact: str
    reference: str | None = None
    valid_until: dt.date | None = None

    @property
    def ceiling(self) -> Rung:
        """The deepest rung that this authorisation allows; a sample needs reference and end date."""
        if self.basis.ceiling is Rung.SAMPLE and not (self.reference and self.valid_until):
            return Rung.BLANK_QUERY
        return self.basis.ceiling


@dataclass(frozen=True, slots=True)
class Limits:
    """How deep, how fast and when, for all targets together."""

    deepest: Rung = Rung.ASSOCIATE
    rate: float = 500.0
    """New connections a second, all hosts together."""
    connections_per_endpoint: int = 6
    """In all, one at a time."""
    concurrent_per_host: int = 8
    concurrent_per_network: int = 64
    """Endpoints at once in one network: an IPv4 /24, an IPv6 /48."""
    hours: Hours | None = None
    hours_text: str | None = None
    """The window and its zone as the scope spells them."""
    zone: dt.tzinfo = dt.UTC
    """In which days end."""


@dataclass(frozen=True, slots=True)
class Identity:
    """How the scanner introduces itself."""

    calling_ae: str = "LEADGLASS"
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """One range and what may be asked there. ``where`` is its place in the file, for messages."""

    range: Range
    ports: tuple[int, ...]
    deepest: Rung
    called_ae: str | None = None
    where: str = ""


@dataclass(frozen=True, slots=True)
class Exclusion:
    """One range that is never touched."""

    range: Range
    reason: str
    where: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A name, or one of its addresses, that the scope will not touch, and why."""

    name: str
    address: str | None
    reason: str

    def __str__(self) -> str:
        answer = f" = {self.address}" if self.address else ""
        return f"{self.name}{answer}: {self.reason}"
