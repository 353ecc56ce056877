"""What the sources say together: candidates with how far they agree, and in words how sure that is."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from leadglass.judge.organisations import Organisation, organisations
from leadglass.owner.clues import Clue, Source

__all__ = ["Attribution", "Candidate", "attribute"]

_TRUST: Mapping[Source, float] = {
    Source.STATEMENT: 1.0,
    Source.REGISTRY: 0.6,
    Source.CERTIFICATE: 0.5,
    Source.CONFIRMED_NAME: 0.5,
    Source.NAME: 0.2,
    Source.NETWORK: 0.3,
}
"""How far one source by itself is believed, as we judge; sources that agree add up as independent ones would."""
_PROVIDERS = frozenset({Organisation.HOSTING, Organisation.ACCESS})
_WORD = re.compile(r"[a-z0-9]{4,}")
_FREQUENT = (
    "gmbh corp company limited services service group holding hospital klinik klinikum clinic clinica centro center"
    " centre medical radiology radiologie university universitat universidad health care imaging pacs dicom www mail"
    " internet network networks telecom hosting server"
)
_COMMON = frozenset(_FREQUENT.split())
"""Words that many names share: two names do not agree by these."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who may run it."""

    name: str
    clues: tuple[Clue, ...]
    agreement: float
    """0 to 1: how far the sources that name it are believed together."""
    kinds: frozenset[Organisation]
    countries: frozenset[str]

    @property
    def is_provider(self) -> bool:
        """Whether it provides hosting or access, so that somebody else runs the server."""
        return bool(self.kinds & _PROVIDERS) and not self.kinds - _PROVIDERS


@dataclass(frozen=True, slots=True)
class Attribution:
    """What can be said about who runs an endpoint."""

    candidates: tuple[Candidate, ...]
    """The likeliest first; providers last."""
    says: str
    country: str | None
    """Where all sources that name one agree."""


def attribute(clues: Iterable[Clue]) -> Attribution:
    """Weigh what the sources say."""
    groups = _grouped(sorted(set(clues), key=lambda clue: (-_TRUST[clue.source], clue.name)))
    candidates = sorted(
        (_candidate(group) for group in groups), key=lambda c: (c.is_provider, -c.agreement, c.name)
    )
    countries = {clue.country for group in groups for clue in group if clue.country}
    country = next(iter(countries)) if len(countries) == 1 else None
    return Attribution(tuple(candidates), _says(candidates, countries), country)


def _grouped(clues: Sequence[Clue]) -> list[list[Clue]]:
    """Clues that name the same: the same domain, or a word that few names share."""
    groups: list[tuple[set[str], list[Clue]]] = []
    for clue in clues:
        marks = _marks(clue)
        for known, group in groups:
            if known & marks:
                known.update(marks)
                group.append(clue)
                break
        else:
            groups.append((marks, [clue]))
    return [group for _, group in groups]


def _marks(clue: Clue) -> set[str]:
    domain = clue.domain
    folded = unicodedata.normalize("NFKD", domain.partition(".")[0] if domain else clue.name).lower()
    plain = "".join(c for c in folded if not unicodedata.combining(c))
    words = {word for word in _WORD.findall(plain) if word not in _COMMON}
    whole = re.sub(r"[^a-z0-9]", "", plain)
    return words | ({domain} if domain else set()) | ({whole} if len(whole) > 3 else set())


def _candidate(group: Sequence[Clue]) -> Candidate:
    sources = {clue.source for clue in group}
    best = group[0]
    return Candidate(
        name=best.domain or best.name,
        clues=tuple(group),
        agreement=1 - math.prod(1 - _TRUST[source] for source in sources),
        kinds=organisations(clue.name for clue in group),
        countries=frozenset(clue.country for clue in group if clue.country),
    )


def _says(candidates: Sequence[Candidate], countries: Iterable[str]) -> str:
    tenants = [one for one in candidates if not one.is_provider]
    where = sorted(countries)
    if not candidates:
        return "nothing that was asked names anybody"
    if not tenants:
        return f"{candidates[0].name} provides hosting or access; the tenant is unknown"
    best = tenants[0]
    if any(clue.source is Source.STATEMENT for clue in best.clues):
        return f"{best.name}, by its own word"
    sources = {clue.source for clue in best.clues}
    parts = [f"{best.name}: {', '.join(sorted(source.value for source in sources))} agree"]
    if len(sources) == 1:
        parts = [f"{best.name}, by {next(iter(sources)).value} alone"]
    if len(where) == 1 and len(sources) > 1:
        parts.append(f"and so does geography ({where[0]})")
    elif len(where) > 1:
        parts.append(f"geography does not agree ({', '.join(where)})")
    if len(tenants) > 1:
        surely = "less surely" if tenants[1].agreement < best.agreement else "and as surely"
        parts.append(f"{len(tenants) - 1} more named, {surely}")
    return ", ".join(parts)
