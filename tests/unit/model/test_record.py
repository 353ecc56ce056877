from __future__ import annotations

import json
import re
import typing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it has no types
from tests.unit.report.samples import archive, hostile, mixed, seen, silent, verdict, whole_scan

from leadglass.cli.schema import SCHEMAS
from leadglass.errors import ConfigError
from leadglass.model.endpoint import Endpoint
from leadglass.model.evidence import (
    AssociateEvidence,
    BlankQueryEvidence,
    Evidence,
    Reply,
    TcpEvidence,
    TcpOutcome,
)
from leadglass.model.record import SCHEMA, RungWord, ScanRecord, Tlp, body_of, read_body, read_record, record
from leadglass.model.record_line import LineMaker
from leadglass.model.rung import Rung
from leadglass.model.verdict import Access, Capabilities, Kind, Reason, Severity, Vantage

RECORDS = whole_scan()
SCHEMA_OF_RECORD = SCHEMAS["scan-record"]()
VALIDATOR = Draft202012Validator(SCHEMA_OF_RECORD, format_checker=Draft202012Validator.FORMAT_CHECKER)
REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "scan-record.md"
NOTHING_MUCH = verdict(Access.INCONCLUSIVE, Severity.LOW, Capabilities())


def observed(*evidence: Evidence, at: datetime | float = 0) -> ScanRecord:
    return record(
        scan="s",
        observed_at=at,
        endpoint=Endpoint("192.0.2.1", 104),
        vantage=Vantage(None),
        rung=Rung.ASSOCIATE,
        evidence=evidence,
        verdict=NOTHING_MUCH,
    )


# ---- the format


