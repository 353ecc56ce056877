"""What a scripted client asks for."""

from __future__ import annotations

from tests.unit.guard.dimse.scripted import (
    COMMIT,
    ECHO,
    FIND,
    GET,
    MOVE,
    OPEN,
    STORE,
    SYNTAX,
    Actor,
    image,
    query,
)
from tests.unit.guard.dimse.stage import Stage
from tests.unit.guard.elapsing import elapse, turn

from leadglass.guard.identifiers.commitment import Commitment, Reference, encode_commitment
from leadglass.wire import dimse, uids

__all__ = [
    "FIND_RQ",
    "GET_RQ",
    "ask",
    "commit",
    "commitment",
    "echo",
    "get",
    "half",
    "kinds",
    "move",
    "second",
    "settled",
    "store",
]

FIND_RQ, GET_RQ = uids.STUDY_ROOT_FIND, uids.STUDY_ROOT_GET


def ask(stage: Stage, message_id: int = 1) -> None:
    stage.client.send(FIND, dimse.CFindRQ(message_id, FIND_RQ), query())


def store(stage: Stage, message_id: int = 1, study: str = OPEN, pixels: int = 64) -> None:
    instance = f"2.25.{message_id + 100}"
    command = dimse.CStoreRQ(message_id, uids.CT_IMAGE_STORAGE, instance)
    stage.client.send(STORE, command, image(instance, study, pixels))


def get(stage: Stage, message_id: int = 1, study: str = OPEN) -> None:
    stage.client.send(GET, dimse.CGetRQ(message_id, GET_RQ), query(study))


def move(stage: Stage, message_id: int = 1, study: str = OPEN) -> None:
    stage.client.send(MOVE, dimse.CMoveRQ(message_id, uids.STUDY_ROOT_MOVE, "READER"), query(study))


def commitment(*instances: str) -> bytes:
    references = tuple(Reference(uids.CT_IMAGE_STORAGE, each) for each in instances)
    return encode_commitment(Commitment("2.25.77", references), SYNTAX)


def commit(stage: Stage, message_id: int = 1, *instances: str) -> None:
    command = dimse.NActionRQ(message_id, uids.STORAGE_COMMITMENT, "2.25.9", 1)
    stage.client.send(COMMIT, command, commitment(*instances or ("2.25.51",)))


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
