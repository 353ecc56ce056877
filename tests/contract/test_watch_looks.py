"""What the watch asks of stored scans, over either database."""

from __future__ import annotations

from tests.contract.reading import secured, store, told
from tests.contract.samples import BEGAN

from leadglass.model.verdict import Access, Severity
from leadglass.store import watch_looks
from leadglass.store.database import Database
from leadglass.store.watch_looks import Changed

HOUR = 3600


def row(one: Changed) -> tuple[str, int, Access | None, Access, bool]:
    before = None if one.before is None else one.before.access
    return one.endpoint.address, one.endpoint.port, before, one.after.access, one.was_known


def test_only_what_is_bad_and_otherwise_than_before_has_changed(database: Database) -> None:
    before = store(
        database,
        [
            told("192.0.2.1", Access.CLOSED),
            told("192.0.2.2"),
            told("192.0.2.3"),
            told("192.0.2.4", port=11112),
            told("192.0.2.4", Access.FILTERED),
        ],
    )
    after = store(
        database,
        [
            told("192.0.2.1"),
            told("192.0.2.2"),
            told("192.0.2.3", Access.CLOSED),
            told("192.0.2.4", Access.ANSWERS_QUERY, Severity.CRITICAL),
            told("192.0.2.4", port=11112),
            told("192.0.2.5"),
            told("192.0.2.6", Access.DEMANDS_LOGIN, Severity.LOW),
        ],
        at=HOUR,
    )

    found = list(watch_looks.changed(database, before, after, Severity.MEDIUM))
    assert [row(one) for one in found] == [
        ("192.0.2.1", 104, Access.CLOSED, Access.ASSOCIATES, False),
        ("192.0.2.4", 104, Access.FILTERED, Access.ANSWERS_QUERY, True),
        ("192.0.2.5", 104, None, Access.ASSOCIATES, False),
    ]
    assert found[0].before is not None
    assert (found[0].before.at, found[0].after.at) == (BEGAN, BEGAN + HOUR)


def test_with_nothing_before_everything_that_is_bad_has_changed(database: Database) -> None:
    scan = store(database, [told("192.0.2.1"), told("192.0.2.2", Access.CLOSED)])

    found = watch_looks.changed(database, None, scan, Severity.MEDIUM)
    assert [row(one) for one in found] == [("192.0.2.1", 104, None, Access.ASSOCIATES, False)]


def test_a_spot_is_seen_as_the_worst_of_its_places_saw_it(database: Database) -> None:
    scan = store(database, [told("192.0.2.1"), told("2001:db8::1", Access.CLOSED)])

    spots = [("192.0.2.1", 104), ("2001:db8::1", 104), ("192.0.2.9", 104)]
    found = watch_looks.sights(database, scan, spots)
    assert {spot: sight.access for spot, sight in found.items()} == {
        spots[0]: Access.ASSOCIATES,
        spots[1]: Access.CLOSED,
    }


def test_certificates_are_found_where_they_were_shown(database: Database) -> None:
    scan = store(database, [secured("192.0.2.10", "a"), told("192.0.2.2")])

    ((endpoint, ends, at),) = watch_looks.certificates(database, scan)
    assert (str(endpoint), endpoint.name, at) == ("192.0.2.10:2762", "pacs.example.org", BEGAN)
    assert ends.isoformat() == "2027-01-31T12:00:00+00:00"
