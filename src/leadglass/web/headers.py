"""Headers of every answer: nothing from elsewhere, nothing in a frame, nothing kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

__all__ = ["HEADERS", "HSTS", "POLICY", "with_headers"]


POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self';"
    " manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
"""Content Security Policy level 3: whatever is not of this server is not loaded, and nothing stands in the page."""

HEADERS: Mapping[str, str] = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "cache-control": "no-store",
}
"""A route may say otherwise only of what it sets itself: static files may be kept."""
HSTS = "max-age=31536000"
"""A year (RFC 6797); without includeSubDomains, because other servers of the domain are not ours to decide on."""


def with_headers(found: Iterable[tuple[bytes, bytes]], *, secure: bool) -> list[tuple[bytes, bytes]]:
    """``found`` and those of ``HEADERS`` that are not in it; ``secure``: the browser came by TLS."""
    headers = list(found)
    there = {name.lower() for name, _ in headers}
    wanted = {**HEADERS, **({"strict-transport-security": HSTS} if secure else {})}
    headers += [
        (name.encode(), value.encode()) for name, value in wanted.items() if name.encode() not in there
    ]
    return headers
