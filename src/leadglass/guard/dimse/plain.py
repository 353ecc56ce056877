"""Requests that carry no object and find none: verification, storage commitment, performed procedure steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from leadglass.errors import LeadglassError, RemoteProtocolError
from leadglass.guard.dimse import answers
from leadglass.guard.dimse.request import Collected, Desk
from leadglass.guard.identifiers.commitment import Commitment, encode_commitment, read_commitment
from leadglass.guard.identifiers.procedure_step import studies_from_step
from leadglass.guard.identifiers.refusal import Refused
from leadglass.model.access import Action, Study
from leadglass.wire.dimse import CEchoRQ, NCreateRQ

__all__ = ["Commit", "Passed", "Step"]

_ALL_IMAGES = 4 * 1024 * 1024
"""Bytes of a data set that lists the images of a study, some thousand perhaps."""


_QUESTIONS = 500
"""Instances of one commitment that the archive is asked about; those stored here need no question."""


class Passed(Collected):
    """Allowed or not by what service it is."""

    largest = _ALL_IMAGES

    def __init__(self, desk: Desk, context_id: int, command: Any) -> None:
        super().__init__(desk, context_id, command)
        self.repeats = isinstance(command, CEchoRQ)  # N-services change something

    async def carry_out(self, data_set: bytes | None) -> None:
        """Decide on the archive as a whole."""
        action = self.action
        if action is None or not self.desk.may_use(action):
            self.refuse(answers.NOT_AUTHORISED, "this service is not open to you", "service")
            return
        await self.pass_on(action, data_set)

    async def pass_on(self, action: Action, data_set: bytes | None) -> None:
        """Send it to the archive, once it is written down."""
        try:
            self.diary.asked(action)
            leg = await self.desk.archive_ready()
        except LeadglassError as exc:
            self.failed(answers.away(self.command), exc.what)
            return
        self.forward(leg, data_set)


class Commit(Passed):
    """A request for storage commitment (PS3.4 annex J): nothing but that reaches the archive.

    It asks whether instances exist, and names no study. Where policies read nothing of a study for this,
    the service decides. Where they do, the study of each instance has to be found: it was stored through
    this process, or the archive is asked. What nobody knows is decided as a study of which nothing is
    known, so that an instance that is hidden and one that does not exist are answered alike. One that is
    not permitted refuses the whole request: a part of it would tell which.
    """

    async def pass_on(self, action: Action, data_set: bytes | None) -> None:
        """Read it, decide it, and write it anew."""
        syntax = self.desk.syntax(self.context_id)
        try:
            read = None if syntax is None else read_commitment(data_set or b"", syntax)
        except RemoteProtocolError as exc:
            read = Refused(answers.PROCESSING_FAILURE, exc.what)
        if isinstance(read, Refused):
            self.refuse(read.status, read.reason, "commitment")
        elif syntax is None or read is None:
            self.refuse(answers.PROCESSING_FAILURE, "a transfer syntax that is not read")
        elif await self._permitted(read):
            await super().pass_on(action, encode_commitment(read, syntax))

    async def _permitted(self, asked: Commitment) -> bool:
        try:
            studies = await self._studies([each.sop_instance_uid for each in asked.referenced])
        except LeadglassError as exc:
            self.failed(answers.PROCESSING_FAILURE, exc.what)
            return False
        world = self.desk.world
        if studies is None:
            self.refuse(answers.PROCESSING_FAILURE, "too many instances of unknown studies", "commitment")
        elif all(world.decide(self.client, Action.COMMIT, study).allowed for study in studies):
            return True
        else:
            self.refuse(answers.NOT_AUTHORISED, "not permitted for each instance", "study")
        return False

    async def _studies(self, instances: Sequence[str]) -> list[Study] | None:
        """What is to be decided on; None if that would take too many questions."""
        world = self.desk.world
        blank = Study(world.mint())
        if not world.policy.needed(self.client.principal, Action.COMMIT):
            return [blank]
        if world.answers_queries and sum(not world.studies.stored(each) for each in instances) > _QUESTIONS:
            return None
        found = [await self._study_of(each) or blank for each in instances]
        return list({study.study_instance_uid: study for study in found}.values())

    async def _study_of(self, instance: str) -> Study | None:
        world = self.desk.world
        if world.answers_queries:
            return await world.studies.of_instance(instance)
        return world.studies.stored(instance)


class Step(Passed):
    """A performed procedure step (PS3.4 annex F): about a study, when it is created."""

    async def pass_on(self, action: Action, data_set: bytes | None) -> None:
        """Decide on the studies that the step is for."""
        if isinstance(self.command, NCreateRQ):
            refused = self._refused(data_set or b"")
            if refused is not None:
                self.refuse(refused.status, refused.reason, "study")
                return
        await super().pass_on(action, data_set)

    def _refused(self, data_set: bytes) -> Refused | None:
        syntax = self.desk.syntax(self.context_id)
        if syntax is None:
            return Refused(answers.PROCESSING_FAILURE, "a transfer syntax that is not read")
        try:
            studies = studies_from_step(data_set, syntax)
        except RemoteProtocolError as exc:
            return Refused(answers.PROCESSING_FAILURE, exc.what)
        if isinstance(studies, Refused):
            return studies
        world = self.desk.world
        if all(world.decide(self.client, Action.MPPS, study).allowed for study in studies):
            return None
        return Refused(answers.NOT_AUTHORISED, "not permitted for this study")
