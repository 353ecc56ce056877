"""Attacks with objects: what is stored is what was said to be stored, whole, and in nobody else's study."""

from __future__ import annotations

import http.client
import json
import socket
import struct
import uuid
from collections.abc import Callable
from contextlib import closing

import pydicom
import pytest
from tests.interop.attacks.conftest import Attacked, Watch
from tests.peers.caller import Caller, contexts, data_set, request
from tests.peers.clinic import ALPHA, GREY, STUDIES, Series, Study, image
from tests.peers.guarded_clinic import TITLE, eventually

from leadglass.guard.audit.events import Happening
from leadglass.wire import association as ul
from leadglass.wire import command, pdata, uids
from leadglass.wire.dimse import CStoreRQ

pytestmark = pytest.mark.peer("orthanc")

CT, MR = uids.CT_IMAGE_STORAGE, uids.MR_IMAGE_STORAGE
NO_ACCESS, MISMATCH, NOT_UNDERSTOOD = 0x0124, 0xA900, 0xC000
KNEE = STUDIES["knee"]


def fresh() -> pydicom.Dataset:
    """An image that nobody has yet, of a study that nobody has yet."""
    uid = f"2.25.{uuid.uuid4().int}"
    series = Series(f"{uid}.1", "CT", (f"{uid}.1.1",))
    made = image(Study("fresh", uid, "P-9", (series,), ALPHA, GREY), series, series.instances[0])
    del made.file_meta
    return made


def stored(attacked: Attacked, uid: str) -> bool:
    """Whether the archive itself knows a UID."""
    address = ("127.0.0.1", attacked.archive.ports["http"])
    with closing(http.client.HTTPConnection(*address, timeout=20)) as connection:
        connection.request("POST", "/tools/lookup", uid)
        return bool(json.loads(connection.getresponse().read()))


def element(group: int, number: int, value: bytes, length: int | None = None) -> bytes:
    return struct.pack("<HHL", group, number, len(value) if length is None else length) + value


def before_pixels(made: pydicom.Dataset, more: bytes) -> bytes:
    """The data set with something between its head and its pixels."""
    pixels = made.PixelData
    del made.PixelData
    return data_set(made) + more + element(0x7FE0, 0x0010, pixels)


Change = Callable[[pydicom.Dataset], bytes]


def changed(**values: object) -> Change:
    def change(made: pydicom.Dataset) -> bytes:
        for name, value in values.items():
            setattr(made, name, value)
        return data_set(made)

    return change


def without(name: str) -> Change:
    def change(made: pydicom.Dataset) -> bytes:
        delattr(made, name)
        return data_set(made)

    return change


def in_front(more: bytes) -> Change:
    return lambda made: more + data_set(made)


def behind(more: bytes) -> Change:
    return lambda made: data_set(made) + more


NESTED = b"\xfe\xff\x00\xe0\xff\xff\xff\xff\x40\x00\x75\x02\xff\xff\xff\xff"
OBJECTS: dict[str, tuple[Change, int, str]] = {
    "another class than the command's": (changed(SOPClassUID=MR), MISMATCH, "not the object of the command"),
    "another instance than the command's": (
        changed(SOPInstanceUID=STUDIES["head"].instances[0]),
        MISMATCH,
        "not the object of the command",
    ),
    "no class": (without("SOPClassUID"), MISMATCH, "not the object of the command"),
    "no study": (without("StudyInstanceUID"), NOT_UNDERSTOOD, "names no study"),
    "another patient's study": (changed(StudyInstanceUID=KNEE.uid), NO_ACCESS, "foreign-study"),
    "the study of a patient with nobody's name": (
        changed(StudyInstanceUID=KNEE.uid, PatientID=""),
        NO_ACCESS,
        "foreign-study",
    ),
    "a second study at the end": (
        behind(element(0x0020, 0x000D, KNEE.uid.encode().ljust(12, b"\0"))),
        NOT_UNDERSTOOD,
        "object",
    ),
    "a second instance UID behind the first": (
        lambda made: data_set(made).replace(
            element(0x0008, 0x0020, b"20240105"),
            element(0x0008, 0x0018, b"2.25.1") + element(0x0008, 0x0020, b"20240105"),
        ),
        NOT_UNDERSTOOD,
        "object",
    ),
    "an element of four gigabytes in the head": (
        in_front(element(0x0008, 0x0008, b"ORIGINAL", 0xFFFFFFF0)),
        NOT_UNDERSTOOD,
        "object",
    ),
    "a sequence of four gigabytes in the head": (
        in_front(element(0x0008, 0x0006, b"\xfe\xff\x00\xe0\xf0\xff\xff\xff", 0xFFFFFFF0)),
        NOT_UNDERSTOOD,
        "object",
    ),
    "a sequence in the head that does not end": (
        in_front(element(0x0008, 0x0006, b"", 0xFFFFFFFF)),
        NOT_UNDERSTOOD,
        "object",
    ),
    "a head of half a megabyte": (
        lambda made: data_set(made).replace(
            element(0x0008, 0x0020, b"20240105"),
            element(0x0008, 0x0020, b"20240105") + element(0x0008, 0x0022, bytes(1 << 19)),
        ),
        NOT_UNDERSTOOD,
        "object",
    ),
    "command elements in front": (in_front(element(0x0000, 0x0100, b"\1\0")), NOT_UNDERSTOOD, "object"),
    "file meta information in front": (
        in_front(element(0x0002, 0x0010, b"1.2.840.10008.1.2\0")),
        NOT_UNDERSTOOD,
        "object",
    ),
    "sequences a thousand deep": (
        lambda made: before_pixels(made, element(0x0040, 0x0275, NESTED * 1000, 0xFFFFFFFF)),
        NOT_UNDERSTOOD,
        "object",
    ),
    "pixels of four gigabytes": (
        lambda made: before_pixels(made, b"")[:-24] + element(0x7FE0, 0x0010, bytes(16), 0xFFFFFFF0),
        NOT_UNDERSTOOD,
        "object",
    ),
    "the end cut off": (lambda made: data_set(made)[:-3], NOT_UNDERSTOOD, "object"),
    "nothing": (lambda made: b"", MISMATCH, "object"),
}


