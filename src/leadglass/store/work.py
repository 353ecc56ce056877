"""One worker's part in one scan: it takes shards on lease, and brings back what was seen.

Whoever holds a shard's token when it is finished has done it; what anybody else brings is thrown
away. So a shard may be done twice and is written once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Float,
    Row,
    Select,
    case,
    cast,
    delete,
    func,
    insert,
    select,
    update,
)

from leadglass.model.look import Sighting
from leadglass.model.verdict import Position
from leadglass.store.database import Database
from leadglass.store.names import place_of
from leadglass.store.scans import DONE, LEASED, WAITING, StoredScan
from leadglass.store.schema import places, scans, shards, shares
from leadglass.store.sightings import Digests, Origin, safe_from_pruning, write

__all__ = [
    "PlaceProgress",
    "Progress",
    "Renewal",
    "Shard",
    "Work",
    "Worker",
    "asked_by",
    "progress",
    "release_all",
    "share_of",
]

_LATELY = 60
"""Seconds over which the present speed is taken."""
_NOT_OVER = 0.99
"""The most that is told of a scan of which something is not written down."""


@dataclass(frozen=True, slots=True)
class Shard:
    """A stretch [first, after) of the scan's permutation of hosts, leased."""

    number: int
    first: int
    after: int
    token: str
    """What proves that it is ours."""
    lease_until: float
    """POSIX seconds by the store's clock: then somebody else may take it."""


@dataclass(frozen=True, slots=True)
class Renewal:
    """What a worker may do until it renews again, and for no longer than its lease."""

    rate: float
    """New connections a second; perhaps 0, until others have renewed and made room."""
    lost: frozenset[int]
    """Shards that are no longer ours: whatever comes of them will not be taken."""


@dataclass(frozen=True, slots=True)
class Worker:
    """Somebody who works at a scan just now."""

    name: str
    place: str
    rate: float
    """New connections a second that it may open."""


@dataclass(frozen=True, slots=True)
class PlaceProgress:
    """What one place has brought to a scan."""

    name: str
    seen: int
    """Endpoints with a record."""
    shards: int
    last: int
    """POSIX seconds: when it last finished a shard."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a scan is."""

    shards: int
    waiting: int
    leased: int
    done: int
    hosts: int
    """Looks at hosts that it takes: all of them, from each place that is wanted."""
    hosts_done: int
    seen: int
    """Endpoints with a record, from whichever place."""
    under_way: int
    """Endpoints that were asked in the shards that somebody works at, and are not written down yet."""
    endpoints: int
    """Looks at endpoints that it takes at most."""
    hosts_lately: float
    """Hosts a second, over the last minute, or since it began."""
    seen_lately: float
    """Endpoints a second, over the last minute, or since it began."""
    places: tuple[PlaceProgress, ...]
    workers: tuple[Worker, ...]

    @property
    def asked(self) -> int:
        """Endpoints that were asked, with a record or not yet."""
        return self.seen + self.under_way

    @property
    def share(self) -> float:
        """How much of it is done, from 0 to 1."""
        is_over = self.shards > 0 and self.done == self.shards
        return 1.0 if is_over else share_of(self.asked, self.endpoints)


