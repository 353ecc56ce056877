"""Any bytes of an archive: an honest client hears whole messages, of what it may see; an answer or an end.

Input: a byte that chooses what the client asks for, a byte of other choices, a byte for the size of the
pieces, then the archive's stream, after a valid A-ASSOCIATE-AC or as it is; each association to the
archive goes on in the stream where the one before ended. Time is the stage's own.
"""

from __future__ import annotations

import atheris

with atheris.instrument_imports(include=["leadglass.guard", "leadglass.wire"]):
    from leadglass.guard.dimse import gateway
    from leadglass.wire import dimse, pdata, pdu

from harness import run  # type: ignore[import-not-found]
from staging import HIDDEN, OPEN, Stage, check, cuts, deaf, messages, played  # type: ignore[import-not-found]
from tests.unit.guard.dimse.scripted import FIND, GET, REQUEST, STORE, accepted, image, query

from leadglass.wire import uids
from leadglass.wire.association import AssociateAccepted, ProtocolViolation
from leadglass.wire.command import encode_command

assert gateway is not None
_ACCEPTS, _KNOWN, _SLOW, _LOST = 1, 2, 4, 8
_ASKED = messages()


class Stream:
    """What the archive says, piece by piece."""

    def __init__(self, data: bytes, size: int) -> None:
        self.pieces = cuts(data, size)

    async def play(self, stage: Stage, *, slowly: bool) -> None:
        for piece in self.pieces:
            if not stage.line.actors:
                return
            stage.archive.pipe.feed(piece)
            if slowly:
                await move(stage)


async def move(stage: Stage) -> None:
    for actor in stage.line.actors:
        deaf(actor)
    await stage.play()


async def scene(asked: int, choices: int, size: int, data: bytes) -> None:
    stage = Stage()
    if choices & _KNOWN:
        await stage.associated()
        await stage.later(3.0)
        assert stage.gateway.archive is None
    else:
        stage.begin()
    stream = Stream(data, size)
    sent = []
    for number, (context_id, command, data_set) in enumerate(_ASKED):
        if asked >> number & 1:
            sent.append(command)
            if stage.client.open_for_data:
                stage.client.send(context_id, command, data_set)
    for _ in range(3):
        await move(stage)
        if choices & _ACCEPTS and stage.line.actors and stage.gateway.archive is not None:
            stage.archive.pipe.feed(pdu.encode(accepted(REQUEST)))
            await move(stage)
        await stream.play(stage, slowly=bool(choices & _SLOW))
    await move(stage)
    if choices & _LOST and stage.line.actors:
        stage.archive.pipe.end("reset")
    await check(stage)
    if stage.client.events and isinstance(stage.client.events[0], AssociateAccepted):
        judge(stage)


def judge(stage: Stage) -> None:
    """What the client heard was whole, at most one last answer each, and nothing that is hidden."""
    client = stage.client
    assert not any(isinstance(event, ProtocolViolation) for event in client.events), client.events
    for message_id in range(1, 7):
        last = [status for status in client.statuses(message_id) if status not in {0xFF00, 0xFF01}]
        assert len(last) <= 1, (message_id, last)
    for message in client.heard:
        if isinstance(message.command, dimse.CFindRSP | dimse.CStoreRQ):
            assert HIDDEN.encode() not in (message.data_set or b"")


def target(data: bytes) -> None:
    if len(data) >= 3:
        played(scene, data[0], data[1], data[2], data[3:])


def seeds() -> list[bytes]:
    def said(context_id: int, command: dimse.Message, data_set: bytes | None = None) -> bytes:
        return pdata.fragment(context_id, encode_command(command), data_set, 512)

    matches = [
        said(FIND, dimse.CFindRSP(2, 0xFF00, uids.STUDY_ROOT_FIND, dimse.DATA_SET), query(study))
        for study in (OPEN, HIDDEN, "2.25.3")
    ]
    objects = [
        said(STORE, dimse.CStoreRQ(7, uids.CT_IMAGE_STORAGE, "2.25.4"), image("2.25.4", study, 800))
        for study in (OPEN, HIDDEN)
    ]
    got = said(GET, dimse.CGetRSP(4, 0, uids.STUDY_ROOT_GET))
    streams = {
        1: [said(1, dimse.CEchoRSP(1, 0)), pdu.encode(pdu.AReleaseRQ()), pdu.encode(pdu.AAbort(2, 0))],
        2: [b"".join(matches) + said(FIND, dimse.CFindRSP(2, 0)), matches[0]],
        4: [said(STORE, dimse.CStoreRSP(3, 0)), said(STORE, dimse.CStoreRSP(3, 0xA700))],
        8: [b"".join(objects) + got, objects[0] + pdu.encode(pdu.AAbort(2, 0))],
        32: [
            said(11, dimse.NActionRSP(6, 0)),
            said(11, dimse.NEventReportRQ(8, uids.STORAGE_COMMITMENT, "2.25.9", 1), b""),
        ],
    }
    return [
        bytes((asked, choices, size)) + stream
        for asked, some in streams.items()
        for stream in some
        for choices in (_KNOWN | _ACCEPTS, _KNOWN | _ACCEPTS | _SLOW | _LOST, 0)
        for size in (0, 255)
    ]


if __name__ == "__main__":
    run(target, seeds())
