"""Many associations, good and bad ones: the guard stays as large as it was.

The deep run has 200,000 of them and puts the C program of ``bench/c/sink.c`` in the archive's place:
it takes and answers every object as storescp does, and is not what is being waited for.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from pathlib import Path

import pytest
from bench.lib.processes import descendants, pss_of
from bench.lib.programs import compiled
from tests.conftest import DEEP
from tests.peers.dcmtk import storescp
from tests.peers.guarded import Guard, entry, guard
from tests.peers.places import LOOPBACK, free_port
from tests.peers.running import running

from leadglass.settings.guard import Address
from leadglass.wire import dimse, uids
from leadglass.wire.association import AssociateAccepted, Association, DataReceived, Released, Role
from leadglass.wire.command import encode_command
from leadglass.wire.elements import encode_element, syntax_of
from leadglass.wire.pdata import MessageAssembler, fragment
from leadglass.wire.pdu import AAssociateRQ, PresentationContextRQ, UserInformation

MANY = int(os.environ.get("LEADGLASS_ASSOCIATIONS", "200000" if DEEP else "300"))
AT_ONCE = 4
GROWTH = 4 * 1024 * 1024
"""Bytes that a third may be larger than the one before: what the collector of cycles has not yet looked at."""
REQUEST = AAssociateRQ(
    "ARCHIVE",
    "OLDCT",
    (
        PresentationContextRQ(1, uids.VERIFICATION, (uids.IMPLICIT_VR_LE,)),
        PresentationContextRQ(3, uids.CT_IMAGE_STORAGE, (uids.IMPLICIT_VR_LE,)),
    ),
    UserInformation(maximum_length=16384),
)
SYNTAX = syntax_of(uids.IMPLICIT_VR_LE)


def image(number: int) -> bytes:
    """A small CT image, of one study in a hundred."""
    assert SYNTAX is not None
    words = {
        0x0008_0016: ("UI", uids.CT_IMAGE_STORAGE),
        0x0008_0018: ("UI", f"2.25.{number + 1}"),
        0x0008_0060: ("CS", "CT"),
        0x0010_0020: ("LO", f"P{number // 100}"),
        0x0020_000D: ("UI", f"2.25.1000{number // 100}"),
    }
    head = b"".join(encode_element(tag, vr, value.encode(), SYNTAX) for tag, (vr, value) in words.items())
    return head + encode_element(0x7FE0_0010, "OW", bytes(2048), SYNTAX)


class Caller:
    """A client of the plain door."""

    def __init__(self, port: int) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.association = Association(Role.REQUESTOR)
        self.association.associate(REQUEST, 0.0)
        self.association.connection_opened(0.0)

    def flush(self) -> None:
        self.sock.sendall(self.association.data_to_send())

    def await_event(self, *kinds: type) -> None:
        """Read until one of ``kinds`` is told, or a whole message has come."""
        self.flush()
        assembler = MessageAssembler()
        while data := self.sock.recv(65536):
            for event in self.association.receive(data, 0.0):
                if isinstance(event, kinds):
                    return
                values = event.pdvs if isinstance(event, DataReceived) else ()
                if any(assembler.feed(value) for value in values):
                    return
        raise AssertionError("the guard closed the connection")

    def ask(self, context_id: int, command: dimse.Message, data_set: bytes | None = None) -> None:
        self.association.send(fragment(context_id, encode_command(command), data_set, 16384), 0.0)
        self.await_event()

    def release(self) -> None:
        self.association.release(0.0)
        self.await_event(Released)


def once(ports: tuple[int, int], number: int) -> None:
    """One association of several kinds: good, cut off, half open."""
    plain, tls = ports
    kind = number % 10
    if kind >= 8:  # says nothing, or not enough
        with socket.create_connection(("127.0.0.1", tls if kind == 8 else plain), timeout=30) as sock:
            sock.sendall(b"\x16\x03\x01\x02\x00" if kind == 8 else b"\x01\x00\x00\x00")
        return
    caller = Caller(plain)
    with contextlib.closing(caller.sock):
        caller.await_event(AssociateAccepted)
        if kind < 4:
            caller.ask(1, dimse.CEchoRQ(1))
        elif kind < 7:
            store = dimse.CStoreRQ(1, uids.CT_IMAGE_STORAGE, f"2.25.{number + 1}")
            caller.ask(3, store, image(number))
        if kind in {3, 6}:
            caller.association.abort(0, 0, 0.0)
            caller.flush()
        elif kind != 7:
            caller.release()


@contextlib.contextmanager
def archive(home: Path) -> Iterator[int]:
    """What takes objects, by its port."""
    port = free_port(LOOPBACK)
    if MANY <= 1000:
        with storescp(LOOPBACK, home, "--fork", "--ignore", port=port):
            yield port
        return
    with compiled(("sink",)) as programs:
        if programs is None:
            pytest.skip("there is no C compiler for bench/c/sink.c")
        command: list[str | Path] = [programs.home / "sink", str(port)]
        home.mkdir()
        with running(LOOPBACK, command, product="sink", version="", ports={"dicom": port}, home=home):
            yield port


def size_of(one: Guard) -> int:
    """Bytes that the guard's processes are."""
    return sum(pss_of(pid) for pid in [one.process.pid, *descendants(one.process.pid)])


@pytest.mark.peer("dcmtk")
def test_a_guard_does_not_grow_with_the_associations_it_has_had(tmp_path: Path) -> None:
    old = entry("oldct", "OLDCT", "modality", modalities=("CT",), plain=True)
    settings: dict[str, dict[str, object]] = {
        "archive": {"query": False},
        "limits": {"per_address": 256, "workers": 1},
    }
    with (
        archive(tmp_path / "archive") as port,
        guard(tmp_path, Address("127.0.0.1", port), old, title="ARCHIVE", settings=settings) as one,
        ThreadPoolExecutor(AT_ONCE) as callers,
    ):
        ports = one.ports["plain"], one.ports["dicom"]
        sizes = []
        for part in range(6):
            numbers = range(part * MANY // 6, (part + 1) * MANY // 6)
            list(callers.map(once, repeat(ports), numbers))
            sizes.append(size_of(one))
            print(f"{(part + 1) * MANY // 6} associations: {sizes[-1] // 1024} KiB")
        assert max(sizes[4:]) < max(sizes[2:4]) + GROWTH, sizes
        assert one.health()["state"] == "ok"
