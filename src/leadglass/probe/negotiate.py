"""The question: which services does the server grant a stranger.

Rung: negotiate. Budget: one connection. Offers query, retrieve, worklist and storage contexts and one
SOP class that nobody has, and uses none of them: it releases at once. What is granted is not yet
allowed (Orthanc grants FIND to everybody and aborts the query); who grants the invented one grants
everything, which is a honeypot's habit.
"""

from __future__ import annotations

from leadglass.model.evidence import ContextResult, NegotiateEvidence, Reply, clean
from leadglass.model.rung import Rung
from leadglass.probe.dicom import DicomConversation
from leadglass.probe.proposal import proposal
from leadglass.wire import uids
from leadglass.wire.pdu import AAssociateAC, PresentationContextAC

__all__ = ["OFFERED", "NegotiateConversation"]

OFFERED = (
    uids.VERIFICATION,
    uids.STUDY_ROOT_FIND,
    uids.STUDY_ROOT_MOVE,
    uids.STUDY_ROOT_GET,
    uids.PATIENT_ROOT_FIND,
    uids.PATIENT_ROOT_MOVE,
    uids.PATIENT_ROOT_GET,
    uids.PATIENT_STUDY_ONLY_FIND,
    uids.MODALITY_WORKLIST_FIND,
    uids.MPPS,
    uids.STORAGE_COMMITMENT,
    uids.CT_IMAGE_STORAGE,
    uids.MR_IMAGE_STORAGE,
    uids.CR,
    uids.DX,
    uids.US,
    uids.SECONDARY_CAPTURE,
)
"""The SOP classes asked for, before the invented one: what a stranger would use, and no more."""


class NegotiateConversation(DicomConversation):
    """One association offering many services, released as soon as it stands."""

    rung = Rung.NEGOTIATE

    def __init__(
        self,
        called_ae: str,
        calling_ae: str,
        invented: str,
        *,
        over_tls: bool = False,
        patience: float = 5.0,
    ) -> None:
        self._offered = (*OFFERED, invented)
        super().__init__(proposal(called_ae, calling_ae, self._offered), over_tls=over_tls, patience=patience)
        self._invented: int | None = None
        self._contexts: tuple[ContextResult, ...] = ()

    @property
    def evidence(self) -> NegotiateEvidence:
        """What was granted; complete once the conversation has ended."""
        return NegotiateEvidence(
            reply=self.reply or Reply.SILENT,
            over_tls=self.over_tls,
            contexts=self._contexts,
            invented=self._invented,
            reject=self.reject,
            abort=self.abort,
            detail=self.detail,
        )

    def _established(self, ac: AAssociateAC, now: float) -> None:
        answers = {c.context_id: c for c in ac.presentation_contexts}
        self._contexts = tuple(
            ContextResult(uid, answer.result, _syntax(answer))
            for context_id, answer in answers.items()
            if (uid := self._uid(context_id)) is not None and uid in OFFERED
        )
        invented = answers.get(2 * len(OFFERED) + 1)
        self._invented = invented.result if invented is not None else None
        self._release(now)

    def _uid(self, context_id: int) -> str | None:
        index = context_id // 2
        return self._offered[index] if context_id % 2 and index < len(self._offered) else None


def _syntax(answer: PresentationContextAC) -> str | None:
    granted = answer.result == 0 and answer.transfer_syntax is not None
    return clean(answer.transfer_syntax or "") if granted else None
