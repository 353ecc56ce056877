"""What the watch asks of stored scans: which endpoints are not as they were, and how some of them are now."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import Connection, and_, func, or_, select

from leadglass.model.endpoint import Endpoint
from leadglass.model.key import pack, unpack
from leadglass.model.verdict import Access, Severity
from leadglass.store.database import Database
from leadglass.store.reading import names_of, streamed
from leadglass.store.scans import StoredScan
from leadglass.store.schema import evidence, observations, verdicts

__all__ = ["Changed", "Sight", "Spot", "certificates", "changed", "sights"]

Spot: TypeAlias = tuple[str, int]
"""Address and port."""

_NO_SERVER = tuple(one.value for one in (Access.CLOSED, Access.FILTERED, Access.NOT_DICOM))


@dataclass(frozen=True, slots=True)
class Sight:
    """How an endpoint was seen."""

    access: Access
    severity: Severity
    at: int
    """POSIX seconds."""


@dataclass(frozen=True, slots=True)
class Changed:
    """An endpoint that is of some severity now and was seen otherwise before, or not at all."""

    endpoint: Endpoint
    before: Sight | None
    after: Sight
    was_known: bool
    """Something answered at the address before."""


def changed(
    database: Database, before: StoredScan | None, after: StoredScan, least: Severity
) -> Iterator[Changed]:
    """Endpoints that ``after`` saw with severity ``least`` or worse, where ``before`` had another verdict or none.

    In the order of their keys; an endpoint that is seen from several places comes once for each of them.
    """
    names = names_of(after.plan)
    with database.read() as connection:
        for page in streamed(connection, _changed(before, after, least)):
            for row in page:
                address, port = unpack(row.endpoint)
                earlier = None if row.was is None else _sight(row.was, row.was_severity, row.was_at)
                known = before is not None and _answered(connection, before, row.endpoint)
                now = _sight(row.access, row.severity, row.observed_at)
                yield Changed(Endpoint(address, port, names.get(address)), earlier, now, known)


def sights(database: Database, scan: StoredScan, spots: Iterable[Spot]) -> Mapping[Spot, Sight]:
    """How ``scan`` saw those of ``spots`` that it looked at, from the place that saw the worst."""
    seen, found = observations.c, {}
    query = select(seen.observed_at, verdicts.c.access, verdicts.c.severity).join_from(
        observations, verdicts, verdicts.c.id == seen.verdict
    )
    with database.read() as connection:
        for spot in spots:
            there = query.where(seen.scan == scan.id, seen.endpoint == pack(*spot))
            rows = [_sight(row.access, row.severity, row.observed_at) for row in connection.execute(there)]
            if rows:
                found[spot] = min(rows, key=lambda sight: (sight.severity.rank, sight.access.rank))
    return found


def certificates(database: Database, scan: StoredScan) -> Iterator[tuple[Endpoint, dt.datetime, int]]:
    """Endpoints of ``scan`` that showed a certificate, when that ends, and when it was seen."""
    seen, names = observations.c, names_of(scan.plan)
    shown = (
        select(seen.endpoint, seen.observed_at, evidence.c.facts)
        .join_from(observations, verdicts, verdicts.c.id == seen.verdict)
        .join(evidence, evidence.c.id == verdicts.c.evidence)
        .where(seen.scan == scan.id, evidence.c.facts.contains('"not_after"'))
        .order_by(seen.endpoint)
    )
    with database.read() as connection:
        for page in streamed(connection, shown):
            for row in page:
                ends = _not_after(row.facts)
                if ends is not None:
                    address, port = unpack(row.endpoint)
                    yield Endpoint(address, port, names.get(address)), ends, row.observed_at


def _changed(before: StoredScan | None, after: StoredScan, least: Severity) -> Any:
    now, then = observations.alias("now").c, observations.alias("then").c
    said, had = verdicts.alias("said").c, verdicts.alias("had").c
    bad = [one.value for one in Severity if one.rank <= least.rank]
    same_spot = and_(
        then.scan == (0 if before is None else before.id),
        then.endpoint == now.endpoint,
        then.place == now.place,
    )
    return (
        select(
            now.endpoint,
            now.observed_at,
            said.access,
            said.severity,
            had.access.label("was"),
            had.severity.label("was_severity"),
            then.observed_at.label("was_at"),
        )
        .join_from(now.endpoint.table, said.id.table, said.id == now.verdict)
        .outerjoin(then.endpoint.table, same_spot)
        .outerjoin(had.id.table, had.id == then.verdict)
        .where(now.scan == after.id, said.severity.in_(bad))
        .where(or_(then.verdict.is_(None), then.verdict != now.verdict))
        .order_by(now.endpoint, now.place)
    )


def _answered(connection: Connection, scan: StoredScan, key: bytes) -> bool:
    """Whether ``scan`` saw a server at the address of ``key``."""
    seen = observations.c
    low, high = key[:-2] + b"\0\0", key[:-2] + b"\xff\xff"
    query = (
        select(seen.endpoint)
        .join_from(observations, verdicts, verdicts.c.id == seen.verdict)
        .where(seen.scan == scan.id, seen.endpoint.between(low, high))
        .where(func.length(seen.endpoint) == len(key), verdicts.c.access.not_in(_NO_SERVER))
    )
    return connection.execute(query.limit(1)).first() is not None


def _sight(access: str, severity: str, at: int) -> Sight:
    return Sight(Access(access), Severity(severity), at)


def _not_after(facts: str) -> dt.datetime | None:
    """When the first of the certificates among ``facts`` ends."""
    shown = [
        value for _, fact, value in json.loads(facts) if fact == "certificate" and isinstance(value, dict)
    ]
    return min(filter(None, map(_moment, shown)), default=None)


def _moment(certificate: Mapping[str, Any]) -> dt.datetime | None:
    try:
        ends = dt.datetime.fromisoformat(certificate.get("not_after") or "")
    except ValueError:
        return None
    return ends if ends.tzinfo else ends.replace(tzinfo=dt.UTC)
