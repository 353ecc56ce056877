"""Associations that the archive opens: what a C-MOVE sends to a destination, and commitment reports.

The archive knows one address for all destinations, the guard's; the called title says which is meant.
What it sends must have been asked for by somebody who was allowed to: the Move Originator of each
object (PS3.7 9.1.1.1.7) names a C-MOVE that the guard let through, and the object must be of a study
that was permitted then. Anything else is up to the policy for the archive as a service.
"""

from __future__ import annotations

import asyncio
import ipaddress
from dataclasses import replace

from leadglass.access.admission import Refusal
from leadglass.errors import LeadglassError
from leadglass.guard.client import Client
from leadglass.guard.dimse import answers
from leadglass.guard.dimse.gateway import Gateway
from leadglass.guard.dimse.plain import Passed
from leadglass.guard.dimse.request import Desk, Refused, Request
from leadglass.guard.dimse.storing import Store
from leadglass.guard.moves import Move
from leadglass.guard.world import World
from leadglass.model.access import Action, Kind, Principal, Study
from leadglass.model.enrolment import Enrolled
from leadglass.wire.dimse import CEchoRQ, CStoreRQ, Message, NEventReportRQ
from leadglass.wire.pdu import AAssociateRQ
from leadglass.wire.streaming import Fragment

__all__ = ["Return"]

_MOVES = 1024
"""Moves remembered in one association."""
_CALLED = (1, 1, 7)
_CALLING = (1, 1, 3)


class Return(Gateway):
    """An association of the archive's, to a destination that is enrolled."""

    def __init__(self, world: World, address: str, *, tls: bool) -> None:
        super().__init__(world, address, tls=tls)
        self.moves: dict[tuple[str, int], Move] = {}
        self._to: Enrolled | None = None

    def still_welcome(self) -> bool:
        """The archive is not on the roll, but its destination is."""
        who, to = self.who, self._to
        if who is None or to is None:
            return True
        now = self.world.destination(who.called)
        if now is None:
            return False
        return (now.name, now.address) == (to.name, to.address) and to.certificates <= now.certificates

    async def _identify(self, rq: AAssociateRQ) -> Client | None:
        found = self._destination(rq)
        if isinstance(found, Refusal):
            self._turn_away(rq, found.reason, found.rule, (found.result, found.source, found.diagnostic))
            return None
        calling, called = rq.calling_ae_title.strip(), rq.called_ae_title.strip()
        self._to = found
        try:  # its name may have to be looked up
            self.line = await asyncio.to_thread(self.world.line_to, found)
        except LeadglassError as exc:
            self._turn_away(rq, str(exc), "unavailable", (2, 3, 1))
            return None
        archive = Principal(Kind.SERVICE, calling, frozenset({"archive"}), titles=frozenset({calling}))
        entry = Enrolled(calling, Kind.SERVICE, (calling,), self.world.archive_networks, roles=("archive",))
        return Client(archive, entry, self.peer, calling, called)

    def _destination(self, rq: AAssociateRQ) -> Enrolled | Refusal:
        world = self.world
        address = ipaddress.ip_address(self.peer.address)
        if not any(address in ipaddress.ip_network(network) for network in world.archive_networks):
            return Refusal("this address is not the archive's", *_CALLING, "archive-network")
        if rq.calling_ae_title.strip() not in world.titles:
            return Refusal("the calling title is not the archive's", *_CALLING, "archive-title")
        found = world.destination(rq.called_ae_title.strip())
        if found is None:
            return Refusal("the destination is not enrolled", *_CALLED, "destination")
        return found

    def request_for(self, context_id: int, command: Message) -> Request:
        """What becomes of the archive's command."""
        if isinstance(command, CStoreRQ):
            return Carried(self, context_id, command)
        if isinstance(command, CEchoRQ | NEventReportRQ):
            return Passed(self, context_id, command)
        why = "this operation is not carried for an archive"
        return Refused(self, context_id, command, answers.UNRECOGNISED_OPERATION, why)


class Carried(Store):
    """An object on its way from the archive to a destination."""

    desk: Return

    def __init__(self, desk: Desk, context_id: int, command: CStoreRQ) -> None:
        super().__init__(desk, context_id, command)
        self._move: Move | None = None

    def _decide(self, study: Study, piece: Fragment) -> None:
        claim = self._claim
        known = None if claim is None else self.desk.moves.get(claim)
        # A number is used again: for what it did not stand for before, it is looked up anew.
        if claim is None or (known is not None and study.study_instance_uid in known.studies):
            self._move = known
            super()._decide(study, piece)
            return
        self.desk.client.hold("request")
        self.desk.begin(self._look_up(claim, study, piece._replace(data=memoryview(bytes(piece.data)))))

    @property
    def _claim(self) -> tuple[str, int] | None:
        originator = self.command.move_originator_application_entity_title
        number = self.command.move_originator_message_id
        return None if originator is None or number is None else (originator.strip(), number)

    async def _look_up(self, claim: tuple[str, int], study: Study, piece: Fragment) -> None:
        if len(self.desk.moves) >= _MOVES:
            self.desk.moves.clear()
        try:
            self._move = await self.desk.world.moves.claimed(self.client.called, *claim)
        except LeadglassError as exc:
            self._deny(answers.OUT_OF_RESOURCES, exc.what, piece)
            self.desk.client.go_on("request")
            return
        if self._move is not None:
            self.desk.moves[claim] = self._move
        self._study = study
        await self._ask(study, piece)

    @property
    def _spender(self) -> Client:
        """Who asked for the object; the archive itself where nobody did."""
        if self._move is None:
            return self.client
        kind, _, name = self._move.principal.partition(":")
        return replace(self.client, principal=Principal(Kind(kind), name))

    def _present(self, study: Study) -> Study | None:
        return None  # it is the archive's own

    def _may(self, study: Study) -> tuple[bool, str]:
        move = self._move
        if move is not None:
            return study.study_instance_uid in move.studies, "move"
        decision = self.desk.world.decide(self.client, Action.STORE, study)
        return decision.allowed and self._claim is None, decision.reason
