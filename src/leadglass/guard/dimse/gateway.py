"""One client of the DIMSE door, and the association to the archive that serves it.

The gateway decides nothing by itself: ``World`` knows policy, people and budgets, and the requests in
``requests`` know what each service needs. It keeps the two associations in step: the archive is dialled
when a permitted message is complete, let go when nothing is under way, and dropped when the client is.
What the archive cannot answer is answered here, so that no client is left waiting.

One file because admission, messages, flow and ends change the same state, and each end has to undo all of it.
"""

from __future__ import annotations

import asyncio
import hashlib
import socket
import ssl
from collections.abc import Callable, Coroutine
from typing import Any

from leadglass.access.admission import Peer, Refusal, admit, principal_of
from leadglass.access.budgets import Measure
from leadglass.access.identity import IdentityRefusal, named_by
from leadglass.errors import LeadglassError, TransportError
from leadglass.guard.channel import Channel
from leadglass.guard.client import Client
from leadglass.guard.dimse import answers
from leadglass.guard.dimse.archive import Answer
from leadglass.guard.dimse.contexts import Contexts, acceptance, action_of, proposal_of, wanted_by
from leadglass.guard.dimse.inward import Inward, inward_for
from leadglass.guard.dimse.leg import Leg
from leadglass.guard.dimse.request import Request
from leadglass.guard.dimse.requests import request_for
from leadglass.guard.dimse.upstream import Upstream
from leadglass.guard.identifiers.head import Heads
from leadglass.guard.trail import Diary
from leadglass.guard.world import World
from leadglass.model.access import Action, Node
from leadglass.model.enrolment import User
from leadglass.wire.association import Role
from leadglass.wire.dimse import CCancelRQ, Message, has_data_set
from leadglass.wire.elements import Syntax, syntax_of
from leadglass.wire.fields import malformed
from leadglass.wire.pdu import AAssociateAC, AAssociateRQ, UserIdentityRQ
from leadglass.wire.streaming import Fragment

__all__ = ["Gateway"]

_ARTIM = 10.0
_IDLE = 15.0
"""Seconds that a PDU may take, and the pause between two of one message."""
_FOREVER = float("inf")
_OUTSTANDING = 64
"""Requests under way; more have to wait."""


