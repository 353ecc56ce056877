"""Whether a JSON Web Token says who somebody is (RFC 7519, RFC 8725, RFC 9068, RFC 8705).

The token is read once, strictly, by this module; ``joserfc`` computes signatures. A token chooses
neither its algorithm nor its key: both must be among those that were configured and fetched, and fit
each other. The order is: form, header, key, signature, and only then what it claims.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from leadglass.access.identity import MOST_CHARACTERS, IdentityRefusal
from leadglass.access.key_set import ALGORITHMS, Key, Keys
from leadglass.access.strict import decode_base64url, json_object, plain_text
from leadglass.model.access import Kind, Principal

__all__ = ["LONGEST", "TokenRules", "UnknownKey", "Verified", "verify"]

LONGEST = 16 * 1024
"""Bytes of a token."""

_MOST_VALUE = 200
"""Characters of one role, label, institution or name of a physician (PN, PS3.5 6.2: three times 64)."""

_LAST_MOMENT = 253402300800.0
"""The year 10000, in POSIX seconds."""

_EMBEDDED = frozenset({"jwk", "jku", "x5u", "x5c"})
_NOT_PLAIN = frozenset({"crit", "b64", "enc", "zip", "cty"})
"""Members that change how a token is to be read (RFC 7515 4.1, RFC 7516, RFC 7797): all refused."""


@dataclass(frozen=True, slots=True)
class TokenRules:
    """What a token must say; durations are in seconds."""

    issuer: str
    audience: str
    algorithms: frozenset[str] = frozenset({"RS256", "PS256", "ES256", "EdDSA", "Ed25519"})
    """Signatures accepted; what is not in ``key_set.ALGORITHMS`` is refused even if it stands here."""
    types: frozenset[str] = frozenset({"at+jwt", "jwt"})
    """``typ`` accepted, in lower case and without ``application/`` (RFC 9068 2.1); a token without is a ``jwt``."""
    leeway: float = 30.0
    """How far the clocks of provider and guard may differ."""
    maximum_age: float = 12 * 3600.0
    """Since it was issued, however long it claims to be valid."""
    name: str = "sub"
    """The claim that holds a person's name, as others here: what it is called, or the way to it with dots."""
    roles: str = "roles"
    """E.g. ``realm_access.roles``."""
    physician_names: str = "physician_names"
    """How studies name the person as referring or performing physician."""
    institutions: str = "institutions"
    labels: str = "labels"


@dataclass(frozen=True, slots=True)
class Verified:
    """A token that holds, and until when."""

    principal: Principal
    since: float
    """POSIX seconds; before it the token is not yet valid, with the leeway taken off."""
    until: float
    """POSIX seconds from which it is not valid any more, with the leeway added."""
    bound: str | None = None
    """SHA-256 in hexadecimal of the certificate that has to come with it (RFC 8705 3.1)."""

    def holds(self, now: float, certificate: str | None) -> bool:
        """Whether it still does, at POSIX time ``now`` with that client certificate."""
        return self.since <= now < self.until and self.bound in {None, certificate}


@dataclass(frozen=True, slots=True)
class UnknownKey:
    """No key that is known made this signature; newer keys may."""

    kid: str | None


class _Refused(Exception):
    """Carries an ``IdentityRefusal`` out of here, and no further."""

    def __init__(self, rule: str, reason: str) -> None:
        super().__init__(rule)
        self.refusal = IdentityRefusal(reason, rule)


def verify(
    jwt: bytes, keys: Keys, rules: TokenRules, now: float, certificate: str | None = None
) -> Verified | IdentityRefusal | UnknownKey:
    """What ``jwt`` is worth at POSIX time ``now``, beside a client certificate (SHA-256, hexadecimal)."""
    try:
        token = _Token.parse(jwt)
        algorithm = _check_header(token.header, rules)
        candidates = _candidates(token.header, keys, algorithm)
        if not any(key.verifies(algorithm, token.signed, token.signature) for key in candidates):
            return _unsigned(token.header, known=bool(candidates))
        return _believe(token.claims(), rules, now, certificate)
    except _Refused as no:
        return no.refusal


@dataclass(frozen=True, slots=True)
class _Token:
    header: Mapping[str, Any]
    payload: bytes
    signed: bytes
    signature: bytes

    @classmethod
    def parse(cls, jwt: bytes) -> _Token:
        """JWS compact serialisation (RFC 7515 7.1)."""
        if len(jwt) > LONGEST:
            raise _Refused("token-too-long", f"the token has more than {LONGEST} bytes")
        parts = jwt.split(b".")
        if len(parts) != 3:
            raise _Refused("token-malformed", "the token is no signed JSON Web Token")
        try:
            header, payload, signature = map(decode_base64url, parts)
            return cls(json_object(header), payload, parts[0] + b"." + parts[1], signature)
        except ValueError as exc:
            raise _Refused("token-malformed", "the token cannot be read") from exc

    def claims(self) -> Mapping[str, Any]:
        """What it claims; read only when its signature holds."""
        try:
            return json_object(self.payload)
        except ValueError as exc:
            raise _Refused("token-malformed", "the token's claims cannot be read") from exc


# ---- header and key


def _check_header(header: Mapping[str, Any], rules: TokenRules) -> str:
    if _EMBEDDED & header.keys():
        raise _Refused("token-embedded-key", "the token brings or names its own key")
    if _NOT_PLAIN & header.keys():
        raise _Refused("token-header", "the token wants to be read in a way that is not accepted")
    kind = header.get("typ", "jwt")
    if not isinstance(kind, str) or kind.lower().removeprefix("application/") not in rules.types:
        accepted = ", ".join(sorted(rules.types))
        raise _Refused("token-type", f"the token is of another type (typ) than {accepted}")
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in rules.algorithms & ALGORITHMS:
        raise _Refused("token-algorithm", "the token is signed with an algorithm that is not accepted")
    return algorithm


