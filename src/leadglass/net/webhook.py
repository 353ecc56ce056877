"""Posts a message to an address that the operator configured: signed, bounded, and never led elsewhere.

The signature is an HMAC-SHA256 (RFC 2104) over the time, a full stop and the body, so that a receiver can tell
who sent it and that it is not an old one sent again. A redirect is a refusal: it is not followed.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field

from leadglass.errors import RemoteProtocolError, TransportError
from leadglass.net.fetching import Asked, answered, connected
from leadglass.net.mail import Delivery

__all__ = ["SIGNATURE", "Hook", "post", "signature"]

SIGNATURE = "Leadglass-Signature"
_SECONDS = 15.0
"""For the connection, for the handshake, and for the answer in all."""


@dataclass(frozen=True, slots=True)
class Hook:
    """Where to, and with which secret."""

    url: str
    secret: bytes = field(repr=False)
    ca_file: str | None = None


def signature(secret: bytes, body: bytes, at: int) -> str:
    """The value of the header: ``t=TIME,v1=HEX``."""
    digest = hmac.new(secret, b"%d." % at + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def post(hook: Hook, body: bytes, identifier: str, at: int) -> tuple[Delivery, str]:
    """Post ``body`` (JSON), once; what became of it, and why.

    ``identifier`` is the same for the same message, so that a receiver can tell one that comes again; ``at`` is
    POSIX seconds. ``TransportError`` if there was no connection: it has not left. ``ConfigError`` for unreadable
    authorities.
    """
    asked = _asked(hook, body, identifier, at)
    with connected(asked) as sock:
        try:
            with answered(sock, asked, _SECONDS) as stream:  # what follows its head is nobody's concern
                return _became(stream.status)
        except (TransportError, RemoteProtocolError) as exc:
            return Delivery.UNKNOWN, f"no answer ({exc})"[:200]


def _asked(hook: Hook, body: bytes, identifier: str, at: int) -> Asked:
    headers = {
        "User-Agent": "leadglass-watch",
        "Content-Type": "application/json",
        "Idempotency-Key": identifier,
        SIGNATURE: signature(hook.secret, body, at),
    }
    return Asked("webhook", hook.url, "POST", body, headers, hook.ca_file, seconds=_SECONDS)


def _became(status: int) -> tuple[Delivery, str]:
    if 200 <= status < 300:
        return Delivery.LEFT, ""
    return Delivery.REFUSED, f"it answers {status}" + (", a redirect" if 300 <= status < 400 else "")
