"""One word for what a stranger can do: what real servers answered, and every way to each word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from tests.unit.judge.vectors import (
    ABORTED,
    OPEN,
    ORTHANC_GRANTS,
    SERVERS,
    STORAGE_GRANTS,
    accepted,
    asked,
    granted,
    handshake,
    page,
    rejected,
    verdict,
    web,
)

from leadglass.model.evidence import (
    AssociateEvidence,
    Evidence,
    NegotiateEvidence,
    QidoAnswer,
    Reply,
    TcpEvidence,
    TcpOutcome,
    TlsEvidence,
    TlsOutcome,
    WebEvidence,
)
from leadglass.model.rung import Rung
from leadglass.model.verdict import Access, State
from leadglass.probe.negotiate import OFFERED
from leadglass.wire import uids

A = Access
RUNGS = (Rung.ASSOCIATE, Rung.NEGOTIATE, Rung.BLANK_QUERY)

AT_EACH_RUNG: dict[str, tuple[Access, Access, Access]] = {
    "orthanc": (A.ASSOCIATES, A.OFFERS_QUERY, A.OFFERS_STORAGE),
    "orthanc-find-allowed": (A.ASSOCIATES, A.OFFERS_QUERY, A.ANSWERS_QUERY),
    "orthanc-titles-checked": (A.WANTS_TITLE, A.WANTS_TITLE, A.WANTS_TITLE),
    "orthanc-strangers-refused": (A.WANTS_TITLE, A.WANTS_TITLE, A.WANTS_TITLE),
    "dcmqrscp-any": (A.ASSOCIATES, A.OFFERS_QUERY, A.ANSWERS_QUERY),
    "dcmqrscp-readonly": (A.ASSOCIATES, A.OFFERS_QUERY, A.ANSWERS_QUERY),
    "dcmqrscp-unknown-title": (A.WANTS_TITLE, A.WANTS_TITLE, A.WANTS_TITLE),
    "storescp": (A.ASSOCIATES, A.OFFERS_STORAGE, A.OFFERS_STORAGE),
    "pynetdicom-echoscp": (A.ASSOCIATES, A.VERIFICATION_ONLY, A.VERIFICATION_ONLY),
    "pynetdicom-storescp": (A.ASSOCIATES, A.OFFERS_STORAGE, A.OFFERS_STORAGE),
    "pynetdicom-qrscp": (A.ASSOCIATES, A.OFFERS_QUERY, A.ANSWERS_QUERY),
    "dicompot": (A.ASSOCIATES, A.OFFERS_QUERY, A.ANSWERS_QUERY),
}


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("rung", RUNGS, ids=lambda rung: rung.word)
def test_a_measured_server_gets_its_word_at_each_rung(server: str, rung: Rung) -> None:
    assert verdict(*SERVERS[server], rung=rung).access is AT_EACH_RUNG[server][RUNGS.index(rung)]


def test_orthanc_as_installed_gets_the_capability_map_of_the_blueprint() -> None:
    seen = verdict(*SERVERS["orthanc"]).capabilities

    assert (seen.associate, seen.verification) == (State.PROVED, State.PROVED)
    assert (seen.query, seen.retrieve, seen.storage) == (State.REFUSED, State.UNTESTED, State.GRANTED)
    assert (seen.worklist, seen.web_query, seen.web_api) == (State.ABSENT, State.ABSENT, State.ABSENT)


def test_one_accepted_association_is_not_called_insecure() -> None:
    # ivre concludes "Any AET is accepted (Insecure)" from a single exchange.
    seen = verdict(OPEN, accepted(), rung=Rung.BLANK_QUERY)

    assert seen.access is Access.ASSOCIATES
    assert seen.capabilities.query is State.UNTESTED
    assert any("negotiation" in text for text in seen.settles)


@pytest.mark.parametrize("server", [name for name, words in AT_EACH_RUNG.items() if A.ANSWERS_QUERY in words])
def test_negotiation_alone_never_concludes_that_a_server_answers_queries(server: str) -> None:
    seen = verdict(*SERVERS[server], rung=Rung.NEGOTIATE)

    assert seen.access is not Access.ANSWERS_QUERY
    assert State.PROVED not in (
        seen.capabilities.query,
        seen.capabilities.retrieve,
        seen.capabilities.storage,
    )


# ---- each word, every way to it

SILENT = AssociateEvidence(Reply.SILENT)
NO_TLS = TlsEvidence(TlsOutcome.CLOSED)
SSH = AssociateEvidence(Reply.OTHER_PROTOCOL, spoke="ssh")
SPOKE_HTTP = AssociateEvidence(Reply.OTHER_PROTOCOL, spoke="http")
REALM = page("/", 401, "orthanc-realm", login="basic")
SYSTEM = page("/system", 200, "orthanc-system", content="json-object")
REQUIRED = handshake(
    outcome=TlsOutcome.ALERT,
    version="TLSv1.2",
    certificate_requested=True,
    alert="handshake_failure(40)",
    ended="alert",
)

VECTORS: list[tuple[str, Access, str, Sequence[Evidence]]] = [
    (
        "records came back",
        A.ANSWERS_QUERY,
        "access.answers-query",
        [accepted(), ORTHANC_GRANTS, asked(None, Reply.RECORDS)],
    ),
    ("open REST interface", A.ANSWERS_QUERY, "access.answers-query", [web(page("/", 301), SYSTEM)]),
    (
        "QIDO-RS answered",
        A.ANSWERS_QUERY,
        "access.answers-query",
        [web(page(), qido=(QidoAnswer("/dicom-web/studies", 204, empty=True),))],
    ),
    (
        "QIDO-RS returned records",
        A.ANSWERS_QUERY,
        "access.answers-query",
        [web(page(), qido=(QidoAnswer("/dicom-web/studies", 200, empty=False),))],
    ),
    (
        "an error status",
        A.OFFERS_QUERY,
        "access.offers-query",
        [accepted(), granted(uids.VERIFICATION, uids.STUDY_ROOT_FIND), asked(0xA900)],
    ),
    (
        "aborted by an unknown product",
        A.OFFERS_QUERY,
        "access.offers-query",
        [accepted(("1.2.3.4", "X", 16384)), granted(uids.STUDY_ROOT_FIND), ABORTED],
    ),
    (
        "query refused, retrieval granted",
        A.OFFERS_QUERY,
        "access.offers-query",
        [accepted(), granted(uids.STUDY_ROOT_FIND, uids.STUDY_ROOT_MOVE), asked(0x0124)],
    ),
    (
        "worklist only",
        A.OFFERS_QUERY,
        "access.offers-query",
        [accepted(), granted(uids.VERIFICATION, uids.MODALITY_WORKLIST_FIND)],
    ),
    (
        "query refused, storage granted",
        A.OFFERS_STORAGE,
        "access.offers-storage",
        [accepted(), granted(uids.STUDY_ROOT_FIND, uids.CT_IMAGE_STORAGE), asked(0x0122)],
    ),
    ("not negotiated", A.ASSOCIATES, "access.associates", [accepted()]),
    (
        "grants something of no capability",
        A.ASSOCIATES,
        "access.associates",
        [accepted(), granted(uids.VERIFICATION, uids.MPPS)],
    ),
    (
        "accepts anything",
        A.OFFERS_QUERY,
        "access.offers-query",
        [accepted(), granted(*OFFERED, invented=0)],
    ),
    (
        "C-ECHO refused",
        A.ASSOCIATES,
        "access.associates",
        [accepted(echo_status=0x0122), granted(VERIFICATION=1)],
    ),
    (
        "only another transfer syntax",
        A.ASSOCIATES,
        "access.associates",
        [accepted(), granted(uids.VERIFICATION, CT_IMAGE_STORAGE=4)],
    ),
    (
        "everything refused but the echo",
        A.VERIFICATION_ONLY,
        "access.verification-only",
        [accepted(), granted(uids.VERIFICATION, others=1)],
    ),
    (
        "the query refused too",
        A.VERIFICATION_ONLY,
        "access.verification-only",
        [accepted(), granted(uids.VERIFICATION, uids.STUDY_ROOT_FIND), asked(0x0124)],
    ),
    ("called title", A.WANTS_TITLE, "access.wants-title", [rejected(1, 1, 7)]),
    ("calling title", A.WANTS_TITLE, "access.wants-title", [rejected(1, 1, 3)]),
    ("Orthanc's realm", A.DEMANDS_LOGIN, "access.demands-login", [web(REALM)]),
    ("a login form", A.DEMANDS_LOGIN, "access.demands-login", [web(page(login="form"))]),
    (
        "a redirect to a login",
        A.DEMANDS_LOGIN,
        "access.demands-login",
        [web(page("/", 302, login="redirect"))],
    ),
    (
        "QIDO-RS forbidden",
        A.DEMANDS_LOGIN,
        "access.demands-login",
        [web(page(), qido=(QidoAnswer("/dicom-web/studies", 403),))],
    ),
    (
        "a known product that forbids",
        A.DEMANDS_LOGIN,
        "access.demands-login",
        [web(page("/", 301, "orthanc-explorer-redirect"), page("/system", 403, "dcm4chee-ui2"))],
    ),
    ("an alert for want of a certificate", A.DEMANDS_CERTIFICATE, "access.demands-certificate", [REQUIRED]),
    ("sshd", A.NOT_DICOM, "access.not-dicom", [SSH]),
    (
        "a page for everything",
        A.NOT_DICOM,
        "access.not-dicom",
        [web(page(), page("/system"), page("/x"), qido=(QidoAnswer("/dicom-web/studies", 200),))],
    ),
    ("a page, after DICOM was tried", A.NOT_DICOM, "access.not-dicom", [SPOKE_HTTP, web(page())]),
    ("nothing but 404", A.NOT_DICOM, "access.not-dicom", [web(page("/", 404), page("/system", 404))]),
    ("redis", A.NOT_DICOM, "access.not-dicom", [SILENT, WebEvidence(Reply.OTHER_PROTOCOL, spoke="redis")]),
    ("a dropped port", A.FILTERED, "access.filtered", [TcpEvidence(TcpOutcome.UNANSWERED)]),
    ("no route", A.FILTERED, "access.filtered", [TcpEvidence(TcpOutcome.UNREACHABLE)]),
    ("a closed port", A.CLOSED, "access.closed", [TcpEvidence(TcpOutcome.REFUSED)]),
    ("busy, transient", A.INCONCLUSIVE, "inconclusive.busy", [rejected(2, 3, 1)]),
    ("busy, a limit", A.INCONCLUSIVE, "inconclusive.busy", [rejected(2, 3, 2)]),
    ("busy, titles too", A.INCONCLUSIVE, "inconclusive.busy", [rejected(2, 1, 7)]),
    ("congestion for good", A.INCONCLUSIVE, "inconclusive.busy", [rejected(1, 3, 1)]),
    ("rejected without a reason", A.INCONCLUSIVE, "inconclusive.rejected", [rejected(1, 1, 1)]),
    ("rejected by ACSE", A.INCONCLUSIVE, "inconclusive.rejected", [rejected(1, 2, 1)]),
    (
        "aborted at once",
        A.INCONCLUSIVE,
        "inconclusive.aborted",
        [AssociateEvidence(Reply.ABORTED, abort=(2, 0))],
    ),
    (
        "half a PDU of garbage",
        A.INCONCLUSIVE,
        "inconclusive.malformed",
        [AssociateEvidence(Reply.MALFORMED, detail="item longer than its PDU")],
    ),
    (
        "unknown bytes",
        A.INCONCLUSIVE,
        "inconclusive.unknown-protocol",
        [AssociateEvidence(Reply.OTHER_PROTOCOL), NO_TLS, WebEvidence(Reply.CLOSED)],
    ),
    (
        "silent to everything",
        A.INCONCLUSIVE,
        "inconclusive.no-answer",
        [OPEN, SILENT, TlsEvidence(TlsOutcome.SILENT), WebEvidence(Reply.SILENT)],
    ),
    (
        "the beginning of a DICOM answer",
        A.INCONCLUSIVE,
        "inconclusive.no-answer",
        [OPEN, AssociateEvidence(Reply.SILENT, spoke="dicom")],
    ),
    (
        "TLS, and silence inside",
        A.INCONCLUSIVE,
        "inconclusive.not-pursued",
        [handshake(), replace(SILENT, over_tls=True)],
    ),
    (
        "TLS expected where HTTP was asked in the plain",
        A.INCONCLUSIVE,
        "inconclusive.not-pursued",
        [SPOKE_HTTP, web(page("/", 400), page("/system", 400))],
    ),
    ("a failing web server", A.INCONCLUSIVE, "inconclusive.not-pursued", [web(page("/", 502))]),
    ("a viewer", A.INCONCLUSIVE, "inconclusive.product-undecided", [web(page("/", 200, "ohif"))]),
    ("a port that opened", A.INCONCLUSIVE, "inconclusive.not-asked", [OPEN]),
    ("nothing", A.INCONCLUSIVE, "inconclusive.nothing-seen", []),
]


@pytest.mark.parametrize(("word", "rule", "evidence"), [v[1:] for v in VECTORS], ids=[v[0] for v in VECTORS])
def test_this_evidence_gets_this_word_for_this_reason(
    word: Access, rule: str, evidence: Sequence[Evidence]
) -> None:
    seen = verdict(*evidence)

    assert (seen.access, seen.reasons[0].rule) == (word, rule)


def test_the_vectors_reach_every_word() -> None:
    assert {word for _, word, _, _ in VECTORS} == set(Access)


# ---- rungs


def test_a_word_needs_its_rung_even_if_deeper_evidence_is_at_hand() -> None:
    everything = (*SERVERS["orthanc-find-allowed"], web(SYSTEM, qido=(QidoAnswer("/q", 204, empty=True),)))

    assert verdict(*everything, rung=Rung.CONNECT).access is Access.INCONCLUSIVE
    assert verdict(OPEN, accepted(), ORTHANC_GRANTS, asked(), rung=Rung.ASSOCIATE).access is Access.ASSOCIATES
    assert (
        verdict(OPEN, accepted(), ORTHANC_GRANTS, asked(), rung=Rung.NEGOTIATE).access is Access.OFFERS_QUERY
    )


def test_a_dicomweb_answer_is_as_deep_as_a_blank_query() -> None:
    open_archive = web(page(), qido=(QidoAnswer("/dicom-web/studies", 204, empty=True),))

    assert verdict(open_archive, rung=Rung.NEGOTIATE).access is Access.NOT_DICOM
    assert verdict(open_archive, rung=Rung.BLANK_QUERY).access is Access.ANSWERS_QUERY


def test_an_open_rest_interface_is_proved_at_the_associate_rung() -> None:
    seen = verdict(web(SYSTEM), rung=Rung.ASSOCIATE)

    assert (seen.access, seen.capabilities.web_api) == (Access.ANSWERS_QUERY, State.PROVED)
    assert seen.capabilities.web_query is State.UNTESTED


@pytest.mark.parametrize("outcome", [TcpOutcome.REFUSED, TcpOutcome.UNANSWERED])
def test_imported_scan_data_can_tell_that_a_port_is_closed_or_filtered(outcome: TcpOutcome) -> None:
    seen = verdict(TcpEvidence(outcome), rung=Rung.PASSIVE)

    assert seen.access in (Access.CLOSED, Access.FILTERED)


# ---- several pieces of evidence


def test_busy_and_then_accepted_is_accepted() -> None:
    assert verdict(OPEN, rejected(2, 3, 1), accepted()).access is Access.ASSOCIATES


def test_a_port_that_opened_once_is_neither_closed_nor_filtered() -> None:
    refused = TcpEvidence(TcpOutcome.REFUSED)

    assert verdict(OPEN, refused).access is Access.INCONCLUSIVE
    assert verdict(refused, SILENT).access is Access.INCONCLUSIVE


def test_what_answers_inside_tls_outweighs_what_failed_in_the_plain() -> None:
    plain = AssociateEvidence(Reply.RESET)
    secured = accepted(over_tls=True)

    seen = verdict(OPEN, plain, handshake(), secured)

    assert seen.access is Access.ASSOCIATES
    assert seen.protocols == ("dicom", "tls")


def test_the_worse_of_two_doors_on_one_port_is_the_verdict() -> None:
    assert verdict(rejected(1, 1, 7), web(SYSTEM)).access is Access.ANSWERS_QUERY
    assert verdict(REQUIRED, rejected(1, 1, 7)).access is Access.WANTS_TITLE


def test_a_negotiation_that_failed_takes_nothing_away_from_the_association() -> None:
    seen = verdict(accepted(), NegotiateEvidence(Reply.REJECTED, reject=(2, 3, 2)))

    assert seen.access is Access.ASSOCIATES
    assert seen.capabilities.storage is State.UNTESTED


@pytest.mark.parametrize("reply", [Reply.SILENT, Reply.CLOSED, Reply.RESET])
def test_a_dicom_answer_that_broke_off_is_told_from_no_answer(reply: Reply) -> None:
    began, silent = verdict(AssociateEvidence(reply, spoke="dicom")), verdict(AssociateEvidence(reply))

    assert "the beginning of a DICOM answer" in began.reasons[0].text
    assert "the beginning of a DICOM answer" not in silent.reasons[0].text
    assert (began.protocols, began.capabilities.associate) == ((), State.UNDETERMINED)


def test_a_web_server_that_was_not_asked_for_dicomweb_is_said_not_to_have_been() -> None:
    unasked = verdict(web(page()), rung=Rung.ASSOCIATE)
    asked_too = verdict(web(page(), qido=(QidoAnswer("/dicom-web/studies", 404),)))

    assert "was not asked for" in unasked.reasons[0].text
    assert "was not asked for" not in asked_too.reasons[0].text


def test_storage_is_said_only_where_it_was_granted() -> None:
    assert verdict(accepted(), STORAGE_GRANTS).access is Access.OFFERS_STORAGE
    assert verdict(accepted(), granted(uids.VERIFICATION, others=4)).access is Access.ASSOCIATES


@pytest.mark.parametrize("port", [104, 2762, 4242, 11112, 22])
def test_a_port_number_is_no_evidence_of_dicom(port: int) -> None:
    seen = verdict(REQUIRED, port=port)

    assert seen.protocols == ("tls",)
    assert seen.access is Access.DEMANDS_CERTIFICATE