class Work:
    """Every method is one transaction; ``ResourceError`` if it failed, and then it may be called again."""

    def __init__(
        self,
        database: Database,
        scan: StoredScan,
        place: str,
        position: Position,
        *,
        worker: str,
        token: Callable[[], str],
        lease: float = 15.0,
    ) -> None:
        self._database = database
        self._scan = scan
        self._place = place
        self._position = position
        self._worker = worker
        self._token = token
        self._lease = lease
        self._digests = Digests()

    def take(self) -> Shard | None:
        """A shard that nobody works at, for this place or for anybody; None if there is none now."""
        with self._database.write() as connection:
            now = self._database.moment(connection)
            row = self._free(connection, now)
            if row is None:
                return None
            shard = Shard(row.number, row.first, row.after, self._token(), now + self._lease)
            leased = {"state": LEASED, "token": shard.token, "lease_until": shard.lease_until, "seen": None}
            taking = update(shards).where(self._is(shard.number))
            connection.execute(taking.values(**leased, worker=self._worker))
            return shard

    def renew(self, held: Sequence[Shard]) -> Renewal:
        """Extend the leases of the shards ``held`` and of this worker's share, and divide the rate anew.

        The shares of all workers never sum to more than the scan's rate: a newcomer gets what is free, and
        the others come down to theirs as they renew. A share counts for ``lease`` seconds from the call, so
        a worker that cannot renew must stop by then.
        """
        with self._database.write() as connection:
            rate = connection.execute(
                select(scans.c.rate).where(scans.c.id == self._scan.id).with_for_update()
            ).scalar_one()
            now = self._database.moment(connection)
            lost = {shard.number for shard in held if not self._extend(connection, shard, now)}
            return Renewal(self._share(connection, rate, now), frozenset(lost))

    def note(self, asked: Sequence[tuple[Shard, int]]) -> None:
        """Say how many endpoints of each shard were asked so far; of one that is not ours, it is not taken."""
        with self._database.write() as connection:
            for shard, endpoints in asked:
                connection.execute(update(shards).where(self._is_ours(shard)).values(seen=endpoints))

    def finish(
        self, shard: Shard, sightings: Sequence[Sighting], rest: Sequence[tuple[int, int]] = ()
    ) -> bool:
        """Write what was seen and mark ``shard`` done, if it is still ours; else write nothing: False.

        ``rest`` are the stretches of it that were not finished: they become shards that wait.
        """
        with self._database.write() as connection:
            safe_from_pruning(connection)
            # The scan before the shard, as in ``renew``: whoever takes both takes them in this order.
            number = self._next_number(connection) if rest else 0
            row = connection.execute(
                select(shards.c.place).where(self._is_ours(shard)).with_for_update()
            ).first()
            if row is None:
                return False
            place = place_of(connection, self._place)
            origin = Origin(self._scan.id, place, self._position)
            numbers = write(connection, origin, sightings, self._digests)
            self._end(connection, shard, place, len(sightings))
            self._leave_over(connection, rest, row.place, number)
        self._digests.remember(numbers)
        return True

    def leave(self) -> None:
        """Give back this worker's share and the shards that it still has."""
        with self._database.write() as connection:
            mine = (shares.c.scan == self._scan.id) & (shares.c.worker == self._worker)
            connection.execute(delete(shares).where(mine))
            release(connection, (shards.c.scan == self._scan.id) & (shards.c.worker == self._worker))

    # ---- shards

    def _is(self, number: int) -> ColumnElement[bool]:
        return (shards.c.scan == self._scan.id) & (shards.c.number == number)

    def _is_ours(self, shard: Shard) -> ColumnElement[bool]:
        return self._is(shard.number) & (shards.c.state == LEASED) & (shards.c.token == shard.token)

    def _free(self, connection: Connection, now: float) -> Row[Any] | None:
        place = place_of(connection, self._place)
        run_out = (shards.c.state == LEASED) & (shards.c.lease_until < now)
        for state in (run_out, shards.c.state == WAITING):
            for whose in (shards.c.place == place, shards.c.place.is_(None)):
                row = connection.execute(self._first(state & whose)).first()
                if row is not None:
                    return row
        return None

    def _first(self, condition: ColumnElement[bool]) -> Select[Any]:
        """The first such shard that no other transaction is about to take."""
        query = select(shards.c.number, shards.c.first, shards.c.after).where(shards.c.scan == self._scan.id)
        return query.where(condition).order_by(shards.c.number).limit(1).with_for_update(skip_locked=True)

    def _extend(self, connection: Connection, shard: Shard, now: float) -> bool:
        extending = update(shards).where(self._is_ours(shard)).values(lease_until=now + self._lease)
        return connection.execute(extending).rowcount == 1

    def _end(self, connection: Connection, shard: Shard, place: int, seen: int) -> None:
        now = int(self._database.moment(connection))
        ended = {"state": DONE, "token": None, "worker": None, "lease_until": None}
        ending = update(shards).where(self._is(shard.number))
        connection.execute(ending.values(**ended, done_at=now, done_from=place, seen=seen))

    def _next_number(self, connection: Connection) -> int:
        connection.execute(select(scans.c.id).where(scans.c.id == self._scan.id).with_for_update())
        last = select(func.max(shards.c.number)).where(shards.c.scan == self._scan.id)
        return int(connection.execute(last).scalar() or 0) + 1

    def _leave_over(
        self, connection: Connection, rest: Sequence[tuple[int, int]], place: int | None, number: int
    ) -> None:
        rows = [
            {
                "scan": self._scan.id,
                "number": each,
                "place": place,
                "first": first,
                "after": after,
                "state": 0,
            }
            for each, (first, after) in enumerate(rest, number)
        ]
        if rows:
            connection.execute(insert(shards), rows)

    # ---- the rate

    def _share(self, connection: Connection, rate: float, now: float) -> float:
        """This worker's part of ``rate``, written down. Nobody else is at this: the scan's row is locked."""
        ours = shares.c.scan == self._scan.id
        connection.execute(
            delete(shares).where(ours, (shares.c.lease_until < now) | (shares.c.worker == self._worker))
        )
        others = connection.execute(
            select(func.count(), func.coalesce(func.sum(shares.c.rate), 0.0)).where(ours)
        ).one()
        workers, given = int(others[0]) + 1, float(others[1])
        part = max(0.0, min(rate / workers, rate - given))
        place = place_of(connection, self._place)
        lease = {"rate": part, "lease_until": now + self._lease}
        connection.execute(
            insert(shares).values(scan=self._scan.id, worker=self._worker, place=place, **lease)
        )
        return part


