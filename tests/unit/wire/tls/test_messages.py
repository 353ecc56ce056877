from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.unit.wire.tls.captured import captured

from leadglass.errors import RemoteProtocolError
from leadglass.wire.tls.messages import (
    Alert,
    CertificateRequest,
    Certificates,
    ServerHello,
    alert,
    certificate_request,
    certificate_request_13,
    certificates,
    certificates_13,
    server_hello,
    version_name,
)

RANDOM = "11" * 32

# RFC 5246 7.4.1.3, field by field.
SERVER_HELLO = bytes.fromhex(
    "0303"  # server_version: TLS 1.2
    f"{RANDOM}"
    "04 aabbccdd"  # session_id
    "c02f"  # cipher_suite
    "00"  # compression_method: null
    "0015"  # extensions
    "ff01 0001 00"  # renegotiation_info, empty
    "0017 0000"  # extended_master_secret
    "0010 0008 0006 05 68322d3134"  # ALPN, one name
)

# RFC 6101 5.6.1.3: no extensions in SSL 3.0.
SERVER_HELLO_SSL3 = bytes.fromhex(f"0300 {RANDOM} 00 000a 00")

# RFC 5246 7.4.2: 3 bytes of length before the chain and before each certificate.
CERTIFICATE = bytes.fromhex("000009 000003 aabbcc 000000")

# RFC 5246 7.4.4.
CERTIFICATE_REQUEST = bytes.fromhex(
    "02 01 40"  # certificate_types: rsa_sign, ecdsa_sign
    "0004 0401 0403"  # supported_signature_algorithms
    "000a 0002 3000 0004 30023100"  # certificate_authorities, two names in DER
)

# RFC 4346 7.4.4: before TLS 1.2 there are no signature algorithms.
CERTIFICATE_REQUEST_11 = bytes.fromhex("02 01 40 0004 0002 3000")

# RFC 8446 4.3.2.
CERTIFICATE_REQUEST_13 = bytes.fromhex(
    "00"  # certificate_request_context, empty in the handshake
    "0014"  # extensions
    "000d 0006 0004 0403 0804"  # signature_algorithms
    "002f 0006 0004 0002 3000"  # certificate_authorities
)


def certificates_of_13() -> bytes:
    first = bytes.fromhex("000003 aabbcc 0004 00120000")
    second = bytes.fromhex("000001 dd 0000")
    return b"\x00" + len(first + second).to_bytes(3) + first + second


def test_server_hello_tells_version_suite_protocol_and_extensions() -> None:
    assert server_hello(SERVER_HELLO) == ServerHello(0x0303, 0xC02F, b"h2-14", (0xFF01, 0x17, 0x10))


def test_server_hello_of_ssl3_has_no_extensions() -> None:
    assert server_hello(SERVER_HELLO_SSL3) == ServerHello(0x0300, 0x000A)


def test_server_hello_of_tls13_hides_its_version_in_an_extension() -> None:
    hello = server_hello(captured("tls13-server-hello.body"))

    assert (hello.version, hello.suite) == (0x0304, 0x1302)
    assert hello.extensions == (43, 51)


def test_a_hello_retry_request_chooses_like_a_server_hello() -> None:
    random = "cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c"  # RFC 8446 4.1.3
    body = bytes.fromhex(f"0303 {random} 00 1301 00 000c 002b 0002 0304 0033 0002 0017")

    assert server_hello(body) == ServerHello(0x0304, 0x1301, None, (43, 51))


def test_certificate_is_a_chain_leaf_first() -> None:
    assert certificates(CERTIFICATE) == Certificates((b"\xaa\xbb\xcc", b""))
    assert certificates(bytes(3)) == Certificates(())


def test_certificate_of_tls13_has_extensions_between() -> None:
    assert certificates_13(certificates_of_13()) == Certificates((b"\xaa\xbb\xcc", b"\xdd"))


def test_certificate_of_tls13_as_nginx_sends_it() -> None:
    (der,) = certificates_13(captured("tls13-certificate.body")).ders

    assert der[:2] == b"\x30\x82"
    assert len(der) == 4 + int.from_bytes(der[2:4])


def test_certificate_request_tells_types_algorithms_and_authorities() -> None:
    names = (b"\x30\x00", b"\x30\x02\x31\x00")

    assert certificate_request(CERTIFICATE_REQUEST, 0x0303) == CertificateRequest(
        (1, 64), (0x0401, 0x0403), names
    )


@pytest.mark.parametrize("version", [0x0300, 0x0301, 0x0302])
def test_certificate_request_before_tls12_has_no_algorithms(version: int) -> None:
    assert certificate_request(CERTIFICATE_REQUEST_11, version) == CertificateRequest(
        (1, 64), (), (b"\x30\x00",)
    )


def test_certificate_request_of_tls13_is_all_extensions() -> None:
    found = certificate_request_13(CERTIFICATE_REQUEST_13)

    assert found == CertificateRequest((), (0x0403, 0x0804), (b"\x30\x00",))


