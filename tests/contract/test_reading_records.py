"""What is read is what was seen: the same records, the same lines, from either database."""

from __future__ import annotations

import dataclasses
import io
import itertools
import json
import re
import tracemalloc
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.contract.reading import NOTE, Sight, judged, secured, store, stored_records, told
from tests.contract.samples import BEGAN
from tests.property.test_record import addresses, evidence, verdicts

from leadglass.errors import ConfigError
from leadglass.model.evidence import AssociateEvidence, Reply
from leadglass.model.key import pack
from leadglass.model.record import ScanRecord, Tlp, read_record
from leadglass.model.rung import Rung
from leadglass.model.verdict import Access, Position, Severity
from leadglass.report.as_csv import END, CsvLines, CsvReport
from leadglass.store import reading, scans, schema
from leadglass.store.database import Database

SIGHTS = (
    told("192.0.2.10", Access.ANSWERS_QUERY, Severity.CRITICAL, port=11112),
    told("192.0.2.10", port=104),
    told("192.0.2.9", version="TWO"),
    told("192.0.2.11", Access.CLOSED),
    secured("192.0.2.12", "a"),
    told("2001:db8::7", Access.FILTERED),
    told("2001:db8::8", version="\x1b[31m\u202e \x7f ü 😀"),
)

storable = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)
sights = st.builds(
    Sight,
    addresses,
    st.integers(1, 65535),
    evidence,
    # A product's name comes from knowledge or through ``clean``, so it is printable.
    st.builds(
        lambda verdict, product: dataclasses.replace(
            verdict, software=dataclasses.replace(verdict.software, product=product, version=product)
        ),
        verdicts,
        st.none() | storable,
    ),
    st.sampled_from(Rung),
    st.integers(0, 4_000_000_000),
    st.none() | addresses,
    st.sampled_from(["0.3.0", "0.4.0"]),
)
several = st.lists(sights, max_size=6, unique_by=lambda sight: pack(sight.address, sight.port))


def test_records_come_back_equal_and_in_the_order_of_their_endpoints(database: Database) -> None:
    scan = store(database, SIGHTS)

    found = list(reading.records(database, scan))

    assert found == stored_records(scan, SIGHTS)
    assert [made.line() for made in found] == [made.line() for made in stored_records(scan, SIGHTS)]


def test_lines_are_those_of_the_records_byte_by_byte(database: Database) -> None:
    scan = store(database, SIGHTS)

    assert list(reading.lines(database, scan)) == [made.line() for made in stored_records(scan, SIGHTS)]
    assert csv_lines(database, scan) == as_csv(stored_records(scan, SIGHTS))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(several, st.sampled_from(Position), st.none() | st.sampled_from(Tlp), storable)
def test_whatever_was_seen_is_read_back(
    database: Database, seen: Sequence[Sight], position: Position, tlp: Tlp | None, place: str
) -> None:
    note = {**NOTE, "reference": place}
    scan = store(database, seen, place=place, position=position, note=note)
    made = stored_records(scan, seen, place=place or None, position=position, note=note)
    marked = [record.model_copy(update={"tlp": tlp}) for record in made]

    assert list(reading.records(database, scan, tlp)) == marked
    assert list(reading.lines(database, scan, tlp)) == [record.line() for record in marked]
    assert csv_lines(database, scan, tlp) == as_csv(marked)


def csv_lines(database: Database, scan: scans.StoredScan, tlp: Tlp | None = None) -> list[str]:
    """The lines of the CSV report, put together from what is stored."""
    names = reading.names_of(scan.plan)
    maker = CsvLines(scan.plan.ulid, reading.scope_of(scan.plan), tlp, names, database.where)
    return [line + END for line in reading.put_together(database, scan, maker)]


def as_csv(found: Sequence[ScanRecord]) -> list[str]:
    """The same, record by record."""
    lines = []
    for one in found:
        CsvReport(stream := io.StringIO(newline="")).add(one)
        lines.append(stream.getvalue())
    return lines


@pytest.mark.parametrize("tlp", Tlp)
def test_exports_carry_their_scope_and_the_label(database: Database, tlp: Tlp) -> None:
    scan = store(database, SIGHTS[:2])

    for line in reading.lines(database, scan, tlp):
        told_there = json.loads(line)
        assert told_there["scope"] == NOTE
        assert told_there["tlp"] == tlp.value
        assert read_record(line).tlp is tlp


def test_a_scan_of_loopback_has_no_scope(database: Database) -> None:
    scan = store(database, SIGHTS[:1], note=None)

    assert [made.scope for made in reading.records(database, scan)] == [None]


def test_an_endpoint_seen_from_two_places_has_two_records(database: Database) -> None:
    scan = store(database, SIGHTS, place="berlin")
    other = store(database, SIGHTS[:1], place="")
    with database.write() as connection:  # as if both places had been wanted
        connection.execute(
            schema.observations.update().where(schema.observations.c.scan == other.id).values(scan=scan.id)
        )

    found = [made for made in reading.records(database, scan) if made.endpoint.port == 11112]

    assert Counter(made.vantage.name for made in found) == {"berlin": 1, None: 1}
    assert len({made.endpoint for made in found}) == 1


