from __future__ import annotations

import hashlib
import ipaddress
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from leadglass.model.evidence import Certificate
from leadglass.probe.tls_certificate import certificate_facts, distinguished_name

SIGNER = ec.generate_private_key(ec.SECP256R1())

KEYS: dict[str, CertificatePublicKeyTypes] = {
    "RSA 2048": rsa.generate_private_key(65537, 2048).public_key(),
    "EC secp256r1": SIGNER.public_key(),
    "EC secp384r1": ec.generate_private_key(ec.SECP384R1()).public_key(),
    "Ed25519": ed25519.Ed25519PrivateKey.generate().public_key(),
    "Ed448": ed448.Ed448PrivateKey.generate().public_key(),
    "DSA 1024": dsa.generate_private_key(1024).public_key(),
    "unknown": x25519.X25519PrivateKey.generate().public_key(),
}


def name(*pairs: tuple[x509.ObjectIdentifier, str]) -> x509.Name:
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in pairs])


HOSPITAL = name((NameOID.ORGANIZATION_NAME, "Example Hospital"), (NameOID.COMMON_NAME, "Imaging CA"))


def paper(key: str = "EC secp256r1", subject: x509.Name = HOSPITAL, *sans: x509.GeneralName) -> bytes:
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(HOSPITAL)
        .public_key(KEYS[key])
        .serial_number(7)
        .not_valid_before(datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC))
        .not_valid_after(datetime(2051, 2, 3, tzinfo=UTC))
    )
    if sans:
        builder = builder.add_extension(x509.SubjectAlternativeName(sans), critical=False)
    return builder.sign(SIGNER, hashes.SHA256()).public_bytes(Encoding.DER)


def test_a_certificate_is_told_whole() -> None:
    der = paper(
        "EC secp256r1",
        name((NameOID.COUNTRY_NAME, "DE"), (NameOID.COMMON_NAME, "archive.example")),
        x509.DNSName("archive.example"),
        x509.IPAddress(ipaddress.ip_address("192.0.2.1")),
        x509.RFC822Name("pacs@example.org"),
        x509.UniformResourceIdentifier("https://example.org/"),
        x509.DirectoryName(HOSPITAL),
        x509.RegisteredID(x509.ObjectIdentifier("1.2.3")),
        x509.OtherName(x509.ObjectIdentifier("1.2.3"), b"\x05\x00"),
    )

    assert certificate_facts(der) == Certificate(
        subject="CN=archive.example,C=DE",
        issuer="CN=Imaging CA,O=Example Hospital",
        not_before="2001-02-03T04:05:06Z",
        not_after="2051-02-03T00:00:00Z",
        sans=(
            "archive.example",
            "192.0.2.1",
            "pacs@example.org",
            "https://example.org/",
            "CN=Imaging CA,O=Example Hospital",
        ),
        sha256=hashlib.sha256(der).hexdigest(),
        key="EC secp256r1",
    )


@pytest.mark.parametrize("key", KEYS)
def test_a_key_is_told_by_kind_and_size(key: str) -> None:
    assert certificate_facts(paper(key)).key == key


def test_letters_beyond_ascii_are_escaped_as_rfc_4514_says() -> None:
    subject = name((NameOID.ORGANIZATION_NAME, "Universitätsklinikum, Köln"))

    assert certificate_facts(paper("Ed25519", subject)).subject == r"O=Universit\C3\A4tsklinikum\, K\C3\B6ln"
    assert distinguished_name(subject.public_bytes()) == r"O=Universit\C3\A4tsklinikum\, K\C3\B6ln"


def test_control_characters_do_not_reach_a_terminal() -> None:
    subject = name((NameOID.COMMON_NAME, "a\x1b[31m\nb\x7f"))

    assert certificate_facts(paper("Ed25519", subject)).subject == r"CN=a\1B[31m\0Ab\7F"


def test_long_names_are_cut() -> None:
    subject = name(*[(NameOID.ORGANIZATIONAL_UNIT_NAME, "x" * 64)] * 20)

    assert len(certificate_facts(paper("Ed25519", subject)).subject) == 512


def test_at_most_a_hundred_alternative_names_are_kept() -> None:
    many = [x509.DNSName(f"{n}.example") for n in range(300)]

    sans = certificate_facts(paper("Ed25519", HOSPITAL, *many)).sans

    assert (len(sans), sans[0], sans[-1]) == (100, "0.example", "99.example")


def test_a_truncated_certificate_keeps_its_digest_and_nothing_else() -> None:
    der = paper()

    for size in range(len(der)):
        digest = hashlib.sha256(der[:size]).hexdigest()
        assert certificate_facts(der[:size]) == Certificate("", "", "", "", (), digest, "")


def broken(old: bytes, new: bytes) -> bytes:
    der = paper("EC secp256r1", HOSPITAL, x509.DNSName("archive.example"))
    assert len(old) == len(new)
    assert old in der
    return der.replace(old, new)


@pytest.mark.parametrize(
    ("what", "der", "field"),
    [
        ("a date that does not exist", broken(b"010203040506Z", b"019903040506Z"), None),
        ("text that is not what its type says", broken(b"Imaging CA", b"Imaging \xff\xff"), "subject"),
        ("a point that is not on its curve", broken(b"\x03\x42\x00\x04", b"\x03\x42\x00\x05"), "key"),
        (
            "a curve that nobody knows",
            broken(bytes.fromhex("2a8648ce3d030107"), bytes.fromhex("2a8648ce3d030177")),
            "key",
        ),
        ("an extension that is no list of names", broken(b"\x82\x0farchive", b"\x9f\x0farchive"), "sans"),
    ],
)
def test_one_broken_field_does_not_hide_the_others(what: str, der: bytes, field: str | None) -> None:
    facts = certificate_facts(der)

    assert facts.sha256 == hashlib.sha256(der).hexdigest()
    if field is not None:
        assert not getattr(facts, field)
        assert facts.not_after == "2051-02-03T00:00:00Z"


def test_old_habits_make_no_noise(recwarn: pytest.WarningsRecorder) -> None:
    serial = paper().replace(b"\x02\x01\x07", b"\x02\x01\xf7", 1)  # A negative serial number.

    assert certificate_facts(serial).key == "EC secp256r1"
    assert not recwarn.list


@pytest.mark.parametrize(
    ("der", "told"),
    [
        (HOSPITAL.public_bytes(), "CN=Imaging CA,O=Example Hospital"),
        (x509.Name([]).public_bytes(), ""),
        (b"", ""),
        (b"\x04\x01a", ""),
        (HOSPITAL.public_bytes() + b"\x00", ""),
        (HOSPITAL.public_bytes() * 2, ""),
        (bytes.fromhex("300e310c300a06035504031403e96162"), ""),  # A T61String that is Latin-1.
    ],
)
def test_a_name_is_told_as_rfc_4514_writes_it(der: bytes, told: str) -> None:
    assert distinguished_name(der) == told


def test_a_truncated_name_is_no_name() -> None:
    der = HOSPITAL.public_bytes()

    assert {distinguished_name(der[:size]) for size in range(len(der))} == {""}