class Gateway:
    """The keeper of both legs."""

    def __init__(self, world: World, address: str, *, tls: bool) -> None:
        """A client at ``address`` has connected; ``tls`` says through which door."""
        self.left: Callable[[], None] = _nothing
        """Called when the client has gone."""
        self.world = world
        self.line = world.archive
        self.upstream: Upstream | None = None
        self.peer = Peer(address, None, tls)
        self.client = Leg(Role.ACCEPTOR, self, artim=_ARTIM, idle=_IDLE)
        self.client.allowance = world.silence
        self.who: Client | None = None
        self._user: User | None = None  # the person, if one of the roll
        self.diary: Diary | None = None
        self.contexts: Contexts
        self._syntaxes: dict[int, str | None] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.heads = Heads()
        self.outstanding: dict[int, Request] = {}
        self._receiving: Request | None = None  # whose data set comes from the client
        self._sending: Request | None = None  # whose response's data set comes from the archive
        self.inward: dict[int, Inward] = {}
        self._inward_receiving: Inward | None = None

    # The client's association.

    def enter(self, sock: socket.socket, tls: ssl.SSLContext | None) -> None:
        """Begin with its connection; with ``tls``, by shaking hands."""
        self.client.channel = channel = Channel(sock, self.client)
        self.world.gateways.add(self)
        if tls is None:
            channel.start()
        else:
            channel.start_tls(tls, server=True, name=None, patience=_ARTIM)

    @property
    def idle(self) -> bool:
        """Whether nothing of this client is under way."""
        return not self.outstanding and not self.inward and self._receiving is None

    def still_welcome(self) -> bool:
        """Whether the roll still lets this client in as it came, as the same, with the same rights."""
        who, world = self.who, self.world
        if who is None:
            return True
        found = admit(who.calling, who.called, who.peer, world.roll, world.titles, world.now())
        if isinstance(found, Refusal) or principal_of(found) != principal_of(who.enrolled):
            return False
        user = self._user
        return user is None or (found.users == who.enrolled.users and world.roll.users.get(user.name) == user)

    def requested(self, leg: Leg, rq: AAssociateRQ) -> None:
        """A client asks for an association: find out who it is."""
        assert leg.channel is not None
        certificate = leg.channel.peer_certificate
        if certificate is not None:
            self.peer = Peer(self.peer.address, hashlib.sha256(certificate).hexdigest(), self.peer.tls)
        leg.hold("admission")
        self.begin(self._admit(rq))

    async def _admit(self, rq: AAssociateRQ) -> None:
        who = await self._identify(rq)
        if who is None:
            return
        self.who = who
        if not self.still_welcome():  # it took a while to find out who this is
            self._turn_away(rq, "the roll has changed in the meantime", "roll", (2, 3, 1))
            return
        wanted = wanted_by(rq)
        allowed = [action for action in Action if action in wanted and self.world.offers(who, action)]
        self.contexts = Contexts.of(rq, allowed)
        if not self.contexts.passed and self.world.stale_since is not None:
            self._turn_away(rq, "only care goes on while the guard is out of date", "stale", (2, 3, 1))
            return
        proposal = proposal_of(who.calling, who.called, rq, self.contexts)
        self.upstream = Upstream(self, self.line, proposal, lambda: self.client.go_on("flow"))
        try:
            answer = await self.upstream.negotiated()
            self.diary = self.world.diary(who)
            asked = [action_of(context.abstract_syntax) for context in self.contexts.passed]
            self.diary.begun(action for action in allowed if action in asked)
            self._tell_withheld(who)
        except LeadglassError as exc:
            self._turn_away(rq, str(exc), "unavailable", (2, 3, 1))
            return
        self._accept(rq, answer)

    def _tell_withheld(self, who: Client) -> None:
        assert self.diary is not None
        for action, syntax in self.contexts.withheld.items():
            if action is None:
                self.diary.refused(None, f"no such service is let through: {syntax}", ())
            else:
                denied = self.world.decide(who, action, Node(who.called))
                self.diary.refused(action, denied.reason, denied.rules)

    async def _identify(self, rq: AAssociateRQ) -> Client | None:
        world = self.world
        found = admit(
            rq.calling_ae_title, rq.called_ae_title, self.peer, world.roll, world.titles, world.now()
        )
        if isinstance(found, Refusal):
            self._turn_away(rq, found.reason, found.rule, (found.result, found.source, found.diagnostic))
            return None
        item = rq.user_information.user_identity
        claimed = item if isinstance(item, UserIdentityRQ) else None
        roll = world.roll
        believed = await world.people.associating(claimed, found, self.peer, roll)
        calling, called = rq.calling_ae_title.strip(), rq.called_ae_title.strip()
        if isinstance(believed, IdentityRefusal):
            person = None if claimed is None else named_by(claimed)
            world.trail.disbelieved(
                self.peer,
                (calling, called),
                believed.reason,
                believed.rule,
                device=found.name,
                person=person,
            )
            self._reject(1, 2, 1)
            return None
        if believed.until is None and claimed is not None:
            self._user = roll.users.get(believed.principal.name)
        ends = [moment for moment in (believed.until, found.until) if moment is not None]
        who = Client(believed.principal, found, self.peer, calling, called, min(ends, default=None))
        if not world.spend(who, Measure.ASSOCIATIONS, 1):
            self._turn_away(rq, "over its budget of associations", "budget", (2, 3, 2))
            return None
        return who

    def _accept(self, rq: AAssociateRQ, answer: Answer) -> None:
        if self.client.over:
            return
        self._syntaxes = {c.context_id: c.transfer_syntax for c in answer.contexts if c.result == 0}
        item = rq.user_information.user_identity
        confirmed = isinstance(item, UserIdentityRQ) and item.positive_response_requested
        self.client.accept(acceptance(rq, answer, identity_confirmed=confirmed))
        self.client.go_on("admission")
        self.rest()

    def _turn_away(self, rq: AAssociateRQ, why: str, rule: str, answer: tuple[int, int, int]) -> None:
        self.world.trail.turned_away(
            self.peer, rq.calling_ae_title.strip(), rq.called_ae_title.strip(), why, rule
        )
        self._reject(*answer)

    def _reject(self, result: int, source: int, diagnostic: int) -> None:
        self.client.reject(result, source, diagnostic)
        self.client.go_on("admission")

    # The archive's association.

    @property
    def archive(self) -> Leg | None:
        """The association to the archive, if there is one."""
        return None if self.upstream is None else self.upstream.leg

    @property
    def archive_reused(self) -> bool:
        """Whether that association had been open when it was wanted last."""
        return self.upstream is not None and self.upstream.reused

    async def archive_ready(self) -> Leg:
        """The association to the archive, opened if it is not; ``TransportError`` if there is none."""
        if self.client.over or self.upstream is None:
            raise TransportError("the client has gone")
        return await self.upstream.ready()

    def accepted(self, leg: Leg, ac: AAssociateAC) -> None:
        """The archive accepted."""
        if self.upstream is not None and leg is self.upstream.leg:
            self.upstream.accepted(ac)

    def rest(self) -> None:
        """Let the archive go when nothing is under way for a while."""
        idle = not self.outstanding and not self.inward and self._receiving is None
        self.client.allowance = (
            self.world.silence if idle else _FOREVER
        )  # it waits for the archive, which is bounded
        if self.upstream is not None:
            self.upstream.rest(idle=idle)

    # Messages.

    def message(self, leg: Leg, context_id: int, command: Message) -> None:
        """A command is complete."""
        if leg is self.client:
            self._asked(context_id, command)
        elif leg is self.archive:
            self._answered(context_id, command)

    def _asked(self, context_id: int, command: Message) -> None:
        if isinstance(command, CCancelRQ):
            self._cancel(command)
            return
        responded = getattr(command, "message_id_being_responded_to", None)
        if responded is not None:
            self._returned(responded, command)
            return
        if command.message_id in self.outstanding:  # type: ignore[union-attr]  # all others have one
            raise malformed("a message id is used again while its request is under way")
        request = self.request_for(context_id, command)
        self._receiving = request if has_data_set(command) else None
        request.begun()

    def _returned(self, responded: int, command: Message) -> None:
        inward = self.inward.pop(responded, None)
        if inward is None:
            return  # the archive has gone in the meantime
        if not answers.fits(inward.command, command) or has_data_set(command):
            raise malformed("a response of another kind than the request")
        inward.responded(command)
        self.rest()

    def request_for(self, context_id: int, command: Message) -> Request:
        """What becomes of a client's command."""
        return request_for(self, context_id, command)

    def _cancel(self, command: CCancelRQ) -> None:
        request = self.outstanding.get(command.message_id_being_responded_to)
        if request is not None and self.archive is not None:
            self.archive.send(request.upstream_context, CCancelRQ(request.message_id))

    def _answered(self, context_id: int, command: Message) -> None:
        responded = getattr(command, "message_id_being_responded_to", None)
        if responded is None:
            if len(self.inward) >= _OUTSTANDING:
                raise malformed("more requests than a client could answer")
            self._inward_receiving = inward_for(self, context_id, command)
            self._sending = None
            for waiting in self.outstanding.values():
                waiting.heard = True  # it may be a part of any answer
            self._inward_receiving.begun()
            return
        request = self.outstanding.get(responded)
        self._sending = request
        self._inward_receiving = None
        if request is None:
            return  # its client was answered already
        if not answers.fits(request.command, command):
            raise malformed("a response of another kind than the request")
        request.heard = True
        request.response(command)

    def data(self, leg: Leg, piece: Fragment) -> None:
        """A piece of a data set."""
        if leg is self.client:
            if self._receiving is not None:
                request = self._receiving
                if piece.ends:
                    self._receiving = None
                request.piece(piece)
                if piece.ends:
                    self.rest()  # it may have been answered before it ended
        elif leg is self.archive:
            target = self._inward_receiving or self._sending
            if target is not None:
                target.response_piece(piece)

    def syntax(self, context_id: int) -> Syntax | None:
        """How data sets on this context are written; None if nobody here can read them."""
        uid = self._syntaxes.get(context_id)
        return None if uid is None else syntax_of(uid)

    def syntax_uid(self, context_id: int) -> str | None:
        """The transfer syntax of a context."""
        return self._syntaxes.get(context_id)

    def folding(self, context_id: int) -> int | None:
        """The guard's own context for queries about patients, if it is written like ``context_id``."""
        own = self.contexts.folding
        if own is None or self._syntaxes.get(own) != self._syntaxes.get(context_id):
            return None
        return own

    def may_use(self, action: Action) -> bool:
        """Whether the service itself is open to this client."""
        return self.who is not None and self.world.offers(self.who, action)

    def started(self, request: Request) -> None:
        """A request went to the archive."""
        self.outstanding[request.message_id] = request
        if len(self.outstanding) >= _OUTSTANDING:
            self.client.hold("crowd")
        self.rest()

    def finished(self, request: Request) -> None:
        """A request has its last response."""
        self.outstanding.pop(request.message_id, None)
        if len(self.outstanding) < _OUTSTANDING:
            self.client.go_on("crowd")
        self.rest()

    @property
    def retrieving(self) -> frozenset[str]:
        """The studies that C-GET may bring now."""
        return frozenset(uid for request in self.outstanding.values() for uid in request.brings)

    def relational(self, sop_class_uid: str) -> bool:
        """Whether relational queries were negotiated for this class (PS3.4 C.5.1.1)."""
        answer = None if self.upstream is None else self.upstream.answer
        return any(
            e.sop_class_uid == sop_class_uid and e.service_class_application_information[:1] == b"\1"
            for e in (answer.extended if answer else ())
        )

    # Flow.

    def drained(self, leg: Leg) -> None:
        """One side reads again: so does the other."""
        if leg is self.client:
            leg.go_on("answers")
            if self.archive is not None:
                self.archive.go_on("flow")
        elif leg is self.archive:
            self.client.go_on("flow")

    def round_over(self) -> None:
        """Send what has come together, and keep back whoever sends faster than the other reads."""
        self.client.flush()
        # Who does not read its answers is not heard: those that are given here are held by no archive.
        (self.client.hold if self.client.behind else self.client.go_on)("answers")
        archive = self.archive
        if archive is not None:
            archive.flush()
            if archive.congested:
                self.client.hold("flow")
            if self.client.congested:
                archive.hold("flow")

    # Ends.

    def release_asked(self, leg: Leg) -> None:
        """An orderly end."""
        leg.release_reply()
        if leg is self.client:
            self._leave_archive("")
        elif leg is self.archive:
            self._archive_gone("the archive ended the association")

    def gone(self, leg: Leg, why: str) -> None:
        """An association is over."""
        if leg is self.client:
            self._client_gone(why)
        elif leg is self.archive:
            self._archive_gone(why or "the archive ended the association", fault=leg.fault)

    def _client_gone(self, why: str) -> None:
        for task in self._tasks:
            task.cancel()
        self._leave_archive(why)
        for request in list(self.outstanding.values()):
            request.over = True
            request.ended("the client has gone")
        self.outstanding.clear()
        if self.diary is not None:
            if self.client.fault:
                self.diary.refused(None, why, ("protocol",))
            self.diary.ended(why)
        elif why and self.who is None:
            self.world.trail.stranger(self.peer, why)
        self.world.gateways.discard(self)
        self.left()

    def _leave_archive(self, why: str) -> None:
        if self.upstream is not None:
            (self.upstream.drop if why or self.outstanding else self.upstream.release)()

    def _archive_gone(self, why: str, *, fault: bool = False) -> None:
        if self.upstream is None or not self.upstream.lost(why):
            return
        self.inward.clear()
        self._inward_receiving = self._sending = None
        if self.client.within:  # half an object cannot be taken back
            self.client.abort(0, 0)
            return
        waiting = list(self.outstanding.values())
        crossed = [] if fault else [request for request in waiting if request.crossed]
        for request in waiting:
            if request not in crossed:
                request.failed(answers.away(request.command), "the archive ended the association")
        if crossed:
            self.client.hold("archive")
            self.begin(self._ask_again(crossed))
        self.client.go_on("flow")
        self.client.flush()

    async def _ask_again(self, requests: list[Request]) -> None:
        """The archive ended an idle association while these were on their way: once more, on a new one."""
        try:
            leg = await self.archive_ready()
        except LeadglassError as exc:
            for request in requests:
                request.failed(answers.away(request.command), exc.what)
        else:
            for request in requests:
                request.again(leg)
        self.client.go_on("archive")

    # Work that has to wait for somebody.

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something that takes time; a mistake in it ends the client's association."""
        task = asyncio.get_running_loop().create_task(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: work.close())  # it may be cancelled before it has begun

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
            self.round_over()
        except Exception as exc:  # noqa: BLE001 - our own mistake must not leave a door open or a client waiting
            self.mistaken(exc)

    def mistaken(self, exc: Exception) -> None:
        """A mistake of ours: nobody can say what the client would be told next."""
        self.world.mistake(exc)
        self.client.abort(0, 0)


def _nothing() -> None:
    """Nobody wants to know."""
