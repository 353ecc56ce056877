"""One request on its way through: who asks, whether the service is open, and what every service needs.

``Line`` is the two connections as a service sees them. It is awaited, but not on an event loop: the
relay goes on with it when bytes or answers come.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from leadglass.access.budgets import Measure
from leadglass.access.identity import IdentityRefusal
from leadglass.guard.client import Client
from leadglass.guard.dicomweb.archive_side import Answer, failed
from leadglass.guard.dicomweb.effects import Contains, Identify, LookUp, Question
from leadglass.guard.dicomweb.headers import Head
from leadglass.guard.dicomweb.paths import Place, Request
from leadglass.guard.dicomweb.ports import Door, Ports
from leadglass.guard.dicomweb.refused import Refused
from leadglass.guard.studies import Unknown
from leadglass.model.access import Node, Study

__all__ = ["Exchange", "Line", "Seen", "client_of"]

_RETRY = 60
"""Seconds after which a client may ask again."""
_GONE = frozenset({400, 404, 406, 409, 410, 413, 415})
"""Statuses of the archive that are the client's business; the others are between it and the guard."""


class Line(Protocol):
    """What a service may do with the two connections."""

    async def ask(self, question: Question) -> Any:
        """Somebody else's answer."""
        ...

    async def fetch(self, target: str, headers: Mapping[str, str]) -> Answer:
        """GET from the archive, up to the head of its answer."""
        ...

    async def open(self, method: str, target: str, headers: Mapping[str, str]) -> None:
        """Begin a request with a body."""
        ...

    def upload(self, data: bytes | memoryview) -> None:
        """Some of that body."""
        ...

    async def finish(self) -> Answer:
        """The end of that body, and the head of the answer."""
        ...

    async def answer_piece(self) -> bytes:
        """Some of the archive's answer; empty at its end."""
        ...

    def done_with_archive(self) -> None:
        """Its answer is read as far as it is needed."""
        ...

    async def body_piece(self) -> bytes | None:
        """Some of the client's body; empty at its end, None if the archive has answered before."""
        ...

    async def even(self) -> None:
        """Wait a moment, so that the time of an answer does not tell hidden from absent."""
        ...

    def go_on(self) -> None:
        """Tell a client that waits to send its body."""
        ...

    def respond(self, status: int, headers: Mapping[str, str], length: int | None) -> None:
        """The head of the answer to the client."""
        ...

    def send(self, data: bytes | memoryview) -> None:
        """Some of its body."""
        ...

    def end(self) -> None:
        """Its end."""
        ...

    @property
    def responding(self) -> bool:
        """Whether the client has the head of an answer."""
        ...

    @property
    def body_size(self) -> int:
        """Bytes of the client's body so far."""
        ...


@dataclass(frozen=True, slots=True)
class Seen:
    """What a request for something in a study comes to."""

    at: Place
    """What to ask the archive for: UIDs that name nothing, if the client may not see it."""
    study: Study | None
    """None if it may not, or there is none."""


@dataclass(slots=True)
class Exchange:
    """One request of one principal."""

    line: Line
    door: Door
    ports: Ports
    head: Head
    request: Request
    who: Client
    passed: int = 0
    """Bytes of the archive's answer that were passed on."""

    def enter(self) -> None:
        """The service itself, whatever is asked of it: 403 if it is not open to this client."""
        decision = self.ports.decide(self.who, self.request.action, Node(self.door.title))
        if not decision.allowed:
            raise Refused("this service is not open to you", 403, rule=decision.reason)

    def spend(self, measure: Measure, what: int | str) -> None:
        """Take from a budget; 429 if there is not enough."""
        if not self.ports.spend(self.who, measure, what):
            raise _over_budget(measure)

    def need(self, measure: Measure) -> None:
        """Something must be left of a budget; how much will be taken is known afterwards."""
        if not self.ports.left(self.who, measure):
            raise _over_budget(measure)

    def permits(self, study: Study | None) -> bool:
        """Whether the client may do this with a study. What is not there is refused like what is hidden."""
        return study is not None and self.ports.decide(self.who, self.request.action, study).allowed

    async def studies(self, uids: tuple[str, ...]) -> Mapping[str, Study | None]:
        """What the archive knows of these studies."""
        found = {uid: self.ports.known(uid) for uid in uids}
        asked = tuple(uid for uid, study in found.items() if isinstance(study, Unknown))
        answers: Mapping[str, Study | None] = await self.line.ask(LookUp(asked)) if asked else {}
        return {
            uid: answers.get(uid) if isinstance(study, Unknown) else study for uid, study in found.items()
        }

    async def present(self, uid: str) -> Study | None:
        """What the archive has of a study that something is to be added to; that there was none is not believed."""
        known = self.ports.known(uid)
        if isinstance(known, Study):
            return known
        answers: Mapping[str, Study | None] = await self.line.ask(LookUp((uid,)))
        return answers.get(uid)

    async def see(self, at: Place) -> Seen:
        """Whether the client may see what lies at ``at``, and what to ask the archive for.

        What it may not see is asked for under UIDs minted now, all of them, so that an archive which
        looks at one only finds nothing either; it then answers as it does for what does not exist.
        """
        assert at.study is not None
        remembered = not isinstance(self.ports.known(at.study), Unknown)
        study = (await self.studies((at.study,)))[at.study]
        if self.permits(study) and await self._belongs(at):
            return Seen(at, study)
        if remembered:
            # A refusal out of memory would be quicker, and so tell what a search, or somebody, has come across.
            await self.line.ask(LookUp((self.ports.mint(),)))
        self.ports.refused(self.who, self.request, "not permitted, or not there", "study")
        return Seen(Place(*(None if uid is None else self.ports.mint() for uid in at)), None)

    async def _belongs(self, at: Place) -> bool:
        if at.study is None or at.series is None:
            return True
        if self.ports.member(at.study, at.series, at.instance or ""):
            return True
        answer: bool = await self.line.ask(Contains(at.study, at.series, at.instance or ""))
        return answer

    async def refuse_as_archive(self, answer: Answer) -> None:
        """Pass an archive's refusal on: its status with a text of ours, because its own may name anything."""
        size = 0
        while size < 64 * 1024 and (piece := await self.line.answer_piece()):
            size += len(piece)
        self.line.done_with_archive()
        if answer.status not in _GONE:
            raise failed(f"answered {answer.status}", 503 if answer.status == 503 else 502)
        raise Refused("the archive has no answer to this", answer.status, rule="archive")


async def client_of(line: Line, ports: Ports, head: Head) -> Client | IdentityRefusal:
    """Who asks."""
    known = ports.remembered(head.authorization)
    if known is not None:
        return known
    found: Client | IdentityRefusal = await line.ask(Identify(head.authorization))
    return found


def _over_budget(measure: Measure) -> Refused:
    return Refused(f"over its budget of {measure.value}", 429, (("Retry-After", str(_RETRY)),), rule="budget")
