"""Pages of servers and of endpoints, out of tables with a million rows, each by an index.

The tables are as ``store.current.refresh`` left them. A page begins at a key, never at a number of rows to be skipped,
so that the last page costs what the first one does, and rows that come or go meanwhile shift nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Generic, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    func,
    literal,
    select,
    text,
    tuple_,
)

from leadglass.errors import UsageError
from leadglass.model.endpoint import Endpoint
from leadglass.model.key import unpack
from leadglass.model.verdict import Kind
from leadglass.store import cursors
from leadglass.store.current import Summary, summary_of
from leadglass.store.cursors import Cursor, Key
from leadglass.store.database import Database
from leadglass.store.reading import AnyRow, AnySelect
from leadglass.store.schema import observations, places
from leadglass.store.schema_current import current_endpoints, current_servers
from leadglass.store.server_rows import (
    EXACTLY_UP_TO,
    Count,
    EndpointRow,
    Page,
    ServerRow,
    Sort,
    Wanted,
)
from leadglass.store.urgency import STEPS, access_of, severity_of, urgency_below
from leadglass.store.wanted import endpoints_wanted, scan_wanted, servers_wanted

__all__ = ["ENDPOINTS", "LARGEST_PAGE", "endpoint_row", "endpoints_page", "server_row", "servers_page"]

LARGEST_PAGE: Final = 500
_KINDS = tuple(Kind)
_GLIMPSE = 2000
"""So many endpoints are looked at to see whether there are more than anybody counts."""

_T = TypeVar("_T")
_E, _S = current_endpoints.c, current_servers.c
_NOBODY = Wanted()


@dataclass(frozen=True, slots=True)
class _List(Generic[_T]):
    """One of the two lists."""

    name: str
    rows: AnySelect
    columns: Any
    """Of the table that is sorted."""
    tail: tuple[str, ...]
    """What tells rows apart that are otherwise sorted alike."""
    make: Callable[[AnyRow], _T]

    def key(self, sort: Sort) -> tuple[str, ...]:
        """The columns that rows are sorted by."""
        return (*_FIRST[sort], *self.tail)


_FIRST: dict[Sort, tuple[str, ...]] = {
    Sort.SEVERITY: ("urgency",),
    Sort.LAST_SEEN: ("last_seen",),
    Sort.FIRST_SEEN: ("first_seen",),
    Sort.ADDRESS: (),
}
_DOWNWARDS = frozenset({Sort.LAST_SEEN, Sort.FIRST_SEEN})
"""The latest first."""


def servers_page(
    database: Database,
    wanted: Wanted = _NOBODY,
    sort: Sort = Sort.SEVERITY,
    *,
    reverse: bool = False,
    cursor: str | None = None,
    limit: int = 50,
) -> Page[ServerRow]:
    """Servers, as ``wanted`` and sorted; ``UsageError`` for a network, scan, cursor or limit that is none."""
    with _leafing(database) as connection:
        narrowed = servers_wanted(connection, wanted)
        return _page(connection, _SERVERS, _Question(wanted, sort, reverse, cursor, limit), narrowed)


def endpoints_page(
    database: Database,
    wanted: Wanted = _NOBODY,
    sort: Sort = Sort.SEVERITY,
    *,
    reverse: bool = False,
    cursor: str | None = None,
    limit: int = 50,
) -> Page[EndpointRow]:
    """Endpoints, each as seen from each place; otherwise as ``servers_page``."""
    with _leafing(database) as connection:
        narrowed = endpoints_wanted(connection, wanted)
        return _page(connection, _ENDPOINTS, _Question(wanted, sort, reverse, cursor, limit), narrowed)


# ---- a page

_FIRST_ROWS = text(
    "SELECT set_config('enable_bitmapscan', 'off', true), set_config('max_parallel_workers_per_gather', '0', true),"
    " set_config('plan_cache_mode', 'force_custom_plan', true)"
)
"""PostgreSQL would gather all that fit before it looks at the first, call helpers, or plan for any port and scan alike."""


@contextlib.contextmanager
def _leafing(database: Database) -> Iterator[Connection]:
    """Read a few rows of many."""
    with database.read() as connection:
        if database.is_postgres:
            connection.execute(_FIRST_ROWS)
        yield connection


@dataclass(frozen=True, slots=True)
class _Question:
    wanted: Wanted
    sort: Sort
    reverse: bool
    cursor: str | None
    limit: int

    @property
    def is_down(self) -> bool:
        return (self.sort in _DOWNWARDS) is not self.reverse

    def digest(self, name: str) -> str:
        words = sorted(access.value for access in self.wanted.access)
        rest = replace(self.wanted, access=frozenset())
        return cursors.digest_of(name, self.sort.value, self.reverse, words, rest)


def _page(
    connection: Connection,
    listed: _List[_T],
    question: _Question,
    narrowed: ColumnElement[bool] | None,
) -> Page[_T]:
    limit = question.limit
    if not 1 <= limit <= LARGEST_PAGE:
        raise UsageError(f"a page of {limit} rows", then=f"ask for 1 to {LARGEST_PAGE}")
    names = listed.key(question.sort)
    digest = question.digest(listed.name)
    shape = tuple(bytes if name == "address" else int for name in names)
    begin = None if question.cursor is None else cursors.read(question.cursor, digest, shape)
    found = _rows(connection, listed, question, narrowed, begin)
    backwards = begin is not None and begin.backwards
    rows = found[:limit][::-1] if backwards else found[:limit]
    has_more = len(found) > limit

    def at(row: AnyRow, *, back: bool) -> str:
        return cursors.written(Cursor(_key(row, names), back), digest)

    return Page(
        tuple(listed.make(row) for row in rows),
        _count(connection, listed, question.wanted, narrowed),
        at(rows[-1], back=False) if rows and (has_more or backwards) else None,
        at(rows[0], back=True) if rows and (has_more if backwards else begin is not None) else None,
    )


def _key(row: AnyRow, names: Sequence[str]) -> Key:
    values = row._mapping  # noqa: SLF001 - that is its public name
    return tuple(bytes(values[name]) if name == "address" else int(values[name]) for name in names)


def _rows(
    connection: Connection,
    listed: _List[_T],
    question: _Question,
    narrowed: ColumnElement[bool] | None,
    begin: Cursor | None,
) -> Sequence[AnyRow]:
    """One more than is wanted, to know whether there are more; backwards, those nearest to ``begin`` first."""
    columns = [listed.columns[name] for name in listed.key(question.sort)]
    is_down = question.is_down is not (begin is not None and begin.backwards)
    query = listed.rows.order_by(*(column.desc() if is_down else column for column in columns)).limit(
        question.limit + 1
    )
    if narrowed is not None:
        query = query.where(narrowed)
    if begin is not None:
        bound = tuple_(*(literal(part, column.type) for part, column in zip(begin.key, columns, strict=True)))
        key = tuple_(*columns)
        query = query.where(key < bound if is_down else key > bound)
    return connection.execute(query).all()


def _count(
    connection: Connection, listed: _List[_T], wanted: Wanted, narrowed: ColumnElement[bool] | None
) -> Count:
    summary = summary_of(connection) if listed.name == "servers" else None
    known = None if summary is None else _known(summary, wanted)
    if known is not None:
        return Count(known, is_exact=True)
    return _at_a_glance(connection, listed, wanted) or _counted(connection, listed, narrowed)


def _counted(connection: Connection, listed: _List[_T], narrowed: ColumnElement[bool] | None) -> Count:
    some = select(literal(1)).select_from(listed.columns.family.table).limit(EXACTLY_UP_TO + 1)
    some = some if narrowed is None else some.where(narrowed)
    number = connection.execute(select(func.count()).select_from(some.subquery())).scalar_one()
    return Count(min(number, EXACTLY_UP_TO), is_exact=number <= EXACTLY_UP_TO)


def _at_a_glance(connection: Connection, listed: _List[_T], wanted: Wanted) -> Count | None:
    """The count, if the first endpoints of that kind show it: they are all, or more than anybody counts."""
    narrowed = endpoints_wanted(connection, wanted)
    if narrowed is None:
        return None
    tail = select(*(_E[name] for name in listed.tail)).where(narrowed)
    number = scan_wanted(connection, wanted)
    some = tail.limit(_GLIMPSE) if number is None else tail.where(_E.endpoint.in_(_first_of(number)))
    seen = some.subquery()
    kinds = select(seen).distinct().subquery()
    asked = select(select(func.count()).select_from(seen).scalar_subquery(), func.count()).select_from(kinds)
    looked, found = connection.execute(asked).one()
    if found > EXACTLY_UP_TO:
        return Count(EXACTLY_UP_TO, is_exact=False)
    return Count(found, is_exact=True) if number is None and looked < _GLIMPSE else None


def _first_of(scan: int) -> AnySelect:
    seen = observations.c
    return select(seen.endpoint).where(seen.scan == scan).order_by(seen.endpoint).limit(_GLIMPSE)


def _known(summary: Summary, wanted: Wanted) -> int | None:
    """How many servers there are, where that was counted before."""
    if replace(wanted, at_least=None) != _NOBODY:
        return None
    below = STEPS * STEPS if wanted.at_least is None else urgency_below(wanted.at_least)
    return sum(number for urgency, number in summary.urgency.items() if urgency < below)


# ---- rows


def server_row(row: AnyRow) -> ServerRow:
    """A row of ``current_servers``."""
    return ServerRow(
        address=unpack(bytes(row.address) + b"\0\0")[0],
        name=row.name,
        severity=severity_of(row.urgency),
        access=access_of(row.urgency),
        port=row.port,
        product=row.product,
        nature=_KINDS[row.nature],
        open_ports=row.open_ports,
        since=row.since,
        first_seen=row.first_seen,
        last_seen=row.last_seen,
        changed_at=None if row.changed_at == row.first_seen else row.changed_at,
    )


def endpoint_row(row: AnyRow) -> EndpointRow:
    """A row of ``ENDPOINTS``."""
    return EndpointRow(
        endpoint=Endpoint(unpack(bytes(row.endpoint))[0], row.port, row.called),
        place=row.place_name,
        severity=severity_of(row.urgency),
        access=access_of(row.urgency),
        product=row.product,
        nature=_KINDS[row.nature],
        since=row.since,
        first_seen=row.first_seen,
        last_seen=row.last_seen,
        changed_at=None if row.changed_at == row.first_seen else row.changed_at,
    )


ENDPOINTS: Final = select(
    current_endpoints,
    select(places.c.name).where(places.c.id == _E.place).scalar_subquery().label("place_name"),
    select(_S.name).where(_S.family == _E.family, _S.address == _E.address).scalar_subquery().label("called"),
)
"""All endpoints, with the names of place and server."""

_SERVERS: Final = _List("servers", select(current_servers), _S, ("family", "address"), server_row)
_ENDPOINTS: Final = _List("endpoints", ENDPOINTS, _E, ("family", "address", "port", "place"), endpoint_row)
