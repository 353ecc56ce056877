"""One server: what each endpoint shows now, and how it came to that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from leadglass.model.endpoint import Endpoint
from leadglass.model.key import pack, unpack
from leadglass.model.record import ScanRecord, placed, read_body
from leadglass.model.record_parts import VantageFacts
from leadglass.model.rung import Rung
from leadglass.model.verdict import Access, Severity
from leadglass.store.database import Database
from leadglass.store.diff import Seen
from leadglass.store.reading import AnyRow, AnySelect, Shelf, overlaid, scope_of, vantages_in
from leadglass.store.scans import Plan, find
from leadglass.store.schema import observations, places, scans, verdicts
from leadglass.store.schema_current import current_endpoints, current_servers
from leadglass.store.server_rows import EndpointNow, EndpointRow, Server, Turn
from leadglass.store.servers import ENDPOINTS, endpoint_row, server_row
from leadglass.store.statements import standing_in

__all__ = ["server"]

_MOST_ENDPOINTS = 200
"""Of one address, the worst, with all that they showed: a record takes some kilobytes."""


def server(database: Database, address: str) -> Server | None:
    """All that is known of the canonical ``address``; None if nothing ever answered there."""
    key = pack(address, 0)[:-2]
    of, here = current_servers.c, current_endpoints.c
    family = 4 if len(key) == 4 else 6
    mine = ENDPOINTS.where(here.family == family, here.address == key).order_by(
        here.urgency, here.port, here.place
    )
    with database.read() as connection:
        row = connection.execute(
            select(current_servers).where(of.family == family, of.address == key)
        ).first()
        if row is None:
            return None
        now = [endpoint_row(each) for each in connection.execute(mine.limit(_MOST_ENDPOINTS))]
        looks = [_Look(*each) for each in connection.execute(_looks_at(key))]
        latest = {(look.key, look.place): look for look in looks}
        shown = [(each, latest[spot]) for each in now if (spot := _spot(each)) in latest]
        records = _records(connection, [look for _, look in shown])
        timeline = sorted(_turns(connection, looks), key=lambda turn: turn.at, reverse=True)
    plans = {look.scan: find(database, look.scan).plan for _, look in shown}
    return Server(
        server_row(row),
        tuple(
            EndpointNow(each, _placed(each.endpoint, look, records[look], plans[look.scan]))
            for each, look in shown
        ),
        tuple(timeline),
        len(looks),
    )


class _Look(NamedTuple):
    """One look at one endpoint."""

    endpoint: bytes
    place: str
    scan: str
    vantage: int
    observed_at: int
    verdict: int
    changed_from: int | None

    @property
    def key(self) -> bytes:
        return bytes(self.endpoint)


def _spot(row: EndpointRow) -> tuple[bytes, str]:
    return pack(row.endpoint.address, row.endpoint.port), row.place


def _looks_at(address: bytes) -> AnySelect:
    """Every look at ``address``, the oldest first: a short stretch of the key of each scan."""
    seen = observations.c
    low, high = address + b"\0\0", address + b"\xff\xff"
    return (
        select(
            seen.endpoint,
            places.c.name,
            scans.c.ulid,
            seen.vantage,
            seen.observed_at,
            seen.verdict,
            seen.changed_from,
        )
        .join_from(scans, observations, seen.scan == scans.c.id)
        .join(places, places.c.id == seen.place)
        # Keys of IPv6 may begin like one of IPv4.
        .where(seen.endpoint.between(low, high), func.length(seen.endpoint) == len(low))
        # Told so, and not by the join, SQLite goes from scan to scan and not through all that they saw.
        .where(seen.scan.in_(select(scans.c.id).where(scans.c.state.in_(("open", "complete")))))
        .order_by(seen.observed_at, seen.scan)
    )


def _turns(connection: Connection, looks: Sequence[_Look]) -> Iterator[Turn]:
    """Those looks that found something else than the one before, or were the first."""
    shelf = Shelf(connection, _SEEN, _seen)
    told = shelf.holding(number for look in looks for number in (look.verdict, look.changed_from))
    last: dict[tuple[bytes, str], _Look] = {}
    for look in looks:
        before = last.get((look.key, look.place))
        last[look.key, look.place] = look
        if before is None or look.changed_from is not None:
            yield Turn(
                look.observed_at,
                look.scan,
                Endpoint(*unpack(look.key)),
                look.place,
                None if look.changed_from is None else told[look.changed_from],
                told[look.verdict],
                None if before is None else before.observed_at,
            )


_SEEN = select(verdicts.c.id, verdicts.c.access, verdicts.c.severity, verdicts.c.product, verdicts.c.version)


def _seen(row: AnyRow) -> Seen:
    return Seen(Access(row.access), Severity(row.severity), row.product, row.version)


def _records(
    connection: Connection, looks: Sequence[_Look]
) -> dict[_Look, tuple[Rung, ScanRecord, VantageFacts]]:
    """What each of ``looks`` showed, with what the owner says laid over it."""
    bodies = Shelf(
        connection,
        select(verdicts.c.id, verdicts.c.rung, verdicts.c.body),
        lambda row: (int(row.rung), str(row.body)),
    ).holding(look.verdict for look in looks)
    stated, seen_from = standing_in(connection), vantages_in(connection)
    made = {look: overlaid(look, bodies[look.verdict], stated, seen_from) for look in looks}
    return {
        look: (Rung(rung), read_body(body), seen_from[look.vantage]) for look, (rung, body) in made.items()
    }


def _placed(
    endpoint: Endpoint, look: _Look, shown: tuple[Rung, ScanRecord, VantageFacts], plan: Plan
) -> ScanRecord:
    rung, record, vantage = shown
    return placed(
        record,
        scan=look.scan,
        observed_at=look.observed_at,
        endpoint=endpoint,
        vantage=vantage,
        rung=rung,
        scope=scope_of(plan),
        tlp=None,
    )
