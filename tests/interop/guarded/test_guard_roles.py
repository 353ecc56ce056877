"""Each role has exactly its studies, by query and by retrieval, whatever archive stands behind the guard."""

from __future__ import annotations

import pytest
from tests.interop.guarded.conftest import SEEN, Before
from tests.peers.clinic import STUDIES, every, names_of
from tests.peers.guarded_clinic import TITLE, eventually
from tests.peers.reading import Reader, by_name, by_passcode

from leadglass.guard.audit.events import Happening, Outcome
from leadglass.wire import uids

pytestmark = [pytest.mark.peer("pynetdicom"), pytest.mark.peer("dcmtk")]

READERS = {
    "radiologist": Reader("work", "WORK"),
    "referring physician": Reader("desk", "DESK", by_passcode("grey", "ada's own")),
    "technologist": Reader("ctroom", "CTROOM", by_name("tess")),
    "researcher": Reader("lab", "LAB"),
    "clinician": Reader("er", "ER"),
    "CT reader": Reader("ctdesk", "CTDESK"),
}
RETRIEVE = [role for role in READERS if role != "technologist"]
NOWHERE = "2.25.404"


@pytest.mark.parametrize("role", READERS)
def test_a_query_finds_exactly_the_studies_of_the_role_at_each_level(before: Before, role: str) -> None:
    mine = [STUDIES[name] for name in before.seen(role)]
    with READERS[role].at(before.site.guard, TITLE) as reading:
        found, status = reading.find("STUDY")
        assert (found & every("STUDY", [*STUDIES.values()]), status) == (every("STUDY", mine), 0)
        found, status = reading.find("PATIENT", root="P", PatientName="")
        assert (found - {"P-9"}, status) == ({study.patient for study in mine}, 0)
        for study in STUDIES.values():
            shown = [study] if study in mine else []
            assert reading.find("SERIES", StudyInstanceUID=study.uid) == (every("SERIES", shown), 0)
            series = study.series[0]
            images = reading.find("IMAGE", StudyInstanceUID=study.uid, SeriesInstanceUID=series.uid)
            assert images == ({*series.instances} if shown else set(), 0)


@pytest.mark.parametrize("role", RETRIEVE)
def test_a_get_brings_exactly_the_studies_of_the_role_at_each_level(before: Before, role: str) -> None:
    mine = before.seen(role)
    with READERS[role].at(before.site.guard, TITLE) as reading:
        for study in STUDIES.values():
            series = study.series[0]
            keys = {"StudyInstanceUID": study.uid, "SeriesInstanceUID": series.uid}
            came, _ = reading.get("STUDY", StudyInstanceUID=study.uid)
            assert came == every("IMAGE", [study] if study.name in mine else [])
            came, _ = reading.get("SERIES", **keys)
            assert came == ({*series.instances} if study.name in mine else set())
            came, _ = reading.get("IMAGE", **keys, SOPInstanceUID=series.instances[1])
            assert came == ({series.instances[1]} if study.name in mine else set())
            came, _ = reading.get("PATIENT", root="P", PatientID=study.patient)
            assert names_of(came) == {name for name in mine if STUDIES[name].patient == study.patient}


@pytest.mark.parametrize("role", RETRIEVE)
def test_a_move_sends_exactly_the_studies_of_the_role(before: Before, role: str) -> None:
    mine = before.seen(role)
    viewer = before.site.viewers["VIEWER"]
    with READERS[role].at(before.site.guard, TITLE) as reading:
        for study in STUDIES.values():
            reading.move("VIEWER", "STUDY", StudyInstanceUID=study.uid)
            assert viewer.had() == every("IMAGE", [study] if study.name in mine else [])
        other = STUDIES["knee"]
        own = next((STUDIES[name] for name in mine if name != "knee"), STUDIES["head"])
        reading.move("VIEWER", "SERIES", StudyInstanceUID=own.uid, SeriesInstanceUID=other.series[0].uid)
        assert viewer.had() == set()


@pytest.mark.parametrize("role", ["radiologist", "researcher", "CT reader"])
def test_a_hidden_study_among_own_ones_is_answered_as_one_that_does_not_exist(
    before: Before, role: str
) -> None:
    mine = [STUDIES[name].uid for name in sorted(before.seen(role))]
    hidden = [study.uid for study in STUDIES.values() if study.name not in before.seen(role)]
    with READERS[role].at(before.site.guard, TITLE) as reading:
        for one in hidden:
            asked = [reading.get("STUDY", StudyInstanceUID=[*mine, uid]) for uid in (one, NOWHERE)]
            assert asked[0] == asked[1]
        own, _ = reading.get("STUDY", StudyInstanceUID=mine or [NOWHERE])
        assert names_of(own) == before.seen(role)


