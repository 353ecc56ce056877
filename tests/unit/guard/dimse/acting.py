"""What a scripted client asks for."""

from __future__ import annotations

from tests.unit.guard.dimse.scripted import ECHO, FIND, GET, OPEN, STORE, Actor, image, query
from tests.unit.guard.dimse.stage import Stage
from tests.unit.guard.elapsing import elapse, turn

from leadglass.wire import dimse, uids

__all__ = ["FIND_RQ", "GET_RQ", "ask", "echo", "get", "half", "kinds", "second", "settled", "store"]

FIND_RQ, GET_RQ = uids.STUDY_ROOT_FIND, uids.STUDY_ROOT_GET


def ask(stage: Stage, message_id: int = 1) -> None:
    stage.client.send(FIND, dimse.CFindRQ(message_id, FIND_RQ), query())


def store(stage: Stage, message_id: int = 1, study: str = OPEN, pixels: int = 64) -> None:
    instance = f"2.25.{message_id + 100}"
    command = dimse.CStoreRQ(message_id, uids.CT_IMAGE_STORAGE, instance)
    stage.client.send(STORE, command, image(instance, study, pixels))


def get(stage: Stage, message_id: int = 1, study: str = OPEN) -> None:
    stage.client.send(GET, dimse.CGetRQ(message_id, GET_RQ), query(study))


def echo(stage: Stage, message_id: int = 1) -> None:
    stage.client.send(ECHO, dimse.CEchoRQ(message_id))


def half(stage: Stage, message_id: int = 1, most: int = 2000) -> None:
    """Most of an object is still to come."""
    store(stage, message_id, pixels=60_000)
    stage.client.say(most)


async def settled() -> None:
    """What was heard has been decided."""
    for _ in range(10):
        await turn()


def kinds(actor: Actor) -> list[str]:
    return [type(event).__name__ for event in actor.events]


async def second(stage: Stage) -> None:
    """The proposal is known, and the archive has been let go."""
    await stage.associated()
    await elapse(3)
    await stage.play()
    assert stage.gateway.archive is None
