"""UPS-RS (PS3.18 clause 11), where it is carried at all: small documents, whole, as they are."""

from __future__ import annotations

from leadglass.access.budgets import Measure
from leadglass.guard.dicomweb.archive_side import failed
from leadglass.guard.dicomweb.exchange import Exchange
from leadglass.guard.dicomweb.headers import media_type
from leadglass.guard.dicomweb.paths import target
from leadglass.guard.dicomweb.refused import Refused

__all__ = ["manage"]

_LARGEST = 1024 * 1024
_DOCUMENTS = frozenset({"application/dicom+json", "application/json", "application/dicom+xml"})
_PASSED = frozenset({200, 201, 202, 204, 206})


async def manage(exchange: Exchange) -> None:
    """Answer one UPS-RS request."""
    if not exchange.door.workitems:
        raise Refused("worklists are not carried here", 403, rule="workitems")
    exchange.enter()
    exchange.spend(Measure.QUERIES, 1)
    document = await _document(exchange)
    exchange.ports.managing(exchange.who, exchange.request)
    asked = target(exchange.request, exchange.door.archive, exchange.request.at)
    headers = {"Accept": exchange.head.accept} if exchange.head.accept else {}
    line = exchange.line
    if exchange.request.method == "GET":
        answer = await line.fetch(asked, headers)
    else:
        await line.open(exchange.request.method, asked, headers | _described(exchange, document))
        line.upload(document)
        answer = await line.finish()
    if answer.status not in _PASSED:
        await exchange.refuse_as_archive(answer)
    if answer.content_type is None and answer.length:
        raise failed("sent something without saying what it is")
    line.respond(
        answer.status, {"Content-Type": answer.content_type} if answer.content_type else {}, answer.length
    )
    while piece := await line.answer_piece():
        line.send(piece)
    line.done_with_archive()
    line.end()


async def _document(exchange: Exchange) -> bytes:
    if not exchange.head.has_body:
        return b""
    if media_type(exchange.head.content_type)[0] not in _DOCUMENTS:
        raise Refused("a work item comes as DICOM JSON or XML", 415)
    exchange.line.go_on()
    document = b""
    while piece := await exchange.line.body_piece():
        document += piece
        if len(document) > _LARGEST:
            raise Refused("a work item that is too large", 413)
    return document


def _described(exchange: Exchange, document: bytes) -> dict[str, str]:
    length = {"Content-Length": str(len(document))}
    return length | ({"Content-Type": exchange.head.content_type} if document else {})
