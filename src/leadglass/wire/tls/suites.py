"""Cipher suites: their numbers, their IANA names, and what the standards say of them today.

The registry numbers whole families in a row, so the table says a family a line: the first number,
the key exchanges, the ciphers. Suites that need a pre-shared key, Kerberos or SRP are left out: a
stranger has none of these, so no server can choose them.
"""

from __future__ import annotations

import enum
import functools
from collections.abc import Iterator, Mapping
from typing import NamedTuple

__all__ = [
    "EMPTY_RENEGOTIATION_INFO_SCSV",
    "SUITES",
    "Standing",
    "offered_old",
    "offered_retired",
    "offered_tls12",
    "standing",
    "suite_name",
]

EMPTY_RENEGOTIATION_INFO_SCSV = 0x00FF
"""Not a suite but a signal: we know about secure renegotiation (RFC 5746 3.3)."""


class _Family(NamedTuple):
    """Suites numbered in a row: for each key exchange, each cipher."""

    first: int
    exchanges: str
    ciphers: str


_SIX = "RSA DH_DSS DH_RSA DHE_DSS DHE_RSA DH_anon"
_AEAD_SIX = "RSA DHE_RSA DH_RSA DHE_DSS DH_DSS DH_anon"
_EC = "ECDHE_ECDSA ECDH_ECDSA ECDHE_RSA ECDH_RSA"

