"""A connection to a configured service by name, and TLS on it: blocking, bounded in time."""

from __future__ import annotations

import ipaddress
import socket
import ssl

from leadglass.errors import ConfigError, TransportError
from leadglass.net.services import Service, connect

__all__ = ["context_for", "reached", "secured"]


def context_for(
    ca_file: str | None, certificate: str | None = None, key: str | None = None
) -> ssl.SSLContext:
    """TLS 1.2 or newer, with the authorities of ``ca_file`` or the system's; ``ConfigError`` if a file cannot be used."""
    try:
        context = ssl.create_default_context(cafile=ca_file)
        if certificate is not None:
            context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as exc:
        where = certificate or str(ca_file)
        raise ConfigError(f"the certificates cannot be read ({exc})", where=where) from exc
    return context


def reached(purpose: str, host: str, port: int, seconds: float) -> socket.socket:
    """A blocking socket whose every step takes ``seconds`` at most; the first address of ``host`` that answers.

    ``TransportError`` if none does.
    """
    trouble: TransportError | None = None
    for address in _addresses(purpose, host, port):
        try:
            sock = connect(Service(purpose, address, port), seconds)
        except TransportError as exc:
            trouble = exc
            continue
        sock.settimeout(seconds)
        return sock
    raise trouble or TransportError("has no address", where=f"{purpose} at {host}:{port}")


def secured(sock: socket.socket, context: ssl.SSLContext, host: str, where: str) -> ssl.SSLSocket:
    """TLS on ``sock``, which is closed if there is none that can be believed: ``TransportError``."""
    try:
        return context.wrap_socket(sock, server_hostname=host)
    except (OSError, ValueError) as exc:
        sock.close()
        raise TransportError(f"there is no TLS that can be believed ({exc})", where=where) from exc


def _addresses(purpose: str, host: str, port: int) -> list[str]:
    try:
        return [str(ipaddress.ip_address(host))]
    except ValueError:
        pass
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:
        raise TransportError(f"has no address ({exc})", where=f"{purpose} at {host}:{port}") from exc
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))
