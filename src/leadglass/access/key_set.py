"""The public keys of an identity provider: a JSON Web Key Set (RFC 7517), read strictly.

Only keys that sign and cannot be had by those who verify: never a symmetric one, never one whose
private half the provider published, no RSA below 2048 bits. What does not fit is passed over, as
RFC 7517 5 asks; a set in which nothing fits is an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from cryptography.exceptions import UnsupportedAlgorithm
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from leadglass.access.strict import decode_base64url, json_object
from leadglass.errors import RemoteProtocolError

__all__ = ["ALGORITHMS", "Key", "Keys", "read_keys"]

PublicKey: TypeAlias = RSAKey | ECKey | OKPKey

_RSA = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
_BY_CURVE: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("EC", "P-256"): ("ES256",),
    ("EC", "P-384"): ("ES384",),
    ("EC", "P-521"): ("ES512",),
    ("OKP", "Ed25519"): ("EdDSA", "Ed25519"),
    ("OKP", "Ed448"): ("EdDSA", "Ed448"),
}
_READERS: Mapping[str, type[RSAKey | ECKey | OKPKey]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}

ALGORITHMS = frozenset(_RSA) | {name for names in _BY_CURVE.values() for name in names}
"""Every signature that can be verified (RFC 7518 3.1, RFC 8037, RFC 9864): public keys only."""

_MOST_KEYS = 64
_RSA_BITS = range(2048, 8192 + 1)
_SECRET = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
"""Members that only a private or a symmetric key has (RFC 7518 6)."""


@dataclass(frozen=True, slots=True)
class Key:
    """One public key. Two are equal if they are the same key under the same name."""

    kid: str | None
    algorithms: frozenset[str]
    """Those of ``ALGORITHMS`` that it may verify."""
    thumbprint: str
    """RFC 7638, SHA-256."""
    public: PublicKey = field(compare=False, repr=False)

    def verifies(self, algorithm: str, message: bytes, signature: bytes) -> bool:
        """Whether ``signature`` is this key's over ``message``; ``algorithm`` must be one of its own."""
        return JWSRegistry.algorithms[algorithm].verify(message, signature, self.public)


@dataclass(frozen=True, slots=True)
class Keys:
    """All keys of a provider, at one moment."""

    keys: tuple[Key, ...]

    def named(self, kid: str) -> tuple[Key, ...]:
        """Those with that ``kid``; usually one, but types may share a name (RFC 7517 4.5)."""
        return tuple(key for key in self.keys if key.kid == kid)

    def fitting(self, algorithm: str) -> tuple[Key, ...]:
        """Those that may verify ``algorithm``."""
        return tuple(key for key in self.keys if algorithm in key.algorithms)


def read_keys(text: bytes) -> Keys:
    """Read a JSON Web Key Set; ``RemoteProtocolError`` if it is none or holds no key of use."""
    try:
        entries = json_object(text).get("keys")
    except ValueError as exc:
        raise RemoteProtocolError(f"the key set cannot be read ({exc})") from exc
    if not isinstance(entries, list) or len(entries) > _MOST_KEYS:
        raise RemoteProtocolError(f"the key set has no list of at most {_MOST_KEYS} keys")
    found = [_read_key(entry) for entry in entries if isinstance(entry, dict)]
    keys = tuple(key for key in found if key is not None)
    if not keys:
        raise RemoteProtocolError("the key set holds no public key that verifies signatures")
    return Keys(keys)


def _read_key(entry: dict[str, Any]) -> Key | None:
    if _SECRET & entry.keys() or not _for_verifying(entry):
        return None
    try:
        algorithms = _algorithms_of(entry)
        if not algorithms:
            return None
        public = _READERS[entry["kty"]].import_key(entry)
        return Key(public.kid, algorithms, public.thumbprint(), public)
    except (JoseError, UnsupportedAlgorithm, ValueError, TypeError, KeyError):
        # A key that is none, or one of a kind that is not known here.
        return None


def _for_verifying(entry: Mapping[str, Any]) -> bool:
    operations = entry.get("key_ops", ["verify"])
    return entry.get("use", "sig") == "sig" and isinstance(operations, list) and "verify" in operations


def _algorithms_of(entry: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(name for name in _suitable(entry) if entry.get("alg", name) == name)


def _suitable(entry: Mapping[str, Any]) -> tuple[str, ...]:
    if entry["kty"] == "RSA":
        return _RSA if _modulus_bits(str(entry["n"])) in _RSA_BITS else ()
    return _BY_CURVE.get((entry["kty"], entry["crv"]), ())


def _modulus_bits(text: str) -> int:
    return int.from_bytes(decode_base64url(text.encode("ascii"))).bit_length()
