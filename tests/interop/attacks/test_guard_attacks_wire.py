"""Attacks with bytes: whatever breaks PS3.8 or PS3.7 ends the association, at once and at little cost.

The archive hears nothing of it, and whoever else is inside notices nothing.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import time
from pathlib import Path

import pytest
from tests.interop.attacks.conftest import Attacked, Watch
from tests.peers import orthanc
from tests.peers.caller import contexts, identifier, request
from tests.peers.clinic import ALPHA, GREY, STUDIES, Series, Study, as_file, image
from tests.peers.guarded_clinic import TITLE, eventually

from leadglass.wire import association as ul
from leadglass.wire import pdu, uids
from leadglass.wire.command import encode_command
from leadglass.wire.dimse import CCancelRQ, CEchoRQ, CFindRQ, CGetRQ, CStoreRSP

pytestmark = pytest.mark.peer("orthanc")

FIND, GET, CT = uids.STUDY_ROOT_FIND, uids.STUDY_ROOT_GET, uids.CT_IMAGE_STORAGE
HEAD = STUDIES["head"]
RQ = request("OLDWORK", TITLE, contexts(uids.VERIFICATION, FIND))
ALL_STUDIES = identifier("STUDY", StudyInstanceUID="")


def p_data(*values: tuple[int, int, bytes], claim: int | None = None) -> bytes:
    """A P-DATA-TF of values: context id, message control header, data; ``claim`` is the length it says."""
    body = b"".join(
        struct.pack(">LBB", len(data) + 2, context, control) + data for context, control, data in values
    )
    return struct.pack(">BBL", 4, 0, len(body) if claim is None else claim) + body


ECHO = encode_command(CEchoRQ(1))
QUERY = encode_command(CFindRQ(1, FIND))
COMMAND, DATA, LAST = 1, 0, 2
GIGABYTES = 0xFFFFFFF0


def command_set(*elements: tuple[int, bytes]) -> bytes:
    body = b"".join(struct.pack("<HHL", 0, number, len(value)) + value for number, value in elements)
    return struct.pack("<HHLL", 0, 0, 4, len(body)) + body


BEFORE = {
    "data before an association": p_data((1, COMMAND | LAST, ECHO)),
    "a release before an association": bytes.fromhex("05000000000400000000"),
    "an acceptance": pdu.encode(pdu.AAssociateAC("A", "B", (), pdu.UserInformation())),
    "a request of four gigabytes": struct.pack(">BBL", 1, 0, GIGABYTES),
    "an unknown PDU": b"\x09\x00\x00\x00\x00\x04\x00\x00\x00\x00",
    "a request without contexts": pdu.encode(request("OLDWORK", TITLE, ())),
    "a context id that is even": pdu.encode(
        request("OLDWORK", TITLE, [pdu.PresentationContextRQ(2, FIND, (uids.IMPLICIT_VR_LE,))])
    ),
    "a context id twice": pdu.encode(request("OLDWORK", TITLE, contexts(FIND) * 2)),
    "an item that is longer than its request": pdu.encode(RQ).replace(
        b"\x52\x00\x00\x06", b"\x52\x00\xff\xff"
    ),
}
INSIDE = {
    "a second request": pdu.encode(RQ),
    "a PDU of four gigabytes": struct.pack(">BBL", 4, 0, GIGABYTES),
    "a value of four gigabytes": struct.pack(">BBLLBB", 4, 0, 100, GIGABYTES, 1, 3) + bytes(94),
    "a value of nothing": struct.pack(">BBLLBB", 4, 0, 6, 0, 1, 3),
    "a PDU without a value": struct.pack(">BBL", 4, 0, 0),
    "an even context": p_data((2, COMMAND | LAST, ECHO)),
    "context 0": p_data((0, COMMAND | LAST, ECHO)),
    "a context that was not proposed": p_data((251, COMMAND | LAST, ECHO)),
    "data without a command": p_data((3, DATA | LAST, ALL_STUDIES)),
    "data on another context than its command": p_data(
        (3, COMMAND | LAST, QUERY), (1, DATA | LAST, ALL_STUDIES)
    ),
    "a command within a command": p_data((3, COMMAND, QUERY[:20]), (1, COMMAND | LAST, ECHO)),
    "a command instead of its data": p_data((3, COMMAND | LAST, QUERY), (3, COMMAND | LAST, QUERY)),
    "a command without an end": p_data((3, COMMAND, bytes(16000))) * 2,
    "a command that is none": p_data((1, COMMAND | LAST, command_set((0x0100, b"\x77\x77")))),
    "a command without a field": p_data((1, COMMAND | LAST, command_set((0x0110, b"\1\0")))),
    "a command without a message id": p_data((3, COMMAND | LAST, command_set((0x0100, b"\x20\0")))),
    "a command element of four gigabytes": p_data(
        (1, COMMAND | LAST, ECHO[:12] + struct.pack("<HHL", 0, 0x0002, GIGABYTES))
    ),
    "a command that lies about its length": p_data((1, COMMAND | LAST, ECHO[:8] + b"\xff\0\0\0" + ECHO[12:])),
    "a thousand values in a PDU": p_data(*[(1, COMMAND, b"")] * 1000),
    "an unasked confirmation of release": bytes.fromhex("06000000000400000000"),
    "an identifier of a hundred kilobytes": p_data((3, COMMAND | LAST, QUERY))
    + b"".join(p_data((3, DATA, bytes(16000))) for _ in range(7)),
    "a message id that is in use": p_data((3, COMMAND | LAST, QUERY), (3, DATA | LAST, ALL_STUDIES)) * 2,
}


@pytest.mark.parametrize("name", BEFORE)
def test_before_an_association(attacked: Attacked, watch: Watch, name: str) -> None:
    with contextlib.closing(attacked.connection(None)) as sock:
        sock.settimeout(5)
        sock.sendall(BEFORE[name])
        said = sock.recv(100)
        assert said[:1] == b"\x07"
        assert sock.recv(100) == b""
    assert (watch.associated, watch.reached) == (0, [])
    assert eventually(lambda: any(event.address == "127.0.0.1" and event.reason for event in watch.told))


@pytest.mark.parametrize("name", INSIDE)
def test_inside_an_association(attacked: Attacked, watch: Watch, name: str) -> None:
    with attacked.inside("work", uids.VERIFICATION) as other, attacked.caller(None) as caller:
        assert caller.associate(RQ) is not None
        began = time.monotonic()
        caller.raw(INSIDE[name])
        assert isinstance(caller.until_end(), ul.Aborted)
        assert time.monotonic() - began < 2.0
        assert other.status(1, CEchoRQ(1)) == 0
    reached = [
        passed for passed in attacked.tap.since(watch.messages) if not isinstance(passed.command, CEchoRQ)
    ]
    assert len(reached) <= ("in use" in name)  # the first of the two was in order
    assert watch.tells("protocol")


@pytest.mark.parametrize("title", ["NOBODY", "OLDWORK"])
def test_a_request_that_is_sent_before_anybody_was_let_in_is_heard_afterwards_or_not_at_all(
    attacked: Attacked, watch: Watch, title: str
) -> None:
    rq = request(title, TITLE, contexts(uids.VERIFICATION))
    with attacked.caller(None) as caller:
        caller.association.associate(rq, time.monotonic())
        caller.association.connection_opened(time.monotonic())
        caller.raw(caller.association.data_to_send() + p_data((1, COMMAND | LAST, ECHO)))
        if title == "NOBODY":
            assert isinstance(caller.until_end(), ul.AssociateRejected)
            assert (watch.associated, watch.reached) == (0, [])
        else:
            (answer,) = caller.answers(1)
            assert answer.command.status == 0  # type: ignore[union-attr]


def test_a_response_to_nothing_is_ignored(attacked: Attacked, watch: Watch) -> None:
    with attacked.inside("work", FIND, GET, CT, roles=[CT]) as caller:
        caller.send(5, CStoreRSP(77, 0, CT, "2.25.1"))
        assert caller.status(1, CFindRQ(1, FIND), ALL_STUDIES) == 0
    assert set(watch.reached) == {"CFindRQ"}


def test_a_cancellation_of_what_somebody_else_asks_changes_nothing(attacked: Attacked, watch: Watch) -> None:
    with attacked.inside("work", FIND) as caller, attacked.inside("lab", FIND) as other:
        other.send(1, CCancelRQ(1))
        caller.send(1, CFindRQ(1, FIND), ALL_STUDIES)
        other.send(1, CCancelRQ(1))
        assert caller.answers(1)[-1].command.status == 0  # type: ignore[union-attr]
        assert other.status(1, CFindRQ(2, FIND), ALL_STUDIES) == 0
    assert "CCancelRQ" not in watch.reached


def test_release_while_a_request_is_under_way_ends_both_associations(attacked: Attacked) -> None:
    with attacked.inside("work", FIND) as caller:
        assert caller.status(1, CFindRQ(1, FIND), ALL_STUDIES) == 0
        attacked.tap.frozen.set()
        try:
            caller.send(1, CFindRQ(2, FIND), ALL_STUDIES)
            assert isinstance(caller.release(), ul.Released)
        finally:
            attacked.tap.frozen.clear()
    assert attacked.tap.await_closed("WORK") < 1.0


@pytest.mark.parametrize("who", ["oldwork", "work"], ids=["plain", "TLS"])
def test_a_client_that_leaves_while_the_archive_is_called_ends_the_call(attacked: Attacked, who: str) -> None:
    tap, title = attacked.tap, who.upper()
    with attacked.inside(who, FIND) as caller:
        tap.await_closed(title)  # the guard knows what the archive accepts, and calls when there is a request
        tap.frozen.set()
        try:
            caller.send(1, CFindRQ(1, FIND), ALL_STUDIES)
            assert eventually(lambda: title in tap.callers.values())
            caller.close()
            caller.ended = ul.ConnectionLost()
            assert tap.await_closed(title) < 1.0
        finally:
            tap.frozen.clear()


@pytest.mark.parametrize("who", [None, "work"], ids=["plain", "TLS"])
def test_a_client_that_closes_its_half_is_gone(attacked: Attacked, who: str | None) -> None:
    title = "OLDWORK" if who is None else "WORK"
    with attacked.caller(who) as caller:
        assert caller.associate(request(title, TITLE, contexts(FIND))) is not None
        assert caller.status(1, CFindRQ(1, FIND), ALL_STUDIES) == 0
        assert title in attacked.tap.callers.values()
        caller.end_half()
        assert attacked.tap.await_closed(title) < 1.0
        assert isinstance(caller.until_end(), ul.ConnectionLost)


def test_the_archives_association_is_let_go_soon_after_the_last_request(attacked: Attacked) -> None:
    with attacked.inside("work", uids.VERIFICATION, FIND) as caller:
        assert caller.status(1, CEchoRQ(1)) == 0
        assert 1.0 < attacked.tap.await_closed("WORK") < 4.0
        assert caller.status(3, CFindRQ(2, FIND), ALL_STUDIES) == 0


def test_more_connections_than_an_address_may_have_are_closed_at_once(attacked: Attacked) -> None:
    before = attacked.guard.metrics()["turned_away_total"]
    with contextlib.ExitStack() as stack:
        crowd = [
            stack.enter_context(contextlib.closing(attacked.raw("plain", "127.0.0.50"))) for _ in range(60)
        ]
        time.sleep(0.2)
        shut = [sock for sock in crowd if closed(sock)]
        assert len(shut) == 60 - 32
        with attacked.inside("work", uids.VERIFICATION) as caller:
            assert caller.status(1, CEchoRQ(1)) == 0
    assert eventually(lambda: attacked.guard.metrics()["turned_away_total"] - before == 28)


def closed(sock: socket.socket) -> bool:
    sock.setblocking(False)
    try:
        return sock.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def memory(attacked: Attacked) -> float:
    """Resident megabytes of the guard's processes."""
    pages = 0
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = status.read_text().rpartition(")")[2].split()
            if os.getpgid(int(status.parent.name)) in groups(attacked):
                pages += int(fields[21])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def groups(attacked: Attacked) -> set[int]:
    """The process groups of the guard: each of its processes has its own."""
    leader = attacked.guard.process.pid
    children = Path(f"/proc/{leader}/task/{leader}/children").read_text().split()
    return {leader, *map(int, children)}


