"""Which service a presentation context is for, and how proposals pass from one association to the other.

An allow-list: what is not a service that the guard knows is refused before an archive sees it, and
so is the deflated transfer syntax, in which nobody can read a head without inflating the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from leadglass.guard.dimse.archive import Answer, Proposal
from leadglass.model.access import Action
from leadglass.wire import uids
from leadglass.wire.pdu import (
    AAssociateAC,
    AAssociateRQ,
    PresentationContextAC,
    PresentationContextRQ,
    UserIdentityAC,
    UserInformation,
)

__all__ = [
    "IMPLEMENTATION_CLASS_UID",
    "IMPLEMENTATION_VERSION_NAME",
    "MAXIMUM_LENGTH",
    "STUDY_ROOT_FIND",
    "Contexts",
    "acceptance",
    "action_of",
    "is_storage",
    "proposal_of",
    "request_of",
    "wanted_by",
]

IMPLEMENTATION_CLASS_UID = "2.25.98474291370518253186370041728573648201"
IMPLEMENTATION_VERSION_NAME = "LEADGLASS_GUARD"
MAXIMUM_LENGTH = 128 * 1024
"""The longest P-DATA-TF body the guard takes from anybody. Large, because a peer that leaves Nagle's algorithm
on sends one PDU a round trip; what is too long for the other side is framed anew."""
STUDY_ROOT_FIND = uids.STUDY_ROOT_FIND

_ACTIONS: Mapping[str, Action] = {
    uids.VERIFICATION: Action.ECHO,
    uids.PATIENT_ROOT_FIND: Action.FIND,
    uids.STUDY_ROOT_FIND: Action.FIND,
    uids.PATIENT_STUDY_ONLY_FIND: Action.FIND,
    uids.PATIENT_ROOT_MOVE: Action.MOVE,
    uids.STUDY_ROOT_MOVE: Action.MOVE,
    uids.PATIENT_STUDY_ONLY_MOVE: Action.MOVE,
    uids.PATIENT_ROOT_GET: Action.GET,
    uids.STUDY_ROOT_GET: Action.GET,
    uids.PATIENT_STUDY_ONLY_GET: Action.GET,
    uids.MODALITY_WORKLIST_FIND: Action.WORKLIST,
    uids.MPPS: Action.MPPS,
    uids.STORAGE_COMMITMENT: Action.COMMIT,
}

_STORAGE = (
    "1.2.840.10008.5.1.4.1.1.",
    "1.2.840.10008.5.1.4.34.7",
    "1.2.840.10008.5.1.4.34.10",
    "1.2.840.10008.5.1.4.43.1",
    "1.2.840.10008.5.1.4.44.1",
    "1.2.840.10008.5.1.4.45.1",
    "1.2.840.10008.5.1.1.27",
    "1.2.840.10008.5.1.1.29",
    "1.2.840.10008.5.1.1.30",
)
"""Roots of the storage SOP classes (PS3.4 table B.5-1, the non-patient objects of annex GG, and the retired
prints and hardcopy images that DCMTK still proposes with all others)."""
_DICOMDIR = "1.2.840.10008.1.3.10"


@lru_cache(maxsize=1024)
def action_of(abstract_syntax: str) -> Action | None:
    """What may be asked on such a context; None: nothing that the guard lets through."""
    action = _ACTIONS.get(abstract_syntax)
    if action is None and is_storage(abstract_syntax):
        return Action.STORE
    return action


def wanted_by(rq: AAssociateRQ) -> frozenset[Action | None]:
    """The services that a proposal needs; whoever would receive objects needs that of C-GET."""
    receiving = {Action.GET} if rq.user_information.role_selections else set()
    return frozenset({action_of(c.abstract_syntax) for c in rq.presentation_contexts} | receiving)


def is_storage(abstract_syntax: str) -> bool:
    """Whether objects of this SOP class are stored (PS3.4 annex B)."""
    return (
        abstract_syntax.startswith(_STORAGE)
        and abstract_syntax != _DICOMDIR
        and uids.is_valid(abstract_syntax)
    )


def _readable(transfer_syntax: str) -> bool:
    return transfer_syntax != uids.DEFLATED_EXPLICIT_VR_LE and uids.is_valid(transfer_syntax)


@dataclass(frozen=True, slots=True)
class Contexts:
    """The presentation contexts of one client: as proposed, passed on and accepted."""

    proposed: Mapping[int, PresentationContextRQ]
    passed: tuple[PresentationContextRQ, ...]
    """What the archive is asked for, by the client's ids, and the guard's own last."""
    folding: int | None
    """The guard's own context: Study Root FIND, for queries about patients."""
    withheld: Mapping[Action | None, str] = field(default_factory=dict)
    """The services that are not open to the client, each with the first class it was proposed by; None: what no
    guard lets through."""

    @classmethod
    def of(cls, rq: AAssociateRQ, allowed: Iterable[Action]) -> Contexts:
        """Those of ``rq`` that are for a service among ``allowed``."""
        may = frozenset(allowed)
        receives = _receives(rq) if Action.GET in may else frozenset()
        passed = [
            PresentationContextRQ(c.context_id, c.abstract_syntax, readable)
            for c in rq.presentation_contexts
            if (action_of(c.abstract_syntax) in may or c.abstract_syntax in receives)
            and (readable := tuple(filter(_readable, c.transfer_syntaxes)))
        ]
        folding = _own(rq, passed)
        own = () if folding is None else (folding,)
        return cls(
            {c.context_id: c for c in rq.presentation_contexts},
            (*passed, *own),
            None if folding is None else folding.context_id,
            {action: syntax for action, syntax in _services(rq).items() if action not in may},
        )

    def abstract_syntax(self, context_id: int) -> str:
        """Of a context that was proposed, the guard's own included."""
        proposed = self.proposed.get(context_id)
        return STUDY_ROOT_FIND if proposed is None else proposed.abstract_syntax


