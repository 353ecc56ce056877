"""The messages of PS3.7: the C-services' (clause 9.3), and with the N-services' the table of them all.

Fields are named as PS3.7 names them. Status codes are numbers here; what they mean for an exposure
is the judge's business. ``error_comment`` is free text a peer chose: it may name anything, so it is
kept out of ``repr`` and whoever stores or prints a message drops it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, TypeAlias

from leadglass.wire.command_elements import (
    DATA_SET,
    DATA_SET_TYPE,
    DESTINATION,
    MESSAGE_ID,
    NO_DATA_SET,
    ORIGINATOR,
    ORIGINATOR_ID,
    PRIORITY,
    RESPONDED_TO,
    RESPONSE,
    SOP_CLASS,
    SOP_INSTANCE,
    SOP_INSTANCE_BACK,
    SUBOPERATIONS,
    Element,
)
from leadglass.wire.dimse_n import (
    NActionRQ,
    NActionRSP,
    NCreateRQ,
    NCreateRSP,
    NDeleteRQ,
    NDeleteRSP,
    NEventReportRQ,
    NEventReportRSP,
    NGetRQ,
    NGetRSP,
    NSetRQ,
    NSetRSP,
)

__all__ = [
    "DATA_SET",
    "MESSAGES",
    "NO_DATA_SET",
    "CCancelRQ",
    "CEchoRQ",
    "CEchoRSP",
    "CFindRQ",
    "CFindRSP",
    "CGetRQ",
    "CGetRSP",
    "CMoveRQ",
    "CMoveRSP",
    "CStoreRQ",
    "CStoreRSP",
    "Element",
    "Message",
    "NActionRQ",
    "NActionRSP",
    "NCreateRQ",
    "NCreateRSP",
    "NDeleteRQ",
    "NDeleteRSP",
    "NEventReportRQ",
    "NEventReportRSP",
    "NGetRQ",
    "NGetRSP",
    "NSetRQ",
    "NSetRSP",
    "Priority",
    "has_data_set",
]


class Priority:
    """Values of the Priority field (PS3.7 E.1)."""

    MEDIUM = 0
    HIGH = 1
    LOW = 2


@dataclass(frozen=True, slots=True)
class CEchoRQ:
    """C-ECHO-RQ (PS3.7 9.3.5.1)."""

    message_id: int
    affected_sop_class_uid: str = "1.2.840.10008.1.1"
    command_data_set_type: int = NO_DATA_SET

    COMMAND_FIELD: ClassVar[int] = 0x0030
    ELEMENTS: ClassVar[tuple[Element, ...]] = (SOP_CLASS, MESSAGE_ID, DATA_SET_TYPE)


@dataclass(frozen=True, slots=True)
class CEchoRSP:
    """C-ECHO-RSP (PS3.7 9.3.5.2)."""

    message_id_being_responded_to: int
    status: int
    affected_sop_class_uid: str | None = None
    command_data_set_type: int = NO_DATA_SET
    offending_element: tuple[int, ...] | None = None
    error_comment: str | None = field(default=None, repr=False)

    COMMAND_FIELD: ClassVar[int] = 0x8030
    ELEMENTS: ClassVar[tuple[Element, ...]] = RESPONSE


@dataclass(frozen=True, slots=True)
class CStoreRQ:
    """C-STORE-RQ (PS3.7 9.3.1.1). Leadglass never sends one of its own; the guard reads and relays them."""

    message_id: int
    affected_sop_class_uid: str
    affected_sop_instance_uid: str = field(repr=False)
    priority: int = Priority.MEDIUM
    move_originator_application_entity_title: str | None = None
    move_originator_message_id: int | None = None
    command_data_set_type: int = DATA_SET

    COMMAND_FIELD: ClassVar[int] = 0x0001
    ELEMENTS: ClassVar[tuple[Element, ...]] = (
        SOP_CLASS,
        MESSAGE_ID,
        PRIORITY,
        DATA_SET_TYPE,
        SOP_INSTANCE,
        ORIGINATOR,
        ORIGINATOR_ID,
    )


@dataclass(frozen=True, slots=True)
class CStoreRSP:
    """C-STORE-RSP (PS3.7 9.3.1.2)."""

    message_id_being_responded_to: int
    status: int
    affected_sop_class_uid: str | None = None
    affected_sop_instance_uid: str | None = field(default=None, repr=False)
    command_data_set_type: int = NO_DATA_SET
    offending_element: tuple[int, ...] | None = None
    error_comment: str | None = field(default=None, repr=False)

    COMMAND_FIELD: ClassVar[int] = 0x8001
    ELEMENTS: ClassVar[tuple[Element, ...]] = (*RESPONSE, SOP_INSTANCE_BACK)


@dataclass(frozen=True, slots=True)
class CFindRQ:
    """C-FIND-RQ (PS3.7 9.3.2.1); the identifier is its data set."""

    message_id: int
    affected_sop_class_uid: str
    priority: int = Priority.MEDIUM
    command_data_set_type: int = DATA_SET

    COMMAND_FIELD: ClassVar[int] = 0x0020
    ELEMENTS: ClassVar[tuple[Element, ...]] = (SOP_CLASS, MESSAGE_ID, PRIORITY, DATA_SET_TYPE)


@dataclass(frozen=True, slots=True)
class CFindRSP:
    """C-FIND-RSP (PS3.7 9.3.2.2); with a data set if it is pending."""

    message_id_being_responded_to: int
    status: int
    affected_sop_class_uid: str | None = None
    command_data_set_type: int = NO_DATA_SET
    offending_element: tuple[int, ...] | None = None
    error_comment: str | None = field(default=None, repr=False)

    COMMAND_FIELD: ClassVar[int] = 0x8020
    ELEMENTS: ClassVar[tuple[Element, ...]] = RESPONSE


@dataclass(frozen=True, slots=True)
class CCancelRQ:
    """C-CANCEL-RQ of a C-FIND, C-GET or C-MOVE (PS3.7 9.3.2.3)."""

    message_id_being_responded_to: int
    command_data_set_type: int = NO_DATA_SET

    COMMAND_FIELD: ClassVar[int] = 0x0FFF
    ELEMENTS: ClassVar[tuple[Element, ...]] = (RESPONDED_TO, DATA_SET_TYPE)


@dataclass(frozen=True, slots=True)
class CGetRQ:
    """C-GET-RQ (PS3.7 9.3.3.1). Never sent by Leadglass; the guard decides about other people's."""

    message_id: int
    affected_sop_class_uid: str
    priority: int = Priority.MEDIUM
    command_data_set_type: int = DATA_SET

    COMMAND_FIELD: ClassVar[int] = 0x0010
    ELEMENTS: ClassVar[tuple[Element, ...]] = (SOP_CLASS, MESSAGE_ID, PRIORITY, DATA_SET_TYPE)


