"""What changed: since each endpoint was last seen, or between two scans.

Compared is what was seen from the same place: access and evidence. That a newer version words or judges
the same evidence otherwise is no change. The database finds the rows that differ; only these come here,
in the order of their endpoints.
"""

from __future__ import annotations

import enum
import heapq
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from sqlalchemy import (
    Connection,
    func,
    or_,
    select,
)

from leadglass.errors import UsageError
from leadglass.model.endpoint import Endpoint
from leadglass.model.key import unpack
from leadglass.model.verdict import Access, Severity
from leadglass.store.database import Database
from leadglass.store.diff_rows import changed_rows, differing, new_rows
from leadglass.store.reading import PAGE, AnyRow, Shelf, names_of, streamed
from leadglass.store.scans import StoredScan
from leadglass.store.schema import evidence, observations, places, shards, verdicts

__all__ = ["Change", "Kind", "Seen", "changes", "difference"]

_SILENT = frozenset({Access.CLOSED, Access.FILTERED})

Spot: TypeAlias = tuple[bytes, int]
"""Endpoint and place."""

_GLANCE = 50
"""Changes that are told before the evidence of the next thousands is read: many ask for a few only."""


class Kind(enum.StrEnum):
    """What became of an endpoint."""

    APPEARED = "appeared"
    """It answers; before, it was closed or filtered, or has no record."""
    GONE = "gone"
    """It answered; now it is closed or filtered, or has no record."""
    CHANGED = "changed"
    MOVED = "moved"
    """The same server (see ``look.identity_of``) answered at another address."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One side of a change."""

    access: Access
    severity: Severity
    product: str | None
    version: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """One endpoint that is not as it was."""

    kind: Kind
    endpoint: Endpoint
    place: str | None
    """The name of the vantage point, if it has one."""
    before: Seen | None
    """None: that scan has no record of it, so nobody looked."""
    after: Seen | None
    facts: tuple[str, ...] = ()
    """The evidence that differs, as ``probe/fact``, where both sides answered."""
    came_from: Endpoint | None = None
    """Where it was, if it moved."""

    def became(self, least: Severity) -> bool:
        """Whether this made something of severity ``least`` or worse, and worse than it was."""
        if self.after is None or self.after.severity.rank > least.rank:
            return False
        return self.before is None or self.after.severity.rank < self.before.severity.rank


class _Verdict(NamedTuple):
    evidence: int
    seen: Seen


class _Pair(NamedTuple):
    """One endpoint from one place, with the verdict of either scan; None where it has no record."""

    endpoint: bytes
    place: int
    before: int | None
    after: int | None


class _Origin(NamedTuple):
    """Where a server was, and the verdict on it there."""

    endpoint: bytes
    verdict: int


@dataclass(slots=True)
class _Moves:
    """Servers that went from one address to another."""

    came: dict[Spot, _Origin] = field(default_factory=dict)
    """By the new spot."""
    went: set[Spot] = field(default_factory=set)
    """The old spots."""

    def add(self, place: int, old: Sequence[_Origin], new: Sequence[bytes]) -> None:
        """One server: each old endpoint with the new one of the same port, or the only one with the only one."""
        ports = {endpoint[-2:]: endpoint for endpoint in new}
        for origin in old:
            at = new[0] if len(old) == len(new) == 1 else ports.get(origin.endpoint[-2:])
            if at is not None:
                self.came[at, place] = origin
                self.went.add((origin.endpoint, place))


def changes(db: Database, scan: StoredScan) -> Iterator[Change]:
    """The endpoints of ``scan`` that are not as they were when last seen from the same place before it.

    What was never seen before is no change, but where another tool told what is open: from such lists new ones come.
    Otherwise reads only rows that changed, by their own index.
    """
    plan, queries = scan.plan, [changed_rows(scan.id, db.is_postgres)]
    if plan.is_listed:
        queries.append(new_rows(scan.id, plan.began))
    with db.read() as connection:
        teller = _Teller(connection, names_of(plan))
        for pairs in _paged(heapq.merge(*(_each(streamed(connection, query)) for query in queries))):
            yield from teller.told(pairs[:_GLANCE], _Moves())
            yield from teller.told(pairs[_GLANCE:], _Moves())