_FAMILIES = (
    # RFC 2246, 4346 A.5: the first suites, with the export ones.
    _Family(0x0001, "RSA_WITH", "NULL_MD5 NULL_SHA"),
    _Family(0x0003, "RSA_EXPORT_WITH", "RC4_40_MD5"),
    _Family(0x0004, "RSA_WITH", "RC4_128_MD5 RC4_128_SHA"),
    _Family(0x0006, "RSA_EXPORT_WITH", "RC2_CBC_40_MD5"),
    _Family(0x0007, "RSA_WITH", "IDEA_CBC_SHA"),
    _Family(0x0008, "RSA_EXPORT_WITH", "DES40_CBC_SHA"),
    _Family(0x0009, "RSA_WITH", "DES_CBC_SHA 3DES_EDE_CBC_SHA"),
    _Family(0x000B, "DH_DSS_EXPORT_WITH", "DES40_CBC_SHA"),
    _Family(0x000C, "DH_DSS", "DES_CBC_SHA 3DES_EDE_CBC_SHA"),
    _Family(0x000E, "DH_RSA_EXPORT_WITH", "DES40_CBC_SHA"),
    _Family(0x000F, "DH_RSA", "DES_CBC_SHA 3DES_EDE_CBC_SHA"),
    _Family(0x0011, "DHE_DSS_EXPORT_WITH", "DES40_CBC_SHA"),
    _Family(0x0012, "DHE_DSS", "DES_CBC_SHA 3DES_EDE_CBC_SHA"),
    _Family(0x0014, "DHE_RSA_EXPORT_WITH", "DES40_CBC_SHA"),
    _Family(0x0015, "DHE_RSA", "DES_CBC_SHA 3DES_EDE_CBC_SHA"),
    _Family(0x0017, "DH_anon_EXPORT_WITH", "RC4_40_MD5"),
    _Family(0x0018, "DH_anon", "RC4_128_MD5"),
    _Family(0x0019, "DH_anon_EXPORT_WITH", "DES40_CBC_SHA"),
    _Family(0x001A, "DH_anon", "DES_CBC_SHA 3DES_EDE_CBC_SHA"),
    # RFC 3268, 5246: AES with CBC.
    _Family(0x002F, _SIX, "AES_128_CBC_SHA"),
    _Family(0x0035, _SIX, "AES_256_CBC_SHA"),
    _Family(0x003B, "RSA", "NULL_SHA256 AES_128_CBC_SHA256 AES_256_CBC_SHA256"),
    _Family(0x003E, "DH_DSS DH_RSA DHE_DSS", "AES_128_CBC_SHA256"),
    _Family(0x0067, "DHE_RSA", "AES_128_CBC_SHA256"),
    _Family(0x0068, "DH_DSS DH_RSA DHE_DSS DHE_RSA", "AES_256_CBC_SHA256"),
    _Family(0x006C, "DH_anon", "AES_128_CBC_SHA256 AES_256_CBC_SHA256"),
    # RFC 5932, 6367: Camellia.
    _Family(0x0041, _SIX, "CAMELLIA_128_CBC_SHA"),
    _Family(0x0084, _SIX, "CAMELLIA_256_CBC_SHA"),
    _Family(0x00BA, _SIX, "CAMELLIA_128_CBC_SHA256"),
    _Family(0x00C0, _SIX, "CAMELLIA_256_CBC_SHA256"),
    _Family(0xC072, _EC, "CAMELLIA_128_CBC_SHA256 CAMELLIA_256_CBC_SHA384"),
    _Family(0xC07A, f"{_AEAD_SIX} {_EC}", "CAMELLIA_128_GCM_SHA256 CAMELLIA_256_GCM_SHA384"),
    # draft-ietf-tls-56-bit-ciphersuites: never registered, but OpenSSL once shipped them.
    _Family(0x0060, "RSA_EXPORT1024_WITH", "RC4_56_MD5 RC2_CBC_56_MD5 DES_CBC_SHA"),
    _Family(0x0063, "DHE_DSS_EXPORT1024_WITH", "DES_CBC_SHA"),
    _Family(0x0064, "RSA_EXPORT1024_WITH DHE_DSS_EXPORT1024_WITH", "RC4_56_SHA"),
    _Family(0x0066, "DHE_DSS", "RC4_128_SHA"),
    # RFC 4162: SEED. RFC 5288: AES with GCM.
    _Family(0x0096, _SIX, "SEED_CBC_SHA"),
    _Family(0x009C, _AEAD_SIX, "AES_128_GCM_SHA256 AES_256_GCM_SHA384"),
    # RFC 8422 and 5289: elliptic curves.
    _Family(
        0xC001,
        "ECDH_ECDSA ECDHE_ECDSA ECDH_RSA ECDHE_RSA ECDH_anon",
        "NULL_SHA RC4_128_SHA 3DES_EDE_CBC_SHA AES_128_CBC_SHA AES_256_CBC_SHA",
    ),
    _Family(0xC023, _EC, "AES_128_CBC_SHA256 AES_256_CBC_SHA384"),
    _Family(0xC02B, _EC, "AES_128_GCM_SHA256 AES_256_GCM_SHA384"),
    # RFC 6209: ARIA.
    _Family(0xC03C, f"{_SIX} {_EC}", "ARIA_128_CBC_SHA256 ARIA_256_CBC_SHA384"),
    _Family(0xC050, f"{_AEAD_SIX} {_EC}", "ARIA_128_GCM_SHA256 ARIA_256_GCM_SHA384"),
    # RFC 6655, 7251: AES with CCM. RFC 7905: ChaCha20.
    _Family(0xC09C, "RSA DHE_RSA", "AES_128_CCM AES_256_CCM"),
    _Family(0xC0A0, "RSA DHE_RSA", "AES_128_CCM_8 AES_256_CCM_8"),
    _Family(0xC0AC, "ECDHE_ECDSA", "AES_128_CCM AES_256_CCM AES_128_CCM_8 AES_256_CCM_8"),
    _Family(0xCCA8, "ECDHE_RSA ECDHE_ECDSA DHE_RSA", "CHACHA20_POLY1305_SHA256"),
)

_TLS13 = {
    0x1301: "TLS_AES_128_GCM_SHA256",
    0x1302: "TLS_AES_256_GCM_SHA384",
    0x1303: "TLS_CHACHA20_POLY1305_SHA256",
    0x1304: "TLS_AES_128_CCM_SHA256",
    0x1305: "TLS_AES_128_CCM_8_SHA256",
}
"""RFC 8446 B.4."""


def _numbered(family: _Family) -> Iterator[tuple[int, str]]:
    number = family.first
    for exchange in family.exchanges.split():
        joint = exchange if exchange.endswith("_WITH") else f"{exchange}_WITH"
        for cipher in family.ciphers.split():
            yield number, f"TLS_{joint}_{cipher}"
            number += 1


SUITES: Mapping[int, str] = _TLS13 | dict(pair for family in _FAMILIES for pair in _numbered(family))
"""Number to IANA name."""


def suite_name(number: int) -> str:
    """The IANA name, or ``unknown(0xABCD)`` for a number that is not in the table."""
    return SUITES.get(number) or f"unknown(0x{number:04X})"


