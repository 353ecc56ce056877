"""Asks the time-stamping authority that the user named for one stamp, over HTTP (RFC 3161 3.4).

One request over one connection; no redirect is followed, no proxy asked, and of an answer only as much is read as a
stamp can have. Whether the answer is to be believed is not judged here: it is signed, so that HTTP without TLS will do.
"""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from leadglass.errors import RemoteProtocolError, TransportError, UsageError
from leadglass.net.fetching import Asked, Stream, streamed, whole

__all__ = ["LARGEST", "ask", "require_authority"]

LARGEST = 1 << 16
"""Bytes of an answer. One with a chain of certificates has a tenth of them."""
_PURPOSE = "the authority"
_ASKS, _ANSWERS = "application/timestamp-query", "application/timestamp-reply"


def require_authority(url: str) -> None:
    """``UsageError`` if ``url`` is no place to ask."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        parts = SplitResult("", "", "", "", "")
    is_plain = url.isascii() and url.isprintable() and " " not in url and "@" not in parts.netloc
    if parts.scheme not in {"http", "https"} or not parts.hostname or not is_plain or parts.fragment:
        raise UsageError(
            f"{url[:80]!r} is no address of an authority",
            where="--tsa",
            then="give http://HOST/PATH or https://HOST/PATH",
        )


def ask(url: str, request: bytes, user_agent: str, timeout: float = 30.0) -> bytes:
    """The bytes that the authority at ``url`` answers to ``request``.

    ``timeout`` is in seconds, for the connection, for TLS, and for the answer. ``TransportError`` if there is no
    connection, no TLS that can be believed, or no answer but 200; ``RemoteProtocolError`` if what comes is no HTTP,
    no time stamp or too large.
    """
    headers = {"User-Agent": user_agent, "Content-Type": _ASKS, "Accept": _ANSWERS}
    asked = Asked(_PURPOSE, url, "POST", request, headers, largest=LARGEST, seconds=timeout)
    with streamed(asked, in_all=timeout) as stream:
        _require_stamp(stream, url)
        return whole(stream, asked)


def _require_stamp(stream: Stream, url: str) -> None:
    status = stream.status
    if 300 <= status < 400:
        raise TransportError(f"it redirects ({status}), which is not followed", where=url)
    if status != 200:
        raise TransportError(f"it answers {status}", where=url)
    if stream.kind != _ANSWERS:
        shown = stream.kind[:60] or "no content type"
        raise RemoteProtocolError(f"{_PURPOSE} answers with {shown!r} and no time stamp")
