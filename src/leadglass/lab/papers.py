"""The certificates of a hospital that does not exist, made anew at each start and kept nowhere else.

``ssl`` reads its own key from files only, so whoever makes papers gives a place for them: ``keep``
writes one private file and returns its path.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from leadglass.ports.world import Randomness

__all__ = ["Keep", "Pair", "Papers", "issue"]

Keep: TypeAlias = Callable[[str, bytes], str]
"""Keeps ``content`` under a name, readable by this user only, while the lab runs; returns the path."""

_Key: TypeAlias = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

_ORGANISATION = "Fictitious Hospital"
_LIFETIME = dt.timedelta(days=30)
_SKEW = dt.timedelta(hours=1)
_CRITICAL = (x509.BasicConstraints, x509.KeyUsage)
_SIGNS = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)
"""What an authority's key may do (RFC 5280 4.2.1.3)."""


class Pair(NamedTuple):
    """Paths of a certificate and its key, PEM."""

    certificate: str
    key: str


class Papers(NamedTuple):
    """Everything a lab shows or asks for."""

    authority: str
    """Path of the authority's certificate, PEM."""
    server: Pair
    """A P-256 key."""
    old_server: Pair
    """An RSA key, which the retired suites need."""
    client: Pair
    """What the servers with mutual TLS accept."""


class _Signed(NamedTuple):
    certificate: x509.Certificate
    key: _Key


def issue(addresses: Sequence[str], randomness: Randomness, moment: float, keep: Keep) -> Papers:
    """An authority, server certificates for ``addresses``, and a client's; ``moment`` is POSIX time."""
    serials = iter(range(int.from_bytes(randomness.token(8), "big"), 1 << 128))
    now = dt.datetime.fromtimestamp(moment, dt.UTC)

    def sign(name: str, key: _Key, by: _Signed | None, *extensions: x509.ExtensionType) -> _Signed:
        builder = _builder(name, key, by, now).serial_number(next(serials))
        for extension in (*extensions, *_identifiers(key, by)):
            builder = builder.add_extension(extension, critical=isinstance(extension, _CRITICAL))
        return _Signed(builder.sign(by.key if by else key, hashes.SHA256()), key)

    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(a)) for a in addresses])
    serving = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    calling = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
    authority = sign("Lab CA", _p256(), None, x509.BasicConstraints(ca=True, path_length=0), _SIGNS)
    return Papers(
        keep("authority.pem", _pem(authority)),
        _kept("server", sign("archive.example", _p256(), authority, names, serving), keep),
        _kept("old-server", sign("old-archive.example", _rsa(), authority, names, serving), keep),
        _kept("client", sign("CT scanner 1", _p256(), authority, calling), keep),
    )


def _identifiers(key: _Key, by: _Signed | None) -> tuple[x509.ExtensionType, ...]:
    """Whose key this is and whose signed it (RFC 5280 4.2.1.1, 4.2.1.2): Python 3.13 trusts no chain without."""
    signer = by.key if by else key
    return (
        x509.SubjectKeyIdentifier.from_public_key(key.public_key()),
        x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()),
    )


def _builder(name: str, key: _Key, by: _Signed | None, now: dt.datetime) -> x509.CertificateBuilder:
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, _ORGANISATION),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key.public_key())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + _LIFETIME)
    )


def _p256() -> _Key:
    return ec.generate_private_key(ec.SECP256R1())


def _rsa() -> _Key:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _pem(signed: _Signed) -> bytes:
    return signed.certificate.public_bytes(serialization.Encoding.PEM)


def _kept(name: str, signed: _Signed, keep: Keep) -> Pair:
    key = signed.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Pair(keep(f"{name}.pem", _pem(signed)), keep(f"{name}-key.pem", key))
