"""Brings the tables up to date that pages of servers are read from; they hold nothing that stands nowhere else.

Whoever shows pages calls ``refresh`` now and then, beside them: a scan does not wait for it. What it writes follows
from the other tables alone, so that it may be interrupted, repeated and run by several at once. It works in
transactions of bounded size; scans go on in between.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    delete,
    func,
    insert,
    select,
    text,
    update,
)

from leadglass.model.key import pack
from leadglass.model.verdict import Access, Kind, Severity
from leadglass.store.database import Database
from leadglass.store.reading import AnyRow, kept_tally, names_of
from leadglass.store.scans import DONE, StoredScan, find
from leadglass.store.schema import endpoints, observations, scans, shards, verdicts
from leadglass.store.schema_current import (
    current_endpoints,
    current_facts,
    current_marks,
    current_servers,
    current_summary,
)
from leadglass.store.server_rows import EXPOSED
from leadglass.store.sightings import safe_from_pruning
from leadglass.store.urgency import SILENT, STEPS, urgency_below, urgency_of

__all__ = ["Summary", "refresh", "summary_of"]

_BATCH = 20_000
"""Endpoints in one transaction."""
_FACTS = 2000
"""Verdicts whose facts are read at once; each may be some kilobytes."""
_ONE_BY_ONE = 3
"""So many scans that moved on are taken in each by itself; for more, all endpoints are read once instead."""
_REFRESHING = 0x1EAD61A58
"""PostgreSQL's advisory lock: one at a time writes these tables, so that nobody waits in a ring."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What there is, counted when the tables were last brought up to date."""

    as_of: int
    """POSIX seconds."""
    urgency: Mapping[int, int]
    """Servers by the urgency of their worst endpoint."""
    since: int | None
    """Since when the longest exposed is; None: none is."""
    products: Mapping[str, int]
    """Endpoints by product, most first."""

    @property
    def servers(self) -> int:
        """All of them."""
        return sum(self.urgency.values())

    def severity(self) -> dict[Severity, int]:
        """Servers by severity, worst first; only what occurs."""
        return _by(self.urgency, list(Severity), lambda urgency: urgency // STEPS)

    def access(self) -> dict[Access, int]:
        """Servers by access, worst first; only what occurs."""
        return _by(self.urgency, list(Access), lambda urgency: urgency % STEPS)


class _Mark(NamedTuple):
    """How far a scan is."""

    scan: int
    ulid: str
    state: str
    shards: int


def refresh(database: Database) -> bool:
    """Take in what scans have found since the last time; whether there was anything.

    In one go for a scan that went on, in a few seconds for a million endpoints. Nothing is half true in between: a row
    is as it was, or as it is.
    """
    behind = _behind(database)
    if not behind:
        return False
    _learn(database)
    for mark in behind:
        _take_changes(database, mark.scan)
    if len(behind) > _ONE_BY_ONE:
        _walk(database, None)
    else:
        for mark in behind:
            _walk(database, mark.scan)
    for mark in behind:
        scan = find(database, mark.ulid)
        _name(database, scan)
        if mark.state == "complete":
            kept_tally(database, scan)
    if database.is_postgres:  # which guesses badly of tables that it has not looked into
        with _writing(database) as connection:
            connection.execute(text("ANALYZE current_endpoints, current_servers, current_facts"))
    _settle(database, behind)
    return True


def summary_of(connection: Connection) -> Summary | None:
    """What the last ``refresh`` counted; None if there was none."""
    body = connection.execute(select(current_summary.c.body)).scalar()
    if body is None:
        return None
    told = json.loads(body)
    urgency = {int(key): number for key, number in told["urgency"].items()}
    return Summary(told["as_of"], urgency, told["since"], told["products"])


def _by(urgencies: Mapping[int, int], words: Sequence[Any], rank: Any) -> dict[Any, int]:
    counts = [0] * len(words)
    for urgency, number in urgencies.items():
        counts[rank(urgency)] += number
    return {word: count for word, count in zip(words, counts, strict=True) if count}


# ---- which scans moved on


def _behind(database: Database) -> list[_Mark]:
    """The scans that are further than these tables, oldest first."""
    done = (
        select(func.count())
        .select_from(shards)
        .where(shards.c.scan == scans.c.id, shards.c.state == DONE, scans.c.state == "open")
        .scalar_subquery()
    )
    now = select(scans.c.id, scans.c.ulid, scans.c.state, done).where(scans.c.state.in_(("open", "complete")))
    with database.read() as connection:
        known = {row.scan: (row.state, row.shards) for row in connection.execute(select(current_marks))}
        marks = [_Mark(*row) for row in connection.execute(now.order_by(scans.c.began, scans.c.id))]
    return [mark for mark in marks if known.get(mark.scan, ("open", 0)) != (mark.state, mark.shards)]


def _settle(database: Database, marks: Sequence[_Mark]) -> None:
    """Count, and write down how far these tables are: as far as the scans were before they were read."""
    with _writing(database) as connection:
        counted = json.dumps(_counted(connection, int(database.moment(connection))))
        connection.execute(delete(current_summary))
        connection.execute(insert(current_summary).values(id=1, body=counted))
        connection.execute(delete(current_marks).where(current_marks.c.scan.in_([m.scan for m in marks])))
        rows = [{"scan": mark.scan, "state": mark.state, "shards": mark.shards} for mark in marks]
        connection.execute(insert(current_marks), rows)


def _counted(connection: Connection, now: int) -> dict[str, object]:
    server, endpoint = current_servers.c, current_endpoints.c
    by_urgency = select(server.urgency, func.count()).group_by(server.urgency)
    exposed = select(func.min(server.since)).where(server.urgency < urgency_below(EXPOSED))
    answering = endpoint.urgency % STEPS < SILENT
    products = select(endpoint.product, func.count()).where(endpoint.product.is_not(None), answering)
    most = products.group_by(endpoint.product).order_by(func.count().desc(), endpoint.product)
    return {
        "as_of": now,
        "urgency": {row[0]: row[1] for row in connection.execute(by_urgency)},
        "since": connection.execute(exposed).scalar(),
        "products": {row[0]: row[1] for row in connection.execute(most)},
    }


# ---- what verdicts say


def _learn(database: Database) -> None:
    """The facts of verdicts that are new."""
    new = select(verdicts.c.id, verdicts.c.access, verdicts.c.severity, verdicts.c.product, verdicts.c.body)
    new = new.outerjoin(current_facts, current_facts.c.verdict == verdicts.c.id)
    new = new.where(current_facts.c.verdict.is_(None)).order_by(verdicts.c.id).limit(_FACTS)
    while True:
        with _writing(database) as connection:
            rows = [_fact(row) for row in connection.execute(new)]
            if rows:
                connection.execute(insert(current_facts), rows)
        if len(rows) < _FACTS:
            return


def _fact(row: AnyRow) -> dict[str, object]:
    shares = json.loads(row.body).get("nature", {})
    kinds = list(Kind)
    nature = max(range(len(kinds)), key=lambda rank: (shares.get(kinds[rank], 0.0), -rank))
    urgency = urgency_of(Severity(row.severity), Access(row.access))
    return {"verdict": row.id, "urgency": urgency, "nature": nature, "product": row.product}


# ---- what changed


def _take_changes(database: Database, scan: int) -> None:
    index = "" if database.is_postgres else " INDEXED BY ix_observations_changed"
    with _writing(database) as connection:
        connection.execute(text(_CHANGES.format(index=index)), {"scan": scan})


_CHANGES = """
    INSERT INTO current_changes (endpoint, place, scan, at, was)
    SELECT o.endpoint, o.place, o.scan, o.observed_at, f.urgency
    FROM observations o{index} JOIN current_facts f ON f.verdict = o.changed_from
    WHERE o.scan = :scan AND o.changed_from IS NOT NULL
    ORDER BY o.endpoint, o.place
    ON CONFLICT (endpoint, place, scan) DO UPDATE SET at = excluded.at, was = excluded.was
    """


# ---- endpoints and servers


def _walk(database: Database, scan: int | None) -> None:
    """Make anew the rows of all that ``scan`` saw, or of everything."""
    source = "endpoints" if scan is None else "observations"
    ours = "" if scan is None else " AND x.scan = :scan"
    words = _WORDS["postgresql" if database.is_postgres else "sqlite"]
    touched = (
        f"SELECT x.endpoint, x.place FROM {source} x WHERE x.endpoint > :after AND x.endpoint <= :upto{ours}"  # noqa: S608 - our own words
    )
    addresses = f"SELECT DISTINCT {_FAMILY} AS family, {words['bytes']} AS address FROM ({touched}) t"  # noqa: S608 - the same
    filled = {"touched": touched, "addresses": addresses, "family": _FAMILY, **words}
    statements = [text(each.format(**filled)) for each in (_ENDPOINTS, _SERVERS)]
    for after, upto in _stretches(database, scan):
        told = {"after": after, "upto": upto} | ({} if scan is None else {"scan": scan})
        with _writing(database) as connection:
            for statement in statements:
                connection.execute(statement, told)


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


# ---- names, and the door


def _name(database: Database, scan: StoredScan) -> None:
    """The names of the scope that the servers' addresses were resolved from."""
    keys = {pack(address, 0)[:-2]: name for address, name in names_of(scan.plan).items()}
    rows = [{"called": name, "fam": 4 if len(key) == 4 else 6, "addr": key} for key, name in keys.items()]
    if rows:
        server = current_servers.c
        here = and_(server.family == bindparam("fam"), server.address == bindparam("addr"))
        with _writing(database) as connection:
            connection.execute(update(current_servers).where(here).values(name=bindparam("called")), rows)


@contextlib.contextmanager
def _writing(database: Database) -> Iterator[Connection]:
    """A transaction in which nobody else writes these tables, and no verdict goes away."""
    with database.write() as connection:
        safe_from_pruning(connection)
        if database.is_postgres:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _REFRESHING})
        yield connection
