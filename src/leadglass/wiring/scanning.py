"""Puts a scan together: scope, questions, engine, the real clock."""

from __future__ import annotations

import resource

from leadglass import __version__, wiring
from leadglass.model.rung import Rung
from leadglass.net.engine import Engine
from leadglass.net.pace import Pace
from leadglass.probe.mint import uid
from leadglass.probe.questions import Questions
from leadglass.scan.ids import scan_id
from leadglass.scan.run import Scan
from leadglass.scope.scope import Scope

__all__ = ["engine_for", "scan_of"]

_RESERVED_DESCRIPTORS = 64
"""Left for files, pipes and the interpreter."""


def scan_of(scope: Scope, deepest: Rung | None = None) -> Scan:
    """A scan of ``scope``, with a new id and a newly invented SOP class."""
    randomness, moment = wiring.randomness(), wiring.clock().posix()
    questions = Questions(
        randomness=randomness,
        invented_sop_class=uid(randomness),
        calling_ae=scope.identity.calling_ae,
        user_agent=scope.user_agent(__version__),
        connections=scope.limits.connections_per_endpoint,
    )
    return Scan(scan_id(moment, randomness), scope, questions, deepest or Rung.BLANK_QUERY)


def engine_for(scope: Scope) -> Engine:
    """An engine that asks ``scope`` at each connect and keeps its pace."""
    pace = Pace(rate=scope.limits.rate, per_host=scope.limits.concurrent_per_host, in_flight=_descriptors())
    return Engine(scope, wiring.clock(), pace)


def _descriptors() -> int:
    """Connections that may be open at once, after raising the soft limit to the hard one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = Pace().in_flight + _RESERVED_DESCRIPTORS
    limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(
        resource.RLIMIT_NOFILE, (max(limit, resource.getrlimit(resource.RLIMIT_NOFILE)[0]), hard)
    )
    return limit - _RESERVED_DESCRIPTORS
