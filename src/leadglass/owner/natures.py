"""What stands behind an address, judged again with what is known of its surroundings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from leadglass.judge.judge import judge
from leadglass.judge.signs import Surroundings
from leadglass.model.evidence import digest
from leadglass.model.record import ScanRecord
from leadglass.model.rung import Rung
from leadglass.model.verdict import Access, Nature
from leadglass.owner.clues import Clue, Source

__all__ = ["around", "natures"]

_HOSTS = frozenset({Source.CONFIRMED_NAME, Source.NAME})
_SILENT = frozenset({Access.CLOSED.value, Access.FILTERED.value})


def natures(records: Sequence[ScanRecord], address: str, clues: Sequence[Clue]) -> Mapping[int, Nature]:
    """By port: what the records of ``address`` say, with the clues beside them and with how many answer alike."""
    alike = _alike(records)
    return {
        record.endpoint.port: _judged(record, clues, alike.get(digest(record.observed()), 1) - 1)
        for record in records
        if record.endpoint.address == address and record.access not in _SILENT
    }


def _judged(record: ScanRecord, clues: Sequence[Clue], alike: int) -> Nature:
    return judge(
        record.observed(),
        rung=Rung.from_word(record.rung),
        position=record.vantage.position,
        port=record.endpoint.port,
        surroundings=replace(around(clues), alike=alike),
    ).nature


def around(clues: Iterable[Clue]) -> Surroundings:
    """What the clues say of where it stands."""
    known = list(clues)
    countries = {clue.country for clue in known if clue.country}
    return Surroundings(
        host_names=tuple(clue.name for clue in known if clue.source in _HOSTS),
        registered_to=tuple(clue.name for clue in known if clue.source is Source.REGISTRY),
        network_names=tuple(clue.name for clue in known if clue.source is Source.NETWORK),
        country=countries.pop() if len(countries) == 1 else None,
    )


def _alike(records: Sequence[ScanRecord]) -> Mapping[str, int]:
    """At how many addresses each answer was seen."""
    addresses: dict[str, set[str]] = {}
    for record in records:
        addresses.setdefault(digest(record.observed()), set()).add(record.endpoint.address)
    return {answer: len(found) for answer, found in addresses.items()}
