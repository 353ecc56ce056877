"""Tokens as an identity provider makes them, and as those make them who are none."""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from joserfc.jwk import ECKey, KeyParameters, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from leadglass.access.key_set import Keys, read_keys
from leadglass.access.tokens import TokenRules

ISSUER = "https://id.example"
AUDIENCE = "https://guard.example/"
NOW = 1_800_000_000.0
CERTIFICATE = hashlib.sha256(b"a certificate").hexdigest()

RULES = TokenRules(issuer=ISSUER, audience=AUDIENCE)
CLAIMS: Mapping[str, Any] = {
    "iss": ISSUER,
    "aud": AUDIENCE,
    "sub": "ada",
    "iat": NOW - 10,
    "exp": NOW + 600,
    "roles": ["radiologist"],
}
ABSENT = object()
"""As the value of a claim or header member: leave it out."""


@functools.cache
def key(kid: str = "first", kind: str = "EC") -> RSAKey | ECKey | OKPKey:
    """A private key, the same whenever it is asked for."""
    parameters: KeyParameters = {"kid": kid}
    if kind == "RSA":
        return RSAKey.generate_key(2048, parameters)
    if kind == "OKP":
        return OKPKey.generate_key("Ed25519", parameters)
    return ECKey.generate_key("P-256", parameters)


def public(*keys: RSAKey | ECKey | OKPKey, **more: Any) -> dict[str, Any]:
    """A key set as a provider publishes it, ``more`` in every key."""
    return {"keys": [{**key.as_dict(private=False), **more} for key in keys]}


def key_set(*keys: RSAKey | ECKey | OKPKey) -> Keys:
    """The same, read."""
    return read_keys(json.dumps(public(*keys)).encode())


def encode(data: bytes) -> bytes:
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def sign(header: bytes, payload: bytes, signer: RSAKey | ECKey | OKPKey, algorithm: str) -> bytes:
    """A token over these very bytes."""
    signed = encode(header) + b"." + encode(payload)
    return signed + b"." + encode(JWSRegistry.algorithms[algorithm].sign(signed, signer))


def mint(
    signer: RSAKey | ECKey | OKPKey | None = None,
    algorithm: str = "ES256",
    header: Mapping[str, Any] | None = None,
    **claims: Any,
) -> bytes:
    """A token that holds, with some members of header and claims replaced."""
    signer = signer or key()
    head = {"alg": algorithm, "typ": "at+jwt", "kid": signer.kid} | dict(header or {})
    body = dict(CLAIMS) | claims
    return sign(_json(head), _json(body), signer, algorithm)


def hmac_token(secret: bytes, algorithm: str = "HS256", typ: str = "at+jwt") -> bytes:
    """A token whose "signature" anybody can make who knows ``secret``, such as a public key."""
    signed = (
        encode(_json({"alg": algorithm, "typ": typ, "kid": "first"})) + b"." + encode(_json(dict(CLAIMS)))
    )
    return signed + b"." + encode(hmac.digest(secret, signed, "sha256"))


def unsigned(algorithm: str = "none") -> bytes:
    """A token with no signature at all."""
    header = {"alg": algorithm, "typ": "at+jwt", "kid": "first"}
    return encode(_json(header)) + b"." + encode(_json(dict(CLAIMS))) + b"."


def _json(members: Mapping[str, Any]) -> bytes:
    return json.dumps({name: value for name, value in members.items() if value is not ABSENT}).encode()
