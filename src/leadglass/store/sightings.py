"""Sightings into rows: what was never seen before once, by digest, and one narrow row for each endpoint.

Inside a transaction of the caller's, who calls ``safe_from_pruning`` first.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeAlias

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    TextClause,
    bindparam,
    select,
    text,
)

from leadglass.model.look import Look, Sighting, Sightings
from leadglass.model.verdict import Position
from leadglass.store.bulk import pour
from leadglass.store.names import vantage_of
from leadglass.store.schema import verdicts

__all__ = ["PRUNING", "Digests", "Origin", "safe_from_pruning", "write"]

PRUNING = 0x1EAD61A56
"""PostgreSQL's advisory lock: shared by all who add rows, held alone by who removes orphans."""

_MOST_DIGESTS = 20_000
"""Remembered at once: hostile servers may each answer something of their own, and memory is bounded."""

_QUESTION = 1000
"""Numbers in one IN."""

_new_looks = Table(
    "new_looks",
    MetaData(),
    Column("digest", LargeBinary),
    Column("evidence_digest", LargeBinary),
    Column("facts", Text),
    Column("identity", LargeBinary),
    Column("rung", SmallInteger),
    Column("access", Text),
    Column("severity", Text),
    Column("product", Text),
    Column("version", Text),
    Column("judged_by", Text),
    Column("body", Text),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DELETE ROWS",
)
_arrived = Table(
    "arrived",
    MetaData(),
    Column("endpoint", LargeBinary),
    Column("vantage", BigInteger),
    Column("observed_at", BigInteger),
    Column("verdict", BigInteger),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DELETE ROWS",
)

# In the order of digests: two workers with the same news wait for each other, but never in a ring.
_ADD_EVIDENCE = text(
    "INSERT INTO evidence (digest, facts, identity)"
    " SELECT evidence_digest, facts, identity FROM new_looks WHERE true ORDER BY evidence_digest"
    " ON CONFLICT (digest) DO NOTHING"
)
_ADD_VERDICTS = text(
    "INSERT INTO verdicts"
    " (digest, evidence, rung, access, severity, product, version, judged_by, body)"
    " SELECT n.digest, (SELECT e.id FROM evidence e WHERE e.digest = n.evidence_digest),"
    " n.rung, n.access, n.severity, n.product, n.version, n.judged_by, n.body"
    " FROM new_looks n WHERE true ORDER BY n.digest"
    " ON CONFLICT (digest) DO NOTHING"
)
_NUMBERS = text("SELECT n.digest, (SELECT v.id FROM verdicts v WHERE v.digest = n.digest) FROM new_looks n")

# A change is another evidence or another access than last time from this place. The same evidence judged
# anew by a later version is none, nor is what somebody saw earlier than we did. Subqueries rather than
# joins: for a batch, PostgreSQL would read all endpoints. CROSS JOIN: SQLite keeps the order.
# An endpoint that comes twice in one scan, as in others' data, is compared with the scans before.
_ADD_OBSERVATIONS = """
    INSERT INTO observations (scan, endpoint, place, vantage, observed_at, verdict, changed_from)
    SELECT :scan, a.endpoint, :place, a.vantage, a.observed_at, a.verdict, (
        SELECT f.id FROM endpoints e CROSS JOIN verdicts f CROSS JOIN verdicts v
        WHERE e.endpoint = a.endpoint AND e.place = :place
          AND e.verdict <> a.verdict AND e.last_seen <= a.observed_at
          AND f.id = e.verdict AND v.id = a.verdict AND (f.evidence <> v.evidence OR f.access <> v.access)
    )
    FROM arrived a WHERE true{in_order}
    ON CONFLICT (scan, endpoint, place) DO UPDATE SET
        vantage = excluded.vantage, observed_at = excluded.observed_at, verdict = excluded.verdict,
        changed_from = (
            SELECT f.id FROM verdicts f CROSS JOIN verdicts v
            WHERE v.id = excluded.verdict AND (f.evidence <> v.evidence OR f.access <> v.access)
              AND f.id = COALESCE(observations.changed_from, (
                SELECT o.verdict FROM scans s CROSS JOIN observations o
                WHERE s.id <> excluded.scan AND o.scan = s.id AND o.endpoint = excluded.endpoint
                  AND o.place = excluded.place AND o.observed_at <= excluded.observed_at
                ORDER BY o.observed_at DESC LIMIT 1
              ))
        )
    WHERE excluded.observed_at >= observations.observed_at
    """
_SEE_ENDPOINTS = """
    INSERT INTO endpoints (endpoint, place, first_seen, last_seen, verdict)
    SELECT a.endpoint, :place, a.observed_at, a.observed_at, a.verdict FROM arrived a WHERE true{in_order}
    ON CONFLICT (endpoint, place) DO UPDATE SET
        first_seen = CASE WHEN excluded.first_seen < endpoints.first_seen
                     THEN excluded.first_seen ELSE endpoints.first_seen END,
        last_seen = CASE WHEN excluded.last_seen > endpoints.last_seen
                    THEN excluded.last_seen ELSE endpoints.last_seen END,
        verdict = CASE WHEN excluded.last_seen >= endpoints.last_seen
                  THEN excluded.verdict ELSE endpoints.verdict END
    """


