"""One client's HTTP connection and the archive's that serves it, without input or output.

Bytes and answers come in, ``Effect``s go out. Give it what happened, carry out what ``take`` returns,
and call ``timed_out`` when ``deadline`` has passed. What a request needs is written down as coroutines
(``searching``, ``retrieving``, ``storing``, ``managing``) that stop wherever something is still
missing; the relay goes on with them when it is there, so no event loop is needed to test one.

While ``asking``, what comes is kept and not used: whoever owns the connections should stop reading.
"""

from __future__ import annotations

from typing import Any

from leadglass.access.identity import IdentityRefusal
from leadglass.errors import LeadglassError, RemoteProtocolError
from leadglass.guard.client import Client
from leadglass.guard.dicomweb.archive_side import failed
from leadglass.guard.dicomweb.effects import AbortClient, CloseClient, Effect
from leadglass.guard.dicomweb.exchange import Exchange, client_of
from leadglass.guard.dicomweb.headers import Head
from leadglass.guard.dicomweb.line import Connections, TimeUpError
from leadglass.guard.dicomweb.managing import manage
from leadglass.guard.dicomweb.paths import Request, Service, parse
from leadglass.guard.dicomweb.ports import Door, Ports
from leadglass.guard.dicomweb.refused import Refused
from leadglass.guard.dicomweb.retrieving import retrieve
from leadglass.guard.dicomweb.searching import search
from leadglass.guard.dicomweb.storing import store

__all__ = ["Relay"]

_SERVICES = {
    Service.SEARCH: search,
    Service.RETRIEVE: retrieve,
    Service.URI: retrieve,
    Service.STORE: store,
    Service.WORKITEMS: manage,
}
_WITH_BODY = frozenset({Service.STORE, Service.WORKITEMS})
_MAY_ASK = {
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "Accept, Authorization, Content-Type",
    "Access-Control-Max-Age": "600",
}
_ABSENT = Refused(
    "what it takes to decide is not to be had now", 503, (("Retry-After", "30"),), rule="absent"
)


class _ClientGoneError(Exception):
    """The client has left: nothing of its request is to be done any more."""


