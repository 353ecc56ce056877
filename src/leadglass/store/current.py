"""Brings the tables up to date that pages of servers are read from; they hold nothing that stands nowhere else.

Whoever shows pages calls ``refresh`` now and then, beside them: a scan does not wait for it. What it writes follows
from the other tables alone, so that it may be interrupted, repeated and run by several at once. It works in
transactions of bounded size; scans go on in between.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import (
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
from leadglass.store.current_rows import renew, walk, writing
from leadglass.store.database import Database
from leadglass.store.reading import AnyRow, AnySelect, kept_tally, names_of, overlaid, vantages_in
from leadglass.store.scans import DONE, StoredScan, find
from leadglass.store.schema import observations, scans, shards, statements, verdicts
from leadglass.store.schema_current import (
    current_endpoints,
    current_facts,
    current_marks,
    current_servers,
    current_summary,
)
from leadglass.store.server_rows import EXPOSED
from leadglass.store.statements import standing_in
from leadglass.store.urgency import SILENT, STEPS, urgency_below, urgency_of

__all__ = ["Summary", "is_taken_in", "refresh", "summary_of"]

_FACTS = 2000
"""Verdicts whose facts are read at once; each may be some kilobytes."""
_ONE_BY_ONE = 3
"""So many scans that moved on are taken in each by itself; for more, all endpoints are read once instead."""


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
    moved = _said(database)
    if not behind and not moved:
        return False
    _learn(database)
    for mark in behind:
        _take_changes(database, mark.scan)
    if len(behind) > _ONE_BY_ONE:
        walk(database, None)
    else:
        for mark in behind:
            walk(database, mark.scan)
    for mark in behind:
        scan = find(database, mark.ulid)
        _name(database, scan)
        if mark.state == "complete":
            kept_tally(database, scan)
    _overrule(database)
    if database.is_postgres:  # which guesses badly of tables that it has not looked into
        with writing(database) as connection:
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


def is_taken_in(database: Database, scan: StoredScan) -> bool:
    """Whether these tables say all that ``scan`` has seen: it has ended, and ``refresh`` ran since."""
    mark = select(current_marks.c.state).where(current_marks.c.scan == scan.id)
    with database.read() as connection:
        return bool(connection.execute(mark).scalar() == "complete")


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
    with writing(database) as connection:
        counted = json.dumps(_counted(connection, int(database.moment(connection))))
        connection.execute(delete(current_summary))
        connection.execute(insert(current_summary).values(id=1, body=counted))
        if not marks:
            return
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
        "said": _statements_in(connection),
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
        with writing(database) as connection:
            rows = [_fact(row) for row in connection.execute(new)]
            if rows:
                connection.execute(insert(current_facts), rows)
        if len(rows) < _FACTS:
            return


def _fact(row: AnyRow) -> dict[str, object]:
    told = json.loads(row.body)
    return {"verdict": row.id, "product": row.product} | _words(
        told | {"severity": row.severity, "access": row.access}
    )


def _words(told: Mapping[str, Any]) -> dict[str, int]:
    """Urgency and nature of a verdict, as numbers."""
    kinds, shares = list(Kind), dict(told.get("nature", {}))
    stated = (told.get("stated") or {}).get("nature")
    if stated is not None:  # what is known is not likely any more
        shares[stated] = 1.0
    nature = max(range(len(kinds)), key=lambda rank: (shares.get(kinds[rank], 0.0), -rank))
    return {"urgency": urgency_of(Severity(told["severity"]), Access(told["access"])), "nature": nature}


# ---- what changed


def _take_changes(database: Database, scan: int) -> None:
    index = "" if database.is_postgres else " INDEXED BY ix_observations_changed"
    with writing(database) as connection:
        connection.execute(text(_CHANGES.format(index=index)), {"scan": scan})


_CHANGES = """
    INSERT INTO current_changes (endpoint, place, scan, at, was)
    SELECT o.endpoint, o.place, o.scan, o.observed_at, f.urgency
    FROM observations o{index} JOIN current_facts f ON f.verdict = o.changed_from
    WHERE o.scan = :scan AND o.changed_from IS NOT NULL
    ORDER BY o.endpoint, o.place
    ON CONFLICT (endpoint, place, scan) DO UPDATE SET at = excluded.at, was = excluded.was
    """


# ---- the word of owners


def _statements_in(connection: Connection) -> list[int]:
    """What is different whenever somebody said or withdrew something."""
    of = statements.c
    asked = select(func.count(), func.count(of.withdrawn_at), func.coalesce(func.max(of.id), 0))
    return [int(number) for number in connection.execute(asked).one()]


def _said(database: Database) -> bool:
    """Whether owners have said anything since the last time."""
    with database.read() as connection:
        body = connection.execute(select(current_summary.c.body)).scalar()
        now = _statements_in(connection)
    return now != (json.loads(body).get("said") if body else [0, 0, 0])


def _overrule(database: Database) -> None:
    """Lay what owners say over what was seen, as it is laid over records; what is withdrawn counts no more."""
    with database.read() as connection:
        addresses = [bytes(row[0]) for row in connection.execute(select(statements.c.address).distinct())]
    for address in addresses:  # typed in by hand, so they are few
        low, high = address + b"\0\0", address + b"\xff\xff"
        renew(database, None, low, high)
        with writing(database) as connection:
            stated, seen_from = standing_in(connection), vantages_in(connection)
            for row in connection.execute(_at(address)).all():
                _, body = overlaid(row, (row.rung, row.body), stated, seen_from)
                here = current_endpoints.c
                which = and_(here.endpoint == row.endpoint, here.place == row.place)
                connection.execute(update(current_endpoints).where(which).values(_words(json.loads(body))))
        renew(database, None, low, high, servers_only=True)


def _at(address: bytes) -> AnySelect:
    """The endpoints of an address, from where each was seen last, and the verdict."""
    here, seen = current_endpoints.c, observations.c
    last = (
        select(seen.vantage)
        .join_from(scans, observations, seen.scan == scans.c.id)
        .where(seen.endpoint == here.endpoint, seen.place == here.place)
        .order_by(seen.observed_at.desc())
        .limit(1)
        .scalar_subquery()
    )
    return (
        select(here.endpoint, here.place, last.label("vantage"), verdicts.c.rung, verdicts.c.body)
        .join_from(current_endpoints, verdicts, verdicts.c.id == here.verdict)
        .where(here.family == (4 if len(address) == 4 else 6), here.address == address)
    )


# ---- names


def _name(database: Database, scan: StoredScan) -> None:
    """The names of the scope that the servers' addresses were resolved from."""
    keys = {pack(address, 0)[:-2]: name for address, name in names_of(scan.plan).items()}
    rows = [{"called": name, "fam": 4 if len(key) == 4 else 6, "addr": key} for key, name in keys.items()]
    if rows:
        server = current_servers.c
        here = and_(server.family == bindparam("fam"), server.address == bindparam("addr"))
        with writing(database) as connection:
            connection.execute(update(current_servers).where(here).values(name=bindparam("called")), rows)
