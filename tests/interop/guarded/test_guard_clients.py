"""Real clients work through the guard as they do with the archive itself, and have what their entry may have."""

from __future__ import annotations

import contextlib
import subprocess
import uuid
from collections.abc import Sequence
from pathlib import Path

import pydicom
import pytest
from tests.interop.guarded.conftest import Before
from tests.peers.clinic import ALPHA, GREY, STUDIES, Series, Study, as_file, every, image
from tests.peers.guarded_clinic import TITLE, eventually

from leadglass.guard.audit.events import Happening
from leadglass.model.access import Action

pytestmark = pytest.mark.peer("dcmtk")

CT_READERS = {"head", "trial", "stray"}
KEYS = {
    "PATIENT": ["PatientID"],
    "STUDY": ["StudyInstanceUID", "PatientID"],
    "SERIES": ["SeriesInstanceUID", "StudyInstanceUID", "PatientID"],
    "IMAGE": ["SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "PatientID"],
}


def dcmtk(before: Before, program: str, *options: str | Path, who: str, more: Sequence[str] = ()) -> str:
    """What a program of DCMTK says, through the TLS door or, if ``who`` begins with OLD, the plain one."""
    guard = before.site.guard
    plain = who.startswith("OLD")
    papers = [] if plain else guard.dcmtk(who.lower())
    port = guard.ports["plain" if plain else "dicom"]
    argv = [program, *papers, "-aet", who, "-aec", TITLE, *map(str, options), guard.host, str(port), *more]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    return said


def keys(level: str, **given: str) -> list[str]:
    asked = [f"QueryRetrieveLevel={level}", *KEYS[level]]
    pairs = [f"{key}={given[key]}" if key in given else key for key in asked]
    return [word for pair in pairs for word in ("-k", pair)]


def stored_in(folder: Path) -> set[str]:
    return {str(pydicom.dcmread(file, stop_before_pixels=True).SOPInstanceUID) for file in folder.iterdir()}


@pytest.mark.parametrize("who", ["WORK", "OLDWORK"])
def test_echoscu_is_answered(before: Before, who: str) -> None:
    assert "Received Echo Response (Success)" in dcmtk(before, "echoscu", "-v", who=who)


@pytest.mark.parametrize(
    ("root", "level"),
    [(root, level) for root in ("-P", "-S") for level in KEYS if (root, level) != ("-S", "PATIENT")],
)
def test_findscu_finds_what_its_entry_may_see_at_each_level(before: Before, root: str, level: str) -> None:
    study = STUDIES["head"]
    unique = {
        "PatientID": study.patient,
        "StudyInstanceUID": study.uid,
        "SeriesInstanceUID": study.series[0].uid,
    }
    given = {key: unique[key] for key in KEYS[level][1:]}
    said = dcmtk(before, "findscu", root, *keys(level, **given), who="CTDESK")
    wanted = {
        "PATIENT": {STUDIES[name].patient for name in CT_READERS},
        "STUDY": {study.uid},
        "SERIES": every("SERIES", [study]),
        "IMAGE": {*study.series[0].instances},
    }
    found = {
        line.split("[")[1].split("]")[0].strip("\0 ") for line in said.splitlines() if KEYS[level][0] in line
    }
    assert found - {"P-9"} == wanted[level]


def test_movescu_moves_to_a_viewer_over_tls_and_to_one_without(before_orthanc: Before) -> None:
    site = before_orthanc.site
    study = STUDIES["chest"]
    for title in ("VIEWER", "OLDVIEWER"):
        dcmtk(
            before_orthanc,
            "movescu",
            "-S",
            "-aem",
            title,
            *keys("STUDY", StudyInstanceUID=study.uid),
            who="OLDWORK",
        )
        assert site.viewers[title].had() == every("IMAGE", [study])


def test_movescu_cannot_name_a_destination_that_is_not_enrolled(before: Before) -> None:
    with pytest.raises(AssertionError, match="MoveDestinationUnknown"):
        dcmtk(
            before,
            "movescu",
            "-v",
            "-S",
            "-aem",
            "ELSEWHERE",
            *keys("STUDY", StudyInstanceUID=STUDIES["head"].uid),
            who="OLDWORK",
        )


def test_getscu_gets_its_study_and_no_other(before_orthanc: Before, tmp_path: Path) -> None:
    for name in ("head", "knee"):
        with contextlib.suppress(AssertionError):  # what does not exist is an error of Orthanc's
            wanted = keys("STUDY", StudyInstanceUID=STUDIES[name].uid)
            dcmtk(before_orthanc, "getscu", "-S", "-od", tmp_path, *wanted, who="OLDWORK")
    assert stored_in(tmp_path) == every("IMAGE", [STUDIES["head"]])


@pytest.fixture
def fresh(before: Before, tmp_path: Path) -> tuple[Study, Path]:
    """A study that nobody has yet, and a file of its image."""
    uid = f"2.25.{uuid.uuid4().int}"
    series = Series(f"{uid}.1", "CT", (f"{uid}.1.1",))
    study = Study("fresh", uid, "P-9", (series,), ALPHA, GREY)
    file = tmp_path / "fresh.dcm"
    file.write_bytes(as_file(image(study, series, series.instances[0], pixels=256)))
    return study, file


@pytest.mark.parametrize(
    ("program", "who"), [("storescu", "CTROOM"), ("storescu", "OLDCT"), ("dcmsend", "OLDCT")]
)
def test_a_device_stores_and_what_it_stored_is_found(
    before: Before, fresh: tuple[Study, Path], program: str, who: str
) -> None:
    study, file = fresh
    guard = before.site.guard
    dcmtk(before, program, who=who, more=[str(file)])
    said = dcmtk(before, "findscu", "-S", *keys("STUDY", StudyInstanceUID=study.uid), who="CTDESK")
    assert study.uid in said

    def told() -> bool:
        return any(
            event.happening is Happening.TRANSFERRED and event.action is Action.STORE
            for event in guard.audit()
            if study.uid in {each.study_instance_uid for each in event.studies}
        )

    assert eventually(told)


def test_storescu_of_a_reader_stores_nothing(before: Before, fresh: tuple[Study, Path]) -> None:
    study, file = fresh
    with pytest.raises(AssertionError, match=r"No Acceptable Presentation Contexts|No presentation context"):
        dcmtk(before, "storescu", who="CTDESK", more=[str(file)])
    said = dcmtk(before, "findscu", "-S", *keys("STUDY", StudyInstanceUID=study.uid), who="ER")
    assert study.uid not in said


def test_termscu_ends_nothing(before: Before) -> None:
    with pytest.raises(AssertionError, match="No Acceptable Presentation Contexts"):
        dcmtk(before, "termscu", "-v", who="OLDWORK")
    assert "Received Echo Response (Success)" in dcmtk(before, "echoscu", "-v", who="WORK")
