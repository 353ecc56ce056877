"""How soon the dashboard answers, with a million endpoints and a hundred scans behind it.

In PostgreSQL (made for the purpose and thrown away) and, with a tenth of the endpoints, in SQLite: the time of each
question of the pages, at the store and over HTTP, and how long the tables behind it take to be brought up to date.
``python -m bench.dashboard``; ``--quick`` tries it out with few endpoints and keeps nothing; ``--explain`` tells how the
database finds each answer.
"""

from __future__ import annotations

import argparse
import itertools
import random
import secrets
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.lib.results import keep, machine, table
from bench.store import POSTGRESQL, SQLITE, Opening, stores
from sqlalchemy import event
from tests.contract.samples import plan, ulid

from leadglass.model.evidence import AssociateEvidence, Reply
from leadglass.model.key import unpack
from leadglass.model.look import Look, Sightings, look_of
from leadglass.model.rung import Rung
from leadglass.model.verdict import (
    Access,
    Capabilities,
    Data,
    Kind,
    Nature,
    Position,
    Severity,
    Software,
    Verdict,
)
from leadglass.store.current import refresh
from leadglass.store.database import Database
from leadglass.store.history import server
from leadglass.store.overview import overview, scans_page, trend
from leadglass.store.scans import begin, complete
from leadglass.store.server_rows import Sort, Wanted
from leadglass.store.servers import endpoints_page, servers_page
from leadglass.store.work import Work

