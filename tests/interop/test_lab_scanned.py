"""Our own scanner meets the lab: every verdict is held against the known truth, every output searched for patients."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from io import StringIO

import pydicom
import pynetdicom
import pytest
from tests.peers.canary import Canaries, Patient

from leadglass import wiring
from leadglass.judge.explain import as_json, explain
from leadglass.lab.connection import Connection
from leadglass.lab.personas import PERSONAS
from leadglass.lab.places import places
from leadglass.lab.serve import Lab, Running
from leadglass.model.record import ScanRecord
from leadglass.model.rung import Rung
from leadglass.model.verdict import Access, Kind
from leadglass.report import say
from leadglass.report.contract import Meta, Tally
from leadglass.report.writer import Format, writer
from leadglass.scan.run import Sink
from leadglass.scope.parse import parse
from leadglass.wiring.lab import running_lab
from leadglass.wiring.scanning import engine_for, scan_of


@pytest.fixture(scope="module")
def received() -> Iterator[bytearray]:
    """Every byte that reaches the lab's servers while this module runs."""
    heard = bytearray()
    original = Connection.data_received

    def listening(self: Connection, data: bytes) -> None:
        heard.extend(data)
        original(self, data)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Connection, "data_received", listening)
        yield heard


@pytest.fixture(scope="module")
def lab(received: bytearray) -> Iterator[Lab]:
    with running_lab() as made:
        yield made


def server(lab: Lab, name: str) -> Running:
    return next(running for running in lab.servers if running.persona.name == name)


RUNGS = [Rung.ASSOCIATE, Rung.NEGOTIATE, Rung.BLANK_QUERY]


class Collecting(Sink):
    def __init__(self) -> None:
        self.records: list[ScanRecord] = []
        self.denials: list[str] = []

    def record(self, record: ScanRecord) -> None:
        self.records.append(record)

    def denied(self, reason: str) -> None:
        self.denials.append(reason)


@pytest.fixture(scope="module")
def scanned(lab: Lab) -> Mapping[Rung, list[ScanRecord]]:
    """The lab's records at each rung."""
    return {rung: scan(lab, rung) for rung in RUNGS}


def scan(lab: Lab, rung: Rung) -> list[ScanRecord]:
    """The whole lab, as its own scope permits."""
    scope = parse(lab.scope_text(), filename="lab.toml", moment=wiring.clock().posix())
    sink = Collecting()
    scan_of(scope, rung).run(engine_for(scope), wiring.clock(), sink)
    assert sink.denials == []
    return sink.records


def record_of(records: list[ScanRecord], address: str, port: int) -> ScanRecord:
    (found,) = (r for r in records if (r.endpoint.address, r.endpoint.port) == (address, port))
    return found


@pytest.mark.parametrize(
    ("name", "index", "rung"),
    [
        pytest.param(
            persona.name,
            index,
            rung,
            id=f"{persona.name}:{service.port}-{rung.word}",
        )
        for persona in PERSONAS
        for index, service in enumerate(persona.services)
        for rung in RUNGS
    ],
)
def test_every_verdict_agrees_with_the_truth(
    lab: Lab, scanned: Mapping[Rung, list[ScanRecord]], name: str, index: int, rung: Rung
) -> None:
    there = server(lab, name)
    record = record_of(scanned[rung], there.address, there.ports[index])
    states = {key.replace("-", "_"): state for key, state in say.capabilities(record).items()}

    truth = there.persona.services[index].truth
    assert truth.differences(rung, record.access, states) == ()


def test_every_endpoint_has_one_record_at_each_rung(
    lab: Lab, scanned: Mapping[Rung, list[ScanRecord]]
) -> None:
    doors = sorted((r.address, port) for r in lab.servers for port in r.ports)

    for rung in RUNGS:
        assert sorted((r.endpoint.address, r.endpoint.port) for r in scanned[rung]) == doors


def test_only_the_trap_is_taken_for_a_trap(lab: Lab, scanned: Mapping[Rung, list[ScanRecord]]) -> None:
    taken = {
        running.persona.name
        for running in lab.servers
        for port in running.ports
        if say.likeliest(record_of(scanned[Rung.BLANK_QUERY], running.address, port)) is Kind.HONEYPOT
    }

    assert taken == {"honeypot"}


