"""A past for the dashboard: endpoints all over IPv4, and many scans of them, written as the store would write them.

Rows go straight into the tables of the store, since a hundred scans through its writer take too long; a scan that is
to be like any other goes through ``scanned``.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, insert, update
from tests.contract.samples import plan, ulid

from leadglass.model.evidence import AssociateEvidence, Reply
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
from leadglass.store.database import Database
from leadglass.store.names import place_of, vantage_of
from leadglass.store.scans import StoredScan, begin, complete
from leadglass.store.schema import endpoints, observations, shards
from leadglass.store.sightings import Digests
from leadglass.store.work import Work

__all__ = ["BEGAN", "DAY", "PLACE", "SCOPE", "Past", "invented", "scanned", "written"]

DAY = 86_400
BEGAN = 1_780_000_000
PLACE, SCOPE = "berlin", "bench"
SOURCE = "192.0.2.1"
SHARD = 50_000
LOOKS = 20_000
"""Different ones: whoever has a certificate looks like nobody else."""
CHANGE = 0.01
"""The share that answers otherwise than at the look before."""
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


@dataclass(slots=True)
class Past:
    """What is out there, and how it was last seen to look."""

    keys: list[bytes]
    """In the order of a scan, which is pseudo-random."""
    looks: list[Look]
    seen: list[int]
    """The number of the look of each key."""
    last: list[int]
    """When each was seen last: POSIX seconds."""
    chance: random.Random

    def turn(self, part: Iterable[int]) -> None:
        """Some of ``part`` look otherwise from now on."""
        for each in part:
            if self.chance.random() < CHANGE:
                self.seen[each] = self.chance.randrange(LOOKS)


def invented(count: int) -> Past:
    """``count`` endpoints, always the same ones."""
    chance = random.Random(7)
    looks, keys = _looks(chance), _keys(count, chance)
    return Past(keys, looks, [chance.randrange(LOOKS) for _ in keys], [0] * count, chance)


def _looks(chance: random.Random) -> list[Look]:
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


def _keys(count: int, chance: random.Random) -> list[bytes]:
    """Endpoints all over IPv4, with one or two ports to an address."""
    found = set[bytes]()
    while len(found) < count:
        address = chance.randrange(1 << 24, 224 << 24).to_bytes(4)
        for port in chance.choices(PORTS, PORT_SHARES, k=1 + (chance.random() < 0.3)):
            found.add(address + port.to_bytes(2))
    return chance.sample(sorted(found)[:count], count)


# ---- many scans at once


def written(database: Database, past: Past, scans: int, share: int) -> int:
    """``scans`` scans, a day apart: the first of everything, each other of one in ``share``; how many rows.

    What it leaves is what the store's writer would leave: a test of the bench would be a test of that.
    """
    with database.write() as connection:
        digests = Digests()
        found = digests.numbers(connection, past.looks)
        place = place_of(connection, PLACE)
        vantage = vantage_of(connection, place, SOURCE, Position.OUTSIDE)
    verdicts = [found[look.digest] for look in past.looks]
    everything = range(len(past.keys))
    rows = 0
    for number in range(scans):
        part = past.chance.sample(everything, len(everything) // share) if number else everything
        rows += len(part)
        scan = _begun(database, number, len(part))
        _shards_done(database, scan, place)
        seen = _seen(past, number, part, (scan.id, place, vantage), verdicts)
        _poured(database, observations, seen)
        assert complete(database, scan)
    now = zip(past.keys, past.last, past.seen, strict=True)
    _poured(database, endpoints, ((key, place, BEGAN, at, verdicts[look]) for key, at, look in now))
    _analysed(database)
    return rows


def _seen(
    past: Past, number: int, part: Sequence[int], of: tuple[int, int, int], verdicts: Sequence[int]
) -> Iterator[tuple[Any, ...]]:
    """Rows of ``observations``, shard by shard: in the order of keys within each, as the store writes them."""
    scan, place, vantage = of
    at = BEGAN + number * DAY
    before = [past.seen[each] for each in part]
    if number:
        past.turn(part)
    for start in range(0, len(part), SHARD):
        stretch = zip(part[start : start + SHARD], before[start : start + SHARD], strict=True)
        for each, was in sorted(stretch, key=lambda pair: past.keys[pair[0]]):
            is_now = past.seen[each]
            past.last[each] = at
            change = None if was == is_now else verdicts[was]
            yield scan, past.keys[each], place, vantage, at, verdicts[is_now], change


def _begun(database: Database, number: int, hosts: int) -> StoredScan:
    began = BEGAN + number * DAY
    return begin(
        database, plan(ulid=ulid(number), began=began, hosts=hosts, shard_hosts=SHARD, scope_name=SCOPE)
    )


def _shards_done(database: Database, scan: StoredScan, place: int) -> None:
    seen = {
        "state": 2,
        "done_at": scan.plan.began,
        "done_from": place,
        "seen": shards.c.after - shards.c.first,
    }
    with database.write() as connection:
        connection.execute(update(shards).where(shards.c.scan == scan.id).values(seen))


def _poured(database: Database, into: Table, rows: Iterable[tuple[Any, ...]]) -> None:
    with database.write() as connection:
        raw: Any = connection.connection.driver_connection
        names = [column.name for column in into.columns]
        if not database.is_postgres:
            statement = str(insert(into).compile(dialect=connection.dialect))
            raw.executemany(statement, rows)
            return
        with raw.cursor().copy(f"COPY {into.name} ({', '.join(names)}) FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types([column.type.compile(connection.dialect).lower() for column in into.columns])
            for row in rows:
                copy.write_row(row)


def _analysed(database: Database) -> None:
    """As PostgreSQL does by itself within a minute."""
    if database.is_postgres:
        with database.write() as connection:
            connection.exec_driver_sql("ANALYZE")


# ---- one scan like any other


def scanned(database: Database, past: Past, number: int) -> None:
    """Everything once more, through the store's own writer."""
    past.turn(range(len(past.keys)))
    at = BEGAN + number * DAY
    scan = _begun(database, number, len(past.keys))
    token = lambda: secrets.token_hex(16)  # noqa: E731 - nobody else works at it
    work = Work(database, scan, PLACE, Position.OUTSIDE, worker="bench", token=token, lease=3600.0)
    while (shard := work.take()) is not None:
        stretch = range(shard.first, shard.after)
        rows = [(past.keys[each], at, 0, past.seen[each]) for each in stretch]
        assert work.finish(shard, Sightings(rows, (SOURCE,), past.looks))
    assert complete(database, scan)
