"""Certificates that should open no door, each wrong in one respect."""

from __future__ import annotations

import datetime as dt
import ssl
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from tests.peers.guarded import Guard

from leadglass.guard.enrol.authority import Authority, Stamp, serial_of

__all__ = ["FORGED", "context", "never_enrolled"]

_PEM = serialization.Encoding.PEM
_HOUR = dt.timedelta(hours=1)


def context(guard: Guard, folder: Path, certificate: bytes, key: bytes) -> ssl.SSLContext:
    """TLS that shows this certificate to the guard."""
    (folder / "cert.pem").write_bytes(certificate)
    (folder / "key.pem").write_bytes(key)
    made = guard.context(None)
    made.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return made


def never_enrolled(guard: Guard) -> tuple[bytes, bytes]:
    """In the name of WORK, signed by the guard's own authority, and on no roll."""
    return _genuine(guard, time.time())


def _ended(guard: Guard) -> tuple[bytes, bytes]:
    return _genuine(guard, time.time() - 2 * 86400)


def _genuine(guard: Guard, moment: float) -> tuple[bytes, bytes]:
    home = guard.home
    authority = Authority((home / "ca.pem").read_bytes(), (home / "ca.key").read_bytes(), "")
    stamp = Stamp(serial_of(b"x" * 20), moment)
    writ = authority.client("test guard", "work", stamp, moment + 3600, host=None, rsa_keys=False)
    return writ.certificate, writ.key


def _of_another_authority(guard: Guard) -> tuple[bytes, bytes]:
    other = trustme.CA(organization_name="test guard").issue_cert("work.example", common_name="work")
    return other.cert_chain_pems[0].bytes(), other.private_key_pem.bytes()


def _signed_by_itself(guard: Guard) -> tuple[bytes, bytes]:
    subject = _subject(guard, "work")
    key = ec.generate_private_key(ec.SECP256R1())
    return _signed(subject, subject, key, key).public_bytes(_PEM), _pem(key)


def _signed_by_a_client(guard: Guard) -> tuple[bytes, bytes]:
    certificate, file, _ = guard.papers("lab")
    signer = load_pem_private_key(file.read_bytes(), None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    made = _signed(_subject(guard, "work"), _subject(guard, "lab"), key, signer)
    return made.public_bytes(_PEM) + certificate.read_bytes(), _pem(key)


def _subject(guard: Guard, name: str) -> x509.Name:
    return x509.load_pem_x509_certificate(guard.papers(name)[0].read_bytes()).subject


def _signed(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
) -> x509.Certificate:
    now = dt.datetime.now(tz=dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - _HOUR)
        .not_valid_after(now + _HOUR)
    )
    return builder.sign(signer, hashes.SHA256())


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


FORGED: Mapping[str, Callable[[Guard], tuple[bytes, bytes]]] = {
    "of another authority": _of_another_authority,
    "signed by itself": _signed_by_itself,
    "signed by another client": _signed_by_a_client,
    "whose time is over": _ended,
}
"""What TLS itself refuses: makers of certificate and key, PEM."""
