"""The guard's authority: what its certificates say, for whom, until when, and what it withdraws."""

from __future__ import annotations

import datetime as dt
import hashlib
import ipaddress

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from tests.unit.guard.enrol.papers import MOMENT, authority, client, root, server, stamp

from leadglass.errors import ConfigError
from leadglass.guard.enrol.authority import SERIAL_BYTES, Authority, Withdrawn, Writ, serial_of

NOW = dt.datetime.fromtimestamp(MOMENT, dt.UTC)


def read(writ: Writ) -> x509.Certificate:
    return x509.load_pem_x509_certificate(writ.certificate)


def usages(writ: Writ) -> set[x509.ObjectIdentifier]:
    return set(read(writ).extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)


def common_name(writ: Writ) -> str | bytes:
    return read(writ).subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value


def lifetime(writ: Writ) -> dt.timedelta:
    return read(writ).not_valid_after_utc - NOW


def test_the_root_signs_leaves_and_lists_and_nothing_else_for_ten_years() -> None:
    certificate = read(root())
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage)

    certificate.verify_directly_issued_by(certificate)
    assert (constraints.critical, constraints.value.ca, constraints.value.path_length) == (True, True, 0)
    assert (usage.critical, usage.value.key_cert_sign, usage.value.crl_sign) == (True, True, True)
    assert not usage.value.digital_signature
    assert lifetime(root()) == dt.timedelta(days=3650)


def test_what_is_told_of_a_certificate_is_what_stands_in_it() -> None:
    writ = client()
    certificate = read(writ)

    assert writ.fingerprint == hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()
    assert writ.serial == certificate.serial_number
    assert writ.not_after == certificate.not_valid_after_utc.timestamp()
    assert writ.not_before == certificate.not_valid_before_utc.timestamp() == MOMENT - 3600
    assert load_pem_private_key(writ.key, None).public_key() == certificate.public_key()
    assert "PRIVATE" not in repr(writ)


def test_a_client_may_call_and_not_serve_until_it_listens() -> None:
    assert usages(client()) == {ExtendedKeyUsageOID.CLIENT_AUTH}
    with pytest.raises(x509.ExtensionNotFound):
        read(client()).extensions.get_extension_for_class(x509.SubjectAlternativeName)

    listening = client(host="ws3.example.org")
    names = read(listening).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert usages(listening) == {ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH}
    assert names.get_values_for_type(x509.DNSName) == ["ws3.example.org"]


def test_the_guard_may_do_both_under_each_of_its_names() -> None:
    names = read(server()).extensions.get_extension_for_class(x509.SubjectAlternativeName).value

    assert usages(server()) == {ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH}
    assert names.get_values_for_type(x509.DNSName) == ["guard.example.org"]
    assert names.get_values_for_type(x509.IPAddress) == [
        ipaddress.ip_address("192.0.2.1"),
        ipaddress.ip_address("2001:db8::1"),
    ]
    assert lifetime(server()) == dt.timedelta(days=825)


@pytest.mark.parametrize("made", [client(), server()])
def test_a_leaf_is_signed_by_the_root_and_signs_nothing(made: Writ) -> None:
    certificate = read(made)

    certificate.verify_directly_issued_by(read(root()))
    assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert not certificate.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    assert not certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).critical


def test_no_certificate_outlives_the_root() -> None:
    assert client(days=9999).not_after == root().not_after


@pytest.mark.parametrize("name", ["ct-1", "a" * 64])
def test_a_certificate_carries_the_enrolled_name(name: str) -> None:
    assert common_name(client(name)) == name


def test_long_names_of_guards_are_cut_to_what_a_certificate_holds() -> None:
    made = authority().server("x" * 100, ["h" * 60 + ".example.org"], stamp())
    organisation = read(made).subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value

    assert organisation == "x" * 64
    assert len(common_name(made)) == 64


def test_keys_are_p256_unless_a_device_or_its_site_needs_rsa() -> None:
    guard, until = authority(), MOMENT + 86_400
    asked = guard.client("guard", "old", stamp(), until, host=None, rsa_keys=True)
    site = authority(rsa=True)
    leaves = [site.server("guard", ["a.example.org"], stamp())]
    leaves += [site.client("guard", "old", stamp(), until, host=None, rsa_keys=False)]

    key = read(client()).public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert isinstance(key.curve, ec.SECP256R1)
    for old in (asked, *leaves):
        modulus = read(old).public_key()
        assert isinstance(modulus, rsa.RSAPublicKey)
        assert modulus.key_size == 2048
    assert (site.uses_rsa, guard.uses_rsa) == (True, False)
    assert read(root(rsa=True)).public_key().key_size == 3072  # type: ignore[union-attr]  # it is RSA


def test_the_list_names_what_was_revoked_and_is_signed_by_the_root() -> None:
    lost = client()
    made = authority().revocations([Withdrawn(lost.serial, int(MOMENT))], MOMENT)
    crl = x509.load_pem_x509_crl(made)
    entry = crl.get_revoked_certificate_by_serial_number(lost.serial)

    assert crl.is_signature_valid(read(root()).public_key())  # type: ignore[arg-type]  # one that signs
    assert entry is not None
    assert entry.revocation_date_utc == NOW
    assert crl.get_revoked_certificate_by_serial_number(server().serial) is None
    assert crl.next_update_utc == read(root()).not_valid_after_utc


def test_a_list_may_be_empty() -> None:
    assert len(x509.load_pem_x509_crl(authority().revocations([], MOMENT))) == 0


@pytest.mark.parametrize("token", [bytes(SERIAL_BYTES), b"\xff" * SERIAL_BYTES, b"\x00" * 19 + b"\x01"])
def test_any_random_bytes_make_a_serial_number_that_a_certificate_may_have(token: bytes) -> None:
    serial = serial_of(token)

    assert 0 < serial < 1 << 159
    writ = authority().client(
        "guard", "ct-1", stamp()._replace(serial=serial), MOMENT + 1, host=None, rsa_keys=False
    )
    assert writ.serial == serial


def pem(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey, password: bytes | None = None) -> bytes:
    secret = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, secret)


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (b"", "cannot be read"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "cannot be read"),
        (pem(ec.generate_private_key(ec.SECP256R1()), b"secret"), "cannot be read"),
        (pem(ed25519.Ed25519PrivateKey.generate()), "cannot be read"),
        (pem(ec.generate_private_key(ec.SECP256R1())), "not that of the authority's certificate"),
    ],
)
def test_a_key_that_is_not_the_authoritys_is_refused(key: bytes, said: str) -> None:
    with pytest.raises(ConfigError, match=f"ca.pem, ca.key: .*{said}"):
        Authority(root().certificate, key, "ca.pem, ca.key")


def test_a_certificate_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        Authority(b"-----BEGIN CERTIFICATE-----\n", root().key, "ca.pem")
