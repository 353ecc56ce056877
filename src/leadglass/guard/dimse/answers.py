"""The guard's own answers to a client, by request: a status that the client's log shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leadglass.wire import dimse

__all__ = [
    "AWAY",
    "CANNOT_UNDERSTAND",
    "NOT_AUTHORISED",
    "OUT_OF_RESOURCES",
    "PROCESSING_FAILURE",
    "UNABLE_TO_PERFORM",
    "UNRECOGNISED_OPERATION",
    "WRONG_CLASS",
    "answer",
    "away",
    "fits",
]

NOT_AUTHORISED = 0x0124  # PS3.7 annex C
WRONG_CLASS = 0x0122  # SOP class not supported
UNRECOGNISED_OPERATION = 0x0211
PROCESSING_FAILURE = 0x0110
CANNOT_UNDERSTAND = 0xC000
OUT_OF_RESOURCES = 0xA700  # PS3.4: of C-STORE and C-FIND
UNABLE_TO_PERFORM = 0xA702  # PS3.4: of C-MOVE and C-GET, sub-operations

AWAY: Mapping[type[Any], int] = {
    dimse.CStoreRQ: OUT_OF_RESOURCES,
    dimse.CFindRQ: OUT_OF_RESOURCES,
    dimse.CMoveRQ: UNABLE_TO_PERFORM,
    dimse.CGetRQ: UNABLE_TO_PERFORM,
}
"""What says that the archive cannot answer now; for all others it is a processing failure."""

_COMMENT = 64  # LO, PS3.5 table 6.2-1


def away(request: dimse.Message) -> int:
    """The status for a request that the archive cannot answer now."""
    return AWAY.get(type(request), PROCESSING_FAILURE)


def answer(request: dimse.Message, status: int, comment: str | None = None) -> dimse.Message | None:
    """The response to ``request``; None for what has no response."""
    kind = _KINDS.get(type(request))
    if kind is None:
        return None
    rq: Any = request
    about = {} if type(request) in _OF_THE_SERVICE else {"affected_sop_instance_uid": _instance_of(rq)}
    response: dimse.Message = kind(
        message_id_being_responded_to=rq.message_id,
        status=status,
        affected_sop_class_uid=_class_of(rq),
        error_comment=None if comment is None else comment[:_COMMENT],
        **about,
    )
    return response


def fits(request: dimse.Message, response: dimse.Message) -> bool:
    """Whether ``response`` is of the kind that answers ``request``."""
    return type(response) is _KINDS.get(type(request))


def _class_of(rq: Any) -> str:
    uid: str = getattr(rq, "affected_sop_class_uid", None) or rq.requested_sop_class_uid
    return uid


def _instance_of(rq: Any) -> str | None:
    uid: str | None = getattr(rq, "affected_sop_instance_uid", None) or getattr(
        rq, "requested_sop_instance_uid", None
    )
    return uid


_KINDS: Mapping[type[Any], type[Any]] = {
    dimse.CEchoRQ: dimse.CEchoRSP,
    dimse.CFindRQ: dimse.CFindRSP,
    dimse.CMoveRQ: dimse.CMoveRSP,
    dimse.CGetRQ: dimse.CGetRSP,
    dimse.CStoreRQ: dimse.CStoreRSP,
    dimse.NEventReportRQ: dimse.NEventReportRSP,
    dimse.NGetRQ: dimse.NGetRSP,
    dimse.NSetRQ: dimse.NSetRSP,
    dimse.NActionRQ: dimse.NActionRSP,
    dimse.NCreateRQ: dimse.NCreateRSP,
    dimse.NDeleteRQ: dimse.NDeleteRSP,
}
_OF_THE_SERVICE = frozenset({dimse.CEchoRQ, dimse.CFindRQ, dimse.CMoveRQ, dimse.CGetRQ})
"""Requests whose responses name no instance."""
