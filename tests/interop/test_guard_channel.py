"""A channel carries bytes both ways, with TLS and without, and ends as it should whatever the peer does."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable

import pytest
import trustme

from leadglass.guard.channel import HIGH_WATER, Channel

AUTHORITY = trustme.CA()


class Owner:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told = bytearray()
        self.is_open = asyncio.Event()
        self.has_drained = asyncio.Event()
        self.end: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.pause_at = -1
        self.channel: Channel

    def opened(self) -> None:
        self.is_open.set()

    def received(self, data: memoryview) -> None:
        self.told += data
        if 0 <= self.pause_at <= len(self.told):
            self.channel.pause()

    def drained(self) -> None:
        self.has_drained.set()

    def closed(self, why: str) -> None:
        self.end.set_result(why)


def server_context(*, demand: bool = True) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert("guard.test").configure_cert(context)
    AUTHORITY.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED if demand else ssl.CERT_NONE
    return context


def client_context(*, certificate: bool = True) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    AUTHORITY.configure_trust(context)
    if certificate:
        AUTHORITY.issue_cert("client.test").configure_cert(context)
    return context


async def until(done: Callable[[], bool]) -> None:
    """Let the event loop turn until ``done``."""
    for _ in iter(done, True):
        await asyncio.sleep(0)


def run(test: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(20):
            await test()

    asyncio.run(bounded())


def opened(sock: socket.socket, *, tls: bool) -> Owner:
    owner = Owner()
    owner.channel = Channel(sock, owner)
    if tls:
        owner.channel.start_tls(server_context(), server=True, name=None, patience=5.0)
    else:
        owner.channel.start()
    return owner


def pair() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        theirs = socket.create_connection(listener.getsockname())
        ours, _ = listener.accept()
    return ours, theirs


async def tls_client(sock: socket.socket, context: ssl.SSLContext) -> ssl.SSLSocket:
    return await asyncio.to_thread(context.wrap_socket, sock, server_hostname="guard.test")


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_what_is_sent_arrives_both_ways(tls: bool) -> None:
    data = bytes(range(256)) * 4096

    async def test() -> None:
        ours, theirs = pair()
        owner = opened(ours, tls=tls)
        peer: socket.socket = await tls_client(theirs, client_context()) if tls else theirs
        await owner.is_open.wait()
        owner.channel.send(data)
        got = bytearray()
        while len(got) < len(data):
            got += await asyncio.to_thread(peer.recv, 65536)
        assert got == data
        await asyncio.to_thread(peer.sendall, data)
        await until(lambda: len(owner.told) == len(data))
        assert owner.told == data
        owner.channel.abort()
        peer.close()
        await owner.end

    run(test)


def test_parts_are_sent_in_order_however_little_the_peer_reads() -> None:
    async def test() -> None:
        ours, theirs = pair()
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        owner = opened(ours, tls=False)
        parts = [bytes([n]) * 50_000 for n in range(40)]
        for at in range(0, 40, 4):
            owner.channel.send_all(parts[at : at + 4])
        assert owner.channel.queued > HIGH_WATER
        got = bytearray()
        while len(got) < 2_000_000:
            got += await asyncio.to_thread(theirs.recv, 65536)
        assert bytes(got) == b"".join(parts)
        await owner.has_drained.wait()
        theirs.close()
        assert await owner.end == ""

    run(test)


def test_a_paused_channel_tells_nothing_until_it_is_resumed_even_of_what_tls_has_decrypted() -> None:
    async def test() -> None:
        ours, theirs = pair()
        owner = opened(ours, tls=True)
        peer = await tls_client(theirs, client_context())
        await owner.is_open.wait()
        owner.pause_at = 1
        await asyncio.to_thread(peer.sendall, bytes(400_000))
        await until(lambda: bool(owner.told))
        seen = len(owner.told)
        for _ in range(50):
            await asyncio.sleep(0)
        assert len(owner.told) == seen < 400_000
        owner.pause_at = -1
        owner.channel.resume()
        await until(lambda: len(owner.told) == 400_000)
        peer.close()
        await owner.end

    run(test)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def test_a_client_without_certificate_is_told_by_an_alert(version: ssl.TLSVersion) -> None:
    async def test() -> None:
        ours, theirs = pair()
        owner = opened(ours, tls=True)
        context = client_context(certificate=False)
        context.minimum_version = context.maximum_version = version

        def talk() -> None:
            with context.wrap_socket(theirs, server_hostname="guard.test") as peer:
                peer.sendall(b"x")
                peer.recv(1)

        def refused() -> str:
            with pytest.raises(ssl.SSLError) as caught:
                talk()
            return str(caught.value)

        words = (await asyncio.to_thread(refused)).lower()
        assert "alert" in words
        assert "certificate" in await owner.end

    run(test)


def test_a_certificate_that_is_not_the_expected_one_is_not_spoken_to() -> None:
    async def test() -> None:
        ours, theirs = pair()
        owner = Owner()
        owner.channel = Channel(ours, owner)
        shown: list[bytes | None] = []

        def trusted(certificate: bytes | None) -> bool:
            shown.append(certificate)
            return False

        owner.channel.start_tls(server_context(), server=True, name=None, patience=5.0, trusted=trusted)
        peer = await tls_client(theirs, client_context())
        assert await asyncio.to_thread(peer.recv, 1) == b""
        peer.close()
        assert "not the one that is expected" in await owner.end
        assert not owner.is_open.is_set()
        assert shown[0] is not None

    run(test)


def test_silence_in_the_handshake_ends_it() -> None:
    async def test() -> None:
        ours, theirs = pair()
        owner = Owner()
        owner.channel = Channel(ours, owner)
        owner.channel.start_tls(server_context(), server=True, name=None, patience=0.05)
        assert "too long" in await owner.end
        theirs.close()

    run(test)


@pytest.mark.parametrize("junk", [b"\x01\x00\x00\x00\x00\x10", b"GET / HTTP/1.1\r\n\r\n"])
def test_plain_bytes_at_a_tls_door_end_it(junk: bytes) -> None:
    async def test() -> None:
        ours, theirs = pair()
        owner = opened(ours, tls=True)
        theirs.sendall(junk)
        theirs.close()
        assert "TLS" in await owner.end

    run(test)


def test_closing_sends_everything_first_and_then_ends() -> None:
    async def test() -> None:
        ours, theirs = pair()
        owner = opened(ours, tls=True)
        peer = await tls_client(theirs, client_context())
        await owner.is_open.wait()
        owner.channel.send(bytes(3_000_000))
        owner.channel.close()
        owner.channel.send(b"too late")

        def read() -> int:
            total = 0
            while data := peer.recv(65536):
                total += len(data)
            peer.close()
            return total

        assert await asyncio.to_thread(read) == 3_000_000
        assert await owner.end == ""

    run(test)


def test_a_peer_that_never_reads_the_end_is_left_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leadglass.guard.channel._FAREWELL", 0.05)

    async def test() -> None:
        ours, theirs = pair()
        owner = opened(ours, tls=False)
        owner.channel.send(bytes(30_000_000))
        owner.channel.close()
        await owner.end
        theirs.close()

    run(test)
