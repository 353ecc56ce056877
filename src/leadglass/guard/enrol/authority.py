"""The guard's own small certificate authority (RFC 5280).

One root signs everything: the guard's certificate, and one for each device, service or person. Elliptic
curves are the rule, because a handshake costs a tenth; RSA is there for devices that know nothing else.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from leadglass.errors import ConfigError

__all__ = ["SERIAL_BYTES", "Authority", "Stamp", "Withdrawn", "Writ", "new_authority", "serial_of"]

SERIAL_BYTES = 20
"""Random bytes for one serial number (RFC 5280 4.1.2.2)."""

_ROOT_DAYS = 3650
_SERVER_DAYS = 825
"""Longer than that, the programs of one large vendor believe no server."""
_SKEW = 3600
"""Seconds by which a device's clock may be behind ours."""
_MOST = 64
"""Characters in a common name or organisation name (RFC 5280 A.1)."""
_CRITICAL = (x509.BasicConstraints, x509.KeyUsage)
_CALLING, _SERVING = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH

_Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class Stamp(NamedTuple):
    """What a certificate needs that is not decided here."""

    serial: int
    """A number of ``serial_of``, another one for each certificate."""
    moment: float
    """Now, POSIX seconds."""


@dataclass(frozen=True, slots=True)
class Writ:
    """A certificate with its key; times are POSIX seconds."""

    certificate: bytes
    """PEM."""
    key: bytes = field(repr=False)
    """PEM, PKCS #8, not encrypted."""
    fingerprint: str
    """SHA-256 of the certificate, hexadecimal."""
    serial: int
    not_before: int
    not_after: int


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A certificate that was revoked at ``at``, POSIX seconds."""

    serial: int
    at: int


def serial_of(token: bytes) -> int:
    """A serial number out of ``SERIAL_BYTES`` random bytes: positive, and 20 octets at most."""
    return int.from_bytes(token, "big") >> 1 or 1


def new_authority(name: str, stamp: Stamp, *, rsa_keys: bool = False) -> Writ:
    """A root for the guard called ``name``, for ten years."""
    key = _new_key(rsa_keys, bits=3072)
    subject = _name(name, "Leadglass guard CA")
    until = int(stamp.moment) + _days(_ROOT_DAYS)
    builder = _extended(
        _builder(subject, key, stamp, until).issuer_name(subject),
        x509.BasicConstraints(ca=True, path_length=0),
        _usage(signs=True),
        x509.SubjectKeyIdentifier.from_public_key(key.public_key()),
    )
    return _writ(builder.sign(key, hashes.SHA256()), key)


class Authority:
    """A root with its key, ready to sign."""

    def __init__(self, certificate: bytes, key: bytes, where: str) -> None:
        """Read PEM; ``ConfigError`` at ``where`` if these are not an authority and its key."""
        try:
            self._root = x509.load_pem_x509_certificate(certificate)
            self._key = _read_key(key)
        except (ValueError, TypeError, UnsupportedAlgorithm) as exc:
            raise ConfigError(
                "the authority's certificate or key cannot be read",
                where=where,
                then="bring back the files that guard init wrote",
            ) from exc
        if self._root.public_key() != self._key.public_key():
            raise ConfigError("this key is not that of the authority's certificate", where=where)
        self.uses_rsa = isinstance(self._key, rsa.RSAPrivateKey)
        """Its site has devices that know no elliptic curves."""

    def server(self, name: str, hosts: Sequence[str], stamp: Stamp) -> Writ:
        """The certificate of the guard called ``name``, which clients reach under ``hosts``.

        It is for calling too: the guard sends to devices that listen.
        """
        until = int(stamp.moment) + _days(_SERVER_DAYS)
        subject, usages = _name(name, hosts[0]), (_SERVING, _CALLING)
        return self._sign(subject, stamp, until, hosts=hosts, usages=usages, rsa_keys=self.uses_rsa)

    def client(
        self, guard: str, name: str, stamp: Stamp, until: float, *, host: str | None, rsa_keys: bool
    ) -> Writ:
        """The certificate of whoever was enrolled as ``name`` with the guard called ``guard``.

        ``host``: where it listens for what the archive sends to it; only with one it may serve, since
        whoever may serve could pass for the guard to a client that checks no names.
        """
        usages = (_CALLING,) if host is None else (_CALLING, _SERVING)
        hosts = () if host is None else (host,)
        subject, rsa_keys = _name(guard, name), rsa_keys or self.uses_rsa
        return self._sign(subject, stamp, int(until), hosts=hosts, usages=usages, rsa_keys=rsa_keys)

    def revocations(self, withdrawn: Iterable[Withdrawn], moment: float) -> bytes:
        """The list of revoked certificates (RFC 5280 5), PEM, for programs that know no roll.

        It is good until the root ends, because a new one is written with each revocation.
        """
        number = x509.CRLNumber(int(moment))
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self._root.subject)
            .last_update(_time(moment))
            .next_update(self._root.not_valid_after_utc)
            .add_extension(number, critical=False)
            .add_extension(issuer, critical=False)
        )
        for one in withdrawn:
            entry = x509.RevokedCertificateBuilder().serial_number(one.serial).revocation_date(_time(one.at))
            builder = builder.add_revoked_certificate(entry.build())
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def _sign(
        self,
        subject: x509.Name,
        stamp: Stamp,
        until: int,
        *,
        hosts: Sequence[str],
        usages: Sequence[x509.ObjectIdentifier],
        rsa_keys: bool,
    ) -> Writ:
        key = _new_key(rsa_keys, bits=2048)
        end = min(until, int(self._root.not_valid_after_utc.timestamp()))
        names = [x509.SubjectAlternativeName([_general(host) for host in hosts])] if hosts else []
        builder = _extended(
            _builder(subject, key, stamp, end).issuer_name(self._root.subject),
            x509.BasicConstraints(ca=False, path_length=None),
            _usage(signs=False),
            x509.ExtendedKeyUsage(usages),
            x509.SubjectKeyIdentifier.from_public_key(key.public_key()),
            x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
            *names,
        )
        return _writ(builder.sign(self._key, hashes.SHA256()), key)


def _builder(subject: x509.Name, key: _Key, stamp: Stamp, until: int) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key.public_key())
        .serial_number(stamp.serial)
        .not_valid_before(_time(int(stamp.moment) - _SKEW))
        .not_valid_after(_time(until))
    )


def _extended(builder: x509.CertificateBuilder, *extensions: x509.ExtensionType) -> x509.CertificateBuilder:
    for extension in extensions:
        builder = builder.add_extension(extension, critical=isinstance(extension, _CRITICAL))
    return builder


def _usage(*, signs: bool) -> x509.KeyUsage:
    """An authority signs certificates and lists; everybody else signs handshakes (RFC 5280 4.2.1.3)."""
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def _name(organisation: str, common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation[:_MOST]),
            x509.NameAttribute(NameOID.COMMON_NAME, common[:_MOST]),
        ]
    )


def _general(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _new_key(rsa_keys: bool, bits: int) -> _Key:
    if rsa_keys:
        return rsa.generate_private_key(public_exponent=65537, key_size=bits)
    return ec.generate_private_key(ec.SECP256R1())


def _read_key(pem: bytes) -> _Key:
    key = serialization.load_pem_private_key(pem, None)
    if not isinstance(key, _Key):
        raise TypeError("a key of another kind")
    return key


def _writ(certificate: x509.Certificate, key: _Key) -> Writ:
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Writ(
        certificate=certificate.public_bytes(serialization.Encoding.PEM),
        key=secret,
        fingerprint=certificate.fingerprint(hashes.SHA256()).hex(),
        serial=certificate.serial_number,
        not_before=int(certificate.not_valid_before_utc.timestamp()),
        not_after=int(certificate.not_valid_after_utc.timestamp()),
    )


def _time(posix: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(int(posix), dt.UTC)


def _days(count: int) -> int:
    return count * 86_400
