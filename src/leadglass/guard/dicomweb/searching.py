"""QIDO-RS: pages of matches from the archive, each match decided, the visible ones to the client."""

from __future__ import annotations

from leadglass.access.budgets import Measure
from leadglass.guard.dicomweb import query
from leadglass.guard.dicomweb.archive_side import Answer, failed
from leadglass.guard.dicomweb.array import ArrayReader, Element, write
from leadglass.guard.dicomweb.exchange import Exchange
from leadglass.guard.dicomweb.headers import media_type
from leadglass.guard.dicomweb.matches import STUDY_UID, cleaned, readable, study_of, study_uid
from leadglass.guard.dicomweb.paths import Level, Place, target
from leadglass.guard.dicomweb.refused import Refused
from leadglass.guard.identifiers.attributes import lacking
from leadglass.model.access import Study

__all__ = ["search"]

_HELD = 64 * 1024
"""Bytes of matches that are kept until the answer begins: a short one then has a length."""
_JSON = {"Content-Type": "application/dicom+json"}
_ASKS = {"Accept": "application/dicom+json"}


async def search(exchange: Exchange) -> None:
    """Answer one search."""
    await _Searching(exchange).run()


class _Searching:
    """The state of one search."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._line = exchange.line
        self._needed = exchange.ports.needed(exchange.who, exchange.request.action)
        self._search = query.read(exchange.request, exchange.head.accept, self._needed)
        self._read = readable(self._needed, self._search.doubtful)
        self._pages = query.Pages(self._search)
        self._at: Place = exchange.request.at
        self._out = bytearray(b"[")

    async def run(self) -> None:
        exchange = self._exchange
        exchange.enter()
        exchange.spend(Measure.QUERIES, 1)
        if self._at.study is not None:
            self._at = (await exchange.see(self._at)).at
        exchange.ports.searching(exchange.who, exchange.request, exchange.head.target.decode("ascii"))
        goes_on = not self._pages.full
        while goes_on:
            goes_on = await self._page()
        await self._finish()

    async def _page(self) -> bool:
        """Ask for one page; whether there is another."""
        exchange = self._exchange
        parameters = self._pages.next()
        asked = target(exchange.request, exchange.door.archive, self._at, parameters)
        answer = await self._line.fetch(asked, _ASKS)
        if answer.status == 204:
            return False
        await self._check(answer)
        reader = ArrayReader()
        while not self._pages.full:
            piece = await self._line.answer_piece()
            await self._consider(reader.feed(piece, last=not piece))
            if not piece:
                break
        self._line.done_with_archive()
        return self._pages.goes_on(more=answer.more)

    async def _check(self, answer: Answer) -> None:
        if answer.status not in {200, 206}:
            await self._exchange.refuse_as_archive(answer)
        kind = media_type(answer.content_type or "application/octet-stream")[0]
        if kind not in query.JSON:
            raise failed("answered a search with something else than JSON")

    async def _consider(self, matches: list[Element]) -> None:
        if not matches:
            return
        studies = await self._studies(matches)
        before, shown = self._pages.shown, list[Element]()
        for match, study in zip(matches, studies, strict=True):
            self._pages.received()
            if self._visible(match, study) and self._pages.show():
                shown.append(self._cleaned(match))
        if self._pages.exhausted:
            raise Refused("too many matches: ask a narrower question", 413)
        self._exchange.spend(Measure.MATCHES, len(shown))
        if shown:
            self._out += (b"," if before else b"") + write(shown)
        if len(self._out) > _HELD:
            self._flush()

    def _visible(self, match: Element, study: Study | None) -> bool:
        if self._at.study is not None:
            # The study was decided on before; an archive that answers with another's is not believed.
            named = STUDY_UID not in match or study_uid(match) == self._at.study
            return named and self._at == self._exchange.request.at
        return self._exchange.permits(study)

    async def _studies(self, matches: list[Element]) -> list[Study | None]:
        """The study of each match, asked for where a match does not tell all that can decide."""
        if self._at.study is not None:
            return [None] * len(matches)
        told: list[Study | str | None]
        if self._search.level is Level.STUDY:
            told = self._told(matches)
        else:
            told = [study_uid(match) for match in matches]
        asked = tuple(dict.fromkeys(uid for uid in told if isinstance(uid, str)))
        found = await self._exchange.studies(asked) if asked else {}
        return [found[study] if isinstance(study, str) else study for study in told]

    def _told(self, matches: list[Element]) -> list[Study | str | None]:
        """The study of each match, by its UID if too little is told of it, None if not even that."""
        studies = [study_of(match, self._read) for match in matches]
        return [
            study.study_instance_uid if study is not None and lacking(study, self._needed) else study
            for study in studies
        ]

    def _cleaned(self, match: Element) -> Element:
        search = self._search
        return cleaned(match, search.hidden, search.at, search.level, self._exchange.door.public)

    def _flush(self) -> None:
        if not self._line.responding:
            self._line.respond(200, _JSON, None)
        self._line.send(bytes(self._out))
        self._out.clear()

    async def _finish(self) -> None:
        if not self._pages.shown or self._search.several:
            await self._line.even()
        if not self._pages.shown:
            self._line.respond(204, {}, None)
        else:
            self._out += b"]"
            if not self._line.responding:
                self._line.respond(200, _JSON, len(self._out))
            self._line.send(bytes(self._out))
        self._line.end()
