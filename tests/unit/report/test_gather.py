from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from tests.unit.report.samples import archive, hostile, silent

from leadglass.model.record import ScanRecord
from leadglass.model.record_parts import EndpointFacts
from leadglass.model.verdict import Access, Severity
from leadglass.report import gather
from leadglass.report.gather import FEW, Gatherer, by_host


def at(record: ScanRecord, address: str, port: int) -> ScanRecord:
    return record.model_copy(update={"endpoint": EndpointFacts(address=address, port=port)})


def gathered(records: Sequence[ScanRecord]) -> Gatherer:
    gatherer = Gatherer()
    for record in records:
        gatherer.add(record)
    return gatherer


def test_few_silent_ports_are_listed() -> None:
    gatherer = gathered(silent()[:FEW])

    assert len(gatherer.records()) == FEW
    assert gatherer.counted() == {}


def test_many_silent_ports_are_only_counted() -> None:
    gatherer = gathered(silent())

    assert gatherer.records() == ()
    assert gatherer.counted() == {Access.FILTERED: 5, Access.CLOSED: 1}


def test_records_come_worst_first_in_whatever_order_they_went_in(records: Sequence[ScanRecord]) -> None:
    shuffled = list(records)
    random.Random(1).shuffle(shuffled)

    ordered = gathered(shuffled).records()

    assert ordered == gathered(records).records()
    severities = [record.severity.rank for record in ordered]
    assert severities == sorted(severities)


def test_the_worst_are_kept_and_the_rest_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gather, "LIMIT", 3)
    mild = hostile()
    worst = archive()[0]

    gatherer = gathered([*(at(mild, "192.0.2.99", port) for port in range(10)), worst])

    assert len(gatherer.records()) == 3
    assert gatherer.records()[0] == worst
    assert gatherer.counted() == {Access.OFFERS_STORAGE: 8}


def test_the_same_endpoint_twice_is_no_accident() -> None:
    twice = archive()[0]

    assert gathered([twice, twice]).records() == (twice, twice)


def test_a_host_is_as_bad_as_its_worst_endpoint(records: Sequence[ScanRecord]) -> None:
    hosts = {host.address: host for host in by_host(gathered(records).records())}

    host = hosts["192.0.2.10"]
    assert host.worst.access is Access.ANSWERS_QUERY
    assert host.severity is Severity.CRITICAL
    assert host.names == ("pacs.example.org",)
    assert [record.endpoint.port for record in host.records] == [8042, 11112, 2762]


def test_hosts_come_worst_first_then_by_number_not_by_spelling() -> None:
    same = archive()[0]
    addresses = ["192.0.2.100", "192.0.2.9", "2001:db8::1"]

    hosts = by_host([at(same, address, 104) for address in addresses])

    assert [host.address for host in hosts] == ["192.0.2.9", "192.0.2.100", "2001:db8::1"]
