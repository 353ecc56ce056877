"""A DICOM client that adds as little as it can: everything is encoded before the clock starts.

``python -m bench.lib.dicom_client store|associate|find ...`` measures itself and prints JSON; see ``main``.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import resource
import select
import socket
import ssl
import struct
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from leadglass.wire import pdu, uids
from leadglass.wire.command import decode_command, encode_command
from leadglass.wire.dataset import identifier
from leadglass.wire.dimse import CEchoRQ, CFindRQ, CFindRSP, CStoreRQ, CStoreRSP
from leadglass.wire.framing import PduReader
from leadglass.wire.pdata import fragment

STUDY = "1.2.826.0.1.3680043.10.999.1"
_LEVEL, _STUDY, _PATIENT = (0x0008, 0x0052), (0x0020, 0x000D), (0x0010, 0x0010)
_LONG = frozenset({"OW", "OB"})
_AT_ONCE = 1 << 18
"""Bytes offered to the kernel at once."""
_EMPTY = 12
"""Bytes of a command fragment with nothing in it."""


@dataclass(frozen=True, slots=True)
class Door:
    """Where to, as whom, and with which papers: certificate, key, authority."""

    host: str
    port: int
    calling: str
    called: str
    papers: tuple[str, str, str] | None

    def context(self) -> ssl.SSLContext | None:
        """TLS as this client; None without papers."""
        if self.papers is None:
            return None
        made = ssl.create_default_context(cafile=self.papers[2])
        made.load_cert_chain(*self.papers[:2])
        return made

    def connect(self, context: ssl.SSLContext | None) -> socket.socket:
        """A connection."""
        raw = socket.create_connection((self.host, self.port), timeout=120)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return raw if context is None else context.wrap_socket(raw, server_hostname=self.host)


def request(door: Door, abstract_syntax: str, syntax: str) -> bytes:
    """An A-ASSOCIATE-RQ with one context."""
    context = pdu.PresentationContextRQ(1, abstract_syntax, (syntax,))
    said = pdu.UserInformation(maximum_length=131072, implementation_class_uid="1.2.826.0.1.3680043.10.999")
    return pdu.encode(pdu.AAssociateRQ(door.called, door.calling, (context,), said))


def read_pdu(stream: io.BufferedReader) -> tuple[int, bytes]:
    """The next PDU."""
    head = stream.read(6)
    return head[0], stream.read(int.from_bytes(head[2:], "big"))


def _reader(sock: socket.socket) -> io.BufferedReader:
    stream = sock.makefile("rb", buffering=1 << 17)
    assert isinstance(stream, io.BufferedReader)
    return stream


@contextlib.contextmanager
def associated(
    door: Door, abstract_syntax: str, syntax: str
) -> Iterator[tuple[socket.socket, io.BufferedReader, int]]:
    """An association: its socket, its stream, and the longest PDU that the other side takes."""
    with door.connect(door.context()) as sock, _reader(sock) as stream:
        sock.sendall(request(door, abstract_syntax, syntax))
        kind, body = read_pdu(stream)
        answer = pdu.decode(kind, body)
        if not isinstance(answer, pdu.AAssociateAC) or not answer.accepted_ids:
            raise RuntimeError(f"not accepted: {answer}")
        yield sock, stream, min(answer.user_information.maximum_length or 131072, 131072)
        sock.sendall(pdu.encode(pdu.AReleaseRQ()))
        read_pdu(stream)


# ---- C-STORE, without waiting for responses


def element(tag: int, vr: str, value: bytes) -> bytes:
    """An element, explicit VR little endian."""
    value += (b"\0" if vr == "UI" else b" ") * (len(value) % 2)
    head = struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, vr.encode())
    return (
        head + (struct.pack("<HL", 0, len(value)) if vr in _LONG else struct.pack("<H", len(value))) + value
    )


def image(number: int, size: int) -> bytes:
    """A CT image of ``size`` bytes of pixels."""
    texts = [
        (0x00080016, "UI", uids.CT_IMAGE_STORAGE),
        (0x00080018, "UI", f"{STUDY}.1.{number}"),
        (0x00080020, "DA", "20260101"),
        (0x00080050, "SH", "BENCH"),
        (0x00080060, "CS", "CT"),
        (0x00080080, "LO", "Bench Clinic"),
        (0x00080090, "PN", "Bench^Referrer"),
        (0x00100010, "PN", "Bench^Phantom"),
        (0x00100020, "LO", "BENCH"),
        (0x0020000D, "UI", STUDY),
        (0x0020000E, "UI", f"{STUDY}.1"),
    ]
    return b"".join(element(tag, vr, text.encode()) for tag, vr, text in texts) + element(
        0x7FE00010, "OW", bytes(size)
    )


def store(door: Door, count: int, size: int) -> int:
    """Send an image ``count`` times, not waiting for the responses; how often it was stored."""
    name = f"{STUDY}.1.0"
    with associated(door, uids.CT_IMAGE_STORAGE, uids.EXPLICIT_VR_LE) as (sock, _, longest):
        commands = [CStoreRQ(n % 60000 + 1, uids.CT_IMAGE_STORAGE, name) for n in range(count)]
        heads = [fragment(1, encode_command(command), None, longest) for command in commands]
        data = fragment(1, b"", image(0, size), longest)[_EMPTY:]
        _clock.start()
        stored = _pipelined(sock, [part for head in heads for part in (head, data)], count)
        _clock.stop()
        sock.setblocking(True)
    return stored


def _pipelined(sock: socket.socket, parts: Sequence[bytes], count: int) -> int:
    """Send ``parts`` while responses are read, in one thread: TLS is not for two at a time."""
    sock.setblocking(False)
    waiting = deque(memoryview(part) for part in parts)
    reader = PduReader()
    stored = 0
    while count:
        _, writable, _ = select.select([sock], [sock] if waiting else [], [], 0 if _pending(sock) else 120)
        for response in _read(sock, reader):
            count -= 1
            stored += response.status == 0
        if writable:
            _write(sock, waiting)
    return stored


def _pending(sock: socket.socket) -> bool:
    return isinstance(sock, ssl.SSLSocket) and bool(sock.pending())


def _write(sock: socket.socket, waiting: deque[memoryview]) -> None:
    with contextlib.suppress(BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
        while waiting:
            sent = sock.send(waiting[0][:_AT_ONCE])
            waiting[0] = waiting[0][sent:]
            if not waiting[0]:
                waiting.popleft()


def _read(sock: socket.socket, reader: PduReader) -> Iterator[CStoreRSP]:
    with contextlib.suppress(BlockingIOError, ssl.SSLWantReadError):
        data = sock.recv(65536)
        if not data:
            raise RuntimeError("the other side has gone")
        reader.feed(data)
    while (framed := reader.next_pdu()) is not None:
        value = pdu.decode(*framed)
        assert isinstance(value, pdu.PDataTF), value
        response = decode_command(bytes(value.pdvs[0].data))
        assert isinstance(response, CStoreRSP), response
        yield response


# ---- new associations, each with a C-ECHO


def associate(door: Door, count: int, threads: int) -> int:
    """How many of ``count`` associations were opened, used and released."""
    done: list[int] = []
    context = door.context()
    rq = request(door, uids.VERIFICATION, uids.IMPLICIT_VR_LE)
    echo = fragment(1, encode_command(CEchoRQ(1)), None, 16384)
    release = pdu.encode(pdu.AReleaseRQ())

    def some(share: int) -> None:
        for _ in range(share):
            with door.connect(context) as sock, _reader(sock) as stream:
                for out, expected in ((rq, 2), (echo, 4), (release, 6)):
                    sock.sendall(out)
                    if read_pdu(stream)[0] != expected:
                        return
            done.append(1)

    running = [threading.Thread(target=some, args=(count // threads,)) for _ in range(threads)]
    _clock.start()
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    _clock.stop()
    return len(done)


# ---- C-FIND


def find(door: Door, count: int, study: str) -> tuple[int, list[float]]:
    """Matches of the last of ``count`` queries, and the seconds that each took; an empty ``study`` is any."""
    keys = identifier({_LEVEL: "STUDY ", _STUDY: study, _PATIENT: ""})
    times: list[float] = []
    matches = 0
    with associated(door, uids.STUDY_ROOT_FIND, uids.IMPLICIT_VR_LE) as (sock, stream, longest):
        _clock.start()
        for number in range(count):
            question = fragment(1, encode_command(CFindRQ(number + 1, uids.STUDY_ROOT_FIND)), keys, longest)
            began = time.perf_counter()
            sock.sendall(question)
            matches = _matches(stream)
            times.append(time.perf_counter() - began)
        _clock.stop()
    return matches, times


def _matches(stream: io.BufferedReader) -> int:
    count = 0
    while True:
        kind, body = read_pdu(stream)
        data = pdu.decode(kind, body)
        assert isinstance(data, pdu.PDataTF), data
        for value in data.pdvs:
            if not value.is_command:
                continue
            response = decode_command(bytes(value.data))
            assert isinstance(response, CFindRSP), response
            if response.status == 0:
                return count
            if response.status not in {0xFF00, 0xFF01}:
                raise RuntimeError(f"status {response.status:04X}H")
            count += 1


# ---- the command


class _Clock:
    def start(self) -> None:
        self._began = time.perf_counter()
        self._cpu = _cpu()

    def stop(self) -> None:
        self.seconds = time.perf_counter() - self._began
        self.cpu = _cpu() - self._cpu


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


_clock = _Clock()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("store", "associate", "find"))
    parser.add_argument("port", type=int)
    parser.add_argument("count", type=int)
    parser.add_argument("more", help="bytes of an image, threads, or a Study Instance UID")
    parser.add_argument("--calling", default="BENCH")
    parser.add_argument("--called", default="ARCHIVE")
    parser.add_argument("--papers", nargs=3)
    said = parser.parse_args()
    papers = tuple(said.papers) if said.papers else None
    door = Door("127.0.0.1", said.port, said.calling, said.called, papers)
    told: dict[str, object] = {}
    if said.what == "store":
        told["done"] = store(door, said.count, int(said.more))
    elif said.what == "associate":
        told["done"] = associate(door, said.count, int(said.more))
    else:
        told["matches"], told["times"] = find(door, said.count, said.more)
        told["done"] = said.count
    print(json.dumps({**told, "seconds": _clock.seconds, "cpu": _clock.cpu}))


if __name__ == "__main__":
    main()
