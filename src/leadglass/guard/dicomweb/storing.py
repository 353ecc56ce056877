"""STOW-RS: no object leaves before its head is decided; those that may go are sent on, the others reported."""

from __future__ import annotations

import json

from leadglass.guard.dicomweb.archive_side import Answer, failed
from leadglass.guard.dicomweb.array import Element, write
from leadglass.guard.dicomweb.exchange import Exchange
from leadglass.guard.dicomweb.headers import accepts, media_type
from leadglass.guard.dicomweb.multipart import Ended
from leadglass.guard.dicomweb.part10 import Failure, Head
from leadglass.guard.dicomweb.paths import target
from leadglass.guard.dicomweb.refused import Refused
from leadglass.guard.dicomweb.store_report import report
from leadglass.guard.dicomweb.stow import ObjectData, ObjectEnds, ObjectHead, StowReader, closing, opening
from leadglass.guard.identifiers.refusal import IDENTIFIER_DOES_NOT_MATCH, NOT_AUTHORISED

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
    exchange.spend("bytes", 0)
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
        self._refused: list[Failure] = []

    async def run(self) -> None:
        why = "cut off"
        try:
            said = await self._objects()
            status, body = report(self._sent, self._refused, said, self._exchange.door.public)
            why = "" if status == 200 else f"answered with {status}"
        finally:
            self._account(why)
        content = write(body)
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
        failure = found if isinstance(found, Failure) else await self._failure(found)
        self._passing = failure is None
        if failure is not None:
            self._refused.append(failure)
            exchange = self._exchange
            exchange.ports.refused(exchange.who, exchange.request, 409, failure.why, f"{failure.reason:04X}H")
            return
        assert isinstance(found, Head)
        self._exchange.ports.storing(self._exchange.who, self._exchange.request, found.study)
        await self._open()
        self._sent[found.sop_instance] = found
        self._line.upload(opening(self._boundary))

    async def _failure(self, head: Head) -> Failure | None:
        """Why the object may not go; None if it may."""
        exchange, study = self._exchange, head.study
        uid = study.study_instance_uid
        if exchange.request.at.study not in {None, uid}:
            return _failure(IDENTIFIER_DOES_NOT_MATCH, "an object of another study than the path's", head)
        if head.sop_instance in self._sent:
            return _failure(IDENTIFIER_DOES_NOT_MATCH, "the same object twice", head)
        if not exchange.permits(study):
            return _failure(NOT_AUTHORISED, "not permitted for this study", head)
        there = (await exchange.studies((uid,)))[uid]
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
        self._line.upload(event.data if isinstance(event, ObjectData) else b"\r\n")

    async def _answer(self) -> Element:
        self._line.upload(closing(self._boundary))  # unless it has answered before the end
        answer = await self._line.finish()
        content = bytearray()
        while piece := await self._line.answer_piece():
            content += piece
            if len(content) > _LARGEST_ANSWER:
                raise failed("answered more than fits")
        self._line.done_with_archive()
        return self._understood(answer, content)

    def _understood(self, answer: Answer, content: bytes | bytearray) -> Element:
        if answer.status not in _TAKEN:
            raise failed(f"answered {answer.status}", 503 if answer.status == 503 else 502)
        if answer.content_type is None or media_type(answer.content_type)[0] not in _JSON:
            raise failed("answered with something else than JSON")
        try:
            said = json.loads(content)
        except (ValueError, RecursionError):
            raise failed("answered with what is no JSON") from None
        if not isinstance(said, dict):
            raise failed("answered with what is no dataset")
        return said

    def _account(self, why: str) -> None:
        exchange = self._exchange
        studies = {head.study.study_instance_uid: head.study for head in self._sent.values()}
        for study in studies.values():
            exchange.ports.stored(study)
        exchange.ports.spend(exchange.who, "bytes", self._line.body_size)
        if studies:
            exchange.ports.kept(exchange.who, exchange.request, tuple(studies.values()), why)


def _failure(reason: int, why: str, head: Head) -> Failure:
    return Failure(reason, why, head.sop_class, head.sop_instance)
