"""Scans that nobody made, written by the store's own writer (``store.work``)."""

from __future__ import annotations

import dataclasses
import ipaddress
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from bench.lib.addresses import Block
from bench.lib.scopes import scope_text

from leadglass import wiring
from leadglass.judge.judge import judge
from leadglass.model.evidence import AssociateEvidence, Reply, TcpEvidence, TcpOutcome
from leadglass.model.look import Look, Sighting, look_of
from leadglass.model.rung import Rung
from leadglass.model.verdict import Position
from leadglass.scope.parse import parse
from leadglass.scope.permutation import Permutation
from leadglass.store.database import Database
from leadglass.store.scans import StoredScan, begin, complete
from leadglass.store.work import Work
from leadglass.wiring.session import HERE, ScopeFile, plan_of

__all__ = ["CHANGED", "Order", "Written", "as_scanned", "by_address", "invent"]

CHANGED = 10_000
"""One endpoint in so many answers otherwise in the second scan."""
PORT = 104
_FIRST = int(ipaddress.IPv4Address("127.1.0.0"))
_PORT = PORT.to_bytes(2)
_LOOKS = 64
_LEASE = 3600.0
_DAY = 86_400

Order = Callable[[StoredScan, int, int], Iterable[int]]
"""Which hosts stand at the positions ``first`` to ``after - 1``, by number."""


@dataclass(frozen=True, slots=True)
class Written:
    """One shard."""

    rows: int
    seconds: float
    """In ``Work.finish``: one transaction, to the end of its commit."""


def as_scanned(scan: StoredScan, first: int, after: int) -> Iterable[int]:
    """All over the scope, as a scan goes."""
    return Permutation(scan.plan.hosts, scan.plan.permutation_key).stretch(first, after)


def by_address(_: StoredScan, first: int, after: int) -> Iterable[int]:
    """In the order of the addresses: quicker to write."""
    return range(first, after)


def invent(
    database: Database, hosts: int, shard: int, order: Order, turn: int
) -> tuple[StoredScan, Iterator[Written]]:
    """A scan of ``hosts`` hosts, and what writes its shards of ``shard`` hosts, one each time it is asked.

    ``turn`` is 0 for the first scan and 1 for the next, a day later, in which one host in ``CHANGED`` differs.
    """
    stored = _begun(database, hosts, shard)
    return stored, _written(database, stored, order, turn)


def _begun(database: Database, hosts: int, shard: int) -> StoredScan:
    text = scope_text(Block(str(ipaddress.IPv4Address(_FIRST)), hosts), (PORT,))
    scope = parse(text, filename="bench", moment=wiring.clock().posix())
    plan = plan_of(ScopeFile(scope, text, "bench"), "bench", Rung.ASSOCIATE)
    return begin(database, dataclasses.replace(plan, shard_hosts=shard))


def _written(database: Database, stored: StoredScan, order: Order, turn: int) -> Iterator[Written]:
    looks = [_look(number) for number in range(_LOOKS + 1)]
    work = Work(
        database,
        stored,
        HERE,
        Position.UNKNOWN,
        worker="bench",
        token=lambda: secrets.token_hex(16),
        lease=_LEASE,
    )
    at = stored.plan.began + turn * _DAY
    while (shard := work.take()) is not None:
        rows = _sightings(order(stored, shard.first, shard.after), looks, at, turn)
        began = time.perf_counter()
        is_ours = work.finish(shard, rows)
        seconds = time.perf_counter() - began
        assert is_ours
        yield Written(len(rows), seconds)
    if not complete(database, stored):
        raise RuntimeError("the scan is not complete")


def _sightings(numbers: Iterable[int], looks: Sequence[Look], at: int, turn: int) -> list[Sighting]:
    return [
        Sighting(
            (_FIRST + number).to_bytes(4) + _PORT,
            at,
            "127.0.0.1",
            looks[_LOOKS if turn and number % CHANGED == 0 else number % _LOOKS],
        )
        for number in numbers
    ]


def _look(number: int) -> Look:
    """What a server says that associates, each number with a version of its own."""
    seen = (
        TcpEvidence(TcpOutcome.OPEN),
        AssociateEvidence(
            Reply.ACCEPTED,
            implementation_class_uid="2.25.1",
            implementation_version_name=f"BENCH_{number}",
            verification=0,
            echo_status=0,
        ),
    )
    verdict = judge(seen, rung=Rung.ASSOCIATE, position=Position.UNKNOWN, port=PORT)
    return look_of(seen, verdict, Rung.ASSOCIATE, "bench")