def test_certificate_request_of_tls13_may_list_no_authorities() -> None:
    assert certificate_request_13(bytes.fromhex("00 0000")) == CertificateRequest()


def test_certificate_request_of_tls13_as_nginx_sends_it() -> None:
    found = certificate_request_13(captured("tls13-certificate-request.body"))

    assert [b"Example Hospital" in name for name in found.authorities] == [True, False]
    assert b"Second Vendor" in found.authorities[1]
    assert 0x0804 in found.signature_algorithms


def test_alerts_have_names_and_numbers() -> None:
    assert alert(b"\x02\x74") == Alert(2, 116)
    assert alert(b"\x02\x74").name == "certificate_required(116)"
    assert alert(b"\x02\x28").name == "handshake_failure(40)"
    assert alert(b"\x02\xc8").name == "unknown(200)"


@pytest.mark.parametrize(
    ("payload", "ends"), [(b"\x02\x28", True), (b"\x01\x00", True), (b"\x01\x70", False)]
)
def test_a_fatal_alert_and_close_notify_end_the_connection(payload: bytes, ends: bool) -> None:
    assert alert(payload).ends is ends


def test_versions_have_the_names_that_openssl_gives_them() -> None:
    assert [version_name(v) for v in range(0x0300, 0x0306)] == [
        *("SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"),
        "unknown(0x0305)",
    ]


def request_12(body: bytes) -> CertificateRequest:
    return certificate_request(body, 0x0303)


def request_11(body: bytes) -> CertificateRequest:
    return certificate_request(body, 0x0302)


WHOLE: list[tuple[Callable[[bytes], object], bytes]] = [
    (server_hello, SERVER_HELLO),
    (server_hello, SERVER_HELLO_SSL3),
    (server_hello, captured("tls13-server-hello.body")),
    (certificates, CERTIFICATE),
    (certificates_13, certificates_of_13()),
    (certificates_13, captured("tls13-certificate.body")),
    (request_12, CERTIFICATE_REQUEST),
    (request_11, CERTIFICATE_REQUEST_11),
    (certificate_request_13, CERTIFICATE_REQUEST_13),
    (certificate_request_13, captured("tls13-certificate-request.body")),
    (alert, b"\x02\x28"),
]


def short_of(decode: Callable[[bytes], object], body: bytes) -> set[int]:
    """The lengths at which a truncated body is still taken."""
    taken = set()
    for size in range(len(body)):
        try:
            decode(body[:size])
        except RemoteProtocolError:
            continue
        taken.add(size)
    return taken


@pytest.mark.parametrize(("decode", "body"), WHOLE)
def test_a_truncated_body_is_malformed_at_every_length(
    decode: Callable[[bytes], object], body: bytes
) -> None:
    # Without extensions a ServerHello ends before them, which is an older server's right; and TLS 1.2
    # servers are seen that leave out an empty list of authorities.
    extensions_begin = {body.index(b"\xc0\x2f\x00") + 3} if body is SERVER_HELLO else set[int]()
    if body == captured("tls13-server-hello.body"):
        extensions_begin = {2 + 32 + 1 + 32 + 3}
    if body is CERTIFICATE_REQUEST:
        extensions_begin = {3 + 6}

    assert short_of(decode, body) == extensions_begin


@pytest.mark.parametrize(("decode", "body"), WHOLE)
def test_a_body_with_trailing_bytes_is_malformed(decode: Callable[[bytes], object], body: bytes) -> None:
    decode(body)
    with pytest.raises(RemoteProtocolError):
        decode(body + b"\x00")


@pytest.mark.parametrize(
    ("name", "decode", "body"),
    [
        ("a session id of 33 bytes", server_hello, f"0303 {RANDOM} 21 {'00' * 33} c02f 00"),
        ("an extension twice", server_hello, f"0303 {RANDOM} 00 c02f 00 0008 00170000 00170000"),
        ("ALPN with two names", server_hello, f"0303 {RANDOM} 00 c02f 00 000a 0010 0006 0004 01 61 01 62"),
        ("ALPN with no name", server_hello, f"0303 {RANDOM} 00 c02f 00 0006 0010 0002 0000"),
        ("a selected version of 3 bytes", server_hello, f"0303 {RANDOM} 00 c02f 00 0007 002b 0003 030400"),
        ("33 certificates", certificates, f"000063 {'000000' * 33}"),
        ("an odd list of algorithms", request_12, "00 0003 040104 0000"),
        ("1025 authorities", request_11, f"00 0802 {'0000' * 1025}"),
        ("an alert of level 0", alert, "00 28"),
        ("two alerts in a record", alert, "02 28 02 28"),
        ("an encrypted alert", alert, "00" * 24),
    ],
)
def test_a_body_that_breaks_the_standard_is_malformed(
    name: str, decode: Callable[[bytes], object], body: str
) -> None:
    with pytest.raises(RemoteProtocolError):
        decode(bytes.fromhex(body))
