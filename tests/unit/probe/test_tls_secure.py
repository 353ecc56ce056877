from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import replace

import pytest
from tests.unit.probe.tls_server import V12, V13, Echo, Server, Talk, secure, server_context
from tests.unit.wire.tls.captured import captured, record

from leadglass.model.evidence import TlsEvidence, TlsOutcome
from leadglass.model.rung import Rung
from leadglass.ports.conversation import Loss, Step
from leadglass.probe import tls_openssl
from leadglass.probe.tls import SecureConversation
from leadglass.wire.tls.records import MAX_TOTAL

BOTH = pytest.mark.parametrize("version", [V12, V13])
CA = "OU=Imaging CA,O=Example Hospital"

ESTABLISHED_13 = TlsEvidence(
    TlsOutcome.ESTABLISHED, "TLSv1.3", "TLS_AES_256_GCM_SHA384", certificate_requested=False
)
ESTABLISHED_12 = replace(ESTABLISHED_13, version="TLSv1.2", cipher="TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384")


def bare(evidence: TlsEvidence) -> TlsEvidence:
    """Without the certificate, which is new in each run."""
    return replace(evidence, certificate=None)


@pytest.fixture
def without_callback(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A Python whose ``ssl`` tells nothing of what goes by."""
    tls_openssl._context.cache_clear()
    monkeypatch.setattr(tls_openssl, "_observe", lambda *_: None)
    yield
    tls_openssl._context.cache_clear()


# ---- the handshake alone


@pytest.mark.parametrize(("version", "expected"), [(V12, ESTABLISHED_12), (V13, ESTABLISHED_13)])
@pytest.mark.parametrize("piece", [1, 65536])
def test_a_handshake_tells_what_the_server_chose(
    version: ssl.TLSVersion, expected: TlsEvidence, piece: int
) -> None:
    probe = secure()
    talk = Talk(probe, Server(server_context(version)), piece=piece)

    assert not talk.closed
    assert bare(probe.evidence) == expected
    assert probe.rung is Rung.CONNECT


@BOTH
def test_a_handshake_shows_the_certificate(version: ssl.TLSVersion) -> None:
    probe = secure()
    Talk(probe, Server(server_context(version)))

    certificate = probe.evidence.certificate
    assert certificate is not None
    assert certificate.issuer == CA
    assert certificate.sans == ("archive.example", "127.0.0.1")


@BOTH
def test_after_a_quarter_of_a_second_it_ends_with_close_notify(version: ssl.TLSVersion) -> None:
    server = Server(server_context(version))
    talk = Talk(secure(), server, tick=0.0)

    assert talk.wake_at == 1000.25
    talk.wake()

    assert talk.closed
    assert server.closed


def test_a_slow_peer_is_given_two_round_trips() -> None:
    talk = Talk(secure(), Server(server_context()), tick=0.3)

    assert talk.wake_at == pytest.approx(1000.3 + 0.6)


def test_the_application_protocol_is_told() -> None:
    probe = secure(alpn=("h2", "http/1.1"))
    Talk(probe, Server(server_context(alpn=("http/1.1",))))

    assert probe.evidence.alpn == "http/1.1"


def test_a_server_that_wants_another_group_is_met() -> None:
    context = server_context()
    context.set_ecdh_curve("secp521r1")
    probe = secure()
    Talk(probe, Server(context))

    assert bare(probe.evidence) == ESTABLISHED_13


@pytest.mark.parametrize("name", [None, "", "192.0.2.1", "a..b", "bücher.example", "archive.example."])
def test_any_name_makes_a_handshake(name: str | None) -> None:
    probe = SecureConversation(None, server_name=name, patience=5.0)
    Talk(probe, Server(server_context()))

    assert probe.evidence.outcome is TlsOutcome.ESTABLISHED


# ---- client certificates


def test_tls13_required_shows_only_after_the_handshake() -> None:
    inner = Echo()
    probe = secure(inner)
    talk = Talk(probe, Server(server_context(V13, ssl.CERT_REQUIRED)))

    assert bare(probe.evidence) == replace(
        ESTABLISHED_13,
        certificate_requested=True,
        alert="certificate_required(116)",
        ended="alert",
    )
    assert talk.closed
    assert not probe.asked
    assert inner.asked_at is None


def test_tls12_required_shows_inside_the_handshake() -> None:
    probe = secure(Echo())
    talk = Talk(probe, Server(server_context(V12, ssl.CERT_REQUIRED)))

    assert talk.closed
    assert bare(probe.evidence) == replace(
        ESTABLISHED_12,
        outcome=TlsOutcome.ALERT,
        certificate_requested=True,
        alert="handshake_failure(40)",
        ended="alert",
    )
    assert probe.evidence.certificate is not None


@pytest.mark.parametrize("verify", [ssl.CERT_REQUIRED, ssl.CERT_OPTIONAL])
def test_in_tls13_nothing_is_written_before_a_late_alert_could_come(verify: ssl.VerifyMode) -> None:
    inner = Echo()
    probe = secure(inner)
    step = probe.connected(0.0)
    server = Server(server_context(V13, verify))

    step = probe.received(server.feed(step.send), 0.01)

    assert step.wake_at == pytest.approx(0.26)
    assert not probe.asked
    assert not step.close


def test_tls13_optional_is_asked_after_the_wait() -> None:
    inner, server = Echo(), Server(server_context(V13, ssl.CERT_OPTIONAL))
    probe = secure(inner)
    talk = Talk(probe, server)
    assert server.requests == []

    talk.wake()

    assert server.requests == [b"A-ASSOCIATE-RQ", b"A-RELEASE-RQ"]
    assert inner.heard == [b"A-ASSOCIATE-RQ"]
    assert bare(probe.evidence) == replace(ESTABLISHED_13, certificate_requested=True, application_data=True)


def test_tls12_optional_is_asked_at_once() -> None:
    server = Server(server_context(V12, ssl.CERT_OPTIONAL))
    talk = Talk(secure(Echo()), server)

    assert server.requests == [b"A-ASSOCIATE-RQ", b"A-RELEASE-RQ"]
    assert talk.closed


def test_a_server_that_speaks_first_is_not_kept_waiting() -> None:
    inner, server = Echo(enough=2), Server(server_context(V13, ssl.CERT_OPTIONAL))
    probe = secure(inner)
    talk = Talk(probe, server)

    talk.bring(server.say(b"220 hello"))

    assert inner.heard == [b"220 hello", b"A-ASSOCIATE-RQ"]
    assert probe.evidence.application_data


@BOTH
@pytest.mark.usefixtures("without_callback")
def test_without_the_callback_the_rest_is_still_told(version: ssl.TLSVersion) -> None:
    inner = Echo()
    probe = secure(inner)
    Talk(probe, Server(server_context(version)))

    expected = ESTABLISHED_12 if version is V12 else ESTABLISHED_13
    assert bare(probe.evidence) == replace(expected, certificate_requested=None, application_data=True)
    assert probe.evidence.certificate is not None


# ---- peers that speak no TLS, or not well


@pytest.mark.parametrize(
    "said",
    [
        captured("nginx-plain-http"),
        b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n",
        bytes.fromhex("07000000000400000200"),
        bytes.fromhex("0300000000040001 0107"),
        b"\x16\x02\x00\x00\x04\x0e\x00\x00\x00",
    ],
)
@pytest.mark.parametrize("piece", [1, 65536])
def test_another_protocol_is_no_tls(said: bytes, piece: int) -> None:
    inner = Echo()
    probe = secure(inner)
    probe.connected(0.0)

    for at in range(0, len(said), piece):
        if (step := probe.received(said[at : at + piece], 0.1)).close:
            break

    assert step == Step(close=True)
    assert probe.evidence == TlsEvidence(TlsOutcome.NOT_TLS)
    assert inner.asked_at is None


def test_a_silent_peer_is_left_at_the_deadline() -> None:
    probe = secure(Echo())
    assert probe.connected(100.0).wake_at == 105.0

    assert probe.woken(105.0) == Step(close=True)
    assert probe.evidence == TlsEvidence(TlsOutcome.SILENT)


@pytest.mark.parametrize(("loss", "outcome"), [(Loss.EOF, TlsOutcome.CLOSED), (Loss.RESET, TlsOutcome.RESET)])
def test_a_peer_that_hangs_up_on_the_hello_is_told_apart_by_how(loss: Loss, outcome: TlsOutcome) -> None:
    inner = Echo()
    probe = secure(inner)
    probe.connected(0.0)
    probe.lost(loss, 0.1)

    assert probe.evidence == TlsEvidence(outcome, ended=loss.value)
    assert inner.losses == []


def test_a_bare_end_after_the_request_keeps_what_was_seen() -> None:
    probe = secure(Echo())
    server = Server(server_context(V12, ssl.CERT_REQUIRED))
    probe.received(server.feed(probe.connected(0.0).send), 0.1)

    probe.lost(Loss.EOF, 0.2)

    assert bare(probe.evidence) == replace(
        ESTABLISHED_12,
        outcome=TlsOutcome.CLOSED,
        certificate_requested=True,
        ended="eof",
    )


def test_a_fatal_alert_instead_of_a_flight_is_told() -> None:
    probe = secure()
    probe.connected(0.0)

    assert probe.received(captured("openssl-tls13-only"), 0.1).close
    assert probe.evidence == TlsEvidence(TlsOutcome.ALERT, alert="protocol_version(70)", ended="alert")


def test_close_notify_instead_of_a_flight_is_a_closed_connection() -> None:
    probe = secure()
    probe.connected(0.0)

    assert probe.received(record("01 00", kind=21), 0.1).close
    assert probe.evidence == TlsEvidence(TlsOutcome.CLOSED, ended="close-notify")


def test_garbage_in_a_record_is_malformed_and_answered_with_an_alert() -> None:
    probe = secure()
    probe.connected(0.0)

    step = probe.received(record("63 000000"), 0.1)

    assert step.close
    assert step.send[0] == 21
    assert probe.evidence == TlsEvidence(TlsOutcome.MALFORMED)


def test_a_server_from_before_secure_renegotiation_is_gone_along_with() -> None:
    probe = secure()
    probe.connected(0.0)
    without_extensions = record(f"02 000026 0303 {'00' * 32} 00 002f 00")
    the_rest = captured("openssl-rsa-cbc")[5 + 85 :]

    step = probe.received(without_extensions + the_rest, 0.1)

    assert not step.close
    assert step.send[:3].hex() == "160303"
    assert step.send[5] == 16  # ClientKeyExchange


def test_a_version_that_openssl_no_longer_speaks_is_still_told() -> None:
    probe = secure()
    probe.connected(0.0)

    step = probe.received(record(f"02 000026 0300 {'00' * 32} 00 000a 00", version=0x0300), 0.1)

    assert step.close
    assert probe.evidence == TlsEvidence(
        TlsOutcome.SERVER_HELLO, version="SSLv3", cipher="TLS_RSA_WITH_3DES_EDE_CBC_SHA"
    )


@pytest.mark.parametrize(
    "stuff", [record("00 000000"), record("01 70", kind=21), b"\x16\x03\x03\x40\x00" + bytes(16384)]
)
def test_a_flood_inside_the_handshake_is_cut_off(stuff: bytes) -> None:
    probe = secure()
    probe.connected(0.0)

    fed = 0
    while not probe.received(stuff * 20, 0.1).close:
        fed += len(stuff) * 20
        assert fed <= MAX_TOTAL

    assert probe.evidence.outcome is TlsOutcome.MALFORMED


# ---- the observer


@pytest.mark.parametrize(
    ("content_type", "data"),
    [
        (22, b"\x02\x00\x00\x01\x03"),
        (22, b"\x0d\x00\x00\x00"),
        (22, b"\x0b\x00\x00\x01\x00"),
        (21, b"\x02"),
        (22, b"\x02"),
    ],
)
def test_the_observer_never_raises(content_type: int, data: bytes) -> None:
    connection = tls_openssl._Observed.__new__(tls_openssl._Observed)
    connection.seen = tls_openssl.Seen()

    tls_openssl._observe(connection, "read", 0x0303, content_type, 0, data)

    seen = connection.seen
    assert (seen.hello, seen.chain, seen.request, seen.fatal) == (None, None, None, None)


def test_the_observer_looks_only_at_what_the_peer_sent() -> None:
    connection = tls_openssl._Observed.__new__(tls_openssl._Observed)
    connection.seen = tls_openssl.Seen()

    tls_openssl._observe(connection, "write", 0x0303, 21, 0, b"\x02\x28")

    assert connection.seen.fatal is None


@pytest.mark.parametrize(("number", "kept"), [(116, 116), (90, None), (0, None)])
def test_in_tls13_an_alert_is_an_error_whatever_its_level(number: int, kept: int | None) -> None:
    connection = tls_openssl._Observed.__new__(tls_openssl._Observed)
    connection.seen = tls_openssl.Seen()
    hello = captured("tls13-server-hello.body")

    tls_openssl._observe(connection, "read", 0x0304, 22, 2, b"\x02\x00\x00\x00" + hello)
    tls_openssl._observe(connection, "read", 0x0304, 21, 0, bytes((1, number)))

    assert (connection.seen.fatal.number if connection.seen.fatal else None) == kept


def test_one_context_serves_all_connections() -> None:
    assert tls_openssl._context(("h2",)) is tls_openssl._context(("h2",))
    assert tls_openssl._context(()) is not tls_openssl._context(("h2",))
