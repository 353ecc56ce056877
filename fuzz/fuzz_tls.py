# Any bytes: an event or RemoteProtocolError; never another exception, never unbounded memory or time.
"""The plain TLS flight, its messages, and what the probes make of it.

The first byte of an input chooses the door, so that the fuzzer need not guess lengths and checksums:
the raw stream, a stream of handshake messages in well-formed records, one message body for each
decoder, a whole conversation (by hand, or with OpenSSL in it), or a certificate. How a stream is cut must
make no difference.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["leadglass"]):
    from leadglass.errors import RemoteProtocolError
    from leadglass.model.evidence import facts_of
    from leadglass.probe.tls import HelloConversation, SecureConversation
    from leadglass.probe.tls_certificate import certificate_facts, distinguished_name
    from leadglass.wire.tls import messages
    from leadglass.wire.tls.flight import Event, FlightReader
    from leadglass.wire.tls.records import MAX_TOTAL

FLIGHTS = Path(__file__).parent.parent / "tests/unit/wire/tls/flights"
DECODERS: tuple[Callable[[bytes], object], ...] = (
    messages.server_hello,
    messages.certificates,
    messages.certificates_13,
    lambda body: messages.certificate_request(body, 0x0303),
    lambda body: messages.certificate_request(body, 0x0302),
    messages.certificate_request_13,
    messages.alert,
)


def read(*pieces: bytes) -> tuple[list[Event], bool]:
    """All events of a stream, and whether it broke TLS."""
    reader, events = FlightReader(), list[Event]()
    try:
        for piece in pieces:
            reader.feed(piece)
            while (event := reader.next()) is not None:
                events.append(event)
    except RemoteProtocolError:
        return events, True
    return events, False


def stream(data: bytes) -> None:
    """A raw stream, whole and in two pieces."""
    whole = read(data)
    at = data[-1] * len(data) // 256 if data else 0
    assert read(data[:at], data[at:]) == whole
    assert len(whole[0]) <= 16 + len(data) // 4


def handshake(data: bytes) -> None:
    """Message bodies with a kind and a length before each, in records of any size."""
    size = 1 + (data[0] if data else 0)
    wrapped = bytearray()
    rest = memoryview(data)[1:]
    while len(rest) >= 2:
        body = bytes(rest[2 : 2 + rest[1] * 4])
        wrapped += bytes((rest[0] % 24,)) + len(body).to_bytes(3) + body
        rest = rest[2 + rest[1] * 4 :]
    records = (bytes(wrapped[at : at + size]) for at in range(0, len(wrapped), size))
    stream(b"".join(b"\x16\x03\x03" + len(record).to_bytes(2) + record for record in records))


def body(data: bytes) -> None:
    """One body for one decoder."""
    if data:
        try:
            DECODERS[data[0] % len(DECODERS)](data[1:])
        except RemoteProtocolError:
            return


def conversation(data: bytes) -> None:
    """A probe meets the bytes, and its evidence can be recorded."""
    meet(HelloConversation("old-versions", server_name=None, random=bytes(32), patience=1.0), data)


def openssl(data: bytes) -> None:
    """A real handshake meets the bytes; it can never be completed by chance.

    OpenSSL makes a key for each, which takes longer than all other doors, so few inputs are let in.
    """
    if not data or data[-1] >= 4:
        return
    probe = SecureConversation(None, server_name=None, patience=1.0)
    meet(probe, data)
    assert probe.evidence.outcome != "established"


def meet(probe: HelloConversation | SecureConversation, data: bytes) -> None:
    """Bring the bytes to the probe, in pieces."""
    probe.connected(0.0)
    for at in range(0, len(data), 1000):
        if probe.received(data[at : at + 1000], 0.1).close:
            break
    for fact in facts_of(probe.evidence):
        assert len(fact.sha256) == 64


def paper(data: bytes) -> None:
    """A certificate, and the name of a certificate authority."""
    facts = certificate_facts(data)
    for text in (facts.subject, facts.issuer, *facts.sans, distinguished_name(data)):
        assert text.isascii()
        assert len(text) <= 512


DOORS = (stream, stream, handshake, handshake, body, body, body, conversation, paper, openssl)


def target(data: bytes) -> None:
    """What the fuzzer calls."""
    assert len(data) <= MAX_TOTAL
    if data:
        DOORS[data[0] % len(DOORS)](data[1:])


def seeds() -> list[bytes]:
    """Captured flights for the raw doors; their messages and certificates for the others."""
    found = list[bytes]()
    for path in sorted(FLIGHTS.glob("*.hex")):
        data = bytes.fromhex("".join(path.read_text().splitlines()[1:]))
        found += [bytes((door,)) + data for door in (0, 7, 9)]
        found += [bytes((4, decoder)) + data for decoder in range(len(DECODERS)) if ".body" in path.name]
        for event in read(data)[0]:
            if isinstance(event, messages.Certificates):
                found += [b"\x08" + der for der in event.ders]
            if isinstance(event, messages.CertificateRequest):
                found += [b"\x08" + name for name in event.authorities]
    return found


def main() -> None:
    """Run libFuzzer with the arguments given."""
    known = seeds()

    def mutate(data: bytes, max_size: int, seed: int) -> bytes:
        start = known[seed // 16 % len(known)] if len(data) < 2 or seed % 16 == 0 else data
        return bytes(atheris.Mutate(start[:max_size], max_size))

    atheris.Setup(sys.argv, target, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
