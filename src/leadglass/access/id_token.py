"""Whether an ID token says who has just signed in (OpenID Connect Core 1.0, 3.1.3.7).

Form, key, signature, issuer and times are those of every token and are looked at in ``tokens``; here stands what
an ID token has beside: for this client alone, an answer to this very question, and what the person is to be.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from leadglass.access.identity import IdentityRefusal
from leadglass.access.key_set import Keys
from leadglass.access.strict import decode_base64url, json_object, plain_text
from leadglass.access.tokens import TokenRules, UnknownKey, verify

__all__ = ["IdTokenRules", "Person", "verify_id_token"]

_LEEWAY = 60.0
_MAXIMUM_AGE = 600.0
"""It was issued for a code of a moment ago."""
_MOST_NAME = 200


@dataclass(frozen=True, slots=True)
class IdTokenRules:
    """What an ID token must say."""

    issuer: str
    client: str
    roles_claim: str

    def of_tokens(self) -> TokenRules:
        """The same, as of every token; what a guard reads beside is not asked for, so it reads the roles again."""
        roles = self.roles_claim
        return TokenRules(
            issuer=self.issuer,
            audience=self.client,
            types=frozenset({"jwt"}),
            leeway=_LEEWAY,
            maximum_age=_MAXIMUM_AGE,
            roles=roles,
            physician_names=roles,
            institutions=roles,
            labels=roles,
        )


@dataclass(frozen=True, slots=True)
class Person:
    """Whoever signed in at the provider."""

    issuer: str
    subject: str
    roles: frozenset[str]
    """Values of the claim, as the provider calls them."""
    called: str = ""
    """What he likes to be called there (``preferred_username``); no proof of anything."""
    full_name: str = ""
    at: float | None = None
    """POSIX seconds: when he showed there who he is, if the token tells (``auth_time``)."""

    @property
    def identifier(self) -> str:
        """What nobody else has (Core 1.0, 5.7)."""
        return f"{self.issuer}|{self.subject}"


def verify_id_token(
    jwt: bytes, keys: Keys, rules: IdTokenRules, nonce: str, now: float
) -> Person | IdentityRefusal | UnknownKey:
    """Who it says has signed in, at POSIX time ``now``, in answer to the question with ``nonce``."""
    found = verify(jwt, keys, rules.of_tokens(), now)
    if isinstance(found, IdentityRefusal | UnknownKey):
        return found
    # Its signature holds, and so does its form: the middle of three parts is what it claims.
    claims = json_object(decode_base64url(jwt.split(b".")[1]))
    refusal = _refusal(claims, rules, nonce)
    if refusal is not None:
        return refusal
    return Person(
        issuer=rules.issuer,
        subject=str(claims["sub"]),
        roles=found.principal.roles,
        called=_text(claims, "preferred_username"),
        full_name=_text(claims, "name"),
        at=_moment(claims, now),
    )


def _refusal(claims: Mapping[str, Any], rules: IdTokenRules, nonce: str) -> IdentityRefusal | None:
    if claims.get("aud") not in (rules.client, [rules.client]):
        return IdentityRefusal("the token is for others as well", "token-audience")
    if claims.get("azp", rules.client) != rules.client:
        return IdentityRefusal("the token was given to another client", "token-party")
    told = claims.get("nonce")
    if not isinstance(told, str) or not hmac.compare_digest(told.encode(errors="replace"), nonce.encode()):
        return IdentityRefusal("the token does not answer this question", "token-nonce")
    return None


def _text(claims: Mapping[str, Any], name: str) -> str:
    """A claim that only adorns; "" if it is nothing of use."""
    told = claims.get(name)
    try:
        return plain_text(told, _MOST_NAME) if isinstance(told, str) else ""
    except ValueError:
        return ""


def _moment(claims: Mapping[str, Any], now: float) -> float | None:
    told = claims.get("auth_time")
    if isinstance(told, bool) or not isinstance(told, int | float) or told < 0:
        return None
    return float(min(told, now))
