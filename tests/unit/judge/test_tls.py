"""Whether TLS asks who is calling: the servers of the measured table, and what else a handshake says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from tests.unit.judge.vectors import CERTIFICATE, OPEN, accepted, handshake, page, verdict, web

from leadglass.model.evidence import (
    AssociateEvidence,
    Evidence,
    Reply,
    TlsEvidence,
    TlsHelloEvidence,
    TlsOutcome,
    WebEvidence,
)
from leadglass.model.rung import Rung
from leadglass.model.verdict import Access, ClientCertificate, TlsSummary

C = ClientCertificate
REQUIRED, PROBABLY = "tls.certificate-required", "tls.certificate-probably-required"
ASKS = handshake(certificate_requested=True)
ANSWERED = replace(ASKS, application_data=True)
NO_AC = AssociateEvidence(Reply.CLOSED, over_tls=True)
AC = accepted(over_tls=True)

MEASURED: list[tuple[str, ClientCertificate, str, Sequence[Evidence]]] = [
    (
        "storescp -rc and Orthanc, TLS 1.2",
        C.REQUIRED,
        REQUIRED,
        [
            replace(
                ASKS,
                outcome=TlsOutcome.ALERT,
                version="TLSv1.2",
                alert="handshake_failure(40)",
                ended="alert",
            )
        ],
    ),
    (
        "storescp -rc and Orthanc, TLS 1.3",
        C.REQUIRED,
        REQUIRED,
        [replace(ASKS, alert="certificate_required(116)", ended="alert"), NO_AC],
    ),
    ("storescp -rc, TLS 1.3, the alert lost", C.REQUIRED, PROBABLY, [replace(ASKS, ended="eof"), NO_AC]),
    ("storescp -vc", C.REQUESTED, "tls.certificate-requested", [ANSWERED, AC]),
    ("storescp -ic", C.NONE, "tls.certificate-not-requested", [handshake(application_data=True), AC]),
    (
        "storescp +pa, TLS 1.3",
        C.UNKNOWN,
        "tls.certificate-undetermined",
        [TlsEvidence(TlsOutcome.ALERT, alert="protocol_version(70)", ended="alert")],
    ),
    ("nginx stream on", C.REQUIRED, PROBABLY, [replace(ASKS, ended="close-notify"), NO_AC]),
    ("nginx stream optional", C.REQUESTED, "tls.certificate-requested", [ANSWERED, AC]),
    (
        "nginx http on",
        C.REQUIRED,
        REQUIRED,
        [ANSWERED, web(page("/", 400), page("/system", 400), over_tls=True)],
    ),
    (
        "nginx http on, asked for DICOM first",
        C.REQUIRED,
        REQUIRED,
        [
            ANSWERED,
            AssociateEvidence(Reply.OTHER_PROTOCOL, over_tls=True, spoke="http"),
            web(page("/", 400), over_tls=True),
        ],
    ),
    ("nginx http optional", C.REQUESTED, "tls.certificate-requested", [ANSWERED, web(page(), over_tls=True)]),
    (
        "haproxy and stunnel, TLS 1.2",
        C.REQUIRED,
        REQUIRED,
        [
            replace(
                ASKS, outcome=TlsOutcome.ALERT, alert="handshake_failure(40)", acceptable_cas=("CN=A", "CN=B")
            )
        ],
    ),
    (
        "Python, TLS 1.2",
        C.REQUIRED,
        PROBABLY,
        [replace(ASKS, outcome=TlsOutcome.CLOSED, version="TLSv1.2", ended="eof")],
    ),
    ("Python, TLS 1.3", C.REQUIRED, PROBABLY, [replace(ASKS, ended="eof"), NO_AC]),
    ("a reset after the request", C.REQUIRED, PROBABLY, [replace(ASKS, ended="reset"), NO_AC]),
]


@pytest.mark.parametrize(
    ("demand", "rule", "evidence"), [m[1:] for m in MEASURED], ids=[m[0] for m in MEASURED]
)
def test_a_measured_server_is_told(
    demand: ClientCertificate, rule: str, evidence: Sequence[Evidence]
) -> None:
    seen = verdict(OPEN, *evidence)

    assert seen.tls is not None
    assert seen.tls.client_certificate is demand
    assert rule in {reason.rule for reason in seen.reasons}


@pytest.mark.parametrize(
    "evidence",
    [m[3] for m in MEASURED if m[1] is C.REQUIRED],
    ids=[m[0] for m in MEASURED if m[1] is C.REQUIRED],
)
def test_a_required_certificate_is_the_word(evidence: Sequence[Evidence]) -> None:
    assert verdict(OPEN, *evidence).access is Access.DEMANDS_CERTIFICATE


def test_a_demand_that_shows_in_the_handshake_is_told_at_the_connect_rung() -> None:
    shown = [m[3][0] for m in MEASURED if m[1] is C.REQUIRED and not m[0].startswith("nginx http")]

    words = {verdict(OPEN, evidence, rung=Rung.CONNECT).access for evidence in shown}

    assert words == {Access.DEMANDS_CERTIFICATE}


def test_where_nothing_proves_the_demand_the_reason_says_probably() -> None:
    sure = verdict(*MEASURED[0][3])
    guess = verdict(*MEASURED[2][3])

    assert not any("probably" in reason.text for reason in sure.reasons)
    assert "probably" in guess.reasons[0].text


def test_a_request_alone_leaves_it_open() -> None:
    seen = verdict(OPEN, ASKS, rung=Rung.CONNECT)

    assert seen.tls is not None
    assert seen.tls.client_certificate is C.UNKNOWN
    assert (seen.access, seen.reasons[0].rule) == (Access.INCONCLUSIVE, "inconclusive.not-asked")


def test_an_http_400_that_was_not_read_as_such_leaves_it_open() -> None:
    spoke = AssociateEvidence(Reply.OTHER_PROTOCOL, over_tls=True, spoke="http")

    seen = verdict(ANSWERED, spoke, WebEvidence(Reply.CLOSED, over_tls=True))

    assert seen.tls is not None
    assert seen.tls.client_certificate is C.UNKNOWN


def test_an_answer_in_the_plain_says_nothing_of_tls() -> None:
    seen = verdict(replace(ASKS, ended="eof"), AssociateEvidence(Reply.RESET), web(page("/", 400)))

    assert seen.tls is not None
    assert seen.tls.client_certificate is C.REQUIRED


def test_the_alert_of_a_hello_that_offered_bad_suites_is_no_demand() -> None:
    picky = TlsHelloEvidence("retired-suites", TlsOutcome.ALERT, alert="handshake_failure(40)")

    seen = verdict(handshake(application_data=True), AC, picky)

    assert seen.tls is not None
    assert seen.tls.client_certificate is C.NONE


def test_a_raw_hello_can_tell_that_a_certificate_is_asked_for() -> None:
    hello = TlsHelloEvidence(
        "tls12",
        TlsOutcome.SERVER_HELLO,
        "TLSv1.2",
        "TLS_RSA_WITH_AES_128_CBC_SHA",
        certificate_requested=True,
    )

    seen = verdict(TlsEvidence(TlsOutcome.CLOSED), hello, rung=Rung.CONNECT)

    assert seen.tls is not None
    assert seen.tls.client_certificate is C.UNKNOWN


def test_retired_versions_and_suites_are_listed_once_each() -> None:
    hellos = (
        TlsHelloEvidence(
            "retired-suites", TlsOutcome.SERVER_HELLO, "TLSv1.2", "TLS_RSA_WITH_3DES_EDE_CBC_SHA"
        ),
        TlsHelloEvidence("old-versions", TlsOutcome.SERVER_HELLO, "TLSv1", "TLS_RSA_WITH_3DES_EDE_CBC_SHA"),
    )

    seen = verdict(handshake(), *hellos, AC)

    assert seen.tls is not None
    assert seen.tls.retired == ("TLS_RSA_WITH_3DES_EDE_CBC_SHA", "TLSv1")
    assert any("B.12" in text for text in seen.advice)


@pytest.mark.parametrize("version", ["SSLv3", "TLSv1", "TLSv1.1"])
def test_a_retired_version_is_said_and_a_current_one_is_not(version: str) -> None:
    hello = TlsHelloEvidence("old-versions", TlsOutcome.SERVER_HELLO, version, "TLS_RSA_WITH_AES_128_CBC_SHA")

    retired, current = verdict(handshake(), hello), verdict(handshake())

    assert retired.tls is not None
    assert current.tls is not None
    assert (retired.tls.retired, current.tls.retired) == ((version,), ())


def test_the_summary_holds_what_the_handshake_said() -> None:
    seen = verdict(replace(ASKS, ended="eof", acceptable_cas=("CN=A", "CN=B")))

    assert seen.tls == TlsSummary(
        version="TLSv1.3",
        cipher="TLS_AES_256_GCM_SHA384",
        client_certificate=C.REQUIRED,
        acceptable_cas=("CN=A", "CN=B"),
        certificate={name: getattr(CERTIFICATE, name) for name in CERTIFICATE.__dataclass_fields__},
    )


@pytest.mark.parametrize(
    "outcome",
    [TlsOutcome.NOT_TLS, TlsOutcome.CLOSED, TlsOutcome.RESET, TlsOutcome.SILENT, TlsOutcome.MALFORMED],
)
def test_without_a_word_of_tls_nothing_is_said_of_it(outcome: TlsOutcome) -> None:
    seen = verdict(OPEN, TlsEvidence(outcome))

    assert seen.tls is None
    assert "tls" not in seen.protocols


def test_a_requested_certificate_that_is_not_required_gets_advice() -> None:
    seen = verdict(ANSWERED, AC)

    assert seen.access is Access.ASSOCIATES
    assert any("ssl_verify_client on" in text for text in seen.advice)
