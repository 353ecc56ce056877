from __future__ import annotations

import contextlib
import io

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.filewriter import write_dataset

from leadglass.errors import RemoteProtocolError
from leadglass.lab.dataset import VR, Elements, Tag, decode, encode

ENCODINGS = pytest.mark.parametrize("explicit", [False, True], ids=["implicit", "explicit"])

TEXTS = {tag: vr for tag, vr in VR.items() if vr != "SQ"}
SOME: Elements = {
    (0x0008, 0x0052): "STUDY",
    (0x0010, 0x0010): "FICTITIOUS BCDF^NOBODY",
    (0x0020, 0x000D): "2.25.1",
    (0x0040, 0x0100): ({(0x0040, 0x0001): "STATION", (0x0040, 0x0002): "18990101"},),
}


def reference(dataset: pydicom.Dataset, *, explicit: bool) -> bytes:
    buffer = pydicom.filebase.DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = True, not explicit
    write_dataset(buffer, dataset)
    return bytes(buffer.getvalue())


def query(*, undefined: bool) -> pydicom.Dataset:
    """A worklist query as modalities send it: keys within a sequence, and one that the lab does not know."""
    step = pydicom.Dataset()
    step.Modality = "CT"
    step.ScheduledProtocolCodeSequence = [pydicom.Dataset()]
    made = pydicom.Dataset()
    made.AccessionNumber = ""
    made.PatientName = "NOBODY*"
    made.PatientWeight = "70"
    made.ScheduledProcedureStepSequence = [step]
    for sequence in (made["ScheduledProcedureStepSequence"], step["ScheduledProtocolCodeSequence"]):
        sequence.is_undefined_length = undefined
        sequence.value[0].is_undefined_length_sequence_item = undefined
    return made


@ENCODINGS
def test_the_reference_reads_what_we_write(explicit: bool) -> None:
    data = encode(SOME, explicit=explicit)

    read = pydicom.dcmread(io.BytesIO(_with_syntax(data, explicit)), force=True)

    assert read.PatientName == "FICTITIOUS BCDF^NOBODY"
    assert read.StudyInstanceUID == "2.25.1"
    assert read.ScheduledProcedureStepSequence[0].ScheduledStationAETitle == "STATION"


def _with_syntax(data: bytes, explicit: bool) -> bytes:
    meta = pydicom.dataset.FileMetaDataset()
    meta.TransferSyntaxUID = (
        pydicom.uid.ExplicitVRLittleEndian if explicit else pydicom.uid.ImplicitVRLittleEndian
    )
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", "2.25.1"
    buffer = io.BytesIO()
    pydicom.filewriter.write_file_meta_info(buffer, meta)
    return bytes(128) + b"DICM" + buffer.getvalue() + data


@ENCODINGS
@pytest.mark.parametrize("undefined", [False, True], ids=["lengths", "delimiters"])
def test_what_the_reference_writes_is_read(explicit: bool, undefined: bool) -> None:
    data = reference(query(undefined=undefined), explicit=explicit)

    assert decode(data, explicit=explicit) == {
        (0x0008, 0x0050): "",
        (0x0010, 0x0010): "NOBODY*",
        (0x0040, 0x0100): "",
    }


@ENCODINGS
@given(values=st.dictionaries(st.sampled_from(sorted(TEXTS)), st.text("ABC^*19.", max_size=40)))
def test_text_comes_back(explicit: bool, values: dict[Tag, str]) -> None:
    assert decode(encode(values, explicit=explicit), explicit=explicit) == values


@ENCODINGS
def test_cut_short_is_malformed_unless_it_ends_between_elements(explicit: bool) -> None:
    data = reference(query(undefined=True), explicit=explicit)
    readable = []
    for size in range(len(data)):
        try:
            decode(data[:size], explicit=explicit)
            readable.append(size)
        except RemoteProtocolError:
            pass

    assert len(readable) == 4  # before each of the four elements


@ENCODINGS
@given(data=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(explicit: bool, data: bytes) -> None:
    with contextlib.suppress(RemoteProtocolError):
        assert decode(data, explicit=explicit).keys() <= VR.keys()


@ENCODINGS
def test_nesting_ends_somewhere(explicit: bool) -> None:
    opening = (b"\x40\x00\x00\x01" + (b"SQ\0\0" if explicit else b"") + b"\xff" * 4) + (
        b"\xfe\xff\x00\xe0" + b"\xff" * 4
    )

    with pytest.raises(RemoteProtocolError, match="nested"):
        decode(opening * 1000, explicit=explicit)


def test_elements_out_of_order_are_malformed() -> None:
    one, two = (encode({tag: "X"}, explicit=False) for tag in ((0x0010, 0x0020), (0x0010, 0x0010)))

    with pytest.raises(RemoteProtocolError, match="out of order"):
        decode(one + two, explicit=False)
