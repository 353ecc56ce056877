"""TLS servers to be asked by the tests of this folder, and a driver that holds one conversation."""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.peers import dcmtk, netns, nginx
from tests.peers.certificates import Certificates
from tests.peers.places import Place
from tests.peers.running import Peer, running, version_of

from leadglass.model.evidence import Reply, TlsEvidence, TlsHelloEvidence
from leadglass.model.rung import Rung
from leadglass.ports.conversation import Conversation, Loss, Step
from leadglass.probe.associate import AssociateConversation
from leadglass.probe.tls import HelloConversation, SecureConversation

__all__ = [
    "PORT",
    "V12",
    "Get",
    "Start",
    "World",
    "ancient",
    "associate",
    "drive",
    "handshake",
    "haproxy",
    "hello",
    "python",
    "s_server",
    "storescp",
    "stream",
    "stunnel",
]

PORT = 2762
V12 = "TLSv1.2"

_HAPROXY = """
defaults
    mode tcp
    timeout connect 5s
    timeout client 30s
    timeout server 30s
frontend dicom
    bind :{port} ssl crt {bundle} ca-file {authority} verify {verify} ssl-min-ver {version} ssl-max-ver {version}
    default_backend archive
backend archive
    server archive 127.0.0.1:{behind}
"""

_STUNNEL = """
foreground = yes
pid =
[dicom]
accept = {port}
connect = 127.0.0.1:{behind}
cert = {papers.server}
key = {papers.server_key}
CAfile = {papers.authority}
verifyChain = yes
sslVersionMin = {version}
sslVersionMax = {version}
"""

_PYTHON = """
import asyncio, ssl
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.minimum_version = context.maximum_version = ssl.TLSVersion.{version}
context.load_cert_chain({server!r}, {key!r})
context.load_verify_locations({authority!r})
context.verify_mode = ssl.CERT_REQUIRED
async def main():
    server = await asyncio.start_server(lambda reader, writer: None, "", {port}, ssl=context)
    await server.serve_forever()
asyncio.run(main())
"""


# ---- driving a conversation


def drive(conversation: Conversation, place: Place, port: int) -> None:
    """One conversation over one connection, as the engine would hold it."""
    with place.inside():
        connection = socket.create_connection((netns.SERVER, port), timeout=5)
    with connection, selectors.DefaultSelector() as selector:
        selector.register(connection, selectors.EVENT_READ)
        wake_at = 0.0
        step = conversation.connected(time.monotonic())
        while _carried(connection, step) and not step.close:
            wake_at = step.wake_at or wake_at
            if selector.select(max(0.0, wake_at - time.monotonic())):
                step = _received(conversation, connection)
            else:
                step = conversation.woken(time.monotonic())


def _carried(connection: socket.socket, step: Step) -> bool:
    with contextlib.suppress(ConnectionError):  # The reset will be met when reading.
        connection.sendall(step.send)
    return True


def _received(conversation: Conversation, connection: socket.socket) -> Step:
    try:
        data = connection.recv(65536)
    except ConnectionResetError:
        conversation.lost(Loss.RESET, time.monotonic())
        return Step(close=True)
    if data:
        return conversation.received(data, time.monotonic())
    conversation.lost(Loss.EOF, time.monotonic())
    return Step(close=True)


@dataclass
class Get:
    """A web request, and the first line of what comes back."""

    status: bytes = b""
    rung: Rung = Rung.ASSOCIATE
    losses: list[Loss] = field(default_factory=list)

    def connected(self, now: float) -> Step:
        return Step(b"GET / HTTP/1.1\r\nHost: archive.example\r\nConnection: close\r\n\r\n", now + 5.0)

    def received(self, data: bytes, now: float) -> Step:
        self.status += data
        return Step(close=b"\r\n" in self.status)

    def woken(self, now: float) -> Step:
        return Step(close=True)

    def stopped(self, now: float) -> Step:
        return Step(close=True)

    def lost(self, loss: Loss, now: float) -> None:
        self.losses.append(loss)


# ---- the servers


@dataclass(frozen=True)
class World:
    """A cable, two trusted CAs, and a plain DICOM server for others to stand in front of."""

    server: Place
    scanner: Place
    home: Path
    papers: Certificates
    behind: Peer


Start = Callable[[World, str], contextlib.AbstractContextManager[Peer]]


def storescp(caller: str) -> Start:
    """TLS 1.2 is had by the retired AES profile, which knows no later version."""

    def start(world: World, version: str) -> contextlib.AbstractContextManager[Peer]:
        options = ["+pa"] if version == V12 else []
        return dcmtk.storescp_tls(world.server, world.home / "s", world.papers, caller, *options, port=PORT)

    return start


def stream(verify: str) -> Start:
    def start(world: World, version: str) -> contextlib.AbstractContextManager[Peer]:
        return nginx.front(
            world.server,
            world.home / "n",
            world.papers,
            world.behind,
            verify=verify,
            version=version,
            port=PORT,
        )

    return start