DAY = 86_400
BEGAN = 1_780_000_000
GOAL = 0.1
"""Seconds: the 95th percentile of every question shall stay below."""
SHARD = 50_000
LOOKS = 20_000
"""Different ones: whoever has a certificate looks like nobody else."""
PORTS, PORT_SHARES = (104, 11112, 4242, 443, 8042, 2762, 8080, 2761), (34, 30, 12, 9, 6, 4, 4, 1)
WORDS = (
    # access, severity, share in a thousand
    (Access.ANSWERS_QUERY, Severity.CRITICAL, 30),
    (Access.OFFERS_QUERY, Severity.HIGH, 60),
    (Access.ASSOCIATES, Severity.HIGH, 90),
    (Access.OFFERS_STORAGE, Severity.MEDIUM, 30),
    (Access.VERIFICATION_ONLY, Severity.LOW, 40),
    (Access.WANTS_TITLE, Severity.LOW, 110),
    (Access.DEMANDS_LOGIN, Severity.LOW, 60),
    (Access.DEMANDS_CERTIFICATE, Severity.NONE, 10),
    (Access.INCONCLUSIVE, Severity.NONE, 70),
    (Access.NOT_DICOM, Severity.NONE, 500),
)
PRODUCTS, PRODUCT_SHARES = (
    ("Orthanc", "dcm4chee", "DCMTK", "Conquest", "Horos", "RareBox", None),
    (30, 18, 14, 8, 5, 0.05, 25),
)
KINDS, KIND_SHARES = tuple(Kind), (55, 10, 12, 14, 4, 5)


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is."""

    endpoints: Mapping[str, int]
    scans: int
    rounds: int
    """How often each question is asked."""


FULL = Size({SQLITE: 100_000, POSTGRESQL: 1_000_000}, 100, 60)
QUICK = Size({SQLITE: 5_000, POSTGRESQL: 20_000}, 6, 5)


# ---- what is stored


def looks_of(chance: random.Random) -> list[Look]:
    """Looks as they are on the internet: most are no DICOM, few answer a query."""
    words = chance.choices(WORDS, [share for *_, share in WORDS], k=LOOKS)
    products = chance.choices(PRODUCTS, PRODUCT_SHARES, k=LOOKS)
    kinds = chance.choices(KINDS, KIND_SHARES, k=LOOKS)
    return [_look(number, *each) for number, each in enumerate(zip(words, products, kinds, strict=True))]


def _look(number: int, word: tuple[Access, Severity, int], product: str | None, kind: Kind) -> Look:
    access, severity, _ = word
    shares = {each: 0.75 if each is kind else 0.05 for each in Kind}
    verdict = Verdict(
        access,
        Capabilities(),
        ("dicom",),
        Software(product, "1.0", 0.8),
        Nature(shares, shares),
        Data.UNKNOWN,
        severity,
        advice=(f"advice {number % 7}",),
    )
    seen = AssociateEvidence(Reply.ACCEPTED, implementation_version_name=f"BENCH_{number}")
    return look_of((seen,), verdict, Rung.ASSOCIATE, "bench")


def endpoints_of(count: int, chance: random.Random) -> list[bytes]:
    """``count`` endpoints all over IPv4, with one or two ports to an address, in the order of a scan."""
    found = set[bytes]()
    while len(found) < count:
        address = chance.randrange(1 << 24, 224 << 24).to_bytes(4)
        for port in chance.choices(PORTS, PORT_SHARES, k=1 + (chance.random() < 0.3)):
            found.add(address + port.to_bytes(2))
    return chance.sample(sorted(found)[:count], count)


def fill(database: Database, size: Size, endpoints: int) -> list[bytes]:
    """Two scans of everything and the others of a part; in each, one in a hundred answers otherwise."""
    chance = random.Random(7)
    looks, keys = looks_of(chance), endpoints_of(endpoints, chance)
    seen = [chance.randrange(LOOKS) for _ in keys]
    for number in range(size.scans):
        whole = number in {0, size.scans - 1}
        part = range(len(keys)) if whole else chance.sample(range(len(keys)), len(keys) // 50)
        for each in part:
            if number and chance.random() < 0.01:
                seen[each] = chance.randrange(LOOKS)
        at = BEGAN + number * DAY
        _written(database, number, [(keys[each], at, 0, seen[each]) for each in part], looks)
    return keys


def _written(
    database: Database, number: int, rows: list[tuple[bytes, int, int, int]], looks: list[Look]
) -> None:
    planned = plan(
        ulid=ulid(number), began=rows[0][1], hosts=len(rows), shard_hosts=SHARD, scope_name="bench"
    )
    scan = begin(database, planned)
    work = Work(
        database,
        scan,
        "berlin",
        Position.OUTSIDE,
        worker="bench",
        token=lambda: secrets.token_hex(16),
        lease=3600.0,
    )
    while (shard := work.take()) is not None:
        assert work.finish(shard, Sightings(rows[shard.first : shard.after], ("192.0.2.1",), looks))
    assert complete(database, scan)


# ---- what is asked

Question = Callable[[], object]


def questions(database: Database, keys: Sequence[bytes]) -> dict[str, Question]:
    """What the pages ask, each time of something else where that makes a difference."""
    some = itertools.cycle(unpack(key)[0] for key in keys[:1000])
    deep = _deep(database)

    def listed(wanted: Wanted = Wanted(), sort: Sort = Sort.SEVERITY) -> Question:  # noqa: B008 - frozen
        return lambda: servers_page(database, wanted, sort)

    return {
        "first screen": lambda: (overview(database), trend(database)),
        "servers, worst first": listed(),
        "servers, far down": lambda: servers_page(database, cursor=next(deep)),
        "servers, last seen": listed(sort=Sort.LAST_SEEN),
        "servers, newest": listed(sort=Sort.FIRST_SEEN),
        "servers, by address": listed(sort=Sort.ADDRESS),
        "high and worse": listed(Wanted(at_least=Severity.HIGH)),
        "high and worse, last seen": listed(Wanted(at_least=Severity.HIGH), Sort.LAST_SEEN),
        "access": listed(Wanted(access=frozenset({Access.WANTS_TITLE}))),
        "port": listed(Wanted(port=2761)),
        "port, critical": listed(Wanted(port=104, at_least=Severity.CRITICAL)),
        "product": listed(Wanted(product="Orthanc")),
        "rare product": listed(Wanted(product="RareBox")),
        "rare product, by address": listed(Wanted(product="RareBox"), Sort.ADDRESS),
        "nature": listed(Wanted(nature=Kind.HONEYPOT)),
        "network": lambda: servers_page(database, Wanted(network=f"{next(some)}/16")),
        "address": lambda: servers_page(database, Wanted(text=next(some))),
        "text": listed(Wanted(text="orth")),
        "changed in a week": listed(Wanted(changed_since=BEGAN + 93 * DAY)),
        "place": listed(Wanted(place="berlin")),
        "seen by a scan": listed(Wanted(scan=ulid(1))),
        "scope": listed(Wanted(scope="bench")),
        "endpoints, worst first": lambda: endpoints_page(database),
        "endpoints, port and nature": lambda: endpoints_page(
            database, Wanted(port=4242, nature=Kind.CLINICAL)
        ),
        "endpoints, access, last seen": lambda: endpoints_page(
            database, Wanted(access=frozenset({Access.ANSWERS_QUERY})), Sort.LAST_SEEN
        ),
        "one server": lambda: server(database, next(some)),
        "scans": lambda: scans_page(database),
    }


def _deep(database: Database) -> Iterator[str]:
    """Cursors of pages, each 5,000 rows further down, and from the beginning again."""
    found: list[str] = []
    cursor = servers_page(database, limit=500).next
    while cursor is not None and len(found) < 400:
        found.append(cursor)
        cursor = servers_page(database, cursor=cursor, limit=500).next
    return itertools.cycle(found[::10])


def timed(asked: Mapping[str, Question], rounds: int) -> dict[str, list[float]]:
    """Seconds, each question once in each round."""
    found: dict[str, list[float]] = {name: [] for name in asked}
    for turn in range(rounds + 1):
        for name, question in asked.items():
            began = time.perf_counter()
            question()
            if turn:  # the first round fills caches
                found[name].append(time.perf_counter() - began)
    return found


def p95(seconds: Sequence[float]) -> float:
    """The 95th percentile."""
    return statistics.quantiles(seconds, n=20)[-1]


# ---- how the database finds it


def explained(database: Database, question: Question) -> Iterator[str]:
    """The plans of what ``question`` asks of the database."""
    asked: list[tuple[str, Any]] = []
    engine = database._engine  # noqa: SLF001 - only here does anybody look over its shoulder

    def heard(_: object, __: object, statement: str, parameters: Any, *___: object) -> None:
        if statement.startswith(("SELECT", "WITH")):
            asked.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", heard)
    question()
    event.remove(engine, "before_cursor_execute", heard)
    word = "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF)" if database.is_postgres else "EXPLAIN QUERY PLAN"
    with database.read() as connection:
        for statement, parameters in asked:
            rows = connection.exec_driver_sql(f"{word} {statement}", parameters)
            yield "\n".join(str(row[-1]) for row in rows)


def tell_plans(database: Database, asked: Mapping[str, Question]) -> None:
    """Print them."""
    for name, question in asked.items():
        print(f"\n==== {name}")
        print("\n--\n".join(explained(database, question)))


# ---- the page


def measured(name: str, opening: Opening, size: Size, *, explain: bool) -> tuple[list[tuple[str, ...]], str]:
    """Rows of the table, and a line on what it took to get there."""
    endpoints = size.endpoints[name]
    with opening() as database:
        print(f"{name}: filling {size.scans} scans of up to {endpoints:,} endpoints", flush=True)
        keys = fill(database, size, endpoints)
        began = time.perf_counter()
        refresh(database)
        first = time.perf_counter() - began
        chance = random.Random(8)
        _written(
            database,
            999,
            [(key, BEGAN + 999 * DAY, 0, chance.randrange(9)) for key in keys],
            looks_of(chance),
        )
        began = time.perf_counter()
        refresh(database)
        again = time.perf_counter() - began
        asked = questions(database, keys)
        if explain:
            tell_plans(database, asked)
        found = timed(asked, size.rounds)
    rows: list[tuple[str, ...]] = [
        (name, question, f"{1e3 * statistics.median(each):.1f}", f"{1e3 * p95(each):.1f}")
        for question, each in found.items()
    ]
    missed = [question for question, each in found.items() if p95(each) > GOAL]
    told = f"missed by {', '.join(missed)}" if missed else "reached"
    line = (
        f"- {name}: {endpoints:,} endpoints, {size.scans} scans; target p95 under {1e3 * GOAL:g} ms: {told}. "
        f"Bringing the tables up to date: {first:.1f} s from nothing, {again:.1f} s after a scan of everything."
    )
    return rows, line


ABOUT = """Each question is asked in turns with the others, by one client, after one round that does not count.
The scans were written by the store's own writer; one answer in a hundred differs from the one before."""


def main() -> None:
    parser = argparse.ArgumentParser(description="how soon the dashboard answers")
    parser.add_argument("--quick", action="store_true", help="try it out with few endpoints; keep nothing")
    parser.add_argument("--explain", action="store_true", help="tell how the database finds each answer")
    parser.add_argument("--only", choices=(SQLITE, POSTGRESQL), help="one of the databases; keep nothing")
    words = parser.parse_args()
    size = QUICK if words.quick else FULL
    head = machine()
    rows: list[tuple[str, ...]] = []
    lines = []
    with stores() as openings:
        for name, opening in openings.items():
            if words.only in {None, name}:
                more, line = measured(name, opening, size, explain=words.explain)
                rows += more
                lines.append(line)
    columns = ("store", "question", "ms p50", "ms p95")
    body = "\n\n".join((head, ABOUT, table(columns, rows), "\n".join(lines)))
    print(body)
    if not (words.quick or words.only):
        keep("dashboard", body)


if __name__ == "__main__":
    main()
