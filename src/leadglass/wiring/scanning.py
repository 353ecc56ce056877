"""Puts a scan together: scope, questions, engine, the real clock."""

from __future__ import annotations

import datetime as dt

from leadglass import __version__, wiring
from leadglass.model.rung import Rung
from leadglass.net.engine import Engine
from leadglass.net.pace import Pace
from leadglass.probe.mint import uid
from leadglass.probe.questions import Questions
from leadglass.scan.ids import scan_id
from leadglass.scan.run import Scan
from leadglass.scope.scope import Scope
from leadglass.wiring.descriptors import descriptors

__all__ = ["engine_for", "engine_with", "questions_of", "scan_of"]

_LEAST_IN_FLIGHT = 256
_SECONDS_OPEN = 3.0
"""How long an endpoint that never answers is under way: so many seconds of the rate are in flight at once."""


def scan_of(scope: Scope, deepest: Rung | None = None) -> Scan:
    """A scan of ``scope``, with a new id and a newly invented SOP class."""
    randomness, moment = wiring.randomness(), wiring.clock().posix()
    questions = questions_of(scope, uid(randomness))
    return Scan(scan_id(moment, randomness), scope, questions, Rung.SAMPLE if deepest is None else deepest)


def questions_of(scope: Scope, invented_sop_class: str) -> Questions:
    """What is asked of every endpoint, in the name that ``scope`` gives."""
    return Questions(
        randomness=wiring.randomness(),
        invented_sop_class=invented_sop_class,
        calling_ae=scope.identity.calling_ae,
        user_agent=scope.user_agent(__version__),
        connections=scope.limits.connections_per_endpoint,
        today=dt.datetime.fromtimestamp(wiring.clock().posix(), dt.UTC).date(),
    )


def engine_for(scope: Scope) -> Engine:
    """An engine that asks ``scope`` at each connect and keeps its pace, alone."""
    return engine_with(scope, scope.limits.rate, 1)


def engine_with(scope: Scope, rate: float, members: int) -> Engine:
    """The engine of one of so many ``members`` that keep the pace of ``scope`` together.

    A host is always asked by one member alone, so only the limit for networks is divided.
    """
    limits = scope.limits
    wanted = max(_LEAST_IN_FLIGHT, int(limits.rate / members * _SECONDS_OPEN))
    pace = Pace(
        rate=rate,
        per_host=limits.concurrent_per_host,
        per_prefix=max(1, limits.concurrent_per_network // members),
        in_flight=descriptors(wanted),
    )
    return Engine(scope, wiring.clock(), pace)
