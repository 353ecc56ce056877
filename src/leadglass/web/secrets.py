"""Secrets of sessions, links and tokens: random, shown once, kept as a digest."""

from __future__ import annotations

import base64
import hashlib
import hmac

from leadglass.ports.world import Randomness

__all__ = ["TOKEN_PREFIX", "api_token", "csrf_of", "digest_of", "is_api_token", "is_same", "secret"]

TOKEN_PREFIX = "lgt_"  # noqa: S105 - what tells a token from anything else, for scanners of leaked secrets
_BYTES = 32
_LONGEST = 64


def secret(randomness: Randomness) -> str:
    """256 random bits in characters that cookies, addresses and forms take as they are."""
    return base64.urlsafe_b64encode(randomness.token(_BYTES)).rstrip(b"=").decode()


def api_token(randomness: Randomness) -> str:
    """A secret that can be told to be one of ours."""
    return TOKEN_PREFIX + secret(randomness)


def is_api_token(text: str) -> bool:
    """Whether it may be one of ours: nothing else is looked up."""
    return text.startswith(TOKEN_PREFIX) and len(text) <= _LONGEST


def digest_of(text: str) -> str:
    """What is kept of a secret: SHA-256 in hexadecimal. It has 256 bits, so nobody finds it by trying."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def csrf_of(text: str) -> str:
    """What the forms of a session bring along: it follows from the secret, and the secret not from it."""
    return hmac.new(text.encode(errors="surrogatepass"), b"leadglass csrf", "sha256").hexdigest()


def is_same(left: str, right: str) -> bool:
    """Compared in even time; nothing is the same as an empty one."""
    return bool(right) and hmac.compare_digest(left.encode(errors="replace"), right.encode(errors="replace"))
