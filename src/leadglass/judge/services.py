"""What a stranger is granted and given over DICOM: association, echo, and the services by negotiation.

An accepted presentation context is ``granted`` and no more: it says what a server grants, not what it does. A
server that grants whatever it is asked for grants these too, and the reason says so.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from leadglass.judge.rules import Rule, because
from leadglass.judge.seen import Piece, Seen
from leadglass.model.evidence import (
    AssociateEvidence,
    BlankQueryEvidence,
    ContextResult,
    NegotiateEvidence,
    Reply,
)
from leadglass.model.verdict import Reason, State
from leadglass.wire import uids

__all__ = [
    "SPOKEN",
    "UNSEEN",
    "Finding",
    "Negotiated",
    "Service",
    "accepts_anything",
    "associate",
    "is_busy",
    "negotiated",
    "refused",
    "rejection",
    "service_of",
    "verification",
]

SPOKEN = frozenset(
    {Reply.ACCEPTED, Reply.REJECTED, Reply.ABORTED, Reply.ANSWERED, Reply.RECORDS, Reply.NOT_OFFERED}
)
"""Replies that only a well-formed DICOM PDU makes."""

_REFUSALS: Mapping[int, str] = {
    0x0122: "SOP class not supported",
    0x0124: "not authorised",
    0x0214: "not authorised, as PS3.2 misprints it",
}
"""Statuses that refuse a stranger (PS3.7 Annex C; 0214H is tolerated)."""


class Finding(NamedTuple):
    """How far one capability was established, and why."""

    state: State
    reasons: tuple[Reason, ...] = ()


UNSEEN = Finding(State.UNTESTED)


class Service(enum.StrEnum):
    """What a SOP class is for, as capabilities name it."""

    VERIFICATION = "verification"
    QUERY = "query"
    RETRIEVE = "retrieve"
    STORAGE = "storage"
    WORKLIST = "worklist"


_SERVICES: Mapping[str, Service] = {
    uids.VERIFICATION: Service.VERIFICATION,
    uids.PATIENT_ROOT_FIND: Service.QUERY,
    uids.STUDY_ROOT_FIND: Service.QUERY,
    uids.PATIENT_STUDY_ONLY_FIND: Service.QUERY,
    uids.PATIENT_ROOT_MOVE: Service.RETRIEVE,
    uids.PATIENT_ROOT_GET: Service.RETRIEVE,
    uids.STUDY_ROOT_MOVE: Service.RETRIEVE,
    uids.STUDY_ROOT_GET: Service.RETRIEVE,
    uids.PATIENT_STUDY_ONLY_MOVE: Service.RETRIEVE,
    uids.PATIENT_STUDY_ONLY_GET: Service.RETRIEVE,
    uids.MODALITY_WORKLIST_FIND: Service.WORKLIST,
}
_STORAGE = "1.2.840.10008.5.1.4.1.1."
"""All Storage SOP Classes begin so (PS3.4 B.5)."""

_RESULTS: Mapping[int, State] = {
    0: State.GRANTED,
    1: State.REFUSED,
    2: State.REFUSED,
    3: State.ABSENT,
}
"""PS3.8 table 9-18. 4 says only that the default transfer syntax did not suit."""

_WORST = (State.PROVED, State.GRANTED, State.REFUSED, State.UNDETERMINED, State.ABSENT, State.UNTESTED)
"""Of several observations of one thing, the first of these stands."""

_REJECTIONS: Mapping[tuple[int, int], str] = {
    (1, 1): "no reason given",
    (1, 2): "application context not supported",
    (1, 3): "calling AE title not recognised",
    (1, 7): "called AE title not recognised",
    (2, 1): "no reason given by the service provider",
    (2, 2): "protocol version not supported",
    (3, 1): "temporary congestion",
    (3, 2): "local limit exceeded",
}
"""Source and reason of an A-ASSOCIATE-RJ (PS3.8 table 9-21)."""

_Asked = AssociateEvidence | NegotiateEvidence | BlankQueryEvidence


def service_of(sop_class: str) -> Service | None:
    """The service that a SOP class belongs to, if a capability is named after it."""
    return _SERVICES.get(sop_class) or (Service.STORAGE if sop_class.startswith(_STORAGE) else None)


def refused(status: int | None) -> str | None:
    """What a status refuses a stranger with; None if it does not refuse."""
    return _REFUSALS.get(status) if status is not None else None


def rejection(reject: tuple[int, int, int]) -> str:
    """A rejection in words, e.g. ``1/1/7, called AE title not recognised``."""
    result, source, reason = reject
    return f"{result}/{source}/{reason}, {_REJECTIONS.get((source, reason), 'a reserved reason')}"


def is_busy(evidence: _Asked) -> bool:
    """Rejected for now: the result is transient, or the reason is congestion or a limit."""
    return evidence.reject is not None and (evidence.reject[0] == 2 or evidence.reject[1] == 3)


def associate(seen: Seen) -> Finding:
    """Whether a stranger associates."""
    found = [_association(piece) for piece in seen.dicom]
    return min(found, key=lambda finding: _WORST.index(finding.state), default=UNSEEN)


def _association(piece: Piece[_Asked]) -> Finding:
    evidence = piece.evidence
    if _stood(evidence):
        called = (
            f" with the called title {evidence.called_ae}" if isinstance(evidence, AssociateEvidence) else ""
        )
        text = f"a stranger's association was accepted{called}"
        return Finding(
            State.PROVED,
            (because(Rule.ASSOCIATION_ACCEPTED, text, piece.cite("reply", "called-ae", "over-tls")),),
        )
    if evidence.reply is Reply.REJECTED and not is_busy(evidence):
        why = rejection(evidence.reject) if evidence.reject else "without a reason that was kept"
        cited = piece.cite("reply", "reject", "called-ae")
        return Finding(
            State.REFUSED, (because(Rule.ASSOCIATION_REFUSED, f"the association was rejected: {why}", cited),)
        )
    return Finding(State.ABSENT if evidence.reply is Reply.OTHER_PROTOCOL else State.UNDETERMINED)


def _stood(evidence: _Asked) -> bool:
    """Whether the association was accepted, whatever became of it."""
    if isinstance(evidence, BlankQueryEvidence):
        answered = evidence.reply in (Reply.ANSWERED, Reply.RECORDS, Reply.NOT_OFFERED)
        return answered or evidence.model is not None or evidence.reply is Reply.ACCEPTED
    return evidence.reply is Reply.ACCEPTED


class Negotiated(NamedTuple):
    """What became of the services that were offered and not used."""

    states: Mapping[Service, State]
    reasons: tuple[Reason, ...]

    def state(self, service: Service) -> State:
        """``untested`` where nothing of the service was offered."""
        return self.states.get(service, State.UNTESTED)


def accepts_anything(evidence: NegotiateEvidence) -> bool:
    """Everything was accepted, and a SOP class that nobody has with it.

    A server that takes unknown classes for storage, as DCMTK and Orthanc can be told to, still refuses
    some of those it knows.
    """
    return evidence.invented == 0 and all(context.result == 0 for context in evidence.contexts)


def negotiated(seen: Seen) -> Negotiated:
    """Sum up the negotiations that were accepted."""
    accepted = [piece for piece in seen.negotiations if piece.evidence.reply is Reply.ACCEPTED]
    contexts = [context for piece in accepted for context in piece.evidence.contexts]
    states = {service: _state(contexts, service) for service in Service}
    offered = {service: state for service, state in states.items() if state is not State.UNTESTED}
    cited = [fact for piece in accepted for fact in piece.cite("contexts")]
    reasons = list(_negotiation_reasons(offered, cited))
    anything = [f for p in accepted if accepts_anything(p.evidence) for f in p.cite("invented", "contexts")]
    if anything:
        text = "everything was granted, and a SOP class that nobody has with it: a grant means nothing here"
        reasons.append(because(Rule.ACCEPTS_ANYTHING, text, anything))
    return Negotiated(offered, tuple(reasons))


def _state(contexts: Iterable[ContextResult], service: Service) -> State:
    results = [c.result for c in contexts if service_of(c.abstract_syntax) is service]
    states = [_RESULTS.get(result, State.UNDETERMINED) for result in results]
    return min(states, key=_WORST.index, default=State.UNTESTED)


def _negotiation_reasons(states: Mapping[Service, State], cited: Iterable[str]) -> Iterable[Reason]:
    for state, (rule, text) in _SAYS.items():
        if names := [service.value for service, found in states.items() if found is state]:
            yield because(rule, f"{', '.join(names)}: {text}", cited)


_SAYS: Mapping[State, tuple[Rule, str]] = {
    State.GRANTED: (Rule.GRANTED, "granted to a stranger in the negotiation"),
    State.REFUSED: (Rule.NOT_GRANTED, "refused to a stranger in the negotiation"),
    State.ABSENT: (Rule.ABSENT, "not offered by this server"),
    State.UNDETERMINED: (Rule.OTHER_SYNTAX, "only in a transfer syntax that was not offered"),
}


def verification(seen: Seen, services: Negotiated) -> Finding:
    """Whether a stranger's C-ECHO is answered."""
    found = [_echo(piece) for piece in seen.associations if piece.evidence.reply is Reply.ACCEPTED]
    found.append(Finding(services.state(Service.VERIFICATION)))
    return min(found, key=lambda finding: _WORST.index(finding.state))


def _echo(piece: Piece[AssociateEvidence]) -> Finding:
    evidence = piece.evidence
    if evidence.verification:
        state = _RESULTS.get(evidence.verification, State.UNDETERMINED)
        text = f"the context for Verification got the result {evidence.verification}"
        return Finding(state, (because(Rule.ECHO_REFUSED, text, piece.cite("verification")),))
    cited = piece.cite("echo", "echo-status", "verification")
    if evidence.echo is Reply.ANSWERED and evidence.echo_status == 0:
        return Finding(State.PROVED, (because(Rule.ECHO_ANSWERED, "C-ECHO was answered with 0000H", cited),))
    if evidence.echo is Reply.ANSWERED and (refusal := refused(evidence.echo_status)):
        text = f"C-ECHO was refused: {refusal}"
        return Finding(State.REFUSED, (because(Rule.ECHO_REFUSED, text, cited),))
    if evidence.echo is None:
        return UNSEEN
    text = f"C-ECHO was not answered with success: {evidence.echo}"
    return Finding(State.UNDETERMINED, (because(Rule.ECHO_UNDETERMINED, text, cited),))
