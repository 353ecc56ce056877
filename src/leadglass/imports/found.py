"""What comes out of a file, whoever wrote it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from leadglass.model.evidence import PassiveEvidence

__all__ = ["LONGEST", "Answered", "Broken", "DamagedError", "Found", "Json", "UnfitError"]

Json: TypeAlias = Any
"""A JSON value."""

LONGEST = 4 << 20
"""Bytes of one line, one record or one XML tag; what is longer is broken. The longest honest ones are hosts with
hundreds of services."""


@dataclass(frozen=True, slots=True)
class Found:
    """One open endpoint that somebody else saw."""

    address: str
    """An IPv4 or IPv6 literal in canonical form."""
    port: int
    evidence: PassiveEvidence | None
    """None where the file says no more than "open"."""


@dataclass(frozen=True, slots=True)
class Answered:
    """One address that answered somebody, at a port that the file does not tell."""

    address: str
    """As in ``Found``."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A line that could not be used, counted from 1, and why: in our words, nothing of the line itself."""

    line: int
    why: str


class UnfitError(Exception):
    """This record cannot be used; its text becomes ``Broken.why``. Never leaves this folder."""


class DamagedError(Exception):
    """The file cannot be read on from here; its text becomes ``Broken.why``. Never leaves this folder."""
