"""C-MOVE and C-GET: what may not be seen is asked for under a name that nothing has.

So the archive itself answers for a hidden study as it answers for one that does not exist, and
nobody can ask for existence.
"""

from __future__ import annotations

import asyncio

from leadglass.access.budgets import Measure
from leadglass.errors import LeadglassError, RemoteProtocolError
from leadglass.guard.dimse import answers
from leadglass.guard.dimse.request import Collected, even
from leadglass.guard.identifiers.refusal import Refused
from leadglass.guard.identifiers.retrieve import RetrievePlan, as_studies, nobody, permitted, plan_retrieve
from leadglass.model.access import Action, Node, Study
from leadglass.wire.dimse import CGetRQ, CMoveRQ
from leadglass.wire.elements import Syntax

__all__ = ["Retrieve"]

_UNKNOWN_DESTINATION = 0xA801


class Retrieve(Collected):
    """A retrieval, to the client itself or to a destination."""

    repeats = True
    command: CMoveRQ | CGetRQ

    async def carry_out(self, data_set: bytes | None) -> None:
        """Check the service and the destination, then every unique key."""
        self._action = Action.MOVE if isinstance(self.command, CMoveRQ) else Action.GET
        self._began = asyncio.get_running_loop().time()
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
        if not world.left(self.client, Measure.BYTES):
            return Refused(answers.UNABLE_TO_PERFORM, "over its budget of bytes")
        found = await self._found(plan)
        self._visible = visible = [study for study in found if self._permits(study)]
        if not world.spend_studies(self.client, visible):
            return Refused(answers.UNABLE_TO_PERFORM, "over its budget")
        hidden = await self._hidden(plan)
        if hidden or plan.level == "PATIENT":
            self._tell_refused(plan, [study for study in found if study not in visible], hidden)
            await even(self._began)
        if plan.level == "PATIENT":
            return as_studies(plan, sorted(self._uids), syntax) if visible else nobody(syntax, world.mint())
        return permitted(plan, syntax, {uid: world.mint() for uid in hidden})

    async def _found(self, plan: RetrievePlan) -> list[Study]:
        """What is there of what it names."""
        studies = self.desk.world.studies
        if plan.level == "PATIENT":
            return await studies.of_patient(plan.patients[0], plan.charset)
        return [study for uid in plan.studies if (study := await studies.study(uid)) is not None]

    def _tell_refused(self, plan: RetrievePlan, refused: list[Study], hidden: list[str]) -> None:
        """The archive answers as if it were not there; the audit says what was asked for."""
        if refused:
            self.diary.refused(self._action, "not permitted for this study", ("hidden",), refused)
        elif hidden and plan.level != "STUDY" and self._visible:
            self.diary.refused(self._action, "not of this study", ("hidden",), self._visible)

    async def _hidden(self, plan: RetrievePlan) -> list[str]:
        """The UIDs that are not known to be permitted; a study above the level goes with all below it."""
        if plan.level == "PATIENT":
            return []
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
        destination, asking = command.move_destination.strip(), self.client.principal
        who = f"{asking.kind.value}:{asking.name}"
        try:
            await world.moves.expect(
                destination, self.client.calling, self.message_id, who, sorted(self._uids)
            )
        except LeadglassError:
            if world.emergency(self.client) is None:
                raise

    def ended(self, why: str) -> None:
        """Written down once more, with the end."""
        if self._visible and self._sent:
            self.diary.retrieved(self._action, self._visible, self._destination, why)
