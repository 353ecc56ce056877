"""What stays behind, piles up or outlives a decision, where each part by itself does what it should."""

from __future__ import annotations

import asyncio
import contextlib
import tracemalloc
from types import SimpleNamespace
from typing import Any, cast

from leadglass.access.admission import Peer
from leadglass.errors import TransportError
from leadglass.guard.audit.events import AuditEvent, Happening
from leadglass.guard.client import Client
from leadglass.guard.dicomweb.multipart import MultipartReader
from leadglass.guard.dimse.storing import Kept, Store
from leadglass.guard.moves import Move, Moves
from leadglass.guard.trail import Diary, Trail
from leadglass.model.access import Action, Kind, Principal, Study
from leadglass.model.enrolment import Enrolled
from leadglass.wire import uids
from leadglass.wire.dimse import CStoreRQ
from leadglass.wire.elements import syntax_of
from leadglass.wire.streaming import Fragment, ValueFramer


def _piece(data: bytes, opens: int, *, is_last: bool = False, ends: bool = False) -> Fragment:
    return Fragment(5, False, is_last, opens, ends, memoryview(data))


def test_pieces_without_bytes_take_no_memory_however_many_come_before_a_head_is_complete() -> None:
    desk = cast("Any", SimpleNamespace(syntax=lambda _: syntax_of(uids.IMPLICIT_VR_LE)))
    store = Store(desk, 5, CStoreRQ(1, uids.CT_IMAGE_STORAGE, "2.25.1"))
    tracemalloc.start()
    try:
        for _ in range(20_000):
            store.piece(_piece(b"", 0))
        assert tracemalloc.get_traced_memory()[0] < 64 * 1024
    finally:
        tracemalloc.stop()


def test_what_was_kept_goes_on_as_one_value_with_what_is_still_to_come_of_the_last() -> None:
    kept = Kept()
    kept.add(_piece(b"ab", 2))
    kept.add(_piece(b"", 0))
    kept.add(_piece(b"c", 4, is_last=True))
    framer = ValueFramer(0)
    sent = framer.frame(kept.with_last(_piece(b"d", -1, is_last=True)), 5)
    sent += framer.frame(_piece(b"ef", -1, is_last=True, ends=True), 5)
    assert b"".join(sent) == bytes.fromhex("04 00 0000000C 00000008 05 02") + b"abcdef"


class _Away:
    """A shared state that cannot be had."""

    def put(self, move: Move, until: float) -> None:
        raise TransportError("is away")

    def get(self, destination: str, originator: str, message_id: int) -> Move | None:
        raise TransportError("is away")


def test_two_moves_of_one_title_with_the_same_message_id_do_not_take_each_others_place() -> None:
    async def both() -> Move | None:
        moves = Moves(_Away(), lambda: 0.0)
        for study in ("2.25.1", "2.25.2"):
            with contextlib.suppress(TransportError):
                await moves.expect("READER", "WS3", 1, "ada", [study])
        return await moves.claimed("READER", "WS3", 1)

    found = asyncio.run(both())
    assert found is not None
    assert found.studies == {"2.25.1", "2.25.2"}


def test_what_is_stored_is_written_down_before_the_end_when_it_is_of_many_studies() -> None:
    told: list[AuditEvent] = []
    entry = Enrolled("router", Kind.SERVICE, ("ROUTER",), ("10.0.0.0/8",))
    client = Client(
        Principal(Kind.SERVICE, "router"), entry, Peer("10.0.0.1", None, False), "ROUTER", "ARCHIVE"
    )

    def write(event: AuditEvent, *, reserved: bool) -> None:
        assert not reserved
        told.append(event)

    trail = Trail(write, lambda: 0.0, lambda: None)
    diary = Diary(trail, client, lambda _: False, lambda: None)
    for number in range(1000):
        study = Study(f"2.25.{number}")
        diary.storing(Action.STORE, study)
        diary.stored(study, uids.CT_IMAGE_STORAGE, 10)
    before_the_end = sum(event.happening is Happening.TRANSFERRED for event in told)
    diary.ended("")
    assert before_the_end > 700
    assert sum(event.happening is Happening.TRANSFERRED for event in told) == 1000


def test_parts_of_a_request_cost_what_they_have_in_bytes_however_many_come_at_once() -> None:
    reader = MultipartReader(b"a")
    part = b"\r\n--a\r\nContent-Type: application/dicom\r\n\r\nx"
    reader.receive(part * 2000)
    tracemalloc.start()
    try:
        events = sum(1 for _ in iter(reader.next_event, None))
        # One that copied what is left for each part would have had twice the whole at some time.
        assert tracemalloc.get_traced_memory()[1] < len(part) * 1000
    finally:
        tracemalloc.stop()
    assert events == 3 * 2000 - 1
