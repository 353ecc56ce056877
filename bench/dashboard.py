"""How soon the dashboard answers, with a million endpoints and a hundred scans behind it.

In PostgreSQL (made for the purpose and thrown away) and, with a tenth of the endpoints, in SQLite: the time of each
question of the pages, at the store and over HTTP, and how long the tables behind it take to be brought up to date.
``python -m bench.dashboard``; ``--quick`` tries it out with few endpoints and keeps nothing; ``--explain`` tells how the
database finds each answer.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
from bench.lib.past import BEGAN, DAY, PLACE, SCOPE, Past, invented, scanned, written
from bench.lib.results import keep, machine, table
from bench.lib.served import served
from bench.store import POSTGRESQL, SQLITE, Opening, stores
from sqlalchemy import event
from tests.contract.samples import ulid

from leadglass.model.key import unpack
from leadglass.model.verdict import Access, Kind, Severity
from leadglass.store.current import refresh
from leadglass.store.database import Database
from leadglass.store.history import server
from leadglass.store.overview import overview, scans_page, trend
from leadglass.store.server_rows import Sort, Wanted
from leadglass.store.servers import endpoints_page, servers_page

GOAL = 0.1
"""Seconds: the 95th percentile of every question shall stay below."""
PART = 10
"""The first and the last scan see everything, each between them one in so many."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is."""

    endpoints: Mapping[str, int]
    scans: int
    rounds: int
    """How often each question is asked."""


FULL = Size({SQLITE: 100_000, POSTGRESQL: 1_000_000}, 100, 60)
QUICK = Size({SQLITE: 5_000, POSTGRESQL: 20_000}, 6, 5)


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
        "place": listed(Wanted(place=PLACE)),
        "seen by a scan": listed(Wanted(scan=ulid(1))),
        "seen by a scan, newest": listed(Wanted(scan=ulid(1)), Sort.FIRST_SEEN),
        "scope": listed(Wanted(scope=SCOPE)),
        "scope, critical": listed(Wanted(scope=SCOPE, at_least=Severity.CRITICAL)),
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


PAGES = {
    "page: first screen": "/",
    "page: servers": "/servers",
    "page: servers, product and port": "/servers?product=Orthanc&port=104",
    "page: servers, seen by a scan": f"/servers?scan={ulid(1)}",
    "page: servers, scope": f"/servers?scope={SCOPE}",
    "page: one server": "/servers/{address}",
    "API: servers": "/api/v1/servers",
    "API: one server": "/api/v1/servers/{address}",
}


def requests(browser: httpx.Client, keys: Sequence[bytes]) -> dict[str, Question]:
    """The same over HTTP: one connection, the whole answer."""
    some = itertools.cycle(unpack(key)[0] for key in keys[:1000])

    def asking(path: str) -> Question:
        return lambda: browser.get(path.format(address=next(some)))

    return {name: asking(path) for name, path in PAGES.items()}


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
    with opening() as database:
        print(f"{name}: filling {size.scans} scans of up to {size.endpoints[name]:,} endpoints", flush=True)
        past = invented(size.endpoints[name])
        looks = written(database, past, size.scans - 1, PART) + len(past.keys)
        first = _seconds(lambda: refresh(database))
        scanned(database, past, size.scans - 1)
        again = _seconds(lambda: refresh(database))
        if explain:
            tell_plans(database, questions(database, past.keys))
        found = _asked(database, past, size.rounds)
    rows: list[tuple[str, ...]] = [
        (name, question, f"{1e3 * statistics.median(each):.1f}", f"{1e3 * p95(each):.1f}")
        for question, each in found.items()
    ]
    missed = [question for question, each in found.items() if p95(each) > GOAL]
    told = f"missed by {', '.join(missed)}" if missed else "reached"
    line = (
        f"- {name}: {len(past.keys):,} endpoints, {size.scans} scans, {looks:,} looks; "
        f"target p95 under {1e3 * GOAL:g} ms: {told}. "
        f"Bringing the tables up to date: {first:.1f} s from nothing, {again:.1f} s after a scan of everything."
    )
    return rows, line


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _asked(database: Database, past: Past, rounds: int) -> dict[str, list[float]]:
    found = timed(questions(database, past.keys), rounds)
    with served(database) as browser:
        return found | timed(requests(browser, past.keys), rounds)


ABOUT = f"""Each question is asked in turns with the others, by one client, after one round that does not count; `page`
and `API` are whole answers of `leadglass serve` over one connection, the others are asked of the store.
The first and the last scan see every endpoint, each between them one in {PART}, and one look in a hundred differs from
the one before. All but the last scan are written into the tables directly; the last goes through the store's writer."""


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