def haproxy(verify: str) -> Start:
    def start(world: World, version: str) -> contextlib.AbstractContextManager[Peer]:
        configuration = world.home / "haproxy.cfg"
        configuration.write_text(
            _HAPROXY.format(
                port=PORT,
                bundle=world.papers.server_bundle,
                authority=world.papers.authority,
                verify=verify,
                version=version,
                behind=world.behind.port,
            )
        )
        return _run(world, "haproxy", ["haproxy", "-db", "-f", configuration])

    return start


def stunnel(world: World, version: str) -> contextlib.AbstractContextManager[Peer]:
    configuration = world.home / "stunnel.conf"
    configuration.write_text(
        _STUNNEL.format(port=PORT, papers=world.papers, version=version, behind=world.behind.port)
    )
    return _run(world, "stunnel", ["stunnel4", configuration])


def python(world: World, version: str) -> contextlib.AbstractContextManager[Peer]:
    program = _PYTHON.format(
        version=version.replace(".", "_"),
        server=str(world.papers.server),
        key=str(world.papers.server_key),
        authority=str(world.papers.authority),
        port=PORT,
    )
    return _run(world, "python", [sys.executable, "-c", program])


def _run(world: World, product: str, argv: list[str | Path]) -> contextlib.AbstractContextManager[Peer]:
    return running(world.server, argv, product=product, version="-", ports={"dicom": PORT}, home=world.home)


@contextlib.contextmanager
def s_server(world: World, *options: str) -> Iterator[Peer]:
    keys: list[str | Path] = ["-key", world.papers.server_key, "-cert", world.papers.server]
    with running(
        world.server,
        ["openssl", "s_server", "-www", "-accept", str(PORT), *keys, *options],
        product="openssl",
        version=version_of(["openssl", "version"]),
        ports={"https": PORT},
        home=world.home,
    ) as peer:
        yield peer


# ---- asking


def hello(world: World, offer: str, port: int = PORT) -> TlsHelloEvidence:
    probe = HelloConversation(offer, server_name="archive.example", random=os.urandom(32), patience=5.0)
    drive(probe, world.scanner, port)
    return probe.evidence


def handshake(world: World, inner: Conversation | None, port: int = PORT) -> TlsEvidence:
    probe = SecureConversation(inner, server_name="archive.example", patience=5.0)
    drive(probe, world.scanner, port)
    return probe.evidence


def associate(world: World) -> tuple[TlsEvidence, Reply | None]:
    """A handshake, and what became of the association inside; None if it was never asked for."""
    inner = AssociateConversation("ANY-SCP", "LEADGLASS", over_tls=True)
    probe = SecureConversation(inner, server_name="archive.example", patience=5.0)
    drive(probe, world.scanner, PORT)
    return probe.evidence, inner.evidence.reply if probe.asked else None


# ---- suites and versions that nothing here can serve any more


class Ancient:
    """A server laid out by the book (RFC 5246 7.3, RFC 6101): it chooses, presents a certificate, and waits."""

    def __init__(self, place: Place, version: int, suite: int, chain: list[bytes]) -> None:
        with place.inside():
            self._listener = socket.create_server((netns.SERVER, 0))
        self.port = self._listener.getsockname()[1]
        self._version, self._suite, self._chain = version.to_bytes(2), suite.to_bytes(2), chain
        self.goodbyes: list[bytes] = []

    def serve(self) -> None:
        """Answer one caller."""
        connection, _ = self._listener.accept()
        with connection:
            heard = connection.recv(65536)
            connection.sendall(
                self._flight() if self._offered(heard) else bytes.fromhex("15 0300 0002 02 28")
            )
            self.goodbyes.append(connection.recv(65536))

    def close(self) -> None:
        self._listener.close()

    def _offered(self, heard: bytes) -> bool:
        size = int.from_bytes(heard[44:46])
        return (
            self._suite in [heard[at : at + 2] for at in range(46, 46 + size, 2)]
            and heard[9:11] >= self._version
        )

    def _flight(self) -> bytes:
        chain = b"".join(len(der).to_bytes(3) + der for der in self._chain)
        hello = self._message(2, self._version + bytes(32) + b"\0" + self._suite + b"\0")
        certificate = self._message(11, len(chain).to_bytes(3) + chain)
        return self._record(hello) + self._record(certificate) + self._record(self._message(14, b""))

    def _record(self, content: bytes) -> bytes:
        return b"\x16" + self._version + len(content).to_bytes(2) + content

    @staticmethod
    def _message(kind: int, body: bytes) -> bytes:
        return bytes((kind,)) + len(body).to_bytes(3) + body


@contextlib.contextmanager
def ancient(place: Place, version: int, suite: int, papers: Certificates) -> Iterator[Ancient]:
    pem = papers.server.read_bytes().split(b"-----END CERTIFICATE-----")[0] + b"-----END CERTIFICATE-----\n"
    der = subprocess.run(
        ["openssl", "x509", "-outform", "DER"], input=pem, capture_output=True, check=True
    ).stdout
    server = Ancient(place, version, suite, [der])
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield server
        thread.join(timeout=5)
        assert not thread.is_alive()
    finally:
        server.close()
