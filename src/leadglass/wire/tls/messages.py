"""Handshake message bodies and alerts, turned into values (RFC 5246 7, RFC 8446 4).

Each decoder takes one complete body, so a field that is too short is malformed, never incomplete.
They serve the plain flight of ``flight`` and, for TLS 1.3, what OpenSSL's observer hands over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from leadglass.errors import RemoteProtocolError

__all__ = [
    "ALERTS",
    "Alert",
    "CertificateRequest",
    "Certificates",
    "Message",
    "ServerHello",
    "ServerHelloDone",
    "Skipped",
    "alert",
    "certificate_request",
    "certificate_request_13",
    "certificates",
    "certificates_13",
    "server_hello",
    "version_name",
]

_MAX_CERTIFICATES = 32
_MAX_CAS = 1024
"""Far above what a server lists: a whole CA bundle has about 150 names."""

_VERSIONS = {0x0300: "SSLv3", 0x0301: "TLSv1", 0x0302: "TLSv1.1", 0x0303: "TLSv1.2", 0x0304: "TLSv1.3"}

ALERTS = {
    0: "close_notify",
    10: "unexpected_message",
    20: "bad_record_mac",
    21: "decryption_failed",
    22: "record_overflow",
    30: "decompression_failure",
    40: "handshake_failure",
    41: "no_certificate",
    42: "bad_certificate",
    43: "unsupported_certificate",
    44: "certificate_revoked",
    45: "certificate_expired",
    46: "certificate_unknown",
    47: "illegal_parameter",
    48: "unknown_ca",
    49: "access_denied",
    50: "decode_error",
    51: "decrypt_error",
    60: "export_restriction",
    70: "protocol_version",
    71: "insufficient_security",
    80: "internal_error",
    86: "inappropriate_fallback",
    90: "user_canceled",
    100: "no_renegotiation",
    109: "missing_extension",
    110: "unsupported_extension",
    111: "certificate_unobtainable",
    112: "unrecognized_name",
    113: "bad_certificate_status_response",
    114: "bad_certificate_hash_value",
    115: "unknown_psk_identity",
    116: "certificate_required",
    120: "no_application_protocol",
    121: "ech_required",
}
"""Alert numbers of all versions (RFC 8446 6, RFC 5246 7.2, RFC 6066 9 and older)."""


def version_name(version: int) -> str:
    """``TLSv1.2`` for 0x0303 and so on; ``unknown(0xABCD)`` for what no standard numbers."""
    return _VERSIONS.get(version) or f"unknown(0x{version:04X})"


@dataclass(frozen=True, slots=True)
class ServerHello:
    """What the server chose (RFC 5246 7.4.1.3, RFC 8446 4.1.3). ``version`` is that of the connection."""

    version: int
    suite: int
    alpn: bytes | None = None
    extensions: tuple[int, ...] = ()
    """Extension types in the server's order."""


@dataclass(frozen=True, slots=True)
class Certificates:
    """The server's chain as it sent it, leaf first, each in DER (RFC 5246 7.4.2)."""

    ders: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class CertificateRequest:
    """The server asks for a client certificate (RFC 5246 7.4.4, RFC 8446 4.3.2)."""

    types: tuple[int, ...] = ()
    """ClientCertificateType, up to TLS 1.2."""
    signature_algorithms: tuple[int, ...] = ()
    """SignatureScheme, from TLS 1.2 on."""
    authorities: tuple[bytes, ...] = ()
    """Distinguished names of acceptable CAs, in DER."""


@dataclass(frozen=True, slots=True)
class ServerHelloDone:
    """The server's first flight is complete (RFC 5246 7.4.5)."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A handshake message whose content is not looked at, e.g. 12, ServerKeyExchange."""

    kind: int
    size: int


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert (RFC 5246 7.2). ``level`` is 1, warning, or 2, fatal."""

    level: int
    number: int

    @property
    def name(self) -> str:
        """E.g. ``certificate_required(116)``."""
        return f"{ALERTS.get(self.number, 'unknown')}({self.number})"

    @property
    def ends(self) -> bool:
        """Whether the connection is over: a fatal alert, or close_notify."""
        return self.level == 2 or self.number == 0


Message: TypeAlias = ServerHello | Certificates | CertificateRequest | ServerHelloDone | Skipped | Alert


class _Fields:
    """Reads one body front to back."""

    def __init__(self, data: bytes, what: str) -> None:
        self._data = data
        self._at = 0
        self._what = what

    def __bool__(self) -> bool:
        return self._at < len(self._data)

    def take(self, size: int) -> bytes:
        end = self._at + size
        if end > len(self._data):
            raise RemoteProtocolError(f"{self._what} is too short")
        piece = self._data[self._at : end]
        self._at = end
        return piece

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size))

    def vector(self, size: int) -> bytes:
        """A field with its length before it, in ``size`` bytes (RFC 8446 3.4)."""
        return self.take(self.number(size))

    def end(self) -> None:
        if self:
            raise RemoteProtocolError(f"{self._what} has {len(self._data) - self._at} bytes too many")


def alert(payload: bytes) -> Alert:
    """An Alert record's payload. Only plain ones: two bytes, one alert a record."""
    if len(payload) != 2 or payload[0] not in (1, 2):
        raise RemoteProtocolError("an alert has an unknown level or a wrong length")
    return Alert(payload[0], payload[1])