def test_a_technologist_at_a_device_is_offered_what_the_device_does_and_no_retrieval(before: Before) -> None:
    with READERS["technologist"].at(before.site.guard, TITLE) as reading:
        assert reading.accepts(uids.STUDY_ROOT_FIND)
        assert not reading.accepts(uids.STUDY_ROOT_GET)
        assert not reading.accepts(uids.STUDY_ROOT_MOVE)
        assert reading.accepts(uids.CT_IMAGE_STORAGE)


@pytest.mark.parametrize(("device", "title"), [("engineer", "ENGINEER"), ("office", "OFFICE")])
def test_a_service_engineer_and_an_auditor_may_see_that_the_archive_answers_and_nothing_else(
    before: Before, device: str, title: str
) -> None:
    with Reader(device, title).at(before.site.guard, TITLE) as reading:
        assert [str(c.abstract_syntax) for c in reading.association.accepted_contexts] == [uids.VERIFICATION]
        assert reading.echo() == 0


def test_a_clinician_without_an_emergency_is_offered_nothing(before_orthanc: Before) -> None:
    guard = before_orthanc.site.guard

    def told(what: Happening) -> list[str | None]:
        return [e.emergency for e in guard.audit() if e.happening is what and e.claimed == "er"]

    guard.mend_glass("er")
    assert eventually(lambda: len(told(Happening.EMERGENCY_STOPPED)) == 1)
    try:
        with pytest.raises(AssertionError, match="let nobody in"), READERS["clinician"].at(guard, TITLE):
            pass  # pynetdicom hangs up where no context is accepted
    finally:
        guard.break_glass("er", "no papers again")
    assert eventually(lambda: "no papers again" in told(Happening.EMERGENCY_STARTED))
    with READERS["clinician"].at(guard, TITLE) as reading:
        assert reading.find("STUDY")[0] >= every("STUDY", [*STUDIES.values()])


def test_what_a_clinician_reads_in_an_emergency_is_written_down_with_its_reason(before: Before) -> None:
    guard = before.site.guard
    with READERS["clinician"].at(guard, TITLE) as reading:
        came, _ = reading.get("STUDY", StudyInstanceUID=STUDIES["stray"].uid)
    assert len(came) == 2
    told = [event for event in guard.audit() if event.device == "er" and event.studies]
    assert {event.emergency for event in told} <= {"unconscious, no papers", "no papers again"}


def test_the_audit_tells_person_device_archive_and_studies_of_a_retrieval(before: Before) -> None:
    guard = before.site.guard
    seen = len(guard.audit())
    with READERS["referring physician"].at(guard, TITLE) as reading:
        reading.get("STUDY", StudyInstanceUID=STUDIES["liver"].uid)
    assert eventually(lambda: any(e.happening is Happening.LOGOUT for e in guard.audit()[seen:]))
    told = guard.audit()[seen:]
    assert [event.happening for event in told] == [
        Happening.ASSOCIATION,
        Happening.LOGIN,
        Happening.TRANSFER_BEGUN,
        Happening.TRANSFERRED,
        Happening.LOGOUT,
    ]
    assert {event.who.name for event in told if event.who is not None} == {"grey"}
    assert {(event.device, event.title, event.called, event.outcome) for event in told} == {
        ("desk", "DESK", TITLE, Outcome.SUCCESS)
    }
    assert [[s.study_instance_uid for s in e.studies] for e in told if e.studies] == [
        [STUDIES["liver"].uid]
    ] * 2


def test_two_roles_on_one_guard_at_once_see_each_their_own(before: Before) -> None:
    roles = ["referring physician", "CT reader"]
    with (
        READERS[roles[0]].at(before.site.guard, TITLE) as one,
        READERS[roles[1]].at(before.site.guard, TITLE) as two,
    ):
        for _ in range(3):
            for role, reading in zip(roles, (one, two), strict=True):
                found = reading.find("STUDY")[0] & every("STUDY", [*STUDIES.values()])
                assert names_of(found) == SEEN[role][before.name]
