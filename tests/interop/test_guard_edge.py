"""Devices that know no TLS reach a guard through its edge, with their own programs; nothing else does."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest
from tests.peers import clinic, ward
from tests.peers.guarded import Guard, entry, guard
from tests.peers.guarded_clinic import TITLE, eventually
from tests.peers.places import LOOPBACK, free_port
from tests.peers.running import Peer, running

from leadglass.settings.guard import Address

pytestmark = [pytest.mark.peer("orthanc"), pytest.mark.peer("dcmtk"), pytest.mark.peer("pynetdicom")]

LEADGLASS = Path(sys.executable).with_name("leadglass")
READER = entry("reader", "READER", "researcher")
LARGE = 4500
"""Pixels to a side: 20 megabytes."""


def edge(
    there: Guard, home: Path, who: str, *, to: int | None = None, heard: str = "127.0.0.1"
) -> contextlib.AbstractContextManager[Peer]:
    """The installed command beside the device ``who``; ``to``: another port than the guard's."""
    certificate, key, authority = map(str, there.papers(who))
    port = free_port(LOOPBACK)
    guard_at = f"127.0.0.1:{to or there.ports['dicom']}"
    argv: list[str | Path] = [
        LEADGLASS,
        "guard",
        "edge",
        "--guard",
        guard_at,
        "--from",
        heard,
        "--listen",
        f"127.0.0.1:{port}",
    ]
    papers = ["--certificate", certificate, "--key", key, "--ca", authority]
    home.mkdir(parents=True)
    return running(LOOPBACK, [*argv, *papers], product="edge", version="", ports={"dicom": port}, home=home)


def dcmtk(
    at: int, program: str, who: str, *words: str | Path, files: tuple[Path, ...] = ()
) -> tuple[int, str]:
    argv = [
        program,
        "-v",
        "-aet",
        who,
        "-aec",
        TITLE,
        *map(str, words),
        "127.0.0.1",
        str(at),
        *map(str, files),
    ]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    with ward.archive(tmp_path_factory.mktemp("ward")) as there:
        yield there


@pytest.fixture(scope="module")
def there(archive: Peer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guard]:
    address = Address("127.0.0.1", archive.ports["dicom"])
    home = tmp_path_factory.mktemp("guard")
    with guard(home, address, *ward.ENTRIES, READER, title=TITLE) as one:
        yield one