def difference(db: Database, before: StoredScan, after: StoredScan) -> Iterator[Change]:
    """Everything that differs between two scans; ``UsageError`` if no place has seen both.

    What one scan did not look at and what did not answer in the other is no difference.
    """
    with db.read() as connection:
        _require_a_common_place(connection, before, after)
        moves = _moves(connection, before, after)
        teller = _Teller(connection, names_of(before.plan) | names_of(after.plan))
        for pairs in _paged(_pairs(connection, before.id, after.id)):
            yield from teller.told(pairs, moves)


def _pairs(connection: Connection, before: int, after: int) -> Iterator[_Pair]:
    """The spots where the verdicts of two scans differ, in order."""
    found = (_each(streamed(connection, query)) for query in differing(before, after))
    return heapq.merge(*found)


def _each(pages: Iterable[Sequence[AnyRow]]) -> Iterator[_Pair]:
    return (_Pair(*row) for page in pages for row in page)


def _paged(pairs: Iterable[_Pair]) -> Iterator[list[_Pair]]:
    page: list[_Pair] = []
    for pair in pairs:
        page.append(pair)
        if len(page) >= PAGE:
            yield page
            page = []
    yield page


# ---- what it means


class _Teller:
    """Says what a difference of verdicts means."""

    def __init__(self, connection: Connection, names: Mapping[str, str]) -> None:
        self._verdicts = Shelf(connection, _VERDICTS, _verdict)
        self._facts = Shelf(connection, select(evidence.c.id, evidence.c.facts), _facts)
        self._places = {row.id: row.name for row in connection.execute(select(places.c.id, places.c.name))}
        self._names = names

    def told(self, pairs: Sequence[_Pair], moves: _Moves) -> Iterator[Change]:
        """The changes that ``pairs`` are, in their order."""
        origins = [moves.came.get((pair.endpoint, pair.place)) for pair in pairs]
        ids = [*(number for pair in pairs for number in pair[2:]), *(o.verdict for o in origins if o)]
        known = self._verdicts.holding(ids)
        sides = (_of(known, number) for number in ids)
        self._facts.holding(side.evidence for side in sides if side and _answers(side))
        for pair, origin in zip(pairs, origins, strict=True):
            before, after = _of(known, pair.before), _of(known, pair.after)
            if origin is not None:
                yield self._change(Kind.MOVED, pair, known[origin.verdict], after, origin.endpoint)
            kind = _kind(before, after)
            told_already = (origin and not _answers(before)) or (
                (pair.endpoint, pair.place) in moves.went and not _answers(after)
            )
            if kind is not None and not told_already:
                yield self._change(kind, pair, before, after)

    def _change(
        self, kind: Kind, pair: _Pair, before: _Verdict | None, after: _Verdict | None, origin: bytes = b""
    ) -> Change:
        return Change(
            kind,
            self._endpoint(pair.endpoint),
            self._places[pair.place] or None,
            None if before is None else before.seen,
            None if after is None else after.seen,
            self._otherwise(before, after),
            self._endpoint(origin) if origin else None,
        )

    def _otherwise(self, before: _Verdict | None, after: _Verdict | None) -> tuple[str, ...]:
        """The facts that differ, as ``probe/fact``, in order; none where one side did not answer."""
        if before is None or after is None or not (_answers(before) and _answers(after)):
            return ()
        facts = self._facts.holding((before.evidence, after.evidence))
        one, other = facts[before.evidence], facts[after.evidence]
        return tuple(dict.fromkeys(name for name, _ in ((one - other) | (other - one))))

    def _endpoint(self, key: bytes) -> Endpoint:
        address, port = unpack(key)
        return Endpoint(address, port, self._names.get(address))


_VERDICTS = select(
    verdicts.c.id,
    verdicts.c.evidence,
    verdicts.c.access,
    verdicts.c.severity,
    verdicts.c.product,
    verdicts.c.version,
)


def _verdict(row: AnyRow) -> _Verdict:
    return _Verdict(row.evidence, Seen(Access(row.access), Severity(row.severity), row.product, row.version))


def _facts(row: AnyRow) -> Counter[tuple[str, str]]:
    return Counter((f"{probe}/{fact}", json.dumps(value)) for probe, fact, value in json.loads(row.facts))


def _of(known: Mapping[int, _Verdict], number: int | None) -> _Verdict | None:
    return None if number is None else known[number]


