"""How fast does the store take scans in, and how soon does it say what changed.

On SQLite, and on a PostgreSQL cluster that is made for the purpose and thrown away: rows a second as
``store.work`` writes the shards of two scans of the same endpoints, and the time of ``store.diff`` for
the second of two larger scans, in which one endpoint in 10,000 answers otherwise.
``python -m bench.store``; ``--quick`` tries it out with fewer endpoints and keeps nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from bench.lib.command import DATABASE, on_disk
from bench.lib.invented import CHANGED, Order, Written, as_scanned, by_address, invent
from bench.lib.results import keep, machine, table
from tests.peers.postgresql import Cluster, cluster, programs

from leadglass.store.database import Database
from leadglass.store.diff import Change, changes, difference
from leadglass.store.scans import StoredScan
from leadglass.wiring.storage import open_storage

SHARD, LARGE_SHARD = 4096, 100_000
PARTS = 4
SOON = 1.0
"""Seconds in which all that changed is to be told."""

SQLITE, POSTGRESQL = "SQLite", "PostgreSQL"
_DURABLE = ("fsync", "synchronous_commit", "full_page_writes")
"""Off in the cluster that tests use, on where anybody keeps anything."""

Opening = Callable[[], "contextlib.AbstractContextManager[Database]"]
"""A new database, which goes when the block ends."""


@dataclass(frozen=True, slots=True)
class Size:
    """How many endpoints."""

    written: int
    asked: int
    compared: int


FULL, QUICK = Size(2_000_000, 10_000_000, 1_000_000), Size(100_000, 200_000, 100_000)


@dataclass(frozen=True, slots=True)
class Answer:
    """How long a question took."""

    first: float
    """Seconds to the first row."""
    all: float
    """Seconds to the last."""
    rows: int


# ---- writing


def written(database: Database, hosts: int) -> Iterator[tuple[str, ...]]:
    """Rows of the table: two scans of the same hosts, in the order of a scan."""
    for turn, name in enumerate(("all new", f"all known, 1 in {CHANGED:,} changed")):
        _, shards = invent(database, hosts, SHARD, as_scanned, turn)
        parts = in_parts(shards, -(-hosts // SHARD))
        yield (name, *(f"{part:,.0f}" for part in parts))


def in_parts(shards: Iterator[Written], count: int) -> Iterator[float]:
    """Rows a second in each of ``PARTS`` parts of ``count`` shards."""
    edges = [count * part // PARTS for part in range(PARTS + 1)]
    for begin, end in itertools.pairwise(edges):
        part = list(itertools.islice(shards, end - begin))
        yield sum(shard.rows for shard in part) / sum(shard.seconds for shard in part)
    assert next(shards, None) is None


# ---- asking


def filled(database: Database, hosts: int) -> tuple[StoredScan, StoredScan]:
    """Two scans of the same hosts, written in larger shards and in the order of addresses: that is quicker."""
    print(f"  filling: 2 scans of {hosts:,}", flush=True)
    first, second = (_filled(database, hosts, by_address, turn) for turn in (0, 1))
    return first, second


def _filled(database: Database, hosts: int, order: Order, turn: int) -> StoredScan:
    scan, shards = invent(database, hosts, LARGE_SHARD, order, turn)
    for _ in shards:
        pass
    return scan


def answer(asked: Iterator[Change], expected: int) -> Answer:
    """Take the answer to its end; it must have ``expected`` rows."""
    began = time.perf_counter()
    rows = int(next(asked, None) is not None)
    first = time.perf_counter() - began
    rows += sum(1 for _ in asked)
    found = Answer(first, time.perf_counter() - began, rows)
    if rows != expected:
        raise RuntimeError(f"{rows} changes were told, not {expected}")
    return found


def asked(opening: Opening, size: Size) -> tuple[Answer, Answer]:
    """What changed since the last scan; what differs between two scans."""
    with opening() as database:
        _, second = filled(database, size.asked)
        changed = answer(changes(database, second), size.asked // CHANGED)
    with opening() as database:
        first, second = filled(database, size.compared)
        differing = answer(difference(database, first, second), size.compared // CHANGED)
    return changed, differing


# ---- databases


@contextlib.contextmanager
def in_a_file() -> Iterator[Database]:
    """SQLite on disk."""
    with on_disk() as home, open_storage(str(home / DATABASE)) as database:
        yield database


@contextlib.contextmanager
def durable() -> Iterator[Cluster]:
    """A cluster that loses nothing when the power fails, as everybody's."""
    with cluster() as made:
        for setting in _DURABLE:
            made.sql(f"ALTER SYSTEM SET {setting} = on")
        made.sql("SELECT pg_reload_conf()")
        yield made