def _extensions(fields: _Fields, what: str) -> dict[int, bytes]:
    """An extension block: type to content, in order (RFC 5246 7.4.1.4)."""
    inner = _Fields(fields.vector(2), f"the extension block of {what}")
    found: dict[int, bytes] = {}
    while inner:
        kind = inner.number(2)
        if kind in found:
            raise RemoteProtocolError(f"{what} has extension {kind} twice")
        found[kind] = inner.vector(2)
    return found


def server_hello(body: bytes) -> ServerHello:
    """ServerHello of any version from SSL 3.0 to TLS 1.3.

    A HelloRetryRequest has the same form, and its version and suite are final (RFC 8446 4.1.4).
    """
    fields = _Fields(body, "ServerHello")
    version = fields.number(2)
    fields.take(32)  # Random.
    if len(fields.vector(1)) > 32:
        raise RemoteProtocolError("ServerHello has a session id of more than 32 bytes")
    suite = fields.number(2)
    fields.take(1)  # Compression: null, or of no concern here.
    extensions = _extensions(fields, "ServerHello") if fields else {}
    fields.end()
    return ServerHello(
        version=_selected_version(version, extensions.get(43)),
        suite=suite,
        alpn=_selected_protocol(extensions.get(16)),
        extensions=tuple(extensions),
    )


def _selected_version(legacy: int, extension: bytes | None) -> int:
    """``supported_versions`` in a ServerHello is one version (RFC 8446 4.2.1)."""
    if extension is None:
        return legacy
    if len(extension) != 2:
        raise RemoteProtocolError("supported_versions in ServerHello is not one version")
    return int.from_bytes(extension)


def _selected_protocol(extension: bytes | None) -> bytes | None:
    """ALPN in a ServerHello is a list of exactly one name (RFC 7301 3.1)."""
    if extension is None:
        return None
    fields = _Fields(extension, "ALPN in ServerHello")
    names = _Fields(fields.vector(2), "ALPN in ServerHello")
    name = names.vector(1)
    names.end()
    fields.end()
    return name


def certificates(body: bytes) -> Certificates:
    """Certificate up to TLS 1.2 (RFC 5246 7.4.2)."""
    fields = _Fields(body, "Certificate")
    chain = _Fields(fields.vector(3), "the chain in Certificate")
    fields.end()
    return Certificates(_chain(chain, lambda: None))


def certificates_13(body: bytes) -> Certificates:
    """Certificate of TLS 1.3: a context, and extensions with each certificate (RFC 8446 4.4.2)."""
    fields = _Fields(body, "Certificate")
    fields.vector(1)
    chain = _Fields(fields.vector(3), "the chain in Certificate")
    fields.end()
    return Certificates(_chain(chain, lambda: chain.vector(2)))


def _chain(chain: _Fields, after_each: Callable[[], object]) -> tuple[bytes, ...]:
    ders: list[bytes] = []
    while chain:
        if len(ders) == _MAX_CERTIFICATES:
            raise RemoteProtocolError(f"Certificate holds more than {_MAX_CERTIFICATES} certificates")
        ders.append(chain.vector(3))
        after_each()
    return tuple(ders)


def certificate_request(body: bytes, version: int) -> CertificateRequest:
    """CertificateRequest up to TLS 1.2; only ``version`` 0x0303 has signature algorithms."""
    fields = _Fields(body, "CertificateRequest")
    types = tuple(fields.vector(1))
    algorithms = _numbers(fields.vector(2)) if version >= 0x0303 else ()
    authorities = _authorities(fields.vector(2)) if fields or version < 0x0303 else ()
    fields.end()
    return CertificateRequest(types, algorithms, authorities)


def certificate_request_13(body: bytes) -> CertificateRequest:
    """CertificateRequest of TLS 1.3: everything is an extension (RFC 8446 4.3.2)."""
    fields = _Fields(body, "CertificateRequest")
    fields.vector(1)
    extensions = _extensions(fields, "CertificateRequest")
    fields.end()
    algorithms = _Fields(extensions.get(13, b"\0\0"), "signature_algorithms")
    authorities = _Fields(extensions.get(47, b"\0\0"), "certificate_authorities")
    return CertificateRequest((), _numbers(algorithms.vector(2)), _authorities(authorities.vector(2)))


def _numbers(vector: bytes) -> tuple[int, ...]:
    if len(vector) % 2:
        raise RemoteProtocolError("a list of signature algorithms has an odd length")
    return tuple(int.from_bytes(vector[at : at + 2]) for at in range(0, len(vector), 2))


def _authorities(vector: bytes) -> tuple[bytes, ...]:
    names = tuple(_names(_Fields(vector, "a list of certificate authorities")))
    if len(names) > _MAX_CAS:
        raise RemoteProtocolError(f"more than {_MAX_CAS} certificate authorities are listed")
    return names


def _names(fields: _Fields) -> Iterator[bytes]:
    while fields:
        yield fields.vector(2)
