"""The rows of endpoints and servers that pages are read from, made anew from what scans have written.

One statement for each table and stretch of keys: nothing of it passes through this program.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping

from sqlalchemy import ColumnElement, Connection, select, text

from leadglass.store.database import Database
from leadglass.store.schema import endpoints, observations
from leadglass.store.sightings import safe_from_pruning
from leadglass.store.urgency import SILENT, STEPS

__all__ = ["renew", "walk", "writing"]

_BATCH = 20_000
"""Endpoints in one transaction."""
_REFRESHING = 0x1EAD61A58
"""PostgreSQL's advisory lock: one at a time writes these tables, so that nobody waits in a ring."""


@contextlib.contextmanager
def writing(database: Database) -> Iterator[Connection]:
    """A transaction in which nobody else writes these tables, and no verdict goes away."""
    with database.write() as connection:
        safe_from_pruning(connection)
        if database.is_postgres:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _REFRESHING})
        yield connection


def walk(database: Database, scan: int | None) -> None:
    """Make anew the rows of all that ``scan`` saw, or of everything."""
    for after, upto in _stretches(database, scan):
        renew(database, scan, after, upto)


def renew(
    database: Database, scan: int | None, after: bytes, upto: bytes, *, servers_only: bool = False
) -> None:
    """The same for the keys in (after, upto]."""
    source = "endpoints" if scan is None else "observations"
    ours = "" if scan is None else " AND x.scan = :scan"
    words = _WORDS["postgresql" if database.is_postgres else "sqlite"]
    touched = (
        f"SELECT x.endpoint, x.place FROM {source} x WHERE x.endpoint > :after AND x.endpoint <= :upto{ours}"  # noqa: S608 - our own words
    )
    addresses = f"SELECT DISTINCT {_FAMILY} AS family, {words['bytes']} AS address FROM ({touched}) t"  # noqa: S608 - the same
    filled = {"touched": touched, "addresses": addresses, "family": _FAMILY, **words}
    told = {"after": after, "upto": upto} | ({} if scan is None else {"scan": scan})
    with writing(database) as connection:
        for each in (_SERVERS,) if servers_only else (_ENDPOINTS, _SERVERS):
            connection.execute(text(each.format(**filled)), told)


def _stretches(database: Database, scan: int | None) -> Iterator[tuple[bytes, bytes]]:
    """Stretches (after, upto] of keys, with about ``_BATCH`` rows in each."""
    key: ColumnElement[bytes] = endpoints.c.endpoint if scan is None else observations.c.endpoint
    rows = select(key) if scan is None else select(key).where(observations.c.scan == scan)
    after = b""
    while True:
        rest = rows.where(key > after).order_by(key)
        with database.read() as connection:
            upto = connection.execute(rest.limit(1).offset(_BATCH - 1)).scalar()
        yield after, upto or b"\xff" * 19
        if upto is None:
            return
        after = upto


_FAMILY = "CASE length(t.endpoint) WHEN 6 THEN 4 ELSE 6 END"
_WORDS: Mapping[str, Mapping[str, str]] = {
    "postgresql": {
        "bytes": "substring(t.endpoint FROM 1 FOR length(t.endpoint) - 2)",
        "port": "get_byte(t.endpoint, length(t.endpoint) - 2) * 256 + get_byte(t.endpoint, length(t.endpoint) - 1)",
    },
    "sqlite": {
        "bytes": "substr(t.endpoint, 1, length(t.endpoint) - 2)",
        "port": " + ".join(
            f"(instr('0123456789ABCDEF', substr(hex(substr(t.endpoint, -2)), {place}, 1)) - 1) * {16 ** (4 - place)}"
            for place in (1, 2, 3, 4)
        ),
    },
}
"""How the two take a key apart. SQLite has no numbers of bytes."""

# A row of something that never answered is not made; what answered once keeps its row. ``since`` is the last change
# from something milder. Where history was pruned, what was known of it stays.
_ENDPOINTS = f"""
    INSERT INTO current_endpoints (family, address, port, place, endpoint, urgency, nature, product, verdict,
        first_seen, last_seen, since, changed_at)
    SELECT {{family}}, {{bytes}}, {{port}}, t.place, t.endpoint,
        f.urgency, f.nature, f.product, e.verdict, e.first_seen, e.last_seen,
        COALESCE((SELECT max(c.at) FROM current_changes c WHERE c.endpoint = t.endpoint AND c.place = t.place
            AND c.was >= (f.urgency / {STEPS} + 1) * {STEPS}), e.first_seen),
        COALESCE((SELECT max(c.at) FROM current_changes c WHERE c.endpoint = t.endpoint AND c.place = t.place),
            e.first_seen)
    FROM ({{touched}}) t
    JOIN endpoints e ON e.endpoint = t.endpoint AND e.place = t.place
    JOIN current_facts f ON f.verdict = e.verdict
    WHERE f.urgency % {STEPS} < {SILENT} OR EXISTS (
        SELECT 1 FROM current_changes c
        WHERE c.endpoint = t.endpoint AND c.place = t.place AND c.was % {STEPS} < {SILENT})
    ORDER BY t.endpoint, t.place
    ON CONFLICT (family, address, port, place) DO UPDATE SET
        urgency = excluded.urgency, nature = excluded.nature, product = excluded.product,
        verdict = excluded.verdict, first_seen = excluded.first_seen, last_seen = excluded.last_seen,
        since = CASE WHEN excluded.urgency / {STEPS} = current_endpoints.urgency / {STEPS}
                      AND excluded.since < current_endpoints.since
                THEN current_endpoints.since ELSE excluded.since END,
        changed_at = excluded.changed_at
    """  # noqa: S608 - our own words and numbers

# In one pass: a table joined to itself is beyond PostgreSQL while nobody has analysed it.
_SERVERS = f"""
    INSERT INTO current_servers (family, address, urgency, port, nature, product, open_ports,
        first_seen, last_seen, since, changed_at)
    SELECT w.family, w.address, w.urgency, w.port, w.nature, w.product, w.open_ports,
        w.first_seen, w.last_seen, w.since, w.changed_at
    FROM (
        SELECT e.family, e.address, e.urgency, e.port, e.nature, e.product, e.since,
            row_number() OVER (
                PARTITION BY e.family, e.address ORDER BY e.urgency, e.since, e.port, e.place) AS n,
            sum(e.opens) OVER whole AS open_ports, min(e.first_seen) OVER whole AS first_seen,
            max(e.last_seen) OVER whole AS last_seen, max(e.changed_at) OVER whole AS changed_at
        FROM (
            SELECT c.*, CASE WHEN c.urgency % {STEPS} < {SILENT} AND row_number() OVER (
                PARTITION BY c.family, c.address, c.port ORDER BY c.urgency) = 1 THEN 1 ELSE 0 END AS opens
            FROM ({{addresses}}) d
            JOIN current_endpoints c ON c.family = d.family AND c.address = d.address
        ) e
        WINDOW whole AS (PARTITION BY e.family, e.address)
    ) w
    WHERE w.n = 1
    ORDER BY w.family, w.address
    ON CONFLICT (family, address) DO UPDATE SET
        urgency = excluded.urgency, port = excluded.port, nature = excluded.nature, product = excluded.product,
        open_ports = excluded.open_ports, first_seen = excluded.first_seen, last_seen = excluded.last_seen,
        since = excluded.since, changed_at = excluded.changed_at
    """  # noqa: S608 - our own words and numbers
