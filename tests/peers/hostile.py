"""A crowd of peers that break every rule, on loopback: run as a program, it serves until it is killed.

``python -m tests.peers.hostile HOSTS PORTS`` listens on 127.88.1.1 to 127.88.HOSTS.1, ports 21000 and up,
and prints ``ready``. What a peer does depends on its address and port.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import sys
from collections.abc import Awaitable, Callable
from itertools import count
from typing import TypeAlias

from leadglass.wire.pdu import (
    AAssociateAC,
    AAssociateRJ,
    AReleaseRQ,
    PresentationContextAC,
    UserInformation,
    encode,
)
from leadglass.wire.uids import IMPLICIT_VR_LE

__all__ = ["BEHAVIOURS", "FIRST_PORT", "address"]

FIRST_PORT = 21000
Reader: TypeAlias = asyncio.StreamReader
Writer: TypeAlias = asyncio.StreamWriter
Behaviour: TypeAlias = Callable[[Reader, Writer], Awaitable[None]]

_ACCEPT = encode(
    AAssociateAC(
        "ANY-SCP",
        "LEADGLASS",
        (PresentationContextAC(1, 0, IMPLICIT_VR_LE),),
        UserInformation(maximum_length=16384, implementation_class_uid="1.2.3"),
    )
)


def address(number: int) -> str:
    return f"127.88.{number + 1}.1"  # each in a network of its own


def _after_request(*answers: bytes, hold: bool = True) -> Behaviour:
    async def behave(reader: Reader, writer: Writer) -> None:
        await reader.read(65536)
        for answer in answers:
            writer.write(answer)
            await writer.drain()
        if hold:
            await reader.read()

    return behave


async def _silent(reader: Reader, writer: Writer) -> None:
    while await reader.read(65536):
        pass


async def _reset(reader: Reader, writer: Writer) -> None:
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _reset_after(reader: Reader, writer: Writer) -> None:
    await reader.read(65536)
    await _reset(reader, writer)


def _endless(head: bytes, chunk: bytes) -> Behaviour:
    async def behave(reader: Reader, writer: Writer) -> None:
        await reader.read(65536)
        writer.write(head)
        while True:
            writer.write(chunk)
            await writer.drain()

    return behave


def _trickle(data: bytes) -> Behaviour:
    async def behave(reader: Reader, writer: Writer) -> None:
        await reader.read(65536)
        for i in count():
            writer.write(data[i % len(data) :][:1])
            await writer.drain()
            await asyncio.sleep(0.5)

    return behave


BEHAVIOURS: dict[str, Behaviour] = {
    "silent": _silent,
    "reset at once": _reset,
    "reset after the request": _reset_after,
    "closes after the request": _after_request(hold=False),
    "half a PDU": _after_request(_ACCEPT[:40]),
    "half a PDU, then closes": _after_request(_ACCEPT[:40], hold=False),
    "claims 4 GB": _endless(b"\x02\x00\xff\xff\xff\xff", bytes(65536)),
    "wrong inner length": _after_request(_ACCEPT[:76] + b"\xff\xff" + _ACCEPT[78:]),
    "unknown PDU type": _after_request(b"\x06\x00" * 100),
    "garbage": _after_request(bytes(range(128, 256)) * 8),
    "endless garbage": _endless(b"", bytes(range(128, 256)) * 512),
    "accepts, then silence": _after_request(_ACCEPT),
    "accepts, then garbage": _after_request(
        _ACCEPT, b"\x04\x00\x00\x00\x00\x08\xff\xff\xff\xff\x01\x03\x00\x00"
    ),
    "accepts, then endless data": _endless(
        _ACCEPT, b"\x04\x00\x00\x00\x00\x08\x00\x00\x00\x04\x01\x01\x00\x00"
    ),
    "releases at once": _after_request(_ACCEPT, encode(AReleaseRQ())),
    "rejects twice": _after_request(encode(AAssociateRJ(9, 9, 9)) * 2),
    "a byte at a time": _trickle(_ACCEPT),
    "a byte at a time, no protocol": _trickle(b"\x99"),
    "TLS of random length": _endless(b"\x16\x03\x03\xff\xff", bytes(65536)),
    "TLS handshake without end": _endless(b"", b"\x16\x03\x03\x40\x00" + b"\x0b\xff\xff\xff" + bytes(16380)),
    "HTTP header without end": _endless(b"HTTP/1.1 200 OK\r\nX: ", b"x" * 65536),
    "a thousand lines": _endless(b"", b"\x1b[2J\x1b]0;owned\x07\r\n" * 1000),
}


async def _serve(hosts: int, ports: int) -> None:
    behaviours = list(BEHAVIOURS.values())
    servers = []
    for number in range(hosts * ports):
        behaviour = behaviours[number % len(behaviours)]
        host, port = address(number // ports), FIRST_PORT + number % ports
        servers.append(await asyncio.start_server(_guarded(behaviour), host, port))
    print("ready", flush=True)
    await asyncio.gather(*(server.serve_forever() for server in servers))


def _guarded(behave: Behaviour) -> Behaviour:
    async def handle(reader: Reader, writer: Writer) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await behave(reader, writer)
        with contextlib.suppress(OSError):
            writer.close()

    return handle


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), int(sys.argv[2])))