@pytest.fixture(scope="module")
def huge(attacked: Attacked) -> Study:
    """A study of one image of 48 megabytes."""
    series = Series("2.25.4801.1", "CT", ("2.25.4801.1.1",))
    study = Study("huge", "2.25.4801", "P-9", (series,), ALPHA, GREY)
    orthanc.load(attacked.archive, [as_file(image(study, series, series.instances[0], pixels=6928))])
    return study


def test_a_client_that_does_not_read_costs_neither_memory_nor_the_others(
    attacked: Attacked, huge: Study
) -> None:
    before = memory(attacked)
    rq = request("OLDWORK", TITLE, contexts(GET, CT), roles=[CT])
    with contextlib.ExitStack() as stack:
        idlers = [stack.enter_context(attacked.caller(None)) for _ in range(2)]
        for idler in idlers:
            assert idler.associate(rq) is not None
            idler.send(1, CGetRQ(1, GET), identifier("STUDY", StudyInstanceUID=huge.uid))
        time.sleep(1.0)
        assert memory(attacked) - before < 24
        with attacked.inside("work", FIND) as caller:
            began = time.monotonic()
            assert caller.status(1, CFindRQ(1, FIND), ALL_STUDIES) == 0
            assert time.monotonic() - began < 2.0
    assert attacked.tap.await_closed("OLDWORK") < 2.0
