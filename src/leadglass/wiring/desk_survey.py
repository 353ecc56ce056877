"""What a stored scan counts, as the dashboard and the API ask for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from leadglass.ports.dashboard import Figure
from leadglass.store.counting import servers
from leadglass.store.database import Database
from leadglass.store.scans import find
from leadglass.survey.census import Census, census

__all__ = ["SurveyKept"]


@dataclass(frozen=True, slots=True)
class SurveyKept:
    """``ports.dashboard.SurveyDesk`` over the store."""

    database: Database

    def estimate(self, scan: str) -> Sequence[Figure]:
        """How many servers may be of each kind, with bounds that hold whatever the prior."""
        return list(_figures(census(servers(self.database, find(self.database, scan)))))


def _figures(found: Census) -> Iterator[Figure]:
    every = max(found.servers, 1)
    for kind, expected in found.kinds.items():
        yield Figure(
            label=kind.value,
            count=expected.likeliest,
            of=found.servers,
            share=expected.sum / every,
            low=expected.bounds.low / every,
            high=expected.bounds.high / every,
        )
