"""A time-stamping authority (RFC 3161): ``openssl ts`` behind a small web server on loopback, honest or not."""

from __future__ import annotations

import contextlib
import datetime as dt
import http.server
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

__all__ = ["Answer", "Authority", "Signer", "reply", "reply_of_another", "serving", "signer"]

_CONFIG = """
[tsa]
default_tsa = one
[one]
serial = {home}/serial
crypto_device = builtin
signer_cert = {home}/signer.pem
certs = {home}/chain.pem
signer_key = {home}/signer.key
signer_digest = sha256
default_policy = 1.3.6.1.4.1.99999.1
digests = sha256
accuracy = secs:1
ordering = yes
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs: a certificate of an intermediate authority, below a root."""

    home: Path
    roots: Path
    """PEM of the root."""


@dataclass(slots=True)
class Authority:
    """One that is served."""

    url: str
    asked: list[tuple[str, bytes]]
    """Content type and body of each request."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server says."""

    body: bytes
    kind: str = "application/timestamp-reply"
    status: int = 200
    location: str = ""
    is_endless: bool = False
    """It says that more comes, and nothing does."""


Answering: TypeAlias = Callable[[bytes], Answer]


def signer(
    home: Path,
    *,
    usage: x509.ObjectIdentifier = ExtendedKeyUsageOID.TIME_STAMPING,
    until: dt.datetime | None = None,
) -> Signer:
    """Make a root, an authority below it and a certificate for time stamps below that, in ``home``.

    The authority's certificate is shorter than the signer's, which OpenSSL writes first: that is not DER's order.
    """
    home.mkdir(parents=True, exist_ok=True)
    now = dt.datetime.now(dt.UTC)
    end = until or now + 365 * _DAY
    root_key, middle_key, own_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    root = _certificate("Root", root_key, "Root", root_key, now + 3650 * _DAY)
    middle = _certificate("Middle", middle_key, "Root", root_key, now + 3650 * _DAY)
    own = _certificate("Clock", own_key, "Middle", middle_key, end, usage)
    (home / "root.pem").write_bytes(root.public_bytes(Encoding.PEM))
    (home / "chain.pem").write_bytes(middle.public_bytes(Encoding.PEM))
    (home / "signer.pem").write_bytes(own.public_bytes(Encoding.PEM))
    (home / "signer.key").write_bytes(
        own_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    (home / "serial").write_text("01\n")
    (home / "tsa.cnf").write_text(_CONFIG.format(home=home))
    return Signer(home, home / "root.pem")


def reply(signer: Signer, request: bytes) -> bytes:
    """What ``openssl ts`` answers to a request."""
    asked, said = signer.home / "asked.tsq", signer.home / "said.tsr"
    asked.write_bytes(request)
    subprocess.run(
        ["openssl", "ts", "-reply", "-config", signer.home / "tsa.cnf", "-queryfile", asked, "-out", said],
        check=True,
        capture_output=True,
    )
    return said.read_bytes()


def reply_of_another(honest: Signer, other: Signer, request: bytes) -> bytes:
    """What ``honest`` would say, signed with the certificate of ``other``, which ``openssl ts`` would not use."""
    home = other.home
    (home / "said.tsr").write_bytes(reply(honest, request))
    for words in (
        ("ts", "-reply", "-in", "said.tsr", "-token_out", "-out", "token.der"),
        (
            "cms",
            "-verify",
            "-noverify",
            "-nosigs",
            "-inform",
            "DER",
            "-in",
            "token.der",
            "-binary",
            "-out",
            "info.der",
        ),
        (
            *("cms", "-sign", "-binary", "-nodetach", "-econtent_type", "1.2.840.113549.1.9.16.1.4"),
            *("-outform", "DER", "-md", "sha256", "-cades", "-signer", "signer.pem", "-inkey", "signer.key"),
            *("-in", "info.der", "-out", "forged.der"),
        ),
    ):
        subprocess.run(["openssl", *words], cwd=home, check=True, capture_output=True)
    token = (home / "forged.der").read_bytes()
    status = bytes.fromhex("3003020100")
    length = len(status) + len(token)
    return b"\x30\x82" + length.to_bytes(2, "big") + status + token


@contextlib.contextmanager
def serving(answering: Answering, tls: ssl.SSLContext | None = None) -> Iterator[Authority]:
    """Serve on loopback what ``answering`` says to each request, over ``tls`` if it is given."""
    asked: list[tuple[str, bytes]] = []
    done = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            asked.append((self.headers["Content-Type"], body))
            answer = answering(body)
            self.send_response(answer.status)
            if answer.kind:
                self.send_header("Content-Type", answer.kind)
            if answer.location:
                self.send_header("Location", answer.location)
            self.send_header("Content-Length", str(len(answer.body) + answer.is_endless))
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(answer.body)
            if answer.is_endless:
                done.wait(20)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            scheme = "http" if tls is None else "https"
            yield Authority(f"{scheme}://127.0.0.1:{server.server_port}/tsr", asked)
        finally:
            done.set()
            server.shutdown()
            thread.join()


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    signing: ec.EllipticCurvePrivateKey,
    until: dt.datetime,
    usage: x509.ObjectIdentifier | None = None,
) -> x509.Certificate:
    built = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(dt.datetime.now(dt.UTC) - 30 * _DAY)
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=usage is None, path_length=None), critical=True)
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(key.public_key()),
            critical=False,
        )
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()),
            critical=False,
        )
        .add_extension(_key_usage(is_authority=usage is None), critical=True)
    )
    if usage is not None:
        built = built.add_extension(x509.ExtendedKeyUsage([usage]), critical=True)
    return built.sign(signing, hashes.SHA256())


def _key_usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        encipher_only=False,
        decipher_only=False,
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Example {text}")])
