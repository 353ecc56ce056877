"""A nameserver and a web server on loopback, small enough to see that they do nothing else."""

from __future__ import annotations

import contextlib
import http.server
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

__all__ = ["Answer", "Nameserver", "Site", "Zone", "nameserver", "raw_server", "web_server"]

Zone: TypeAlias = Mapping[str, Mapping[str, tuple[str, ...]]]
"""Name to type to records, all in presentation format."""


@dataclass
class Nameserver:
    """Answers from ``zone``; what it was asked is in ``asked``, over UDP or TCP."""

    zone: Zone
    address: tuple[str, int]
    rcodes: Mapping[str, dns.rcode.Rcode] = field(default_factory=dict)
    """Names that are answered with an error."""
    silent: frozenset[str] = frozenset()
    truncated: frozenset[str] = frozenset()
    """Names that are answered in full only over TCP."""
    forged: frozenset[str] = frozenset()
    """Names for which an answer to another question comes first."""
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    def answer(self, wire: bytes, transport: str) -> list[bytes]:
        """The datagrams that answer one."""
        query = dns.message.from_wire(wire)
        question = query.question[0]
        name, kind = question.name.to_text(omit_final_dot=True), dns.rdatatype.to_text(question.rdtype)
        self.asked.append((transport, name, kind))
        if name in self.silent:
            return []
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA
        response.set_rcode(self.rcodes.get(name, dns.rcode.NOERROR))
        if transport == "udp" and name in self.truncated:
            response.flags |= dns.flags.TC
            return [response.to_wire()]
        self._fill(response, name, kind)
        if name not in self.forged:
            return [response.to_wire()]
        forgery = dns.message.from_wire(response.to_wire())
        forgery.id = query.id ^ 1
        forgery.answer = [dns.rrset.from_text(f"{name}.", 60, "IN", "TXT", '"forged"')]
        return [b"garbage", forgery.to_wire(), response.to_wire()]

    def _fill(self, response: dns.message.Message, name: str, kind: str) -> None:
        if name not in self.zone and name not in self.rcodes:
            response.set_rcode(dns.rcode.NXDOMAIN)
            return
        records = self.zone.get(name, {})
        for alias in records.get("CNAME", ()):
            response.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", "CNAME", f"{alias}."))
            self._fill(response, alias, kind)
        if kind in records:
            response.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", kind, *records[kind]))


@contextlib.contextmanager
def nameserver(zone: Zone, **behaviour: object) -> Iterator[Nameserver]:
    """Serve ``zone`` on a port of 127.0.0.1, over UDP and TCP."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        socket.create_server(("127.0.0.1", 0)) as tcp,
    ):
        udp.bind(tcp.getsockname())
        server = Nameserver(zone, tcp.getsockname(), **behaviour)  # type: ignore[arg-type]
        with _serving(udp, lambda: _answer_udp(udp, server)), _serving(tcp, lambda: _answer_tcp(tcp, server)):
            yield server


@dataclass(frozen=True)
class Answer:
    """One page."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Site:
    """Pages by path; every request's line and headers are in ``asked``."""

    pages: Mapping[str, Answer]
    address: tuple[str, int]
    asked: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)


@contextlib.contextmanager
def web_server(
    address: tuple[str, int], pages: Mapping[str, Answer], tls: tuple[Path, Path] | None = None
) -> Iterator[Site]:
    """Serve ``pages`` over HTTP, or HTTPS with a certificate and its key; anything else is 404."""
    site = Site(pages, address)

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            site.asked.append((self.path, dict(self.headers)))
            answer = site.pages.get(self.path, Answer(b"no such page", 404))
            self.send_response(answer.status)
            self.send_header("Content-Length", str(len(answer.body)))
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(address, Handler)
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextlib.contextmanager
def raw_server(address: tuple[str, int], serve: Callable[[socket.socket], None]) -> Iterator[None]:
    """Hand every connection to ``serve``."""

    def accept() -> None:
        with listener.accept()[0] as connection, contextlib.suppress(OSError):
            connection.settimeout(5)
            serve(connection)

    with socket.create_server(address) as listener, _serving(listener, accept):
        yield


@contextlib.contextmanager
def _serving(sock: socket.socket, once: Callable[[], None]) -> Iterator[None]:
    stop = threading.Event()
    sock.settimeout(0.02)

    def loop() -> None:
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                once()

    thread = threading.Thread(target=loop)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _answer_udp(sock: socket.socket, server: Nameserver) -> None:
    wire, peer = sock.recvfrom(4096)
    for datagram in server.answer(wire, "udp"):
        sock.sendto(datagram, peer)


def _answer_tcp(sock: socket.socket, server: Nameserver) -> None:
    with sock.accept()[0] as connection:
        connection.settimeout(5)
        size = struct.unpack("!H", connection.recv(2, socket.MSG_WAITALL))[0]
        for message in server.answer(connection.recv(size, socket.MSG_WAITALL), "tcp"):
            connection.sendall(struct.pack("!H", len(message)) + message)