def _candidates(header: Mapping[str, Any], keys: Keys, algorithm: str) -> Sequence[Key]:
    """The keys that may have made the signature; none: perhaps a newer one."""
    if "kid" not in header:
        fitting = keys.fitting(algorithm)
        if len(fitting) > 1:
            raise _Refused("token-key-unnamed", "the token does not say which of several keys signed it")
        return fitting
    kid = header["kid"]
    if not isinstance(kid, str):
        raise _Refused("token-header", "the token names its key with something that is no text")
    named = keys.named(kid)
    fitting = tuple(key for key in named if algorithm in key.algorithms)
    if named and not fitting:
        raise _Refused("token-key-unfit", "the key that the token names is not for its algorithm")
    return fitting


def _unsigned(header: Mapping[str, Any], *, known: bool) -> UnknownKey:
    if known and "kid" in header:
        raise _Refused("token-signature", "the token's signature is not that of the key that it names")
    # Of a key without a name there may be a newer one.
    return UnknownKey(header.get("kid"))


# ---- claims


def _believe(claims: Mapping[str, Any], rules: TokenRules, now: float, certificate: str | None) -> Verified:
    if claims.get("iss") != rules.issuer:
        raise _Refused("token-issuer", f"the token was not issued by {rules.issuer}")
    if rules.audience not in _audiences(claims):
        raise _Refused("token-audience", f"the token is not for {rules.audience}")
    since, until = _validity(claims, rules, now)
    bound = _binding(claims, certificate)
    return Verified(_principal(claims, rules), since, until, bound)


def _audiences(claims: Mapping[str, Any]) -> Sequence[Any]:
    audience = claims.get("aud")
    return audience if isinstance(audience, list) else [audience]


def _validity(claims: Mapping[str, Any], rules: TokenRules, now: float) -> tuple[float, float]:
    issued, expires = _moment(claims, "iat"), _moment(claims, "exp")
    begins = max(issued, _moment(claims, "nbf")) if "nbf" in claims else issued
    if now >= expires + rules.leeway:
        raise _Refused("token-expired", "the token has expired")
    if now < begins - rules.leeway:
        raise _Refused("token-not-yet-valid", "the token is not valid yet")
    oldest = issued + rules.maximum_age + rules.leeway
    if now >= oldest:
        raise _Refused("token-too-old", f"the token was issued more than {rules.maximum_age:g} s ago")
    return begins - rules.leeway, min(expires + rules.leeway, oldest)


def _moment(claims: Mapping[str, Any], name: str) -> float:
    """A NumericDate (RFC 7519 2)."""
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _Refused("token-claims", f"the token has no moment as {name}")
    if not 0 <= value < _LAST_MOMENT:
        raise _Refused("token-claims", f"the token's {name} is no moment")
    return float(value)


def _binding(claims: Mapping[str, Any], certificate: str | None) -> str | None:
    if "cnf" not in claims:
        return None
    confirmation = claims["cnf"]
    thumbprint = confirmation.get("x5t#S256") if isinstance(confirmation, dict) else None
    if not isinstance(thumbprint, str) or len(confirmation) != 1:
        raise _Refused("token-binding", "the token is bound to a key in a way that cannot be checked")
    try:
        bound = decode_base64url(thumbprint.encode("ascii")).hex()
    except ValueError as exc:
        raise _Refused("token-binding", "the token is bound to something that is no certificate") from exc
    if bound != certificate:
        raise _Refused("token-bound-elsewhere", "the token is bound to another certificate")
    return bound


def _principal(claims: Mapping[str, Any], rules: TokenRules) -> Principal:
    subject = _name(claims, "sub")
    # A client that asks for itself is its own subject (RFC 9068 2.2).
    service = claims.get("client_id") == claims["sub"]
    return Principal(
        Kind.SERVICE if service else Kind.PERSON,
        subject if service else _name(claims, rules.name),
        roles=_values(claims, rules.roles),
        physician_names=_values(claims, rules.physician_names),
        institutions=_values(claims, rules.institutions),
        labels=_values(claims, rules.labels),
    )


def _name(claims: Mapping[str, Any], path: str) -> str:
    found = _claim(claims, path)
    try:
        return plain_text(found if isinstance(found, str) else "", MOST_CHARACTERS)
    except ValueError as exc:
        raise _Refused("token-claims", f"the token's {path} is no name ({exc})") from exc


def _values(claims: Mapping[str, Any], path: str) -> frozenset[str]:
    found = _claim(claims, path)
    listed = found if isinstance(found, list) else [] if found is None else [found]
    if not all(isinstance(value, str) for value in listed):
        raise _Refused("token-claims", f"the token's {path} is no list of texts")
    try:
        return frozenset(plain_text(value, _MOST_VALUE) for value in listed)
    except ValueError as exc:
        raise _Refused("token-claims", f"the token's {path} holds something that is no name ({exc})") from exc


def _claim(claims: Mapping[str, Any], path: str) -> Any:
    """A claim by its whole name, which may hold dots, else by the way to it."""
    if path in claims:
        return claims[path]
    found: Any = claims
    for step in path.split("."):
        found = found.get(step) if isinstance(found, dict) else None
    return found
