"""Servers that stand behind mutual TLS, where no scan sees what they speak.

An endpoint that demands a client certificate says nothing more to a stranger. What is known beside that (its
port, the names in its certificate and of the authorities that it accepts, other services of the same host, DNS-SD's
``_dicom-tls._tcp``) makes DICOM likelier, and by how much is not known: so the answer is bounds, from "confirmed" to
"all". A point needs endpoints whose truth is known (a hospital's own inventory, say), by sort and by name.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from leadglass.survey.interval import LEVEL, Interval, require
from leadglass.survey.proportion import clopper_pearson

__all__ = ["Calibration", "Hidden", "Hint", "Known", "hidden", "hint_of"]

_DICOM_PORTS = frozenset({104, 2761, 2762, 4242, 11112})
"""104, 2761, 2762 and 11112 are registered for DICOM (PS3.8, PS3.15 B); 4242 is Orthanc's."""
_NAMES = re.compile(
    r"(?:\b|[_.-])(dicom|pacs|vna|orthanc|dcm4chee|radiolog\w*|imaging|ris)(?:\b|[_.\d-])", re.IGNORECASE
)


class Hint(enum.StrEnum):
    """What speaks for DICOM, strongest first; an endpoint has the first that holds."""

    CONFIRMED = "confirmed"
    """DNS-SD announces it, its owner says so, or it was seen to speak it with a certificate."""
    NAMED = "named"
    """Its certificate or an authority that it accepts is named after imaging."""
    BESIDE = "beside"
    """The same host speaks DICOM at another port."""
    PORT = "port"
    """A port that is registered for DICOM, or commonly used for it."""
    OTHER = "other"
    """Nothing."""


@dataclass(frozen=True, slots=True)
class Known:
    """Endpoints with one hint whose truth is known."""

    dicom: int
    looked_at: int


@dataclass(frozen=True, slots=True)
class Calibration:
    """Where the truth is known, and what it is."""

    name: str
    known: Mapping[Hint, Known]


@dataclass(frozen=True, slots=True)
class Hidden:
    """How many of those that demand a certificate are DICOM."""

    counts: Mapping[Hint, int]
    bounds: Interval
    """From those confirmed to all."""
    level: float
    estimate: float | None = None
    """None without a calibration that covers every hint that occurs."""
    interval: Interval | None = None
    calibration: Calibration | None = None

    @property
    def demanding(self) -> int:
        """How many demand a certificate."""
        return sum(self.counts.values())


def hidden(
    counts: Mapping[Hint, int], calibration: Calibration | None = None, level: float = LEVEL
) -> Hidden:
    """Bounds, and with a ``calibration`` a point; ``UsageError`` if it does not cover what was counted.

    The interval is that of Clopper and Pearson for each hint, at a level that makes all of them hold together
    (Bonferroni), added up: it never falls below its level, if the calibration is like what was counted.
    """
    full = {hint: counts.get(hint, 0) for hint in Hint}
    require(all(count >= 0 for count in full.values()), "a count is not negative")
    total, confirmed = sum(full.values()), full[Hint.CONFIRMED]
    require(total > 0, "no endpoint demands a certificate, so there is nothing to estimate")
    outer = Interval(confirmed, total)
    if calibration is None:
        return Hidden(full, outer, level)
    open_ones = [hint for hint in Hint if hint is not Hint.CONFIRMED and full[hint]]
    estimate, low, high = float(confirmed), float(confirmed), float(confirmed)
    for hint in open_ones:
        known = _known(calibration, hint)
        apart = clopper_pearson(known.dicom, known.looked_at, 1 - (1 - level) / len(open_ones))
        estimate += full[hint] * known.dicom / known.looked_at
        low, high = low + full[hint] * apart.low, high + full[hint] * apart.high
    return Hidden(full, outer, level, estimate, Interval(low, high), calibration)


def hint_of(port: int, names: Iterable[str], *, speaks_beside: bool = False, confirmed: bool = False) -> Hint:
    """The hint of an endpoint with this port, these names in certificates, and this host."""
    if confirmed:
        return Hint.CONFIRMED
    if any(_NAMES.search(name) for name in names):
        return Hint.NAMED
    if speaks_beside:
        return Hint.BESIDE
    return Hint.PORT if port in _DICOM_PORTS else Hint.OTHER


def _known(calibration: Calibration, hint: Hint) -> Known:
    known = calibration.known.get(hint, Known(0, 0))
    require(
        known.looked_at > 0,
        f"the calibration {calibration.name!r} has no endpoint with the hint {hint.value!r}",
        then="add some, or leave the calibration out and take the bounds",
    )
    require(
        0 <= known.dicom <= known.looked_at,
        f"{known.dicom:,} of {known.looked_at:,} cannot be",
        where=hint.value,
    )
    return known
