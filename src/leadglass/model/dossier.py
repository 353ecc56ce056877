"""The evidence of the register for an auditor: what is asked for, and what is handed over."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from leadglass.model.record_parts import Tlp

__all__ = ["Dossier", "DossierOptions"]


@dataclass(frozen=True, slots=True)
class DossierOptions:
    """What a dossier shall tell."""

    as_of: dt.date | None = None
    """The register as it stood at the end of that day, UTC, and judged on it; None: today."""
    since: dt.date | None = None
    """History from that day on; None: all of it."""
    profiles: tuple[str, ...] = ()
    """The laws and standards whose requirements are held against the register."""
    organisation: str = ""
    """Whose register it is, for the cover."""
    tlp: Tlp = Tlp.AMBER
    """How far it may be passed on."""


@dataclass(frozen=True, slots=True)
class Dossier:
    """The same bytes for the same data and options, wherever and whenever it is made."""

    name: str
    """For its files, without an ending: ASCII letters, digits and dashes."""
    pdf: bytes = field(repr=False)
    archive: bytes = field(repr=False)
    """A ZIP with the PDF, the data as CSV and JSON, the entries and their time stamps."""
