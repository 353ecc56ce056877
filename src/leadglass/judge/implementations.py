"""Which product announces itself: identity, pattern of granted services, maximum length.

A toolkit's identity is not a product's, and a peer may say what it likes: what contradicts itself makes us
less sure, and is written down. The rows stand in ``knowledge/implementations.toml``.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass

from leadglass.judge.knowledge import Table, table
from leadglass.judge.services import Service, service_of
from leadglass.model.evidence import NegotiateEvidence

__all__ = ["Implementation", "Match", "Pattern", "confidence", "factor", "length_of", "match", "patterns"]


@dataclass(frozen=True, slots=True)
class Implementation:
    """One row: who announces this Implementation Class UID and version name."""

    uid: str
    match: str
    product: str
    source: str
    confidence: str
    name: str = ""
    suffix: bool = False
    digits: bool = False
    base: str | None = None
    note: str = ""

    def fits(self, uid: str) -> bool:
        """Whether the row is about this UID."""
        return uid == self.uid if self.match == "exact" else uid.startswith(self.uid)

    def named(self, version_name: str | None) -> re.Match[str] | None:
        """The version name as this row expects it; None if it is another."""
        return re.match(self.name, version_name or "")

    def version(self, uid: str, name: re.Match[str] | None) -> str | None:
        """The version, out of the UID or out of the version name."""
        if self.suffix and name is not None:
            return uid.removeprefix(self.uid)
        if name is None or "version" not in name.re.groupindex:
            return None
        written = name["version"].rstrip(".,").replace(",", ".")
        return ".".join(written) if self.digits else written


@dataclass(frozen=True, slots=True)
class Match:
    """The row that fits best, and whether the version name fits too."""

    row: Implementation
    version: str | None
    name_fits: bool


@dataclass(frozen=True, slots=True)
class Pattern:
    """One row: services that a product grants, by which it differs from others on the same toolkit."""

    product: str
    base: str
    granted: tuple[str, ...]
    absent: tuple[str, ...]
    keeps_version: bool
    confidence: float
    says: str
    source: str
    storage_first: bool = False
    aborts_strangers: bool = False
    default_port: int | None = None

    def fits(self, evidence: NegotiateEvidence) -> bool:
        """Whether the negotiation went as it does with this product."""
        results = {context.abstract_syntax: context.result for context in evidence.contexts}
        return (
            all(results.get(uid) == 0 for uid in self.granted)
            and all(results.get(uid) == 3 for uid in self.absent)
            and (not self.storage_first or _storage_first(evidence))
        )


def match(uid: str, version_name: str | None) -> Match | None:
    """The longest row whose name fits too, or else the longest row; None if the UID is not known."""
    rows = [row for row in _implementations() if row.fits(uid)]
    named = [row for row in rows if row.named(version_name)]
    if not rows:
        return None
    row = max(named or rows, key=lambda row: (len(row.uid), len(row.name)))
    return Match(row, row.version(uid, row.named(version_name)), bool(named))


@functools.cache
def patterns() -> tuple[Pattern, ...]:
    """In the order of the table; the first that fits is taken."""
    rows = table("implementations")["pattern"]
    return tuple(
        Pattern(**{**row, "granted": tuple(row["granted"]), "absent": tuple(row["absent"])}) for row in rows
    )


def confidence(kind: str, source: str) -> float:
    """How sure a match of ``kind`` (exact, prefix, root, web) makes us, by its row's confidence."""
    return float(table("implementations")["confidence"][kind][source])


def factor(name: str) -> float:
    """One of the other numbers beside the confidences."""
    return float(table("implementations")["confidence"][name])


def length_of(maximum_length: int | None) -> Mapping[str, str] | None:
    """The toolkit that alone sends this Maximum Length by default, with ``base``, ``product``, ``source``."""
    row: Table | None = table("implementations")["lengths"].get(str(maximum_length))
    return row


@functools.cache
def _implementations() -> tuple[Implementation, ...]:
    return tuple(Implementation(**row) for row in table("implementations")["implementation"])


def _storage_first(evidence: NegotiateEvidence) -> bool:
    """Whether some storage class is listed before Verification."""
    for context in evidence.contexts:
        service = service_of(context.abstract_syntax)
        if service in (Service.STORAGE, Service.VERIFICATION):
            return service is Service.STORAGE
    return False
