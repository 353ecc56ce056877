"""Asks the time-stamping authority that the user named for one stamp, over HTTP (RFC 3161 3.4).

One request over one connection; no redirect is followed, no proxy asked, and of an answer only as much is read as a
stamp can have. Whether the answer is to be believed is not judged here: it is signed, so that HTTP without TLS will do.
"""

from __future__ import annotations

import socket
import ssl
import time
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

import h11

from leadglass.errors import RemoteProtocolError, TransportError, UsageError
from leadglass.net.services import Service, connect

__all__ = ["LARGEST", "Authority", "ask", "authority_at"]

LARGEST = 1 << 16
"""Bytes of an answer. One with a chain of certificates has a tenth of them."""
_ASKS, _ANSWERS = "application/timestamp-query", "application/timestamp-reply"
_SECONDS = 30.0
_PIECE = 1 << 14


@dataclass(frozen=True, slots=True)
class Authority:
    """Where one is asked."""

    url: str
    host: str
    port: int
    path: str
    is_secure: bool


def authority_at(url: str) -> Authority:
    """What ``url`` names; ``UsageError`` if that is no place to ask."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = SplitResult("", "", "", "", ""), None
    is_secure = parts.scheme == "https"
    is_plain = url.isascii() and url.isprintable() and " " not in url and "@" not in parts.netloc
    if parts.scheme not in {"http", "https"} or not parts.hostname or not is_plain or parts.fragment:
        raise UsageError(
            f"{url[:80]!r} is no address of an authority",
            where="--tsa",
            then="give http://HOST/PATH or https://HOST/PATH",
        )
    path = parts._replace(scheme="", netloc="", path=parts.path or "/").geturl()
    return Authority(url, parts.hostname, port or (443 if is_secure else 80), path, is_secure)


def ask(authority: Authority, request: bytes, user_agent: str, timeout: float = _SECONDS) -> bytes:
    """The bytes that the authority answers to ``request``.

    ``timeout`` is in seconds, for everything together. ``TransportError`` if there is no connection, no TLS that can
    be believed, or no answer but 200; ``RemoteProtocolError`` if what comes is no HTTP, no time stamp or too large.
    """
    deadline = time.monotonic() + timeout
    http = h11.Connection(h11.CLIENT)
    try:
        with _opened(authority, deadline) as stream:
            stream.settimeout(_left(deadline))
            stream.sendall(_asked(http, authority, request, user_agent))
            return _answer(http, stream, deadline)
    except TimeoutError as exc:
        raise TransportError("no answer in time", where=authority.url) from exc
    except OSError as exc:
        raise TransportError(f"the connection failed ({exc})", where=authority.url) from exc
    except TransportError as exc:
        raise TransportError(exc.what, where=authority.url) from exc
    except h11.RemoteProtocolError as exc:
        raise RemoteProtocolError(f"{authority.url}: this is not HTTP ({exc})") from exc


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _opened(authority: Authority, deadline: float) -> socket.socket:
    found = socket.getaddrinfo(authority.host, authority.port, type=socket.SOCK_STREAM)
    sock = connect(Service("time stamps", str(found[0][4][0]), authority.port), _left(deadline))
    if not authority.is_secure:
        return sock
    try:
        sock.settimeout(_left(deadline))
        return ssl.create_default_context().wrap_socket(sock, server_hostname=authority.host)
    except OSError:
        sock.close()
        raise


def _asked(http: h11.Connection, authority: Authority, request: bytes, user_agent: str) -> bytes:
    host = f"[{authority.host}]" if ":" in authority.host else authority.host
    default = 443 if authority.is_secure else 80
    headers = [
        ("Host", host if authority.port == default else f"{host}:{authority.port}"),
        ("User-Agent", user_agent),
        ("Content-Type", _ASKS),
        ("Content-Length", str(len(request))),
        ("Accept", _ANSWERS),
        ("Connection", "close"),
    ]
    head = http.send(h11.Request(method="POST", target=authority.path, headers=headers)) or b""
    body = http.send(h11.Data(data=request)) or b""
    return head + body + (http.send(h11.EndOfMessage()) or b"")


def _answer(http: h11.Connection, stream: socket.socket, deadline: float) -> bytes:
    body = b""
    while True:
        event = http.next_event()
        if event is h11.NEED_DATA:
            stream.settimeout(_left(deadline))
            http.receive_data(stream.recv(_PIECE))
        elif isinstance(event, h11.Response):
            _require_stamp(event)
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > LARGEST:
                raise RemoteProtocolError(f"the authority answers with more than {LARGEST:,} bytes")
        elif isinstance(event, h11.EndOfMessage | h11.ConnectionClosed):
            return body


def _require_stamp(response: h11.Response) -> None:
    status = response.status_code
    if 300 <= status < 400:
        raise TransportError(f"it redirects ({status}), which is not followed")
    if status != 200:
        raise TransportError(f"it answers {status}")
    kind = dict(response.headers).get(b"content-type", b"")
    if kind.partition(b";")[0].strip().lower() != _ANSWERS.encode():
        shown = kind[:60].decode("ascii", "replace")
        raise RemoteProtocolError(
            f"the authority answers with {shown or 'no content type'!r} and no time stamp"
        )