@pytest.mark.parametrize("name", OBJECTS)
def test_object(attacked: Attacked, watch: Watch, name: str) -> None:
    change, status, told = OBJECTS[name]
    made = fresh()
    uid = str(made.SOPInstanceUID)
    with attacked.inside("ctroom", CT) as caller:
        assert caller.status(1, CStoreRQ(1, CT, uid), change(made)) == status
        assert "CStoreRQ" not in watch.reached
        assert watch.tells(told)
        assert caller.status(1, CStoreRQ(2, CT, "2.25.1"), b"") == MISMATCH  # and it is heard further
    assert not stored(attacked, uid)
    refused = [event for event in watch.told if event.happening is Happening.REFUSED]
    assert {event.device for event in refused} == {"ctroom"}


@pytest.mark.parametrize("uid", ["../../../tmp/x", "2.25.1/../../x", "2.25.1\n2", "2.25..1", "A" * 64])
def test_an_instance_uid_that_is_none_reaches_no_file_system(
    attacked: Attacked, watch: Watch, uid: str
) -> None:
    made = fresh()
    plain = data_set(made)
    padded = uid.encode() + b"\0" * (len(uid) % 2)
    old = str(made.SOPInstanceUID).encode()
    changed = plain.replace(
        element(0x0008, 0x0018, old + b"\0" * (len(old) % 2)), element(0x0008, 0x0018, padded)
    )
    assert changed != plain
    with attacked.inside("ctroom", CT) as caller:
        assert caller.status(1, CStoreRQ(1, CT, uid), changed) in {MISMATCH, None}
    assert "CStoreRQ" not in watch.reached
    assert not stored(attacked, str(made.StudyInstanceUID))


def large(more: bytes = b"") -> tuple[str, bytes]:
    """An object of two megabytes, and something behind it."""
    made = fresh()
    made.PixelData = bytes(1 << 21)
    return str(made.SOPInstanceUID), data_set(made) + more


def send_part(caller: Caller, uid: str, data: bytes, size: int) -> None:
    """A C-STORE and the first ``size`` bytes of its object."""
    whole = pdata.fragment(1, command.encode_command(CStoreRQ(1, CT, uid)), data, 16384)
    caller.raw(whole[:size])


def test_a_second_study_behind_the_pixels_of_a_large_object_stores_nothing(
    attacked: Attacked, watch: Watch
) -> None:
    uid, data = large(element(0x0020, 0x000D, KNEE.uid.encode().ljust(12, b"\0")))
    with attacked.inside("ctroom", CT) as caller:
        send_part(caller, uid, data, 1 << 30)
        assert isinstance(caller.until_end(), ul.Aborted)
    assert attacked.tap.await_closed("CTROOM") < 2.0
    assert "CStoreRQ" not in watch.reached  # not whole
    assert not stored(attacked, uid)
    assert watch.tells("protocol")


@pytest.mark.parametrize("manner", ["closes", "aborts", "resets"])
def test_a_client_that_vanishes_within_an_object_takes_the_archives_association_with_it(
    attacked: Attacked, watch: Watch, manner: str
) -> None:
    uid, data = large()
    with attacked.caller("ctroom") as caller:
        assert caller.associate(request("CTROOM", TITLE, contexts(CT))) is not None
        send_part(caller, uid, data, 1 << 20)
        assert eventually(lambda: attacked.tap.octets - watch.octets > 1 << 18)
        if manner == "aborts":
            caller.raw(bytes.fromhex("07000000000400000000"))
        elif manner == "resets":
            caller.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert attacked.tap.await_closed("CTROOM") < 1.0
    assert not stored(attacked, uid)
    assert "CStoreRQ" not in watch.reached


def test_what_an_honest_device_stores_is_there(attacked: Attacked) -> None:
    uid, data = large()
    with attacked.inside("ctroom", CT) as caller:
        assert caller.status(1, CStoreRQ(1, CT, uid), data) == 0
    assert stored(attacked, uid)