def test_no_nature_is_settled_wrongly(lab: Lab, scanned: Mapping[Rung, list[ScanRecord]]) -> None:
    for running in lab.servers:
        for port in running.ports:
            record = record_of(scanned[Rung.BLANK_QUERY], running.address, port)
            assert not record.nature_settled or say.likeliest(record) is running.persona.kind


def test_what_is_inconclusive_says_why(scanned: Mapping[Rung, list[ScanRecord]]) -> None:
    for records in scanned.values():
        for record in records:
            if record.access is Access.INCONCLUSIVE:
                assert record.why()[0].rule.startswith("inconclusive.")


def test_retired_tls_is_named(lab: Lab, scanned: Mapping[Rung, list[ScanRecord]]) -> None:
    there = server(lab, "retired-tls")
    tls = record_of(scanned[Rung.BLANK_QUERY], there.address, there.ports[0]).transport.tls

    assert tls is not None
    assert "TLSv1.1" in tls.retired
    assert any("NULL" in suite or "anon" in suite for suite in tls.retired)


def test_where_all_share_one_address_the_verdicts_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leadglass.lab.serve.places", lambda personas: [[*places(personas)][-1]])
    with running_lab() as shared:
        records = scan(shared, Rung.BLANK_QUERY)

    words = {(r.endpoint.address, r.endpoint.port): r.access for r in records}
    assert {address for address, _ in words} == {"127.0.0.1"}
    assert words == {
        (running.address, port): service.truth.blank_query
        for running in shared.servers
        for port, service in running.services
    }


@pytest.mark.parametrize("form", Format)
def test_no_report_shows_a_trace_of_a_patient(
    lab: Lab, scanned: Mapping[Rung, list[ScanRecord]], form: Format
) -> None:
    stream, tally = StringIO(), Tally()
    report = writer(form, stream)
    moment = scanned[Rung.BLANK_QUERY][0].observed_at
    report.begin(Meta("scan", moment, "0", "leadglass scan"))
    for records in scanned.values():
        for record in records:
            report.add(record)
            tally.add(record)
    report.end(tally.summary(finished=True, ended=moment))
    text = stream.getvalue()

    assert "answers-query" in text
    assert hunt(lab).find((form, text.encode())) == []


def test_nothing_we_sent_shows_a_trace_of_a_patient(
    lab: Lab, received: bytearray, scanned: Mapping[Rung, list[ScanRecord]]
) -> None:
    assert received.count(b"LEADGLASS") > len(scanned) * 10
    assert hunt(lab).find(("sent", bytes(received))) == []


def test_no_explanation_shows_a_trace_of_a_patient(
    lab: Lab, scanned: Mapping[Rung, list[ScanRecord]]
) -> None:
    text = "\n".join(str(as_json(explain(r))) for records in scanned.values() for r in records)

    assert hunt(lab).find(("explain", text.encode())) == []


def test_the_hunt_finds_what_an_ordinary_client_reads(lab: Lab) -> None:
    there = server(lab, "open-archive")
    entity = pynetdicom.AE()
    entity.add_requested_context("1.2.840.10008.5.1.4.1.2.2.1")
    keys = pydicom.Dataset()
    keys.QueryRetrieveLevel, keys.StudyInstanceUID = "STUDY", ""
    keys.PatientName, keys.PatientBirthDate = "", ""
    association = entity.associate(there.address, there.ports[0])
    read = str([found for _, found in association.send_c_find(keys, "1.2.840.10008.5.1.4.1.2.2.1")])
    association.release()

    found = {finding.form.partition(",")[0] for finding in hunt(lab).find(("read", read.encode()))}
    assert found >= {"word", "number", "birth date"}


def hunt(lab: Lab) -> Canaries:
    """The search that the real servers' patients are searched with."""
    stems, dates = lab.canaries
    nobody = dict.fromkeys(
        ("name", "identifier", "accession", "description", "referrer", "address", "study", "series"), ""
    )
    return Canaries(stems.word, stems.digits, tuple(Patient(born=d, instances=(), **nobody) for d in dates))