@pytest.fixture(scope="module")
def beside(there: Guard, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    """The edge of the device ``ctroom``."""
    with edge(there, tmp_path_factory.mktemp("edge") / "ct", "ctroom") as one:
        yield one


def said(one: Peer, words: str) -> bool:
    return eventually(lambda: words in one.log.read_text())


def test_an_echo_a_store_and_a_worklist_go_through(beside: Peer, there: Guard, tmp_path: Path) -> None:
    file = tmp_path / "image.dcm"
    file.write_bytes(clinic.as_file(ward.fresh(pixels=64)))

    assert dcmtk(beside.port, "echoscu", "CTROOM")[0] == 0
    assert dcmtk(beside.port, "storescu", "CTROOM", files=(file,))[0] == 0
    keys = [
        word
        for key in ("AccessionNumber", "ScheduledProcedureStepSequence[0].Modality=CT")
        for word in ("-k", key)
    ]
    code, text = dcmtk(beside.port, "findscu", "CTROOM", "-W", *keys)
    assert (code, "ACC-W" in text) == (0, True)
    assert there.audit()[-1].device == "ctroom"


def test_the_edge_cannot_be_another_device(beside: Peer) -> None:
    code, text = dcmtk(beside.port, "echoscu", "READER")

    assert code != 0
    assert "Calling AE Title Not Recognized" in text


class Counter:
    """Something in the guard's place that counts who comes."""

    def __init__(self) -> None:
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._door.getsockname()[1]
        self.came = 0
        threading.Thread(target=self._count, daemon=True).start()

    def _count(self) -> None:
        while True:
            self._door.accept()
            self.came += 1


@pytest.fixture(scope="module")
def counter() -> Counter:
    return Counter()


@pytest.fixture(scope="module")
def counted(there: Guard, counter: Counter, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    home = tmp_path_factory.mktemp("counted") / "edge"
    with edge(there, home, "ctroom", to=counter.port, heard="127.0.0.1/32") as one:
        yield one


def test_from_another_address_nothing_is_taken(counted: Peer, counter: Counter) -> None:
    with socket.create_connection(
        ("127.0.0.1", counted.port), 5, source_address=("127.0.0.9", 0)
    ) as stranger:
        assert stranger.recv(1) == b""
    assert said(counted, "127.0.0.9 is not the device: sent away")
    assert counter.came == 0


@pytest.mark.parametrize(
    "bytes_", [b"GET / HTTP/1.1\r\n\r\n", b"\x04\0\0\0\0\4abcd", b"\1\0\xff\xff\xff\xff", bytes(10)]
)
def test_what_is_no_request_is_sent_away_and_reaches_no_guard(
    counted: Peer, counter: Counter, bytes_: bytes
) -> None:
    with socket.create_connection(("127.0.0.1", counted.port), 5) as device:
        device.sendall(bytes_)
        assert device.recv(1) == b""
    assert counter.came == 0


@pytest.mark.deep
def test_silence_and_half_a_request_reach_no_guard_and_end_after_ten_seconds(
    counted: Peer, counter: Counter
) -> None:
    begun = time.monotonic()
    with (
        socket.create_connection(("127.0.0.1", counted.port), 15) as silent,
        socket.create_connection(("127.0.0.1", counted.port), 15) as half,
    ):
        half.sendall(b"\1\0\0\0\1\0" + bytes(100))
        assert (silent.recv(1), half.recv(1)) == (b"", b"")
    assert 8 < time.monotonic() - begun < 13
    assert counter.came == 0


def test_without_a_guard_the_device_is_told_to_come_again(there: Guard, tmp_path: Path) -> None:
    with edge(there, tmp_path / "edge", "ctroom", to=free_port(LOOPBACK)) as one:
        code, text = dcmtk(one.port, "echoscu", "CTROOM")

    assert code != 0
    assert "Rejected Transient" in text
    assert "Temporary Congestion" in text


@pytest.mark.deep
def test_a_guard_with_another_authority_is_not_believed(there: Guard, archive: Peer, tmp_path: Path) -> None:
    address = Address("127.0.0.1", archive.ports["dicom"])
    with (
        guard(tmp_path, address, *ward.ENTRIES, title=TITLE) as other,
        edge(there, tmp_path / "edge", "ctroom", to=other.ports["dicom"]) as one,
    ):
        assert "Temporary Congestion" in dcmtk(one.port, "echoscu", "CTROOM")[1]
        assert said(one, "CERTIFICATE_VERIFY_FAILED") or said(one, "certificate")


def resident(pid: int) -> int:
    """KiB of memory."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))


def test_large_objects_pass_both_ways_and_whoever_does_not_read_is_waited_for(
    there: Guard, beside: Peer, tmp_path: Path
) -> None:
    made = ward.fresh(pixels=LARGE)
    made.PatientIdentityRemoved, made.DeidentificationMethod = "YES", "by hand"
    file, got = tmp_path / "large.dcm", tmp_path / "got"
    file.write_bytes(clinic.as_file(made))
    got.mkdir()
    assert dcmtk(beside.port, "storescu", "CTROOM", files=(file,))[0] == 0
    with edge(there, tmp_path / "edge", "reader") as one:
        before = resident(one.pid)
        keys = ["-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={made.StudyInstanceUID}"]
        argv = [
            "getscu",
            "-S",
            "-aet",
            "READER",
            "-aec",
            TITLE,
            *keys,
            "-od",
            str(got),
            "127.0.0.1",
            str(one.port),
        ]
        getting = subprocess.Popen(argv)
        assert eventually(lambda: any(got.iterdir()), 10)
        getting.send_signal(signal.SIGSTOP)
        time.sleep(0.7)
        grown = resident(one.pid) - before
        getting.send_signal(signal.SIGCONT)

        assert getting.wait(30) == 0
        assert grown < 10_000, f"{grown} KiB wait in the edge"
    (received,) = got.iterdir()
    assert pydicom.dcmread(received).PixelData == made.PixelData


def test_sigterm_ends_an_edge_in_order(there: Guard, tmp_path: Path) -> None:
    home, port = tmp_path / "edge", free_port(LOOPBACK)
    certificate, key, authority = map(str, there.papers("ctroom"))
    papers = ["--certificate", certificate, "--key", key, "--ca", authority]
    where = [
        "--guard",
        f"127.0.0.1:{there.ports['dicom']}",
        "--from",
        "127.0.0.1",
        "--listen",
        f"127.0.0.1:{port}",
    ]
    home.mkdir()
    with (home / "log").open("wb") as log:
        process = subprocess.Popen([LEADGLASS, "guard", "edge", *where, *papers], stderr=log)
    try:
        assert eventually(lambda: "listening on" in (home / "log").read_text(), 15)
        assert dcmtk(port, "echoscu", "CTROOM")[0] == 0
        process.terminate()
        assert process.wait(5) == 0
    finally:
        process.kill()
        process.wait()
