"""DICOM files for benches: images of the size of a CT slice, and many small studies."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pydicom
from bench.lib.dicom_client import STUDY
from pydicom.dataset import FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

__all__ = ["stock_images", "studies"]

_SIDE = 512


def stock_images(folder: Path, count: int, institution: str) -> None:
    """``count`` images of one study, 512 x 512 pixels of 16 bits."""
    folder.mkdir(parents=True)
    for number in range(count):
        image = _image(STUDY, number, institution, _SIDE)
        image.save_as(folder / f"{number:04}.dcm", enforce_file_format=True)


def studies(count: int, institution: str) -> tuple[Iterator[bytes], str]:
    """Files of ``count`` studies with one small image each, and the UID of the first."""
    return (_written(_image(f"{STUDY}.{n + 1}", 0, institution, 8)) for n in range(count)), f"{STUDY}.1"


def _written(image: pydicom.Dataset) -> bytes:
    buffer = io.BytesIO()
    image.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _image(study: str, number: int, institution: str, side: int) -> pydicom.Dataset:
    image = pydicom.Dataset()
    image.file_meta = FileMetaDataset()
    image.SOPClassUID = image.file_meta.MediaStorageSOPClassUID = CTImageStorage
    image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = f"{study}.1.{number}"
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image.StudyInstanceUID, image.SeriesInstanceUID = study, f"{study}.1"
    image.PatientID, image.PatientName = "BENCH", "Bench^Phantom"
    image.StudyDate, image.AccessionNumber, image.Modality = "20260101", "BENCH", "CT"
    image.InstitutionName, image.ReferringPhysicianName = institution, "Bench^Referrer"
    image.Rows = image.Columns = side
    image.BitsAllocated = image.BitsStored = 16
    image.HighBit, image.PixelRepresentation, image.SamplesPerPixel = 15, 0, 1
    image.PhotometricInterpretation = "MONOCHROME2"
    image.PixelData = bytes(side * side * 2)
    return image
