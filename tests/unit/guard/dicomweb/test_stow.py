"""Objects in a STOW-RS request, however they are cut and whatever is wrong with them."""

from __future__ import annotations

import pytest
from tests.unit.guard.dicomweb.files import (
    BOUNDARY,
    CT,
    EXPLICIT,
    KIND,
    data_set,
    element,
    file,
    meta,
    multipart,
)

from leadglass.guard.dicomweb.multipart import Ended
from leadglass.guard.dicomweb.part10 import Failure, Head
from leadglass.guard.dicomweb.refused import Refused
from leadglass.guard.dicomweb.stow import ObjectData, ObjectEnds, ObjectHead, StowReader

NO_PREAMBLE = bytes(128) + b"DICM"


def read(body: bytes, size: int = 1 << 20, kind: str = KIND) -> list[tuple[Head | Failure, bytes]]:
    """Each object: what its head is, and what passes of it."""
    reader, found = StowReader(kind), list[tuple[Head | Failure, bytes]]()
    ends = 0
    for at in range(0, len(body), size):
        reader.receive(body[at : at + size])
        while (event := reader.next_event()) is not None:
            match event:
                case ObjectHead(head):
                    found.append((head, b""))
                case ObjectData(data):
                    found[-1] = (found[-1][0], found[-1][1] + bytes(data))
                case ObjectEnds():
                    ends += 1
                case Ended():
                    pass
    reader.finish()
    assert ends == len(found)
    return found


def one(content: bytes, size: int = 1 << 20) -> tuple[Head | Failure, bytes]:
    (found,) = read(multipart([content]), size)
    return found


def failure(content: bytes) -> Failure:
    """What is wrong with an object, wherever it is cut; nothing of it passes."""
    whole, cut = one(content), one(content, 7)
    assert whole == cut
    assert isinstance(whole[0], Failure)
    assert whole[1] == b""
    return whole[0]


@pytest.mark.parametrize("size", [1, 3, 100, 4096, 1 << 20])
def test_objects_pass_unchanged_however_they_are_cut(size: int) -> None:
    files = [file(sop="1.2.9"), file(sop="1.2.10", study="1.2.5", pixels=3000)]
    found = read(multipart(files), size)

    assert [content for _, content in found] == files
    heads = [head for head, _ in found]
    assert isinstance(heads[1], Head)
    assert (heads[1].sop_class, heads[1].sop_instance) == (CT, "1.2.10")
    assert heads[1].study.study_instance_uid == "1.2.5"
    assert heads[1].study.institution == "North"
    assert heads[1].study.patient_id == "P1"


def test_the_head_is_told_before_anything_passes() -> None:
    reader = StowReader(KIND)
    body = multipart([file(pixels=5000)])
    reader.receive(body[:100])
    assert reader.next_event() is None
    reader.receive(body[100:2000])
    assert isinstance(reader.next_event(), ObjectHead)
    assert isinstance(reader.next_event(), ObjectData)


# ---- attacks: preambles (CVE-2019-11687)


@pytest.mark.parametrize(
    "start",
    [
        b"MZ\x90\0",
        b"\x7fELF\2\1",
        b"\xcf\xfa\xed\xfe",
        b"\xca\xfe\xba\xbe",
        b"#!/bin/sh\n",
        b"PK\3\4",
        b"%PDF-",
        b"<?php",
        b"\xff" * 128,
    ],
)
@pytest.mark.parametrize("size", [1, 1 << 20])
def test_a_preamble_that_is_a_program_leaves_as_zeros(start: bytes, size: int) -> None:
    _, content = one(file(preamble=start.ljust(128, b"\x90")), size)

    assert content == file()


@pytest.mark.parametrize("start", [b"II*\0", b"MM\0*", b"II+\0"])
def test_a_tiff_preamble_stays(start: bytes) -> None:
    dual = file(preamble=start.ljust(128, b"\1"))

    assert one(dual)[1] == dual


# ---- attacks: file meta information (CVE-2026-5437, CVE-2026-3650)


@pytest.mark.parametrize(
    "header",
    [
        meta()[:4] + b"US" + meta()[6:],  # the length with another VR
        meta()[12:],  # no length
        element(2, 0, "UL", (0xFFFFFFFF).to_bytes(4, "little")) + meta()[12:],
        element(2, 0, "UL", (1 << 20).to_bytes(4, "little")) + meta()[12:],
        element(2, 0, "UL", (len(meta()) - 14).to_bytes(4, "little")) + meta()[12:],
        element(2, 0, "UL", (len(meta()) - 10).to_bytes(4, "little")) + meta()[12:],
        meta(extra=element(2, 0x12, "LO", "1.2")),  # a VR that the element does not have
        meta(extra=element(2, 0x12, "??", "1.2")),
        meta(extra=element(2, 0x11, "UI", "1.2")),  # an element that does not exist
        meta(extra=element(2, 3, "UI", "1.2.77")),  # an element twice
        meta(extra=element(8, 0x18, "UI", "1.2.77")),  # an element of the data set
        meta(extra=b"\2\0\2\1OB\0\0\xff\xff\xff\xff"),  # a length of 4 GB
        meta(extra=b"\2\0\2\1OB\0\0\xff\xff\0\0"),
        meta(extra=b"\2\0\2\1OB"),
        meta(sop="1.2.9/../../x"),
        meta(sop="..\\..\\1"),
        meta(sop=""),
        meta(sop="1" * 65),
        meta(sop_class="*"),
        meta(syntax="x"),
        meta(syntax=""),
    ],
)
def test_file_meta_information_that_does_not_add_up_fails(header: bytes) -> None:
    assert failure(NO_PREAMBLE + header + data_set()).reason == 0xC000


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"x",
        b"DICM",
        bytes(128),
        bytes(128) + b"DIC",
        bytes(128) + b"DCIM" + meta(),
        NO_PREAMBLE,
        NO_PREAMBLE + meta()[:40],
        bytes(132) + meta() + data_set(),
        b"DICM" + meta() + data_set(),
        data_set(),
    ],
)
def test_what_is_no_dicom_file_fails(content: bytes) -> None:
    assert failure(content).reason == 0xC000


