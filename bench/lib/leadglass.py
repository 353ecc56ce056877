"""Leadglass's engine without a store, as a program that measures itself.

``python -m bench.lib.leadglass BASE COUNT PORTS WINDOW TIMEOUT_MS PROCESSES``: every address on every
port, within a scope made from TOML. Prints what the C programs print: one line of JSON.
"""

from __future__ import annotations

import itertools
import json
import multiprocessing
import resource
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

from bench.lib.addresses import Block

from leadglass.model.endpoint import Endpoint
from leadglass.model.evidence import AssociateEvidence, TcpEvidence, TcpOutcome
from leadglass.model.rung import Rung
from leadglass.net.engine import Engine
from leadglass.net.pace import Pace
from leadglass.ports.conversation import Visit
from leadglass.probe.ladder import EndpointVisit
from leadglass.probe.questions import Questions
from leadglass.scope.parse import parse
from leadglass.scope.scope import Scope
from leadglass.wiring import clock, randomness

__all__ = ["Work", "scan", "visit_all"]

_RATE = 1e9
_TARGET = """
[[targets]]
range = "{network}"
ports = {ports}
"""
_SCOPE = """
name = "bench"
[authorisation]
basis = "owner"
granted_by = "whoever runs the bench"
contact = "root@localhost"
[limits]
deepest = "associate"
rate = {rate}
"""


@dataclass(frozen=True, slots=True)
class Work:
    """Whom to ask, and how many at once."""

    block: Block
    ports: tuple[int, ...]
    window: int
    timeout: float
    """Seconds for the TCP handshake."""

    def scope(self) -> Scope:
        """A scope that permits this and nothing else."""
        targets = [
            _TARGET.format(network=network, ports=list(self.ports)) for network in self.block.networks()
        ]
        text = _SCOPE.format(rate=_RATE) + "".join(targets)
        return parse(text, filename="bench", moment=clock().posix())

    def visits(self) -> Iterator[EndpointVisit]:
        """A visit for each address and port."""
        questions = Questions(randomness(), "2.25.1")
        for address, port in itertools.product(self.block, self.ports):
            yield EndpointVisit(Endpoint(address, port), Rung.ASSOCIATE, questions)


def visit_all(work: Work) -> Counter[str]:
    """Ask everybody; how many visits ended how."""
    ends: Counter[str] = Counter()

    def done(visit: Visit) -> None:
        assert isinstance(visit, EndpointVisit)
        ends[_end(visit)] += 1

    pace = Pace(rate=_RATE, per_prefix=work.window, in_flight=work.window, connect_timeout=work.timeout)
    Engine(work.scope(), clock(), pace).run(work.visits(), done)
    return ends


def scan(work: Work, processes: int) -> Counter[str]:
    """The same, cut into parts for so many processes."""
    if processes == 1:
        return visit_all(work)
    parts = [Work(block, work.ports, work.window, work.timeout) for block in work.block.split(processes)]
    with ProcessPoolExecutor(processes, multiprocessing.get_context("fork")) as pool:
        return sum(pool.map(visit_all, parts), Counter())


def _end(visit: EndpointVisit) -> str:
    seen = visit.evidence[-1]
    if isinstance(seen, AssociateEvidence) and seen.echo_status == 0:
        return "answered"
    if isinstance(seen, TcpEvidence):
        return {TcpOutcome.REFUSED: "refused", TcpOutcome.UNANSWERED: "unanswered"}.get(
            seen.outcome, "failed"
        )
    return "failed"


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def main() -> None:
    first, count, ports, window, timeout_ms, processes = sys.argv[1:]
    work = Work(
        Block(first, int(count)), tuple(map(int, ports.split(","))), int(window), int(timeout_ms) / 1000
    )
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    cpu, began = _cpu(), time.perf_counter()
    ends = scan(work, int(processes))
    took = {"seconds": time.perf_counter() - began, "cpu": _cpu() - cpu}
    print(json.dumps({"answered": 0, "refused": 0, "unanswered": 0, "failed": 0} | ends | took))


if __name__ == "__main__":
    main()
