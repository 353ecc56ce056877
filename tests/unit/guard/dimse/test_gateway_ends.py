"""Who goes takes the other side along, or is answered for; and nobody waits for ever."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.unit.guard.dimse.acting import (
    FIND_RQ,
    ask,
    commit,
    echo,
    get,
    half,
    kinds,
    move,
    second,
    settled,
    store,
)
from tests.unit.guard.dimse.scripted import FIND, STORE, image, on_stage, query
from tests.unit.guard.dimse.stage import Stage
from tests.unit.guard.elapsing import elapse, turn

from leadglass.guard.audit.events import Outcome
from leadglass.wire import dimse, uids
from leadglass.wire.association import Aborted, Released
from leadglass.wire.command import encode_command
from leadglass.wire.pdata import fragment

# ---- ends


STATES: dict[str, Callable[[Stage], None]] = {
    "nothing": lambda stage: None,
    "query": ask,
    "object": store,
    "half an object": half,
    "retrieval": get,
    "echo": echo,
    "move": move,
    "commitment": commit,
}


@pytest.mark.parametrize("orderly", [False, True], ids=["lost", "released"])
@pytest.mark.parametrize("state", STATES)
def test_when_the_client_goes_so_does_its_association_to_the_archive(state: str, orderly: bool) -> None:
    @on_stage
    async def test() -> None:
        stage = Stage()
        await stage.associated()
        stage.honest.silent = True
        STATES[state](stage)
        await stage.play()
        if orderly:
            stage.client.association.release(0.0)
        else:
            stage.pipe.end("reset")
        await stage.play()

        assert stage.gateway.archive is None
        assert isinstance(stage.archive.events[-1], Aborted) or kinds(stage.archive)[-1] == "ReleaseRequested"
        if orderly:
            assert isinstance(stage.client.events[-1], Released)
            stage.pipe.end()
        assert stage.gone == {"client": 1}
        assert stage.world.gateways == set()
        stage.trusted()

    test()


@pytest.mark.parametrize("while_", ["look-up", "dial"])
def test_when_the_client_goes_while_somebody_is_asked_nothing_is_begun_any_more(while_: str) -> None:
    @on_stage
    async def test() -> None:
        stage = Stage()
        await second(stage)
        late = stage.loop.create_future()
        if while_ == "dial":
            stage.line.delay = late
        else:
            stage.known.late = late
        get(stage)
        await stage.play()
        stage.pipe.end("reset")
        if not late.done():
            late.set_result(None)
        await stage.play()

        assert len(stage.line.actors) == 1
        assert stage.gone == {"client": 1}
        stage.trusted()

    test()


@pytest.mark.parametrize("how", ["lost", "aborted", "released", "nonsense"])
@pytest.mark.parametrize(
    ("state", "status"), [("query", 0xA700), ("object", 0xA700), ("retrieval", 0xA702), ("echo", 0x0110)]
)
def test_when_the_archive_goes_everybody_is_answered(state: str, status: int, how: str) -> None:
    @on_stage
    async def test() -> None:
        stage = Stage()
        await second(stage)
        stage.honest.silent = True
        STATES[state](stage)
        await stage.play()
        leave(stage, how)
        await stage.play()

        assert stage.client.statuses(1) == [status]
        stage.honest.silent = False
        echo(stage, 9)
        await stage.play()
        assert stage.client.statuses(9) == [0]
        stage.trusted()

    test()


def leave(stage: Stage, how: str) -> None:
    archive = stage.archive
    if how == "lost":
        archive.pipe.end("reset")
    elif how == "aborted":
        archive.association.abort(0, 0, 0.0)
    elif how == "released":
        archive.association.release(0.0)
    else:
        archive.pipe.feed(b"\x09 nonsense")
    archive.say()


@pytest.mark.parametrize("how", ["lost", "aborted", "released"])
@pytest.mark.parametrize("state", ["query", "retrieval", "echo", "move"])
def test_a_question_that_crosses_the_end_of_an_idle_association_is_asked_once_more(
    state: str, how: str
) -> None:
    @on_stage
    async def test() -> None:
        stage = Stage()
        await crossed(stage, STATES[state], how)
        stage.honest.silent = False
        await stage.play()

        assert stage.client.statuses(1)[-1] == 0
        assert len(stage.line.actors) == 2
        assert len(stage.archive.heard) == 1 + (state == "retrieval") * stage.honest.objects
        stage.trusted()

    test()


@pytest.mark.parametrize("how", ["lost", "aborted", "released"])
def test_an_archive_that_leaves_a_question_twice_is_not_asked_a_third_time(how: str) -> None:
    @on_stage
    async def test() -> None:
        stage = Stage()
        await crossed(stage, ask, how)
        await stage.play()
        assert stage.client.statuses(1) == []
        leave(stage, how)
        await stage.play()

        assert stage.client.statuses(1) == [0xA700]
        assert len(stage.line.actors) == 2
        stage.trusted()

    test()


@pytest.mark.parametrize(("state", "status"), [("object", 0xA700), ("commitment", 0x0110)])
def test_what_changes_something_is_not_asked_again(state: str, status: int) -> None:
    @on_stage
    async def test() -> None:
        stage = Stage()
        await crossed(stage, STATES[state], "released")
        await stage.play()

        assert stage.client.statuses(1) == [status]
        assert len(stage.line.actors) == 1
        stage.trusted()

    test()


@on_stage
async def test_what_was_answered_in_part_is_not_asked_again() -> None:
    stage = Stage()
    await stage.associated()
    stage.honest.silent = True
    ask(stage)
    await stage.play()
    stage.archive.send(FIND, dimse.CFindRSP(1, 0xFF00, FIND_RQ, dimse.DATA_SET), query())
    leave(stage, "aborted")
    await stage.play()

    assert stage.client.statuses(1)[-1] == 0xA700
    assert len(stage.line.actors) == 1


@on_stage
async def test_what_the_archive_worked_on_for_a_while_is_not_asked_again() -> None:
    stage = Stage()
    await crossed(stage, ask, None)
    await elapse(3)
    leave(stage, "aborted")
    await stage.play()

    assert stage.client.statuses(1) == [0xA700]
    assert len(stage.line.actors) == 1


@on_stage
async def test_where_there_is_no_second_association_the_question_is_answered_for() -> None:
    stage = Stage()
    await crossed(stage, ask, None)
    stage.line.away = True
    leave(stage, "released")
    await stage.play()
    assert stage.client.statuses(1) == [0xA700]

    stage.line.away = False
    stage.honest.silent = False
    ask(stage, 2)
    await stage.play()
    assert stage.client.statuses(2)[-1] == 0
    stage.trusted()


async def crossed(stage: Stage, do: Callable[[Stage], None], how: str | None) -> None:
    """A request is on its way on an association that was idle, and the archive says nothing but goodbye."""
    await stage.associated()
    stage.honest.silent = True
    do(stage)
    await stage.play()
    if how is not None:
        leave(stage, how)


@on_stage
async def test_an_object_that_outlives_the_archive_is_answered_when_it_has_come() -> None:
    stage = Stage()
    await stage.associated()
    half(stage, most=20_000)
    await settled()
    stage.archive.pipe.end("reset")
    assert stage.client.statuses(1) == []
    await stage.play()

    assert stage.client.statuses(1) == [0xA700]
    assert stage.told[-1].outcome is Outcome.MAJOR


@on_stage
async def test_a_client_with_half_an_object_from_an_archive_that_went_is_cut_off() -> None:
    stage = Stage()
    await stage.associated()
    stage.honest.silent = True
    get(stage)
    await stage.play()
    command = encode_command(dimse.CStoreRQ(5, uids.CT_IMAGE_STORAGE, "2.25.5"))
    stage.archive.pipe.feed(fragment(STORE, command, image("2.25.5", pixels=9000), 1024)[:4000])
    stage.archive.pipe.end("reset")
    await stage.play()

    assert stage.gone == {"client": 1}
    assert stage.pipe.closing
    assert not any(isinstance(event, Aborted) for event in stage.client.events), "it is within a PDU"


@pytest.mark.parametrize(
    "answer",
    [
        dimse.CEchoRSP(1, 0),
        dimse.NActionRSP(1, 0),
        dimse.CFindRSP(1, 0xFF00, FIND_RQ, dimse.DATA_SET),
    ],
)
def test_a_response_that_is_none_ends_the_archive_and_not_the_client(answer: dimse.Message) -> None:
    @on_stage
    async def test() -> None:
        stage = Stage()
        await stage.associated()
        stage.honest.silent = True
        ask(stage)
        await stage.play()
        stage.archive.send(FIND, answer, b"no data set" if dimse.has_data_set(answer) else None)
        await stage.play()

        assert stage.client.statuses(1) == [0xA700]
        stage.trusted()

    test()


@on_stage
async def test_bytes_after_an_abort_are_nothing() -> None:
    stage = Stage()
    await stage.associated()
    echo(stage)
    data = stage.client.association.data_to_send()
    stage.pipe.feed(b"\x07\0\0\0\0\4\0\0\0\0" + data)
    await stage.play()

    assert stage.gone == {"client": 1}
    stage.trusted()


# ---- time


@on_stage
async def test_a_client_that_asks_for_nothing_is_left_after_a_while() -> None:
    stage = Stage()
    await stage.associated()
    await elapse(59)
    assert not stage.gateway.client.over
    await elapse(62)

    assert stage.gateway.client.over
    assert stage.gone == {"client": 1}


@on_stage
async def test_a_client_may_wait_for_a_slow_archive() -> None:
    stage = Stage()
    stage.honest.silent = True
    await stage.associated()
    ask(stage)
    await stage.play()
    await elapse(500)
    stage.archive.send(FIND, dimse.CFindRSP(1, 0))
    await stage.play()

    assert stage.client.statuses(1) == [0]


@on_stage
async def test_an_archive_that_never_answers_is_left_and_its_client_answered() -> None:
    stage = Stage()
    stage.honest.silent = True
    await stage.associated()
    ask(stage)
    await stage.play()
    await elapse(700)
    await stage.play()

    assert stage.client.statuses(1) == [0xA700]


@on_stage
async def test_whoever_stops_within_a_message_is_left_soon() -> None:
    stage = Stage()
    await stage.associated()
    half(stage)
    await elapse(31)

    assert stage.gateway.client.over
    assert stage.gateway.archive is None


# ---- flow


@on_stage
async def test_an_archive_that_sends_faster_than_its_client_reads_has_to_wait() -> None:
    stage = Stage()
    stage.honest.objects, stage.honest.pixels = 20, 200_000
    await stage.associated()
    get(stage)
    stage.client.say()
    for _ in range(40):
        stage.archive.hear()
        stage.archive.say(100_000)
        await turn()
    assert stage.archive.pipe.paused
    assert stage.pipe.queued < 500_000
    await stage.play()

    assert stage.client.statuses(1) == [0]
    assert stage.client.commands.count("CStoreRQ") == 20


@on_stage
async def test_an_archive_that_does_not_read_holds_its_client_until_it_is_let_go() -> None:
    stage = Stage()
    await stage.associated()
    store(stage, 1, pixels=900_000)
    for _ in range(40):
        stage.client.say(50_000)
        await turn()
    assert stage.pipe.paused
    stage.archive.pipe.end("reset")
    await stage.play()

    assert stage.client.statuses(1) == [0xA700]
