"""Attacks with time: whoever is slow on purpose is let go in bounded time, and holds nothing of the archive.

What takes a minute is for ``make deep``; the clock of the gateway itself is tested without waiting.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable

import pytest
from tests.interop.attacks.conftest import Attacked, Watch
from tests.peers import orthanc
from tests.peers.caller import Caller, contexts, identifier, request
from tests.peers.clinic import ALPHA, GREY, STUDIES, Series, Study, as_file, image
from tests.peers.guarded_clinic import TITLE, eventually

from leadglass.wire import pdu, uids
from leadglass.wire.command import encode_command
from leadglass.wire.dimse import CEchoRQ, CFindRQ, CGetRQ
from leadglass.wire.pdata import fragment

pytestmark = pytest.mark.peer("orthanc")

FIND, GET, CT = uids.STUDY_ROOT_FIND, uids.STUDY_ROOT_GET, uids.CT_IMAGE_STORAGE
RQ = request("OLDWORK", TITLE, contexts(uids.VERIFICATION, FIND))
QUERY = fragment(3, encode_command(CFindRQ(1, FIND)), identifier("STUDY", StudyInstanceUID=""), 16384)

Begin = Callable[[Attacked, contextlib.ExitStack], tuple[socket.socket, bytes]]


def fresh(attacked: Attacked, stack: contextlib.ExitStack) -> socket.socket:
    return stack.enter_context(contextlib.closing(attacked.raw("plain", "127.0.0.60")))


def associated(attacked: Attacked, stack: contextlib.ExitStack) -> socket.socket:
    caller = Caller(fresh(attacked, stack))
    assert caller.associate(RQ) is not None
    return caller.sock


SLOW: dict[str, tuple[Begin, float]] = {
    "nothing": (lambda at, stack: (fresh(at, stack), b""), 12),
    "a request byte by byte": (lambda at, stack: (fresh(at, stack), pdu.encode(RQ)), 12),
    "nothing in TLS": (
        lambda at, stack: (stack.enter_context(contextlib.closing(at.raw("dicom", "127.0.0.60"))), b""),
        12,
    ),
    "a handshake byte by byte": (
        lambda at, stack: (
            stack.enter_context(contextlib.closing(at.raw("dicom", "127.0.0.60"))),
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
        ),
        12,
    ),
    "a message byte by byte": (lambda at, stack: (associated(at, stack), QUERY), 30),
    "half a message": (lambda at, stack: (sent(associated(at, stack), QUERY[:60]), b""), 18),
    "a command without its data": (
        lambda at, stack: (
            sent(associated(at, stack), fragment(3, encode_command(CFindRQ(1, FIND)), None, 16384)),
            b"",
        ),
        18,
    ),
    "an association without a request": (lambda at, stack: (associated(at, stack), b""), 63),
}


def sent(sock: socket.socket, data: bytes) -> socket.socket:
    sock.sendall(data)
    return sock


def drip(sock: socket.socket, data: bytes) -> float:
    """Send a byte a second until the other side ends it; how many seconds that took."""
    began = time.monotonic()
    sock.settimeout(1.0)
    with contextlib.suppress(ConnectionError):
        while time.monotonic() - began < 120:
            sock.send(data[:1])
            data = data[1:]
            with contextlib.suppress(TimeoutError):
                if not sock.recv(1000):
                    break
    return time.monotonic() - began


@pytest.mark.deep
def test_whoever_is_slow_on_purpose_is_let_go_in_time(attacked: Attacked, watch: Watch) -> None:
    took: dict[str, float] = {}
    with contextlib.ExitStack() as stack:
        begun = {name: begin(attacked, stack) for name, (begin, _) in SLOW.items()}

        def wait(name: str) -> None:
            took[name] = drip(*begun[name])

        threads = [threading.Thread(target=wait, args=(name,)) for name in SLOW]
        for thread in threads:
            thread.start()
        with attacked.inside("work", uids.VERIFICATION) as caller:
            for number in range(1, 20):
                assert caller.status(1, CEchoRQ(number)) == 0
                time.sleep(0.1)
        for thread in threads:
            thread.join()
    assert {name: seconds for name, seconds in took.items() if seconds > SLOW[name][1]} == {}
    assert attacked.tap.await_closed("OLDWORK") < 1.0
    assert "CFindRQ" not in watch.reached


@pytest.mark.deep
def test_whoever_does_not_read_is_let_go_in_time(attacked: Attacked) -> None:
    series = Series("2.25.4802.1", "CT", ("2.25.4802.1.1",))
    study = Study("huge", "2.25.4802", "P-9", (series,), ALPHA, GREY)
    orthanc.load(attacked.archive, [as_file(image(study, series, series.instances[0], pixels=6000))])
    with attacked.caller("work") as caller:
        assert caller.associate(request("WORK", TITLE, contexts(GET, CT), roles=[CT])) is not None
        caller.send(1, CGetRQ(1, GET), identifier("STUDY", StudyInstanceUID=study.uid))
        assert eventually(lambda: "WORK" in attacked.tap.callers.values())
        attacked.tap.await_closed("WORK", 80)


@pytest.mark.parametrize("count", [150, pytest.param(1000, marks=pytest.mark.deep)])
def test_a_long_list_of_studies_is_looked_up_once_and_keeps_nobody_else_waiting(
    attacked: Attacked, watch: Watch, count: int
) -> None:
    hidden = STUDIES["knee"].uid
    wanted = [*(f"2.25.66{count}{n:04d}" for n in range(count - 1)), hidden]
    asked = identifier("STUDY", StudyInstanceUID=wanted)
    with (
        attacked.inside("work", GET, CT, roles=[CT]) as caller,
        attacked.inside("lab", FIND) as other,
    ):
        caller.send(1, CGetRQ(1, GET), asked)
        slowest = 0.0
        for number in range(1, 6):
            began = time.monotonic()
            assert other.status(1, CFindRQ(number, FIND), identifier("STUDY", StudyInstanceUID="")) == 0
            slowest = max(slowest, time.monotonic() - began)
        assert slowest < 1.0
        assert caller.answers(1)
        questions = watch.reached.count("CFindRQ")
        assert caller.ask(1, CGetRQ(2, GET), asked)
        assert watch.reached.count("CFindRQ") == questions
    (got, _) = [
        each.data_set or b""
        for each in attacked.tap.since(watch.messages)
        if isinstance(each.command, CGetRQ)
    ]
    assert hidden.encode() not in got
