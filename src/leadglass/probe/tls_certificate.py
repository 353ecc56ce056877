"""Certificates and names as facts, however broken they are.

A server's certificate is evidence, not something we trust: nothing is verified here, and a field that
cannot be read is left empty while the others are kept. The digest is always there. An endpoint shows the
same certificate in conversation after conversation, so the latest are remembered.
"""

from __future__ import annotations

import functools
import hashlib
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa

from leadglass.model.evidence import Certificate, clean

__all__ = ["certificate_facts", "distinguished_name"]

_MAX_NAME = 512
_MAX_SANS = 100
_MAX_SAN = 253
"""Characters; no DNS name is longer (RFC 1035 2.3.4)."""

_UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""What ``cryptography`` raises at certificates that break the rules."""


@functools.lru_cache(maxsize=128)
def certificate_facts(der: bytes) -> Certificate:
    """The facts of one certificate in DER; what cannot be read is the empty string."""
    sha256 = hashlib.sha256(der).hexdigest()
    with _quiet():
        try:
            certificate = x509.load_der_x509_certificate(der)
        except _UNREADABLE:
            return Certificate("", "", "", "", (), sha256, "")
        return Certificate(
            subject=_read(lambda: _rfc4514(certificate.subject)),
            issuer=_read(lambda: _rfc4514(certificate.issuer)),
            not_before=_read(lambda: _iso(certificate.not_valid_before_utc)),
            not_after=_read(lambda: _iso(certificate.not_valid_after_utc)),
            sans=_sans(certificate),
            sha256=sha256,
            key=_read(lambda: _key(certificate)),
        )


@functools.lru_cache(maxsize=256)
def distinguished_name(der: bytes) -> str:
    """A Name in DER as RFC 4514 writes it, e.g. ``CN=Example CA,O=Example``; empty if it cannot be read.

    ``cryptography`` reads names only inside other things, so the name is set into the smallest of them, a
    certification request (RFC 2986 4.1) whose key and signature nobody looks at.
    """
    with _quiet():
        return _read(lambda: _rfc4514(x509.load_der_x509_csr(_request_for(der)).subject))


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the library's complaints about old habits: they are the peer's, and not for our terminal."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _read(field: Callable[[], str]) -> str:
    try:
        return field()
    except _UNREADABLE:
        return ""


def _rfc4514(name: x509.Name) -> str:
    return _printable(name.rfc4514_string(), _MAX_NAME)


def _printable(text: str, limit: int) -> str:
    r"""Beyond ASCII, and control characters, as the hex pairs of RFC 4514 2.4: ``\C3\A9`` for é."""
    return clean(
        "".join(c if c.isascii() and c.isprintable() else _hex_pairs(c) for c in text[:limit]), limit
    )


def _hex_pairs(character: str) -> str:
    return "".join(f"\\{octet:02X}" for octet in character.encode("utf-8", "surrogatepass"))


def _iso(moment: datetime) -> str:
    return f"{moment.replace(tzinfo=None).isoformat()}Z"


def _key(certificate: x509.Certificate) -> str:
    match certificate.public_key():
        case rsa.RSAPublicKey() as key:
            return f"RSA {key.key_size}"
        case ec.EllipticCurvePublicKey() as key:
            return f"EC {key.curve.name}"
        case dsa.DSAPublicKey() as key:
            return f"DSA {key.key_size}"
        case ed25519.Ed25519PublicKey():
            return "Ed25519"
        case ed448.Ed448PublicKey():
            return "Ed448"
        case _:
            return "unknown"


def _sans(certificate: x509.Certificate) -> tuple[str, ...]:
    """Subject alternative names: DNS names, addresses, e-mail addresses, URIs and directory names."""
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (*_UNREADABLE, x509.ExtensionNotFound):
        return ()
    names = (_san(name) for name in list(extension.value)[:_MAX_SANS])
    return tuple(name for name in names if name)


def _san(name: x509.GeneralName) -> str:
    match name:
        case x509.DirectoryName(value=value):
            return _read(lambda: _rfc4514(value))
        case x509.RegisteredID() | x509.OtherName():
            return ""
        case _:
            return _printable(str(name.value), _MAX_SAN)


def _request_for(name: bytes) -> bytes:
    algorithm = _der(0x30, bytes.fromhex("06032b6570"))  # Ed25519 (RFC 8410 3)
    key = _der(0x30, algorithm + _der(0x03, bytes(33)))
    info = _der(0x30, bytes.fromhex("020100") + name + key + _der(0xA0, b""))
    return _der(0x30, info + algorithm + _der(0x03, bytes(65)))


def _der(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(length))) + length + content