class Relay:
    """One connection of a client."""

    def __init__(self, door: Door, ports: Ports, now: float) -> None:
        self._door = door
        self._ports = ports
        self._line = Connections(door, ports.posix, now)
        self.over = False
        """Whether there is nothing more to do."""
        self._head: Head | None = None
        self._request: Request | None = None
        self._who: Client | None = None
        self._work = self._run()
        self._resume(None)

    @property
    def deadline(self) -> float | None:
        """When to call ``timed_out``."""
        return self._line.deadline

    @property
    def asking(self) -> bool:
        """Whether a question is open."""
        return self._line.asking

    @property
    def idle(self) -> bool:
        """Whether no request is under way."""
        return self._head is None

    # What happens.

    def take(self) -> list[Effect]:
        """What is to be done now, in this order; told once."""
        effects, self._line.effects = self._line.effects, []
        return effects

    def client_data(self, data: bytes | memoryview, now: float) -> None:
        """The client sent something."""
        self._line.now = now
        self._line.client.receive(data)
        self._go_on()

    def client_closed(self, now: float) -> None:
        """The client has gone, or will send nothing more."""
        self._line.now = now
        self._throw(_ClientGoneError())

    def archive_data(self, data: bytes | memoryview, now: float) -> None:
        """The archive sent something; nothing: it has closed."""
        self._line.now = now
        if self._line.archive is not None:
            self._line.archive.receive(data)
            self._go_on()

    def answered(self, answer: Any, now: float) -> None:
        """The answer to the question that is open."""
        self._line.now = now
        if self.asking:
            self._resume(answer)

    def failed(self, error: LeadglassError, now: float) -> None:
        """There is no answer to it."""
        self._line.now = now
        if self.asking:
            self._throw(error)

    def timed_out(self, now: float) -> None:
        """``deadline`` has passed."""
        self._line.now = now
        if self.deadline is not None and now >= self.deadline:
            self._throw(TimeUpError())

    def resumed(self, now: float) -> None:
        """One side was not read from for a while, because the other was slow: that time does not count."""
        self._line.put_off(now)

    def _go_on(self) -> None:
        if not self.asking:
            self._resume(None)

    def _resume(self, value: Any) -> None:
        if not self.over:
            try:
                self._work.send(value)
            except StopIteration:
                self._end()

    def _throw(self, error: Exception) -> None:
        if not self.over:
            try:
                self._work.throw(error)
            except StopIteration:
                self._end()

    def _end(self) -> None:
        self.over = True
        self._line.deadline = None
        self._line.done_with_archive()

    # One request after the other.

    async def _run(self) -> None:
        try:
            while await self._exchange():
                pass
        except _ClientGoneError:
            self._line.effects.append(AbortClient())

    async def _exchange(self) -> bool:
        """Answer one request; whether there may be another."""
        try:
            self._head = await self._line.request_head()
            if self._head is not None:
                await self._serve(self._head)
        except Refused as refusal:
            self._refuse(refusal)
        except TimeUpError:
            self._refuse(self._too_slow())
        except RemoteProtocolError as exc:
            # The client's bytes are read by grammars that refuse, so these are the archive's.
            self._refuse(failed(f"sent what cannot be understood: {exc.what}"))
        except LeadglassError as exc:
            # Something of the guard's own is away: the look-up, the audit, the archive.
            self._tell(_ABSENT, exc.what)
            self._refuse(_ABSENT, told=True)
        finally:
            self._line.done_with_archive()
            self._head = self._request = self._who = None
        if not self._line.client.next_request():
            self._line.effects.append(CloseClient())
            return False
        return True

    async def _serve(self, head: Head) -> None:
        if head.asks_first and head.origin in self._door.origins and not head.has_body:
            # It has no token yet, and learns what the guard's file says of its page and nothing else.
            self._line.respond(204, _MAY_ASK, None)
            self._line.end()
            return
        broken: Refused | None = None
        try:
            self._request = parse(head.method, head.target, self._door.own, self._door.authorities)
        except Refused as refusal:
            broken = refusal
        # Whoever is not known learns nothing but that, whatever was asked.
        found = await client_of(self._line, self._ports, head)
        if isinstance(found, IdentityRefusal):
            self._ports.unknown(found)
            raise _stranger(head)
        self._who = found
        if broken is not None or self._request is None:
            raise broken or Refused("no request")
        self._check_body(self._request, head)
        exchange = Exchange(self._line, self._door, self._ports, head, self._request, found)
        await _SERVICES[self._request.service](exchange)

    def _check_body(self, request: Request, head: Head) -> None:
        if request.service not in _WITH_BODY and head.has_body:
            raise Refused("a body where none belongs", 400)
        if head.length is not None and head.length > self._door.largest_body:
            raise Refused("a body that is too large", 413)

    def _too_slow(self) -> Refused:
        archive = self._line.archive
        if archive is not None and (archive.touched or self._line.client.complete):
            return failed("did not answer in time", 504)
        return Refused("a request that came too slowly", 408, rule="slow")

    # Refusals.

    def _refuse(self, refusal: Refused, *, told: bool = False) -> None:
        """Answer with a status; where an answer has begun, break it off, so that it is not taken for whole."""
        if not told and refusal.rule != "identity":
            self._tell(refusal, refusal.what)
        if self._line.client.answered:
            return
        if self._line.responding:
            self._line.effects.append(AbortClient())
            return
        text = f"{refusal.what}\n".encode()
        headers = {"Content-Type": "text/plain; charset=utf-8", **dict(refusal.headers)}
        self._line.respond(refusal.status, headers, len(text))
        self._line.send(text)
        self._line.end()

    def _tell(self, refusal: Refused, why: str) -> None:
        try:
            self._ports.refused(self._who, self._request, why, refusal.rule)
        except LeadglassError:
            # It is refused all the same; that it cannot be written down is known to whoever writes.
            return


def _stranger(head: Head) -> Refused:
    """RFC 6750 clause 3."""
    error = ', error="invalid_token"' if head.authorization else ""
    challenge = (("WWW-Authenticate", f'Bearer realm="DICOMweb"{error}'),)
    return Refused("nobody is known by what came with this request", 401, challenge, rule="identity")
