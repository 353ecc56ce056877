from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.wire.tls.captured import captured, record

from leadglass.model.evidence import TlsHelloEvidence, TlsOutcome
from leadglass.model.rung import Rung
from leadglass.ports.conversation import Loss, Step
from leadglass.probe.tls import HelloConversation
from leadglass.wire.tls.hello import OFFERS, client_hello, goodbye

RANDOM = bytes(32)


def ask(offer: str = "tls12", name: str | None = None) -> HelloConversation:
    probe = HelloConversation(offer, server_name=name, random=RANDOM, patience=5.0)
    probe.connected(100.0)
    return probe


def test_the_hello_goes_out_whole_with_a_deadline_at_the_connect_rung() -> None:
    probe = HelloConversation("tls12", server_name="archive.example", random=RANDOM, patience=5.0)

    hello = client_hello(OFFERS["tls12"], server_name="archive.example", random=RANDOM)
    assert probe.connected(100.0) == Step(hello, 105.0)
    assert probe.rung is Rung.CONNECT


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("bücher.example", b"xn--bcher-kva.example"),
        ("archive.example.", b"archive.example"),
        ("a..b", None),
        ("", None),
    ],
)
def test_a_name_is_sent_as_sni_can_carry_it_or_not_at_all(name: str, sent: bytes | None) -> None:
    hello = HelloConversation("tls12", server_name=name, random=RANDOM, patience=5.0).connected(0.0).send
    without = client_hello(OFFERS["tls12"], server_name=None, random=RANDOM)

    assert hello == without if sent is None else sent in hello


HEARD = {
    "openssl-tls12": TlsHelloEvidence(
        "tls12", TlsOutcome.SERVER_HELLO, "TLSv1.2", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", None, False
    ),
    "openssl-null": TlsHelloEvidence(
        "retired-suites", TlsOutcome.SERVER_HELLO, "TLSv1.2", "TLS_RSA_WITH_NULL_MD5", None, False
    ),
    "openssl-anon": TlsHelloEvidence(
        "retired-suites", TlsOutcome.SERVER_HELLO, "TLSv1.2", "TLS_ECDH_anon_WITH_NULL_SHA", None, False
    ),
    "openssl-tls10": TlsHelloEvidence(
        "old-versions", TlsOutcome.SERVER_HELLO, "TLSv1", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", None, False
    ),
    "openssl-tls11-request": TlsHelloEvidence(
        "old-versions",
        TlsOutcome.SERVER_HELLO,
        "TLSv1.1",
        "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
        None,
        True,
        ("OU=Imaging CA,O=Example Hospital", "OU=Device CA,O=Second Vendor"),
    ),
    "nginx-on": TlsHelloEvidence(
        "tls12",
        TlsOutcome.SERVER_HELLO,
        "TLSv1.2",
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        None,
        True,
        ("OU=Imaging CA,O=Example Hospital", "OU=Device CA,O=Second Vendor"),
    ),
    "storescp-rc": TlsHelloEvidence(
        "tls12", TlsOutcome.SERVER_HELLO, "TLSv1.2", "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384", None, True
    ),
    "openssl-tls13-only": TlsHelloEvidence("tls12", TlsOutcome.ALERT, alert="protocol_version(70)"),
    "openssl-no-retired-suite": TlsHelloEvidence(
        "retired-suites", TlsOutcome.ALERT, alert="handshake_failure(40)"
    ),
    "nginx-plain-http": TlsHelloEvidence("tls12", TlsOutcome.NOT_TLS),
}


@pytest.mark.parametrize("name", HEARD)
@pytest.mark.parametrize("piece", [1, 65536])
def test_a_captured_server_is_told_as_it_is(name: str, piece: int) -> None:
    probe, data = ask(HEARD[name].offer), captured(name)

    step = Step()
    for at in range(0, len(data), piece):
        step = probe.received(data[at : at + piece], 100.1)
        assert step.close == (at + piece >= len(data) or HEARD[name].outcome is TlsOutcome.NOT_TLS)
        if step.close:
            break

    assert replace(probe.evidence, certificate=None) == HEARD[name]


def test_the_certificate_is_read() -> None:
    probe = ask()
    probe.received(captured("nginx-on"), 100.1)

    certificate = probe.evidence.certificate
    assert certificate is not None
    assert certificate.issuer == "OU=Imaging CA,O=Example Hospital"
    assert certificate.sans == ("archive.example", "127.0.0.1")
    assert certificate.key == "EC secp256r1"


def test_an_unfinished_handshake_is_ended_in_peace() -> None:
    assert ask().received(captured("nginx-on"), 100.1) == Step(goodbye(0x0303), close=True)


@pytest.mark.parametrize("name", ["openssl-tls13-only", "nginx-plain-http"])
def test_nothing_is_said_to_one_who_refused_or_speaks_another_language(name: str) -> None:
    assert ask().received(captured(name), 100.1) == Step(close=True)


def test_a_silent_peer_is_left_at_the_deadline() -> None:
    probe = ask()

    assert probe.woken(105.0) == Step(close=True)
    assert probe.evidence == TlsHelloEvidence("tls12", TlsOutcome.SILENT)


def test_what_a_peer_said_before_it_fell_silent_is_kept() -> None:
    probe = ask()
    assert probe.received(captured("openssl-tls12")[:-9], 100.1) == Step()

    assert probe.woken(105.0) == Step(goodbye(0x0303), close=True)
    assert probe.evidence.outcome is TlsOutcome.SILENT
    assert probe.evidence.cipher == "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
    assert probe.evidence.certificate is not None
    assert probe.evidence.certificate_requested is None


@pytest.mark.parametrize(("loss", "outcome"), [(Loss.EOF, TlsOutcome.CLOSED), (Loss.RESET, TlsOutcome.RESET)])
def test_a_peer_that_hangs_up_is_told_apart_by_how(loss: Loss, outcome: TlsOutcome) -> None:
    probe = ask()
    probe.lost(loss, 100.1)

    assert probe.evidence == TlsHelloEvidence("tls12", outcome)


def test_close_notify_is_a_closed_connection_and_no_alert() -> None:
    probe = ask()

    assert probe.received(record("01 00", kind=21), 100.1).close
    assert probe.evidence == TlsHelloEvidence("tls12", TlsOutcome.CLOSED)


def test_broken_bytes_are_malformed() -> None:
    probe = ask()

    assert probe.received(b"\x16\x03\x03\x00\x00", 100.1) == Step(close=True)
    assert probe.evidence == TlsHelloEvidence("tls12", TlsOutcome.MALFORMED)


def test_a_name_that_cannot_be_read_is_counted_all_the_same() -> None:
    random = "00" * 32
    hello = f"02 000026 0303 {random} 00 002f 00"
    request = "0d 00000b 01 01 0000 0005 0003 040161"

    probe = ask()
    probe.received(record(hello + request + "0e 000000"), 100.1)

    assert probe.evidence.acceptable_cas == ("unreadable name of 3 bytes",)
    assert probe.evidence.certificate is None


def test_stopping_says_goodbye() -> None:
    probe = ask()
    assert probe.stopped(100.1) == Step(close=True)

    probe = ask()
    probe.received(captured("openssl-tls12")[:-9], 100.1)
    assert probe.stopped(100.2) == Step(goodbye(0x0303), close=True)
