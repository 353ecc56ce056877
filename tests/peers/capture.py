"""Everything that one side of the cable sends, recorded by tcpdump and put together again."""

from __future__ import annotations

import contextlib
import re
import select
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tests.peers.places import Place

__all__ = ["Capture", "Segment", "Stream", "capture"]

_FILE_HEADER = 24
_RECORD = struct.Struct("<IIII")
_ETHERNET = 14
_TCP, _UDP = 6, 17
_PATIENCE = 20.0
_TCPDUMP = [
    "tcpdump",
    "-i",
    "cable",
    "-Q",
    "out",
    "-Z",
    "root",
    "-s",
    "0",
    "-B",
    "32768",
    "-n",
    "-U",
    "--immediate-mode",
]

# The packet that ends a recording, and where it goes (RFC 5737 addresses, RFC 863 port).
_MARK = b"the recording of this test ends here"
_NOBODY = "192.0.2.1"
_DISCARD = 9


class Segment(NamedTuple):
    """One TCP segment or UDP datagram, as it left."""

    source: str
    """Address in hexadecimal and port, as ``0a630002:40000``."""
    destination: str
    order: int
    """TCP sequence number."""
    flags: int
    """TCP control bits (RFC 9293 3.1)."""
    payload: bytes

    @property
    def opens(self) -> bool:
        """A SYN without ACK."""
        return self.flags & 0x12 == 0x02

    @property
    def closes(self) -> bool:
        """A FIN or an RST."""
        return bool(self.flags & 0x05)

    @property
    def resets(self) -> bool:
        """An RST."""
        return bool(self.flags & 0x04)


class Stream(NamedTuple):
    """One direction of one TCP connection, or of one UDP flow."""

    source: str
    destination: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Capture:
    """A pcap file. It is complete when the block of ``capture`` has ended."""

    path: Path

    def streams(self) -> list[Stream]:
        """The payload of every flow, TCP segments in order of their sequence numbers."""
        flows: dict[tuple[str, str], list[Segment]] = {}
        for segment in self.segments():
            if segment.payload:
                flows.setdefault((segment.source, segment.destination), []).append(segment)
        return [Stream(*ends, _joined(parts)) for ends, parts in flows.items()]

    def segments(self) -> Iterator[Segment]:
        """Every TCP segment and UDP datagram, in the order in which they left."""
        for packet in self._packets():
            segment = _segment(packet)
            if segment is not None and segment.payload != _MARK:
                yield segment

    def _packets(self) -> Iterator[bytes]:
        content = self.path.read_bytes()
        at = _FILE_HEADER
        while at < len(content):
            _, _, size, _ = _RECORD.unpack_from(content, at)
            at += _RECORD.size
            yield content[at : at + size]
            at += size


@contextlib.contextmanager
def capture(place: Place, path: Path, direction: str = "out") -> Iterator[Capture]:
    """Record every packet that leaves ``place`` over the cable while the block runs.

    ``direction`` "inout" records what arrives, too.

    ``RuntimeError`` if the kernel dropped a packet before it was written: then the
    recording proves nothing.
    """
    argv: list[str | Path] = [*_TCPDUMP, "-Q", direction, "-w", path]
    process = place.popen(argv, stderr=subprocess.PIPE)
    try:
        _await_ready(process)
        yield Capture(path)
        _await_written(place, path)
    finally:
        process.send_signal(signal.SIGINT)
        told = process.communicate(timeout=_PATIENCE)[1].decode()
    if not re.search(r"^0 packets dropped by kernel", told, re.MULTILINE):
        raise RuntimeError(told)


def _await_written(place: Place, path: Path) -> None:
    """Send one marked packet after the last, and wait until it is in the file."""
    deadline = time.monotonic() + _PATIENCE
    with place.inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
        last.sendto(_MARK, (_NOBODY, _DISCARD))
        while _MARK not in path.read_bytes():
            if time.monotonic() > deadline:
                raise RuntimeError("tcpdump does not write")
            last.settimeout(0.01)
            with contextlib.suppress(TimeoutError):
                last.recv(1)


def _await_ready(process: subprocess.Popen[bytes]) -> None:
    assert process.stderr is not None
    if not select.select([process.stderr], [], [], _PATIENCE)[0]:
        raise RuntimeError("tcpdump says nothing")
    said = process.stderr.readline()
    if b"listening on" not in said:
        raise RuntimeError(said.decode() + process.stderr.read().decode())


def _segment(packet: bytes) -> Segment | None:
    """What a TCP or UDP packet carries; None for others."""
    kind, network = packet[12:14], packet[_ETHERNET:]
    if kind == b"\x08\x00":
        size = (network[0] & 15) * 4
        total = int.from_bytes(network[2:4])
        return _transport(network[9], network[12:16].hex(), network[16:20].hex(), network[size:total])
    if kind == b"\x86\xdd":
        total = 40 + int.from_bytes(network[4:6])
        return _transport(network[6], network[8:24].hex(), network[24:40].hex(), network[40:total])
    return None


def _transport(protocol: int, source: str, destination: str, data: bytes) -> Segment | None:
    if protocol not in {_TCP, _UDP}:
        return None
    from_port, to_port = struct.unpack_from(">HH", data)
    ends = (f"{source}:{from_port}", f"{destination}:{to_port}")
    if protocol == _UDP:
        return Segment(*ends, 0, 0, data[8:])
    return Segment(*ends, int.from_bytes(data[4:8]), data[13], data[(data[12] >> 4) * 4 :])


def _joined(parts: list[Segment]) -> bytes:
    """Segments in order; what was sent twice is there twice."""
    first = parts[0].order
    # Sequence numbers wrap at 2**32 (RFC 9293 3.4).
    ordered = sorted(parts, key=lambda part: (part.order - first + 2**31) % 2**32)
    return b"".join(part.payload for part in ordered)
