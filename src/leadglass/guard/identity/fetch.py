"""One small document over HTTP, from a service that is configured: no redirect, no compression, bounded.

HTTPS, or plain HTTP where it cannot leave this machine.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

import h11

from leadglass.errors import RemoteProtocolError, TransportError
from leadglass.net.stream import stream

__all__ = ["Address", "Document", "fetch"]

_LARGEST = 256 * 1024
_WHOLE = _LARGEST + 32 * 1024
"""Bytes of an answer with its head, its trailers and the frames of its chunks."""
_CHUNK = 16 * 1024
_MAX_AGE = re.compile(r'(?:^|[\s,])max-age\s*=\s*"?(\d{1,9})', re.IGNORECASE)
_NOT_KEPT = re.compile(r"(?:^|[\s,])no-(?:store|cache)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a document is."""

    secure: bool
    host: str
    port: int
    target: str
    """Path and query."""

    @classmethod
    def parse(cls, url: str) -> Address:
        """An absolute ``https`` URL, or an ``http`` one of this machine; ``ValueError`` says what is wrong."""
        if not all("!" <= character <= "~" for character in url):
            raise ValueError("holds a blank or a character outside ASCII")
        parts = urlsplit(url)
        if parts.scheme not in {"https", "http"} or not parts.hostname:
            raise ValueError("is no http or https address")
        if parts.username is not None or parts.password is not None or parts.fragment:
            raise ValueError("holds a user or a fragment")
        if parts.scheme == "http" and not _is_local(parts.hostname):
            raise ValueError("is plain http to another machine; only https is trusted")
        port = parts.port or (443 if parts.scheme == "https" else 80)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return cls(parts.scheme == "https", parts.hostname, port, target)

    @property
    def authority(self) -> str:
        """Host and port as in a ``Host`` header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{'https' if self.secure else 'http'}://{self.authority}{self.target}"


@dataclass(frozen=True, slots=True)
class Document:
    """What was fetched."""

    body: bytes
    max_age: float | None
    """Seconds for which it may be kept, where its sender says so (RFC 9111 5.2)."""


async def fetch(purpose: str, address: Address, tls: ssl.SSLContext, patience: float) -> Document:
    """GET it, all within ``patience`` seconds.

    ``TransportError``: no answer; ``RemoteProtocolError``: not the answer 200 with a body of bounded size.
    """
    secured = tls if address.secure else None
    try:
        async with (
            asyncio.timeout(patience),
            stream(purpose, address.host, address.port, tls=secured, patience=patience) as (reader, writer),
        ):
            return await _exchange(address, reader, writer)
    except TimeoutError as exc:
        raise TransportError(f"{purpose} did not answer within {patience:g} s", where=str(address)) from exc
    except OSError as exc:
        raise TransportError(f"{purpose} broke off ({exc})", where=str(address)) from exc
    except h11.RemoteProtocolError as exc:
        raise RemoteProtocolError(f"{address} does not answer in HTTP") from exc


async def _exchange(address: Address, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Document:
    http = h11.Connection(h11.CLIENT)
    writer.write((http.send(_request(address)) or b"") + (http.send(h11.EndOfMessage()) or b""))
    await writer.drain()
    body, max_age, taken = bytearray(), None, 0
    while True:
        match http.next_event():
            case h11.NEED_DATA:
                data = await reader.read(_CHUNK)
                taken += len(data)
                if taken > _WHOLE:
                    raise RemoteProtocolError(f"{address} answers with more than {_LARGEST} bytes")
                http.receive_data(data)
            case h11.Response() as response:
                max_age = _accept(address, response)
            case h11.Data(data=data):
                body += data
                if len(body) > _LARGEST:
                    raise RemoteProtocolError(f"{address} answers with more than {_LARGEST} bytes")
            case h11.EndOfMessage():
                return Document(bytes(body), max_age)
            case h11.InformationalResponse():
                continue
            case _:
                raise RemoteProtocolError(f"{address} closed without an answer")


def _request(address: Address) -> h11.Request:
    headers = [
        ("Host", address.authority),
        ("User-Agent", "Leadglass"),
        ("Accept", "application/json, application/jwk-set+json"),
        ("Accept-Encoding", "identity"),
        ("Connection", "close"),
    ]
    return h11.Request(method="GET", target=address.target, headers=headers)


def _accept(address: Address, response: h11.Response) -> float | None:
    """How long the body may be kept; ``RemoteProtocolError`` if it is none that is wanted."""
    if response.status_code != 200:
        told = "redirects" if 300 <= response.status_code < 400 else f"answers {response.status_code}"
        raise RemoteProtocolError(f"{address} {told}")
    headers = {name.decode(): value.decode("latin-1") for name, value in response.headers}
    if headers.get("content-encoding", "identity") != "identity":
        raise RemoteProtocolError(f"{address} compresses its answer without having been asked to")
    control = headers.get("cache-control", "")
    if _NOT_KEPT.search(control):
        return 0.0
    age = _MAX_AGE.search(control)
    return float(age[1]) if age else None


def _is_local(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