@dataclass(frozen=True, slots=True)
class CGetRSP:
    """C-GET-RSP (PS3.7 9.3.3.2)."""

    message_id_being_responded_to: int
    status: int
    affected_sop_class_uid: str | None = None
    number_of_remaining_suboperations: int | None = None
    number_of_completed_suboperations: int | None = None
    number_of_failed_suboperations: int | None = None
    number_of_warning_suboperations: int | None = None
    command_data_set_type: int = NO_DATA_SET
    offending_element: tuple[int, ...] | None = None
    error_comment: str | None = field(default=None, repr=False)

    COMMAND_FIELD: ClassVar[int] = 0x8010
    ELEMENTS: ClassVar[tuple[Element, ...]] = (*RESPONSE, *SUBOPERATIONS)


@dataclass(frozen=True, slots=True)
class CMoveRQ:
    """C-MOVE-RQ (PS3.7 9.3.4.1). Never sent by Leadglass; the guard decides about other people's."""

    message_id: int
    affected_sop_class_uid: str
    move_destination: str
    priority: int = Priority.MEDIUM
    command_data_set_type: int = DATA_SET

    COMMAND_FIELD: ClassVar[int] = 0x0021
    ELEMENTS: ClassVar[tuple[Element, ...]] = (
        SOP_CLASS,
        MESSAGE_ID,
        DESTINATION,
        PRIORITY,
        DATA_SET_TYPE,
    )


@dataclass(frozen=True, slots=True)
class CMoveRSP:
    """C-MOVE-RSP (PS3.7 9.3.4.2)."""

    message_id_being_responded_to: int
    status: int
    affected_sop_class_uid: str | None = None
    number_of_remaining_suboperations: int | None = None
    number_of_completed_suboperations: int | None = None
    number_of_failed_suboperations: int | None = None
    number_of_warning_suboperations: int | None = None
    command_data_set_type: int = NO_DATA_SET
    offending_element: tuple[int, ...] | None = None
    error_comment: str | None = field(default=None, repr=False)

    COMMAND_FIELD: ClassVar[int] = 0x8021
    ELEMENTS: ClassVar[tuple[Element, ...]] = (*RESPONSE, *SUBOPERATIONS)


Message: TypeAlias = (
    CEchoRQ
    | CEchoRSP
    | CStoreRQ
    | CStoreRSP
    | CFindRQ
    | CFindRSP
    | CCancelRQ
    | CGetRQ
    | CGetRSP
    | CMoveRQ
    | CMoveRSP
    | NEventReportRQ
    | NEventReportRSP
    | NGetRQ
    | NGetRSP
    | NSetRQ
    | NSetRSP
    | NActionRQ
    | NActionRSP
    | NCreateRQ
    | NCreateRSP
    | NDeleteRQ
    | NDeleteRSP
)

_ALL: tuple[type[Message], ...] = (
    CEchoRQ,
    CEchoRSP,
    CStoreRQ,
    CStoreRSP,
    CFindRQ,
    CFindRSP,
    CCancelRQ,
    CGetRQ,
    CGetRSP,
    CMoveRQ,
    CMoveRSP,
    NEventReportRQ,
    NEventReportRSP,
    NGetRQ,
    NGetRSP,
    NSetRQ,
    NSetRSP,
    NActionRQ,
    NActionRSP,
    NCreateRQ,
    NCreateRSP,
    NDeleteRQ,
    NDeleteRSP,
)

MESSAGES: Mapping[int, type[Message]] = {message.COMMAND_FIELD: message for message in _ALL}
"""Command Field (0000,0100) -> message."""


def has_data_set(message: Message) -> bool:
    """Whether a data set follows the message."""
    return message.command_data_set_type != NO_DATA_SET
