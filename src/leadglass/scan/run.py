"""One scan in one process: targets out of the scope, records out of the visits.

Targets are generated, never listed, and identical evidence is judged once. A visit that the scope
denied before anything was seen leaves no record; it is counted, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from leadglass.judge.judge import judge
from leadglass.model.endpoint import Endpoint
from leadglass.model.evidence import Evidence
from leadglass.model.record import ScanRecord, record
from leadglass.model.rung import Rung
from leadglass.model.verdict import Position, Vantage, Verdict
from leadglass.net.engine import Engine
from leadglass.ports.conversation import Visit
from leadglass.ports.world import Clock
from leadglass.probe.ladder import EndpointVisit
from leadglass.probe.questions import Questions
from leadglass.scope.scope import Scope
from leadglass.scope.table import Grant

__all__ = ["ANY_SCP", "Scan", "Sink"]

ANY_SCP = "ANY-SCP"
"""The called AE title where the scope gives none. Titles are never guessed."""
_JUDGED = 4096
"""Verdicts remembered; a scan of millions of endpoints meets few different answers."""


class Sink:
    """Where a scan's results go. Subclasses take what they need."""

    def record(self, record: ScanRecord) -> None:
        """One endpoint is decided."""

    def denied(self, reason: str) -> None:
        """The scope did not permit an endpoint, or not to the end."""


@dataclass(frozen=True, slots=True)
class Scan:
    """What one scan asks, of whom, in whose name."""

    id: str
    scope: Scope
    questions: Questions
    deepest: Rung = Rung.SAMPLE
    """Lowers the scope's limit, never raises it."""

    def run(
        self,
        engine: Engine,
        clock: Clock,
        sink: Sink,
        targets: Iterable[tuple[str, int]] | None = None,
    ) -> None:
        """Ask every target (default: all of the scope's) and hand each record to ``sink``.

        Returns when all are asked, or soon after ``engine.stop()``.
        """
        remember = lru_cache(maxsize=_JUDGED)(_judge)

        def done(visit: Visit) -> None:
            assert isinstance(visit, EndpointVisit)
            if visit.denial is not None:
                sink.denied(visit.denial)
            if visit.evidence:
                sink.record(self._record(visit, clock.posix(), remember))

        engine.run(self.visits(self.scope.targets() if targets is None else targets), done)

    def visits(self, targets: Iterable[tuple[str, int]]) -> Iterator[EndpointVisit]:
        """A visit for each target; what the scope leaves at ``passive`` is not visited."""
        for address, port in targets:
            # What is not permitted is visited all the same: the gate refuses it at the connect, aloud.
            rung, called_ae = self.depth_and_title(self.scope.grant(address, port))
            if rung >= Rung.CONNECT:
                endpoint = Endpoint(address, port, self.scope.name_of(address))
                yield EndpointVisit(endpoint, rung, self.questions, called_ae)

    def depth_and_title(self, grant: Grant | None) -> tuple[Rung, str]:
        """How deep an endpoint with this grant is asked, and the title that is called there."""
        if grant is None:
            return Rung.CONNECT, ANY_SCP
        return min(self.deepest, grant.depth), grant.called_ae or ANY_SCP

    def _record(self, visit: EndpointVisit, moment: float, remember: Callable[..., Verdict]) -> ScanRecord:
        position = self.scope.position
        authorisation = self.scope.authorisation
        return record(
            scan=self.id,
            observed_at=moment,
            endpoint=visit.endpoint,
            vantage=Vantage(visit.seen_from, position),
            rung=visit.rung,
            evidence=visit.evidence,
            verdict=remember(visit.evidence, visit.rung, position, visit.endpoint.port),
            scope={
                "name": self.scope.name,
                "basis": authorisation.basis.value,
                "granted_by": authorisation.granted_by,
                "reference": authorisation.reference,
            },
        )


def _judge(evidence: tuple[Evidence, ...], rung: Rung, position: Position, port: int) -> Verdict:
    return judge(evidence, rung=rung, position=position, port=port)