@pytest.mark.parametrize("made", RECORDS, ids=lambda r: str(r.endpoint))
def test_records_keep_the_published_schema(made: ScanRecord) -> None:
    VALIDATOR.validate(json.loads(made.line()))


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA_OF_RECORD)
    assert SCHEMA_OF_RECORD["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_every_field_is_described_in_the_schema() -> None:
    objects = [SCHEMA_OF_RECORD, *SCHEMA_OF_RECORD["$defs"].values()]
    undescribed = [
        name
        for part in objects
        for name, field in part.get("properties", {}).items()
        if not field.get("description")
    ]

    assert undescribed == []


@pytest.mark.parametrize("name", SCHEMA_OF_RECORD["properties"])
def test_every_field_is_in_the_reference(name: str) -> None:
    assert f"`{name}`" in REFERENCE.read_text(encoding="utf-8")


def test_the_line_has_the_fields_of_the_design_in_their_order() -> None:
    line = json.loads(archive()[0].line())

    assert list(line) == [
        "schema", "scan", "observed_at", "endpoint", "vantage", "rung", "scope", "tlp", "transport", "protocols",
        "capabilities", "access", "software", "nature", "nature_prior", "nature_settled", "nature_settles",
        "data", "severity", "reasons", "evidence", "advice", "settles",
    ]  # fmt: skip
    assert line["schema"] == SCHEMA == "leadglass.scan-record/1"
    assert line["observed_at"] == "2026-11-21T05:00:00Z"
    assert line["endpoint"] == {"address": "192.0.2.10", "port": 11112, "name": "pacs.example.org"}
    assert line["vantage"] == {"source": "198.51.100.7", "position": "outside", "name": "Berlin"}
    assert line["tlp"] == "amber"
    assert line["rung"] == "blank-query"
    assert line["transport"] == {"tcp": "open", "tls": None}
    assert list(line["capabilities"]) == [
        "associate", "verification", "query", "retrieve", "storage", "worklist", "web-query", "web-api",
    ]  # fmt: skip
    assert line["nature"] == {
        "clinical": 0.35, "demo": 0.15, "teaching": 0.15, "experimental": 0.2, "non-human": 0.05, "honeypot": 0.1,
    }  # fmt: skip


def test_rung_words_are_those_of_the_ladder() -> None:
    assert list(typing.get_args(RungWord)) == [rung.word for rung in Rung]
    assert [seen("192.0.2.1", 1, (), NOTHING_MUCH, rung=rung).rung for rung in Rung] == [r.word for r in Rung]


def test_labels_are_those_of_tlp_2() -> None:
    assert [tlp.label for tlp in Tlp] == [
        "TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED",
    ]  # fmt: skip


def test_a_record_that_nobody_named_or_marked_says_so() -> None:
    line = json.loads(observed().line())

    assert (line["vantage"]["name"], line["tlp"]) == (None, None)


def test_a_record_of_before_there_were_places_and_labels_is_read() -> None:
    old = json.loads(RECORDS[0].line())
    del old["tlp"], old["vantage"]["name"]
    read = read_record(json.dumps(old))

    assert (read.vantage.name, read.tlp) == (None, None)


# ---- putting one together from what is stored


@pytest.mark.parametrize("made", RECORDS, ids=lambda r: str(r.endpoint))
def test_a_line_put_together_from_parts_is_the_line_of_the_record(made: ScanRecord) -> None:
    names = {made.endpoint.address: made.endpoint.name} if made.endpoint.name else {}
    maker = LineMaker(made.scan, made.scope, made.tlp, names)
    body = "{" + made.line().partition('"transport"')[1] + made.line().partition('"transport"')[2]

    assert made.line() == maker.line(
        int(made.observed_at.timestamp()),
        made.endpoint.address,
        made.endpoint.port,
        maker.vantage(made.vantage),
        maker.look(Rung.from_word(made.rung), body),
    )


def test_a_body_is_read_back_as_the_record_of_no_endpoint() -> None:
    read = read_body(body_of((AssociateEvidence(Reply.SILENT),), NOTHING_MUCH))

    assert (read.scan, str(read.endpoint)) == ("", "0.0.0.0:0")
    assert read.observed() == (AssociateEvidence(Reply.SILENT),)


@pytest.mark.parametrize("body", ["", "{}", "[]", '{"access":"wide-open"}', "{" * 10_000])
def test_a_body_that_is_none_is_refused(body: str) -> None:
    with pytest.raises(ConfigError, match=re.escape("a.sqlite: not a scan record")):
        read_body(body, where="a.sqlite")


# ---- making one


@pytest.mark.parametrize(
    "moment",
    [
        1_795_237_200,
        1_795_237_200.987,
        datetime(2026, 11, 21, 5, 0, 0, 999, tzinfo=UTC),
        datetime(2026, 11, 21, 6, 0, 0, tzinfo=timezone(timedelta(hours=1))),
    ],
)
def test_the_moment_is_utc_in_whole_seconds(moment: datetime | float) -> None:
    assert '"observed_at":"2026-11-21T05:00:00Z"' in observed(at=moment).line()


def test_a_moment_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        observed(at=datetime(2026, 11, 21, 5, 0, 0))  # noqa: DTZ001 - that is the point


@pytest.mark.parametrize(
    ("evidence", "tcp"),
    [
        ((), None),
        ((TcpEvidence(TcpOutcome.REFUSED),), "refused"),
        ((AssociateEvidence(Reply.SILENT),), "open"),
    ],
)
def test_the_transport_tells_what_became_of_the_connection(
    evidence: tuple[Evidence, ...], tcp: str | None
) -> None:
    assert observed(*evidence).transport.tcp == tcp


def test_a_question_asked_twice_is_numbered() -> None:
    plain, over_tls = (
        AssociateEvidence(Reply.OTHER_PROTOCOL, spoke="tls"),
        AssociateEvidence(Reply.ACCEPTED, over_tls=True),
    )
    made = observed(plain, over_tls)

    assert [fact.id for fact in made.evidence] == [
        "associate/reply", "associate/spoke", "associate.2/reply", "associate.2/over-tls",
    ]  # fmt: skip
    assert made.observed() == (plain, over_tls)


def test_a_small_share_is_rounded_but_never_away() -> None:
    shares = mixed()[0].nature

    assert shares[Kind.NON_HUMAN] == 0.0003
    assert min(shares.values()) > 0


def test_the_same_look_twice_shares_its_evidence() -> None:
    one, other = observed(AssociateEvidence(Reply.SILENT)), observed(AssociateEvidence(Reply.SILENT), at=60)

    assert one.evidence is other.evidence
    assert one.observed_at != other.observed_at


# ---- reading one back


@pytest.mark.parametrize("made", RECORDS, ids=lambda r: str(r.endpoint))
def test_a_record_read_back_is_the_same(made: ScanRecord) -> None:
    assert read_record(made.line()) == made


def test_hostile_text_survives_the_round_trip_and_stays_ascii() -> None:
    line = hostile().line()

    assert line.isascii()
    assert line.isprintable()
    assert read_record(line).endpoint.name == hostile().endpoint.name


def test_a_field_of_tomorrow_is_ignored() -> None:
    line = json.loads(RECORDS[0].line()) | {"tomorrow": 1}

    assert read_record(json.dumps(line)) == RECORDS[0]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"schema": "leadglass.scan-record/2"}, "schema"),
        ({"access": "wide-open"}, "access"),
        ({"endpoint": {"address": "pacs.example.org", "port": 104, "name": None}}, "endpoint.address"),
        ({"endpoint": {"address": "192.0.2.1", "port": 65536, "name": None}}, "endpoint.port"),
        ({"observed_at": "2026-11-21T05:00:00"}, "observed_at"),
        ({"nature": {"clinical": 1.0}}, "nature"),
        ({"capabilities": {}}, "capabilities.associate"),
    ],
)
def test_what_is_no_record_is_named_by_place_and_field(change: dict[str, object], named: str) -> None:
    line = json.dumps(json.loads(RECORDS[0].line()) | change)

    with pytest.raises(
        ConfigError, match=rf"scan.jsonl:7: not a scan record: {named}: .*schema scan-record"
    ) as caught:
        read_record(line, where="scan.jsonl:7")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("line", ["", "{", "[]", "null", "\x00", RECORDS[0].line()[:-1]])
def test_what_is_no_json_object_is_refused(line: str) -> None:
    with pytest.raises(ConfigError, match="not a scan record"):
        read_record(line)


def test_altered_evidence_is_refused() -> None:
    line = archive()[0].line().replace('"value":"answered"', '"value":"accepted"', 1)

    with pytest.raises(ValueError, match="does not match its digest"):
        read_record(line).observed()


def test_reasons_are_taken_apart_as_they_were_put_together() -> None:
    reasons = (
        Reason("a.b", "text: with a colon", ("x/y", "z/w")),
        Reason("a.b", "no evidence"),
        Reason("a.b", "[brackets] inside", ("x/y",)),
    )
    judged = verdict(Access.CLOSED, Severity.NONE, Capabilities(), reasons=reasons)

    assert seen("192.0.2.1", 1, (), judged).why() == reasons


def test_a_reason_in_other_words_is_kept_whole() -> None:
    made = silent()[0].model_copy(update={"reasons": ("somebody wrote this",)})

    assert made.why() == (Reason("", "somebody wrote this"),)


def test_an_endpoint_reads_as_people_write_it() -> None:
    assert str(archive()[0].endpoint) == "192.0.2.10:11112"
    assert str(read_record(RECORDS[6].line()).endpoint) == "[2001:db8:85a3:8d3:1319:8a2e:370:7348]:11112"


def test_the_evidence_of_a_scan_is_found_again() -> None:
    assert BlankQueryEvidence(Reply.ANSWERED, model="study-root", status=0) in archive()[0].observed()
