"""The gateway on its stage (tests/unit/guard/dimse), for the two targets that play one of its peers."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parent.parent))

from tests.unit.guard.dimse.scripted import (
    COMMIT,
    ECHO,
    FIND,
    GET,
    HIDDEN,
    MOVE,
    OPEN,
    STORE,
    SYNTAX,
    Actor,
    Loop,
    image,
    query,
)
from tests.unit.guard.dimse.stage import Stage

from leadglass.guard.identifiers.commitment import Commitment, Reference, encode_commitment
from leadglass.wire import dimse, uids

__all__ = ["HIDDEN", "OPEN", "Stage", "check", "cuts", "deaf", "messages", "played"]

_LONGEST_WAIT = 800.0
"""Seconds after which a silent peer has been given up, whatever it was to do: an archive has ten minutes."""
_LARGEST = 1024 * 1024
"""Bytes that one association may hold, beside what its peer does not read."""


def messages(study: str = OPEN) -> list[tuple[int, dimse.Message, bytes | None]]:
    """What a client may ask for, by context."""
    commitment = Commitment("2.25.77", (Reference(uids.CT_IMAGE_STORAGE, "2.25.51"),))
    return [
        (ECHO, dimse.CEchoRQ(1), None),
        (FIND, dimse.CFindRQ(2, uids.STUDY_ROOT_FIND), query(study)),
        (STORE, dimse.CStoreRQ(3, uids.CT_IMAGE_STORAGE, "2.25.9"), image("2.25.9", study)),
        (GET, dimse.CGetRQ(4, uids.STUDY_ROOT_GET), query(study)),
        (MOVE, dimse.CMoveRQ(5, uids.STUDY_ROOT_MOVE, "READER"), query(study)),
        (
            COMMIT,
            dimse.NActionRQ(6, uids.STORAGE_COMMITMENT, "2.25.9", 1),
            encode_commitment(commitment, SYNTAX),
        ),
        (FIND, dimse.CCancelRQ(2), None),
    ]


def cuts(data: bytes, size: int) -> Iterator[bytes]:
    """``data`` in at most sixteen pieces, not all of a size."""
    least = max(size, len(data) // 16) + 1
    at = 0
    while at < len(data):
        length = least + at % 7
        yield data[at : at + length]
        at += length


def deaf(actor: Actor) -> bytearray:
    """Only the fuzzed stream speaks for ``actor``; what it is sent."""
    told = bytearray()

    def hear(most: int | None = None) -> bool:
        data = actor.pipe.take(most)
        told.extend(data)
        return bool(data)

    actor.say = lambda most=None: most == -1  # type: ignore[method-assign]
    actor.hear = hear  # type: ignore[method-assign]
    return told


_loop: Loop | None = None


def played(scene: Callable[..., Coroutine[Any, Any, None]], *given: Any) -> None:
    """Play one scene; nothing of it may be left over."""
    global _loop  # noqa: PLW0603 - a loop costs more than a scene
    if _loop is None:
        _loop = Loop()
    _loop.run_until_complete(scene(*given))
    assert _loop.failures == []
    assert asyncio.all_tasks(_loop) == set()


async def check(stage: Stage) -> None:
    """After everything was said: nobody waits for ever, nothing was held, nothing of ours went wrong."""
    gateway = stage.gateway
    for leg in (gateway.client, *([gateway.archive] if gateway.archive else [])):
        held = len(leg._rest) + len(leg._command) + sum(map(len, leg._out)) + sum(map(len, leg._later))  # noqa: SLF001
        assert held < _LARGEST
    if not gateway.client.over:
        await stage.later(_LONGEST_WAIT)
    assert stage.mistakes == [], stage.mistakes
    assert not gateway.outstanding
    stage.pipe.end("gone")
    await stage.play()
    assert gateway.archive is None
    assert not stage.world.gateways
    assert not gateway._tasks  # noqa: SLF001 - what is under way is the point
