"""Which handling a client's command gets: the one of its service, on a context of that service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leadglass.guard.dimse import answers
from leadglass.guard.dimse.contexts import action_of
from leadglass.guard.dimse.finding import Find
from leadglass.guard.dimse.plain import Commit, Passed, Step
from leadglass.guard.dimse.request import Desk, Refused, Request
from leadglass.guard.dimse.retrieving import Retrieve
from leadglass.guard.dimse.storing import Store
from leadglass.model.access import Action
from leadglass.wire.dimse import (
    CEchoRQ,
    CFindRQ,
    CGetRQ,
    CMoveRQ,
    CStoreRQ,
    Message,
    NActionRQ,
    NCreateRQ,
    NSetRQ,
)

__all__ = ["request_for"]

_HANDLING: Mapping[tuple[type[Any], Action], type[Request]] = {
    (CEchoRQ, Action.ECHO): Passed,
    (CFindRQ, Action.FIND): Find,
    (CFindRQ, Action.WORKLIST): Find,
    (CMoveRQ, Action.MOVE): Retrieve,
    (CGetRQ, Action.GET): Retrieve,
    (CStoreRQ, Action.STORE): Store,
    (NActionRQ, Action.COMMIT): Commit,
    (NCreateRQ, Action.MPPS): Step,
    (NSetRQ, Action.MPPS): Step,
}
"""Everything else is refused: deletion (N-DELETE) first, and N-GET, which would tell of a step whose it is."""


def request_for(desk: Desk, context_id: int, command: Message) -> Request:
    """The request that ``command`` is."""
    abstract_syntax = desk.contexts.abstract_syntax(context_id)
    action = action_of(abstract_syntax)
    handling = None if action is None else _HANDLING.get((type(command), action))
    if handling is None:
        why = "this operation is not let through"
        return Refused(desk, context_id, command, answers.UNRECOGNISED_OPERATION, why)
    if _class_of(command) != abstract_syntax:
        why = "the SOP class is not the one of the presentation context"
        return Refused(desk, context_id, command, answers.WRONG_CLASS, why)
    return handling(desk, context_id, command)


def _class_of(command: Any) -> str | None:
    uid: str | None = getattr(command, "affected_sop_class_uid", None) or getattr(
        command, "requested_sop_class_uid", None
    )
    return uid
