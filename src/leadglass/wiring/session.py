"""Runs a stored scan from here: its plan, its processes, what the store is told."""

from __future__ import annotations

import gc
import hashlib
import json
import os
import platform
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from leadglass import __version__, wiring
from leadglass.errors import ScopeError
from leadglass.model.record import ScopeNote
from leadglass.model.rung import Rung
from leadglass.probe.mint import uid
from leadglass.scan.foreman import LEASE, Errands, Foreman, Outcome
from leadglass.scan.ids import scan_id
from leadglass.scan.messages import Setup, Task
from leadglass.scope.hosts import Hosts
from leadglass.scope.permutation import KEY_BYTES, Permutation
from leadglass.scope.scope import Scope
from leadglass.store.database import Database
from leadglass.store.scans import Plan, StoredScan, complete, listed_of, open_scans
from leadglass.store.work import Shard, Work, progress
from leadglass.wiring.crew import crew_of
from leadglass.wiring.scopes import scope_of

__all__ = ["HERE", "ScopeFile", "plan_of", "run", "scope_digest", "scope_in", "watch"]

HERE = "here"
"""The vantage point of a scan that names none."""
_RATE_OF_ONE = 4000
"""New connections a second that one process is asked to make; a faster scan gets more processes."""
_SHARD_SECONDS = 2.0
"""How much work a shard is, at the scan's rate: as much may have to be done again after a crash."""
_SHARD_ENDPOINTS = (256, 4096)
"""The least, so that a small scan is not written in crumbs, and the most, so that a transaction stays small."""
_PIECES = 6
"""Shards of even a quick scan, so that its processes end together."""
_MOST_HOSTS = 1 << 62
_YOUNG = 50_000
"""Objects between two collections: rows come and go by the thousand, and none of them is in a ring."""
_LOOK = 1.0
"""Seconds between two looks at how far others are."""


@dataclass(frozen=True, slots=True)
class ScopeFile:
    """A scope with the text that it was read from."""

    scope: Scope
    """Its names pinned."""
    text: str
    path: str


def scope_digest(text: str) -> bytes:
    """What tells a scope from one that was changed: SHA-256 of its text."""
    return hashlib.sha256(text.encode()).digest()


def scope_in(plan: Plan) -> Scope:
    """The scope that a stored scan has; ``ScopeError`` if it has expired meanwhile."""
    return scope_of(plan.scope_text, plan.scope_file or plan.scope_name, json.loads(plan.pins))


def plan_of(
    file: ScopeFile, command: str, deepest: Rung, places: Sequence[str] = (), *, listed: bool = False
) -> Plan:
    """What a scan of all of a scope, or of targets that are ``listed`` later, will do."""
    scope, hosts = file.scope, file.scope.hosts()
    randomness, moment = wiring.randomness(), wiring.clock().posix()
    if not 0 < hosts.count <= _MOST_HOSTS:
        what = "more addresses than anybody can ask" if hosts.count else "nothing that may be connected to"
        raise ScopeError(
            f"the scope holds {what}", where=file.path, then="name smaller ranges, or a deeper rung"
        )
    authorisation = scope.authorisation
    note = ScopeNote(
        name=scope.name,
        basis=authorisation.basis.value,
        granted_by=authorisation.granted_by,
        reference=authorisation.reference,
    )
    return Plan(
        ulid=scan_id(moment, randomness),
        began=int(moment),
        tool_version=__version__,
        command=command,
        position=scope.position,
        deepest=deepest,
        rate=scope.limits.rate,
        scope_name=scope.name,
        scope_note=note.model_dump_json(),
        scope_digest=scope_digest(file.text),
        scope_text=file.text,
        scope_file=file.path,
        pins=json.dumps(dict(scope.pins or ())),
        permutation_key=randomness.token(KEY_BYTES),
        invented_sop_class=uid(randomness),
        hosts=0 if listed else hosts.count,
        endpoints=0 if listed else hosts.endpoints,
        is_listed=listed,
        wanted=tuple(places),
        shard_hosts=_shard_hosts(scope.limits.rate, hosts),
    )


def run(
    database: Database,
    stored: StoredScan,
    place: str,
    seen: Callable[[int], None],
    began: Callable[[Foreman], None],
) -> Outcome:
    """Take part in ``stored`` from ``place`` until nothing is left for it.

    ``seen`` is told how many endpoints more were asked, as in ``scan.foreman.Errands``; ``began`` gets the foreman, to stop it.
    """
    scope = scope_in(stored.plan)
    clock, randomness = wiring.clock(), wiring.randomness()
    gc.set_threshold(_YOUNG)
    worker = f"{platform.node()}:{os.getpid()}:{randomness.token(4).hex()}"
    work = Work(
        database,
        stored,
        place,
        scope.position,
        worker=worker,
        token=lambda: randomness.token(16).hex(),
        lease=LEASE,
    )
    errands = Errands(
        seen=seen,
        task=lambda shard: _task(database, stored, shard),
        left=lambda: any(other.id == stored.id for other in open_scans(database, place)),
        patient=database.is_postgres,
    )
    members = max(1, min(_cores(), -(-int(scope.limits.rate) // _RATE_OF_ONE)))
    with crew_of([_setup(stored.plan, members)] * members) as crew:
        foreman = Foreman(work, crew, scope, clock, errands)
        began(foreman)
        return foreman.run()


def watch(
    database: Database,
    stored: StoredScan,
    seen: Callable[[int], None],
    began: Callable[[Callable[[], None]], None],
) -> Outcome:
    """Wait until others have done ``stored``, from the places that were named.

    ``seen`` as in ``run``; ``began`` gets what ends the waiting, and nothing else.
    """
    enough = threading.Event()
    began(enough.set)
    so_far = progress(database, stored).asked
    while not complete(database, stored):
        if enough.wait(_LOOK):
            return Outcome.STOPPED
        now = progress(database, stored).asked
        seen(now - so_far)
        so_far = now
    return Outcome.COMPLETE


def _cores() -> int:
    """Those this process may use; where nobody can say, all there are."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _setup(plan: Plan, members: int) -> Setup:
    return Setup(
        ulid=plan.ulid,
        scope_text=plan.scope_text,
        scope_file=plan.scope_file or plan.scope_name,
        pins=tuple((name, tuple(found)) for name, found in json.loads(plan.pins).items()),
        deepest=int(plan.deepest),
        permutation_key=plan.permutation_key.hex(),
        invented_sop_class=plan.invented_sop_class,
        members=members,
        rate=0.0,
    )


def _task(database: Database, stored: StoredScan, shard: Shard) -> Task:
    plan = stored.plan
    if not plan.is_listed:
        return Task(shard.number, shard.first, shard.after)
    numbers = list(Permutation(plan.hosts, plan.permutation_key).stretch(shard.first, shard.after))
    found = listed_of(database, stored, numbers)
    return Task(shard.number, shard.first, shard.after, tuple(found[number] for number in numbers))


def _shard_hosts(rate: float, hosts: Hosts) -> int:
    least, most = _SHARD_ENDPOINTS
    wanted = min(rate * _SHARD_SECONDS, hosts.endpoints / _PIECES, most)
    return max(1, int(max(wanted, least) * hosts.count / hosts.endpoints))
