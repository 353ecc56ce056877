"""ClientHellos made by hand, for what OpenSSL no longer offers (RFC 5246 7.4.1.2).

Each offer is one question. None of them includes TLS 1.3, whose answer would be encrypted.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass

from leadglass.errors import LocalProtocolError
from leadglass.wire.tls.suites import (
    EMPTY_RENEGOTIATION_INFO_SCSV,
    offered_old,
    offered_retired,
    offered_tls12,
)

__all__ = ["GOODBYE_ALERTS", "OFFERS", "Offer", "client_hello", "goodbye"]

_GROUPS = (29, 23, 24, 25, 30, 22, 14, 13, 28, 26, 27, 9, 10, 19, 20, 21, 256, 257, 258)
"""x25519, P-256, P-384, P-521, x448, secp256k1, binary, Brainpool and old curves, FFDHE groups
(RFC 8422 5.1.1, RFC 7027, RFC 7919): a server without a common curve would choose no ECDHE suite."""

_SIGNATURES = (
    *(0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0804, 0x0805, 0x0806, 0x0809, 0x080A, 0x080B),
    *(0x0401, 0x0501, 0x0601, 0x0402, 0x0502, 0x0602, 0x0303, 0x0301, 0x0302, 0x0203, 0x0201, 0x0202, 0x0101),
)
"""ECDSA, EdDSA, RSA-PSS, RSA and DSA, from SHA-512 down to SHA-1 and MD5 (RFC 5246 7.4.1.4.1, RFC 8446 4.2.3)."""

_ALPN = (b"h2", b"http/1.1")

GOODBYE_ALERTS = (90, 0)
"""user_canceled, then close_notify: a handshake given up without a failure (RFC 5246 7.2.2)."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What one ClientHello offers: versions up to ``highest``, and suites."""

    name: str
    highest: int

    @property
    def suites(self) -> tuple[int, ...]:
        """In the order offered, without the renegotiation signal."""
        return _SUITES[self.name]()


_SUITES = {"tls12": offered_tls12, "retired-suites": offered_retired, "old-versions": offered_old}

OFFERS: Mapping[str, Offer] = {
    "tls12": Offer("tls12", 0x0303),
    "retired-suites": Offer("retired-suites", 0x0303),
    "old-versions": Offer("old-versions", 0x0302),
}
"""``tls12``: TLS 1.2 with every suite that is not retired. ``retired-suites``: up to TLS 1.2 with nothing
else. ``old-versions``: up to TLS 1.1 with every suite those versions have; the answer shows the
server's highest version of TLS 1.1, TLS 1.0 and SSL 3.0."""


def client_hello(offer: Offer, *, server_name: str | None, random: bytes) -> bytes:
    """One ClientHello in one record, ready to be sent.

    ``random`` is 32 bytes nobody can guess. ``server_name`` is a DNS name, never an address (RFC 6066 3).
    ``LocalProtocolError`` if either is not what it should be.
    """
    if len(random) != 32:
        raise LocalProtocolError(f"a ClientHello needs 32 random bytes, not {len(random)}")
    return _prefix(offer, server_name) + random + _suffix(offer, server_name)


def goodbye(version: int) -> bytes:
    """The alerts that end an unfinished handshake in peace, as plain records of ``version``."""
    return b"".join(b"\x15" + version.to_bytes(2) + bytes((0, 2, 1, number)) for number in GOODBYE_ALERTS)


@functools.lru_cache(maxsize=64)
def _prefix(offer: Offer, server_name: str | None) -> bytes:
    """Record header (version 0x0301, which every server takes: RFC 5246 E.1), message header, version."""
    size = 2 + 32 + len(_suffix(offer, server_name))
    record = b"\x16\x03\x01" + (4 + size).to_bytes(2)
    return record + b"\x01" + size.to_bytes(3) + offer.highest.to_bytes(2)


@functools.lru_cache(maxsize=64)
def _suffix(offer: Offer, server_name: str | None) -> bytes:
    """What follows the random: no session, the suites, no compression, the extensions."""
    suites = _list16((*offer.suites, EMPTY_RENEGOTIATION_INFO_SCSV))
    fixed = b"\x00" + _vector(2, suites) + b"\x01\x00"
    return fixed + _vector(2, _extensions(offer, server_name))


def _extensions(offer: Offer, server_name: str | None) -> bytes:
    parts = [_extension(0, _vector(2, b"\x00" + _vector(2, _host(server_name))))] if server_name else []
    parts.append(_extension(10, _vector(2, _list16(_GROUPS))))
    parts.append(_extension(11, _vector(1, b"\x00")))
    if offer.highest >= 0x0303:  # Earlier versions must not offer it (RFC 5246 7.4.1.4.1).
        parts.append(_extension(13, _vector(2, _list16(_SIGNATURES))))
    parts.append(_extension(16, _vector(2, b"".join(_vector(1, name) for name in _ALPN))))
    parts.append(_extension(23, b""))  # extended_master_secret (RFC 7627)
    return b"".join(parts)


def _host(name: str) -> bytes:
    """The name as SNI wants it: ASCII, without the final dot (RFC 6066 3)."""
    host = name.rstrip(".")
    if not host.isascii() or not 0 < len(host) <= 253:
        raise LocalProtocolError(f"{name!r} is no DNS name for a ClientHello")
    return host.encode("ascii")


def _extension(kind: int, content: bytes) -> bytes:
    return kind.to_bytes(2) + _vector(2, content)


def _list16(numbers: tuple[int, ...]) -> bytes:
    return b"".join(number.to_bytes(2) for number in numbers)


def _vector(size: int, content: bytes) -> bytes:
    """A field with its length before it, in ``size`` bytes."""
    return len(content).to_bytes(size) + content
