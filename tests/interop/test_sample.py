"""A sample of a real archive, by the owner's written leave: counts are kept, and nothing of any patient."""

from __future__ import annotations

import datetime as dt
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian
from tests.peers import canary, looking, orthanc
from tests.peers.places import LOOPBACK, free_port

pytestmark = pytest.mark.peer("orthanc")

STUDIES = 500
SCOPE = """
name = "An archive of our own"
[authorisation]
basis = "owner"
granted_by = "A. Tester"
contact = "security@example.org"
reference = "change 4711"
valid_until = {until}
[limits]
deepest = "{deepest}"
[[targets]]
range = "127.0.0.1"
ports = [{port}]
"""


def files(canaries: canary.Canaries) -> Iterator[bytes]:
    """One small study a few days apart, over five years."""
    for number in range(STUDIES):
        patient = canaries.patients[number % len(canaries.patients)]
        image = pydicom.Dataset()
        image.file_meta = FileMetaDataset()
        image.SOPClassUID = image.file_meta.MediaStorageSOPClassUID = CTImageStorage
        image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = f"2.25.77.{number}.1.1"
        image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        image.StudyInstanceUID, image.SeriesInstanceUID = f"2.25.77.{number}", f"2.25.77.{number}.1"
        image.PatientName, image.PatientID = patient.name, patient.identifier
        image.PatientBirthDate, image.AccessionNumber = patient.born, patient.accession
        day = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=1 + number * 1825 // STUDIES)
        image.StudyDate, image.StudyDescription = day.strftime("%Y%m%d"), patient.description
        buffer = io.BytesIO()
        image.save_as(buffer, enforce_file_format=True)
        yield buffer.getvalue()


def test_a_sample_tells_whose_data_lie_there_and_keeps_none_of_them(
    tmp_path: Path, canaries: canary.Canaries
) -> None:
    port, web = free_port(LOOPBACK), free_port(LOOPBACK)
    cwd = tmp_path / "cwd"
    cwd.mkdir()
    until = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=30)
    (cwd / "scope.toml").write_text(SCOPE.format(port=port, deepest="sample", until=until))
    with orthanc.orthanc(
        LOOPBACK, tmp_path / "archive", orthanc.FIND_ALLOWED, dicom=port, http=web
    ) as archive:
        orthanc.load(archive, files(canaries))
        words: list[str | Path] = [
            "scan",
            "--scope",
            "scope.toml",
            "--database",
            cwd / "kept.db",
            "--format",
            "jsonl",
        ]
        done = looking.leadglass(LOOPBACK, words, cwd)
    record = json.loads(done.stdout)
    facts = {fact["id"]: fact["value"] for fact in record["evidence"]}

    assert record["rung"] == "sample"
    assert facts["sample/windows"] == 40
    assert 2 <= facts["sample/studies"] <= 40
    assert facts["sample/patients"] <= facts["sample/studies"]
    assert {"feature": "ordinary-names", "studies": facts["sample/studies"]} in facts["sample/features"]
    assert record["nature"]["clinical"] > record["nature_prior"]["clinical"]
    assert canaries.find(cwd, ("stdout", done.stdout.encode()), ("stderr", done.stderr.encode())) == []


def test_without_a_reference_no_sample_is_drawn(tmp_path: Path) -> None:
    text = SCOPE.format(port=11112, deepest="sample", until="2099-01-01").replace(
        'reference = "change 4711"\n', ""
    )
    (tmp_path / "scope.toml").write_text(text)

    done = looking.leadglass(
        LOOPBACK, ["scan", "--scope", "scope.toml", "--database", tmp_path / "k.db"], tmp_path
    )

    assert done.returncode == 2
    assert "sample" in done.stderr
