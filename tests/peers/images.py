"""Small DICOM files of the planted patients."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pydicom
from pydicom.dataset import FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian
from tests.peers.canary import Canaries, Patient

__all__ = ["datasets", "files"]


def files(canaries: Canaries) -> Iterator[bytes]:
    """Every image of every patient as a DICOM file (PS3.10)."""
    for dataset in datasets(canaries):
        buffer = io.BytesIO()
        dataset.save_as(buffer, enforce_file_format=True)
        yield buffer.getvalue()


def datasets(canaries: Canaries, each: int | None = None) -> Iterator[pydicom.Dataset]:
    """Images of every patient, ``each`` or all, with the file meta information that a sender needs."""
    for patient in canaries.patients:
        for number, uid in enumerate(patient.instances[:each]):
            yield _image(patient, uid, number + 1)


def _image(patient: Patient, uid: str, number: int) -> pydicom.Dataset:
    image = pydicom.Dataset()
    image.file_meta = FileMetaDataset()
    image.file_meta.MediaStorageSOPClassUID = CTImageStorage
    image.file_meta.MediaStorageSOPInstanceUID = uid
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image.SOPClassUID = CTImageStorage
    image.SOPInstanceUID = uid
    image.Modality = "CT"
    image.InstanceNumber = number
    _describe(image, patient)
    _draw(image)
    return image


def _describe(image: pydicom.Dataset, patient: Patient) -> None:
    image.PatientName = patient.name
    image.PatientID = patient.identifier
    image.PatientBirthDate = patient.born
    image.PatientSex = "O"
    image.PatientAddress = patient.address
    image.StudyInstanceUID = patient.study
    image.SeriesInstanceUID = patient.series
    image.StudyDate = patient.born
    image.StudyTime = "070000"
    image.StudyID = patient.identifier
    image.AccessionNumber = patient.accession
    image.StudyDescription = patient.description
    image.SeriesDescription = patient.description
    image.ReferringPhysicianName = patient.referrer


def _draw(image: pydicom.Dataset) -> None:
    image.Rows = image.Columns = 4
    image.SamplesPerPixel = 1
    image.PhotometricInterpretation = "MONOCHROME2"
    image.BitsAllocated = image.BitsStored = 8
    image.HighBit = 7
    image.PixelRepresentation = 0
    image.PixelData = bytes(range(16))
