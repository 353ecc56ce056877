"""What owners say and what is known around addresses, over either database, and what it does to stored scans."""

from __future__ import annotations

import dataclasses
import io

import pytest
from tests.contract.reading import secured, store, told
from tests.contract.samples import BEGAN

from leadglass.errors import UsageError
from leadglass.judge.signs import Surroundings
from leadglass.model.finding import Cause
from leadglass.model.record import Tlp
from leadglass.model.statement import Statement
from leadglass.model.verdict import Access, ClientCertificate, Data, Kind, Severity, TlsSummary
from leadglass.report.as_csv import END, CsvLines, CsvReport
from leadglass.store import reading, statements, surroundings
from leadglass.store.counting import servers
from leadglass.store.database import Database
from leadglass.store.surroundings import Announced
from leadglass.survey.census import Server, census
from leadglass.survey.hidden import Hint
from leadglass.survey.interval import Interval

SIGHTS = (
    told("192.0.2.10", Access.ANSWERS_QUERY, Severity.CRITICAL, port=11112),
    told("192.0.2.10", Access.ANSWERS_QUERY, Severity.CRITICAL, port=104),
    told("192.0.2.11", Access.ANSWERS_QUERY, Severity.CRITICAL),
    told("192.0.2.12", Access.CLOSED),
    told("2001:db8::7", Access.ANSWERS_QUERY, Severity.CRITICAL),
)
TEACHING = Statement(
    0, "192.0.2.10", 104, Kind.TEACHING, Data.SYNTHETIC, Cause.FORGOTTEN, "Dr. Müller", "ticket [7]", BEGAN
)


def by_spot(database: Database, scan: object) -> dict[str, tuple[Severity, str | None]]:
    found = reading.records(database, scan)  # type: ignore[arg-type]
    return {
        str(record.endpoint): (record.severity, record.stated.by if record.stated else None)
        for record in found
    }


def test_a_statement_is_laid_over_the_port_it_is_on_and_no_other(database: Database) -> None:
    scan = store(database, SIGHTS)
    statements.say(database, TEACHING)

    assert by_spot(database, scan) == {
        "192.0.2.10:104": (Severity.HIGH, "Dr. Müller"),
        "192.0.2.10:11112": (Severity.CRITICAL, None),
        "192.0.2.11:104": (Severity.CRITICAL, None),
        "192.0.2.12:104": (Severity.NONE, None),
        "[2001:db8::7]:104": (Severity.CRITICAL, None),
    }


def test_one_on_an_address_holds_for_its_ports_and_says_nothing_where_nobody_answers(
    database: Database,
) -> None:
    scan = store(database, SIGHTS)
    for address in ("192.0.2.10", "192.0.2.12", "2001:db8::7"):
        statements.say(database, dataclasses.replace(TEACHING, address=address, port=None))

    found = by_spot(database, scan)

    assert {spot for spot, (_, by) in found.items() if by} == {
        "192.0.2.10:104",
        "192.0.2.10:11112",
        "[2001:db8::7]:104",
    }


def test_lines_and_tables_say_what_records_say_and_the_counts_agree(database: Database) -> None:
    scan = store(database, SIGHTS)
    statements.say(database, TEACHING)
    records = list(reading.records(database, scan, Tlp.AMBER))
    written = io.StringIO()
    report = CsvReport(written)
    for record in records:
        report.add(record)
    note, names = reading.scope_of(scan.plan), reading.names_of(scan.plan)
    maker = CsvLines(scan.plan.ulid, note, Tlp.AMBER, names, "")

    assert list(reading.lines(database, scan, Tlp.AMBER)) == [record.line() for record in records]
    assert "".join(line + END for line in reading.put_together(database, scan, maker)) == written.getvalue()
    assert reading.tally(database, scan).severity == {
        Severity.CRITICAL: 3,
        Severity.HIGH: 1,
        Severity.NONE: 1,
    }


def test_one_that_is_withdrawn_stays_listed_and_counts_no_more(database: Database) -> None:
    scan = store(database, SIGHTS)
    before = list(reading.lines(database, scan))
    said = statements.say(database, TEACHING)
    done = statements.withdraw(database, said.number, BEGAN + 60)

    assert list(reading.lines(database, scan)) == before
    assert statements.listed(database) == [done]
    assert done == dataclasses.replace(TEACHING, number=said.number, withdrawn_at=BEGAN + 60)
    for number in (said.number, said.number + 1):
        with pytest.raises(UsageError):
            statements.withdraw(database, number, BEGAN + 61)


def test_a_survey_counts_what_owners_say_and_how_often_the_evidence_says_otherwise(
    database: Database,
) -> None:
    scan = store(database, SIGHTS)
    statements.say(database, TEACHING)
    statements.say(database, dataclasses.replace(TEACHING, address="192.0.2.11", nature=Kind.HONEYPOT))

    found = census(servers(database, scan))

    assert (found.servers, found.settled, found.stated, found.contradicted) == (3, 2, 2, 2)
    assert (found.kinds[Kind.TEACHING].bounds, found.kinds[Kind.HONEYPOT].bounds) == (
        Interval(1, 2),
        Interval(1, 2),
    )


def face_at(database: Database, scan: object, address: str) -> Server:
    return next(one for one in servers(database, scan) if one.address == address)  # type: ignore[arg-type]


def test_what_is_known_around_an_address_moves_what_stands_behind_it_and_nothing_else(
    database: Database,
) -> None:
    scan = store(database, SIGHTS)
    hospital = Surroundings(host_names=("pacs.hospital-sur.example",), country="ES")
    surroundings.keep(database, {"192.0.2.11": Surroundings(host_names=("x.example",))}, BEGAN)
    surroundings.keep(database, {"192.0.2.11": hospital, "192.0.2.12": hospital}, BEGAN + 1)

    moved, other = (face_at(database, scan, address).face for address in ("192.0.2.11", "192.0.2.10"))

    assert surroundings.surroundings_of(database, "192.0.2.11") == hospital
    assert moved is not None
    assert other is not None
    assert moved.natures[Kind.CLINICAL] > 0.5
    assert other.natures[Kind.CLINICAL] == pytest.approx(1 / 6, rel=1e-3)
    assert face_at(database, scan, "192.0.2.12").face is None


def test_what_dns_sd_announces_or_its_owner_names_is_confirmed_behind_a_certificate(
    database: Database,
) -> None:
    tls = TlsSummary("TLSv1.3", None, ClientCertificate.REQUIRED)
    locked = [secured(f"192.0.2.{n}", "a", access=Access.DEMANDS_CERTIFICATE) for n in (20, 21, 22)]
    locked = [
        dataclasses.replace(one, verdict=dataclasses.replace(one.verdict, tls=tls, protocols=("tls",)))
        for one in locked
    ]
    scan = store(database, locked)
    spot = Announced("192.0.2.20", 2762, "_dicom-tls._tcp", "hospital.example")
    surroundings.announce(database, ["hospital.example"], [spot, spot._replace(port=443)], BEGAN)
    statements.say(database, dataclasses.replace(TEACHING, address="192.0.2.21", port=None))

    assert census(servers(database, scan)).hints == {Hint.CONFIRMED: 2, Hint.PORT: 1}
    assert surroundings.announced_at(database, "192.0.2.20") == (spot._replace(port=443), spot)

    surroundings.announce(database, ["hospital.example"], [], BEGAN + 1)

    assert census(servers(database, scan)).hints == {Hint.CONFIRMED: 1, Hint.PORT: 2}
