"""How Leadglass behaves at real servers, read from the packets.

Few connections, one at a time, each ended properly; no blank titles; nothing but questions.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from pynetdicom.pdu import A_ASSOCIATE_RQ, P_DATA_TF
from tests.interop.servers import SERVERS, Stage
from tests.peers import capture, looking, netns

pytestmark = [pytest.mark.root, pytest.mark.peer("tcpdump")]

_ROWS = [
    pytest.param(name, marks=[pytest.mark.peer(peer) for peer in server.peers])
    for name, server in SERVERS.items()
]

# PS3.8 9.3.1 and PS3.7 E.1.
ASSOCIATE_RQ, P_DATA, RELEASE_RQ, ABORT = 1, 4, 5, 7
C_FIND, C_ECHO, C_CANCEL = 0x0020, 0x0030, 0x0FFF

_SCANNER = socket.inet_aton(netns.SCANNER).hex()

CONNECTIONS = 6
"""In all, for one endpoint."""


def _pdus(stream: bytes) -> Iterator[bytes]:
    while stream:
        size = 6 + int.from_bytes(stream[2:6])
        assert len(stream) >= size, "a PDU was not sent to its end"
        yield stream[:size]
        stream = stream[size:]


def _commands(pdu: bytes) -> Iterator[int]:
    """The command fields in one P-DATA-TF; Leadglass sends each command set whole."""
    data = P_DATA_TF()
    data.decode(pdu)
    for item in data.presentation_data_value_items:
        value = item.presentation_data_value
        if value[0] & 1:
            # (0000,0100), implicit VR little endian, two bytes long.
            at = value.index(b"\x00\x00\x00\x01\x02\x00\x00\x00") + 8
            yield int.from_bytes(value[at : at + 2], "little")


@pytest.fixture(params=_ROWS)
def exchange(
    request: pytest.FixtureRequest, pair: netns.Pair, stage: Stage, tmp_path: Path
) -> capture.Capture:
    """Every packet of one look at one server, as deep as a blank query."""
    server = SERVERS[request.param]
    with (
        server.start(stage) as peer,
        capture.capture(pair.scanner, tmp_path / "look.pcap", "inout") as recording,
    ):
        looking.look(pair.scanner, f"{peer.host}:{peer.ports[server.port]}", tmp_path, *server.options)
    return recording


def test_a_look_keeps_its_manners(exchange: capture.Capture) -> None:
    streams = {(stream.source, stream.destination): stream.payload for stream in exchange.streams()}
    sent = {ends: payload for ends, payload in streams.items() if ends[0].startswith(_SCANNER)}

    _hold_connections(list(exchange.segments()))
    assert sent
    for (source, destination), stream in sent.items():
        if stream[:2] == bytes([ASSOCIATE_RQ, 0]):
            aborted = streams.get((destination, source), b"")[-10:-9] == bytes([ABORT])
            _hold_association(list(_pdus(stream)), aborted=aborted)
        elif stream[:4] == b"GET ":
            _hold_request(stream)
        else:
            # A TLS record: handshake, version 3.x (RFC 8446 5.1).
            assert stream[:2] == b"\x16\x03"


def _hold_connections(segments: list[capture.Segment]) -> None:
    opened = [segment for segment in segments if segment.opens]
    assert len({segment.destination for segment in opened}) == 1
    assert 1 <= len(opened) <= CONNECTIONS
    unfinished: set[str] = set()
    for segment in segments:
        if segment.opens:
            assert not unfinished, "a connection was opened while another was open"
            unfinished.add(segment.source)
        elif segment.closes:
            # Our FIN or RST, or a RST of theirs, after which there is nothing left to close.
            unfinished -= {segment.source} | ({segment.destination} if segment.resets else set())
    assert not unfinished, "a connection was left open"


def _hold_association(pdus: list[bytes], *, aborted: bool) -> None:
    request = A_ASSOCIATE_RQ()
    request.decode(pdus[0])
    # PS3.8 9.3.2: the called title at byte 11, the calling one at byte 27.
    assert pdus[0][10:26].strip()
    assert pdus[0][26:42].strip()
    assert [pdu[0] for pdu in pdus[1:] if pdu[0] not in {P_DATA, RELEASE_RQ, ABORT}] == []
    if len(pdus) > 1 and not aborted:
        assert pdus[-1][0] in {RELEASE_RQ, ABORT}
    commands = {command for pdu in pdus if pdu[0] == P_DATA for command in _commands(pdu)}
    assert commands <= {C_ECHO, C_FIND, C_CANCEL}


def _hold_request(stream: bytes) -> None:
    head, _, rest = stream.partition(b"\r\n\r\n")
    fields = [line.partition(b":")[0].lower() for line in head.split(b"\r\n")[1:]]
    assert b"user-agent" in fields
    assert b"authorization" not in fields
    assert b"cookie" not in fields
    assert not rest or rest.startswith(b"GET ")
