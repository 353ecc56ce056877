"""The guard's own answers to a client, by request: a status that the client's log shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
    make = _RESPONSES.get(type(request))
    if make is None:
        return None
    return make(request, status, None if comment is None else comment[:_COMMENT])


def _plain(kind: type[Any]) -> Callable[[Any, int, str | None], dimse.Message]:
    def make(rq: Any, status: int, comment: str | None) -> dimse.Message:
        response: dimse.Message = kind(
            message_id_being_responded_to=rq.message_id,
            status=status,
            affected_sop_class_uid=_class_of(rq),
            error_comment=comment,
        )
        return response

    return make


def _about_instance(kind: type[Any]) -> Callable[[Any, int, str | None], dimse.Message]:
    def make(rq: Any, status: int, comment: str | None) -> dimse.Message:
        response: dimse.Message = kind(
            message_id_being_responded_to=rq.message_id,
            status=status,
            affected_sop_class_uid=_class_of(rq),
            affected_sop_instance_uid=_instance_of(rq),
            error_comment=comment,
        )
        return response

    return make


def _class_of(rq: Any) -> str:
    uid: str = getattr(rq, "affected_sop_class_uid", None) or rq.requested_sop_class_uid
    return uid


def _instance_of(rq: Any) -> str | None:
    uid: str | None = getattr(rq, "affected_sop_instance_uid", None) or getattr(
        rq, "requested_sop_instance_uid", None
    )
    return uid


_RESPONSES: Mapping[type[Any], Callable[[Any, int, str | None], dimse.Message]] = {
    dimse.CEchoRQ: _plain(dimse.CEchoRSP),
    dimse.CFindRQ: _plain(dimse.CFindRSP),
    dimse.CMoveRQ: _plain(dimse.CMoveRSP),
    dimse.CGetRQ: _plain(dimse.CGetRSP),
    dimse.CStoreRQ: _about_instance(dimse.CStoreRSP),
    dimse.NEventReportRQ: _about_instance(dimse.NEventReportRSP),
    dimse.NGetRQ: _about_instance(dimse.NGetRSP),
    dimse.NSetRQ: _about_instance(dimse.NSetRSP),
    dimse.NActionRQ: _about_instance(dimse.NActionRSP),
    dimse.NCreateRQ: _about_instance(dimse.NCreateRSP),
    dimse.NDeleteRQ: _about_instance(dimse.NDeleteRSP),
}
