from __future__ import annotations

import pytest
from tests.unit.report.samples import (
    archive,
    granting,
    guarded,
    hostile,
    mixed,
    seen,
    silent,
    summary_of,
    verdict,
    whole_scan,
)

from leadglass.model.evidence import BlankQueryEvidence, Evidence, QidoAnswer, Reply, WebEvidence
from leadglass.model.record import EvidenceFact, ScanRecord
from leadglass.model.verdict import Access, Capabilities, Data, Kind, Position, Severity, State
from leadglass.report import say, words
from leadglass.report.gather import by_host

RECORDS = whole_scan()


@pytest.mark.parametrize(
    "table", [words.ACCESS, words.SEVERITY, words.STATE, words.KIND, words.DATA, words.VANTAGE]
)
def test_every_word_is_explained(table: object) -> None:
    kinds = (Access, Severity, State, Kind, Data, Position)

    assert any(set(kind) == set(table) for kind in kinds)  # type: ignore[call-overload]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: str(record.endpoint))
def test_every_record_says_what_a_stranger_can_do(record: ScanRecord) -> None:
    assert words.ACCESS[record.access].full in say.stranger(record)


def test_an_answered_query_says_how_and_what_it_does_not_prove() -> None:
    dicom, web, _ = archive()

    assert "over DICOM (C-FIND)" in say.stranger(dicom)
    assert "over DICOMweb (QIDO-RS)" in say.stranger(web)
    assert "C-FIND" not in say.stranger(web)
    assert "is not proved" in say.stranger(dicom)


@pytest.mark.parametrize(
    "evidence",
    [
        BlankQueryEvidence(Reply.RECORDS, model="study-root"),
        WebEvidence(Reply.ANSWERED, qido=(QidoAnswer("/studies", 200, empty=False),)),
    ],
)
def test_records_that_came_all_the_same_are_not_denied(evidence: Evidence) -> None:
    judged = verdict(Access.ANSWERS_QUERY, Severity.HIGH, Capabilities(query=State.PROVED))
    said = say.stranger(seen("192.0.2.1", 104, (evidence,), judged))

    assert "returned records, which were dropped unread" in said
    assert "no record was read" not in said


def test_what_was_not_asked_and_what_could_not_be_determined_are_kept_apart() -> None:
    _, storage, _ = granting()

    assert say.unknown(storage) == ("Could not be determined: retrieve.", "Not asked: web-query, web-api.")


def test_what_would_settle_it_is_said() -> None:
    busy = mixed()[2]

    assert "Another look when it is less busy." in say.unknown(busy)


def test_an_unsettled_nature_gives_its_share_and_its_prior() -> None:
    said = say.behind(archive()[0])

    assert "clinical" in said
    assert "35%" in said
    assert "before any evidence" in said


def test_a_settled_nature_is_said_as_settled() -> None:
    assert say.behind(mixed()[0]).startswith("Most likely honeypot")


@pytest.mark.parametrize("record", [guarded()[2], silent()[0], silent()[1]], ids=lambda r: r.access)
def test_nothing_is_said_of_what_stands_behind_a_port_without_dicom(record: ScanRecord) -> None:
    assert say.behind(record) == ""


def test_reasons_come_with_the_evidence_they_cite() -> None:
    first = say.because(archive()[0])[0]

    assert first.rule == "access.answers-query"
    assert [(fact.id, say.value(fact)) for fact in first.seen] == [
        ("blank-query/reply", "answered"),
        ("blank-query/status", "0000H"),
    ]


@pytest.mark.parametrize(
    ("fact", "value", "shown"),
    [
        ("echo-status", 0x0122, "0122H"),
        ("reject", [1, 1, 7], "1/1/7"),
        ("user-items", ["51H", "52H"], "51H; 52H"),
        ("over-tls", True, "yes"),
        (
            "contexts",
            [{"abstract_syntax": "1.2.3", "result": 0, "transfer_syntax": None}],
            "accepted: 1.2.3",
        ),
        ("maximum-length", 16384, "16384"),
    ],
)
def test_values_read_as_the_standard_prints_them(fact: str, value: object, shown: str) -> None:
    probe = "associate"
    made = EvidenceFact.model_validate(
        {"id": f"{probe}/{fact}", "probe": probe, "fact": fact, "value": value, "sha256": ""}
    )

    assert say.value(made) == shown


def test_a_locked_door_beside_an_open_one_is_named() -> None:
    host = by_host(archive())[0]

    assert say.host_verdict(host) == (
        "A stranger can search the server (ports 8042, 11112). What is asked for at port 2762 does not protect it."
    )


def test_an_undecided_port_is_named_in_its_host() -> None:
    assert say.host_verdict(by_host(mixed())[0]).endswith("Not decided: port 4242.")


@pytest.mark.parametrize(
    ("records", "sentence"),
    [
        (RECORDS, "On 1 of 6 hosts, a stranger can search the server. 1 endpoint could not be decided."),
        ((hostile(),), "A stranger is offered storage."),
        (mixed()[2:], "Nothing exposed was seen from this place. 1 endpoint could not be decided."),
        (guarded()[1:], "Nothing exposed was seen from this place."),
        ((), "Nothing was looked at."),
    ],
)
def test_the_headline_is_the_worst_that_was_seen(records: tuple[ScanRecord, ...], sentence: str) -> None:
    assert say.headline(summary_of(records), by_host(records)) == sentence


def test_nothing_is_called_not_on_the_internet_from_inside() -> None:
    said = say.sources(RECORDS, Position.INSIDE)

    assert "Whether any of it can be reached from the internet is a question for a look from outside." in said
    assert "Nothing here says that a server cannot be reached from elsewhere." in said
    assert "198.51.100.7" in said


def test_the_promise_is_no_larger_than_what_was_done() -> None:
    assert "No patient record was requested" in say.promise(["associate", "blank-query"])
    assert "requested" not in say.promise(["associate", "sample"])


def test_tls_is_told_with_what_is_wrong_with_it() -> None:
    said = say.tls(archive()[2])

    assert "a client certificate is required" in said
    assert "still accepts what is retired: TLS_RSA_WITH_3DES_EDE_CBC_SHA" in said
    assert "valid until 2027-01-31" in said


def test_a_value_is_shown_once_and_cited_again_by_its_id() -> None:
    first, second = say.because(archive()[0])

    assert "blank-query/status" in [fact.id for fact in first.seen]
    assert [fact.id for fact in second.seen] == ["associate/reply"]
    assert second.again == ("blank-query/status",)


def test_a_short_report_leaves_out_what_did_not_decide() -> None:
    reasons = ("access.closed: it is", "associate.accepted: in passing", "tls.retired: old suites")
    record = silent()[0].model_copy(update={"reasons": reasons})

    assert [why.rule for why in say.deciding(record)] == ["access.closed", "tls.retired"]
    assert [why.rule for why in say.because(record)] == ["access.closed", "associate.accepted", "tls.retired"]


def test_a_short_report_is_never_without_a_reason() -> None:
    record = silent()[0].model_copy(update={"reasons": ("associate.accepted: all there is",)})

    assert [why.rule for why in say.deciding(record)] == ["associate.accepted"]
