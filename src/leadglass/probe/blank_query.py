"""The question: is a stranger's query processed. One C-FIND that can match nothing.

Rung: blank query. Budget: one connection. The identifier holds the level and one key minted a moment
ago: study root at STUDY level with a Study Instance UID; if that model is not granted, patient
root at PATIENT level with a Patient ID (PS3.4 C.6). Never on worklist, whose UID key is optional. A
server that returns records all the same is cut off (C-CANCEL, A-ABORT) and the bytes are dropped
unparsed: only "returned records" is kept.
"""

from __future__ import annotations

from leadglass.model.evidence import BlankQueryEvidence, Reply
from leadglass.model.rung import Rung
from leadglass.probe.dicom import DicomConversation
from leadglass.probe.proposal import MAXIMUM_LENGTH, proposal
from leadglass.wire.command import encode_command
from leadglass.wire.dataset import PATIENT_ID, QUERY_RETRIEVE_LEVEL, STUDY_INSTANCE_UID, identifier
from leadglass.wire.dimse import CCancelRQ, CFindRQ, CFindRSP, Message
from leadglass.wire.pdu import AAssociateAC
from leadglass.wire.uids import PATIENT_ROOT_FIND, STUDY_ROOT_FIND

__all__ = ["BlankQueryConversation"]

_MODELS = (("study-root", STUDY_ROOT_FIND), ("patient-root", PATIENT_ROOT_FIND))
"""In the order of preference; context ids are 1 and 3."""
_MESSAGE_ID = 1
_PENDING = frozenset({0xFF00, 0xFF01})


class BlankQueryConversation(DicomConversation):
    """One association, one C-FIND for a minted key."""

    rung = Rung.BLANK_QUERY

    def __init__(
        self,
        called_ae: str,
        calling_ae: str,
        *,
        study_instance_uid: str,
        patient_id: str,
        over_tls: bool = False,
        patience: float = 5.0,
    ) -> None:
        request = proposal(called_ae, calling_ae, tuple(sop_class for _, sop_class in _MODELS))
        super().__init__(request, over_tls=over_tls, patience=patience)
        self._keys = {
            "study-root": {QUERY_RETRIEVE_LEVEL: "STUDY", STUDY_INSTANCE_UID: study_instance_uid},
            "patient-root": {QUERY_RETRIEVE_LEVEL: "PATIENT", PATIENT_ID: patient_id},
        }
        self._model: str | None = None
        self._status: int | None = None
        self._context_id = 0
        self._peer_limit = MAXIMUM_LENGTH

    @property
    def evidence(self) -> BlankQueryEvidence:
        """What became of the query; complete once the conversation has ended."""
        return BlankQueryEvidence(
            reply=self.reply or Reply.SILENT,
            over_tls=self.over_tls,
            model=self._model,
            status=self._status,
            reject=self.reject,
            abort=self.abort,
            detail=self.detail,
        )

    def _established(self, ac: AAssociateAC, now: float) -> None:
        self._peer_limit = ac.user_information.maximum_length or MAXIMUM_LENGTH
        granted = {c.context_id for c in ac.presentation_contexts if c.result == 0}
        for index, (model, sop_class) in enumerate(_MODELS):
            if 2 * index + 1 in granted:
                self._query(model, sop_class, 2 * index + 1, now)
                return
        self.reply = Reply.NOT_OFFERED
        self._release(now)

    def _query(self, model: str, sop_class: str, context_id: int, now: float) -> None:
        self._model, self._context_id = model, context_id
        command = encode_command(
            CFindRQ(message_id=_MESSAGE_ID, affected_sop_class_uid=sop_class, priority=0)
        )
        self._ask(context_id, command, identifier(self._keys[model]), self._peer_limit, now)

    def _answered(self, message: Message | None, now: float) -> None:
        if message is None or (isinstance(message, CFindRSP) and message.status in _PENDING):
            self.reply = Reply.RECORDS
            self._cut_off(now)
        elif isinstance(message, CFindRSP):
            self.reply, self._status = Reply.ANSWERED, message.status
            self._release(now)
        else:
            self.reply = Reply.MALFORMED
            self._abort(now)

    def _cut_off(self, now: float) -> None:
        cancel = encode_command(CCancelRQ(message_id_being_responded_to=_MESSAGE_ID))
        self._ask(self._context_id, cancel, None, self._peer_limit, now)
        self._abort(now)

    def _command_ended(self, reply: Reply) -> None:
        self.reply = reply