def _services(rq: AAssociateRQ) -> dict[Action | None, str]:
    """What the client would ask for. Classes that it would only receive, as by C-GET, are no wish of its own."""
    received = {role.sop_class_uid for role in rq.user_information.role_selections if role.scp_role}
    wanted = (c.abstract_syntax for c in reversed(rq.presentation_contexts))
    return {action_of(syntax): syntax for syntax in wanted if syntax not in received}


def _receives(rq: AAssociateRQ) -> frozenset[str]:
    """The storage classes that the client wants sent to it by C-GET (PS3.7 D.3.3.4)."""
    roles = rq.user_information.role_selections
    return frozenset(r.sop_class_uid for r in roles if r.scp_role and is_storage(r.sop_class_uid))


def _own(rq: AAssociateRQ, passed: list[PresentationContextRQ]) -> PresentationContextRQ | None:
    patient = next((c for c in passed if c.abstract_syntax == uids.PATIENT_ROOT_FIND), None)
    patient = patient or next((c for c in passed if c.abstract_syntax == uids.PATIENT_STUDY_ONLY_FIND), None)
    free = next((n for n in range(255, 0, -2) if n not in rq.context_ids), None)
    if patient is None or free is None:
        return None
    return PresentationContextRQ(free, uids.STUDY_ROOT_FIND, patient.transfer_syntaxes)


def proposal_of(calling: str, called: str, rq: AAssociateRQ, contexts: Contexts) -> Proposal:
    """What the archive is asked; equal proposals are answered alike."""
    classes = {c.abstract_syntax for c in contexts.passed}
    said = rq.user_information
    roles = tuple(role for role in said.role_selections if role.sop_class_uid in classes)
    # Relational retrieval (PS3.4 C.5.2.1 and C.5.3.1) is not asked for: a plan goes by the unique keys above.
    extended = tuple(
        e
        for e in said.extended_negotiations
        if e.sop_class_uid in classes and action_of(e.sop_class_uid) not in {Action.MOVE, Action.GET}
    )
    return calling, called, contexts.passed, roles, extended


def request_of(proposal: Proposal) -> AAssociateRQ:
    """The guard's request to the archive: the client's titles and proposals, nothing else of it."""
    calling, called, contexts, roles, extended = proposal
    return AAssociateRQ(
        called,
        calling,
        contexts,
        UserInformation(
            maximum_length=MAXIMUM_LENGTH,
            implementation_class_uid=IMPLEMENTATION_CLASS_UID,
            implementation_version_name=IMPLEMENTATION_VERSION_NAME,
            role_selections=roles,
            extended_negotiations=extended,
        ),
    )


def acceptance(rq: AAssociateRQ, answer: Answer, *, identity_confirmed: bool) -> AAssociateAC:
    """The guard's answer to the client: the archive's, and a refusal for what it was not asked."""
    given = {context.context_id: context for context in answer.contexts}
    asked = {role.sop_class_uid for role in rq.user_information.role_selections}
    extending = {extended.sop_class_uid for extended in rq.user_information.extended_negotiations}
    return AAssociateAC(
        rq.called_ae_title,
        rq.calling_ae_title,
        tuple(given.get(c.context_id) or _refused(c) for c in rq.presentation_contexts),
        UserInformation(
            maximum_length=MAXIMUM_LENGTH,
            implementation_class_uid=IMPLEMENTATION_CLASS_UID,
            implementation_version_name=IMPLEMENTATION_VERSION_NAME,
            role_selections=tuple(role for role in answer.roles if role.sop_class_uid in asked),
            extended_negotiations=tuple(e for e in answer.extended if e.sop_class_uid in extending),
            user_identity=UserIdentityAC() if identity_confirmed else None,
        ),
    )


def _refused(context: PresentationContextRQ) -> PresentationContextAC:
    readable = any(map(_readable, context.transfer_syntaxes))
    result = 3 if action_of(context.abstract_syntax) is None else 1 if readable else 4
    return PresentationContextAC(context.context_id, result, context.transfer_syntaxes[0])
