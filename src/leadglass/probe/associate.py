"""The question: does a stranger associate, and is the C-ECHO answered.

Rung: associate. Budget: one connection. Offers Verification alone (PS3.4 Annex A), sends one C-ECHO
and releases. What the peer says of itself in the A-ASSOCIATE-AC is kept for identification.
"""

from __future__ import annotations

from leadglass.model.evidence import AssociateEvidence, Reply, clean
from leadglass.model.rung import Rung
from leadglass.probe.dicom import DicomConversation
from leadglass.probe.proposal import MAXIMUM_LENGTH, proposal
from leadglass.wire.command import encode_command
from leadglass.wire.dimse import CEchoRQ, CEchoRSP, Message
from leadglass.wire.pdu import AAssociateAC, UserInformation
from leadglass.wire.uids import VERIFICATION

__all__ = ["AssociateConversation"]

_ECHO = encode_command(CEchoRQ(message_id=1))
_CONTEXT = 1
_NOTHING_SAID = UserInformation()
_WHOLE_ANSWERS = frozenset({Reply.ACCEPTED, Reply.REJECTED, Reply.ABORTED})
"""After these nobody asks which protocol it was."""


class AssociateConversation(DicomConversation):
    """One association offering Verification, one C-ECHO."""

    rung = Rung.ASSOCIATE

    def __init__(
        self, called_ae: str, calling_ae: str, *, over_tls: bool = False, patience: float = 5.0
    ) -> None:
        request = proposal(called_ae, calling_ae, (VERIFICATION,))
        super().__init__(request, over_tls=over_tls, patience=patience)
        self._called_ae = called_ae
        self._ac: AAssociateAC | None = None
        self._verification: int | None = None
        self._echo: Reply | None = None
        self._echo_status: int | None = None

    @property
    def evidence(self) -> AssociateEvidence:
        """What was seen; complete once the conversation has ended."""
        user = self._ac.user_information if self._ac is not None else _NOTHING_SAID
        return AssociateEvidence(
            reply=self.reply or Reply.SILENT,
            over_tls=self.over_tls,
            called_ae=self._called_ae,
            reject=self.reject,
            abort=self.abort,
            implementation_class_uid=_cleaned(user.implementation_class_uid),
            implementation_version_name=_cleaned(user.implementation_version_name),
            maximum_length=user.maximum_length,
            user_items=tuple(f"{kind:02X}H" for kind in user.item_order),
            verification=self._verification,
            echo=self._echo,
            echo_status=self._echo_status,
            spoke=None if self.reply in _WHOLE_ANSWERS else self.spoke,
            detail=self.detail,
        )

    def _established(self, ac: AAssociateAC, now: float) -> None:
        self._ac = ac
        self._verification = next(
            (c.result for c in ac.presentation_contexts if c.context_id == _CONTEXT), None
        )
        if self._verification == 0:
            self._ask(_CONTEXT, _ECHO, None, ac.user_information.maximum_length or MAXIMUM_LENGTH, now)
        else:
            self._echo = Reply.NOT_OFFERED
            self._release(now)

    def _answered(self, message: Message | None, now: float) -> None:
        if isinstance(message, CEchoRSP):
            self._echo, self._echo_status = Reply.ANSWERED, message.status
            self._release(now)
        else:
            self._echo = Reply.MALFORMED
            self._abort(now)

    def _command_ended(self, reply: Reply) -> None:
        self._echo = reply


def _cleaned(text: str | None) -> str | None:
    return clean(text) if text is not None else None
