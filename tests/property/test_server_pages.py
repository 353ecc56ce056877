"""Whatever is stored and asked for: pages hold the rows of a plain look at everything, in order, none twice."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.contract.reading import Sight, store, told

from leadglass.errors import UsageError
from leadglass.model.key import pack
from leadglass.model.verdict import Access, Severity
from leadglass.store import cursors
from leadglass.store.current import refresh
from leadglass.store.cursors import Cursor
from leadglass.store.database import Database, open_database
from leadglass.store.server_rows import EndpointRow, Page, Sort, Wanted
from leadglass.store.servers import endpoints_page, servers_page

DAY = dt.timedelta(days=1) // dt.timedelta(seconds=1)
ADDRESSES = ("192.0.2.1", "192.0.2.2", "32.1.13.184", "2001:db8::1", "2001:db8::2", "255.255.255.255")
PORTS = (104, 443, 11112, 65535)
SILENT = frozenset({Access.CLOSED, Access.FILTERED})


def _sight(address: str, port: int, access: Access, severity: Severity, product: str | None) -> Sight:
    base = told(address, access, severity, port=port)
    software = dataclasses.replace(base.verdict.software, product=product)
    return dataclasses.replace(base, verdict=dataclasses.replace(base.verdict, software=software))


SIGHTS = st.lists(
    st.builds(
        _sight,
        st.sampled_from(ADDRESSES),
        st.sampled_from(PORTS),
        st.sampled_from(Access),
        st.sampled_from(Severity),
        st.sampled_from((None, "Orthanc", "dcm4chee")),
    ),
    max_size=12,
    unique_by=lambda sight: (sight.address, sight.port),
)
WANTED = st.builds(
    Wanted,
    at_least=st.none() | st.sampled_from(Severity),
    access=st.frozensets(st.sampled_from(Access), max_size=3),
    product=st.none() | st.sampled_from(("Orthanc", "dcm4chee", "x")),
    port=st.none() | st.sampled_from(PORTS),
    network=st.none() | st.sampled_from(("192.0.2.0/31", "2001:db8::/32", "32.1.", "0.0.0.0/0")),
    text=st.sampled_from(("", "ORTH", "192.0.2.2", "zzz")),
)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    path: Path = tmp_path_factory.mktemp("pages") / "db"
    with open_database(str(path), lambda: 1_795_237_200.0) as opened:
        yield opened


def emptied(database: Database) -> Database:
    names = database.run("SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'alembic_version'")
    database.run(*(f"DELETE FROM {name}" for (name,) in names))
    return database


def paged(ask: Callable[..., Page[EndpointRow]], limit: int) -> list[EndpointRow]:
    """All pages forwards, which are the same backwards."""
    pages = [ask(limit=limit)]
    while (cursor := pages[-1].next) is not None:
        pages.append(ask(limit=limit, cursor=cursor))
    back = [pages[-1]]
    while (cursor := back[-1].previous) is not None:
        back.append(ask(limit=limit, cursor=cursor))
    assert [page.rows for page in back[::-1]] == [page.rows for page in pages]
    return [row for page in pages for row in page.rows]


def matches(row: EndpointRow, wanted: Wanted) -> bool:
    """``wanted``, in Python."""
    networks = {
        "192.0.2.0/31": ("192.0.2.1",),
        "2001:db8::/32": ("2001:db8::1", "2001:db8::2"),
        "32.1.": ("32.1.13.184",),
        "0.0.0.0/0": tuple(each for each in ADDRESSES if "." in each),
        "192.0.2.2": ("192.0.2.2",),
    }
    text = {"": True, "ORTH": row.product == "Orthanc", "zzz": False}
    return (
        (wanted.at_least is None or row.severity.rank <= wanted.at_least.rank)
        and (not wanted.access or row.access in wanted.access)
        and (wanted.product is None or row.product == wanted.product)
        and (wanted.port is None or row.endpoint.port == wanted.port)
        and (wanted.network is None or row.endpoint.address in networks[wanted.network])
        and text.get(wanted.text, row.endpoint.address in networks.get(wanted.text, ()))
    )


def key(row: EndpointRow, sort: Sort) -> tuple[object, ...]:
    first = {
        Sort.SEVERITY: (row.severity.rank, row.access.rank),
        Sort.LAST_SEEN: (row.last_seen,),
        Sort.FIRST_SEEN: (row.first_seen,),
        Sort.ADDRESS: (),
    }[sort]
    packed = pack(row.endpoint.address, row.endpoint.port)
    return (*first, len(packed), packed)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(SIGHTS, min_size=1, max_size=3), WANTED, st.sampled_from(Sort), st.booleans(), st.integers(1, 4)
)
def test_pages_are_the_rows_of_a_plain_look_at_everything(
    database: Database, scans: list[list[Sight]], wanted: Wanted, sort: Sort, reverse: bool, limit: int
) -> None:
    emptied(database)
    now: dict[tuple[str, int], Sight] = {}
    answered = set()
    for day, sights in enumerate(scans):
        store(database, sights, at=day * DAY)
        refresh(database)
        now |= {(sight.address, sight.port): sight for sight in sights}
        answered |= {(s.address, s.port) for s in sights if s.verdict.access not in SILENT}
    rows = endpoints_page(database, limit=500).rows
    assert {(row.endpoint.address, row.endpoint.port): row.access for row in rows} == {
        spot: now[spot].verdict.access for spot in answered
    }

    is_down = (sort in {Sort.LAST_SEEN, Sort.FIRST_SEEN}) is not reverse
    expected = sorted(
        (row for row in rows if matches(row, wanted)), key=functools.partial(key, sort=sort), reverse=is_down
    )
    found = paged(functools.partial(endpoints_page, database, wanted, sort, reverse=reverse), limit)
    assert found == expected

    servers = servers_page(database, wanted, sort, limit=500)
    assert {row.address for row in servers.rows} == {row.endpoint.address for row in expected}
    assert (servers.count.number, servers.count.is_exact) == (len(servers.rows), True)


KEYS = st.tuples(st.integers(0, 2**63 - 1), st.binary(max_size=16))


@given(KEYS, st.booleans(), st.text(max_size=40))
def test_a_cursor_is_read_as_it_was_written_and_nothing_else_is_read(
    at: tuple[int, bytes], backwards: bool, junk: str
) -> None:
    question = cursors.digest_of("x")
    cursor = Cursor(at, backwards)
    text = cursors.written(cursor, question)

    assert cursors.read(text, question, (int, bytes)) == cursor
    for other, shape in ((cursors.digest_of("y"), (int, bytes)), (question, (int, int)), (question, (int,))):
        with pytest.raises(UsageError):
            cursors.read(text, other, shape)
    with pytest.raises(UsageError):
        cursors.read(junk, question, (int, bytes))
