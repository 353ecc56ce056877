"""Pages of servers, over SQLite and over PostgreSQL: exactly the rows of a plain query, in order, none twice."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import itertools
from collections.abc import Callable, Iterable

import pytest
from sqlalchemy import text
from tests.contract.reading import Sight, store, stored_records, told

from leadglass.errors import UsageError
from leadglass.model.statement import Statement
from leadglass.model.verdict import Access, Kind, Severity
from leadglass.store.current import refresh
from leadglass.store.database import Database
from leadglass.store.history import server
from leadglass.store.overview import overview, scan_row, scans_page, trend
from leadglass.store.prune import prune
from leadglass.store.server_rows import EndpointRow, Page, ServerRow, Sort, Wanted
from leadglass.store.servers import endpoints_page, servers_page
from leadglass.store.statements import say, withdraw

DAY = 86_400
ANSWERS, ASSOCIATES, CLOSED = Access.ANSWERS_QUERY, Access.ASSOCIATES, Access.CLOSED
CRITICAL, HIGH, LOW = Severity.CRITICAL, Severity.HIGH, Severity.LOW


def product(sight: Sight, name: str | None, kind: Kind = Kind.CLINICAL) -> Sight:
    """The same, as another product and of another kind."""
    shares = {each: 0.5 if each is kind else 0.1 for each in Kind}
    nature = dataclasses.replace(sight.verdict.nature, shares=shares)
    software = dataclasses.replace(sight.verdict.software, product=name)
    return dataclasses.replace(
        sight, verdict=dataclasses.replace(sight.verdict, software=software, nature=nature)
    )


SIGHTS = (
    told("192.0.2.10", ANSWERS, CRITICAL, port=104),
    told("192.0.2.10", ASSOCIATES, HIGH, port=11112),
    told("192.0.2.10", CLOSED, port=4242),
    told("192.0.2.9", CLOSED),
    product(told("192.0.2.11", ASSOCIATES, HIGH, port=2762), "dcm4chee", Kind.TEACHING),
    product(told("32.1.13.184", Access.WANTS_TITLE, LOW), None, Kind.HONEYPOT),
    told("2001:db8::7", ASSOCIATES, HIGH),
    told("2001:db8:1000::1", ANSWERS, CRITICAL, port=4242),
)


def all_pages(ask: Callable[[str | None], Page[ServerRow]]) -> list[ServerRow]:
    """The rows of all pages, which are the same when they are paged through backwards."""
    pages = [ask(None)]
    while pages[-1].next is not None:
        pages.append(ask(pages[-1].next))
    back = [pages[-1]]
    while back[-1].previous is not None:
        back.append(ask(back[-1].previous))
    assert [page.rows for page in reversed(back)] == [page.rows for page in pages]
    return [row for page in pages for row in page.rows]


def at_cursor(ask: Callable[..., Page[ServerRow]], limit: int, cursor: str | None) -> Page[ServerRow]:
    return ask(limit=limit, cursor=cursor)


def addresses(rows: Iterable[ServerRow]) -> list[str]:
    return [row.address for row in rows]


@pytest.fixture
def filled(database: Database) -> Database:
    store(database, SIGHTS)
    assert refresh(database)
    return database


def test_servers_come_worst_first_and_what_never_answered_is_none(filled: Database) -> None:
    page = servers_page(filled)

    assert addresses(page.rows) == [
        "192.0.2.10",
        "2001:db8:1000::1",
        "192.0.2.11",
        "2001:db8::7",
        "32.1.13.184",
    ]
    assert (page.count.number, page.count.is_exact, page.next, page.previous) == (5, True, None, None)
    worst = page.rows[0]
    assert (worst.port, worst.open_ports, worst.name) == (104, 2, "pacs.example.org")
    assert (worst.severity, worst.access, worst.is_exposed) == (CRITICAL, ANSWERS, True)
    assert worst.changed_at is None


def test_nothing_is_taken_in_twice(filled: Database) -> None:
    assert not refresh(filled)


FOUND: tuple[tuple[Wanted, list[str]], ...] = (
    (Wanted(at_least=CRITICAL), ["192.0.2.10", "2001:db8:1000::1"]),
    (Wanted(port=11112), ["192.0.2.10"]),
    (Wanted(port=11112, at_least=CRITICAL), []),  # it is another port of that server that is so bad
    (Wanted(access=frozenset({Access.WANTS_TITLE, CLOSED})), ["32.1.13.184"]),
    (Wanted(nature=Kind.HONEYPOT), ["32.1.13.184"]),
    (Wanted(product="dcm4chee"), ["192.0.2.11"]),
    (Wanted(network="192.0.2."), ["192.0.2.10", "192.0.2.11"]),
    (Wanted(network="192.0.2.8/30"), ["192.0.2.10", "192.0.2.11"]),
    (Wanted(network="2001:db8::/36", port=104), ["2001:db8::7"]),
    (Wanted(place="berlin", port=4242), ["2001:db8:1000::1"]),
    (Wanted(place="tokyo"), []),
    (Wanted(scope="Example Radiology", port=2762), ["192.0.2.11"]),
    (Wanted(scope="another"), []),
    (Wanted(text="DCM4"), ["192.0.2.11"]),
    (Wanted(text="PACS.example"), ["192.0.2.10", "2001:db8::7"]),
    (Wanted(text="32.1.13.184"), ["32.1.13.184"]),
    (Wanted(text="%"), []),
)


def test_a_server_is_found_if_one_endpoint_is_all_that_is_asked_for(filled: Database) -> None:
    for wanted, expected in FOUND:
        page = servers_page(filled, wanted)
        assert (wanted, addresses(page.rows)) == (wanted, expected)
        assert (page.count.number, page.count.is_exact) == (len(expected), True)


def test_pages_of_any_size_hold_every_row_once_and_in_order(filled: Database) -> None:
    for sort, reverse, limit in itertools.product(Sort, (False, True), (1, 2, 3)):
        ask = functools.partial(servers_page, filled, sort=sort, reverse=reverse)
        whole = ask().rows
        assert all_pages(functools.partial(at_cursor, ask, limit)) == list(whole)
        assert whole[::-1] == servers_page(filled, sort=sort, reverse=not reverse).rows


def test_endpoints_are_listed_by_port_and_place(filled: Database) -> None:
    rows: tuple[EndpointRow, ...] = endpoints_page(filled, Wanted(network="192.0.2.10")).rows

    assert [(row.endpoint.port, row.place, row.endpoint.name) for row in rows] == [
        (104, "berlin", "pacs.example.org"),
        (11112, "berlin", "pacs.example.org"),
    ]


def test_since_is_the_last_change_from_something_milder_and_what_closed_stays(database: Database) -> None:
    def look(access: Access, severity: Severity, day: int) -> None:
        store(database, [told("192.0.2.20", access, severity)], at=day * DAY)

    look(ASSOCIATES, HIGH, 0)
    look(CLOSED, Severity.NONE, 1)
    look(ASSOCIATES, LOW, 2)
    look(ASSOCIATES, HIGH, 3)  # judged otherwise, seen alike: no change
    look(ANSWERS, CRITICAL, 4)
    look(ANSWERS, CRITICAL, 5)
    refresh(database)
    (row,) = servers_page(database).rows
    began = row.first_seen

    assert (row.since - began, row.last_seen - began) == (4 * DAY, 5 * DAY)
    assert row.changed_at == began + 4 * DAY

    look(CLOSED, Severity.NONE, 6)
    refresh(database)
    (row,) = servers_page(database).rows
    assert (row.access, row.open_ports, row.is_exposed) == (CLOSED, 0, False)
    changed = Wanted(changed_since=began + 6 * DAY)
    assert addresses(servers_page(database, changed).rows) == ["192.0.2.20"]
    assert not servers_page(database, Wanted(changed_since=began + 6 * DAY + 1)).rows


def test_scan_by_scan_comes_to_what_all_at_once_comes_to(database: Database) -> None:
    for day in range(5):
        store(
            database,
            [
                told(f"192.0.2.{host}", (ANSWERS, ASSOCIATES, CLOSED)[(host + day) % 3], HIGH)
                for host in range(1, 30)
            ],
            at=day * DAY,
        )
        refresh(database)
    step_by_step = servers_page(database), endpoints_page(database)
    with database.write() as connection:
        for table in ("current_marks", "current_servers", "current_endpoints", "current_changes"):
            connection.execute(text(f"DELETE FROM {table}"))
    refresh(database)

    assert (servers_page(database), endpoints_page(database)) == step_by_step


def test_what_an_owner_says_counts_in_lists_as_in_records_until_it_is_withdrawn(filled: Database) -> None:
    def shown() -> tuple[Severity, Severity, Kind]:
        found = server(filled, "192.0.2.11")
        assert found is not None
        assert servers_page(filled, Wanted(text="192.0.2.11")).rows == (found.row,)
        return found.row.severity, found.endpoints[0].record.severity, found.row.nature

    before = shown()
    word = Statement(0, "192.0.2.11", None, Kind.HONEYPOT, None, None, "owner", "mail", 1)
    number = say(filled, word).number
    assert refresh(filled)
    severity, of_record, nature = shown()
    assert (severity, nature) == (of_record, Kind.HONEYPOT)
    assert severity is not before[0]
    assert not refresh(filled)

    withdraw(filled, number, 2)
    assert refresh(filled)
    assert shown() == before


def test_what_is_forgotten_is_in_no_list(filled: Database) -> None:
    before = servers_page(filled).rows[0].last_seen + 200 * DAY
    store(filled, [told("192.0.2.50", ASSOCIATES)], at=400 * DAY)
    refresh(filled)
    with filled.write() as connection:
        connection.execute(text("UPDATE scans SET ended = began"))
    prune(filled, before)

    assert addresses(servers_page(filled).rows) == ["192.0.2.50"]
    refresh(filled)
    assert addresses(servers_page(filled).rows) == ["192.0.2.50"]
    assert servers_page(filled).count.number == 1
    with filled.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM current_facts")).scalar() == 1


# ---- one server, the first screen, the trend


def test_one_server_has_its_records_and_its_history(database: Database) -> None:
    first = [told("192.0.2.10", CLOSED), told("192.0.2.10", ASSOCIATES, HIGH, port=11112)]
    scans = [
        store(database, first),
        store(database, [told("192.0.2.10", ANSWERS, CRITICAL)], at=DAY),
        store(database, [told("192.0.2.10", ANSWERS, CRITICAL)], at=2 * DAY),
    ]
    refresh(database)
    found = server(database, "192.0.2.10")
    assert found is not None
    (expected,) = stored_records(scans[2], [told("192.0.2.10", ANSWERS, CRITICAL)])

    assert [each.row.endpoint.port for each in found.endpoints] == [104, 11112]
    assert found.endpoints[0].record == expected.model_copy(
        update={"observed_at": expected.observed_at + dt.timedelta(days=2)}
    )
    assert found.looks == 4
    latest, *rest = found.timeline
    assert (latest.before and latest.before.access, latest.after.access) == (CLOSED, ANSWERS)
    assert (latest.scan, latest.not_before) == (scans[1].plan.ulid, latest.at - DAY)
    assert [(turn.before, turn.not_before) for turn in rest] == [(None, None)] * 2
    assert server(database, "192.0.2.11") is None


def test_the_first_screen_says_what_is_exposed_since_when_and_what_to_do(database: Database) -> None:
    assert (overview(database).is_exposed, overview(database).as_of) == (None, None)
    store(database, [told("192.0.2.9", Access.WANTS_TITLE, LOW)])
    refresh(database)
    assert overview(database).is_exposed is False

    store(database, [told("192.0.2.9", ANSWERS, CRITICAL, advice="Close it.")], at=DAY)
    refresh(database)
    seen = overview(database)

    assert (seen.is_exposed, seen.exposed, seen.severity, seen.access) == (
        True,
        1,
        {CRITICAL: 1},
        {ANSWERS: 1},
    )
    assert (seen.since, [todo.advice for todo in seen.todo]) == (seen.worst[0].since, ["Close it."])
    assert seen.last is not None
    assert (seen.last.places, seen.last.shards, seen.last.shards_done) == (("berlin",), 1, 1)
    assert seen.unfinished == ()


def test_the_trend_has_the_counts_of_each_scan_and_scans_are_paged(database: Database) -> None:
    for day in range(5):
        hosts = [told(f"192.0.2.{host}", ASSOCIATES, HIGH) for host in range(1, 2 + day)]
        store(database, hosts, at=day * DAY)
    refresh(database)
    rows = trend(database)

    assert [row.tally and row.tally.severity for row in rows] == [{HIGH: number} for number in range(1, 6)]
    assert trend(database, "another") == ()
    pages = [scans_page(database, limit=2)]
    while pages[-1].next is not None:
        pages.append(scans_page(database, pages[-1].next, limit=2))
    assert [row for page in pages for row in page.rows] == list(rows[::-1])
    assert pages[-1].previous is not None
    assert scans_page(database, pages[-1].previous, limit=2).rows == pages[-2].rows
    assert scan_row(database, rows[0].ulid) == rows[0]
    assert scan_row(database, "01") is None


# ---- what is refused


def test_a_cursor_fits_only_its_own_question(filled: Database) -> None:
    cursor = servers_page(filled, limit=1).next
    assert cursor is not None

    for refused in (
        lambda: servers_page(filled, Wanted(port=104), cursor=cursor),
        lambda: servers_page(filled, sort=Sort.ADDRESS, cursor=cursor),
        lambda: endpoints_page(filled, cursor=cursor),
        lambda: servers_page(filled, cursor=cursor + "A"),
        lambda: servers_page(filled, cursor="x" * 5000),
    ):
        with pytest.raises(UsageError, match="no cursor"):
            refused()


@pytest.mark.parametrize("limit", [0, -1, 501])
def test_a_page_is_neither_empty_nor_endless(database: Database, limit: int) -> None:
    with pytest.raises(UsageError, match="ask for 1 to 500"):
        servers_page(database, limit=limit)


def test_an_empty_store_has_an_empty_page(database: Database) -> None:
    assert servers_page(database).rows == ()
    assert not refresh(database)
