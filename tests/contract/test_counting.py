"""Stored scans as servers, over SQLite and over PostgreSQL."""

from __future__ import annotations

import dataclasses

import pytest
from sqlalchemy import func, update
from tests.contract.reading import Sight, secured, store, told

from leadglass.errors import ConfigError
from leadglass.judge.judge import judge
from leadglass.model.evidence import (
    AssociateEvidence,
    Reply,
    TcpEvidence,
    TcpOutcome,
    TlsEvidence,
    TlsOutcome,
)
from leadglass.model.verdict import Access, ClientCertificate, Kind, Position, TlsSummary
from leadglass.store.counting import servers
from leadglass.store.database import Database
from leadglass.store.scans import StoredScan
from leadglass.store.schema import verdicts
from leadglass.survey.census import Server, census
from leadglass.survey.hidden import Hint


def demanding(address: str, port: int, *cas: str) -> Sight:
    """An endpoint that demands a client certificate."""
    base = secured(address, "a", port=port, access=Access.DEMANDS_CERTIFICATE)
    tls = TlsSummary("TLSv1.3", None, ClientCertificate.REQUIRED, cas)
    return dataclasses.replace(base, verdict=dataclasses.replace(base.verdict, tls=tls, protocols=("tls",)))


SIGHTS = (
    told("192.0.2.10", Access.ANSWERS_QUERY, port=104),
    told("192.0.2.10", Access.ASSOCIATES, port=11112),
    told("192.0.2.9", Access.CLOSED),
    secured("192.0.2.11", "b", port=2762),
    secured("2001:db8::7", "b", port=2762),
    demanding("192.0.2.12", 443, "CN=Example PACS CA"),
    demanding("192.0.2.13", 8443),
)


ANSWERED = (
    TcpEvidence(TcpOutcome.OPEN),
    AssociateEvidence(Reply.ACCEPTED, implementation_class_uid="1.2.276.0.7230010.3.0.3.6.7"),
)


def read(database: Database, scan: StoredScan) -> list[Server]:
    return list(servers(database, scan))


def test_endpoints_of_an_address_come_together_in_order(database: Database) -> None:
    found = read(database, store(database, SIGHTS))

    assert [server.address for server in found] == [
        "192.0.2.9",
        "192.0.2.10",
        "192.0.2.11",
        "192.0.2.12",
        "192.0.2.13",
        "2001:db8::7",
    ]
    both = found[1]
    assert [endpoint.port for endpoint in both.endpoints] == [104, 11112]
    assert both.face is not None
    assert both.face.access is Access.ANSWERS_QUERY
    assert both.face.natures == dict.fromkeys(Kind, 0.1667)


def test_an_address_stays_together_though_keys_of_the_other_kind_lie_among_its_own(
    database: Database,
) -> None:
    # 20 01 0d b8 begins both 32.1.13.184 and 2001:db8::/32.
    sights = [told("32.1.13.184", port=104), told("32.1.13.184", port=11112), told("2001:db8:1000::1")]
    found = read(database, store(database, sights))

    assert [(s.address, len(s.endpoints)) for s in found] == [("32.1.13.184", 2), ("2001:db8:1000::1", 1)]


def test_a_server_at_two_addresses_is_known_by_its_identity(database: Database) -> None:
    counted = census(servers(database, store(database, SIGHTS)))

    assert (counted.addresses, counted.servers, counted.identities) == (6, 3, 2)
    assert counted.hints == {Hint.NAMED: 1, Hint.OTHER: 1}


def test_places_are_lists_that_overlap(database: Database) -> None:
    begun = store(database, SIGHTS, place="berlin")
    other = store(database, [told("192.0.2.10", port=104)], place="tokyo", position=Position.OUTSIDE)

    assert census(servers(database, begun)).histories == {frozenset({"berlin"}): 2}
    assert census(servers(database, other)).histories == {frozenset({"tokyo"}): 1}


def test_judged_again_is_what_judge_says_of_the_same_evidence(database: Database) -> None:
    twice = (
        *ANSWERED,
        TlsEvidence(TlsOutcome.ALERT),
        TlsEvidence(TlsOutcome.ESTABLISHED, version="TLSv1.3"),
    )
    sights = [
        told("192.0.2.20", Access.CLOSED),  # which today's rules would never say of it
        dataclasses.replace(told("192.0.2.21"), evidence=twice),
        dataclasses.replace(told("192.0.2.22"), evidence=twice[:2]),
        secured("192.0.2.23", "b", port=2762),
    ]
    found = servers(database, store(database, sights), again=True)

    for sight, server in zip(sights, found, strict=True):
        verdict = judge(sight.evidence, rung=sight.rung, position=Position.OUTSIDE, port=sight.port)
        (endpoint,) = server.endpoints
        assert endpoint.seen.access is verdict.access
        assert endpoint.seen.is_dicom == ("dicom" in verdict.protocols)
        assert endpoint.seen.natures == verdict.nature.shares
        assert endpoint.seen.settled == verdict.nature.settled


def test_a_record_that_was_altered_is_not_judged_again(database: Database) -> None:
    scan = store(database, [told("192.0.2.24", version="GENUINE")])
    with database.write() as connection:
        body = func.replace(verdicts.c.body, "GENUINE", "FORGED")
        connection.execute(update(verdicts).where(verdicts.c.body.contains("GENUINE")).values(body=body))

    with pytest.raises(ConfigError, match=r"altered.*does not match its digest"):
        list(servers(database, scan, again=True))


def test_more_servers_than_a_page_holds_are_all_counted(database: Database) -> None:
    many = [told(f"10.0.{n >> 8}.{n & 255}", version=f"V{n % 7}") for n in range(1100)]

    assert census(servers(database, store(database, many))).servers == 1100
