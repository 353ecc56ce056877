"""Any bytes of a client: what is permitted reaches the archive and nothing else; an answer or an end; bounded memory.

Input: a byte of choices, a byte for the size of the pieces, then the client's stream, after a valid
A-ASSOCIATE-RQ or as it is. The archive is an honest one. Time is the stage's own.
"""

from __future__ import annotations

import atheris

with atheris.instrument_imports(include=["leadglass.guard", "leadglass.wire"]):
    from leadglass.guard.dimse import gateway
    from leadglass.wire import dimse, pdata, pdu

from harness import run  # type: ignore[import-not-found]
from staging import HIDDEN, Stage, check, cuts, deaf, messages, played  # type: ignore[import-not-found]
from tests.unit.guard.dimse.scripted import REQUEST, SYNTAX

from leadglass.errors import RemoteProtocolError
from leadglass.wire.command import encode_command
from leadglass.wire.elements import walk
from leadglass.wire.pdata import Completed

assert gateway is not None
_BEGUN, _AWAITED, _ENDS, _SLOW, _SILENT = 1, 2, 4, 8, 16
_STUDY_INSTANCE_UID = 0x0020_000D
_REQUEST = pdu.encode(REQUEST)
_MAY_PASS = (
    dimse.CEchoRQ,
    dimse.CFindRQ,
    dimse.CStoreRQ,
    dimse.CGetRQ,
    dimse.CMoveRQ,
    dimse.CCancelRQ,
    dimse.NActionRQ,
    dimse.CStoreRSP,
)
_STUDY = b"\x20\x00\x0d\x00" + len(HIDDEN).to_bytes(4, "little") + HIDDEN.encode()


def studies(data: bytes) -> set[bytes]:
    """The studies that a data set says it is about; of one that breaks off, as far as it goes."""
    found = set()
    try:
        for span in walk(data, SYNTAX):
            if span.tag == _STUDY_INSTANCE_UID:
                found |= {uid.strip(b"\0 ") for uid in data[span.value_at : span.end].split(b"\\")}
    except RemoteProtocolError:
        pass
    return found


def explained(message: Completed) -> None:
    """What the archive heard was let through by policy. A query may name anything: its matches are filtered."""
    assert isinstance(message.command, _MAY_PASS), message.command
    if not isinstance(message.command, dimse.CFindRQ):
        assert HIDDEN.encode() not in studies(message.data_set or b""), "a study that is hidden"


async def scene(choices: int, size: int, stream: bytes) -> None:
    stage = Stage()
    told = deaf(stage.client)
    stage.honest.silent = bool(choices & _SILENT)
    if choices & _BEGUN:
        stage.pipe.feed(_REQUEST)
        if choices & _AWAITED:
            await stage.play()
    for piece in cuts(stream, size):
        stage.pipe.feed(piece)
        if choices & _SLOW:
            await stage.play()
    await stage.play()
    if choices & _ENDS:
        stage.pipe.end("reset")
    await check(stage)
    assert _STUDY not in told, "a study that is hidden"
    for actor in stage.line.actors:
        for message in actor.heard:
            explained(message)


def target(data: bytes) -> None:
    if len(data) >= 2:
        played(scene, data[0], data[1], data[2:])


def seeds() -> list[bytes]:
    whole = [
        pdata.fragment(context_id, encode_command(command), data_set, 512)
        for study in ("2.25.1", HIDDEN)
        for context_id, command, data_set in messages(study)
    ]
    release, abort = pdu.encode(pdu.AReleaseRQ()), pdu.encode(pdu.AAbort(0, 0))
    streams = [*whole, *(one + release for one in whole), b"".join(whole[:6]) + abort, b"".join(whole[7:])]
    choices = (_BEGUN | _AWAITED, _BEGUN | _SLOW, _BEGUN | _AWAITED | _SILENT | _ENDS)
    begun = [bytes((choice, size)) + stream for stream in streams for choice in choices for size in (0, 255)]
    return [*begun, bytes((0, 255)) + _REQUEST + streams[0] + release]


if __name__ == "__main__":
    run(target, seeds())