def test_a_zip_is_no_dicom_file() -> None:
    assert failure(b"PK\3\4" + bytes(500)).reason == 0xC000


# ---- attacks: the data set


def test_an_object_that_is_not_the_one_it_is_announced_as_fails() -> None:
    found = failure(NO_PREAMBLE + meta(sop="1.2.9") + data_set(sop="1.2.8"))

    assert (found.reason, found.sop_class, found.sop_instance) == (0xA900, CT, "1.2.9")
    assert failure(NO_PREAMBLE + meta(sop_class="1.2.840.10008.5.1.4.1.1.4") + data_set()).reason == 0xA900


def test_an_object_without_a_study_fails() -> None:
    nameless = data_set().replace(element(0x20, 0x0D, "UI", "1.2.1"), b"")

    assert failure(NO_PREAMBLE + meta() + nameless).reason == 0xC000


def test_an_object_of_two_studies_fails() -> None:
    double = data_set().replace(element(0x20, 0x0D, "UI", "1.2.1"), element(0x20, 0x0D, "UI", "1.2.1\\1.2.2"))

    assert failure(NO_PREAMBLE + meta() + double).reason == 0xC000


def test_a_deflated_object_is_not_inflated() -> None:
    found = failure(NO_PREAMBLE + meta(syntax="1.2.840.10008.1.2.1.99") + b"\x78\x9c" * 100)

    assert found.reason == 0xC122


def test_a_length_of_four_gigabytes_in_the_head_fails() -> None:
    endless = element(8, 0x16, "UI", CT) + b"\x08\0\x20\0UN\0\0\xfe\xff\xff\xff" + bytes(400)

    assert failure(NO_PREAMBLE + meta() + endless).reason == 0xC000


def test_a_study_uid_behind_the_head_breaks_the_whole_request() -> None:
    again = data_set() + element(0x20, 0x0D, "UI", "1.2.2")

    for size in (1, 100, 1 << 20):
        with pytest.raises(Refused, match="otherwise than it began"):
            one(NO_PREAMBLE + meta() + again, size)


def test_an_object_that_ends_within_an_element_breaks_the_whole_request() -> None:
    with pytest.raises(Refused, match="otherwise than it began"):
        one(file()[:-1])


def test_one_bad_object_does_not_touch_its_neighbours() -> None:
    found = read(multipart([b"bad", file(), bytes(500)]))

    assert [type(head) for head, _ in found] == [Failure, Head, Failure]
    assert [content for _, content in found] == [b"", file(), b""]


# ---- the request


@pytest.mark.parametrize(
    "kind",
    [
        "",
        "application/dicom",
        "application/zip",
        "multipart/form-data; boundary=b",
        "multipart/mixed; boundary=b",
        "multipart/related; boundary=b",
        'multipart/related; type="application/dicom+json"; boundary=b',
        'multipart/related; type="application/dicom+xml"; boundary=b',
        'multipart/related; type="application/zip"; boundary=b',
    ],
)
def test_other_kinds_of_bodies_are_not_taken(kind: str) -> None:
    with pytest.raises(Refused) as caught:
        StowReader(kind)

    assert caught.value.status == 415


@pytest.mark.parametrize(
    "headers",
    [
        (),
        ("Content-Type: application/zip",),
        ("Content-Type: application/dicom+json",),
        ("Content-Type: application/dicom", "Content-Encoding: gzip"),
        ("Content-Type: application/dicom", "Content-Transfer-Encoding: base64"),
    ],
)
def test_other_kinds_of_parts_are_not_taken(headers: tuple[str, ...]) -> None:
    with pytest.raises(Refused) as caught:
        read(multipart([file()], headers))

    assert caught.value.status == 415


def test_parts_may_say_their_transfer_syntax() -> None:
    headers = (f"Content-Type: application/dicom; transfer-syntax={EXPLICIT}", "Content-Length: 5")

    assert read(multipart([file()], headers))[0][1] == file()


def test_a_request_to_store_nothing_is_refused() -> None:
    with pytest.raises(Refused):
        read(f"--{BOUNDARY}--".encode())