def test_one_scan_does_not_show_another(database: Database) -> None:
    store(database, SIGHTS)
    scan = store(database, SIGHTS[2:3], at=60)

    assert [str(made.endpoint) for made in reading.records(database, scan)] == ["192.0.2.9:104"]


def test_an_empty_scan_has_no_records(database: Database) -> None:
    scan = store(database, [])

    assert list(reading.records(database, scan)) == []
    assert list(reading.lines(database, scan)) == []
    assert reading.tally(database, scan) == reading.Tally(0, {}, {})


def test_what_was_seen_is_counted_worst_first(database: Database) -> None:
    counted = reading.tally(database, store(database, SIGHTS))

    assert counted.endpoints == 7
    assert list(counted.access.items()) == [
        (Access.ANSWERS_QUERY, 1),
        (Access.ASSOCIATES, 4),
        (Access.FILTERED, 1),
        (Access.CLOSED, 1),
    ]
    assert list(counted.severity.items()) == [
        (Severity.CRITICAL, 1),
        (Severity.HIGH, 4),
        (Severity.NONE, 2),
    ]


def test_scans_are_listed_latest_first_with_their_counts(database: Database) -> None:
    first = store(database, SIGHTS)
    second = store(database, SIGHTS[:1], at=86_400)

    listed = [(scan.plan.ulid, counted.endpoints) for scan, counted in reading.listing(database)]

    assert listed == [(second.plan.ulid, 1), (first.plan.ulid, 7)]


def test_an_empty_database_lists_nothing(database: Database) -> None:
    assert list(reading.listing(database)) == []


def test_a_reader_that_stops_early_holds_nothing(database: Database) -> None:
    scan = store(database, SIGHTS)
    found = reading.records(database, scan)
    next(found)
    found.close()  # type: ignore[attr-defined]  # it is a generator

    store(database, SIGHTS, at=60)


def test_a_reader_sees_the_scan_as_it_was_when_it_began(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "PAGE", 2)
    scan = store(database, SIGHTS)
    found = reading.lines(database, scan)
    first = next(found)
    with database.write() as connection:
        connection.execute(schema.observations.delete())

    assert 1 + sum(1 for _ in found) == len(SIGHTS)
    assert first


@pytest.mark.parametrize("page", [1, 2, 3, 100])
def test_pages_change_nothing(database: Database, monkeypatch: pytest.MonkeyPatch, page: int) -> None:
    monkeypatch.setattr(reading, "PAGE", page)
    scan = store(database, SIGHTS)

    assert list(reading.records(database, scan)) == stored_records(scan, SIGHTS)


def test_a_body_that_somebody_broke_is_named(database: Database) -> None:
    scan = store(database, SIGHTS[:1])
    with database.write() as connection:
        connection.execute(schema.verdicts.update().values(body="{}"))

    with pytest.raises(ConfigError, match=f"{re.escape(database.where)}: not a scan record"):
        list(reading.records(database, scan))


def many(number: int) -> list[Sight]:
    """As many endpoints, of which every third answers otherwise than all others."""
    same = told("192.0.2.1")
    return [
        Sight(
            f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}",
            104,
            (AssociateEvidence(Reply.ACCEPTED, detail=str(n)),) if n % 3 == 0 else same.evidence,
            same.verdict if n % 3 else judged(Access.ASSOCIATES, Severity.LOW, str(n)),
        )
        for n in range(number)
    ]


def test_memory_does_not_grow_with_the_scan(database: Database) -> None:
    def peak(number: int) -> int:
        scan = store(database, many(number))
        tracemalloc.start()
        try:
            assert sum(1 for _ in reading.lines(database, scan)) == number
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(1)  # what is loaded and compiled once
    small, large = peak(6_000), peak(18_000)

    assert large < small * 1.5


def test_times_are_whole_seconds_of_utc(database: Database) -> None:
    scan = store(database, SIGHTS[:1])

    (made,) = reading.records(database, scan)

    assert made.observed_at.isoformat() == "2026-11-21T05:00:00+00:00"
    assert int(made.observed_at.timestamp()) == BEGAN


def test_order_is_that_of_the_keys(database: Database) -> None:
    scan = store(database, many(300))
    keys = [pack(made.endpoint.address, made.endpoint.port) for made in reading.records(database, scan)]

    assert all(one < other for one, other in itertools.pairwise(keys))


def test_a_complete_scan_is_counted_once_for_the_list(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan = store(database, SIGHTS)
    unfinished = [counted for _, counted in reading.listing(database)]
    assert scans.complete(database, scan)
    first = [counted for _, counted in reading.listing(database)]
    monkeypatch.delattr(reading, "tally")

    assert [counted for _, counted in reading.listing(database)] == first == unfinished
