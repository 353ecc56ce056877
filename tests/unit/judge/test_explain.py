"""A record taken apart: the same verdict again, the rules that decided, and what has changed since."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.unit.judge.test_access import VECTORS
from tests.unit.judge.test_nature import SHOWN
from tests.unit.judge.test_tls import MEASURED
from tests.unit.judge.vectors import SERVERS, accepted, asked, handshake, rejected, verdict

from leadglass.cli import main
from leadglass.judge.explain import as_json, explain
from leadglass.model.endpoint import Endpoint
from leadglass.model.evidence import Evidence, TcpEvidence, TcpOutcome
from leadglass.model.record import ScanRecord, read_record, record
from leadglass.model.rung import Rung
from leadglass.model.verdict import Access, Position, Severity, Vantage

EVERYTHING: list[Sequence[Evidence]] = [
    *SERVERS.values(),
    *(vector[3] for vector in VECTORS),
    *(evidence for *_, evidence in MEASURED),
    *(evidence for _, evidence in SHOWN),
]


def published(
    *evidence: Evidence,
    rung: Rung = Rung.BLANK_QUERY,
    position: Position = Position.UNKNOWN,
    address: str = "192.0.2.7",
    port: int = 4242,
) -> ScanRecord:
    """A record as a scan would publish it."""
    return record(
        scan="01J",
        observed_at=1_800_000_000,
        endpoint=Endpoint(address, port),
        vantage=Vantage("198.51.100.1", position),
        rung=rung,
        evidence=evidence,
        verdict=verdict(*evidence, rung=rung, position=position, port=port),
    )


@pytest.mark.parametrize("rung", [Rung.CONNECT, Rung.ASSOCIATE, Rung.BLANK_QUERY], ids=lambda rung: rung.word)
@pytest.mark.parametrize("evidence", EVERYTHING, ids=range(len(EVERYTHING)))
def test_a_record_read_back_is_judged_as_it_was(evidence: Sequence[Evidence], rung: Rung) -> None:
    line = published(*evidence, rung=rung).line()

    assert explain(read_record(line)).changes == ()


@pytest.mark.parametrize("evidence", EVERYTHING, ids=range(len(EVERYTHING)))
def test_every_fact_is_either_a_reason_or_named_as_unused(evidence: Sequence[Evidence]) -> None:
    one = published(*evidence)

    explained = explain(one)
    cited = {fact.id for ruling in (*explained.decided, *explained.others) for fact in ruling.facts}

    assert cited | {fact.id for fact in explained.unused} == {fact.id for fact in one.evidence}
    assert cited.isdisjoint(fact.id for fact in explained.unused)


def test_the_rules_that_decided_come_with_the_facts_and_their_values() -> None:
    explained = explain(published(*SERVERS["orthanc"]))

    rules = [ruling.reason.rule for ruling in explained.decided]
    values = {fact.id: fact.value for ruling in explained.decided for fact in ruling.facts}

    assert rules[0] == "access.offers-storage"
    assert "query.aborted-by-product" in rules
    assert "software.pattern" in rules
    assert values["blank-query/abort"] == [0, 0]
    assert values["associate/implementation-version-name"] == "OFFIS_DCMTK_367"


def test_what_decided_nothing_stands_apart() -> None:
    explained = explain(published(*SERVERS["pynetdicom-qrscp"]))

    assert [ruling.reason.rule for ruling in explained.decided] == ["access.answers-query", "query.processed"]
    assert "verification.answered" in {ruling.reason.rule for ruling in explained.others}
    assert "associate/maximum-length" in {fact.id for fact in explained.unused}


def test_it_says_what_would_settle_access_and_nature() -> None:
    text = "\n".join(explain(published(rejected(1, 1, 7))).settles)

    assert "called_ae" in text
    assert "sample of studies" in text


def test_a_record_of_older_rules_is_said_to_be_judged_otherwise_today() -> None:
    older = published(*SERVERS["orthanc"]).model_copy(
        update={"access": Access.OFFERS_QUERY, "severity": Severity.CRITICAL}
    )

    changes = {change.what: (change.recorded, change.today) for change in explain(older).changes}

    assert changes == {"access": ("offers-query", "offers-storage"), "severity": ("critical", "high")}


def test_another_wording_is_no_other_judgement() -> None:
    older = published(*SERVERS["orthanc"]).model_copy(update={"reasons": ("x: y",), "advice": ()})

    assert explain(older).changes == ()


def test_an_altered_record_is_not_judged() -> None:
    line = published(accepted(), asked()).line().replace('"value":"answered"', '"value":"records"')

    with pytest.raises(ValueError, match="does not match its digest"):
        explain(read_record(line))


def test_an_explanation_is_json() -> None:
    told = json.loads(json.dumps(as_json(explain(published(*SERVERS["dicompot"], handshake())))))

    assert told["access"] == "answers-query"
    assert told["decided"][0]["facts"]["blank-query/status"] == 0
    assert told["changes"] == []
    assert told["nature"]["honeypot"] > 0.5 > told["nature_prior"]["honeypot"] > 0
    assert told["nature_settled"] is False
    assert told["data"] == "unknown"


def test_what_is_no_dicom_is_not_sampled_to_settle_its_nature() -> None:
    assert explain(published(TcpEvidence(TcpOutcome.REFUSED))).settles == ()


# ---- the command


@pytest.fixture
def records(tmp_path: Path) -> Path:
    """A file with three records, and an empty line."""
    lines = [
        published(*SERVERS["orthanc"]).line(),
        "",
        published(*SERVERS["storescp"], port=104).line(),
        published(*SERVERS["dicompot"], address="2001:db8::7", port=11112).line(),
    ]
    path = tmp_path / "records.jsonl"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_all_records_of_a_file_are_explained(records: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", str(records)]) == 0

    text = capsys.readouterr().out
    assert "What stands behind it\n  By the evidence, not settled: clinical 35.0%, experimental 20.0%" in text
    assert "Before any evidence, assumed and measured by nobody: clinical 35%" in text
    assert "192.0.2.7:4242: offers-storage, severity high" in text
    assert "192.0.2.7:104: offers-storage" in text
    assert "[2001:db8::7]:11112: answers-query" in text
    assert text.count("Today's rules judge as the record says") == 3


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["{}#2"], "192.0.2.7:104"),
        (["{}#3"], "[2001:db8::7]:11112"),
        (["{}", "--endpoint", "192.0.2.7:104"], "192.0.2.7:104"),
        (["{}", "--endpoint", "[2001:DB8:0::7]:11112"], "[2001:db8::7]:11112"),
    ],
)
def test_one_record_is_picked_by_number_or_endpoint(
    records: Path, capsys: pytest.CaptureFixture[str], words: list[str], found: str
) -> None:
    assert main(["explain", *(word.format(records) for word in words)]) == 0

    text = capsys.readouterr().out
    assert text.startswith(found)
    assert text.count("Decided by") == 1


def test_a_pipe_is_read(
    records: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with records.open() as stream:
        monkeypatch.setattr("sys.stdin", stream)
        assert main(["explain", "-", "--format", "jsonl"]) == 0

    explained = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["endpoint"] for one in explained] == [
        "192.0.2.7:4242",
        "192.0.2.7:104",
        "[2001:db8::7]:11112",
    ]


def test_facts_are_shown_as_people_read_them(records: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["explain", f"{records}#1"])

    text = " ".join(capsys.readouterr().out.split())
    assert "Study Root Query/Retrieve Information Model - FIND" in text
    assert "blank-query/abort = 0/0" in text
    assert "associate/echo-status = 0000H" in text


def test_a_file_whose_name_ends_like_a_choice_is_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "records#1"
    path.write_text(published(*SERVERS["storescp"]).line() + "\n" + published(*SERVERS["orthanc"]).line())

    assert main(["explain", str(path)]) == 0
    assert capsys.readouterr().out.count("Decided by") == 2


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["{}#9"], "no record number 9"),
        (["{}", "--endpoint", "192.0.2.8:104"], "no record of 192.0.2.8:104"),
        (["{}", "--endpoint", "somewhere"], "not ADDRESS:PORT"),
        (["{}.missing"], "no such file"),
    ],
)
def test_what_cannot_be_explained_is_one_line_and_exit_2(
    records: Path, capsys: pytest.CaptureFixture[str], words: list[str], complaint: str
) -> None:
    assert main(["explain", *(word.format(records) for word in words)]) == 2

    told = capsys.readouterr()
    assert complaint in told.err
    assert told.err.count("\n") == 1
    assert told.out == ""


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "no record in it"),
        (b"not json\n", "not a scan record"),
        (b'{"schema": "other"}\n', "line 1: not a scan record"),
        (b"\xff\xfe\x00\n", "not a UTF-8 text file"),
    ],
)
def test_a_file_that_holds_no_records_is_said_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, complaint: str
) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)

    assert main(["explain", str(path)]) == 2
    assert complaint in capsys.readouterr().err


def test_an_altered_record_is_refused_by_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "altered.jsonl"
    path.write_text(published(accepted(), asked()).line().replace('"value":"answered"', '"value":"records"'))

    assert main(["explain", str(path)]) == 2
    assert "does not match its digest" in capsys.readouterr().err


def test_text_of_a_hostile_record_cannot_move_the_cursor(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evil = accepted(implementation_version_name="\x1b[2J\u202e[bold red]x[/]")
    path = tmp_path / "evil.jsonl"
    path.write_text(published(evil).line())

    assert main(["explain", str(path)]) == 0

    text = capsys.readouterr().out
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "[bold red]x[/]" in text