@contextlib.contextmanager
def in_a_cluster(made: Cluster) -> Iterator[Database]:
    """A database of PostgreSQL."""
    with made.database() as name, open_storage(made.url(name)) as database:
        yield database


@contextlib.contextmanager
def stores() -> Iterator[dict[str, Opening]]:
    """What can be measured here."""
    with contextlib.ExitStack() as stack:
        found: dict[str, Opening] = {SQLITE: in_a_file}
        try:
            programs()
        except ValueError:
            print("there is no PostgreSQL: only SQLite is measured")
        else:
            made = stack.enter_context(durable())
            found[POSTGRESQL] = lambda: in_a_cluster(made)
        yield found


# ---- the page


def writing_of(openings: dict[str, Opening], size: Size) -> str:
    """Rows a second."""
    rows: list[Sequence[str]] = []
    for name, opening in openings.items():
        print(f"{name}: writing 2 scans of {size.written:,}", flush=True)
        with opening() as database:
            rows += [(name, *row) for row in written(database, size.written)]
    edges = [size.written * part // PARTS for part in range(PARTS + 1)]
    spans = [f"{begin:,} to {end:,}" for begin, end in itertools.pairwise(edges)]
    return f"**rows a second**, written from\n\n{table(('store', 'endpoints', *spans), rows)}"


def asking_of(openings: dict[str, Opening], size: Size) -> str:
    """Seconds, and what became of the target."""
    rows, lines = [], []
    questions = (
        f"what changed since the last scan, {size.asked:,} endpoints",
        f"what differs between two scans, {size.compared:,} endpoints",
    )
    for name, opening in openings.items():
        print(f"{name}: asking", flush=True)
        answers = asked(opening, size)
        rows += [
            (name, question, f"{found.rows:,}", f"{found.first:.3f}", f"{found.all:.3f}")
            for question, found in zip(questions, answers, strict=True)
        ]
        word = "reached" if answers[0].all < SOON else "missed"
        lines.append(f"- {name}: {questions[0]}: {answers[0].all:.3f} s; target under {SOON:g}: {word}")
    head = ("store", "question", "rows", "seconds to the first", "seconds to the last")
    verdicts = "\n".join(lines)
    return f"**questions**\n\n{table(head, rows)}\n\n{verdicts}"


ABOUT = f"""Written are shards of {SHARD:,} endpoints in the order of a scan, all over the scope, with 64 different looks;
the time is that of `Work.finish`, one transaction to the end of its commit, by one writer, without the making of the rows.
The databases that are asked were filled by the same writer, with shards of {LARGE_SHARD:,} in the order of addresses, and asked once, at once after.
SQLite is as the store sets it (WAL, `synchronous = NORMAL`). PostgreSQL has 256 MB of shared buffers and is as installed otherwise:
fsync and synchronous commits are on, and nobody has called ANALYZE."""


def main() -> None:
    parser = argparse.ArgumentParser(description="how fast the store takes in, and says what changed")
    parser.add_argument("--quick", action="store_true", help="try it out with few endpoints; keep nothing")
    quick = parser.parse_args().quick
    size = QUICK if quick else FULL
    head = machine()
    with stores() as openings:
        sections = [writing_of(openings, size), asking_of(openings, size)]
    body = "\n\n".join((head, ABOUT, *sections))
    print(body)
    if not quick:
        keep("store", body)


if __name__ == "__main__":
    main()
