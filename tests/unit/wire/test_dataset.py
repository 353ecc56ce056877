"""The query identifier: ascending, even, implicit VR little endian, text only."""

from __future__ import annotations

import io

import pydicom
import pytest

from leadglass.errors import LocalProtocolError
from leadglass.wire import dataset


def test_an_identifier_byte_by_byte() -> None:
    encoded = dataset.identifier(
        {dataset.STUDY_INSTANCE_UID: "2.25.7", dataset.QUERY_RETRIEVE_LEVEL: "STUDY"}
    )

    assert encoded == (
        b"\x08\x00\x52\x00\x06\x00\x00\x00STUDY "  # (0008,0052) before (0020,000D), padded with a space
        b"\x20\x00\x0d\x00\x06\x00\x00\x002.25.7"
    )


@pytest.mark.parametrize("key", ["2.25.1", "2.25.12"])
def test_another_reader_understands_an_identifier(key: str) -> None:
    elements = {
        dataset.QUERY_RETRIEVE_LEVEL: "PATIENT",
        dataset.PATIENT_ID: "LG-odd",
        dataset.STUDY_INSTANCE_UID: key,
        (0x0010, 0x0010): "",
    }

    read = pydicom.dcmread(io.BytesIO(dataset.identifier(elements)), force=True)

    assert (read.QueryRetrieveLevel, read.PatientID, read.StudyInstanceUID) == ("PATIENT", "LG-odd", key)
    assert [(e.tag.group, e.tag.element) for e in read] == sorted(elements)
    assert "PatientName" in read


def test_a_uid_is_padded_with_a_nul() -> None:
    assert dataset.identifier({dataset.STUDY_INSTANCE_UID: "2.25.12"}).endswith(b"2.25.12\0")


@pytest.mark.parametrize("tag", [(0, 0), (0xFFFF, 0xFFFF)])
def test_the_first_and_the_last_tag_are_tags(tag: tuple[int, int]) -> None:
    assert len(dataset.identifier({tag: "x"})) == 10


@pytest.mark.parametrize("tag", [(-1, 0), (0x10000, 0), (0, 0x10000)])
def test_what_is_not_a_tag_is_our_own_error(tag: tuple[int, int]) -> None:
    with pytest.raises(LocalProtocolError, match="is not a tag"):
        dataset.identifier({tag: "x"})


def test_text_that_nobody_could_read_is_our_own_error() -> None:
    with pytest.raises(LocalProtocolError, match="Latin-1"):
        dataset.identifier({dataset.PATIENT_ID: "Ω"})