def release_all(database: Database, scan: StoredScan) -> None:
    """Void every lease of ``scan``: for whoever knows that nobody else works at it."""
    with database.write() as connection:
        connection.execute(delete(shares).where(shares.c.scan == scan.id))
        release(connection, shards.c.scan == scan.id)


def share_of(asked: int, endpoints: int) -> float:
    """How much of a scan that is not over is done: less than 1, however much was asked."""
    return min(asked / endpoints, _NOT_OVER) if endpoints else 0.0


def asked_by(now: float) -> ColumnElement[int]:
    """Of a shard, how many endpoints were asked: what a worker asked who has lost it is asked again."""
    counts = (shards.c.state == DONE) | (shards.c.lease_until >= now)
    return case((counts, func.coalesce(shards.c.seen, 0)), else_=0)


def progress(database: Database, scan: StoredScan) -> Progress:
    """How far ``scan`` is: what is finished, and what is told of the shards in work."""
    with database.read() as connection:
        states = _states(connection, scan.id)
        passes = max(1, len(scan.plan.wanted))
        whole = connection.execute(
            select(scans.c.hosts, scans.c.endpoints).where(scans.c.id == scan.id)
        ).one()
        hosts = whole.hosts * passes
        now = database.moment(connection)
        span = age if 1 <= (age := now - scan.plan.began) < _LATELY else _LATELY
        lately = _done(connection, (shards.c.scan == scan.id) & (shards.c.done_at > now - span))
        done = _places(connection, scan.id)
        return Progress(
            shards=sum(count for count, _ in states.values()),
            waiting=states.get(WAITING, (0, 0))[0],
            leased=states.get(LEASED, (0, 0))[0],
            done=states.get(DONE, (0, 0))[0],
            hosts=hosts,
            # A shard that left stretches over is done, but they are not.
            hosts_done=hosts - sum(hosts for state, (_, hosts) in states.items() if state != DONE),
            seen=sum(place.seen for place in done),
            under_way=_under_way(connection, scan.id, now),
            endpoints=whole.endpoints * passes,
            hosts_lately=lately[0] / span,
            seen_lately=lately[1] / span,
            places=done,
            workers=_workers(connection, scan.id, now),
        )


def _states(connection: Connection, scan: int) -> dict[int, tuple[int, int]]:
    """By state, how many shards there are and how many hosts are in them."""
    # By place, since the hosts of all passes together may be more than a number holds.
    query = select(shards.c.state, func.count(), func.sum(shards.c.after - shards.c.first))
    found: dict[int, tuple[int, int]] = {}
    for state, count, hosts in connection.execute(
        query.where(shards.c.scan == scan).group_by(shards.c.state, shards.c.place)
    ):
        before = found.get(state, (0, 0))
        found[state] = (before[0] + count, before[1] + int(hosts))
    return found


def _done(connection: Connection, which: ColumnElement[bool]) -> tuple[float, float]:
    """Hosts and endpoints of the shards ``which``."""
    hosts = func.sum(cast(shards.c.after - shards.c.first, Float))
    row = connection.execute(select(hosts, func.sum(shards.c.seen)).where(which)).one()
    return float(row[0] or 0), float(row[1] or 0)


def _under_way(connection: Connection, scan: int, now: float) -> int:
    query = select(func.sum(asked_by(now))).where(shards.c.scan == scan, shards.c.state == LEASED)
    return int(connection.execute(query).scalar() or 0)


def _places(connection: Connection, scan: int) -> tuple[PlaceProgress, ...]:
    query = (
        select(places.c.name, func.sum(shards.c.seen), func.count(), func.max(shards.c.done_at))
        .join(places, places.c.id == shards.c.done_from)
        .where(shards.c.scan == scan, shards.c.state == DONE)
        .group_by(places.c.name)
        .order_by(places.c.name)
    )
    return tuple(
        PlaceProgress(name, int(seen), count, last) for name, seen, count, last in connection.execute(query)
    )


def _workers(connection: Connection, scan: int, now: float) -> tuple[Worker, ...]:
    query = (
        select(shares.c.worker, places.c.name, shares.c.rate)
        .join(places, places.c.id == shares.c.place)
        .where(shares.c.scan == scan, shares.c.lease_until >= now)
        .order_by(shares.c.worker)
    )
    return tuple(Worker(name, place, rate) for name, place, rate in connection.execute(query))


def release(connection: Connection, whose: ColumnElement[bool]) -> None:
    """Let the leased shards of ``whose`` wait for somebody again."""
    waiting = {"state": WAITING, "token": None, "worker": None, "lease_until": None, "seen": None}
    connection.execute(update(shards).where(whose, shards.c.state == LEASED).values(**waiting))
