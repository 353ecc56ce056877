"""Attacks on what is hidden: nobody can find out by asking whether a study is there that they may not see.

The radiologist WORK belongs to Alpha Clinic; ``knee`` and ``liver`` are Beta Hospital's, and P-1 has a
study of each.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence

import pydicom
import pytest
from tests.interop.attacks.conftest import Attacked, Watch
from tests.peers import orthanc
from tests.peers.caller import Answer, Caller, data_set, identifier
from tests.peers.clinic import BETA, BROWN, STUDIES, Series, Study, every, files, names_of

from leadglass.guard.audit.events import Happening
from leadglass.wire import uids
from leadglass.wire.dimse import CFindRQ, CGetRQ, CMoveRQ, CStoreRQ
from leadglass.wire.elements import syntax_of, walk

pytestmark = pytest.mark.peer("orthanc")

FIND, MOVE, GET, CT, MR = (
    uids.STUDY_ROOT_FIND,
    uids.STUDY_ROOT_MOVE,
    uids.STUDY_ROOT_GET,
    uids.CT_IMAGE_STORAGE,
    uids.MR_IMAGE_STORAGE,
)
PATIENTS, PATIENTS_GET = uids.PATIENT_ROOT_FIND, uids.PATIENT_ROOT_GET
HEAD, KNEE = STUDIES["head"], STUDIES["knee"]
NOWHERE = "2.25.7700.9"
"""As long as the UID of a study, for answers are compared byte by byte."""

IMPLICIT = syntax_of(uids.IMPLICIT_VR_LE)


def named(level: str, study: str, below: str = "", **more: str) -> bytes:
    keys = {"STUDY": {}, "SERIES": {"SeriesInstanceUID": f"{study}.1"}, "IMAGE": {}}[level]
    if level == "IMAGE":
        keys = {"SeriesInstanceUID": f"{study}.1", "SOPInstanceUID": f"{study}.1.1"}
    return identifier(level, StudyInstanceUID=study, **keys, **more)


def asked(study: str) -> dict[str, tuple[int, object, bytes]]:
    """The ways to ask for a study: context id, message, identifier."""
    ways: dict[str, tuple[int, object, bytes]] = {}
    for level in ("STUDY", "SERIES", "IMAGE"):
        ways[f"find {level}"] = (1, CFindRQ(7, FIND), named(level, study))
        ways[f"move {level}"] = (3, CMoveRQ(7, MOVE, "VIEWER"), named(level, study))
        ways[f"get {level}"] = (5, CGetRQ(7, GET), named(level, study))
    ways["find its number of series"] = (
        1,
        CFindRQ(7, FIND),
        named("STUDY", study, NumberOfStudyRelatedSeries="", ModalitiesInStudy=""),
    )
    return ways


def heard(attacked: Attacked, study: str, way: str, who: str = "work") -> tuple[bytes, bytes]:
    """Every byte that comes back after the acceptance."""
    context, message, data = asked(study)[way]
    with attacked.inside(who, FIND, MOVE, GET, CT, MR, roles=[CT, MR]) as caller:
        before = len(caller.heard)
        caller.ask(context, message, data)  # type: ignore[arg-type]
        return bytes(caller.heard[:before]), bytes(caller.heard[before:])


@pytest.mark.parametrize("who", ["work", "lab"])
@pytest.mark.parametrize("way", asked(NOWHERE))
def test_a_hidden_study_is_answered_byte_for_byte_as_one_that_does_not_exist(
    attacked: Attacked, watch: Watch, way: str, who: str
) -> None:
    hidden, absent = heard(attacked, KNEE.uid, way, who), heard(attacked, NOWHERE, way, who)
    assert hidden == absent
    assert KNEE.uid.encode() not in hidden[1]
    asked_for = {
        uid.decode().strip("\0")
        for passed in attacked.tap.since(watch.messages)
        if isinstance(passed.command, CGetRQ | CMoveRQ)
        for uid in values(passed.data_set or b"", 0x0020000D)
    }
    assert KNEE.uid not in asked_for
    if "find" not in way:
        told = [event for event in watch.told if event.happening is Happening.REFUSED]
        assert KNEE.uid in {study.study_instance_uid for event in told for study in event.studies}


def values(data: bytes, tag: int) -> list[bytes]:
    assert IMPLICIT is not None
    return [data[span.value_at : span.end] for span in walk(data, IMPLICIT) if span.tag == tag]


@pytest.mark.parametrize("level", ["SERIES", "IMAGE"])
def test_what_is_of_a_hidden_study_cannot_be_had_under_an_own_one(
    attacked: Attacked, watch: Watch, level: str
) -> None:
    series = KNEE.series[0]
    keys = {"SeriesInstanceUID": series.uid}
    if level == "IMAGE":
        keys["SOPInstanceUID"] = series.instances[0]
    wanted = identifier(level, StudyInstanceUID=HEAD.uid, **keys)
    with attacked.inside("work", FIND, MOVE, GET, CT, MR, roles=[CT, MR]) as caller:
        found = caller.ask(1, CFindRQ(1, FIND), wanted)
        assert [answer.data_set for answer in found] == [None]
        got = caller.ask(5, CGetRQ(2, GET), wanted)
        assert not [answer for answer in got if isinstance(answer.command, CStoreRQ)]
        caller.ask(3, CMoveRQ(3, MOVE, "VIEWER"), wanted)
    for passed in attacked.tap.since(watch.messages):
        if isinstance(passed.command, CGetRQ | CMoveRQ):
            assert series.instances[0].encode() not in (passed.data_set or b"")
            assert level == "IMAGE" or series.uid.encode() not in (passed.data_set or b"")


def test_a_list_of_own_and_hidden_studies_brings_what_the_list_with_absent_ones_brings(
    attacked: Attacked,
) -> None:
    def bring(*wanted: str) -> list[Answer]:
        with attacked.inside("work", GET, CT, MR, roles=[CT, MR]) as caller:
            return caller.ask(1, CGetRQ(1, GET), identifier("STUDY", StudyInstanceUID=[*wanted]))

    assert bring(HEAD.uid, KNEE.uid) == bring(HEAD.uid, NOWHERE)
    assert bring(KNEE.uid, HEAD.uid) == bring(NOWHERE, HEAD.uid)


def test_a_patient_is_told_of_once_and_not_how_many_studies_are_hidden(
    attacked: Attacked, watch: Watch
) -> None:
    counts = dict.fromkeys(
        ("NumberOfPatientRelatedStudies", "NumberOfPatientRelatedSeries", "NumberOfPatientRelatedInstances"),
        "",
    )
    with attacked.inside("work", PATIENTS) as caller:
        found = caller.ask(1, CFindRQ(1, PATIENTS), identifier("PATIENT", PatientID="P-1", **counts))
    (match, end) = found
    assert end.data_set is None
    assert match.data_set is not None
    assert [values(match.data_set, 0x00201200 + n) for n in (0, 2, 4)] == [[b""]] * 3
    for passed in attacked.tap.since(watch.messages):
        assert not any(values(passed.data_set or b"", 0x00201200 + n) for n in (0, 2, 4))


def test_a_patient_of_whom_all_is_hidden_is_none(attacked: Attacked) -> None:
    with attacked.inside("work", PATIENTS, PATIENTS_GET, CT, MR, roles=[CT, MR]) as caller:
        for patient in ("P-3", "P-99"):
            assert (
                len(
                    caller.ask(
                        1, CFindRQ(caller.number(), PATIENTS), identifier("PATIENT", PatientID=patient)
                    )
                )
                == 1
            )
        answers = [
            caller.ask(3, CGetRQ(caller.number(), PATIENTS_GET), identifier("PATIENT", PatientID=patient))
            for patient in ("P-3", "P-99")
        ]
    assert [[vars_of(a) for a in each] for each in answers[:1]] == [
        [vars_of(a) for a in each] for each in answers[1:]
    ]


def vars_of(answer: Answer) -> tuple[object, ...]:
    """An answer without its message id."""
    command = answer.command
    fields = [name for name in command.__slots__ if name != "message_id_being_responded_to"]
    return (answer.data_set, *(getattr(command, name) for name in fields))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("PatientName", "Birch*"),
        ("AccessionNumber", "ACC2"),
        ("StudyDescription", "knee"),
        ("InstitutionName", "Beta Hospital"),
        ("ReferringPhysicianName", "Brown^Ben"),
        ("PatientIdentityRemoved", "YES"),
        ("StudyDate", "20240105-"),
        ("ModalitiesInStudy", "MR"),
    ],
)
def test_no_key_that_a_client_writes_makes_a_study_its_own(attacked: Attacked, key: str, value: str) -> None:
    with attacked.inside("work", FIND) as work, attacked.inside("lab", FIND) as lab:
        for caller, own in ((work, {"head", "chest"}), (lab, {"trial"})):
            made = identifier("STUDY", StudyInstanceUID="", **{key: value})
            found = caller.ask(1, CFindRQ(1, FIND), made)
            seen = {
                uid.decode().strip("\0")
                for answer in found
                for uid in values(answer.data_set or b"", 0x0020000D)
            }
            assert names_of(seen & every("STUDY", [*STUDIES.values()])) <= own


def test_sequences_and_private_keys_do_not_reach_the_archive(attacked: Attacked, watch: Watch) -> None:
    made = pydicom.Dataset()
    made.QueryRetrieveLevel, made.StudyInstanceUID = "STUDY", ""
    inner = pydicom.Dataset()
    inner.ReferencedSOPInstanceUID = KNEE.instances[0]
    made.ReferencedStudySequence = [inner]
    made.add_new(0x00091010, "LO", "secret")
    made.add_new(0x7FE00010, "OW", b"")
    with attacked.inside("work", FIND) as caller:
        assert caller.status(1, CFindRQ(1, FIND), data_set(made)) == 0
    (passed,) = [each for each in attacked.tap.since(watch.messages) if isinstance(each.command, CFindRQ)]
    assert not values(passed.data_set or b"", 0x00081110)
    assert not values(passed.data_set or b"", 0x7FE00010)
    assert b"secret" not in (passed.data_set or b"")


def test_relational_keys_are_of_no_use_without_their_negotiation(attacked: Attacked, watch: Watch) -> None:
    with attacked.inside("work", FIND) as caller:
        asked_for = identifier("SERIES", PatientID="P-1", Modality="MR", SeriesInstanceUID="")
        assert caller.status(1, CFindRQ(1, FIND), asked_for) == 0xA900
    assert watch.reached == []


# ---- time


def hidden_studies(count: int, number: int) -> list[Study]:
    """Studies of Beta Hospital, each of one image."""
    made = []
    for n in range(count):
        uid = f"2.25.7799{number}{n:04d}"
        series = Series(f"{uid}.1", "CT", (f"{uid}.1.1",))
        made.append(Study(f"hidden {n}", uid, "P-9", (series,), BETA, BROWN, accession=f"H{n}"))
    return made


def slower(one: Sequence[float], other: Sequence[float]) -> float:
    """How often a value of ``one`` exceeds one of ``other``: 0.5 if nothing tells them apart."""
    return sum((a > b) + (a == b) / 2 for a in one for b in other) / (len(one) * len(other))


TIMED: dict[str, Callable[[Caller, str], object]] = {
    "find": lambda caller, uid: caller.ask(1, CFindRQ(caller.number(), FIND), named("STUDY", uid)),
    "find below": lambda caller, uid: caller.ask(1, CFindRQ(caller.number(), FIND), named("SERIES", uid)),
    "move": lambda caller, uid: caller.ask(3, CMoveRQ(caller.number(), MOVE, "VIEWER"), named("STUDY", uid)),
    "get": lambda caller, uid: caller.ask(5, CGetRQ(caller.number(), GET), named("STUDY", uid)),
}


@pytest.mark.parametrize("way", TIMED)
def test_the_time_of_an_answer_does_not_tell_hidden_from_absent(attacked: Attacked, way: str) -> None:
    number = 100 + list(TIMED).index(way)
    hidden = hidden_studies(16, number)
    orthanc.load(attacked.archive, files(hidden))
    absent = [study.uid.replace(f"7799{number}", f"7788{number}") for study in hidden]
    asked_for = [(uid, True) for uid in (study.uid for study in hidden)] + [(uid, False) for uid in absent]
    random.Random(7).shuffle(asked_for)
    times: dict[bool, list[float]] = {True: [], False: []}
    with attacked.inside("work", FIND, MOVE, GET, CT, MR, roles=[CT, MR]) as caller:
        TIMED[way](caller, NOWHERE)  # the archive's association stands
        for uid, there in asked_for:
            began = time.perf_counter()
            TIMED[way](caller, uid)
            times[there].append(time.perf_counter() - began)
    assert 0.15 < slower(times[True], times[False]) < 0.85
