"""TLS under any bytes: damaged flights, flights made from their values, and whole conversations."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.probe.tls_server import Echo, Server, server_context
from tests.unit.wire.tls.captured import FLIGHTS, captured, events, record

from leadglass.errors import RemoteProtocolError
from leadglass.model.evidence import TlsOutcome, facts_of, from_facts
from leadglass.ports.conversation import Step
from leadglass.probe.tls import HelloConversation, SecureConversation
from leadglass.probe.tls_certificate import certificate_facts, distinguished_name
from leadglass.wire.tls import messages
from leadglass.wire.tls.messages import CertificateRequest, Certificates, ServerHello, ServerHelloDone

U16 = st.integers(0, 0xFFFF)
DECODERS: Sequence[Callable[[bytes], object]] = (
    messages.server_hello,
    messages.certificates,
    messages.certificates_13,
    messages.certificate_request_13,
    messages.alert,
    lambda body: messages.certificate_request(body, 0x0303),
    lambda body: messages.certificate_request(body, 0x0301),
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A captured flight with a few bytes changed, dropped or doubled."""
    data = bytearray(captured(draw(st.sampled_from(FLIGHTS))))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data) - 1)) if data else 0
        length = draw(st.integers(0, 8))
        data[at : at + length] = draw(
            st.one_of(st.binary(max_size=8), st.just(bytes(data[at : at + length]) * 2))
        )
    return bytes(data)


@st.composite
def cuts(draw: st.DrawFn, data: bytes) -> list[bytes]:
    """The same bytes in pieces."""
    places = sorted(draw(st.lists(st.integers(0, len(data)), max_size=8)))
    return [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)]


@given(st.data())
def test_how_a_stream_is_cut_makes_no_difference(data: st.DataObject) -> None:
    stream = data.draw(st.one_of(damaged(), st.binary(max_size=200)))

    assert events(data.draw(cuts(stream))) == events([stream])


@given(st.sampled_from(DECODERS), st.binary(max_size=300))
def test_any_body_is_a_value_or_malformed(decode: Callable[[bytes], object], body: bytes) -> None:
    with contextlib.suppress(RemoteProtocolError):
        assert decode(body) is not None


def vector(size: int, content: bytes) -> bytes:
    return len(content).to_bytes(size) + content


def message(kind: int, body: bytes) -> bytes:
    return bytes((kind,)) + vector(3, body)


@given(
    hello=st.builds(
        ServerHello,
        version=st.sampled_from([0x0300, 0x0301, 0x0302, 0x0303]),
        suite=U16,
        alpn=st.none() | st.binary(min_size=1, max_size=255),
    ),
    ders=st.lists(st.binary(max_size=50), max_size=5),
    types=st.lists(st.integers(0, 255), max_size=8),
    algorithms=st.lists(U16, max_size=20),
    authorities=st.lists(st.binary(max_size=40), max_size=9),
    size=st.integers(1, 100),
)
def test_a_flight_made_from_values_is_read_back(
    hello: ServerHello,
    ders: list[bytes],
    types: list[int],
    algorithms: list[int],
    authorities: list[bytes],
    size: int,
) -> None:
    extensions = b"" if hello.alpn is None else b"\x00\x10" + vector(2, vector(2, vector(1, hello.alpn)))
    chosen = hello.version.to_bytes(2) + bytes(32) + vector(1, b"") + hello.suite.to_bytes(2) + b"\0"
    listed = vector(2, b"".join(a.to_bytes(2) for a in algorithms)) if hello.version == 0x0303 else b""
    request = vector(1, bytes(types)) + listed + vector(2, b"".join(vector(2, name) for name in authorities))
    stream = message(2, chosen + vector(2, extensions))
    stream += message(11, vector(3, b"".join(vector(3, der) for der in ders)))
    stream += message(13, request) + message(14, b"")

    heard, broken, finished = events(
        [b"".join(record(stream[n : n + size]) for n in range(0, len(stream), size))]
    )

    expected_algorithms = tuple(algorithms) if hello.version == 0x0303 else ()
    assert heard == [
        ServerHello(hello.version, hello.suite, hello.alpn, () if hello.alpn is None else (16,)),
        Certificates(tuple(ders)),
        CertificateRequest(tuple(types), expected_algorithms, tuple(authorities)),
        ServerHelloDone(),
    ]
    assert (broken, finished) == (None, True)


@given(st.data())
def test_a_hello_meets_any_bytes_and_its_evidence_can_be_recorded(data: st.DataObject) -> None:
    probe = HelloConversation("tls12", server_name=None, random=bytes(32), patience=5.0)
    probe.connected(0.0)

    for piece in data.draw(cuts(data.draw(st.one_of(damaged(), st.binary(max_size=100))))):
        if probe.received(piece, 0.1).close:
            break

    assert from_facts(facts_of(probe.evidence)) == (probe.evidence,)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("verify", [ssl.CERT_NONE, ssl.CERT_OPTIONAL, ssl.CERT_REQUIRED])
@given(st.data())
def test_a_handshake_meets_a_damaged_server_and_ends(
    version: ssl.TLSVersion, verify: ssl.VerifyMode, data: st.DataObject
) -> None:
    server, probe = (
        Server(server_context(version, verify)),
        SecureConversation(Echo(), server_name=None, patience=5.0),
    )
    step, now = probe.connected(0.0), 0.0
    hurt = data.draw(st.integers(0, 4000))
    with_bytes = data.draw(st.binary(min_size=1, max_size=6))
    sent = 0
    while not step.close and now < 20:
        now += 1.0
        answer = bytearray(server.feed(step.send) if step.send else b"")
        if sent <= hurt < sent + len(answer):
            answer[hurt - sent : hurt - sent + len(with_bytes)] = with_bytes
        sent += len(answer)
        step = probe.received(bytes(answer), now) if answer else probe.woken(now)

    assert step.close
    assert probe.evidence.outcome in set(TlsOutcome) - {TlsOutcome.RESET}
    assert from_facts(facts_of(probe.evidence)) == (probe.evidence,)


@given(st.lists(st.one_of(damaged(), st.binary(max_size=60)), max_size=4))
def test_a_handshake_meets_any_bytes_and_never_raises(pieces: list[bytes]) -> None:
    probe = SecureConversation(Echo(), server_name="archive.example", patience=5.0)
    step: Step = probe.connected(0.0)
    for piece in pieces:
        if step.close:
            break
        step = probe.received(piece, 1.0)

    assert probe.evidence.outcome is not TlsOutcome.ESTABLISHED
    assert not probe.asked


@given(damaged())
def test_any_certificate_and_any_name_can_be_told(stream: bytes) -> None:
    for event in events([stream])[0]:
        for der in event.ders if isinstance(event, Certificates) else ():
            assert len(certificate_facts(der).sha256) == 64
        for name in event.authorities if isinstance(event, CertificateRequest) else ():
            assert distinguished_name(name).isascii()
