"""What an OpenID provider says of itself, what a browser is sent to it with, and what it answers for a code.

OpenID Connect Core 1.0 and Discovery 1.0, the code flow alone, with PKCE (RFC 7636) and the issuer in the
response (RFC 9207). Nothing here asks anybody: bytes in, values out. All addresses of a provider have to be on
the host of its issuer: what stands in a document leads nowhere else.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, urlencode, urlsplit

from leadglass.access.strict import json_object
from leadglass.errors import RemoteProtocolError

__all__ = ["Asking", "Metadata", "basic", "challenge", "discovery", "grant", "id_token_in", "read_metadata"]

_WELL_KNOWN = "/.well-known/openid-configuration"
_PROVIDER = "the identity provider"
_MOST_WORD = 60


@dataclass(frozen=True, slots=True)
class Metadata:
    """Where a provider is asked what."""

    issuer: str
    authorization: str
    token: str
    keys: str
    names_itself: bool
    """It adds ``iss`` to each response (RFC 9207 3)."""

    def leads_to(self, asking: Asking) -> str:
        """The address that a browser is sent to."""
        joined = "&" if urlsplit(self.authorization).query else "?"
        return f"{self.authorization}{joined}{urlencode(asking.parameters())}"


@dataclass(frozen=True, slots=True)
class Asking:
    """An authentication request (OpenID Connect Core 1.0, 3.1.2.1)."""

    client: str
    back: str
    """Where the browser comes back to (``redirect_uri``)."""
    state: str
    nonce: str
    verifier: str
    anew: bool = False
    """The person has to sign in there even if he is; the token then says when he did."""

    def parameters(self) -> Mapping[str, str]:
        """As they stand in the address."""
        once_more = {"prompt": "login", "max_age": "0"} if self.anew else {}
        return {
            "response_type": "code",
            "client_id": self.client,
            "redirect_uri": self.back,
            "scope": "openid profile",
            "state": self.state,
            "nonce": self.nonce,
            "code_challenge": challenge(self.verifier),
            "code_challenge_method": "S256",
            **once_more,
        }


def challenge(verifier: str) -> str:
    """RFC 7636 4.2, S256."""
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def discovery(issuer: str) -> str:
    """Where the document is that says everything else (Discovery 1.0, 4)."""
    return issuer.rstrip("/") + _WELL_KNOWN


def read_metadata(text: bytes, issuer: str) -> Metadata:
    """What the document says; ``RemoteProtocolError`` if it is none, or another issuer's."""
    told = _object(text, "discovery document")
    if told.get("issuer") != issuer:
        raise RemoteProtocolError(f"{_PROVIDER}'s discovery document is another issuer's than {issuer}")
    return Metadata(
        issuer,
        _address(told, "authorization_endpoint", issuer),
        _address(told, "token_endpoint", issuer),
        _address(told, "jwks_uri", issuer),
        told.get("authorization_response_iss_parameter_supported") is True,
    )


def basic(client: str, secret: str) -> str:
    """``Authorization`` of a client with a secret (RFC 6749 2.3.1)."""
    word = f"{quote_plus(client)}:{quote_plus(secret)}".encode("ascii")
    return f"Basic {base64.b64encode(word).decode()}"


def grant(code: str, back: str, verifier: str) -> bytes:
    """The body that asks for a token in exchange for a code (RFC 6749 4.1.3, RFC 7636 4.5)."""
    fields = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": back,
        "code_verifier": verifier,
    }
    return urlencode(fields).encode("ascii")


def id_token_in(status: int, body: bytes) -> bytes:
    """The ID token in an answer to ``grant``; ``RemoteProtocolError`` says in one line why there is none."""
    told = _object(body, "answer")
    if status != 200:
        raise RemoteProtocolError(f"{_PROVIDER} took the code for nothing ({_word(told.get('error'))})")
    found = told.get("id_token")
    if not isinstance(found, str) or not found.isascii():
        raise RemoteProtocolError(f"{_PROVIDER} answered without an ID token")
    return found.encode("ascii")


def _word(error: object) -> str:
    is_word = isinstance(error, str) and 0 < len(error) <= _MOST_WORD and error.isprintable()
    return str(error) if is_word else "it does not say why"


def _object(text: bytes, what: str) -> dict[str, Any]:
    try:
        return json_object(text)
    except ValueError as exc:
        raise RemoteProtocolError(f"{_PROVIDER}'s {what} cannot be read ({exc})") from exc


def _address(told: Mapping[str, Any], name: str, issuer: str) -> str:
    url = told.get(name)
    if not isinstance(url, str) or not all("!" <= character <= "~" for character in url):
        raise RemoteProtocolError(f"{_PROVIDER} names no {name}")
    if not _is_beside(url, issuer):
        raise RemoteProtocolError(f"{_PROVIDER} has its {name} on another host than {issuer}")
    return url


def _is_beside(url: str, issuer: str) -> bool:
    try:
        here, there = urlsplit(url), urlsplit(issuer)
        is_plain = not (here.fragment or "@" in here.netloc or "\\" in url or here.port == 0)
    except ValueError:
        return False
    return is_plain and (here.scheme, here.hostname) == (there.scheme, there.hostname)
