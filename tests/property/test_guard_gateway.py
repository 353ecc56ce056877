"""However the bytes of both sides come, every request has one last response and nothing stands still."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.guard.dimse.acting import ask, echo, get, store
from tests.unit.guard.dimse.scripted import FIND, on_stage
from tests.unit.guard.dimse.stage import Stage
from tests.unit.guard.elapsing import turn

from leadglass.wire import dimse
from leadglass.wire.association import Aborted, ProtocolViolation

ASKS = {
    "echo": echo,
    "find": ask,
    "store": store,
    "large": lambda stage, number: store(stage, number, pixels=300_000),
    "get": get,
}
PENDING = {0xFF00, 0xFF01}

kinds = st.lists(st.sampled_from(sorted(ASKS)), min_size=1, max_size=6)
sizes = st.sampled_from([1, 7, 100, 5_000, 1 << 20])
moves = st.lists(
    st.tuples(st.sampled_from(["client says", "client hears", "archive says", "archive hears"]), sizes),
    max_size=60,
)


async def step(stage: Stage, move: str, size: int) -> None:
    """Move some bytes of one side, one way."""
    who, does = move.split()
    actor = stage.client if who == "client" else stage.archive
    _ = actor.say(size) if does == "says" else actor.hear(size)
    await turn()


async def prepared(asked: Sequence[str], cancels: bool) -> tuple[Stage, asyncio.Future[None]]:
    """A client that has asked for everything, none of which has been moved; look-ups wait."""
    stage = Stage()
    await stage.associated()
    late: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    stage.known.late = late
    stage.honest.objects, stage.honest.pixels = 3, 100_000
    for number, kind in enumerate(asked, 1):
        ASKS[kind](stage, number)
        if cancels and kind == "find":
            stage.client.send(FIND, dimse.CCancelRQ(number))
    return stage, late


def last_responses(stage: Stage, asked: Sequence[str]) -> list[list[int]]:
    """The last responses to each request; pending ones come before."""
    found = []
    for number in range(1, len(asked) + 1):
        statuses = stage.client.statuses(number)
        final = [status for status in statuses if status not in PENDING]
        assert statuses[len(statuses) - len(final) :] == final
        found.append(final)
    return found


@given(kinds, moves, st.integers(0, 60), st.booleans())
def test_every_request_has_one_last_response_however_bytes_and_answers_come(
    asked: list[str], steps: list[tuple[str, int]], answered_at: int, cancels: bool
) -> None:
    @on_stage
    async def test() -> None:
        stage, late = await prepared(asked, cancels)
        for number, (move, size) in enumerate(steps):
            if number == answered_at:
                late.set_result(None)
            await step(stage, move, size)
        if not late.done():
            late.set_result(None)
        await stage.play(most=200_000)
        await stage.later()
        await stage.later()

        assert last_responses(stage, asked) == [[0]] * len(asked)
        assert not stage.gateway.outstanding
        stage.trusted()

    test()


@given(kinds, moves, st.integers(0, 60), st.integers(0, 60))
def test_with_an_archive_that_goes_at_any_moment_everybody_is_answered_or_cut_off(
    asked: list[str], steps: list[tuple[str, int]], answered_at: int, goes_at: int
) -> None:
    @on_stage
    async def test() -> None:
        stage, late = await prepared(asked, cancels=False)
        for number, (move, size) in enumerate(steps):
            if number == answered_at:
                late.set_result(None)
            if number == goes_at:
                stage.archive.pipe.end("reset")
            await step(stage, move, size)
        if not late.done():
            late.set_result(None)
        stage.line.actors[0].pipe.end("reset")
        await stage.play()
        await stage.later()
        await stage.later()

        last = last_responses(stage, asked)
        cut_off = stage.pipe.closing
        assert all(len(each) == 1 for each in last) or (cut_off and all(len(each) <= 1 for each in last))
        assert not any(isinstance(event, ProtocolViolation) for event in stage.client.events)
        assert cut_off or not any(isinstance(event, Aborted) for event in stage.client.events)
        stage.trusted()

    test()


@given(kinds, moves, st.integers(0, 60))
def test_with_a_client_that_goes_at_any_moment_nothing_is_left_over(
    asked: list[str], steps: list[tuple[str, int]], answered_at: int
) -> None:
    @on_stage
    async def test() -> None:
        stage, late = await prepared(asked, cancels=False)
        for number, (move, size) in enumerate(steps):
            if number == answered_at:
                late.set_result(None)
            await step(stage, move, size)
        stage.pipe.end("reset")
        if not late.done():
            late.set_result(None)
        await stage.play()

        assert stage.gateway.archive is None
        assert stage.gone == {"client": 1}
        assert all(actor.pipe.closing or not actor.open_for_data for actor in stage.line.actors)
        stage.trusted()

    test()
