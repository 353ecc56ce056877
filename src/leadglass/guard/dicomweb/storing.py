"""STOW-RS: no object leaves before its head is decided; those that may go are sent on, the others reported."""

from __future__ import annotations

import json

from leadglass.access.budgets import Measure
from leadglass.guard.dicomweb.archive_side import Answer, failed
from leadglass.guard.dicomweb.array import Element, write
from leadglass.guard.dicomweb.exchange import Exchange
from leadglass.guard.dicomweb.headers import accepts, media_type
from leadglass.guard.dicomweb.multipart import Ended
from leadglass.guard.dicomweb.part10 import Failure, Head
from leadglass.guard.dicomweb.paths import target
from leadglass.guard.dicomweb.refused import Refused
from leadglass.guard.dicomweb.store_report import report, taken
from leadglass.guard.dicomweb.stow import ObjectData, ObjectEnds, ObjectHead, StowReader, closing, opening
from leadglass.guard.identifiers.refusal import IDENTIFIER_DOES_NOT_MATCH, NOT_AUTHORISED
from leadglass.model.access import Study

__all__ = ["store"]

_JSON = ("application/dicom+json", "application/json")
_LARGEST_ANSWER = 16 * 1024 * 1024
_TAKEN = frozenset({200, 202, 409})


async def store(exchange: Exchange) -> None:
    """Answer one STOW-RS request."""
    if not accepts(exchange.head.accept, *_JSON):
        raise Refused("the answer comes as JSON only", 406)
    storing = _Storing(exchange, StowReader(exchange.head.content_type))
    exchange.enter()
    exchange.need(Measure.BYTES)
    exchange.line.go_on()
    await storing.run()


class _Storing:
    """The state of one request."""

    def __init__(self, exchange: Exchange, reader: StowReader) -> None:
        self._exchange = exchange
        self._line = exchange.line
        self._reader = reader
        self._boundary = exchange.ports.mint()
        self._opened = False
        self._passing = False
        self._sent: dict[str, Head] = {}
        self._sizes: dict[str, int] = {}
        self._present = ""
        self._refused: list[Failure] = []
        self._there: dict[str, Study | None] = {}

    async def run(self) -> None:
        try:
            said = await self._objects()
        finally:
            self._exchange.ports.spent(self._exchange.who, Measure.BYTES, self._line.body_size)
        self._account(said)
        status, body = report(self._sent, self._refused, said, self._exchange.door.public)
        content = write([body])
        self._line.respond(status, {"Content-Type": _JSON[0]}, len(content))
        self._line.send(content)
        self._line.end()

    async def _objects(self) -> Element:
        """Pass the objects on; what the archive says of them."""
        line, reader = self._line, self._reader
        while True:
            event = reader.next_event()
            if event is None:
                piece = await line.body_piece()
                if piece is None:
                    break
                if not piece:
                    reader.finish()
                    break
                reader.receive(piece)
            elif isinstance(event, ObjectHead):
                await self._decide(event.found)
            elif not isinstance(event, Ended) and self._passing:
                self._pass(event)
        return await self._answer() if self._opened else {}

    async def _decide(self, found: Head | Failure) -> None:
        exchange = self._exchange
        failure = found if isinstance(found, Failure) else await self._why_not(found)
        self._passing = failure is None
        if failure is not None:
            self._refused.append(failure)
            exchange.ports.refused(exchange.who, exchange.request, failure.why, f"{failure.reason:04X}H")
            return
        assert isinstance(found, Head)
        exchange.ports.storing(exchange.who, found.study)
        await self._open()
        self._present = found.sop_instance
        self._sent[self._present] = found
        self._sizes[self._present] = 0
        self._line.upload(opening(self._boundary))

    async def _why_not(self, head: Head) -> Failure | None:
        """Why the object may not go; None if it may."""
        exchange, study = self._exchange, head.study
        uid = study.study_instance_uid
        if exchange.request.at.study not in {None, uid}:
            return _failure(IDENTIFIER_DOES_NOT_MATCH, "an object of another study than the path's", head)
        if head.sop_instance in self._sent:
            return _failure(IDENTIFIER_DOES_NOT_MATCH, "the same object twice", head)
        if not exchange.permits(study):
            return _failure(NOT_AUTHORISED, "not permitted for this study", head)
        # What the archive has under the same UID counts as well: a foreign study may not be added to.
        if uid not in self._there:
            self._there[uid] = await exchange.present(uid)
        there = self._there[uid]
        if there is not None and not (exchange.permits(there) and there.patient_id == study.patient_id):
            return _failure(NOT_AUTHORISED, "the study is another's", head)
        return None

    async def _open(self) -> None:
        if self._opened:
            return
        self._opened = True
        kind = f'multipart/related; type="application/dicom"; boundary="{self._boundary}"'
        asked = target(self._exchange.request, self._exchange.door.archive, self._exchange.request.at)
        # How long it becomes is known when the last object is decided.
        headers = {"Content-Type": kind, "Accept": _JSON[0], "Transfer-Encoding": "chunked"}
        await self._line.open("POST", asked, headers)

    def _pass(self, event: ObjectData | ObjectEnds) -> None:
        if isinstance(event, ObjectData):
            self._line.upload(event.data)
            self._sizes[self._present] += len(event.data)
        else:
            self._line.upload(b"\r\n")

    async def _answer(self) -> Element:
        self._line.upload(closing(self._boundary))  # unless it has answered before the end
        answer = await self._line.finish()
        content = bytearray()
        while piece := await self._line.answer_piece():
            content += piece
            if len(content) > _LARGEST_ANSWER:
                raise failed("answered more than fits")
        self._line.done_with_archive()
        return _understood(answer, content)

    def _account(self, said: Element) -> None:
        exchange = self._exchange
        for uid in taken(self._sent, said):
            head = self._sent[uid]
            exchange.ports.stored(exchange.who, head.study, head.sop_class, self._sizes[uid])


def _understood(answer: Answer, content: bytes | bytearray) -> Element:
    if answer.status not in _TAKEN:
        raise failed(f"answered {answer.status}", 503 if answer.status == 503 else 502)
    if answer.content_type is None or media_type(answer.content_type)[0] not in _JSON:
        raise failed("answered with something else than JSON")
    try:
        said = json.loads(content)
    except (ValueError, RecursionError):
        raise failed("answered with what is no JSON") from None
    if not isinstance(said, dict):
        raise failed("answered with what is no data set")
    return said


def _failure(reason: int, why: str, head: Head) -> Failure:
    return Failure(reason, why, head.sop_class, head.sop_instance)
