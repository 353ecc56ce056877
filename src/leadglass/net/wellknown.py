"""Reads one small text from a web server that the scope permits: the proof that its owner agrees.

One request over one connection, opened with a permit like any other. Redirects are not followed,
and no more of the body is read than a proof can have.
"""

from __future__ import annotations

import selectors
import socket
import ssl
import time
from dataclasses import dataclass

import h11

from leadglass.errors import RemoteProtocolError, TransportError
from leadglass.model.endpoint import Endpoint, Permit
from leadglass.net.dial import dial, loss_of
from leadglass.ports.conversation import Loss

__all__ = ["LONGEST", "fetch_text"]

LONGEST = 4096
"""Bytes of the body that are read."""

_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class _Deadline:
    at: float

    def left(self) -> float:
        left = self.at - time.monotonic()
        if left <= 0:
            raise TransportError("no answer in time")
        return left


def fetch_text(
    permit: Permit, path: str, *, tls: bool, user_agent: str, moment: float, timeout: float = _SECONDS
) -> str:
    """The text at ``path``, at most ``LONGEST`` bytes of it.

    ``timeout`` is in seconds, for everything together: connecting, TLS, question and answer.

    ``TransportError`` if there is no connection or no answer other than 200,
    ``RemoteProtocolError`` if the answer is no HTTP/1.1 (RFC 9112), ``ScopeDenied`` if the permit
    has run out.
    """
    deadline = _Deadline(time.monotonic() + timeout)
    http = h11.Connection(h11.CLIENT)
    try:
        with _begun(permit, moment) as plain:
            _await_connection(plain, deadline)
            with _secured(plain, permit, tls, deadline) as stream:
                stream.settimeout(deadline.left())
                stream.sendall(http.send(_request(permit.endpoint, path, tls, user_agent)) or b"")
                return _answer(http, stream, deadline)
    except OSError as exc:
        raise TransportError(f"the connection failed ({exc})") from exc
    except h11.RemoteProtocolError as exc:
        raise RemoteProtocolError(f"this is not HTTP ({exc})") from exc


def _begun(permit: Permit, moment: float) -> socket.socket:
    begun = dial(permit, moment)
    if isinstance(begun, Loss):
        raise TransportError(f"no connection ({begun.value})")
    return socket.socket(fileno=begun.detach())


def _await_connection(sock: socket.socket, deadline: _Deadline) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(sock, selectors.EVENT_WRITE)
        selector.select(deadline.left())
    deadline.left()
    code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if code:
        raise TransportError(f"no connection ({loss_of(code).value})")


def _secured(sock: socket.socket, permit: Permit, tls: bool, deadline: _Deadline) -> socket.socket:
    if not tls:
        return sock
    # The token is the proof, not the certificate: an expired or self-signed one is what scans find.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    sock.settimeout(deadline.left())
    return context.wrap_socket(sock, server_hostname=permit.endpoint.name)


def _request(endpoint: Endpoint, path: str, tls: bool, user_agent: str) -> h11.Request:
    host = endpoint.name or str(endpoint).rpartition(":")[0]
    default = 443 if tls else 80
    headers = [
        ("Host", host if endpoint.port == default else f"{host}:{endpoint.port}"),
        ("User-Agent", user_agent),
        ("Accept", "text/plain"),
        ("Connection", "close"),
    ]
    return h11.Request(method="GET", target=path, headers=headers)


def _answer(http: h11.Connection, stream: socket.socket, deadline: _Deadline) -> str:
    body = b""
    while len(body) < LONGEST:
        event = http.next_event()
        if event is h11.NEED_DATA:
            stream.settimeout(deadline.left())
            http.receive_data(stream.recv(LONGEST))
        elif isinstance(event, h11.Response):
            _require_success(event.status_code)
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage | h11.ConnectionClosed):
            break
    return body[:LONGEST].decode("utf-8", "replace")


def _require_success(status: int) -> None:
    if 300 <= status < 400:
        raise TransportError(f"it redirects ({status}), which is not followed")
    if status != 200:
        raise TransportError(f"it answers {status}")
