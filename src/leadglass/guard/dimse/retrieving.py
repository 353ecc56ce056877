"""C-MOVE and C-GET: what may not be seen is asked for under a name that nothing has.

So the archive itself answers for a hidden study as it answers for one that does not exist, and
nobody can ask for existence.
"""

from __future__ import annotations

from leadglass.errors import LeadglassError, RemoteProtocolError
from leadglass.guard.dimse import answers
from leadglass.guard.dimse.request import Collected
from leadglass.guard.identifiers.refusal import Refused
from leadglass.guard.identifiers.retrieve import RetrievePlan, as_studies, nobody, permitted, plan_retrieve
from leadglass.model.access import Action, Node, Study
from leadglass.wire.dimse import CGetRQ, CMoveRQ
from leadglass.wire.elements import Syntax

__all__ = ["Retrieve"]

_UNKNOWN_DESTINATION = 0xA801


class Retrieve(Collected):
    """A retrieval, to the client itself or to a destination."""

    command: CMoveRQ | CGetRQ

    async def carry_out(self, data_set: bytes | None) -> None:
        """Check the service and the destination, then every unique key."""
        self._action = Action.MOVE if isinstance(self.command, CMoveRQ) else Action.GET
        self._visible: list[Study] = []
        self._sent = False
        if not self.desk.may_use(self._action):
            self.refuse(answers.NOT_AUTHORISED, "this service is not open to you", "service")
            return
        if isinstance(self.command, CMoveRQ) and not self._known_destination(self.command):
            self.refuse(_UNKNOWN_DESTINATION, "the destination is not enrolled", "destination")
            return
        await self._plan(data_set or b"")

    @property
    def _uids(self) -> set[str]:
        return {study.study_instance_uid for study in self._visible}

    @property
    def _destination(self) -> str | None:
        return self.command.move_destination.strip() if isinstance(self.command, CMoveRQ) else None

    def _known_destination(self, command: CMoveRQ) -> bool:
        world = self.desk.world
        title = command.move_destination.strip()
        return (
            world.destination(title) is not None
            and world.decide(self.client, Action.MOVE, Node(title)).allowed
        )

    async def _plan(self, identifier: bytes) -> None:
        syntax = self.desk.syntax(self.context_id)
        try:
            plan = (
                Refused(answers.CANNOT_UNDERSTAND, "a transfer syntax that is not read")
                if syntax is None
                else plan_retrieve(self.command.affected_sop_class_uid, identifier, syntax)
            )
        except RemoteProtocolError as exc:
            plan = Refused(answers.CANNOT_UNDERSTAND, exc.what)
        if isinstance(plan, Refused):
            self.refuse(plan.status, plan.reason, "identifier")
            return
        assert syntax is not None
        try:
            question = await self._question(plan, syntax)
            if isinstance(question, Refused):
                self.refuse(question.status, question.reason, "budget")
                return
            await self._send(question)
        except LeadglassError as exc:
            self.failed(answers.UNABLE_TO_PERFORM, exc.what)

    async def _question(self, plan: RetrievePlan, syntax: Syntax) -> bytes | Refused:
        """The identifier for the archive."""
        world = self.desk.world
        if plan.level == "PATIENT":
            found = await world.studies.of_patient(plan.patients[0], plan.charset)
        else:
            found = [study for uid in plan.studies if (study := await world.studies.study(uid)) is not None]
        visible = [study for study in found if self._permits(study)]
        self._visible = visible
        if not world.spend_studies(self.client, visible):
            return Refused(answers.UNABLE_TO_PERFORM, "over its budget")
        if plan.level == "PATIENT":
            return as_studies(plan, sorted(self._uids), syntax) if visible else nobody(syntax, world.mint())
        hidden = await self._hidden(plan)
        return permitted(plan, syntax, {uid: world.mint() for uid in hidden})

    async def _hidden(self, plan: RetrievePlan) -> list[str]:
        """The UIDs that are not known to be permitted; a study above the level goes with all below it."""
        contains = self.desk.world.studies.contains
        hidden = [uid for uid in plan.studies if uid not in self._uids]
        if hidden and plan.level != "STUDY":
            return [*plan.studies, *plan.series, *plan.instances]
        study = plan.studies[0]
        if plan.level == "SERIES":
            hidden = [uid for uid in plan.series if not await contains(study, uid, "")]
        elif plan.level == "IMAGE":
            hidden = [uid for uid in plan.instances if not await contains(study, plan.series[0], uid)]
        return hidden

    def _permits(self, study: Study) -> bool:
        return self.desk.world.decide(self.client, self._action, study).allowed

    async def _send(self, question: bytes) -> None:
        self.diary.retrieving(self._action, self._visible, self._destination)
        if isinstance(self.command, CMoveRQ):
            await self._expect(self.command)
        else:
            self.brings = frozenset(self._uids)
        leg = await self.desk.archive_ready()
        self._sent = True
        self.forward(leg, question)

    async def _expect(self, command: CMoveRQ) -> None:
        world = self.desk.world
        destination, principal = command.move_destination.strip(), self.client.principal.name
        try:
            await world.moves.expect(
                destination, self.client.calling, self.message_id, principal, sorted(self._uids)
            )
        except LeadglassError:
            if world.emergency(self.client) is None:
                raise

    def ended(self, why: str) -> None:
        """Written down once more, with the end."""
        if self._visible and self._sent:
            self.diary.retrieved(self._action, self._visible, self._destination, why)