class Standing(enum.StrEnum):
    """What PS3.15 B.12 says of a suite; it says what RFC 9325 says."""

    ACCEPTABLE = "acceptable"
    DISCOURAGED = "discouraged"
    """SHOULD NOT be negotiated."""
    RETIRED = "retired"
    """MUST NOT be negotiated, or the only suite of a DICOM profile that is itself retired."""


class _Rule(NamedTuple):
    part: str
    """Part of the name, underscores standing for its ends too."""
    standing: Standing
    why: str


_RULES = (
    _Rule("_NULL_", Standing.RETIRED, "nothing is encrypted (RFC 9325 4.1)"),
    _Rule("_anon_", Standing.RETIRED, "the server proves no identity (RFC 5246 A.5)"),
    _Rule("_EXPORT_", Standing.RETIRED, "export-grade keys of 40 bits (RFC 9325 4.1)"),
    _Rule("_EXPORT1024_", Standing.RETIRED, "export-grade keys of 56 bits (RFC 9325 4.1)"),
    _Rule("_DES_", Standing.RETIRED, "keys of 56 bits (RFC 9325 4.1)"),
    _Rule("_RC4_", Standing.RETIRED, "RC4 is broken (RFC 7465, RFC 9325 4.1)"),
    _Rule("_IDEA_", Standing.RETIRED, "blocks of 64 bits; withdrawn from TLS 1.2 (RFC 5469)"),
    _Rule("_3DES_", Standing.RETIRED, "112 bits of strength, blocks of 64; PS3.15 B.1 is retired"),
    _Rule("_TLS_RSA_", Standing.DISCOURAGED, "no forward secrecy: static RSA (RFC 9325 4.1)"),
    _Rule("_TLS_DH_", Standing.DISCOURAGED, "no forward secrecy: static DH (RFC 9325 4.1)"),
    _Rule("_TLS_ECDH_", Standing.DISCOURAGED, "no forward secrecy: static ECDH (RFC 9325 4.1)"),
    _Rule("_TLS_DHE_", Standing.DISCOURAGED, "finite-field DHE is fragile (RFC 9325 4.1)"),
)
"""The first that fits decides."""


def standing(name: str) -> tuple[Standing, str]:
    """How a suite with this IANA name stands, and why; the reason is empty if it is acceptable.

    Names that are not in the table are judged by their parts too; one without telling parts is
    acceptable as far as anybody can say.
    """
    padded = f"_{name}_"
    for rule in _RULES:
        if rule.part in padded:
            return rule.standing, rule.why
    return Standing.ACCEPTABLE, ""


def _is_retired(number: int) -> bool:
    return standing(SUITES[number])[0] is Standing.RETIRED


def _is_plausible(number: int) -> bool:
    """Whether a server could choose it at all up to TLS 1.2: nobody has a static (EC)DH certificate."""
    name = SUITES[number]
    static = name.startswith(("TLS_DH_", "TLS_ECDH_")) and "_anon_" not in name
    return number not in _TLS13 and not static


def _needs_tls12(name: str) -> bool:
    """Suites with an AEAD or a SHA-2 MAC exist from TLS 1.2 on (RFC 5246 1.2, RFC 5288 4)."""
    return not name.endswith(("_SHA", "_MD5"))


def _preference(number: int) -> tuple[bool, bool, int]:
    """Sorts what a careful server would choose first: forward secrecy, AEAD, then as registered."""
    name = SUITES[number]
    return "_ECDHE_" not in name, not _needs_tls12(name) or "_CBC_" in name, number


def _badness(number: int) -> tuple[int, int]:
    padded = f"_{SUITES[number]}_"
    return next(i for i, rule in enumerate(_RULES) if rule.part in padded), number


@functools.cache
def offered_tls12() -> tuple[int, ...]:
    """The suites for TLS 1.2 that are not retired, best first."""
    return tuple(sorted((n for n in SUITES if _is_plausible(n) and not _is_retired(n)), key=_preference))


@functools.cache
def offered_retired() -> tuple[int, ...]:
    """The retired suites, worst first, so that a server which follows our order shows its worst."""
    return tuple(sorted((n for n in SUITES if _is_plausible(n) and _is_retired(n)), key=_badness))


@functools.cache
def offered_old() -> tuple[int, ...]:
    """The suites that exist before TLS 1.2, best first, the retired ones last."""
    old = (n for n, name in SUITES.items() if _is_plausible(n) and not _needs_tls12(name))
    return tuple(sorted(old, key=lambda n: (_is_retired(n), _preference(n))))
