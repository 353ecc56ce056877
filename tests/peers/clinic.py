"""A clinic that does not exist: studies of two institutions, several physicians, one de-identified, one unlabelled.

Enough of everything that policies speak of, and as few images as show it.
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import pydicom
from pydicom.dataset import FileMetaDataset
from pydicom.uid import (
    ComputedRadiographyImageStorage,
    CTImageStorage,
    ExplicitVRLittleEndian,
    MRImageStorage,
    UltrasoundImageStorage,
)

__all__ = [
    "ALPHA",
    "BETA",
    "BROWN",
    "GREY",
    "PATIENTS",
    "STUDIES",
    "Series",
    "Study",
    "as_file",
    "every",
    "files",
    "image",
    "images",
    "names_of",
]

ALPHA, BETA = "Alpha Clinic", "Beta Hospital"
GREY, BROWN = "Grey^Ada", "Brown^Ben"
_ROOT = "2.25.7700"
_CLASS = {
    "CT": CTImageStorage,
    "MR": MRImageStorage,
    "CR": ComputedRadiographyImageStorage,
    "US": UltrasoundImageStorage,
}
PATIENTS = {
    "P-1": "Ash^Alma",
    "P-2": "Birch^Bo",
    "P-3": "Cedar^Cy",
    "P-4": "Elm^Eve",
    "P-9": "Fir^Finn",
    "TRIAL-9": "Subject^Nine",
}
"""Patient ID -> name. P-9 has no study yet."""


@dataclass(frozen=True, slots=True)
class Series:
    """A series and its images."""

    uid: str
    modality: str
    instances: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Study:
    """A study, as all of its images describe it; None: they do not say."""

    name: str
    """How the tests call it."""
    uid: str
    patient: str
    series: tuple[Series, ...]
    institution: str | None = None
    referrer: str | None = None
    date: str = "20240105"
    de_identified: bool = False
    accession: str = field(default="")

    @property
    def instances(self) -> tuple[str, ...]:
        """The SOP Instance UIDs of all series."""
        return tuple(uid for series in self.series for uid in series.instances)


def _study(name: str, number: int, patient: str, *modalities: str, **more: object) -> Study:
    uid = f"{_ROOT}.{number}"
    series = tuple(
        Series(f"{uid}.{n}", modality, (f"{uid}.{n}.1", f"{uid}.{n}.2"))
        for n, modality in enumerate(modalities, 1)
    )
    return Study(name, uid, patient, series, accession=f"ACC{number}", **more)  # type: ignore[arg-type]


_TODAY = dt.datetime.now(tz=dt.UTC).strftime("%Y%m%d")

STUDIES = {
    study.name: study
    for study in (
        _study("head", 1, "P-1", "CT", "CT", institution=ALPHA, referrer=GREY),
        _study("knee", 2, "P-1", "MR", institution=BETA, referrer=BROWN),
        _study("chest", 3, "P-2", "CR", institution=ALPHA, referrer=BROWN, date=_TODAY),
        _study("liver", 4, "P-3", "US", institution=BETA, referrer=GREY),
        _study("trial", 5, "TRIAL-9", "CT", de_identified=True),
        _study("stray", 6, "P-4", "CT"),
    )
}
"""By name. P-1 has studies of both institutions; ``chest`` is of today (UTC); ``stray`` says nothing of itself."""


def names_of(uids: Iterable[str]) -> set[str]:
    """The studies that these UIDs are of: of studies, series or images."""
    by_uid = {uid: study.name for study in STUDIES.values() for uid in _uids(study)}
    return {by_uid[uid] for uid in uids}


def _uids(study: Study) -> Iterator[str]:
    yield study.uid
    for series in study.series:
        yield series.uid
        yield from series.instances


def files(studies: Iterable[Study] = STUDIES.values()) -> Iterator[bytes]:
    """Every image as a DICOM file (PS3.10)."""
    return (as_file(made) for study in studies for made in images(study))


def images(study: Study) -> Iterator[pydicom.Dataset]:
    """Every image of a study, with the file meta information that a sender needs."""
    for number, series in enumerate(study.series, 1):
        for count, uid in enumerate(series.instances, 1):
            made = image(study, series, uid)
            made.SeriesNumber, made.InstanceNumber = number, count
            yield made


def image(study: Study, series: Series, uid: str, *, pixels: int = 4) -> pydicom.Dataset:
    """One image of ``pixels`` by ``pixels``."""
    made = pydicom.Dataset()
    made.file_meta = FileMetaDataset()
    made.SOPClassUID = made.file_meta.MediaStorageSOPClassUID = _CLASS[series.modality]
    made.SOPInstanceUID = made.file_meta.MediaStorageSOPInstanceUID = uid
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.Modality = series.modality
    made.SeriesInstanceUID = series.uid
    _describe(made, study)
    _draw(made, pixels)
    return made


def as_file(made: pydicom.Dataset) -> bytes:
    """One image as a file."""
    buffer = io.BytesIO()
    made.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _describe(made: pydicom.Dataset, study: Study) -> None:
    made.StudyInstanceUID = study.uid
    made.StudyID = study.accession
    made.AccessionNumber = study.accession
    made.StudyDate, made.StudyTime = study.date, "070000"
    made.StudyDescription = study.name
    made.PatientID = study.patient
    made.PatientName = PATIENTS[study.patient]
    made.PatientBirthDate, made.PatientSex = "18700101", "O"
    if study.institution is not None:
        made.InstitutionName = study.institution
    if study.referrer is not None:
        made.ReferringPhysicianName = study.referrer
    if study.de_identified:
        made.PatientIdentityRemoved = "YES"
        made.DeidentificationMethod = "by hand"


def _draw(made: pydicom.Dataset, pixels: int) -> None:
    made.Rows = made.Columns = pixels
    made.SamplesPerPixel = 1
    made.PhotometricInterpretation = "MONOCHROME2"
    made.BitsAllocated = made.BitsStored = 8
    made.HighBit = 7
    made.PixelRepresentation = 0
    made.PixelData = bytes(pixels * pixels)


def every(level: str, studies: Sequence[Study]) -> set[str]:
    """The UIDs of a level."""
    if level == "STUDY":
        return {study.uid for study in studies}
    if level == "SERIES":
        return {series.uid for study in studies for series in study.series}
    return {uid for study in studies for uid in study.instances}