def _answers(side: _Verdict | None) -> bool:
    return side is not None and side.seen.access not in _SILENT


def _kind(before: _Verdict | None, after: _Verdict | None) -> Kind | None:
    """None where nothing differs that was seen."""
    if before and after and (before.evidence, before.seen.access) == (after.evidence, after.seen.access):
        return None
    if _answers(before) and _answers(after):
        return Kind.CHANGED
    if _answers(before) or _answers(after):
        return Kind.GONE if _answers(before) else Kind.APPEARED
    return Kind.CHANGED if before and after else None


# ---- who moved


def _moves(connection: Connection, before: StoredScan, after: StoredScan) -> _Moves:
    """The servers that left exactly one address and are at exactly one new one, port by port.

    Where two left or two came, nobody can tell which is which: they are gone and appeared.
    """
    moves = _Moves()
    went: dict[tuple[int, bytes], list[_Origin]] = defaultdict(list)
    came: dict[tuple[int, bytes], list[bytes]] = defaultdict(list)
    for row in _identified(connection, before.id, after.id):
        if row.was is not None and row.was != row.became:
            went[row.place, row.was].append(_Origin(row.endpoint, row.before))
        if row.became is not None and row.was != row.became:
            came[row.place, row.became].append(row.endpoint)
    for place, identity in went.keys() & came.keys():
        left, found = went[place, identity], came[place, identity]
        old, new = {origin.endpoint[:-2] for origin in left}, {endpoint[:-2] for endpoint in found}
        if len(old) == len(new) == 1 and old != new:
            there, gone = (_Server(next(iter(at)), place, identity) for at in (new, old))
            if not (_is_at(connection, before.id, there) or _is_at(connection, after.id, gone)):
                moves.add(place, left, found)
    return moves


def _identified(connection: Connection, before: int, after: int) -> Iterator[AnyRow]:
    """The spots that differ and where a server shows what tells it from every other."""
    if (
        connection.execute(select(evidence.c.id).where(evidence.c.identity.is_not(None)).limit(1)).first()
        is None
    ):
        return
    for query in differing(before, after):
        spots = query.order_by(None).subquery().c
        endpoint, place, was, became = spots
        v, w, e, f = verdicts.alias(), verdicts.alias(), evidence.alias(), evidence.alias()
        rows = (
            select(
                endpoint.label("endpoint"),
                place.label("place"),
                was.label("before"),
                e.c.identity.label("was"),
                f.c.identity.label("became"),
            )
            .outerjoin(v, v.c.id == was)
            .outerjoin(e, e.c.id == v.c.evidence)
            .outerjoin(w, w.c.id == became)
            .outerjoin(f, f.c.id == w.c.evidence)
            .where(or_(e.c.identity.is_not(None), f.c.identity.is_not(None)))
        )
        for page in streamed(connection, rows):
            yield from page


class _Server(NamedTuple):
    """One server at one address, as seen from one place."""

    address: bytes
    place: int
    identity: bytes


def _is_at(connection: Connection, scan: int, server: _Server) -> bool:
    """Whether ``scan`` saw it there, at some port."""
    seen = observations.c
    low, high = server.address + b"\0\0", server.address + b"\xff\xff"
    found = (
        select(seen.endpoint)
        .join(verdicts, verdicts.c.id == seen.verdict)
        .join(evidence, evidence.c.id == verdicts.c.evidence)
        .where(seen.scan == scan, seen.endpoint.between(low, high), seen.place == server.place)
        # Keys of IPv6 may begin like one of IPv4.
        .where(func.length(seen.endpoint) == len(low), evidence.c.identity == server.identity)
    )
    return connection.execute(found.limit(1)).first() is not None


def _require_a_common_place(connection: Connection, before: StoredScan, after: StoredScan) -> None:
    one, other = (_seen_from(connection, scan.id) for scan in (before, after))
    if one and other and not one & other:
        raise UsageError(
            f"no place has seen both scans: {before.plan.ulid} was seen from {_listed(one)}, "
            f"{after.plan.ulid} from {_listed(other)}",
            then="compare scans that were made from the same place",
        )


def _seen_from(connection: Connection, scan: int) -> set[str]:
    query = select(places.c.name).join(shards, shards.c.done_from == places.c.id).where(shards.c.scan == scan)
    return set(connection.execute(query.distinct()).scalars())


def _listed(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in sorted(names))
