"""C-FIND: the query is planned anew, and its matches are filtered one by one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from leadglass.access.budgets import Measure
from leadglass.errors import LeadglassError, RemoteProtocolError
from leadglass.guard.dimse import answers
from leadglass.guard.dimse.leg import Leg
from leadglass.guard.dimse.request import PENDING, Collected, even
from leadglass.guard.identifiers.attributes import lacking
from leadglass.guard.identifiers.encoding import substitute
from leadglass.guard.identifiers.find import FindFilter, FindPlan, plan_find
from leadglass.guard.identifiers.keys import STUDY_INSTANCE_UID
from leadglass.guard.identifiers.refusal import Refused
from leadglass.guard.identifiers.worklist import WorklistFilter, WorklistPlan, plan_worklist
from leadglass.guard.studies import Unknown
from leadglass.model.access import Action, Study
from leadglass.wire import uids
from leadglass.wire.command import encode_command
from leadglass.wire.dimse import DATA_SET, CCancelRQ, CFindRQ, CFindRSP, Message, has_data_set
from leadglass.wire.elements import Syntax
from leadglass.wire.fields import malformed
from leadglass.wire.streaming import Fragment

__all__ = ["Find"]

_MATCH = 64 * 1024
"""Bytes in one match."""
_TOLD_BY_SERIES = frozenset({"modalities", "institution", "referring_physician", "performing_physicians"})
"""What some archives tell of the series and not of the study: worth a question before a study is hidden."""


class Find(Collected):
    """A query, of studies or of a worklist."""

    repeats = True
    command: CFindRQ
    _filter: FindFilter | WorklistFilter

    async def carry_out(self, data_set: bytes | None) -> None:
        """Plan it, write it down, ask."""
        self._began = asyncio.get_running_loop().time()
        self._named: set[str] = set()  # studies that it names and was not shown
        self._shown = False
        self._ending = False
        self._match = bytearray()
        self._pending: CFindRSP | None = None
        self._encoded: tuple[int, bytes] | None = None
        self._cut = False
        worklist = self.command.affected_sop_class_uid == uids.MODALITY_WORKLIST_FIND
        self._action = Action.WORKLIST if worklist else Action.FIND
        if not self.desk.may_use(self._action):
            self.refuse(answers.NOT_AUTHORISED, "this service is not open to you", "service")
            return
        plan = self._planned(data_set or b"")
        if isinstance(plan, Refused):
            self.refuse(plan.status, plan.reason, "identifier")
            return
        await self._ask(plan, data_set or b"")

    def _planned(self, identifier: bytes) -> FindPlan | WorklistPlan | Refused:
        syntax = self.desk.syntax(self.context_id)
        self._needed = needed = self.desk.world.policy.needed(self.client.principal, self._action)
        if syntax is None:
            return Refused(answers.CANNOT_UNDERSTAND, "a transfer syntax that is not read")
        self._syntax: Syntax = syntax
        try:
            if self._action is Action.WORKLIST:
                return plan_worklist(identifier, syntax, needed)
            relational = self.desk.relational(self.command.affected_sop_class_uid)
            return plan_find(
                self.command.affected_sop_class_uid, identifier, syntax, needed, relational=relational
            )
        except RemoteProtocolError as exc:
            return Refused(answers.CANNOT_UNDERSTAND, exc.what)

    async def _ask(self, plan: FindPlan | WorklistPlan, identifier: bytes) -> None:
        world = self.desk.world
        if not world.spend(self.client, Measure.QUERIES, 1):
            self.refuse(answers.OUT_OF_RESOURCES, "over its budget of queries", "budget")
            return
        try:
            question = await self._prepared(plan)
            if question is None:
                return
            self.diary.queried(self._action, self._class, identifier, self.desk.syntax_uid(self.context_id))
            leg = await self.desk.archive_ready()
        except LeadglassError as exc:
            self.failed(answers.OUT_OF_RESOURCES, exc.what)
            return
        self.forward(leg, question)

    async def _prepared(self, plan: FindPlan | WorklistPlan) -> bytes | None:
        """What to ask the archive, and on which context."""
        if isinstance(plan, WorklistPlan):
            self._filter = WorklistFilter(plan, self._syntax)
            return plan.identifier
        self._filter = FindFilter(plan, self._syntax)
        self._named.update(plan.studies)
        if plan.fold:
            folding = self.desk.folding(self.context_id)
            if folding is None:
                self.refuse(answers.CANNOT_UNDERSTAND + 1, "the archive has no study root query", "model")
                return None
            self.upstream_context = folding
        self.command = CFindRQ(self.message_id, plan.sop_class, self.command.priority)
        return await self._without_forbidden(plan)

    async def _without_forbidden(self, plan: FindPlan) -> bytes:
        """A study that may not be seen is asked for as one that does not exist."""
        world = self.desk.world
        named = plan.studies if plan.level != "STUDY" else ()
        await self._known(named)
        hidden = {uid: world.mint() for uid in named if not self._visible(world.studies.known(uid))}
        return (
            substitute(plan.identifier, self._syntax, STUDY_INSTANCE_UID, hidden)
            if hidden
            else plan.identifier
        )

    async def _known(self, uids_: Iterable[str]) -> None:
        for uid in uids_:
            await self.desk.world.studies.study(uid)

    def _visible(self, study: Study | Unknown | None) -> bool:
        if study is None or isinstance(study, Unknown):
            return False
        return self.desk.world.decide(self.client, self._action, study).allowed

    # Matches.

    def response(self, command: Message) -> None:
        """A match begins, or there are no more."""
        assert isinstance(command, CFindRSP)
        if self._ending:
            return
        if command.status in PENDING and has_data_set(command):
            self._pending = command
            self._match.clear()
            return
        full = self._cut or (isinstance(self._filter, FindFilter) and self._filter.full)
        status = answers.OUT_OF_RESOURCES if full else command.status
        self._ending = True
        if self._shown and not self._named:
            self._end(status)
        else:
            self.desk.begin(self._end_evenly(status))

    async def _end_evenly(self, status: int) -> None:
        await even(self._began)
        self._end(status)

    def _end(self, status: int) -> None:
        response = CFindRSP(self.message_id, status, affected_sop_class_uid=self._class)
        self.desk.client.send(self.context_id, response)
        self.finish()

    def failed(self, status: int, why: str) -> None:
        """The archive went away: that matters unless it had answered."""
        if not self._ending:
            super().failed(status, why)

    @property
    def _class(self) -> str:
        return self.desk.contexts.abstract_syntax(self.context_id)

    def response_piece(self, piece: Fragment) -> None:
        """A piece of a match."""
        held, data = self._match, piece.data
        if len(held) + len(data) > _MATCH:
            raise malformed(f"a match with more than {_MATCH} bytes")
        if held or not piece.ends:
            held += data
        if piece.ends:
            self._judge(bytes(held or data))

    def _judge(self, match: bytes) -> None:
        if isinstance(self._filter, WorklistFilter):
            self._decide(self._filter.study_of(match), match)
            return
        study, uid = self._filter.study_of(match)
        if study is not None:
            if self._visible(study):
                self._tell(study, match)
                return
            if not lacking(study, self._needed & _TOLD_BY_SERIES):
                return
        if uid is not None:
            known = self.desk.world.studies.known(uid)
            if isinstance(known, Unknown):
                self._wait_for(uid, match)
            else:
                self._decide(known, match)

    def _wait_for(self, uid: str, match: bytes) -> None:
        leg = self.desk.archive
        assert leg is not None
        leg.hold("study")
        self.desk.begin(self._looked_up(leg, uid, match))

    async def _looked_up(self, leg: Leg, uid: str, match: bytes) -> None:
        try:
            study = await self.desk.world.studies.study(uid)
        except LeadglassError:
            study = None  # what cannot be had is unlabelled, and unlabelled is hidden
        self._decide(study, match)
        leg.go_on("study")

    def _decide(self, study: Study | None, match: bytes) -> None:
        if study is not None and self._visible(study):
            self._tell(study, match)

    def _tell(self, study: Study, match: bytes) -> None:
        if self.over or self._ending or self._cut:
            return
        self._shown = True
        self._named.discard(study.study_instance_uid)
        if not self._spend(study):
            self._cut_off()
            return
        shown = self._filter.visible(match)
        if shown is not None:
            self.desk.client.send_encoded(self.context_id, self._command_set(), shown)

    def _command_set(self) -> bytes:
        """The response that a match comes with; it differs from match to match in its status at most."""
        pending = self._pending
        assert pending is not None
        if self._encoded is None or self._encoded[0] != pending.status:
            response = CFindRSP(
                self.message_id,
                pending.status,
                affected_sop_class_uid=self._class,
                command_data_set_type=DATA_SET,
            )
            self._encoded = (pending.status, encode_command(response))
        return self._encoded[1]

    def _cut_off(self) -> None:
        # The client is answered when the archive has ended: it may use the message id again then.
        self._cut = True
        self.diary.refused(self._action, "over its budget", ("budget",))
        if self.desk.archive is not None:
            self.desk.archive.send(self.upstream_context, CCancelRQ(self.message_id))

    def _spend(self, study: Study) -> bool:
        world, client = self.desk.world, self.client
        if world.budgets.unlimited:
            return True
        enough = world.spend(client, Measure.MATCHES, 1) and world.spend(
            client, Measure.STUDIES, study.study_instance_uid
        )
        return enough and (
            study.patient_id is None or world.spend(client, Measure.PATIENTS, study.patient_id)
        )
