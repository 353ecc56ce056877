"""What piles up, what is waited for and what outlives a decision, between one message and the next."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from typing import Any, cast

import pytest
from tests.unit.guard.dimse.acting import ask, get, settled, store
from tests.unit.guard.dimse.scripted import (
    ECHO,
    OPEN,
    REQUEST,
    STORE,
    Actor,
    Honest,
    accepted,
    image,
    on_stage,
    query,
)
from tests.unit.guard.dimse.stage import Line, Stage
from tests.unit.guard.elapsing import elapse, turn

from leadglass.access.admission import Peer, at_device
from leadglass.access.budgets import Limits, Measure
from leadglass.access.identity import person_of
from leadglass.errors import TransportError
from leadglass.guard.channel import HIGH_WATER
from leadglass.guard.client import Client
from leadglass.guard.dicomweb.desk import WorldDesk
from leadglass.guard.dimse.archive import Archive
from leadglass.guard.dimse.asking import Asker
from leadglass.guard.identity.people import Believed, People
from leadglass.model.access import Kind, Study
from leadglass.model.enrolment import Enrolled, User
from leadglass.wire import dimse, uids
from leadglass.wire.association import AssociateRejected
from leadglass.wire.command import encode_command
from leadglass.wire.pdata import Completed, fragment
from leadglass.wire.pdu import AAssociateAC, AAssociateRQ


async def _refused_often(stage: Stage, times: int) -> None:
    """The client asks for what is answered by the guard itself, and reads nothing."""
    for number in range(times):
        stage.client.send(ECHO, dimse.NDeleteRQ(number + 2, uids.VERIFICATION, "2.25.1"))
    for _ in range(times // 20):
        stage.client.say(4000)
        await settled()


@on_stage
async def test_a_client_that_reads_no_answers_is_not_heard_until_it_does() -> None:
    stage = Stage()
    await stage.associated()
    await _refused_often(stage, 6000)
    assert len(stage.pipe.out) < 2 * HIGH_WATER
    await stage.play()
    assert len(stage.client.heard) == 6000


@on_stage
async def test_answers_that_wait_behind_an_object_are_few_and_all_come_when_it_has_ended() -> None:
    stage = Stage()
    command = encode_command(dimse.CStoreRQ(1, uids.CT_IMAGE_STORAGE, "2.25.9"))
    whole = fragment(STORE, command, image("2.25.9", pixels=100_000), 16384)
    stage.line.answer = lambda actor, _: actor._unsent.extend(whole[:50_000])
    await stage.associated()
    get(stage)
    await stage.play()
    await _refused_often(stage, 2000)
    await stage.play()
    assert len(stage.client.heard) < 1000
    stage.archive._unsent.extend(whole[50_000:])
    await stage.play()
    assert len(stage.client.heard) == 2001


@on_stage
async def test_an_archive_is_not_kept_waiting_for_ever_by_a_client_that_does_not_read() -> None:
    stage = Stage()

    def flood(actor: Actor, message: Completed) -> None:
        match = dimse.CFindRSP(
            1, 0xFF00, affected_sop_class_uid=uids.STUDY_ROOT_FIND, command_data_set_type=1
        )
        for _ in range(3000):
            actor.send(message.context_id, match, query("2.25.1"))

    stage.line.answer = flood
    await stage.associated()
    ask(stage)
    stage.client.say()
    await settled()
    for _ in range(3):
        stage.archive.hear()
        stage.archive.say()
        await settled()
    assert stage.archive.pipe.paused
    await stage.later(200)
    assert stage.archive.pipe.closing


def _changed(stage: Stage, **to: Any) -> None:
    roll = stage.world.roll
    entry = replace(roll.enrolled["modality"], **to)
    stage.world.roll = replace(roll, version=roll.version + 1, enrolled={**roll.enrolled, "modality": entry})


@on_stage
async def test_whose_roles_or_networks_were_changed_is_not_welcome_any_more() -> None:
    stage = Stage()
    await stage.associated()
    _changed(stage, address="10.0.0.7:104")
    assert stage.gateway.still_welcome()
    _changed(stage, roles=("researcher",))
    assert not stage.gateway.still_welcome()
    _changed(stage, roles=(), networks=("192.0.2.0/24",))
    assert not stage.gateway.still_welcome()


@on_stage
async def test_an_enrolment_ends_for_an_association_that_is_open_as_well() -> None:
    stage = Stage()
    _changed(stage, until=stage.loop.time() + 20)
    await stage.associated()
    await stage.later(30)
    ask(stage)
    await stage.play()
    assert stage.client.statuses(1) == [0x0124]


@on_stage
async def test_a_web_client_is_held_against_the_roll_in_the_middle_of_an_answer_too() -> None:
    stage = Stage()
    _changed(stage, certificates=frozenset({"ab"}))
    desk = WorldDesk(stage.world, Peer("10.0.0.7", "ab", True), "ARCHIVE")
    assert isinstance(await desk.person(None), Client)
    assert desk.still_welcome()
    _changed(stage, roles=("researcher",))
    assert not desk.still_welcome()
    _changed(stage, roles=(), certificates=frozenset())
    assert not desk.still_welcome()


@on_stage
async def test_a_study_that_another_has_begun_since_is_not_added_to() -> None:
    stage = Stage()
    await stage.associated()
    assert await stage.world.studies.study("2.25.3") is None
    stage.world.studies._ask_study = _anothers
    store(stage, study="2.25.3")
    await stage.play()
    assert stage.client.statuses(1) == [0x0124]


@on_stage
async def test_a_web_client_that_stores_is_not_told_either_that_a_study_is_still_absent() -> None:
    stage = Stage()
    assert await stage.world.studies.study("2.25.3") is None
    stage.world.studies._ask_study = _anothers
    found = await WorldDesk(stage.world, Peer("10.0.0.7", None, True), "ARCHIVE").study("2.25.3")
    assert found is not None
    assert found.patient_id == "another"


async def _anothers(uid: str) -> Study:
    return Study(uid, patient_id="another")


class _Slow:
    """Believes a person, but takes until the roll has changed."""

    def __init__(self, stage: Stage, user: User) -> None:
        self.stage, self.user = stage, user

    async def associating(self, _: object, enrolled: Enrolled, *__: object) -> Believed:
        _changed(self.stage, plain=False)
        return Believed(at_device(person_of(self.user), enrolled))


@on_stage
async def test_who_is_taken_off_the_roll_while_it_is_identified_is_not_let_in() -> None:
    stage = Stage()
    stage.world.people = cast("People", _Slow(stage, User("ada", "x")))
    stage.begin()
    await stage.play()
    assert [type(event) for event in stage.client.events] == [AssociateRejected]


def _only_echo_for_others(rq: AAssociateRQ) -> AAssociateAC:
    ac = accepted(rq)
    if rq.calling_ae_title.strip() != "OTHER":
        return ac
    contexts = [c if c.context_id == ECHO else replace(c, result=1) for c in ac.presentation_contexts]
    return replace(ac, presentation_contexts=tuple(contexts))


@on_stage
async def test_what_an_archive_answered_to_one_title_is_not_told_to_another() -> None:
    stage = Stage()
    stage.line.accepts = _only_echo_for_others
    await stage.associated()
    other = Stage()
    other.world.archive = other.gateway.line = stage.line
    other.world.roll = replace(
        other.world.roll,
        enrolled={"other": Enrolled("other", Kind.DEVICE, ("OTHER",), ("10.0.0.0/8",), plain=True)},
    )
    other.line = stage.line
    await other.associated(replace(REQUEST, calling_ae_title="OTHER"))
    assert other.client.association.accepted == {ECHO}


class _Silent:
    """An archive that is there and says nothing."""

    service = "the archive"

    async def dial(self, _: object) -> None:
        await asyncio.get_running_loop().create_future()


@on_stage
async def test_questions_behind_one_that_is_not_answered_do_not_add_their_waiting_up() -> None:
    asker, loop = Asker(cast("Archive", _Silent()), "ARCHIVE", "GUARD"), asyncio.get_running_loop()
    begun = loop.time()
    answers = await asyncio.gather(*(asker.find(b"") for _ in range(20)), return_exceptions=True)
    assert all(isinstance(answer, TransportError) for answer in answers)
    assert loop.time() - begun < 25


@pytest.mark.parametrize("times", [1, 2])
def test_a_question_of_the_guard_that_crosses_the_end_of_its_association_is_asked_once_more(
    times: int,
) -> None:
    def leave(actor: Actor, message: Completed) -> None:
        if len(line.actors) <= times and len(actor.heard) == 3 - len(line.actors):
            actor.association.abort(0, 0, 0.0)
        else:
            Honest()(actor, message)

    line: Line

    @on_stage
    async def test() -> None:
        nonlocal line
        line = Line(leave)
        asker = Asker(line, "ARCHIVE", "GUARD")
        assert len(await _played(line, asker.find(b""))) == 2
        found = await _played(line, asker.find(b""))
        assert isinstance(found, list if times == 1 else TransportError)
        assert (line.unasked.words == "") is (times == 1)
        assert len(line.actors) == 2

    test()


@pytest.mark.parametrize("accepts", [True, False])
def test_an_archive_that_does_not_let_the_guard_ask_is_told_apart_by_words_that_say_what_to_do(
    *, accepts: bool
) -> None:
    @on_stage
    async def test() -> None:
        line = Line(lambda actor, _: actor.association.abort(0, 0, 0.0))
        if not accepts:
            line.accepts = lambda rq: replace(
                accepted(rq),
                presentation_contexts=tuple(
                    replace(context, result=1) for context in accepted(rq).presentation_contexts
                ),
            )
        error = await _played(line, Asker(line, "ARCHIVE", "GUARD").find(b""))
        assert isinstance(error, TransportError)
        assert error.what.startswith("does not answer the guard's own query as GUARD (")
        assert error.then == "it has to take queries from GUARD"
        assert line.unasked.words == str(error)
        await elapse(61)
        assert line.unasked.words == ""

    test()


@pytest.mark.parametrize(("status", "told"), [(0x0124, True), (0xA900, False)])
def test_only_a_status_that_forbids_is_about_who_asks(status: int, *, told: bool) -> None:
    def refuse(actor: Actor, message: Completed) -> None:
        assert isinstance(message.command, dimse.CFindRQ)
        actor.send(1, dimse.CFindRSP(message.command.message_id, status, uids.STUDY_ROOT_FIND))

    @on_stage
    async def test() -> None:
        line = Line(refuse)
        error = await _played(line, Asker(line, "ARCHIVE", "GUARD").find(b""))
        assert isinstance(error, TransportError)
        assert f"{status:04X}H" in error.what
        assert bool(line.unasked.words) is told

    test()


async def _played(line: Line, question: Coroutine[Any, Any, list[bytes]]) -> Any:
    asking = asyncio.ensure_future(question)
    while not asking.done():
        for actor in line.actors:
            actor.say()
            actor.hear()
        await turn()
    return (await asyncio.gather(asking, return_exceptions=True))[0]


@on_stage
async def test_a_retrieval_is_refused_when_no_bytes_are_left() -> None:
    stage = Stage(limits=Limits(3600, bytes=100))
    await stage.associated()
    stage.world.spent(cast("Any", stage.gateway.who), Measure.BYTES, 100)
    get(stage)
    await stage.play()
    assert stage.client.statuses(1) == [0xA702]


@on_stage
async def test_an_object_on_a_context_of_another_class_does_not_reach_the_client() -> None:
    stage = Stage()

    def elsewhere(actor: Actor, message: Completed) -> None:
        if isinstance(message.command, dimse.CGetRQ):
            command = dimse.CStoreRQ(1, uids.CT_IMAGE_STORAGE, "2.25.9")
            actor.send(ECHO, command, image("2.25.9"))

    stage.line.answer = elsewhere
    await stage.associated()
    get(stage)
    await stage.play()
    assert stage.client.heard == []
    assert stage.archive.statuses(1) == [0x0124]


@on_stage
async def test_matches_that_come_together_leave_in_portions_while_the_rest_is_filtered() -> None:
    stage = Stage()
    stage.honest.studies = [OPEN] * 1000
    await stage.associated()
    portions: list[int] = []
    send_all = stage.pipe.send_all

    def counted(parts: Sequence[bytes | memoryview]) -> None:
        portions.append(sum(map(len, parts)))
        send_all(parts)

    stage.pipe.send_all = counted  # type: ignore[method-assign]
    ask(stage)
    await stage.play()
    assert stage.client.statuses(1) == [*[0xFF00] * 1000, 0]
    assert len(portions) > 5
    assert max(portions) < 17 * 1024
