"""WADO-RS and WADO-URI: what the client may see passes unread; what it may not see does not exist."""

from __future__ import annotations

from leadglass.access.budgets import Measure
from leadglass.errors import LeadglassError
from leadglass.guard.dicomweb.archive_side import Answer, failed
from leadglass.guard.dicomweb.exchange import Exchange
from leadglass.guard.dicomweb.headers import media_type
from leadglass.guard.dicomweb.paths import Form, target
from leadglass.guard.dicomweb.refused import Refused
from leadglass.guard.dicomweb.urls import UrlWriter
from leadglass.model.access import Study

__all__ = ["retrieve"]

_JSON = frozenset({"application/dicom+json", "application/json"})


async def retrieve(exchange: Exchange) -> None:
    """Answer one retrieval."""
    exchange.enter()
    seen = await exchange.see(exchange.request.at)
    if seen.study is not None:
        _account(exchange, seen.study)
    asked = target(exchange.request, exchange.door.archive, seen.at)
    wanted = {"Accept": exchange.head.accept} if exchange.head.accept else {}
    answer = await exchange.line.fetch(asked, wanted)
    if seen.study is None:
        await exchange.line.even()
    if answer.status not in {200, 206}:
        await exchange.refuse_as_archive(answer)
    if seen.study is None:
        # Nothing has these UIDs. Whatever it is, it is not what was asked for.
        raise Refused("the archive has no answer to this", 404, rule="study")
    await _pass(exchange, answer, seen.study)


def _account(exchange: Exchange, study: Study) -> None:
    exchange.spend(Measure.STUDIES, study.study_instance_uid)
    if study.patient_id is not None:
        exchange.spend(Measure.PATIENTS, study.patient_id)
    exchange.need(Measure.BYTES)
    exchange.ports.retrieving(exchange.who, study)


async def _pass(exchange: Exchange, answer: Answer, study: Study) -> None:
    why = "cut off"
    try:
        await (_metadata if _is_json(exchange, answer) else _unread)(exchange, answer)
        why = ""
    except LeadglassError as exc:
        why = exc.what
        raise
    finally:
        exchange.ports.spent(exchange.who, Measure.BYTES, exchange.passed)
        exchange.ports.retrieved(exchange.who, study, exchange.passed, why)


def _is_json(exchange: Exchange, answer: Answer) -> bool:
    if exchange.request.form is not Form.METADATA or answer.content_type is None:
        return False
    return media_type(answer.content_type)[0] in _JSON


async def _unread(exchange: Exchange, answer: Answer) -> None:
    line = exchange.line
    line.respond(answer.status, _headers(answer), answer.length)
    while piece := await line.answer_piece():
        line.send(piece)
        exchange.passed += len(piece)
    line.done_with_archive()
    line.end()


async def _metadata(exchange: Exchange, answer: Answer) -> None:
    line = exchange.line
    writer = UrlWriter(exchange.door.archive.web, exchange.door.public)
    line.respond(answer.status, _headers(answer), None)
    while piece := await line.answer_piece():
        line.send(writer.feed(piece))
        exchange.passed += len(piece)
    line.send(writer.finish())
    line.done_with_archive()
    line.end()


def _headers(answer: Answer) -> dict[str, str]:
    if answer.content_type is None:
        raise failed("sent something without saying what it is")
    return {"Content-Type": answer.content_type}
