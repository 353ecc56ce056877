"""A gateway keeps a client and its archive in step: who is dialled when, who is answered, what ends with what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.unit.guard.dimse.acting import (
    FIND_RQ,
    ask,
    commit,
    commitment,
    echo,
    get,
    half,
    kinds,
    second,
    settled,
    store,
)
from tests.unit.guard.dimse.scripted import (
    COMMIT,
    ECHO,
    FIND,
    HIDDEN,
    MOVE,
    OPEN,
    REQUEST,
    STORE,
    accepted,
    image,
    on_stage,
    query,
)
from tests.unit.guard.dimse.stage import Stage
from tests.unit.guard.elapsing import elapse

from leadglass.access.budgets import Limits
from leadglass.guard.audit.events import Happening, Outcome
from leadglass.model.access import Action
from leadglass.wire import dimse, uids
from leadglass.wire.association import Aborted, AssociateAccepted, AssociateRejected
from leadglass.wire.pdu import AAssociateAC, AAssociateRQ, PresentationContextAC

# ---- dialling and letting go


@on_stage
async def test_the_first_proposal_is_put_to_the_archive_and_answered_as_it_answers() -> None:
    stage = Stage()
    await stage.associated()

    (said,) = [event.pdu for event in stage.client.events if isinstance(event, AssociateAccepted)]
    assert [(c.context_id, c.result) for c in said.presentation_contexts] == [
        (n, 0) for n in (1, 3, 5, 7, 9, 11)
    ]
    assert len(stage.line.actors) == 1


@on_stage
async def test_a_known_proposal_is_answered_without_the_archive() -> None:
    stage = Stage()
    await stage.associated()
    other = Stage()
    other.gateway.line = stage.line
    await other.associated()

    assert len(stage.line.actors) == 1
    assert kinds(other.client) == ["AssociateAccepted"]


@on_stage
async def test_the_archive_is_dialled_when_a_permitted_message_is_complete_and_not_before() -> None:
    stage = Stage()
    await second(stage)
    ask(stage)
    whole = stage.client.association.data_to_send()

    stage.pipe.feed(whole[:-1])
    await stage.play()
    assert len(stage.line.actors) == 1
    stage.pipe.feed(whole[-1:])
    await stage.play()
    assert len(stage.line.actors) == 2
    assert stage.client.statuses(1) == [0xFF00, 0]


@on_stage
async def test_for_what_is_refused_no_archive_is_dialled() -> None:
    stage = Stage()
    await second(stage)
    store(stage, study=HIDDEN)
    await stage.play()

    assert stage.client.statuses(1) == [0x0124]
    assert [event.reason for event in stage.told][-1] == "not permitted for this study"


@on_stage
async def test_a_service_that_is_not_open_is_refused_by_its_context_and_written_down() -> None:
    stage = Stage()
    stage.rules.closed = {Action.STORE}
    await stage.associated(
        replace(REQUEST, user_information=replace(REQUEST.user_information, role_selections=()))
    )

    refused = [event for event in stage.told if event.happening is Happening.REFUSED]
    assert [(event.action, event.reason, event.rules) for event in refused] == [
        (Action.STORE, "as it is", ("rule",))
    ]


@pytest.mark.parametrize("ask_for", [echo, ask, store, get])
def test_the_archive_is_released_after_two_quiet_seconds(ask_for: Callable[[Stage], None]) -> None:
    @on_stage
    async def test() -> None:
        stage = Stage()
        await stage.associated()
        ask_for(stage)
        await stage.play()
        await elapse(1.9)
        await stage.play()
        assert stage.gateway.archive is not None
        await elapse(0.2)
        await stage.play()

        assert stage.gateway.archive is None
        assert kinds(stage.archive)[-1] == "ReleaseRequested"
        assert stage.gateway.client.open

    test()


@on_stage
async def test_an_object_that_was_answered_before_it_ended_does_not_keep_the_archive() -> None:
    stage = Stage()
    await stage.associated()
    half(stage)
    await settled()
    stage.archive.send(STORE, dimse.CStoreRSP(1, 0xA700))
    stage.archive.say()
    stage.honest.silent = True
    await stage.play()
    assert stage.client.statuses(1) == [0xA700]
    await elapse(3)
    await stage.play()

    assert stage.gateway.archive is None
    stage.trusted()


@on_stage
async def test_an_archive_that_cannot_be_reached_is_said_to_be_away() -> None:
    stage = Stage()
    await second(stage)
    stage.line.away = True
    for message_id, asked in enumerate((echo, ask, store, get), 1):
        asked(stage, message_id)
    await stage.play()

    assert [stage.client.statuses(n) for n in (1, 2, 3, 4)] == [[0x0110], [0xA700], [0xA700], [0xA702]]


@on_stage
async def test_no_association_is_accepted_for_an_archive_that_is_away() -> None:
    stage = Stage()
    stage.line.away = True
    stage.begin()
    await stage.play()

    (said,) = [event.pdu for event in stage.client.events if isinstance(event, AssociateRejected)]
    assert (said.result, said.source, said.reason) == (2, 3, 1)


@on_stage
async def test_an_archive_that_answers_otherwise_than_before_is_let_go_and_asked_anew_next_time() -> None:
    stage = Stage()
    await second(stage)

    def fewer(rq: AAssociateRQ) -> AAssociateAC:
        ac = accepted(rq)
        contexts = (PresentationContextAC(1, 3, uids.IMPLICIT_VR_LE), *ac.presentation_contexts[1:])
        return replace(ac, presentation_contexts=contexts)

    stage.line.accepts = fewer
    ask(stage)
    await stage.play()

    assert stage.client.statuses(1) == [0xA700]
    assert isinstance(stage.archive.events[-1], Aborted)


@on_stage
async def test_a_transfer_syntax_that_was_not_proposed_is_not_taken() -> None:
    stage = Stage()

    def other(rq: AAssociateRQ) -> AAssociateAC:
        contexts = [
            PresentationContextAC(c.context_id, 0, uids.EXPLICIT_VR_LE) for c in rq.presentation_contexts
        ]
        return replace(accepted(rq), presentation_contexts=tuple(contexts))

    stage.line.accepts = other
    stage.begin()
    await stage.play()

    assert kinds(stage.client) == ["AssociateRejected"]


@on_stage
async def test_an_archive_that_accepts_and_leaves_at_once_is_away() -> None:
    stage = Stage()
    await second(stage)
    ask(stage)
    stage.client.say()
    await settled()
    stage.archive.hear()
    stage.archive.association.abort(0, 0, 0.0)
    stage.archive.say()
    await stage.play()

    assert stage.client.statuses(1) == [0xA700]
    stage.trusted()


@on_stage
async def test_a_silent_archive_is_given_ten_seconds_to_accept() -> None:
    stage = Stage()
    stage.begin()
    stage.client.say()
    began = stage.loop.time()
    while not stage.client.events:
        await elapse(0.5)
        stage.client.hear()

    assert kinds(stage.client) == ["AssociateRejected"]
    assert stage.loop.time() - began <= 11


# ---- messages


@on_stage
async def test_matches_are_those_that_may_be_seen() -> None:
    stage = Stage()
    await stage.associated()
    ask(stage)
    await stage.play()

    shown = [message.data_set for message in stage.client.heard if message.data_set is not None]
    assert len(shown) == 1
    assert OPEN.encode() in shown[0]
    assert not any(HIDDEN.encode() in match for match in shown)


@on_stage
async def test_objects_pass_both_ways_byte_by_byte() -> None:
    stage = Stage()
    await stage.associated()
    store(stage, 1, pixels=500)
    get(stage, 2)
    await stage.play(most=1)

    taken = [message for message in stage.archive.heard if isinstance(message.command, dimse.CStoreRQ)]
    came = [message for message in stage.client.heard if isinstance(message.command, dimse.CStoreRQ)]
    assert [message.data_set for message in taken] == [image("2.25.101", pixels=500)]
    assert [message.data_set for message in came] == [image("2.25.90"), image("2.25.91")]
    assert (stage.client.statuses(1), stage.client.statuses(2)) == ([0], [0])


@on_stage
async def test_an_object_that_nobody_asked_for_is_not_brought() -> None:
    stage = Stage()
    await stage.associated()
    get(stage, study=HIDDEN)
    await stage.play()
    await stage.later()

    assert "CStoreRQ" not in stage.client.commands
    asked = next(m for m in stage.archive.heard if isinstance(m.command, dimse.CGetRQ))
    assert asked.data_set is not None
    assert HIDDEN.encode() not in asked.data_set
    answered = [r.command.status for r in stage.archive.heard if isinstance(r.command, dimse.CStoreRSP)]
    assert answered == [0x0124, 0x0124]


@on_stage
async def test_a_move_is_written_down_before_the_archive_hears_of_it() -> None:
    stage = Stage()
    await stage.associated()
    stage.client.send(MOVE, dimse.CMoveRQ(1, uids.STUDY_ROOT_MOVE, "READER"), query(OPEN))
    stage.client.send(MOVE, dimse.CMoveRQ(2, uids.STUDY_ROOT_MOVE, "NOBODY"), query(OPEN))
    await stage.play()

    assert stage.client.statuses(1) == [0]
    assert stage.client.statuses(2) == [0xA801]
    assert [(move.destination, move.message_id, move.studies) for move in stage.moves.expected] == [
        ("READER", 1, frozenset({OPEN}))
    ]


@pytest.mark.parametrize(
    ("command", "context_id"),
    [
        (dimse.NDeleteRQ(1, uids.MPPS, "2.25.1"), ECHO),
        (dimse.CFindRQ(1, FIND_RQ), ECHO),
        (dimse.CStoreRQ(1, uids.MR_IMAGE_STORAGE, "2.25.5"), STORE),
        (dimse.CEchoRQ(1), FIND),
    ],
)
def test_what_is_not_of_its_context_is_answered_here(command: dimse.Message, context_id: int) -> None:
    @on_stage
    async def test() -> None:
        stage = Stage()
        await stage.associated()
        stage.client.send(context_id, command, query() if dimse.has_data_set(command) else None)
        await stage.play()

        assert stage.client.statuses(1) in ([0x0211], [0x0122])
        assert stage.archive.heard == []

    test()


@on_stage
async def test_a_cancel_reaches_the_archive_and_the_last_response_the_client() -> None:
    stage = Stage()
    stage.honest.silent = True
    await stage.associated()
    ask(stage)
    stage.client.send(FIND, dimse.CCancelRQ(1))
    await stage.play()
    assert stage.archive.commands == ["CFindRQ", "CCancelRQ"]
    stage.archive.send(FIND, dimse.CFindRSP(1, 0xFE00))
    await stage.play()
    await stage.later()

    assert stage.client.statuses(1) == [0xFE00]


@on_stage
async def test_a_cancel_within_an_object_on_its_way_to_the_archive_waits_for_its_end() -> None:
    stage = Stage(limits=Limits(3600, matches=1))
    stage.honest.silent = True
    await stage.associated()
    ask(stage, 1)
    await stage.play()
    half(stage, 2)
    await settled()
    for study in (OPEN, OPEN):
        stage.archive.send(FIND, dimse.CFindRSP(1, 0xFF00, FIND_RQ, dimse.DATA_SET), query(study))
    stage.archive.say()
    await stage.play()

    assert stage.archive.commands == ["CFindRQ", "CStoreRQ", "CCancelRQ"]
    assert stage.gateway.archive is not None
    stage.trusted()


@on_stage
async def test_a_message_id_may_be_used_again_when_it_was_answered_and_not_before() -> None:
    stage = Stage()
    await stage.associated()
    for _ in range(3):
        ask(stage, 7)
        await stage.play()
    assert stage.client.statuses(7) == [0xFF00, 0] * 3
    stage.honest.silent = True
    ask(stage, 7)
    ask(stage, 7)
    await stage.play()

    assert isinstance(stage.client.events[-1], Aborted)
    assert isinstance(stage.archive.events[-1], Aborted)


@on_stage
async def test_of_sixty_four_requests_the_next_waits() -> None:
    stage = Stage()
    stage.honest.silent = True
    await stage.associated()
    for number in range(1, 101):
        echo(stage, number)
    await stage.play()
    assert len(stage.archive.heard) == 64
    stage.archive.send(ECHO, dimse.CEchoRSP(30, 0))
    await stage.play()
    assert len(stage.archive.heard) == 65
    stage.honest.silent = False
    for message in list(stage.archive.heard):
        if message.command.message_id != 30:  # type: ignore[union-attr]  # an echo
            stage.honest(stage.archive, message)
    await stage.play()

    assert [stage.client.statuses(number) for number in range(1, 101)] == [[0]] * 100


@on_stage
async def test_a_budget_cuts_matches_off_and_the_client_is_answered_when_the_archive_has_ended() -> None:
    stage = Stage(limits=Limits(3600, matches=3))
    stage.honest.studies = [OPEN] * 10
    await stage.associated()
    ask(stage)
    await stage.play()

    assert stage.client.statuses(1) == [0xFF00, 0xFF00, 0xFF00, 0xA700]
    assert stage.archive.commands == ["CFindRQ", "CCancelRQ"]
    assert [e.outcome for e in stage.told if e.happening is Happening.REFUSED] == [Outcome.SERIOUS]
    ask(stage)
    await stage.play()
    assert stage.client.statuses(1)[4:] == [0xA700]


@on_stage
async def test_what_cannot_be_written_down_is_not_done() -> None:
    stage = Stage()
    await stage.associated()
    stage.full = True
    ask(stage, 1)
    get(stage, 2)
    await stage.play()

    assert (stage.client.statuses(1), stage.client.statuses(2)) == ([0xA700], [0xA702])
    assert stage.archive.heard == []


# ---- storage commitment


@pytest.mark.parametrize(
    ("instances", "status"),
    [
        (["2.25.51"], 0),
        (["2.25.101", "2.25.51"], 0),
        (["2.25.566"], 0x0124),
        (["2.25.51", "2.25.566"], 0x0124),
    ],
)
def test_a_commitment_is_asked_for_instances_of_permitted_studies(instances: list[str], status: int) -> None:
    @on_stage
    async def test() -> None:
        stage = Stage()
        await stage.associated()
        store(stage, 1)
        await stage.play()
        stage.known.asked.clear()
        commit(stage, 2, *instances)
        await stage.play()

        assert stage.client.statuses(2) == [status]
        assert ("NActionRQ" in stage.archive.commands) is (status == 0)
        assert "2.25.101" not in stage.known.asked

    test()


@on_stage
async def test_a_commitment_that_is_none_does_not_reach_the_archive() -> None:
    stage = Stage()
    await stage.associated()
    stage.client.send(COMMIT, dimse.NActionRQ(1, uids.STORAGE_COMMITMENT, "2.25.9", 1), b"\0\1\2")
    await stage.play()

    assert stage.client.statuses(1)[0] >> 8 == 1
    assert stage.archive.heard == []


@on_stage
async def test_a_report_of_a_commitment_comes_back_on_the_association_that_asked() -> None:
    stage = Stage()
    await stage.associated()
    stage.archive.send(
        COMMIT, dimse.NEventReportRQ(5, uids.STORAGE_COMMITMENT, "2.25.9", 1), commitment("2.25.51")
    )
    stage.archive.send(
        FIND, dimse.NEventReportRQ(6, uids.STORAGE_COMMITMENT, "2.25.9", 1), commitment("2.25.51")
    )
    await stage.play()

    assert stage.client.commands == ["NEventReportRQ"]
    assert stage.archive.statuses(5) == [0]
    assert stage.archive.statuses(6) == [0x0124]


# ---- services


@on_stage
async def test_a_service_that_is_not_open_is_not_even_proposed() -> None:
    stage = Stage()
    stage.rules.closed = {Action.GET, Action.MOVE, Action.COMMIT}
    await stage.associated()

    (said,) = [event.pdu for event in stage.client.events if isinstance(event, AssociateAccepted)]
    assert {c.context_id for c in said.presentation_contexts if c.result == 0} == {ECHO, FIND, STORE}


@on_stage
async def test_a_service_that_is_closed_in_the_meantime_is_refused() -> None:
    stage = Stage()
    await stage.associated()
    stage.rules.closed = {Action.FIND, Action.GET, Action.COMMIT, Action.ECHO}
    ask(stage, 1)
    get(stage, 2)
    echo(stage, 3)
    await stage.play()

    assert [stage.client.statuses(n) for n in (1, 2, 3)] == [[0x0124]] * 3


def test_whoever_takes_almost_nothing_at_once_is_not_spoken_to() -> None:
    @on_stage
    async def test() -> None:
        stage = Stage()
        information = replace(REQUEST.user_information, maximum_length=6)
        stage.begin(replace(REQUEST, user_information=information))
        await stage.play()

        assert isinstance(stage.client.events[-1], Aborted)

    test()