def _adding(in_order: str) -> tuple[TextClause, TextClause]:
    scan, place = (bindparam(name, type_=BigInteger()) for name in ("scan", "place"))
    return (
        text(_ADD_OBSERVATIONS.format(in_order=in_order)).bindparams(scan, place),
        text(_SEE_ENDPOINTS.format(in_order=in_order)).bindparams(place),
    )


_ADDING = {"postgresql": _adding(" ORDER BY a.endpoint"), "sqlite": _adding("")}
"""SQLite has one writer at a time, who reads a new table in the order in which it was filled."""


_Row: TypeAlias = tuple[bytes, int, int, int]
"""As in ``Sightings``."""


class Origin(NamedTuple):
    """Where sightings come from, as numbers of rows."""

    scan: int
    place: int
    position: Position


class Digests:
    """The numbers of the verdicts that one writer met lately, by digest."""

    def __init__(self) -> None:
        self._known: dict[bytes, int] = {}

    def numbers(self, connection: Connection, looks: Iterable[Look]) -> dict[bytes, int]:
        """The number of the verdict on each of ``looks``, written down where it is new.

        Hand the answer to ``remember`` when the transaction is kept, and only then.
        """
        distinct = {look.digest: look for look in looks}
        known = {digest: self._known[digest] for digest in distinct if digest in self._known}
        known = _still_there(connection, known)
        return known | _numbered(
            connection, [look for digest, look in distinct.items() if digest not in known]
        )

    def remember(self, numbers: dict[bytes, int]) -> None:
        """Keep ``numbers`` at hand."""
        if len(self._known) + len(numbers) > _MOST_DIGESTS:
            self._known.clear()
        self._known.update(numbers)


def safe_from_pruning(connection: Connection) -> None:
    """No row that this transaction comes to point to goes away before it ends."""
    if connection.dialect.name == "postgresql":  # SQLite has one writer at a time
        connection.execute(text("SELECT pg_advisory_xact_lock_shared(:key)"), {"key": PRUNING})


def write(
    connection: Connection, origin: Origin, sightings: Sequence[Sighting], digests: Digests
) -> dict[bytes, int]:
    """Add ``sightings`` to the scan, seen from the place of ``origin``; of one endpoint the latest counts.

    Returns what ``digests`` shall remember.
    """
    batch = Sightings.of(sightings)
    seen = {number: batch.looks[number] for number in {row[3] for row in batch.rows}}
    numbers = digests.numbers(connection, seen.values())
    verdict_of = {number: numbers[look.digest] for number, look in seen.items()}
    vantages = {
        number: vantage_of(connection, origin.place, batch.sources[number], origin.position)
        for number in {row[2] for row in batch.rows}
    }
    latest = _latest(batch.rows)
    rows = [
        # The driver for SQLite looks long for an adapter for bytes, and at once finds that there is none for this.
        (bytearray(endpoint), vantages[source], at, verdict_of[look])
        for endpoint, at, source, look in map(latest.__getitem__, sorted(latest))
    ]
    pour(connection, _arrived, rows)
    add_observations, see_endpoints = _ADDING[connection.dialect.name]
    connection.execute(add_observations, {"scan": origin.scan, "place": origin.place})
    connection.execute(see_endpoints, {"place": origin.place})
    return numbers


def _latest(rows: Sequence[_Row]) -> dict[bytes, _Row]:
    """The latest row of each endpoint."""
    found = {row[0]: row for row in rows}
    if len(found) < len(rows):
        found = {row[0]: row for row in sorted(rows, key=operator.itemgetter(1))}
    return found


def _still_there(connection: Connection, known: dict[bytes, int]) -> dict[bytes, int]:
    """Those of ``known`` that nobody has pruned since."""
    numbers = list(known.values())
    there: dict[bytes, int] = {}
    for start in range(0, len(numbers), _QUESTION):
        some = verdicts.c.id.in_(numbers[start : start + _QUESTION])
        rows = connection.execute(select(verdicts.c.digest, verdicts.c.id).where(some))
        there.update({digest: number for digest, number in rows if known.get(digest) == number})
    return there


def _numbered(connection: Connection, looks: Sequence[Look]) -> dict[bytes, int]:
    if not looks:
        return {}
    pour(connection, _new_looks, [_look_row(look) for look in looks])
    connection.execute(_ADD_EVIDENCE)
    connection.execute(_ADD_VERDICTS)
    return {digest: number for digest, number in connection.execute(_NUMBERS)}  # noqa: C416


def _look_row(look: Look) -> tuple[object, ...]:
    seen = (look.digest, look.evidence_digest, look.evidence, look.identity)
    judged = (int(look.rung), look.access.value, look.severity.value, look.product, look.version)
    return (*seen, *judged, look.judged_by, look.body)
