"""An archive that answers on every address of its side of the cable, and notes how deep it was asked at each.

It is no product: hundreds of calls at once are too many for those that there are. It accepts
Verification and study queries, and answers C-ECHO and C-FIND with success and without a match.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from typing import Any

from pynetdicom.pdu import A_ASSOCIATE_AC, A_ASSOCIATE_RQ, P_DATA_TF
from pynetdicom.presentation import PresentationContext
from tests.peers.places import Place

__all__ = ["Asked", "listener"]

_VERIFICATION = "1.2.840.10008.1.1"
_STUDY_ROOT_FIND = "1.2.840.10008.5.1.4.1.2.2.1"
_ACCEPTED = {_VERIFICATION, _STUDY_ROOT_FIND}
_RELEASE_RP = bytes.fromhex("06000000000400000000")
_C_FIND = 0x0020

Asked = dict[str, set[str]]
"""Address to the rungs that were seen there: associate, negotiate, blank-query."""


@contextlib.contextmanager
def listener(place: Place, port: int) -> Iterator[Asked]:
    """Listen at ``place`` on ``port`` of all its addresses, IPv4 and IPv6, while the block runs."""
    asked: Asked = {}
    loop = asyncio.new_event_loop()
    listening, over = threading.Event(), asyncio.Event()

    async def serve() -> None:
        both = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=1024)
        server = await asyncio.start_server(
            lambda reader, writer: _converse(reader, writer, asked), sock=both
        )
        async with server:
            listening.set()
            await over.wait()

    def run() -> None:
        with place.inside():
            loop.run_until_complete(serve())

    thread = threading.Thread(target=run, name="listener")
    thread.start()
    try:
        assert listening.wait(10)
        yield asked
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()


async def _converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, asked: Asked) -> None:
    address = writer.get_extra_info("sockname")[0].removeprefix("::ffff:")
    rungs = asked.setdefault(address, set())
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        while (answer := _answer(await _pdu(reader), rungs)) is not None:
            writer.write(answer)
            await writer.drain()
    with contextlib.suppress(ConnectionError):
        writer.close()
        await writer.wait_closed()


async def _pdu(reader: asyncio.StreamReader) -> bytes:
    """One PDU, header and all (PS3.8 9.3.1)."""
    head = await reader.readexactly(6)
    return head + await reader.readexactly(int.from_bytes(head[2:]))


def _answer(pdu: bytes, rungs: set[str]) -> bytes | None:
    """What to answer; None: close."""
    if pdu[0] == 1:
        return _accept(pdu, rungs)
    if pdu[0] == 4:
        return _respond(pdu, rungs)
    return _RELEASE_RP if pdu[0] == 5 else None


def _accept(pdu: bytes, rungs: set[str]) -> bytes:
    request = A_ASSOCIATE_RQ()
    request.decode(pdu)
    offered = {str(context.abstract_syntax) for context in request.presentation_context}
    rungs.add("associate" if offered == {_VERIFICATION} else "negotiate")
    primitive = request.to_primitive()
    primitive.result = 0
    primitive.presentation_context_definition_results_list = [
        _verdict(context) for context in primitive.presentation_context_definition_list
    ]
    accept = A_ASSOCIATE_AC()
    accept.from_primitive(primitive)
    encoded: bytes = accept.encode()
    return encoded


def _verdict(context: Any) -> PresentationContext:
    verdict = PresentationContext()
    verdict.context_id = context.context_id
    verdict.transfer_syntax = [context.transfer_syntax[0]]
    # PS3.8 table 9-18: 0 acceptance, 3 abstract syntax not supported.
    verdict.result = 0 if context.abstract_syntax in _ACCEPTED else 3
    return verdict


def _respond(pdu: bytes, rungs: set[str]) -> bytes:
    data = P_DATA_TF()
    data.decode(pdu)
    answer = b""
    for item in data.presentation_data_value_items:
        control, command = item.presentation_data_value[0], item.presentation_data_value[1:]
        if control & 1:
            answer = _response(item.presentation_context_id, _elements(command), rungs)
    return answer


def _response(context: int, command: dict[int, bytes], rungs: set[str]) -> bytes:
    """A C-ECHO-RSP or C-FIND-RSP with status 0000H (PS3.7 9.3)."""
    field = int.from_bytes(command[0x0100], "little")
    if field == _C_FIND:
        rungs.add("blank-query")
    body = b"".join(
        _element(*element)
        for element in (
            (0x0002, command[0x0002]),
            (0x0100, struct.pack("<H", field | 0x8000)),
            (0x0120, command[0x0110]),
            (0x0800, b"\x01\x01"),
            (0x0900, b"\x00\x00"),
        )
    )
    value = _element(0x0000, struct.pack("<I", len(body))) + body
    # PS3.8 9.3.5.1: length, context, message control header (command, last fragment).
    fragment = struct.pack(">IBB", len(value) + 2, context, 3) + value
    return struct.pack(">BxI", 4, len(fragment)) + fragment


def _elements(command: bytes) -> dict[int, bytes]:
    """The elements of a command set, implicit VR little endian, by element number (PS3.7 6.3.1)."""
    found: dict[int, bytes] = {}
    at = 0
    while at < len(command):
        _, element, size = struct.unpack_from("<HHI", command, at)
        found[element] = command[at + 8 : at + 8 + size]
        at += 8 + size
    return found


def _element(number: int, value: bytes) -> bytes:
    return struct.pack("<HHI", 0, number, len(value)) + value
